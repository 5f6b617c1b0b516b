"""On the command line: an enterprise signs, an institution attests, and a node loads that and nothing else."""

import csv
import os
import shutil
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

from crypto.keys import Purpose
from node.app.opening import utc_now
from node.domain.columns import standard_columns
from node.domain.dates import shanghai_day
from node.domain.records import Kind
from node.keys import open_operator_key, open_subject_key
from tests.unit.agreements.world import key_of
from tests.unit.node.cli.conftest import Terminal, at

FIRM, OTHER = "91440300MA5TERT15Q", "HK-BRN:12345678"
PASSPHRASE = {"CREDITPORT_SUBJECT_PASSPHRASE": "of the firm"}
UNTIL = f"{shanghai_day(utc_now()).replace(day=1).year + 1}-01-01"
STATEMENT = "本企业已通过质量管理体系认证"
CONSENT = {"consent": "0a" * 32, "consented_on": shanghai_day(utc_now()).isoformat(), "consent_standalone": "true"}


def firm_in(folder: Path) -> Terminal:
    """An enterprise's machine: no node, no database."""
    return Terminal(folder, at(folder).environment | PASSPHRASE)


@pytest.fixture(scope="session")
def handed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the firm hands its institution: a signed declaration, and in person its key."""
    folder = tmp_path_factory.mktemp("firm")
    firm = firm_in(folder)
    shown = firm.ask("declaration", "key", str(folder / "firm.key"), "--subject", FIRM)
    (folder / "keys.csv").write_text(f"subject,key\n{shown['subject']},{shown['key']}\n", "utf-8")
    signed(firm, folder, FIRM, "2026-7")
    return folder


@pytest.fixture
def firm(handed: Path, tmp_path: Path) -> Terminal:
    shutil.copytree(handed, tmp_path, dirs_exist_ok=True)
    return firm_in(tmp_path)


@pytest.fixture
def declared(firm: Terminal, tmp_path: Path) -> dict[str, str]:
    """The row that says what the firm signed."""
    (row,) = firm.ask("declaration", "show", str(tmp_path / "signed"))
    return dict(row)


def signed(firm: Terminal, folder: Path, subject: str, number: str, *words: str, code: int = 0) -> str:
    (folder / "signed").mkdir(exist_ok=True)
    output = folder / "signed" / f"{number}.json"
    said = ("--number", number, "--topic", "QUALIFICATION", "--statement", STATEMENT, "--until", UNTIL)
    command = ("declaration", "sign", "--key", str(folder / "firm.key"), "--subject", subject)
    return firm.run(*command, *said, "--output", str(output), *words, code=code).stderr


def file_of(folder: Path, *rows: dict[str, str]) -> str:
    """A file of kind 503 as the institution writes it out of what it was shown."""
    file = folder / "declared.csv"
    with file.open("w", encoding="utf-8", newline="") as lines:
        writer = csv.DictWriter(lines, standard_columns(Kind.SELF_DECLARATION), extrasaction="ignore")
        writer.writeheader()
        writer.writerows({**row, **CONSENT, "name_zh": "深圳市示例科技有限公司"} for row in rows)
    return str(file)


def shown(folder: Path) -> tuple[str, ...]:
    return ("--declarations", str(folder / "signed"))


def test_a_key_is_made_once_and_encrypted_and_is_no_operator_s(firm: Terminal, tmp_path: Path) -> None:
    file = tmp_path / "made.key"
    told = firm.ask("declaration", "key", str(file), "--subject", OTHER)
    opened = open_subject_key(file, lambda: "of the firm")

    assert (opened.purpose, opened.key_id, opened.public.raw.hex()) == (Purpose.SUBJECT, told["key_id"], told["key"])
    assert told["subject"] == OTHER
    assert opened.seed.hex() not in file.read_text("utf-8")
    assert file.stat().st_mode & 0o077 == 0
    firm.run("declaration", "key", str(file), "--subject", OTHER, code=1)
    with pytest.raises(Exception, match="operator"):
        open_operator_key(file, "alice", lambda: "of the firm").sign(b"")


def test_who_signs_reads_everything_that_is_signed_in_both_languages(
    firm: Terminal, declared: dict[str, str], tmp_path: Path
) -> None:
    read = signed(firm, tmp_path, FIRM, "2026-8")

    for text in (FIRM, "2026-8", "资质 / Qualifications", STATEMENT, UNTIL, "未经核实", "not verified"):
        assert text in read
    raw = (tmp_path / "signed" / "2026-7.json").read_bytes()
    assert declared["attestation"] == sha256(raw).hexdigest()
    assert (declared["uscc"], declared["statement"], declared["consent_until"]) == (FIRM, STATEMENT, UNTIL)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--topic", "LUCK"), 2),
        (("--until", "2020-01-01"), 2),
        (("--until", "2999-01-01"), 1),
        (("--statement", "股东的病史"), 1),
        (("--statement", "revers\u202eed"), 2),
        (("--key", "nowhere.key"), 4),
    ],
    ids=[
        "a topic of no list",
        "a day that is over",
        "a consent without end",
        "what may not be collected",
        "hidden characters",
        "no key",
    ],
)
def test_what_no_institution_could_load_is_not_signed(
    firm: Terminal, declared: dict[str, str], tmp_path: Path, words: tuple[str, ...], code: int
) -> None:
    signed(firm, tmp_path, FIRM, "2026-9", *words, code=code)

    assert declared
    assert not (tmp_path / "signed" / "2026-9.json").exists()


def test_a_signed_declaration_is_never_overwritten(firm: Terminal, declared: dict[str, str], tmp_path: Path) -> None:
    before = (tmp_path / "signed" / "2026-7.json").read_bytes()

    assert declared
    assert "already a file" in signed(firm, tmp_path, FIRM, "2026-7", "--statement", "another", code=1)
    assert (tmp_path / "signed" / "2026-7.json").read_bytes() == before


def test_a_document_that_is_no_declaration_is_named_by_its_file(
    firm: Terminal, declared: dict[str, str], tmp_path: Path
) -> None:
    stray = tmp_path / "signed" / "notes.json"
    stray.write_text("{}", "utf-8")

    assert declared
    assert "1 of 2 documents: " in (said := firm.run("declaration", "show", str(tmp_path / "signed"), code=2).stderr)
    assert "notes.json" in said.replace("\n", "")


def test_a_declaration_may_come_through_a_pipe(firm: Terminal, tmp_path: Path) -> None:
    (file,) = (tmp_path / "signed").iterdir()
    reads, writes = os.pipe()
    os.write(writes, file.read_bytes())
    os.close(writes)

    (row,) = firm.ask("declaration", "show", f"/dev/fd/{reads}")
    os.close(reads)

    assert row["declaration_no"] == "2026-7"


def test_an_attestation_ends_where_its_day_begins_in_shenzhen(
    declared: dict[str, str], authority: Terminal, tmp_path: Path
) -> None:
    words = ("records", "attest", file_of(tmp_path, declared), "--kind", "503", "--output", str(tmp_path / "word"))
    keys = ("--keys", str(tmp_path / "keys.csv"))

    told = authority.ask(*words, *keys, *shown(tmp_path), "--until", "2999-01-01")

    assert told["expires_at"] == "2998-12-31T16:00:00Z"
    for day in ("0001-01-01", "0001-01-02", "9999-12-31"):
        authority.run(*words, *keys, *shown(tmp_path), "--until", day, code=2)


def test_a_list_of_keys_without_its_columns_is_not_taken_for_an_empty_one(
    declared: dict[str, str], authority: Terminal, tmp_path: Path
) -> None:
    keys = tmp_path / "odd.csv"
    keys.write_text(f"firm,public key\n{FIRM},{'00' * 32}\n", "utf-8")
    words = ("records", "attest", file_of(tmp_path, declared), "--kind", "503", "--output", str(tmp_path / "word"))

    said = authority.run(*words, "--keys", str(keys), *shown(tmp_path), code=2).stderr

    assert "columns subject and key" in said
    assert "note: no --keys" in authority.run(*words, *shown(tmp_path), code=1).stderr


def test_rows_that_nobody_would_take_in_are_named_once_for_each_thing_that_is_wrong(
    declared: dict[str, str], authority: Terminal, tmp_path: Path
) -> None:
    file = file_of(tmp_path, *[declared] * 500)

    words = ("records", "attest", file, "--kind", "503", "--output", str(tmp_path / "word"), *shown(tmp_path))
    said = authority.run(*words, code=1).stderr

    assert "would not be taken in: row 2 and 499 more: attestation: expected signed by" in said
    assert "  不会入库：第 2 行等 500 行：" in said
    assert len(said.splitlines()) < 5


def test_a_wrong_passphrase_signs_nothing(firm: Terminal, declared: dict[str, str], tmp_path: Path) -> None:
    thief = Terminal(firm.node, firm.environment | {"CREDITPORT_SUBJECT_PASSPHRASE": "guessed"})

    assert declared
    assert "wrong passphrase" in signed(thief, tmp_path, FIRM, "2026-9", code=4)


def test_a_signed_and_attested_declaration_is_loaded_and_nothing_less_is(
    declared: dict[str, str], authority: Terminal, bank: Terminal, tmp_path: Path
) -> None:
    file, word, rejects = file_of(tmp_path, declared), str(tmp_path / "word"), tmp_path / "rejects.csv"
    words = ("records", "import", file, "--kind", "503", "--source", "SUBJECT", "--rejects", str(rejects))
    keys = ("--keys", str(tmp_path / "keys.csv"))

    told = authority.ask("records", "attest", file, "--kind", "503", "--output", word, *keys, *shown(tmp_path))
    assert (told["declarations"], told["identifiers"]) == (1, 0)
    for missing in (("--attestation", word), shown(tmp_path)):
        assert bank.ask(*words, *missing, code=1)["rejected"] == 1
        assert "ATTESTATION_MISSING,attestation," in rejects.read_text("utf-8")
    loaded = bank.ask(*words, "--attestation", word, *shown(tmp_path))
    assert (loaded["new"], loaded["rejected"]) == (1, 0)


def test_an_altered_declaration_is_named_and_keeps_no_other_out(
    declared: dict[str, str], firm: Terminal, authority: Terminal, bank: Terminal, tmp_path: Path
) -> None:
    signed(firm, tmp_path, FIRM, "2026-8")
    altered = tmp_path / "signed" / "2026-8.json"
    raw = altered.read_bytes()
    place = raw.index(b'"sig":"') + 20
    altered.write_bytes(raw[:place] + (b"B" if raw[place : place + 1] == b"A" else b"A") + raw[place + 1 :])
    second = {**declared, "declaration_no": "2026-8", "attestation": sha256(altered.read_bytes()).hexdigest()}
    file, word, rejects = file_of(tmp_path, declared, second), str(tmp_path / "word"), tmp_path / "rejects.csv"
    keys = ("--keys", str(tmp_path / "keys.csv"))

    said = authority.run("records", "attest", file, "--kind", "503", "--output", word, *keys, *shown(tmp_path)).stderr
    assert "would not be taken in: row 3: attestation" in said
    words = ("records", "import", file, "--kind", "503", "--source", "SUBJECT", "--attestation", word, *shown(tmp_path))
    told = bank.ask(*words, "--rejects", str(rejects), code=1)
    assert (told["new"], told["rejected"]) == (1, 1)
    assert "3,SIGNATURE_INVALID,attestation," in rejects.read_text("utf-8")
    firm.run("declaration", "show", str(altered), code=1)


def test_a_file_that_was_named_and_does_not_verify_ends_an_import_and_one_in_a_folder_is_noted(
    declared: dict[str, str], bank: Terminal, tmp_path: Path
) -> None:
    (document,) = (tmp_path / "signed").iterdir()
    whole = document.read_bytes()
    altered, mixed = tmp_path / "signed" / "altered.json", tmp_path / "mixed.json"
    begun, mark, signature = whole.partition(b'"sig":"')
    altered.write_bytes(begun + mark + b"0000" + signature[4:])
    mixed.write_bytes(whole + b"\n{}\n")
    words = ("records", "import", file_of(tmp_path, declared), "--kind", "503", "--source", "SUBJECT")
    told = "of 2 documents are no declarations that verify"

    assert f"{altered}: 1 of 1" in bank.run(*words, "--declarations", str(altered), code=1).stderr
    assert f"{mixed}: 1 {told}" in bank.run(*words, "--declarations", str(mixed), code=2).stderr
    assert f"note: {tmp_path / 'signed'}: 1 {told}" in bank.run(*words, *shown(tmp_path), code=1).stderr


def test_an_attestation_that_cannot_be_written_is_not_given(
    declared: dict[str, str], authority: Terminal, tmp_path: Path
) -> None:
    words = ("records", "attest", file_of(tmp_path, declared), "--kind", "503", *shown(tmp_path), "--output")
    keys, word = ("--keys", str(tmp_path / "keys.csv")), tmp_path / "word"
    before = authority.ask("journal", "verify")

    assert "No space left" in authority.run(*words, "/dev/full", *keys, code=4).stderr
    (tmp_path / "word.part").write_text("left", "utf-8")
    assert "word.part: File exists" in authority.run(*words, str(word), *keys, code=4).stderr
    assert (word.exists(), (tmp_path / "word.part").read_text("utf-8")) == (False, "left")
    assert authority.ask("journal", "verify") == before
    authority.run(*words, "/dev/null", *keys)
    assert authority.ask("journal", "verify") != before


def test_nobody_attests_a_key_that_its_subject_did_not_show(
    declared: dict[str, str], authority: Terminal, tmp_path: Path
) -> None:
    file, word = file_of(tmp_path, declared), tmp_path / "word"
    words = ("records", "attest", file, "--kind", "503", "--output", str(word), *shown(tmp_path))
    another = key_of("another firm", Purpose.SUBJECT).public.raw.hex()
    keys = tmp_path / "other_keys.csv"

    keys.write_text(f"subject,key\n{FIRM},{another}\n", "utf-8")
    for known in ((), ("--keys", str(keys))):
        said = authority.run(*words, *known, code=1).stderr
        assert "would not be taken in: row 2: attestation: expected signed by the key" in said
    keys.write_text(f"subject,key\n{FIRM},{'00' * 32}\n", "utf-8")
    assert "other_keys.csv line 2: key" in authority.run(*words, "--keys", str(keys), code=2).stderr
    assert not word.exists()


def test_an_attestation_does_not_cover_what_was_changed_after_it(
    declared: dict[str, str], authority: Terminal, bank: Terminal, tmp_path: Path
) -> None:
    word, keys = tmp_path / "word.json", ("--keys", str(tmp_path / "keys.csv"))
    authority.run(
        "records", "attest", file_of(tmp_path, declared), "--kind", "503", "--output", str(word), *keys,
        *shown(tmp_path),
    )  # fmt: skip
    changed = file_of(tmp_path, {**declared, "statement": "本企业从未受到处罚"})
    words = (
        "records",
        "import",
        changed,
        "--kind",
        "503",
        "--source",
        "SUBJECT",
        "--attestation",
        str(word),
        *shown(tmp_path),
    )
    rejects = tmp_path / "rejects.csv"

    assert bank.ask(*words, "--rejects", str(rejects), code=1)["rejected"] == 1
    assert "ATTESTATION_MISSING,statement,what its subject signed,something else" in rejects.read_text("utf-8")
    whole = word.read_bytes()
    for of, to, code in ((b'"sig":"', b'"sig":"0000', 1), (b'"payload":"e', b'"payload":"f', 2)):
        word.write_bytes(whole.replace(of + whole.partition(of)[2][: len(to) - len(of)], to))
        assert "word.json: " in bank.run(*words, code=code).stderr


def test_who_is_not_admitted_attests_nothing(
    declared: dict[str, str], nodes: Callable[[str], Terminal], tmp_path: Path
) -> None:
    words = ("records", "attest", file_of(tmp_path, declared), "--kind", "503", "--output", str(tmp_path / "w.json"))

    assert "admitted" in nodes("bank").run(*words, code=1).stderr
    assert not (tmp_path / "w.json").exists()


def test_a_line_of_a_statement_cannot_pass_for_a_field(
    firm: Terminal, declared: dict[str, str], tmp_path: Path
) -> None:
    said = "一切属实。\nsha256  " + "00" * 32
    signed(firm, tmp_path, FIRM, "2026-8", "--statement", said)
    lines = firm.run("declaration", "show", str(tmp_path / "signed" / "2026-8.json")).stdout.splitlines()

    assert declared
    assert [line for line in lines if line.startswith("sha256")] != [f"sha256  {'00' * 32}"]
    assert sum(line.startswith("sha256") for line in lines) == 1
