"""Files that strangers wrote go in whole: every row is loaded or named, and the second time changes nothing."""

import csv
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from node.cli import imports
from node.domain.mapping import read_mapping
from node.domain.mappings import shipped_mappings
from node.operations.import_records import import_rows
from registry.norms.catalogue import load_catalogue
from tests.unit.node.cli.conftest import Terminal
from tests.unit.node.domain.given import PENALTY, REGISTRATION

DATA = os.environ.get("CREDITPORT_DATA", "")
real = pytest.mark.skipif(not DATA, reason="CREDITPORT_DATA does not name a folder of real registers")

COMPANIES = "cr_no,name_en,name_zh,incorporated,dissolved,type\n"
COMPANY = '0000001,"FIRST EXAMPLE, LIMITED",第一示例有限公司,2019-12-13,,"Private, ltd by shares"\n'
DISSOLVED = "LF0000002,SECOND EXAMPLE FUND,第二示例基金,2003-07-09,2006-07-07,Limited Partnership Fund\n"
COUNTS = ("rows", "new", "updated", "unchanged", "rejected", "unjoined", "conflicts")


def written(file: Path, *rows: dict[str, str]) -> Path:
    with file.open("w", encoding="utf-8", newline="") as target:
        writer = csv.DictWriter(target, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    return file


def imported(bank: Terminal, file: Path, kind: str, *more: str, code: int = 0) -> Any:
    return bank.ask("records", "import", str(file), "--kind", kind, "--source", "SZ-CREDIT", *more, code=code)


def counts(told: Any) -> tuple[int, ...]:
    return tuple(told[name] for name in COUNTS)


def test_the_shipped_mappings_are_listed_and_written_out_to_start_from(bank: Terminal, tmp_path: Path) -> None:
    listed = bank.ask("records", "mappings")
    mine = tmp_path / "mine.toml"
    mine.write_text(bank.run("records", "mappings", "hongkong-companies").stdout, encoding="utf-8")
    file = tmp_path / "companies.csv"
    file.write_text(COMPANIES + COMPANY, encoding="utf-8")

    assert {row["mapping"] for row in listed} == set(shipped_mappings())
    assert all(row["for"].startswith("Mapping of") for row in listed)
    assert imported(bank, file, "101", "--mapping", str(mine))["new"] == 1
    assert imported(bank, file, "101", "--mapping", "hongkong-companies")["unchanged"] == 1
    assert bank.ask("records", "show", "1")["source"] == "SZ-CREDIT"
    assert bank.ask("records", "mappings", "gleif-entities")["text"] == shipped_mappings()["gleif-entities"]
    assert "hongkong-weekly" in bank.run("records", "mappings", "nowhere", code=2).stderr


@pytest.mark.parametrize("name", sorted(shipped_mappings()))
def test_a_shipped_mapping_says_from_where_such_files_come(name: str) -> None:
    mapping = read_mapping(shipped_mappings()[name])
    catalogue = load_catalogue()

    assert catalogue.is_source(catalogue.entries[mapping.kind.value], mapping.source)


def test_the_source_is_what_the_mapping_says_unless_somebody_says_another(bank: Terminal, tmp_path: Path) -> None:
    file = tmp_path / "companies.csv"
    file.write_text(COMPANIES + COMPANY, encoding="utf-8")

    told = bank.ask("records", "import", str(file), "--kind", "101", "--mapping", "hongkong-companies")

    assert told["new"] == 1
    assert bank.ask("records", "show", "1")["source"] == "REGISTRAR"


def test_a_mapping_of_no_name_or_another_kind_is_wrong_usage(bank: Terminal, tmp_path: Path) -> None:
    file = tmp_path / "companies.csv"
    file.write_text(COMPANIES + COMPANY, encoding="utf-8")
    words = ("records", "import", str(file), "--kind", "201", "--source", "SZ-CREDIT", "--mapping")

    assert "no mapping nowhere" in bank.run(*words, "nowhere", code=2).stderr
    assert "for kind 101, not 201" in bank.run(*words, "hongkong-companies", code=2).stderr


def test_hong_kong_companies_are_known_by_their_numbers_and_dissolved_ones_are_deregistered(
    bank: Terminal, tmp_path: Path
) -> None:
    file = tmp_path / "companies.csv"
    file.write_text(COMPANIES + COMPANY + DISSOLVED, encoding="utf-8")

    told = imported(bank, file, "101", "--mapping", "hongkong-companies")
    first, second = (bank.ask("records", "show", number)["content"] for number in ("1", "2"))

    assert told["new"] == 2
    assert (first["identifiers"][0]["scheme"], first["entity_type_code"], first["status_code"]) == (
        "HK-CR", "HK_PRIVATE", None,
    )  # fmt: skip
    assert (second["identifiers"][0]["value"], second["entity_type_code"], second["status_code"]) == (
        "LF0000002", "HK_PARTNERSHIP", "DEREGISTERED",
    )  # fmt: skip


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "big5hkscs", "utf-16"])
@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
def test_any_encoding_and_any_line_end_gives_the_same_record(
    bank: Terminal, tmp_path: Path, encoding: str, end: str
) -> None:
    file = tmp_path / "companies.csv"
    full_width = COMPANY.replace("0000001", "０００ ０００１")
    file.write_bytes((COMPANIES + full_width + "shifted\n").replace("\n", end).encode(encoding))

    told = imported(bank, file, "101", "--mapping", "hongkong-companies", code=1)

    assert (told["rows"], told["new"], told["rejected"]) == (2, 1, 1)
    assert told["rejects"][0]["expected"] == "6 columns"
    assert bank.ask("records", "show", "1")["content"]["identifiers"][0]["value"] == "0000001"


