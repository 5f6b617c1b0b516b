"""What is fetched answers the order that was sent, and no other."""

from pathlib import Path

from typer.testing import CliRunner

from node.cli.inspector.fetching import answers
from node.cli.inspector.main import program
from node.domain.evidence.lines import FORMAT, HeadLine, Opening, write_line
from registry.parties import PartyId

NODE, ORDER = PartyId("sz-credit"), "5" * 64
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


def test_an_act_that_no_entry_can_have_is_wrong_usage_and_no_empty_list(tmp_path: Path) -> None:
    words = ["journal", str(tmp_path / "any.bundle"), "--act", "record.change"]

    result = CliRunner().invoke(program(), words, env={"COLUMNS": "300"})

    assert result.exit_code == 2
    assert "record.changed" in result.output
