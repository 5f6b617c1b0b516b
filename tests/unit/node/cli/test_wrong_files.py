"""A file that somebody names and that is not what the command reads: one sentence, the file's name, one code.

2 says that another file was meant, 4 that the machine does not give the file out. The inspector says 2 for both: what
it was given cannot be checked.
"""

import json
import re
import shutil
from collections.abc import Callable, Iterator
from datetime import timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import typer
import typer.main
from typer.testing import CliRunner

from node.app.opening import utc_now
from node.cli.inspector.main import program as inspector
from node.cli.main import program as operator
from node.domain.dates import shanghai_day
from registry.parties import read_card
from tests.unit.node.cli.conftest import BANK_WORDS, Terminal, at

USCC = "91440300MA5TERT15Q"
DIGEST = "ab" * 32
IMPORT = "records import table.csv --kind 101 --source SZ-CREDIT"
ATTEST = "records attest table.csv --kind 101 --output new.json"
ABOUT = "--agreement abcdef --purpose CROSS_BORDER_FINANCING"
UNTIL = shanghai_day(utc_now()) + timedelta(days=30)
SIGN = f"declaration sign --subject {USCC} --number 1 --topic FINANCE --until {UNTIL} --output new.json"

READ = {
    "init --authority": f"init --node new --authority FILE@{DIGEST}",
    "party pin FILE": f"party pin FILE --fingerprint {DIGEST}",
    "party admit FILE": f"party admit FILE --fingerprint {DIGEST}",
    "norms install FILE": "norms install FILE",
    "agreement draft FILE": "agreement draft FILE",
    "records import FILE": "records import FILE --kind 101 --source SZ-CREDIT",
    "records import --mapping": f"{IMPORT} --mapping FILE",
    "records import --declarations": f"{IMPORT} --declarations FILE",
    "records import --attestation": f"{IMPORT} --attestation FILE",
    "records map FILE": "records map FILE --kind 101",
    "records sample --of": "records sample new.csv --kind 201 --of FILE",
    "records sample --mapping": "records sample new.csv --kind 201 --of table.csv --mapping FILE",
    "records attest FILE": "records attest FILE --kind 101 --output new.json",
    "records attest --mapping": f"{ATTEST} --mapping FILE",
    "records attest --declarations": f"{ATTEST} --keys keys.csv --declarations FILE",
    "records attest --keys": f"{ATTEST} --keys FILE",
    "consent attest --evidence": f"consent attest {ABOUT} --subject {USCC} --kind 101 --evidence FILE",
    "consent attest --subject-file": f"consent attest {ABOUT} --kind 101 --evidence table.csv --subject-file FILE",
    "query --subject-file": f"query {ABOUT} --subject-file FILE",
    "push --record-file": "push --agreement abcdef --record-file FILE",
    "declaration sign --key": f"{SIGN} --statement Sound. --key FILE",
    "declaration sign --statement-file": f"{SIGN} --key key.json --statement-file FILE",
    "declaration show PATHS": "declaration show FILE",
    "inspect verify BUNDLES": "verify FILE --authority AUTHORITY",
    "inspect verify --authority": f"verify missing --authority FILE@{DIGEST}",
    "inspect fetch --authority": f"fetch sz-credit --as authority --authority FILE@{DIGEST}",
    "inspect agreements BUNDLE": "agreements FILE",
    "inspect disclosures BUNDLE": "disclosures FILE",
    "inspect notices BUNDLE": "notices FILE",
    "inspect holders BUNDLE": "holders FILE",
    "inspect journal BUNDLE": "journal FILE",
}
"""Every place that names a file to be read, in a line that is right but for FILE."""
KINDS = {
    "a party card": "card.json",
    "a norm pack": "pack.toml",
    "a draft of an agreement": "draft.toml",
    "a mapping": "mapping.toml",
    "records": "table.csv",
    "a declaration": "declaration.json",
    "a key of an enterprise": "key.json",
}
BROKEN = ("empty", "bytes", "deep.toml", "bigint.toml", "deep.json", "bigint.json")
"""Good for nothing; the last four are beyond what a parser of TOML or JSON can take."""
FITS = {
    "init --authority": {"card.json"},
    "party pin FILE": {"card.json"},
    "party admit FILE": {"card.json"},
    "norms install FILE": {"pack.toml"},
    "agreement draft FILE": {"draft.toml"},
    "records import FILE": {"table.csv"},
    "records import --mapping": {"mapping.toml"},
    "records import --declarations": {"declaration.json"},
    "records map FILE": {"table.csv"},
    "records sample --of": {"table.csv"},
    "records sample --mapping": {"mapping.toml"},
    "records attest FILE": {"table.csv"},
    "records attest --mapping": {"mapping.toml"},
    "records attest --declarations": {"declaration.json"},
    "consent attest --evidence": {*KINDS.values(), *BROKEN} - {"empty"},
    "declaration sign --key": {"key.json"},
    "declaration sign --statement-file": {*KINDS.values(), *BROKEN} - {"empty", "bytes"},
    "declaration show PATHS": {"declaration.json"},
    "inspect verify BUNDLES": {*KINDS.values(), *BROKEN},
    "inspect verify --authority": {"card.json"},
    "inspect fetch --authority": {"card.json"},
}
"""What of these a place does read. A form and a statement may be of any kind, and `verify` has a report of every
file."""
FOLDERS_TOO = {"records import --declarations", "records attest --declarations", "declaration show PATHS"}
WRITTEN = {
    "party card --output": "party card --output FILE",
    "records import --rejects": f"{IMPORT} --rejects FILE",
    "records map --output": "records map table.csv --kind 101 --output FILE",
    "records sample FILE": "records sample FILE --kind 101 --count 1",
    "records attest --output": "records attest table.csv --kind 101 --output FILE",
    "declaration key FILE": f"declaration key FILE --subject {USCC}",
    "declaration sign --output": f"{SIGN} --statement Sound. --key key.json --output FILE",
    "inspect fetch --output": "fetch sz-credit --as authority --output FILE",
}
"""Every place that names a file to be written."""
NODES = {"--node", "--as"}
"""Options with a node's own folder."""
IN_WORDS = {"--authority", "--mapping"}
"""Options whose text is or begins with the name of a file."""