def test_an_encoding_that_shows_late_can_be_named(bank: Terminal, tmp_path: Path) -> None:
    file = tmp_path / "late.csv"
    plain = "".join(f"{number:07d},EXAMPLE LIMITED,,2019-12-13,,Ltd by guarantee\n" for number in range(1_700))
    file.write_bytes((COMPANIES + plain + DISSOLVED).encode("gb18030"))
    mapping = ("--mapping", "hongkong-companies")

    assert imported(bank, file, "101", *mapping, code=1)["rejects"][0]["got"] == "bytes of another encoding"
    assert imported(bank, file, "101", *mapping, "--encoding", "gb18030")["new"] == 1
    assert "no known encoding" in bank.run(
        "records", "import", str(file), "--kind", "101", "--source", "SZ-CREDIT", "--encoding", "morse", code=2
    ).stderr  # fmt: skip


def test_one_code_claimed_by_two_names_is_reported_with_both_rows_and_stays_so(bank: Terminal, tmp_path: Path) -> None:
    rows = (REGISTRATION, REGISTRATION | {"name_zh": "深圳市别的有限公司", "name_en": "Another Ltd."})
    file = written(tmp_path / "contested.csv", *rows)
    rejects = [tmp_path / "first.csv", tmp_path / "second.csv"]

    first, second = (imported(bank, file, "101", "--rejects", str(one), code=1) for one in rejects)
    said = bank.run("records", "import", str(file), "--kind", "101", "--source", "SZ-CREDIT", code=1).stdout

    assert counts(first) == (2, 1, 0, 0, 1, 0, 1)
    assert counts(second) == (2, 0, 0, 1, 1, 0, 1)
    assert first["conflicts_found"] == second["conflicts_found"] == [
        {"row": 3, "field": "name_zh", "record": 1, "other_row": 2}
    ]  # fmt: skip
    assert rejects[0].read_bytes() == rejects[1].read_bytes()
    assert (
        "conflict: row 3: name_zh: expected the name in record 1, got another name (SUBJECT_ID_INVALID); row 2 of this"
        " file is what stands there"
        "  冲突：第 3 行：中文名称应为记录 1 中的名称，实为其他名称；现有内容见本文件第 2 行\n"
    ) in said
    assert "别的" not in said + rejects[0].read_text("utf-8")


def test_odd_codes_are_loaded_and_reported_with_their_rows_and_an_attested_check_is_kept(
    authority: Terminal, bank: Terminal, tmp_path: Path
) -> None:
    early = REGISTRATION | {"uscc": "91350211M0000XUF46", "uscc_check_attested": "true"}
    odd = [early | {"uscc": code, "uscc_check_attested": ""} for code in ("91440300MA5TERT14M", "91440300MA5TERT13J")]
    file = written(tmp_path / "odd.csv", REGISTRATION | {"uscc_check_attested": "true"}, early, *odd)

    word = ("--attestation", str(tmp_path / "word.json"))
    authority.run("records", "attest", str(file), "--kind", "101", "--output", word[1])

    told = imported(bank, file, "101", *word)
    again = imported(bank, file, "101", *word)
    said = bank.run("records", "import", str(file), "--kind", "101", "--source", "SZ-CREDIT", *word).stdout
    first, second = (bank.ask("records", "show", number)["content"]["identifiers"][0] for number in ("1", "2"))

    assert counts(told) == (4, 4, 0, 0, 0, 0, 0)
    assert told["remarks"] == again["remarks"] == {
        "CHECK_ATTESTED": {"count": 1, "rows": [3]},
        "ORGANISATION_CHECK": {"count": 2, "rows": [4, 5]},
    }  # fmt: skip
    assert "loaded: row 3 with a check character that does not fit" in said
    assert "(CHECK_ATTESTED)  已入库：第 3 行，统一社会信用代码的校验码不符" in said
    assert "(ORGANISATION_CHECK)  已入库：第 4 行等 2 行，统一社会信用代码中的组织机构代码" in said
    assert "loaded: row 4 and 1 more with a unified code whose organisation code" in said
    assert (first["check_waived"], second["check_waived"]) == (False, True)


