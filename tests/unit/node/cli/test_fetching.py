"""What is fetched answers the order that was sent, and no other."""

from pathlib import Path

from typer.testing import CliRunner

from node.cli.inspector.fetching import answers
from node.cli.inspector.main import program
from node.domain.evidence.lines import FORMAT, HeadLine, Opening, write_line
from registry.parties import PartyId

NODE, ORDER = PartyId("sz-credit"), "5" * 64
NO_FILE = "No such file or directory"
MISSING = f"cannot be read: {NO_FILE}"
NO_PASSPHRASE = "no passphrase: set CREDITPORT_PASSPHRASE or CREDITPORT_PASSPHRASE_FILE"
OPENING = Opening(format=FORMAT, node=NODE, order=ORDER, scope=None)


def test_a_bundle_that_answers_the_order_is_taken() -> None:
    assert answers(write_line(OPENING) + b'["statement","sz', NODE, ORDER)


def test_a_bundle_of_another_order_or_node_and_what_is_none_are_not() -> None:
    begun = write_line(OPENING)

    assert not answers(begun, NODE, "6" * 64)
    assert not answers(begun, PartyId("hk-bank"), ORDER)
    assert not answers(begun[:-1].replace(b"bundle", b"bumble") + b"\n", NODE, ORDER)
    assert not answers(write_line(HeadLine(authority=NODE, note="")), NODE, ORDER)
    assert not answers(b"", NODE, ORDER)


def test_what_is_named_is_looked_at_before_a_passphrase_is_asked_for(founded_nodes: Path, tmp_path: Path) -> None:
    words = ["fetch", "hk-bank", "--as", str(founded_nodes / "authority")]
    card = f"{tmp_path / 'missing.json'}@{'ab' * 32}"
    here = str(tmp_path / "new.bundle")

    def said(*more: str) -> tuple[int, str]:
        done = CliRunner().invoke(program(), [*words, *more], env={"CREDITPORT_PASSPHRASE": ""})
        return done.exit_code, done.stderr

    assert said("--authority", card) == (2, f"creditport-inspect: {tmp_path}/missing.json {MISSING}\n")
    assert said("--output", f"{here}/new") == (4, f"creditport-inspect: {here}/new cannot be written: {NO_FILE}\n")
    assert said("--output", here) == (4, f"creditport-inspect: {NO_PASSPHRASE}\n")


def test_an_act_that_no_entry_can_have_is_wrong_usage_and_no_empty_list(tmp_path: Path) -> None:
    words = ["journal", str(tmp_path / "any.bundle"), "--act", "record.change"]

    result = CliRunner().invoke(program(), words, env={"COLUMNS": "300"})

    assert result.exit_code == 2
    assert "record.changed" in result.output
