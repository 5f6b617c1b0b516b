"""What a person can do wrong at the command line: one clear sentence, an exit code, and never a traceback."""

import shutil
import socket
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from deploy.demo.network import free_port, until
from tests.scenarios.cast import RECIPIENT, WHO, Actor, World, query

REFUSED, USAGE, NOT_NOW, LOCAL = 1, 2, 3, 4


def one_sentence(actor: Actor, code: int, *words: str) -> str:
    """What a failed command says, after checking that it is one line on standard error and ends with `code`."""
    done = actor.run(*words, expect=(code,))
    assert "Traceback" not in done.stdout + done.stderr
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("creditport: ")
    return line.removeprefix("creditport: ")


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Actor:
    """A bank's node that nobody serves, to be copied and damaged."""
    folder = tmp_path_factory.mktemp("lone") / RECIPIENT
    actor = Actor(RECIPIENT, folder, free_port(), passphrase="a lone passphrase")
    actor.found(WHO[RECIPIENT])
    return actor


@pytest.fixture
def lone(template: Actor, tmp_path: Path) -> Actor:
    """A copy of the node, for one test alone."""
    shutil.copytree(template.folder, tmp_path / "node")
    return Actor(template.party, tmp_path / "node", template.port, passphrase=template.passphrase)


def test_a_folder_without_a_node(tmp_path: Path) -> None:
    nobody = Actor("nobody", tmp_path / "nothing", 1, passphrase="none")

    assert "there is no node in" in one_sentence(nobody, LOCAL, "status")


def test_a_wrong_passphrase(lone: Actor) -> None:
    lone.passphrase = "another passphrase"

    assert one_sentence(lone, LOCAL, "keys", "list") == "wrong passphrase for the node's keystore"