def test_a_code_that_does_not_fit_is_not_loaded_on_the_file_s_own_word(bank: Terminal, tmp_path: Path) -> None:
    early = REGISTRATION | {"uscc": "91350211M0000XUF46", "uscc_check_attested": "true"}
    rejects = tmp_path / "rejects.csv"

    told = imported(bank, written(tmp_path / "odd.csv", early), "101", "--rejects", str(rejects), code=1)

    assert told["rejected"] == 1
    assert "ATTESTATION_MISSING,uscc_check_attested" in rejects.read_text("utf-8")


def test_penalties_without_a_code_are_all_named_and_alike_ones_once_on_the_screen(
    bank: Terminal, tmp_path: Path
) -> None:
    file = written(tmp_path / "nameless.csv", *[PENALTY | {"uscc": "", "decision_no": str(n)} for n in range(30)])
    rejects = tmp_path / "rejects.csv"

    told = imported(bank, file, "201", "--rejects", str(rejects), code=1)
    said = bank.run("records", "import", str(file), "--kind", "201", "--source", "SZ-CREDIT", code=1).stdout

    assert counts(told) == (30, 0, 0, 0, 30, 30, 0)
    assert told["reasons"] == {"SUBJECT_ID_INVALID": 30}
    with rejects.open(encoding="utf-8-sig", newline="") as lines:
        assert [(int(row["row"]), row["case"]) for row in csv.DictReader(lines)] == [
            (number, "unjoined") for number in range(2, 32)
        ]
    assert said.count("row 2 and 29 more: identifiers:") == 1
    assert said.count("  第 2 行等 30 行：主体代码应为已知种类的主体代码，实为空缺，且本节点无此名称的企业") == 1
    assert "more; --rejects" not in said


def test_what_is_wrong_with_a_row_is_said_in_both_languages_wherever_it_is_read(bank: Terminal, tmp_path: Path) -> None:
    file = written(tmp_path / "bad.csv", REGISTRATION | {"uscc": "9144"}, REGISTRATION | {"status": "GONE"})
    rejects = tmp_path / "rejects.csv"

    told = imported(bank, file, "101", "--rejects", str(rejects), code=1)["rejects"]
    said = bank.run("records", "import", str(file), "--kind", "101", "--source", "SZ-CREDIT", code=1).stdout

    with rejects.open(encoding="utf-8-sig", newline="") as lines:
        table = csv.DictReader(lines)
        assert table.fieldnames == ["row", "reason", "field", "expected", "got", "case", "expected_zh", "got_zh"]
        assert [row | {"row": int(row["row"])} for row in table] == told
    assert [(row["got"], row["expected_zh"], row["got_zh"]) for row in told] == [
        (
            "4 characters of another shape",
            "18 位统一社会信用代码（GB 32100），其中行政区划码为 6 位数字",
            "不合格式的 4 个字符",
        ),
        ("GONE", "代码表所列代码", "GONE"),
    ]
    assert (
        "row 3: status: expected a code of the list, got GONE (MALFORMED)"
        "  第 3 行：登记状态应为代码表所列代码，实为 GONE\n"
    ) in said


def test_more_kinds_of_wrong_rows_than_fit_the_screen_are_counted_in_both_languages(
    bank: Terminal, tmp_path: Path
) -> None:
    file = written(tmp_path / "bad.csv", *[REGISTRATION | {"address": "长" * (401 + n)} for n in range(25)])

    said = bank.run("records", "import", str(file), "--kind", "101", "--source", "SZ-CREDIT", code=1).stdout

    assert "... and 5 more; --rejects FILE names them all  另有 5 行，--rejects FILE 逐行列出\n" in said