def places(command: Any, path: str = "") -> Iterator[str]:
    """Every place of a command line that takes the name of a file, as the tables above call it."""
    for name, inner in getattr(command, "commands", {}).items():
        yield from places(inner, f"{path}{name} ")
    for one in getattr(command, "params", ()):
        word = max(one.opts, key=len) if one.opts[0].startswith("-") else (one.metavar or one.name.upper())
        if ("Path" in str(one.type_descriptor.annotation) or word in IN_WORDS) and word not in NODES:
            yield path + word


def test_every_place_that_takes_a_file_is_looked_at_here() -> None:
    known = {*places(typer.main.get_command(operator())), *places(typer.main.get_command(inspector()), "inspect ")}

    assert known == {*READ, *WRITTEN}


@pytest.fixture(scope="module")
def folder(founded_nodes: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two nodes, and a good file of every kind beside them, and some that are good for nothing."""
    made = Path(shutil.copytree(founded_nodes, tmp_path_factory.mktemp("files"), dirs_exist_ok=True))
    bank = terminal(made)
    shutil.copy(made / "authority" / "card.json", made / "card.json")
    (made / "pack.toml").write_bytes((files("registry") / "data" / "rules" / "HK.toml").read_bytes())
    (made / "draft.toml").write_text(bank.run("agreement", "example", "--recipient", "sz-agency").stdout, "utf-8")
    (made / "mapping.toml").write_text(bank.run("records", "mappings", "hongkong-companies").stdout, "utf-8")
    bank.run("records", "sample", str(made / "table.csv"), "--kind", "101", "--count", "2")
    bank.run("declaration", "key", str(made / "key.json"), "--subject", USCC)
    signed = SIGN.replace("new.json", str(made / "declaration.json")).split()
    bank.run(*signed, "--statement", "Sound.", "--key", str(made / "key.json"))
    (made / "keys.csv").write_text("subject,key\n", "utf-8")
    (made / "empty").touch()
    (made / "bytes").write_bytes(bytes(range(255, 0, -1)))
    (made / "deep.toml").write_text(f"a = {'[' * 5_000}\n", "utf-8")
    (made / "deep.json").write_text("[" * 5_000, "utf-8")
    (made / "bigint.json").write_text("9" * 5_000, "utf-8")
    (made / "bigint.toml").write_text(f"a = {'9' * 5_000}\n", "utf-8")
    (made / "folder").mkdir()
    return made


def terminal(folder: Path) -> Terminal:
    bank = at(folder / "bank")
    secret = {"CREDITPORT_SUBJECT_PASSPHRASE": "of the firm", "CREDITPORT_AUTHORITIES": ""}
    return Terminal(bank.node, bank.environment | secret)


Run = Callable[[str, str, str], tuple[int, str]]
"""Runs a line with a file put in; gives the exit code and what was said on standard error."""


def authority_in(folder: Path) -> str:
    return f"card.json@{read_card((folder / 'card.json').read_bytes()).digest.hex()}"


@pytest.fixture
def run(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a line with a file put in, in the folder where they lie; gives the code and what was said."""
    monkeypatch.chdir(folder)
    environment = terminal(folder).environment

    def run(place: str, line: str, file: str) -> tuple[int, str]:
        words = [word.replace("FILE", file).replace("AUTHORITY", authority_in(folder)) for word in line.split()]
        words += BANK_WORDS if words[0] == "init" else ()
        app = inspector() if place.startswith("inspect ") else operator(words[0])
        done = CliRunner().invoke(app, words, env=environment)
        assert done.exception is None or isinstance(done.exception, SystemExit), (place, file, done.exception)
        assert done.stdout == "", (place, file)
        return done.exit_code, done.stderr

    return run


def is_one_sentence_about(file: str, said: str) -> bool:
    return re.fullmatch(r"creditport(-inspect)?: [^\n]+\n", said) is not None and file in said


@pytest.mark.parametrize("place", READ)
def test_a_file_of_another_kind_is_wrong_usage(place: str, run: Run) -> None:
    for file in (*BROKEN, *KINDS.values()):
        if file not in FITS.get(place, ()):
            code, said = run(place, READ[place], file)
            assert (code, is_one_sentence_about(file, said)) == (2, True), (place, file, said)


def test_a_configuration_that_no_parser_takes_is_the_machine_s(folder: Path, tmp_path: Path) -> None:
    for file in ("deep.toml", "bigint.toml"):
        shutil.copy(folder / file, tmp_path / "node.toml")
        done = CliRunner().invoke(operator("status"), ["status", "--node", str(tmp_path)])
        assert (done.exit_code, is_one_sentence_about("node.toml is not valid TOML", done.stderr)) == (4, True)


def test_what_is_no_bundle_is_named_and_cannot_be_checked(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    words = ["verify", "empty", "bytes", "table.csv", "--authority", authority_in(folder)]

    done = CliRunner().invoke(inspector(), words)

    assert done.exit_code == 2
    assert [line for line in done.stdout.splitlines() if not line.startswith(" ")] == ["empty", "bytes", "table.csv"]
    assert done.stdout.count("cannot be checked") == 3
    told = json.loads(CliRunner().invoke(inspector(), [*words, "--json"]).stdout)
    assert [one["file"] for one in told] == ["empty", "bytes", "table.csv"]


@pytest.mark.parametrize("place", READ)
def test_a_file_that_is_not_given_out_is_the_machine_s(place: str, folder: Path, run: Run) -> None:
    expected, missing = (2 if place.startswith("inspect ") else 4), "missing.toml"
    for file in [missing, *([str(folder / "folder")] if place not in FOLDERS_TOO else [])]:
        code, said = run(place, READ[place], file)
        assert (code, is_one_sentence_about(file, said)) == (expected, True), (place, file, said)


@pytest.mark.parametrize(
    ("place", "file"), [("party admit FILE", "card.json"), ("declaration show PATHS", "declaration.json")]
)
def test_what_can_be_read_and_does_not_verify_is_refused(place: str, file: str, folder: Path, run: Run) -> None:
    raw = (folder / file).read_bytes()
    begun, mark, signature = raw.partition(b'"sig":"')
    (folder / f"altered-{file}").write_bytes(begun + mark + b"0000" + signature[4:])

    code, said = run(place, READ[place], f"altered-{file}")

    assert (code, is_one_sentence_about(f"altered-{file}", said)) == (1, True), said


@pytest.mark.parametrize("place", WRITTEN)
def test_a_file_that_cannot_be_written_is_the_machine_s(place: str, run: Run) -> None:
    for file in ("table.csv/new.json", "folder"):
        code, said = run(place, WRITTEN[place], file)
        assert (code, is_one_sentence_about(file.partition("/")[0], said)) == (4, True), (place, file, said)
