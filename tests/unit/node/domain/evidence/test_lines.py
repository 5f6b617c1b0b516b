"""Lines of a bundle: one way to write each, and nothing else reads."""

from io import BytesIO
from typing import get_args

import pytest

from crypto.errors import Malformed
from node.domain.evidence.lines import (
    FORMAT,
    LONGEST_LINE,
    CheckpointLine,
    CopyShown,
    DocumentLine,
    EntryLine,
    FrameLine,
    HeadLine,
    LeafLine,
    Line,
    ManifestLine,
    NoticesLine,
    Opening,
    OrderLine,
    ReceiptsLine,
    ReceivedLine,
    Section,
    SeenLine,
    StatementLine,
    ToldLine,
    read_line,
    section_of,
    split,
    write_line,
)
from registry.parties import PartyId

SZ = PartyId("sz-authority")
HASH, SHORT = "a" * 64, "b" * 32
LINES: tuple[Line, ...] = (
    Opening(FORMAT, PartyId("sz-agency"), HASH, None),
    StatementLine(SZ, "{}"),
    HeadLine(SZ, "note\n"),
    DocumentLine("{}"),
    SeenLine(PartyId("hk-bank"), "note\n"),
    EntryLine("{}", "{}", HASH),
    LeafLine(HASH),
    FrameLine("{}", None, False, (CopyShown(SHORT, HASH), CopyShown(SHORT, None))),
    ReceivedLine("{}"),
    ReceiptsLine("{}"),
    NoticesLine("{}"),
    ToldLine("{}"),
    OrderLine("{}"),
    CheckpointLine("note\n"),
    ManifestLine("{}"),
)


def test_there_is_an_example_of_every_line() -> None:
    assert {type(one) for one in LINES} == set(get_args(Line))


@pytest.mark.parametrize("line", LINES, ids=lambda one: type(one).__name__)
def test_a_line_reads_as_it_was_written(line: Line) -> None:
    assert read_line(write_line(line)) == line


def test_lines_belong_to_their_sections_in_order() -> None:
    sections = [section_of(one) for one in LINES]

    assert list(dict.fromkeys(sections)) == list(Section)
    assert sections == sorted(sections, key=list(Section).index)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\n",
        b'["leaf","%b"]' % HASH.encode(),
        b'["leaf", "%b"]\n' % HASH.encode(),
        b'["leaf","%b"]\r\n' % HASH.encode(),
        b'["leaf","%b"]\n\n' % HASH.encode(),
        b'["leaf","%b",1]\n' % HASH.encode(),
        b'["leaf"]\n',
        b'["leaf","%b"]\n' % HASH.upper().encode(),
        b'["leaf","\\u0061%b"]\n' % HASH[1:].encode(),
        b'["leaves","%b"]\n' % HASH.encode(),
        b'{"leaf":"%b"}\n' % HASH.encode(),
        b'["document","\\ud800"]\n',
        b'["document","\xff"]\n',
        b'["frame","",null,0,[]]\n',
        b'["frame","",null,false,[["%b"]]]\n' % SHORT.encode(),
        b'["bundle","x","Not A Name","%b",null]\n' % HASH.encode(),
    ],
)
def test_nothing_else_reads(raw: bytes) -> None:
    with pytest.raises(Malformed):
        read_line(raw)


def test_a_line_that_is_too_long_comes_in_parts_that_do_not_read() -> None:
    raw = write_line(DocumentLine("x" * LONGEST_LINE)) + write_line(LINES[0])
    *parts, last = split(BytesIO(raw))

    assert b"".join([*parts, last]) == raw
    assert read_line(last) == LINES[0]
    assert [reads(one) for one in parts] == [False, False]


def reads(raw: bytes) -> bool:
    try:
        read_line(raw)
    except Malformed:
        return False
    return True
