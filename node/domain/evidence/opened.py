"""One journal entry of a bundle, opened."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Final

import msgspec

from crypto.canonical import FIRST_YEAR, LAST_YEAR, SAFE_INTEGER, canonical, decode_with
from crypto.errors import Malformed
from crypto.keys import known_suite
from crypto.merkle import leaf_hash
from node.domain.evidence.lines import EntryLine
from node.domain.journal import Act, JournalEntry, detail_commitment

Fact = str | int | None
_entries = msgspec.json.Decoder(JournalEntry)
_Exact = Annotated[int, msgspec.Meta(ge=-SAFE_INTEGER, le=SAFE_INTEGER)]
_details = msgspec.json.Decoder(dict[str, str | _Exact | None])
_encode: Final = msgspec.json.Encoder().encode
_encode_sorted: Final = msgspec.json.Encoder(order="sorted").encode


class Opened(msgspec.Struct, frozen=True, kw_only=True):
    """An entry whose detail is the one it committed to; `index` is its place in the log."""

    index: int
    leaf: bytes
    entry: JournalEntry
    detail: Mapping[str, Fact]

    def __repr__(self) -> str:
        return f"Opened(index={self.index}, ...)"

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
    # What is all ASCII, and holds but text and exact numbers, msgspec writes canonically by itself (RFC 8785).
    if (_encode_sorted(facts) if detail.isascii() else canonical(facts)) != detail:
        raise Malformed("a detail that is not canonical")
    return Opened(index=index, leaf=leaf_hash(raw), entry=entry, detail=facts)


def _read_entry(raw: bytes) -> JournalEntry:
    """The same as `canonical.read`, and faster: an entry's fields stand in canonical order, one of them a time."""
    entry = decode_with(_entries, raw)
    known_suite(entry.suite)
    at = entry.at
    is_instant = at.tzinfo is UTC and not at.microsecond and FIRST_YEAR <= at.year <= LAST_YEAR
    if not is_instant or _encode(entry) != raw:
        raise Malformed("not in canonical form")
    return entry
