"""Notices: what home tells every holder when a record changes, as one ordered, signed stream for each holder.

The wire says which copy, what becomes of it and by when; the legal basis stays home behind a salted commitment
(docs/protocol/notice.md).
"""

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Final

import msgspec

from crypto.canonical import SAFE_INTEGER, Hex16, Hex32, canonical
from node.domain.receipts import CopyStage
from registry.errors import CalendarUnavailable
from registry.norms.calendar import Calendar, due_end, shanghai_day
from registry.norms.clocks import Clock
from registry.norms.code_lists import CodeListName
from registry.parties import Instant, PartyId, PartyName

KIND: Final = "notice-batch"
MOST_NOTICES: Final = 500
"""Notices in one batch."""
SALT_SIZE: Final = 32
_BASIS_DOMAIN: Final = b"creditport/notice-basis/v1"

_Count = Annotated[int, msgspec.Meta(ge=1, le=SAFE_INTEGER)]


class Effect(StrEnum):
    """What becomes of a copy."""

    REPLACE = "REPLACE"
    """Versions below the one named are void; the new one comes along, or may be asked for (S 39, 42)."""
    DELETE = "DELETE"
    """Every version is void, and none will come again (S 36, 41, 59, 72)."""


class Notice(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One change: the copies named `alias` below `version` are void. `due` is when it must be applied."""

    alias: Hex16
    basis: Hex32
    due: Instant
    effect: Effect
    notice: Hex16
    occurred_at: Instant
    version: _Count


class NoticeBatch(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The notices `first` to `first + len(notices) - 1` of the stream from `home` to `holder`, signed once.

    `previous` is the digest of the batch before, null for the first, so that a stream cannot be told twice
    differently.
    """

    agreement: Hex32
    first: _Count
    holder: PartyName
    home: PartyName
    issued_at: Instant
    journal_leaf: Hex32
    notices: Annotated[tuple[Notice, ...], msgspec.Meta(min_length=1, max_length=MOST_NOTICES)]
    previous: Hex32 | None
    suite: int


def notice_due(clock: Clock, calendar: Calendar, changed_at: datetime) -> datetime:
    """By when a holder must have applied a change (S 36, 42).

    Where no calendar covers the time, natural days are counted, which is never later: telling holders does not
    wait for a calendar.
    """
    day = shanghai_day(changed_at)
    try:
        return clock.due(day, calendar).end
    except CalendarUnavailable:
        return due_end(clock.due_without_calendar(day))


def basis_commitment(salt: bytes, basis: str, document: str) -> bytes:
    """Commit to a legal basis (its code, and the document that says so) under a 32-byte salt of this notice alone."""
    return hashlib.sha256(_BASIS_DOMAIN + salt + canonical({"basis": basis, "document": document})).digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Floor:
    """Below `version` nothing of an alias may be held again; nothing at all once it is deleted."""

    version: int
    deleted: bool

    def forbids(self, version: int) -> bool:
        """Whether a copy of this version must not be held."""
        return self.deleted or version < self.version


NO_FLOOR: Final = Floor(version=0, deleted=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a notice does here: the floor from now on, and how far the change has come."""

    floor: Floor
    stage: CopyStage


def apply(notice: Notice, held: Collection[int], floor: Floor) -> Outcome:
    """Decide what a notice does to the versions `held` of its alias, above the `floor` so far.

    Floors only rise, so that neither order nor repetition matters. A copy that is not held is answered NOT_HELD, and
    the floor stays: one that comes late is refused then.
    """
    deleted = floor.deleted or notice.effect is Effect.DELETE
    raised = Floor(version=max(floor.version, notice.version), deleted=deleted)
    return Outcome(floor=raised, stage=CopyStage.APPLIED if held else CopyStage.NOT_HELD)


class Place(StrEnum):
    """Where a batch stands in a stream as the holder knows it."""

    NEXT = "NEXT"
    KNOWN = "KNOWN"
    AHEAD = "AHEAD"
    FORKED = "FORKED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """How far a home's stream was taken in: the number expected next, and the digest of the last batch (or empty)."""

    expected: int = 1
    last: bytes = b""


def place_of(batch: NoticeBatch, digest: bytes, stream: Stream, known: bytes | None) -> Place:
    """Say whether a batch is next, was taken in before, comes after a gap, or tells the same numbers differently.

    `known` is the digest of the batch that was taken in at the same first number, if there is one.
    """
    if batch.first > stream.expected:
        return Place.AHEAD
    if batch.first < stream.expected:
        return Place.KNOWN if known == digest else Place.FORKED
    return Place.NEXT if batch.previous == (stream.last.hex() or None) else Place.FORKED


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A change of one home record: from which version on the old ones are void, why, and by when it must be known.

    `received_on` is the day on which the document behind it came, None where nobody said so. `bases` is the code list
    in which the basis stands, and so says what is done to the record.
    """

    record_no: int
    record_version: int
    effect: Effect
    basis: str
    document: str
    occurred_at: datetime
    due_at: datetime
    bases: CodeListName
    received_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """That a party holds copies of a record under an agreement, by which name, and the wire version they may have."""

    record_no: int
    agreement_no: int
    holder: PartyId
    alias: bytes
    wire_version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """One notice to be sent: to whom, about which copies, in which wire version they are replaced."""

    change: Change
    holding: Holding
    version: int


def plan(changes: Mapping[int, Change], holdings: Collection[Holding]) -> list[Planned]:
    """One notice for each change and holder; a changed record has the wire version after the one held."""
    return [
        Planned(change=changes[one.record_no], holding=one, version=one.wire_version + 1)
        for one in holdings
        if one.record_no in changes
    ]
