"""On the command line: kinds and their columns are listed, mappings are drafted, and every kind is loaded."""

import csv
from pathlib import Path

import pytest

from node.domain.columns import standard_columns
from node.domain.records import Kind
from tests.unit.node.cli.conftest import Terminal
from tests.unit.node.domain.sampled import ADMITTED

FINES = (
    "行政相对人名称,统一社会信用代码,处罚决定书文号,处罚类别,处罚决定日期,处罚机关\n"
    "深圳市示例科技有限公司,91440300MA5TERT15Q,深罚〔2024〕1号,罚款,2024-03-05,示例市市场监督管理局\n"
)
STATED = """
[columns.authority_class]
constant = "MARKET_REG"
[columns.authority_level]
constant = "CITY"
[columns.procedure]
constant = "GENERAL"
[columns.minor_circumstances]
constant = "false"
[columns.small_impact]
constant = "false"
[columns.liability_borne]
constant = "true"
"""


def test_the_kinds_and_the_columns_of_one_are_listed(bank: Terminal) -> None:
    kinds = bank.ask("records", "kinds")
    columns = bank.ask("records", "kinds", "208")

    assert [one["kind"] for one in kinds] == [kind.value for kind in Kind]
    assert {one["kind"] for one in kinds if one["crosses"] == "NEVER"} == {"209", "403"}
    assert [one["column"] for one in columns] == list(standard_columns(Kind.ARREARS))
    amount = next(one for one in columns if one["column"] == "amount")
    assert (amount["title_zh"], amount["needed"], amount["crosses_as"]) == ("欠缴金额", "yes", "amount_band: BAND")
    assert all(one["title_zh"] and one["title_en"] for one in columns)


def test_a_drafted_mapping_is_completed_and_loads_the_file(bank: Terminal, tmp_path: Path) -> None:
    file, mapping = tmp_path / "fines.csv", tmp_path / "fines.toml"
    file.write_text(FINES, encoding="utf-8")

    said = bank.run("records", "map", str(file), "--kind", "201").stdout
    bank.run("records", "map", str(file), "--kind", "201", "--output", str(mapping))
    assert mapping.read_text("utf-8") == said

    head, *tables = said.partition("[tables.")
    mapping.write_text(head + STATED + "".join(tables), encoding="utf-8")
    done = bank.ask("records", "import", str(file), "--kind", "201", "--source", "SZ-CREDIT", "--mapping", str(mapping))
    assert done["new"] == 1


def test_headings_are_mapped_with_no_row_below_them_if_any_is_like_a_column(bank: Terminal, tmp_path: Path) -> None:
    file = tmp_path / "headings.csv"
    file.write_text("a,b\n", encoding="utf-8")
    assert "no heading of headings.csv" in bank.run("records", "map", str(file), "--kind", "201", code=2).stderr

    file.write_text("uscc,b\n", encoding="utf-8")
    assert "[columns.uscc]" in bank.run("records", "map", str(file), "--kind", "201").stdout


def test_a_file_that_is_no_table_gives_no_draft(bank: Terminal, tmp_path: Path) -> None:
    file = tmp_path / "picture.csv"
    file.write_bytes(bytes(range(1, 256)) * 40)

    assert "no heading of picture.csv is like" in bank.run("records", "map", str(file), "--kind", "101", code=2).stderr


def test_a_draft_does_not_take_the_place_of_one_that_somebody_completed(bank: Terminal, tmp_path: Path) -> None:
    file, mapping = tmp_path / "fines.csv", tmp_path / "fines.toml"
    file.write_text(FINES, encoding="utf-8")
    mapping.write_text("completed", encoding="utf-8")

    words = ("records", "map", str(file), "--kind", "201", "--output", str(mapping))

    assert "there is already a file" in bank.run(*words, code=1).stderr
    assert mapping.read_text(encoding="utf-8") == "completed"


def test_the_columns_of_a_kind_say_that_a_code_and_a_name_are_needed(bank: Terminal) -> None:
    assert "one code of the enterprise, and a name" in bank.run("records", "kinds", "208").stdout


@pytest.mark.parametrize("kind", ["102", "208", "221", "303", "401", "502", "601"])
def test_a_sample_of_every_sort_is_loaded_once(bank: Terminal, tmp_path: Path, kind: str) -> None:
    enterprises, file = tmp_path / "enterprises.csv", tmp_path / "sample.csv"
    bank.run("records", "sample", str(enterprises), "--kind", "101", "--count", "5")
    bank.run("records", "sample", str(file), "--kind", kind, "--count", "8", "--of", str(enterprises))

    source = "OWN-BUSINESS" if kind == "502" else "SZ-CREDIT"
    first, again = (bank.ask("records", "import", str(file), "--kind", kind, "--source", source) for _ in range(2))

    assert (first["new"], again["unchanged"]) == (8, 8)
    with file.open(encoding="utf-8", newline="") as lines:
        assert tuple(next(csv.reader(lines))) == standard_columns(Kind(kind))


def test_a_sample_of_what_no_node_takes_in_is_not_made(bank: Terminal, tmp_path: Path) -> None:
    assert len(ADMITTED) == len(Kind) - 1
    words = ("records", "sample", str(tmp_path / "x.csv"), "--kind", "209")

    assert "natural persons" in bank.run(*words, code=2).stderr


def test_records_come_from_a_source_that_the_catalogue_lists_or_not_at_all(bank: Terminal, tmp_path: Path) -> None:
    file = str(tmp_path / "enterprises.csv")
    bank.run("records", "sample", file, "--kind", "101", "--count", "2")
    words = ("records", "import", file, "--kind", "101")

    nameless, strange = bank.run(*words, code=1).stderr, bank.run(*words, "--source", file, code=1).stderr

    assert "PROVENANCE_MISSING (S 3)" in nameless
    assert "PROVIDER_NOT_REGISTERED (S 19)" in strange
    assert all("expected one of SZ-CREDIT, REGISTRAR, LEI-REGISTER, got" in said for said in (nameless, strange))
    assert "信息提供单位未登记，或者来源系统未列入目录。" in strange
    assert bank.ask("records", "list") == []
    assert bank.ask(*words, "--source", "REGISTRAR")["new"] == 2
    assert bank.ask("records", "show", "1")["source"] == "REGISTRAR"


def test_kinds_say_from_where_their_records_may_come(bank: Terminal) -> None:
    listed = {row["kind"]: row["sources"] for row in bank.ask("records", "kinds")}

    assert listed["502"] == ["OWN-BUSINESS", "PUBLICATION:<which>"]
    assert "--source COURT  裁判或者执行法院的系统  System of the court" in bank.run("records", "kinds", "221").stdout


def test_records_come_from_a_registered_provider_or_not_at_all(bank: Terminal, tmp_path: Path) -> None:
    file = str(tmp_path / "enterprises.csv")
    bank.run("records", "sample", file, "--kind", "101", "--count", "2")
    words = ("records", "import", file, "--kind", "101", "--source", "SZ-CREDIT", "--provider")

    assert "PROVIDER_NOT_REGISTERED" in bank.run(*words, "nobody", code=1).stderr
    assert bank.ask(*words, "hk-authority")["new"] == 2
