"""Every command helps with an example, answers in JSON, says what to do next, and ends with the right code."""

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import typer.main
from typer.testing import CliRunner

from node.cli.main import COMMANDS, GROUPS, program
from tests.unit.node.cli.conftest import AUTHORITY_WORDS, BANK_WORDS, Terminal, at

USCC = "91440300MA5TERT15Q"
EARLY = "91350211M0000XUF46"
"""A code that was issued with a check character that does not fit."""
ODD_INSIDE = "91440300MA5TERT14M"
"""Its organisation code does not fit its own check; its last character fits."""


def commands(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every command that does something, by the words that a person types."""
    inner: dict[str, Any] | None = getattr(command, "commands", None)
    if inner is None:
        yield path
        return
    for name, one in inner.items():
        yield from commands(one, (*path, name))


WHOLE = program()
EVERY = sorted(commands(typer.main.get_command(WHOLE)))


def test_the_program_has_the_commands_that_its_handbook_names() -> None:
    assert {" ".join(path) for path in EVERY} >= {
        "init", "serve", "status", "migrate", "party card", "party admit", "party revoke", "party list", "party pin",
        "operator add", "operator list", "agreement draft", "agreement propose", "agreement sign", "agreement file",
        "agreement list", "agreement show", "agreement terminate", "records import", "records list", "records show",
        "consent attest", "consent list", "query", "journal show", "journal verify", "keys list", "push", "holders",
        "records correct", "records delete", "records withhold", "records release", "notices list", "notices show",
        "notices retry", "clocks",
    }  # fmt: skip


@pytest.mark.parametrize("path", EVERY, ids=" ".join)
def test_help_says_what_a_command_does_and_shows_an_example(path: tuple[str, ...]) -> None:
    result = CliRunner().invoke(WHOLE, [*path, "--help"], env={"COLUMNS": "300"})

    assert result.exit_code == 0
    assert (
        f"Example: creditport {path[0]}" in " ".join(result.stdout.split())
        or "Example: creditport --help" in result.stdout
    )


@pytest.mark.parametrize("path", EVERY, ids=" ".join)
def test_help_fits_a_window_of_eighty_columns(path: tuple[str, ...]) -> None:
    """An option whose name is cut off cannot be typed."""
    result = CliRunner().invoke(WHOLE, [*path, "--help"], env={"COLUMNS": "80"})

    assert "…" not in result.stdout


@pytest.mark.parametrize("name", [*COMMANDS, *GROUPS])
def test_a_command_alone_is_the_same_as_in_the_whole_program(name: str) -> None:
    """Starting only what one command needs is for speed, and must not change what it is."""
    alone, whole = (
        CliRunner().invoke(app, [name, "--help"], env={"COLUMNS": "200"}).stdout for app in (program(name), WHOLE)
    )

    assert alone == whole


EMPTY = {
    "agreement list": "creditport agreement example",
    "records list": "creditport records import",
    "consent list": "creditport consent attest",
    "journal show": "no published entries",
    "notices list": "no notices",
    "notices list --received": "no notices",
}


@pytest.mark.parametrize(("line", "words"), EMPTY.items(), ids=EMPTY)
def test_a_listing_with_nothing_in_it_says_what_to_do_next(bank: Terminal, line: str, words: str) -> None:
    assert words in bank.run(*line.split()).stdout
    assert bank.ask(*line.split()) == []


def test_roles_are_listed_with_what_each_may_order(bank: Terminal) -> None:
    told = bank.run("operator", "roles").stdout

    assert "approve what somebody else ordered" in told
    assert "证明信用主体的同意" in told


def test_a_page_behind_the_last_record_does_not_say_that_there_are_none(bank: Terminal, tmp_path: Path) -> None:
    file = tmp_path / "enterprises.csv"
    bank.run("records", "sample", str(file), "--kind", "101", "--count", "2")
    assert "already a file" in bank.run("records", "sample", str(file), "--kind", "101", code=1).stderr
    bank.run("records", "import", str(file), "--kind", "101", "--source", "SZ-CREDIT")

    assert "none after that number" in bank.run("records", "list", "--after", "2").stdout
    assert "of that kind" in bank.run("records", "list", "--kind", "201").stdout


def test_a_node_without_operators_or_authorities_says_what_to_do_next(tmp_path: Path) -> None:
    bare = at(tmp_path / "bare")
    bare.run("init", *BANK_WORDS)

    assert "creditport operator add" in bare.run("operator", "list").stdout
    assert "creditport party pin" in bare.run("party", "list").stdout


def test_the_status_of_a_node_that_is_not_served(bank: Terminal) -> None:
    status = bank.ask("status")

    assert (status["party"], status["serving"], status["agreements"], status["records"]) == ("hk-bank", False, 0, {})
    assert "hk-authority" in json.dumps(status)
    assert "hk-bank" in bank.run("status").stdout


def test_a_card_is_shown_and_handed_over(bank: Terminal, tmp_path: Path) -> None:
    shown = bank.ask("party", "card", "--output", str(tmp_path / "bank.card.json"))

    assert (shown["party"], shown["serial"], shown["file"]) == ("hk-bank", 1, str(tmp_path / "bank.card.json"))
    assert (tmp_path / "bank.card.json").read_bytes() == (bank.node / "card.json").read_bytes()


def test_an_authority_admits_lists_and_revokes(authority: Terminal, bank: Terminal) -> None:
    fingerprint = bank.ask("party", "card")["fingerprint"]
    admit = ("party", "admit", str(bank.node / "card.json"), "--fingerprint", fingerprint)

    assert authority.ask(*admit)["standing"] == "ADMITTED"
    assert "listed with card serial 1" in authority.run(*admit, code=1).stderr
    assert _standings(authority) == {"hk-authority": "ADMITTED", "hk-bank": "ADMITTED"}
    assert authority.ask("party", "revoke", "hk-bank", "--reason", "KEY_COMPROMISED")["standing"] == "REVOKED"
    assert (
        "already revoked" in authority.run("party", "revoke", "hk-bank", "--reason", "KEY_COMPROMISED", code=1).stderr
    )
    assert _standings(authority)["hk-bank"] == "REVOKED"


def _standings(terminal: Terminal) -> dict[str, str]:
    return {row["party"]: row["standing"] for row in terminal.ask("party", "list")}


def test_a_card_is_renewed_for_an_address_that_there_can_be(bank: Terminal) -> None:
    for words in (("--listen", "nonsense"), ("--endpoint", "nonsense"), ("--endpoint", "node.example:99999")):
        bank.run("party", "renew", *words, code=2)
        assert bank.ask("party", "card")["serial"] == 1
    assert bank.ask("party", "renew", "--listen", "127.0.0.1:7009")["serial"] == 2
    bank.run("status")


def test_an_authority_s_card_stays_as_it_is(authority: Terminal) -> None:
    assert "stays as it is" in authority.run("party", "renew", code=1).stderr


def test_keys_and_operators_are_listed_without_their_secrets(bank: Terminal) -> None:
    keys, operators = bank.ask("keys", "list"), bank.ask("operator", "list")

    assert {row["purpose"] for row in keys} >= {"document", "frame", "journal", "seal", "tls", "pseudonym"}
    assert [(row["operator"], row["retired_at"]) for row in operators] == [("alice", None)]
    assert not any("secret" in name for row in keys for name in row)
    assert "alice" in bank.run("operator", "list").stdout
    assert "document" in bank.run("keys", "list").stdout


def test_invented_records_are_written_imported_listed_and_shown(bank: Terminal, tmp_path: Path) -> None:
    file, penalties = tmp_path / "enterprises.csv", tmp_path / "penalties.csv"
    bank.run("records", "sample", str(file), "--kind", "101", "--count", "5")
    bank.run("records", "sample", str(penalties), "--kind", "201", "--count", "3", "--of", str(file))
    assert bank.ask("records", "import", str(file), "--kind", "101", "--source", "SZ-CREDIT")["new"] == 5
    assert bank.ask("records", "import", str(file), "--kind", "101", "--source", "SZ-CREDIT")["unchanged"] == 5
    assert bank.ask("records", "import", str(penalties), "--kind", "201", "--source", "SZ-CREDIT")["new"] == 3

    listed = bank.ask("records", "list", "--kind", "101", "--limit", "3")
    shown = bank.ask("records", "show", str(listed[0]["record"]))

    assert [row["kind"] for row in listed] == ["101"] * 3
    assert shown["content"]["name_zh"]
    assert shown["shown_in_frames"] == []
    assert "3 of 5" in bank.run("records", "list", "--kind", "101", "--limit", "3").stdout
    assert bank.ask("status")["records"] == {"101": 5, "201": 3}


def test_every_row_that_is_not_loaded_is_named_and_the_code_says_so(bank: Terminal, tmp_path: Path) -> None:
    file, rejects = tmp_path / "bad.csv", tmp_path / "rejects.csv"
    bank.run("records", "sample", str(file), "--kind", "101", "--count", "2")
    lines = file.read_text(encoding="utf-8").splitlines()
    file.write_text("\n".join([*lines, lines[1].replace(",", ",,", 1), lines[1][5:]]) + "\n", encoding="utf-8")

    told = bank.ask(
        "records", "import", str(file), "--kind", "101", "--source", "SZ-CREDIT", "--rejects", str(rejects), code=1
    )

    assert (told["rows"], told["new"], told["rejected"]) == (4, 2, 2)
    assert [row["row"] for row in told["rejects"]] == [4, 5]
    assert len(rejects.read_text(encoding="utf-8").splitlines()) == 3
    assert "row 4:" in bank.run("records", "import", str(file), "--kind", "101", "--source", "SZ-CREDIT", code=1).stdout


def test_a_file_of_something_else_is_not_read_to_its_end(bank: Terminal, tmp_path: Path) -> None:
    file = tmp_path / "other.csv"
    file.write_text("animal,legs\ncat,4\n", encoding="utf-8")

    told = bank.run("records", "import", str(file), "--kind", "101", "--source", "SZ-CREDIT", code=2)

    assert "none of the columns of kind 101" in told.stderr
    assert bank.ask("status")["records"] == {}


def test_the_journal_of_an_idle_node_verifies_and_a_damaged_one_does_not(bank: Terminal) -> None:
    assert bank.ask("journal", "verify")["problems"] == []
    with closing(sqlite3.connect(bank.node / "node.sqlite")) as connection:
        connection.execute("INSERT INTO journal_head VALUES (1, 1, zeroblob(32), x'00', 0)")
        connection.commit()

    assert bank.ask("journal", "verify", code=1)["problems"] != []


def test_the_database_of_a_new_node_needs_no_migration(bank: Terminal) -> None:
    bank.run("migrate")
    assert bank.ask("status")["party"] == "hk-bank"


def test_an_example_draft_can_be_drafted_only_with_a_listed_party(bank: Terminal, tmp_path: Path) -> None:
    draft = tmp_path / "agreement.toml"
    draft.write_text(bank.run("agreement", "example", "--recipient", "sz-agency").stdout, encoding="utf-8")

    assert "sz-agency is not a listed party" in bank.run("agreement", "draft", str(draft), code=1).stderr
    draft.write_text(draft.read_text(encoding="utf-8") + "]", encoding="utf-8")
    assert "not valid TOML" in bank.run("agreement", "draft", str(draft), code=2).stderr


@pytest.mark.parametrize(
    ("words", "note"),
    [
        (("--uscc-check-attested", "--subject", EARLY), "note: subject 1: the check character of the unified code"),
        (("--subject", USCC, "--subject", ODD_INSIDE), "note: subject 2: the organisation code inside"),
        (("--uscc-check-attested", "--subject", USCC), ""),
    ],
)
def test_whoever_asks_about_an_odd_code_is_told_and_the_query_goes_on(
    bank: Terminal, words: tuple[str, ...], note: str
) -> None:
    told = bank.run(*QUERY, "ab" * 32, "--provider", "hk-authority", *words, code=3).stderr

    assert note in told
    assert told.count("note: ") == bool(note)
    assert "the job is queued" in told


QUERY = ("query", "--purpose", "CROSS_BORDER_FINANCING", "--agreement")
WRONG: dict[str, tuple[int, str, Callable[[Terminal], tuple[str, ...]]]] = {
    "a short agreement name": (2, "six or more digits", lambda _: (*QUERY, "12", "--subject", USCC)),
    "an unknown agreement": (1, "no agreement abcdef", lambda _: (*QUERY, "abcdef", "--subject", USCC)),
    "no subject": (2, "name the subjects", lambda _: (*QUERY, "abcdef")),
    "a code of another shape": (
        2, "got 4 characters of another shape  第 1 个主体：统一社会信用代码应为 18 位",
        lambda _: (*QUERY, "abcdef", "--subject", "CN-USCC:9144"),
    ),
    "a document in another encoding than the terminal's": (
        2, "not UTF-8 text",
        lambda _: ("records", "delete", "1", "--basis", "REVOKED", "--second", "bob", "--document", "\udcc9\udcee"),
    ),
    "a purpose in another encoding": (
        2, "not UTF-8 text", lambda _: ("query", "--agreement", "abcdef", "--purpose", "\udcc9", "--subject", USCC),
    ),
    "a new value in another encoding": (
        2, "not UTF-8 text",
        lambda _: ("records", "correct", "1", "--basis", "OWN_ERROR", "--set", "name_zh=\udcc9"),
    ),
    "a draft that offers what never crosses": (
        2, "no agreement offers kind 403",
        lambda _: ("agreement", "example", "--recipient", "sz-agency", "--kind", "101", "--kind", "403"),
    ),
    "a file of no subjects": (
        2, "lines.txt names no subject", lambda bank: (*QUERY, "abcdef", "--subject-file", _empty(bank)),
    ),
    "a subject that is no code": (2, "subject 1:", lambda _: (*QUERY, "abcdef", "--subject", "CN-USCC:12")),
    "a code of no known scheme": (2, "no known scheme", lambda _: (*QUERY, "abcdef", "--subject", "??")),
    "a code whose check character does not fit": (
        2, "expected the check character of GB 32100",
        lambda _: (*QUERY, "ab" * 32, "--provider", "hk-authority", "--subject", EARLY),
    ),
    "a LEI whose check digits do not fit": (
        2, "expected check digits", lambda _: (*QUERY, "abcdef", "--subject", "9845TESTNODESHZHK006"),
    ),
    "a code of two schemes": (
        2, "a code of HK-BRN or MO-TIN? write SCHEME:CODE", lambda _: (*QUERY, "abcdef", "--subject", "80000001"),
    ),
    "a natural person": (
        1, "NATURAL_PERSON_SUBJECT (S 14)",
        lambda _: (*QUERY, "ab" * 32, "--provider", "hk-authority", "--subject", "92440300MA5TERT31B"),
    ),
    "a natural person in Macau, attested": (
        1, "NATURAL_PERSON_SUBJECT (S 14)",
        lambda _: (
            *QUERY, "ab" * 32, "--provider", "hk-authority", "--uscc-check-attested", "--subject", "MO-TIN:00000001",
        ),
    ),
    "a provider without the whole digest": (
        2, "whole digest", lambda _: (*QUERY, "abcdef", "--provider", "hk-authority", "--subject", USCC),
    ),
    "a provider that nobody listed": (
        1, "sz-agency is not a listed party",
        lambda _: (*QUERY, "ab" * 32, "--provider", "sz-agency", "--subject", USCC),
    ),
    "a job that there is not": (1, "there is no job 99", lambda _: ("jobs", "show", "99")),
    "a query while nothing serves": (
        3, "not being served", lambda _: (*QUERY, "ab" * 32, "--provider", "hk-authority", "--subject", USCC),
    ),
    "a proof while nothing serves": (3, "not being served", lambda _: ("journal", "verify", "--peer", "sz-agency")),
    "an unknown agreement to show": (1, "no agreement", lambda _: ("agreement", "show", "abcdef")),
    "an unknown record": (1, "there is no record 99", lambda _: ("records", "show", "99")),
    "an unknown operator": (
        4, "no operator bob", lambda bank: (*imported(bank), "--as", "bob"),
    ),
    "an operator twice": (1, "already an operator", lambda _: ("operator", "add", "alice", "--role", "queries")),
    "an operator of no name": (2, "a-z, 0-9", lambda _: ("operator", "add", "Al ice", "--role", "queries")),
    "penalties of nobody": (
        2, "--of", lambda bank: ("records", "sample", str(bank.node / "p.csv"), "--kind", "201"),
    ),
    "a file that is no card": (
        2, "node.toml is no party card",
        lambda bank: ("party", "pin", str(bank.node / "node.toml"), "--fingerprint", "ab" * 32),
    ),
    "a card that is missing": (
        4, "cannot be read", lambda bank: ("party", "pin", str(bank.node / "no.json"), "--fingerprint", "ab" * 32),
    ),
    "a folder that is taken": (4, "not empty", lambda _: ("init", *AUTHORITY_WORDS)),
    "an authority without a fingerprint": (
        2, "CARD-FILE@FINGERPRINT",
        lambda bank: ("init", *BANK_WORDS, "--node", str(bank.node / "x"), "--authority", "card.json"),
    ),
    "subjects that are no text": (
        2, "is not UTF-8 text", lambda bank: (*QUERY, "abcdef", "--subject-file", _no_text(bank)),
    ),
    "a mapping that is missing": (
        4, "cannot be read",
        lambda bank: (*imported(bank), "--mapping", str(bank.node / "no.toml")),
    ),
    "a mapping that is no text": (
        2, "is not UTF-8 text",
        lambda bank: (*imported(bank), "--mapping", _no_text(bank)),
    ),
    "rejects into a folder": (
        4, "Is a directory",
        lambda bank: (*imported(bank), "--rejects", str(bank.node)),
    ),
    "a sample into no folder": (
        4, "No such file", lambda bank: ("records", "sample", str(bank.node / "no" / "x.csv"), "--kind", "101"),
    ),
    "penalties of what is no sample": (
        2, "none of the columns of kind 101",
        lambda bank: ("records", "sample", str(bank.node / "p.csv"), "--kind", "201", "--of", __file__),
    ),
    "a draft that is no text": (2, "is not UTF-8 text", lambda bank: ("agreement", "draft", _no_text(bank))),
    "a draft for a party of no name": (
        2, "--recipient expects", lambda _: ("agreement", "example", "--recipient", 'hk"bank'),
    ),
    "a party of no name": (
        2, "--party expects", lambda bank: ("init", *BANK_WORDS, "--node", str(bank.node / "x"), "--party", "X Y"),
    ),
    "a party without a name": (
        2, "--name-zh expects", lambda bank: ("init", *BANK_WORDS, "--node", str(bank.node / "x"), "--name-zh", ""),
    ),
    "an address of no port": (
        2, "--listen expects HOST:PORT",
        lambda bank: ("init", *BANK_WORDS, "--node", str(bank.node / "x"), "--listen", "nonsense"),
    ),
    "an address of no port beside one that peers use": (
        2, "--listen expects HOST:PORT",
        lambda bank: ("init", *BANK_WORDS, "--node", str(bank.node / "x"), "--listen", "no", "--endpoint", "node.x:1"),
    ),
    "an endpoint of no port": (
        2, "--endpoint expects HOST:PORT",
        lambda bank: ("init", *BANK_WORDS, "--node", str(bank.node / "x"), "--endpoint", "node.example"),
    ),
    "an endpoint of a port that there is not": (
        2, "endpoint: expected lower-case host:port",
        lambda bank: ("init", *BANK_WORDS, "--node", str(bank.node / "x"), "--endpoint", "node.example:99999"),
    ),
    "a text for a declaration": (
        2, "9 of 9 documents: MALFORMED", lambda bank: ("declaration", "show", _nine_lines(bank)),
    ),
    "a file for a folder": (
        4, "is not a folder", lambda bank: ("init", *BANK_WORDS, "--node", str(bank.node / "node.toml")),
    ),
    "an authority whose card is missing": (
        4, "cannot be read",
        lambda bank: ("init", *BANK_WORDS, "--node", str(bank.node / "x"), "--authority", f"no.json@{'ab' * 32}"),
    ),
    "no node": (4, "there is no node", lambda bank: ("status", "--node", str(bank.node / "nowhere"))),
}  # fmt: skip


def imported(bank: Terminal) -> tuple[str, ...]:
    file = bank.node / "rows.csv"
    file.write_text("uscc,name_zh\n", encoding="utf-8")
    return ("records", "import", str(file), "--kind", "101", "--source", "SZ-CREDIT")


def _empty(bank: Terminal) -> str:
    file = bank.node / "lines.txt"
    file.write_text("\n \n")
    return str(file)


def _nine_lines(bank: Terminal) -> str:
    file = bank.node / "lines"
    file.write_text("no declaration\n" * 9)
    return str(file)


def _no_text(bank: Terminal) -> str:
    file = bank.node / "bytes"
    file.write_bytes(b"\xff\xfe\x81")
    return str(file)


@pytest.mark.parametrize(
    "line", ["records show", "records list --after", "consent list --after", "journal show --start"]
)
def test_a_number_larger_than_any_is_wrong_usage(bank: Terminal, line: str) -> None:
    bank.run(*line.split(), str(2**63), code=2)


@pytest.mark.parametrize(("code", "words", "line"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_said_in_one_sentence_with_its_exit_code(
    bank: Terminal, code: int, words: str, line: Callable[[Terminal], tuple[str, ...]]
) -> None:
    told = bank.run(*line(bank), code=code).stderr

    assert words in told
    assert told.startswith("creditport: ")
    assert told.count("\n") == 1


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("records delete 1 --basis REVOKED --second bob --received 20/11/2026", "YYYY-MM-DD"),
        ("records withhold 1 --basis SUIT_ACCEPTED --state NONE", "expected one of SUSPENDED"),
    ],
)
def test_an_option_that_cannot_be_read_says_what_it_expects(bank: Terminal, line: str, words: str) -> None:
    assert words in bank.run(*line.split(), code=2).stderr


def test_a_wrong_or_missing_passphrase_is_said_in_one_sentence(bank: Terminal) -> None:
    wrong = bank.run("keys", "list", code=4, CREDITPORT_PASSPHRASE="guessed")
    none = CliRunner().invoke(program(), ["keys", "list", "--node", str(bank.node)], env={"CREDITPORT_PASSPHRASE": ""})

    assert wrong.stderr == "creditport: wrong passphrase for the node's keystore\n"
    assert none.exit_code == 4
    assert "set CREDITPORT_PASSPHRASE" in none.stderr


def test_a_passphrase_may_stand_in_a_file(bank: Terminal, tmp_path: Path) -> None:
    file = tmp_path / "passphrase"
    file.write_text("of the house\n", encoding="utf-8")

    bank.run("keys", "list", CREDITPORT_PASSPHRASE="", CREDITPORT_PASSPHRASE_FILE=str(file))
    missing = bank.run(
        "keys", "list", code=4, CREDITPORT_PASSPHRASE="", CREDITPORT_PASSPHRASE_FILE=str(tmp_path / "no")
    )
    assert "cannot be read" in missing.stderr


def test_a_damaged_keystore_card_configuration_or_database_is_said_in_one_sentence(
    nodes: Callable[[str], Terminal],
) -> None:
    bank = nodes("bank")
    for file, words in (
        ("node.sqlite", "not a database"), ("keystore.json", "is damaged"), ("card.json", "is damaged"),
        ("node.toml", "is not valid"),
    ):  # fmt: skip
        whole = (bank.node / file).read_bytes()
        (bank.node / file).write_bytes(b"damaged" * 200)
        told = bank.run("keys", "list", code=4).stderr if file != "node.sqlite" else bank.run("status", code=4).stderr
        assert words in told, file
        (bank.node / file).write_bytes(whole)
    bank.run("keys", "list")