def test_a_correction_that_is_refused_says_in_both_languages_what_is_wrong(bank: Terminal, tmp_path: Path) -> None:
    imported(bank, written(tmp_path / "one.csv", REGISTRATION), "101")
    words = ("records", "correct", "1", "--basis", "OWN_ERROR", "--set")

    assert bank.run(*words, "capital=many", code=1).stderr == (
        "creditport: capital: expected an amount and a known currency, got 4 other characters (MALFORMED)"
        "  注册资本应为金额及已知币种，实为不合格式的 4 个字符\n"
    )
    assert bank.run(*words, "region_code=HK", "--set", "uscc=91440300MA5TERT14M", code=1).stderr.endswith(
        "实为其他主体代码\n"
    )


def test_attested_penalties_about_a_strangers_enterprises_join_them(bank: Terminal, tmp_path: Path) -> None:
    companies, penalties = tmp_path / "companies.csv", tmp_path / "penalties.csv"
    companies.write_text(COMPANIES + COMPANY + DISSOLVED, encoding="utf-8")
    of = ("--of", str(companies), "--mapping", "hongkong-companies")
    bank.run("records", "sample", str(penalties), "--kind", "201", "--count", "20", *of)
    imported(bank, companies, "101", "--mapping", "hongkong-companies")

    assert imported(bank, penalties, "201")["new"] == 20
    assert imported(bank, penalties, "201")["unchanged"] == 20
    nameless = (
        penalties.read_text("utf-8").replace("LF0000002", "").replace("0000001,", ",").replace("示例〔", "再例〔")
    )
    penalties.write_text(nameless, encoding="utf-8")
    assert imported(bank, penalties, "201", code=1)["unjoined"] == 20
    assert imported(bank, penalties, "201", "--join-by-name")["new"] == 20


REGISTERS = {
    "shenzhen-enterprises": ("shenzhen-enterprises/enterprises.csv", "101", (3000, 3000, 0, 0, 0, 0, 0)),
    "hongkong-companies": ("hongkong-companies/companies.csv", "101", (4000, 4000, 0, 0, 0, 0, 0)),
    "hongkong-weekly": ("hongkong-companies/weekly-with-brn.csv", "101", (40, 40, 0, 0, 0, 0, 0)),
    "gleif-entities": ("gleif/entities.csv", "101", (25, 25, 0, 0, 0, 0, 0)),
    "financial-penalties": ("financial-penalties/penalties.csv", "201", (2053, 0, 0, 0, 2053, 2053, 0)),
}


@real
def test_the_real_registers_give_these_counts_and_the_same_again(bank: Terminal, tmp_path: Path) -> None:
    found = {}
    for run in ("first", "second"):
        for name, (path, kind, expected) in REGISTERS.items():
            rejects = tmp_path / f"{run}-{name}.csv"
            words = ("--mapping", name, "--rejects", str(rejects))
            told = imported(bank, Path(DATA) / path, kind, *words, code=int(expected[4] > 0))
            found[run, name] = (counts(told), rejects.read_bytes())

    for name, (_, _, expected) in REGISTERS.items():
        rows, new, *_, rejected, unjoined, conflicts = expected
        assert found["first", name][0] == expected
        assert found["second", name][0] == (rows, 0, 0, new, rejected, unjoined, conflicts)
        assert found["first", name][1] == found["second", name][1]


@real
def test_attested_penalties_about_real_enterprises_join_all_that_were_loaded(bank: Terminal, tmp_path: Path) -> None:
    enterprises = str(Path(DATA) / "shenzhen-enterprises" / "enterprises.csv")
    penalties, mapping = tmp_path / "penalties.csv", ("--mapping", "shenzhen-enterprises")
    bank.run("records", "sample", str(penalties), "--kind", "201", "--count", "300", "--of", enterprises, *mapping)
    imported(bank, Path(enterprises), "101", *mapping)

    assert counts(imported(bank, penalties, "201")) == (300, 300, 0, 0, 0, 0, 0)
    assert counts(imported(bank, penalties, "201")) == (300, 0, 0, 300, 0, 0, 0)


