"""A node's copy of one authority's log, and the only way to move it forward.

Every head must extend the last one seen: the new statements are appended to the stored frontier, and the root
must come out equal. That is the whole consistency check; no proof has to be fetched. A log that forks or
shrinks is kept at the last good head and grows stale, so disclosure stops (rule 10).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from crypto import merkle
from crypto.canonical import instant
from crypto.errors import CryptoError
from crypto.merkle import Frontier, leaf_hash
from registry.errors import BadStatement, RegistryError, UnfitFact
from registry.log import Head, grow, read_head
from registry.parties import ListedCard
from registry.statements import ReadStatement, read_statement


@dataclass(frozen=True, slots=True, kw_only=True)
class MirroredStatement:
    """A statement and its known time: that of the first head this mirror saw that covers it."""

    read: ReadStatement
    known_at: datetime

    @property
    def works_from(self) -> datetime:
        """When it takes effect: as stated, but never before it could be known."""
        return max(self.read.statement.effective_at, self.known_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mirror:
    """One authority's log as far as this node has seen it; `frontier` covers exactly `statements`."""

    authority: ListedCard
    statements: tuple[MirroredStatement, ...] = field(default=(), repr=False)
    frontier: Frontier = field(default_factory=Frontier, repr=False)
    head: Head | None = None


class Setback(StrEnum):
    """Why a head did not advance a mirror.

    FORK and ROLLBACK are the authority's own signatures against itself: keep both heads as evidence. STALE is
    an honest head older than the one already held. INCOMPLETE asks to fetch again.
    """

    FORK = "FORK"
    ROLLBACK = "ROLLBACK"
    STALE = "STALE"
    INCOMPLETE = "INCOMPLETE"
    MALFORMED = "MALFORMED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Advanced:
    """The head extends what was seen; `mirror` is the log as of it."""

    mirror: Mirror


@dataclass(frozen=True, slots=True, kw_only=True)
class NotAdvanced:
    """The mirror stays as it was: `field` was to be `expected` and is `got`."""

    setback: Setback
    field: str
    expected: str
    got: str


def advance(mirror: Mirror, head_raw: bytes, new_statements: Sequence[bytes]) -> Advanced | NotAdvanced:
    """Judge a head and the raw statements from the mirror's size up to the head's.

    A new node that joins late keeps true known times by advancing through the authority's heads in order.
    """
    try:
        head = read_head(head_raw, mirror.authority)
    except (CryptoError, RegistryError) as failure:
        return _malformed("head", failure)
    return _judge_past(mirror, head) or _append(mirror, head, new_statements)


def _judge_past(mirror: Mirror, head: Head) -> NotAdvanced | None:
    """Compare the head with what was seen; an older head is compared too, so that a split view shows."""
    seen = mirror.head
    if seen is None:
        return None
    if head.size <= seen.size and head.root != _root_at(mirror, head.size):
        return _setback(Setback.FORK, "root", "the root seen for this size", "another root")
    if head.time < seen.time:
        return _setback(Setback.STALE, "time", f"{instant(seen.time)} or later", instant(head.time))
    if head.size < seen.size:
        return _setback(Setback.ROLLBACK, "size", f"{seen.size} or more", str(head.size))
    return None


def _append(mirror: Mirror, head: Head, raws: Sequence[bytes]) -> Advanced | NotAdvanced:
    missing = head.size - len(mirror.statements)
    if len(raws) != missing:
        return _setback(Setback.INCOMPLETE, "statements", str(missing), str(len(raws)))
    try:
        added = tuple(_read_next(mirror, offset, raw, head.time) for offset, raw in enumerate(raws))
    except (CryptoError, RegistryError) as failure:
        return _malformed("statements", failure)
    frontier = grow(mirror.frontier, raws)
    if frontier.root() != head.root:
        return _setback(Setback.FORK, "root", "the root over the statements", "another root")
    statements = (*mirror.statements, *added)
    return Advanced(mirror=replace(mirror, statements=statements, frontier=frontier, head=head))


def _read_next(mirror: Mirror, offset: int, raw: bytes, known_at: datetime) -> MirroredStatement:
    read = read_statement(raw, mirror.authority)
    position = len(mirror.statements) + offset
    if read.statement.number != position:
        raise BadStatement("number", str(position), str(read.statement.number))
    return MirroredStatement(read=read, known_at=known_at)


def _root_at(mirror: Mirror, size: int) -> bytes:
    return merkle.root(leaf_hash(one.read.raw) for one in mirror.statements[:size])


def _setback(setback: Setback, place: str, expected: str, got: str) -> NotAdvanced:
    return NotAdvanced(setback=setback, field=place, expected=expected, got=got)


def _malformed(place: str, failure: CryptoError | RegistryError) -> NotAdvanced:
    if isinstance(failure, UnfitFact):
        where = f"{place}.{failure.field}"
        return _setback(Setback.MALFORMED, where, failure.expected, failure.got)
    return _setback(Setback.MALFORMED, place, "canonical, signed by the authority", type(failure).__name__)
