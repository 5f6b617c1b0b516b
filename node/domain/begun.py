"""Which clocks an act of this node begins: changes of records at home, notices taken as a holder, signed agreements."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Final

from node.domain.clocks import About, Counting, Happening, LegalClock, Start, Subject, begin, begun_by
from node.domain.notices import Change, Effect, Notice, Planned
from registry.norms.calendar import shanghai_day
from registry.norms.code_lists import CodeListName
from registry.parties import PartyId

_AT_ONCE: Final = frozenset({Happening.DELETED, Happening.WITHHELD})
"""What has happened when a deletion is committed."""
_TELLING: Final = frozenset({Happening.DISPATCHED})
_ENDS: Final = {Effect.REPLACE: _TELLING, Effect.DELETE: _TELLING | _AT_ONCE}
_FOLLOWING: Final = frozenset({Happening.COPY_WITHHELD, Happening.APPLIED})
"""What has happened when a holder has committed a batch of notices."""


def begun_by_changes(
    changes: Collection[Change], planned: Sequence[Planned], last: Mapping[PartyId, int], counting: Counting
) -> list[LegalClock]:
    """The clocks of changes of home records: what a deletion ends at once, and telling each holder.

    One for each holder, basis and day, however many records changed; it ends with the receipt of the `last` notice to
    that holder, since its notices are taken in order.
    """
    told = {one.change.record_no for one in planned}
    ended = [
        clock
        for change in changes
        if change.effect is Effect.DELETE
        for clock in _ended_at_once(change, counting, is_told=change.record_no in told)
    ]
    return ended + [
        replace(clock, awaits=last[holder])
        for (holder, *_), group in _groups(planned).items()
        for clock in _telling(group, holder, counting)
    ]


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
    """Clocks that end with the deletion itself; telling holders is left out, unless there is none and more to do."""
    ends = _AT_ONCE if is_told else _AT_ONCE | _TELLING
    subject = Subject(about=About.CHANGE, name=_name(change))
    at = change.occurred_at
    return [
        begin(code, _start(change, event), subject, counting, at).met(clock.end[-1], at)
        for code, clock, event in begun_by(_events(change, counting), counting.rules)
        if ends.issuperset(clock.end) and not _TELLING.issuperset(clock.end)
    ]


def _telling(group: Sequence[Planned], holder: PartyId, counting: Counting) -> list[LegalClock]:
    change = min((one.change for one in group), key=lambda one: one.record_no)
    subject = Subject(about=About.CHANGE, name=_name(change), peer=holder, count=len(group))
    return [
        begin(code, _start(change, event), subject, counting, change.occurred_at)
        for code, clock, event in begun_by(_events(change, counting), counting.rules)
        if Happening.DISPATCHED in clock.end and _ENDS[change.effect].issuperset(clock.end)
    ]


def _groups(planned: Sequence[Planned]) -> dict[tuple[PartyId, Effect, str, date | None], list[Planned]]:
    groups = defaultdict(list)
    for one in planned:
        change = one.change
        groups[one.holding.holder, change.effect, change.basis, change.received_on].append(one)
    return groups


def _events(change: Change, counting: Counting) -> tuple[str, ...]:
    name = CodeListName.DELETION_BASES if change.effect is Effect.DELETE else CodeListName.CORRECTION_BASES
    return counting.lists[name].codes[change.basis].events


def _start(change: Change, event: str) -> Start:
    """A decision is of the day of the change; everything else came with a document, which may have lain."""
    changed = shanghai_day(change.occurred_at)
    received = change.received_on if change.received_on is not None and event != Happening.CORRECTED else changed
    return Start(event=event, on=min(changed, received))


def _name(change: Change) -> str:
    return f"{change.record_no}@{change.record_version}"