def test_what_a_command_writes_never_takes_the_place_of_what_it_reads(bank: Terminal, tmp_path: Path) -> None:
    file = written(tmp_path / "enterprises.csv", REGISTRATION)
    before = file.read_bytes()
    same = tmp_path / "also.csv"
    same.symlink_to(file)

    for words in (
        ("records", "import", str(file), "--kind", "101", "--source", "SZ-CREDIT", "--rejects", str(same)),
        ("records", "attest", str(file), "--kind", "101", "--output", str(file)),
        ("records", "map", str(file), "--kind", "101", "--output", str(file)),
        ("records", "sample", str(same), "--kind", "201", "--of", str(file)),
    ):
        assert "is a file that is read" in bank.run(*words, code=2).stderr
    assert file.read_bytes() == before


def test_nor_of_anything_else_that_the_command_reads(bank: Terminal, tmp_path: Path) -> None:
    table, folder = written(tmp_path / "enterprises.csv", REGISTRATION), tmp_path / "received"
    folder.mkdir()
    read = [tmp_path / name for name in ("mapping.toml", "word.json", "keys.csv")] + [folder / "one.json"]
    for file in read:
        file.write_text("kept", encoding="utf-8")
    mapping, word, keys, one = map(str, read)

    for output, more in (
        (mapping, ("--mapping", mapping)), (word, ("--attestation", word)), (one, ("--declarations", one)),
        (one, ("--declarations", str(folder))),
    ):  # fmt: skip
        words = ("records", "import", str(table), "--kind", "101", "--rejects", output, *more)
        assert "is a file that is read" in bank.run(*words, code=2).stderr
    for output, more in (
        (mapping, ("--mapping", mapping)), (keys, ("--keys", keys)), (one, ("--declarations", str(folder))),
    ):  # fmt: skip
        words = ("records", "attest", str(table), "--kind", "101", "--output", output, *more)
        assert "is a file that is read" in bank.run(*words, code=2).stderr
    assert {file.read_text("utf-8") for file in read} == {"kept"}


def test_rejects_that_the_disk_does_not_take_are_still_counted(bank: Terminal, tmp_path: Path) -> None:
    file = written(tmp_path / "odd.csv", REGISTRATION, REGISTRATION | {"uscc": "91440300MA5FXXXX11"})
    words = ("records", "import", str(file), "--kind", "101", "--source", "SZ-CREDIT", "--rejects", "/dev/full")

    done = bank.run(*words, "--json", code=4)

    assert counts(json.loads(done.stdout))[:5] == (2, 1, 0, 0, 1)
    assert "/dev/full cannot be written whole: No space left on device" in done.stderr


