"""Which clocks an act of this node begins: changes of records at home, notices taken as a holder, signed agreements."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Final

from node.domain.clocks import About, Counting, Happening, LegalClock, Start, Subject, begin, begun_by
from node.domain.notices import Change, Notice, Planned
from registry.norms.calendar import shanghai_day
from registry.norms.code_lists import CodeListName
from registry.parties import PartyId

_AT_ONCE: Final = frozenset({Happening.DELETED, Happening.WITHHELD})
"""What has happened when a deletion is committed."""
_TELLING: Final = frozenset({Happening.DISPATCHED})
_DONE: Final[Mapping[CodeListName, frozenset[Happening]]] = {
    CodeListName.CORRECTION_BASES: frozenset(),
    CodeListName.RELEASE_BASES: frozenset(),
    CodeListName.WITHHOLDING_BASES: frozenset({Happening.WITHHELD}),
    CodeListName.DELETION_BASES: _AT_ONCE,
}
"""What has happened when a change on such a basis is committed."""
THEN_DELETED: Final = "THEN_DELETED"
"""The tag of bases on which a record has to be deleted, though it is only withheld yet."""
_FOLLOWING: Final = frozenset({Happening.COPY_WITHHELD, Happening.APPLIED})
"""What has happened when a holder has committed a batch of notices."""


def begun_by_changes(
    changes: Collection[Change], planned: Sequence[Planned], last: Mapping[PartyId, int], counting: Counting
) -> list[LegalClock]:
    """The clocks of changes of home records: what they end at once, what is left to do, and telling each holder.

    One for each holder, basis and day, however many records changed; it ends with the receipt of the `last` notice to
    that holder, since its notices are taken in order.
    """
    told = {one.change.record_no for one in planned}
    ended = [
        clock
        for change in changes
        if _DONE[change.bases]
        for clock in _ended_at_once(change, counting, is_told=change.record_no in told)
    ]
    left = [clock for change in changes for clock in _left_to_do(change, counting)]
    telling = [
        replace(clock, awaits=last[holder])
        for (holder, *_), group in _groups(planned).items()
        for clock in _telling(group, holder, counting)
    ]
    return [*ended, *left, *telling]


def begun_by_notices(
    home: PartyId, first: int, notices: Sequence[Notice], counting: Counting, now: datetime
) -> list[LegalClock]:
    """The clocks of a batch that a holder takes in, ended by its taking: from the earliest change, and from receipt.

    A home that dates its changes ahead does not move a day into the future.
    """
    changed = min(now, *(one.occurred_at for one in notices))
    days = {Happening.CHANGED: shanghai_day(changed), Happening.NOTICE_RECEIVED: shanghai_day(now)}
    subject = Subject(about=About.NOTICES, name=str(first), peer=home, count=len(notices))
    return [
        begin(code, Start(event=event, on=days[Happening(event)]), subject, counting, now).met(clock.end[-1], now)
        for code, clock, event in begun_by(days, counting.rules)
        if _FOLLOWING.issuperset(clock.end)
    ]


def begun_by_signing(agreement: bytes, signing_date: date, counting: Counting, now: datetime) -> list[LegalClock]:
    """The clock of filing, from the day of signing that the terms state, not later than the last signature (S 34)."""
    start = Start(event=Happening.AGREEMENT_SIGNED, on=min(signing_date, shanghai_day(now)))
    subject = Subject(about=About.AGREEMENT, name=agreement.hex())
    return [
        begin(code, start, subject, counting, now)
        for code, clock, _ in begun_by((start.event,), counting.rules)
        if clock.end == (Happening.FILED,)
    ]


def _ended_at_once(change: Change, counting: Counting, *, is_told: bool) -> list[LegalClock]:
    """Clocks that end with the change itself; telling holders is left out, unless there is none and more to do."""
    ends = _DONE[change.bases] if is_told else _DONE[change.bases] | _TELLING
    subject = Subject(about=About.CHANGE, name=_name(change))
    at = change.occurred_at
    return [
        begin(code, _start(change, event), subject, counting, at).met(clock.end[-1], at)
        for code, clock, event in begun_by(_events(change, counting), counting.rules)
        if ends.issuperset(clock.end) and not _TELLING.issuperset(clock.end)
    ]


def _left_to_do(change: Change, counting: Counting) -> list[LegalClock]:
    """Clocks of deleting a record that is only withheld yet; they end with the deletion, whatever its basis."""
    meaning = counting.lists[change.bases].codes[change.basis]
    if THEN_DELETED not in meaning.tags:
        return []
    subject = Subject(about=About.RECORD, name=str(change.record_no))
    return [
        begin(code, _start(change, event), subject, counting, change.occurred_at)
        for code, clock, event in begun_by(meaning.events, counting.rules)
        if clock.end == (Happening.DELETED,)
    ]


def _telling(group: Sequence[Planned], holder: PartyId, counting: Counting) -> list[LegalClock]:
    change = min((one.change for one in group), key=lambda one: one.record_no)
    subject = Subject(about=About.CHANGE, name=_name(change), peer=holder, count=len(group))
    return [
        begin(code, _start(change, event), subject, counting, change.occurred_at)
        for code, clock, event in begun_by(_events(change, counting), counting.rules)
        if Happening.DISPATCHED in clock.end and (_DONE[change.bases] | _TELLING).issuperset(clock.end)
    ]


def _groups(planned: Sequence[Planned]) -> dict[tuple[PartyId, CodeListName, str, date | None], list[Planned]]:
    groups = defaultdict(list)
    for one in planned:
        change = one.change
        groups[one.holding.holder, change.bases, change.basis, change.received_on].append(one)
    return groups


def _events(change: Change, counting: Counting) -> tuple[str, ...]:
    return counting.lists[change.bases].codes[change.basis].events


def _start(change: Change, event: str) -> Start:
    """A decision is of the day of the change; everything else came with a document, which may have lain."""
    changed = shanghai_day(change.occurred_at)
    received = change.received_on if change.received_on is not None and event != Happening.CORRECTED else changed
    return Start(event=event, on=min(changed, received))


def _name(change: Change) -> str:
    return f"{change.record_no}@{change.record_version}"
