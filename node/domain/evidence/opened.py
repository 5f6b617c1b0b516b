"""One journal entry of a bundle, opened."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

import msgspec

from crypto.canonical import canonical, decode_with, instant
from crypto.errors import Malformed
from crypto.keys import known_suite
from crypto.merkle import leaf_hash
from node.domain.evidence.lines import EntryLine
from node.domain.journal import Act, JournalEntry, detail_commitment

Fact = str | int | None
_entries = msgspec.json.Decoder(JournalEntry)
_details = msgspec.json.Decoder(dict[str, str | int | None])
_encode: Final = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """An entry whose detail is the one it committed to; `index` is its place in the log."""

    index: int
    leaf: bytes
    entry: JournalEntry = field(repr=False)
    detail: Mapping[str, Fact] = field(repr=False)

    @property
    def act(self) -> Act:
        """What was done."""
        return self.entry.act

    @property
    def at(self) -> datetime:
        """When, by the node's clock."""
        return self.entry.at

    @property
    def counterparty(self) -> str:
        """With whom."""
        return self.entry.counterparty

    @property
    def agreement(self) -> str:
        """Under which agreement, in hex."""
        return self.entry.agreement

    @property
    def place(self) -> str:
        """Where it stands, for a person."""
        return f"journal entry {self.index}"


def open_entry(line: EntryLine, index: int) -> Opened:
    """Read an entry strictly, and check that its detail is the one it commits to.

    Raises:
        CryptoError: it is no journal entry, or the detail is another one.
    """
    raw, detail = line.entry.encode(), line.detail.encode()
    entry = _read_entry(raw)
    if detail_commitment(bytes.fromhex(line.salt), detail).hex() != entry.detail:
        raise Malformed("not the detail that was committed to")
    facts = decode_with(_details, detail)
    if canonical(facts) != detail:
        raise Malformed("a detail that is not canonical")
    return Opened(index=index, leaf=leaf_hash(raw), entry=entry, detail=facts)


def _read_entry(raw: bytes) -> JournalEntry:
    """The same as `canonical.read`, and faster: an entry's fields stand in canonical order, one of them a time."""
    entry = decode_with(_entries, raw)
    known_suite(entry.suite)
    instant(entry.at)
    if entry.at.tzinfo is not UTC or _encode(entry) != raw:
        raise Malformed("not in canonical form")
    return entry