def test_a_folder_is_no_mapping_of_its_name(bank: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = written(tmp_path / "enterprises.csv", REGISTRATION)
    (tmp_path / "hongkong").mkdir()
    monkeypatch.chdir(tmp_path)

    said = bank.run("records", "import", str(file), "--kind", "101", "--mapping", "hongkong", code=2).stderr

    assert "there is no mapping hongkong: a .toml file, or one of " in said


def test_a_file_without_a_row_is_loaded_and_said_to_have_none(bank: Terminal, tmp_path: Path) -> None:
    file = tmp_path / "enterprises.csv"
    file.write_text("uscc,name_zh\n", encoding="utf-8")

    told = bank.run("records", "import", str(file), "--kind", "101", "--source", "SZ-CREDIT")

    assert "has no row below its headings  文件没有数据行" in told.stderr


def test_our_own_file_of_another_kind_is_told_before_every_row_is_rejected(bank: Terminal, tmp_path: Path) -> None:
    penalties, registrations = written(tmp_path / "p.csv", PENALTY), written(tmp_path / "r.csv", REGISTRATION)
    words = ("records", "import", "--source", "SZ-CREDIT")

    told = bank.run(*words, str(penalties), "--kind", "101", code=2).stderr

    assert "p.csv has the columns of kind 201, not of 101" in told
    assert "not of 201" in bank.run(*words, str(registrations), "--kind", "201", code=2).stderr
    assert bank.ask("records", "list") == []


def test_columns_that_are_not_read_are_named_once_and_the_rows_are_loaded(bank: Terminal, tmp_path: Path) -> None:
    file = written(tmp_path / "more.csv", REGISTRATION | {"联系人": "", "phone": ""})

    told = bank.run("records", "import", str(file), "--kind", "101", "--source", "SZ-CREDIT").stderr

    assert "note: 联系人, phone: no columns of kind 101, not read" in told
    assert len(bank.ask("records", "list")) == 1


def test_an_import_is_summed_up_in_both_languages_and_every_reason_is_explained(bank: Terminal, tmp_path: Path) -> None:
    file = written(tmp_path / "bad.csv", REGISTRATION, REGISTRATION | {"uscc": "1"}, REGISTRATION | {"uscc": "2"})

    told = bank.run(
        "records", "import", str(file), "--kind", "101", "--source", "SZ-CREDIT", code=1
    ).stdout.splitlines()

    assert told[:2] == ["rows 行数                3", "new 新增                 1"]
    assert told[-1].startswith("2 SUBJECT_ID_INVALID (S 17). 主体识别代码缺失或者有误。")


NO_TABLES = {
    "an Excel workbook": (b"PK\x03\x04 and more", "save the table as CSV  请另存为 CSV 文件"),
    "a compressed file": (b"\x1f\x8b and more", "is compressed"),
    "semicolons": (b"uscc;name_zh\nx;y\n", "separated by semicolons, not by commas"),
    "tabulators": (b"uscc\tname_zh\nx\ty\n", "separated by tabulators, not by commas"),
}


@pytest.mark.parametrize(("raw", "words"), NO_TABLES.values(), ids=NO_TABLES)
def test_what_is_no_table_of_commas_is_told_and_nothing_is_read(
    bank: Terminal, tmp_path: Path, raw: bytes, words: str
) -> None:
    file = tmp_path / "table.csv"
    file.write_bytes(raw)

    told = bank.run("records", "import", str(file), "--kind", "101", "--source", "SZ-CREDIT", code=2).stderr

    assert words in told


def test_a_pipe_that_cannot_be_read_twice_is_not_taken_for_an_empty_file(bank: Terminal, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.csv"
    os.mkfifo(pipe)

    told = bank.run("records", "import", str(pipe), "--kind", "101", "--source", "SZ-CREDIT", code=2).stderr

    assert "not an ordinary file" in told


def test_who_interrupts_an_import_is_told_how_far_it_came(
    bank: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "many.csv"
    bank.run("records", "sample", str(file), "--kind", "101", "--count", "3")

    def ended(*words: object) -> Iterator[object]:
        yield from import_rows(*words)  # type: ignore[arg-type]  # what the command gives is passed on
        raise KeyboardInterrupt

    monkeypatch.setattr(imports, "import_rows", ended)

    told = bank.run("records", "import", str(file), "--kind", "101", "--source", "SZ-CREDIT", code=130).stderr

    assert "at least 3 rows were loaded or named; load the same file again" in told
    assert len(bank.ask("records", "list")) == 3


def test_a_file_that_is_called_json_has_an_object_in_each_line(bank: Terminal, tmp_path: Path) -> None:
    file = tmp_path / "records.json"
    file.write_text(f"{json.dumps(REGISTRATION)}\n", encoding="utf-8")

    assert imported(bank, file, "101")["new"] == 1


@pytest.mark.parametrize("strange", [{}, {"foo": 1}])
def test_an_object_without_any_of_the_columns_is_one_rejected_row(
    bank: Terminal, tmp_path: Path, strange: dict[str, int]
) -> None:
    file = tmp_path / "records.jsonl"
    file.write_text(f"{json.dumps(REGISTRATION)}\n{json.dumps(strange)}\n", encoding="utf-8")

    done = bank.ask("records", "import", str(file), "--kind", "101", "--source", "SZ-CREDIT", code=1)

    assert (done["new"], [one["row"] for one in done["rejects"]]) == (1, [2])


@pytest.mark.parametrize("encoding", ["rot13", "hex", "idna", "punycode", "undefined", "utf-16", "utf-32", "nope"])
def test_an_encoding_that_the_file_cannot_be_in_is_said(bank: Terminal, tmp_path: Path, encoding: str) -> None:
    file = written(tmp_path / "r.csv", REGISTRATION)
    words = ("records", "import", str(file), "--kind", "101", "--source", "SZ-CREDIT", "--encoding", encoding)

    assert encoding in bank.run(*words, code=2).stderr or "no known encoding" in bank.run(*words, code=2).stderr


def test_what_is_wrong_with_a_mapping_is_said_with_its_name(bank: Terminal, tmp_path: Path) -> None:
    file, mapping = written(tmp_path / "r.csv", REGISTRATION), tmp_path / "mine.toml"
    mapping.write_text('id = "x"\nkind = "101"\n[columns.nope]\nfrom = ["a"]\n', encoding="utf-8")
    words = ("records", "import", str(file), "--kind", "101", "--mapping", str(mapping))

    assert "mine.toml: columns: expected columns of kind 101" in bank.run(*words, code=2).stderr.replace("\n", "")
