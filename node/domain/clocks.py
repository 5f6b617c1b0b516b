"""The node's own clocks: begun by an event, ended by another, and judged by the days between (S 34, 36, 42, 59, 72).

What a clock is comes from the rule pack (`registry.norms.clocks`); here it runs: about something, from a day on.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Final

from registry.errors import CalendarUnavailable
from registry.norms.calendar import Calendar, Due, shanghai_day
from registry.norms.clocks import Clock, Reading, Timeliness, recount
from registry.norms.code_lists import CodeList, CodeListName
from registry.norms.rule_pack import RulePack


class About(StrEnum):
    """What a clock is about, and so what its name is."""

    AGREEMENT = "agreement"
    """An agreement, by its digest in hex."""
    CHANGE = "change"
    """Changed home records: the first one with its version then, as in `17@2`."""
    RECORD = "record"
    """One home record, by its number: what is still to be done with it."""
    NOTICES = "notices"
    """Notices of another home, by the number of the first in their batch."""


class Happening(StrEnum):
    """The events of a rule pack that a node writes down by itself today; clocks with other ends are not begun."""

    AGREEMENT_SIGNED = "agreement.signed"
    FILED = "filing.receipt"
    CORRECTED = "correction.decided"
    DELETED = "record.deleted"
    WITHHELD = "record.withheld"
    RESUMED = "record.resumed"
    DISPATCHED = "notices.dispatched"
    CHANGED = "record.changed"
    NOTICE_RECEIVED = "notice.received"
    COPY_WITHHELD = "copy.withheld"
    APPLIED = "notice.applied"


LAPSED: Final = "agreement.over"
"""No clock of a rule pack waits for it: it ends that of filing an agreement which is over unfiled."""
_WORSE: Final = {Timeliness.IN_TIME: 0, Timeliness.TOO_EARLY: 0, Timeliness.LATE: 1, Timeliness.BREACH: 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Counting:
    """By what days are counted: the rule pack, the mainland's calendar, and the node's own where that is another.

    `lists` are the code lists in force; those of bases say which events a change is.
    """

    rules: RulePack = field(repr=False)
    mainland: Calendar = field(repr=False)
    local: Calendar | None = field(repr=False, default=None)
    lists: Mapping[CodeListName, CodeList] = field(repr=False, default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What a clock is about: `count` things under one name, and the peer it is owed to, or by (empty: nobody)."""

    about: About
    name: str
    peer: str = ""
    count: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """The event that starts a clock, in the words of the rule pack, and its day in Shenzhen."""

    event: str
    on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class LegalClock:
    """One clock that runs, or ran: `number` is the store's, 0 before it has one.

    `due_on` is the last day by the node's own bound, `outer_on` by the law's (None: the law is silent, or no calendar
    covers the time), counted by the calendar `packs`; `provisional` dates are counted again when a year is announced.
    `awaits` is the number of the notice whose receipt ends it. `standing` is the worst that was noted as long as it
    ran, and how it ended once it is met.
    """

    number: int = 0
    code: str
    article: str
    rule_pack: str
    subject: Subject
    start: Start
    due_on: date
    outer_on: date | None
    packs: tuple[str, ...]
    provisional: bool
    awaits: int | None = None
    standing: Timeliness = Timeliness.IN_TIME
    opened_at: datetime
    met_by: str | None = None
    met_at: datetime | None = None

    def judge(self, day: date) -> Timeliness:
        """How an act on that day in Shenzhen stands to this clock."""
        if day <= self.due_on:
            return Timeliness.IN_TIME
        return Timeliness.BREACH if self.outer_on is not None and day > self.outer_on else Timeliness.LATE

    def standing_on(self, today: date) -> Timeliness:
        """How it stands on that day: one that is not met can only get worse."""
        if self.met_at is not None:
            return self.standing
        return max(self.standing, self.judge(today), key=_WORSE.__getitem__)

    def missed_on(self, today: date) -> "LegalClock | None":
        """The same with what comes to be missed by that day; None where that was noted before, or nothing is."""
        standing = self.standing_on(today)
        return None if standing is self.standing else replace(self, standing=standing)

    def met(self, event: str, at: datetime) -> "LegalClock":
        """The same, ended by an act at `at`, which alone decides how it ended: what was noted may have known less."""
        return replace(self, standing=self.judge(shanghai_day(at)), met_by=event, met_at=at)

    @property
    def has_lapsed(self) -> bool:
        """Whether it ended because what it was about was over, and not by the act that it waited for."""
        return self.met_by == LAPSED

    def is_worse_than(self, other: "LegalClock") -> bool:
        """Whether it stands worse."""
        return _WORSE[self.standing] > _WORSE[other.standing]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recounted:
    """A clock counted again: as it was, as it is kept now, and the day that the new calendars give."""

    before: LegalClock
    after: LegalClock
    computed_on: date

    @property
    def differs(self) -> bool:
        """Whether any day came out otherwise, so that it is worth writing down."""
        return self.computed_on != self.before.due_on or self.after.outer_on != self.before.outer_on


def begin(code: str, start: Start, subject: Subject, counting: Counting, at: datetime) -> LegalClock:
    """Begin a clock of the rule pack.

    Where no calendar covers the time, natural days are counted, which is never later, and the law's bound is left
    open: an act never waits for a calendar. `start` lies in no year beyond the present one.
    """
    clock = counting.rules.clocks[code]
    begun = LegalClock(
        code=code, article=clock.article, rule_pack=counting.rules.reference, subject=subject, start=start,
        due_on=clock.due_without_calendar(start.on), outer_on=None, packs=(), provisional=True, opened_at=at,
    )  # fmt: skip
    try:
        return _dated(begun, clock.read(start.on, counting.mainland, counting.local))
    except CalendarUnavailable:
        return begun


def begun_by(events: Collection[str], rules: RulePack) -> Iterator[tuple[str, Clock, str]]:
    """Clocks that these events start, with their code and the event.

    Those of one export path, those that keep something, and those that a person ends run elsewhere.
    """
    for code, clock in rules.clocks.items():
        elsewhere = clock.export_paths or clock.at_least or clock.confirmed_by_person
        event = next((one for one in events if one in clock.start), None)
        if event is not None and not elsewhere:
            yield code, clock, event


def count_again(clock: LegalClock, counting: Counting) -> Recounted | None:
    """Count a clock by the calendars of now; None where they are those of before, or still do not cover the time.

    An operator's date never moves later; the law's bound is what the calendars say. A clock of another rule pack, or of
    another version, stays as it is.
    """
    rule = counting.rules.clocks.get(clock.code)
    if rule is None or clock.rule_pack != counting.rules.reference:
        return None
    try:
        reading = rule.read(clock.start.on, counting.mainland, counting.local)
    except CalendarUnavailable:
        return None
    if reading.packs == clock.packs:
        return None
    previous = Due(day=clock.due_on, packs=clock.packs, provisional=clock.provisional)
    kept = recount(rule, previous, reading.due)
    after = replace(_dated(clock, reading), due_on=kept.due.day)
    return Recounted(before=clock, after=after, computed_on=reading.due.day)


def _dated(clock: LegalClock, reading: Reading) -> LegalClock:
    return replace(
        clock,
        due_on=reading.due.day,
        outer_on=None if reading.outer is None else reading.outer.day,
        packs=reading.packs,
        provisional=reading.provisional,
    )
