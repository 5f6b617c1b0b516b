"""One journal entry of a bundle, opened."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from crypto.canonical import canonical, read
from crypto.errors import Malformed
from crypto.merkle import leaf_hash
from node.domain.evidence.lines import EntryLine
from node.domain.journal import Act, JournalEntry, detail_commitment

Fact = str | int | None
_details = msgspec.json.Decoder(dict[str, str | int | None])


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
    entry = read(raw, JournalEntry)
    if detail_commitment(bytes.fromhex(line.salt), detail).hex() != entry.detail:
        raise Malformed("not the detail that was committed to")
    try:
        facts = _details.decode(detail)
    except (msgspec.DecodeError, UnicodeDecodeError):
        facts = None
    if facts is None or canonical(facts) != detail:
        raise Malformed("a detail that is not canonical")
    return Opened(index=index, leaf=leaf_hash(raw), entry=entry, detail=facts)