@pytest.mark.parametrize(
    "damage",
    [
        lambda raw: raw[: len(raw) // 2],
        lambda raw: raw[:0],
        lambda raw: raw.replace(b'"', b"'", 1),
        lambda raw: raw[:-9] + bytes([raw[-9] ^ 1]) + raw[-8:],
    ],
    ids=["cut short", "empty", "no JSON", "one bit"],
)
def test_a_damaged_keystore(lone: Actor, damage: Callable[[bytes], bytes]) -> None:
    keystore = lone.folder / "keystore.json"
    keystore.write_bytes(damage(keystore.read_bytes()))

    assert one_sentence(lone, LOCAL, "serve").startswith("the node's keystore is damaged: restore")


def test_a_missing_keystore(lone: Actor) -> None:
    (lone.folder / "keystore.json").unlink()

    assert "is missing" in one_sentence(lone, LOCAL, "serve")


@pytest.mark.parametrize(("version", "told"), [("0000", "creditport migrate"), ("9999", "newer version")])
def test_a_database_of_another_version(lone: Actor, version: str, told: str) -> None:
    with closing(sqlite3.connect(lone.folder / "node.sqlite")) as database:
        database.execute("UPDATE alembic_version SET version_num = ?", (version,))
        database.commit()

    assert told in one_sentence(lone, LOCAL, "serve")


def test_a_database_that_is_none(lone: Actor) -> None:
    for file in lone.folder.glob("node.sqlite*"):
        file.unlink()
    (lone.folder / "node.sqlite").write_bytes(b"not a database, but long enough to look like one" * 99)

    assert one_sentence(lone, LOCAL, "status")


def test_a_missing_database(lone: Actor) -> None:
    for file in lone.folder.glob("node.sqlite*"):
        file.unlink()

    assert "no Creditport database" in one_sentence(lone, LOCAL, "status")


@pytest.mark.parametrize(
    "text", ["listen = ", "[network]\nlisten = 7\n", "", "\udcff"], ids=["no TOML", "no endpoint", "empty", "no UTF-8"]
)
def test_a_damaged_configuration(lone: Actor, text: str) -> None:
    (lone.folder / "node.toml").write_bytes(text.encode("utf-8", "surrogateescape"))

    assert "node.toml" in one_sentence(lone, LOCAL, "status")


def import_at(lone: Actor) -> tuple[str, ...]:
    file = lone.folder / "rows.csv"
    file.write_text("uscc,name_zh\n", encoding="utf-8")
    return ("records", "import", str(file), "--kind", "101", "--source", "SZ-CREDIT")


def test_an_unknown_operator(lone: Actor) -> None:
    lone.operator = "mallory"

    assert "there is no operator mallory" in one_sentence(lone, LOCAL, *import_at(lone))


def test_an_operators_wrong_passphrase(lone: Actor) -> None:
    lone.operator = "alice"
    lone.run("operator", "add", "alice", "--role", "queries")
    file = lone.folder / "operators" / "alice.json"
    file.write_bytes((lone.folder / "keystore.json").read_bytes())
    (lone.folder / "operators" / "demo.json").rename(file)

    said = one_sentence(lone, REFUSED, *import_at(lone))

    assert "alice" in said


def test_an_operator_without_the_role(lone: Actor) -> None:
    lone.run("operator", "add", "clerk", "--role", "queries")
    lone.operator = "clerk"

    said = one_sentence(lone, REFUSED, *import_at(lone))

    assert "clerk" in said
    assert "records" in said


def test_an_operator_twice_and_one_with_a_bad_name(lone: Actor) -> None:
    assert "already an operator demo" in one_sentence(lone, REFUSED, "operator", "add", "demo", "--role", "queries")
    assert "a-z" in one_sentence(lone, USAGE, "operator", "add", "../demo", "--role", "queries")


def test_a_second_founding_in_the_same_folder(lone: Actor) -> None:
    who = ("--party", "another", "--class", "FIN_INST", "--jurisdiction", "HK", "--name-zh", "某", "--name-en", "X")

    assert "is not empty" in one_sentence(lone, LOCAL, "init", *who, "--listen", "127.0.0.1:1")


def test_a_file_that_is_no_card(lone: Actor) -> None:
    words = ("--fingerprint", lone.fingerprint())

    assert "card" in one_sentence(lone, USAGE, "party", "pin", str(lone.folder / "node.toml"), *words)
    assert "card" in one_sentence(lone, USAGE, "party", "admit", str(lone.folder / "node.toml"), *words)
    assert "cannot be read" in one_sentence(lone, LOCAL, "party", "admit", str(lone.folder / "nothing"), *words)


def test_a_wrong_fingerprint(world: World) -> None:
    card, of_another = str(world.rival.card), world.bank.fingerprint()

    assert "fingerprint" in one_sentence(
        world.hk_authority, REFUSED, "party", "admit", card, "--fingerprint", of_another
    )
    assert one_sentence(world.hk_authority, USAGE, "party", "admit", card, "--fingerprint", "12-34")


def test_an_institution_that_would_admit_another(world: World) -> None:
    card, fingerprint = str(world.rival.card), world.rival.fingerprint()

    assert one_sentence(world.bank, REFUSED, "party", "admit", card, "--fingerprint", fingerprint)


def test_a_folder_in_use(world: World) -> None:
    assert "is in use" in one_sentence(world.bank, LOCAL, "serve")
    assert "stop serving" in one_sentence(world.bank, LOCAL, "migrate")


def test_a_port_that_is_taken(lone: Actor) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        lone.configure("listen", f'"127.0.0.1:{holder.getsockname()[1]}"')

        assert "cannot listen on" in one_sentence(lone, NOT_NOW, "serve")


def test_an_agreement_that_is_not_here(world: World) -> None:
    code = world.home.codes[0]

    assert "there is no agreement" in one_sentence(world.bank, REFUSED, *query("abcdef", code))
    assert "digits" in one_sentence(world.bank, USAGE, *query("zz", code))
    for digest in ("zz" * 32, "ab" * 31):
        words = (*query(digest, code), "--provider", "sz-credit")
        assert "64 hexadecimal digits" in one_sentence(world.bank, USAGE, *words)


def test_a_subject_that_is_none(world: World, agreement: str) -> None:
    for code in ("91440300MA5TERT15X", "hello", "NO-SUCH:1", "CN-USCC:1"):
        assert code not in one_sentence(world.bank, USAGE, *query(agreement, code))


def test_a_draft_that_is_none(world: World) -> None:
    draft = world.folder / "bad-draft.toml"
    for text in ("title = ", "title = 'only a title'\n", world.example.replace(RECIPIENT, "nobody")):
        draft.write_text(text, encoding="utf-8")

        assert one_sentence(world.agency, REFUSED if "nobody" in text else USAGE, "agreement", "draft", str(draft))


def test_a_provider_that_is_switched_off_is_named_with_the_reason_and_asked_until_it_is_back(
    world: World, agreement: str
) -> None:
    """Not reached in time: exit code 3, nothing on standard output. Back before it is given up: the answer is read."""
    subject, agency = world.home.codes[2], world.agency.party
    words = [word for word in query(agreement, subject) if word not in {"--wait", "60"}]
    world.agency.stop()

    asked = world.bank.run(*words, "--wait", "1.2", "--json", expect=(NOT_NOW,))
    ((number,),) = world.bank.rows("SELECT number FROM jobs WHERE state = 'waiting' AND kind = 'query'")
    why = ("jobs", "show", str(number))
    until("a try failed", lambda: world.bank.ask(*why, expect=(NOT_NOW,))["reason"] == "NOT_REACHED")
    world.agency.serve()
    answer = world.bank.ask(*why, "--wait", "300")

    *going, ended = asked.stderr.splitlines()
    assert asked.stdout == ""
    assert going[0].startswith(f"creditport: job {number}: ")
    assert all(agency in line for line in going)
    assert ended.startswith(f"creditport: no answer from {agency} after 1.2 s")
    assert f"`creditport jobs show {number}` reads its result" in ended
    assert {one["subject"] for one in answer["renditions"]} == {f"CN-USCC:{subject}"}


def test_a_node_that_is_not_served_keeps_what_it_is_told(world: World, agreement: str) -> None:
    world.bank.stop()

    said = one_sentence(world.bank, NOT_NOW, *query(agreement, world.home.codes[3]))
    world.bank.serve()

    assert "the job is queued" in said
    until("the question was asked", lambda: not world.bank.rows("SELECT 1 FROM jobs WHERE state = 'waiting'"))


def test_help_has_an_example_and_no_traceback(lone: Actor) -> None:
    groups = ["party", "operator", "agreement", "records", "consent", "journal", "keys"]

    for group in groups:
        assert "Usage" in lone.run(group, "--help").stdout
    for command in ("init", "serve", "status", "migrate", "query"):
        assert "Example:" in lone.run(command, "--help").stdout


def test_an_unknown_command_is_wrong_usage(lone: Actor) -> None:
    done: subprocess.CompletedProcess[str] = lone.run("frobnicate", expect=(USAGE,))

    assert "No such command" in done.stderr
