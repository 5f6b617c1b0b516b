"""The lines of an evidence bundle: one canonical JSON array each, in a fixed order (docs/protocol/evidence.md).

A bundle is the journal of a node with the signed documents that its entries speak of, each right behind its entry, so
that whoever reads it needs to remember only what is still open. Signed documents stand in it as the text that was
signed; nothing is serialised anew.
"""

from collections.abc import Iterator
from enum import StrEnum
from typing import BinaryIO, Final

import msgspec

from crypto.canonical import Hex16, Hex32
from crypto.errors import Malformed
from registry.parties import PartyName

FORMAT: Final = "creditport/evidence/v1"
LONGEST_LINE: Final = 4 << 20
"""Bytes of a line; a document is at most 1 MiB, and base64 in JSON needs no escapes but quotes."""


class Section(StrEnum):
    """The parts of a bundle, in their order; the manifest says how many lines each has, and their digest."""

    BUNDLE = "bundle"
    REGISTRY = "registry"
    AGREEMENTS = "agreements"
    HEADS = "heads"
    JOURNAL = "journal"
    MANIFEST = "manifest"


class _Line(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """One line: an array of its word and its facts, no more and no fewer."""


class Opening(_Line, frozen=True, tag="bundle"):
    """The first line: the format, whose bundle this is, and the digest of the order that it answers.

    `scope` names the agreements whose entries are opened; null means all of them, and what is of no agreement.
    """

    format: str
    node: PartyName
    order: Hex32
    scope: tuple[Hex32, ...] | None


class StatementLine(_Line, frozen=True, tag="statement"):
    """One statement of an authority's registry log, in order."""

    authority: PartyName
    raw: str


class HeadLine(_Line, frozen=True, tag="head"):
    """The signed head over the statements of that authority before it."""

    authority: PartyName
    note: str


class DocumentLine(_Line, frozen=True, tag="document"):
    """A document of an agreement: terms, filing receipt or termination."""

    raw: str


class SeenLine(_Line, frozen=True, tag="seen"):
    """The newest checkpoint of another node's journal that this node has verified."""

    party: PartyName
    note: str


class EntryLine(_Line, frozen=True, tag="entry"):
    """A journal entry with its opened detail, both as they were written, and the salt."""

    entry: str
    detail: str
    salt: Hex32


class LeafLine(_Line, frozen=True, tag="leaf"):
    """An entry outside the scope of the inspection: its leaf hash alone."""

    leaf: Hex32


class CopyShown(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """A row of the ledger: the copy's alias, and the digest of the receipt batch that closed it, if any did."""

    alias: Hex16
    closed_by: Hex32 | None


class FrameLine(_Line, frozen=True, tag="frame"):
    """The header of a frame that was sent; `refused` and `cancelled` are the node's own words about it."""

    header: str
    refused: str | None
    cancelled: bool
    copies: tuple[CopyShown, ...]


class ReceivedLine(_Line, frozen=True, tag="received"):
    """The header of a frame that was taken in."""

    header: str


class ReceiptsLine(_Line, frozen=True, tag="receipts"):
    """A batch of receipts that a holder signed."""

    raw: str


class NoticesLine(_Line, frozen=True, tag="notices"):
    """A batch of notices that this node signed."""

    raw: str


class ToldLine(_Line, frozen=True, tag="told"):
    """A batch of notices that another home signed and this node took in."""

    raw: str


class OrderLine(_Line, frozen=True, tag="order"):
    """An authority's order to be shown evidence."""

    raw: str


class CheckpointLine(_Line, frozen=True, tag="checkpoint"):
    """The checkpoint over all entries and leaves before it."""

    note: str


class ManifestLine(_Line, frozen=True, tag="manifest"):
    """The last line: the node's signature over everything before it."""

    raw: str


Attachment = FrameLine | ReceivedLine | ReceiptsLine | NoticesLine | ToldLine | OrderLine
"""A document that the entry before it speaks of."""
Line = (
    Opening
    | StatementLine
    | HeadLine
    | DocumentLine
    | SeenLine
    | EntryLine
    | LeafLine
    | FrameLine
    | ReceivedLine
    | ReceiptsLine
    | NoticesLine
    | ToldLine
    | OrderLine
    | CheckpointLine
    | ManifestLine
)

_SECTIONS: Final[dict[type, Section]] = {
    Opening: Section.BUNDLE,
    StatementLine: Section.REGISTRY,
    HeadLine: Section.REGISTRY,
    DocumentLine: Section.AGREEMENTS,
    SeenLine: Section.HEADS,
    ManifestLine: Section.MANIFEST,
}
_decoder: "msgspec.json.Decoder[Line]" = msgspec.json.Decoder(Line)
_encode: Final = msgspec.json.Encoder().encode


def section_of(line: Line) -> Section:
    """The part of the bundle that a line belongs to."""
    return _SECTIONS.get(type(line), Section.JOURNAL)


def write_line(line: Line) -> bytes:
    """The one way to write a line, newline included."""
    return _encode(line) + b"\n"


def read_line(raw: bytes) -> Line:
    """Read exactly what `write_line` writes.

    Raises:
        Malformed: it is not one of the lines above, or written in another way.
    """
    line: Line | None
    try:
        line = _decoder.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        # What the bytes say is not repeated: they may hold anything.
        line = None
    if line is None or write_line(line) != raw:
        raise Malformed("not a line of a bundle")
    return line


def split(file: BinaryIO) -> Iterator[bytes]:
    """The lines of an open bundle, each with its newline; one that is too long comes in parts, which do not read."""
    while raw := file.readline(LONGEST_LINE):
        yield raw
