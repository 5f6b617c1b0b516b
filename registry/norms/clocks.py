"""The clocks of a rule pack: when an act is due, by the node's own measure and by the law's.

Two directions (Civil Code 200 to 204). An operator's clock is strict: the shortest reading, the earliest end. A
subject's clock is lenient: the longest reading, and an end on a resting day moves to the next working day. Either
may also have run longer by the text itself (`law`), so that what is late can be told from what is unlawful.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Annotated, Final

from msgspec import Meta, Struct

from registry.errors import CalendarUnavailable
from registry.norms.calendar import MAINLAND, Calendar, Due, anniversary, months_later
from registry.norms.calendar_pack import Direction

Positive = Annotated[int, Meta(ge=1)]
Article = Annotated[str, Meta(min_length=1)]
"""Where a value comes from: `34.1` is article 34 paragraph 1 of the regulation the pack stands for."""
Event = Annotated[str, Meta(pattern=r"\A[a-z_]+(\.[a-z_]+)+\Z")]
"""What happened, as dotted words: `dispute.received`."""
Code = Annotated[str, Meta(pattern=r"\A[A-Z][A-Z0-9_]*\Z")]
Text = Annotated[str, Meta(min_length=1)]


class Unit(StrEnum):
    """What a clock counts; on the SAME_DAY and IMMEDIATE have no length."""

    WORKING_DAY = "WORKING_DAY"
    NATURAL_DAY = "NATURAL_DAY"
    SAME_DAY = "SAME_DAY"
    IMMEDIATE = "IMMEDIATE"
    MONTH = "MONTH"
    YEAR = "YEAR"


_WITHOUT_LENGTH: Final = frozenset({Unit.SAME_DAY, Unit.IMMEDIATE})


class Bound(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A period: `length` units from a day that itself does not count (Civil Code 201), unless `start_counts`."""

    unit: Unit
    length: Positive | None = None
    start_counts: bool = False

    def __post_init__(self) -> None:
        """Refuse a period that nobody can count; the reader names its place."""
        if (self.length is None) is not (self.unit in _WITHOUT_LENGTH):
            raise ValueError(f"a length, or none, as {self.unit} has it")
        if self.start_counts and self.unit not in {Unit.NATURAL_DAY, Unit.MONTH, Unit.YEAR}:
            raise ValueError(f"start_counts is not for {self.unit}")

    def due(self, start: date, calendar: Calendar, direction: Direction) -> Due:
        """The last day of this period from `start`, for whom `direction` says.

        Raises:
            CalendarUnavailable: a day that has to be known lies outside every pack.
        """
        if self.unit is Unit.WORKING_DAY:
            return calendar.add_working_days(start, self.length or 0, direction)
        day = self.natural_end(start, calendar.jurisdiction)
        if direction is Direction.LENIENT and self.unit is not Unit.IMMEDIATE:
            return calendar.roll_forward(day)
        return Due(day=day, packs=(), provisional=False)

    def natural_end(self, start: date, jurisdiction: str = MAINLAND) -> date:
        """The last day without regard to rest: of working days, as if all worked, so never later than they end.

        Raises:
            CalendarUnavailable: it would lie beyond the year 9999.
        """
        length = self.length or 0
        try:
            if self.unit is Unit.YEAR:
                day = anniversary(start, length)
            elif self.unit is Unit.MONTH:
                day = months_later(start, length)
            else:
                day = start + timedelta(days=length)
        except (OverflowError, ValueError):
            raise CalendarUnavailable(jurisdiction, date.max.year + 1) from None
        return day - timedelta(days=1) if self.start_counts else day


class Extension(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How far a clock may be extended: to a period in `total` from the same start, or `within` another clock."""

    total: Bound | None = None
    within: Code | None = None

    def __post_init__(self) -> None:
        """Refuse an extension without an end, or with two."""
        if (self.total is None) is (self.within is None):
            raise ValueError("either total or within")


class Timeliness(StrEnum):
    """How an act stands to its clock: past the node's own bound it is late, past the law's it is a breach."""

    IN_TIME = "IN_TIME"
    LATE = "LATE"
    BREACH = "BREACH"
    TOO_EARLY = "TOO_EARLY"


class Clock(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A period that an event starts and an act ends.

    The first of the `start` events starts it; it ends when all of `end` have happened. `strict` is what the node
    keeps, `law` the text's own bound (None: silent). `at_least` turns it round: the end may not come before. With
    `confirmed_by_person` no time ends it at all. `on_breach` names the refusals that follow and the views that show it.
    """

    article: Article
    zh: Text
    en: Text
    start: Annotated[tuple[Event, ...], Meta(min_length=1)]
    end: Annotated[tuple[Event, ...], Meta(min_length=1)]
    on_breach: Annotated[tuple[Code, ...], Meta(min_length=1)]
    strict: Bound | None = None
    law: Bound | None = None
    extension: Extension | None = None
    direction: Direction = Direction.STRICT
    at_least: bool = False
    confirmed_by_person: bool = False
    export_paths: frozenset[Code] = frozenset()
    calendar: str = MAINLAND

    def __post_init__(self) -> None:
        """Refuse a clock without a period, or whose own bound is longer than the law's."""
        if (self.strict is None and self.law is None) is not self.confirmed_by_person:
            raise ValueError("strict or law, or else confirmed_by_person")
        for outer in (self.law, None if self.extension is None else self.extension.total):
            if _is_longer(self.strict, outer):
                raise ValueError("no bound longer than the one outside it")

    def due(self, start: date, calendar: Calendar) -> Due:
        """The last day of this clock by the node's own bound, or the law's where the node has none.

        Raises:
            CalendarUnavailable: a day that has to be counted lies outside every pack.
            ValueError: the calendar is of another jurisdiction, or no time ends this clock.
        """
        return self._due(self._bound, start, calendar)

    def due_without_calendar(self, start: date) -> date:
        """The same as if every day worked, which is never later: for acts that may not wait for a calendar.

        Raises:
            ValueError: no time ends this clock.
        """
        return self._bound.natural_end(start, self.calendar)

    def read(self, start: date, mainland: Calendar, local: Calendar | None = None) -> "Reading":
        """All that the law says of this clock started on `start`, at a node whose own calendar is `local`.

        A node in Hong Kong or Macau counts by both calendars: what it owes ends with the earlier, what a subject may
        do with the later (A44 read for whom it protects). The outer bound is the regulation's, so the mainland's.

        Raises:
            CalendarUnavailable: a day that has to be counted lies outside every pack of either calendar.
            ValueError: `mainland` is not this clock's calendar, or no time ends this clock.
        """
        return self._read(self._bound, self.law, start, mainland, local)

    def read_extended(
        self, start: date, mainland: Calendar, local: Calendar | None = None, cap: "Reading | None" = None
    ) -> "Reading":
        """The same, extended as far as the law lets it be: to a total from the same start, or to the end of `cap`.

        Raises:
            CalendarUnavailable: see `read`.
            ValueError: this clock cannot be extended, or is extended within a cap that was not given.
        """
        total = None if self.extension is None else self.extension.total
        if total is not None:
            return self._read(total, total, start, mainland, local)
        if self.extension is None or cap is None:
            raise ValueError("an extension, and the cap it ends with")
        return Reading(clock=self, due=cap.due, outer=cap.outer, counted=cap.counted)

    @property
    def later_is_safe(self) -> bool:
        """Whether the later of two dates is the one to keep: for a subject, or where something is to be kept."""
        return self.direction is Direction.LENIENT or self.at_least

    @property
    def _bound(self) -> Bound:
        bound = self.strict or self.law
        if bound is None:
            raise ValueError("no time ends this clock: a person confirms it")
        return bound

    def _due(self, bound: Bound, start: date, calendar: Calendar) -> Due:
        if calendar.jurisdiction != self.calendar:
            raise ValueError(f"this clock runs by {self.calendar}")
        return bound.due(start, calendar, self.direction)

    def _read(
        self, bound: Bound, law: Bound | None, start: date, mainland: Calendar, local: Calendar | None
    ) -> "Reading":
        counted = [self._due(bound, start, mainland)]
        if local is not None and local.jurisdiction != self.calendar:
            counted.append(bound.due(start, local, self.direction))
        outer = None if law is None else self._due(law, start, mainland)
        return Reading(clock=self, due=self.safest(*counted), outer=outer, counted=tuple(counted))

    def safest(self, *dues: Due) -> Due:
        """Of several dates for this clock the one to keep: the earliest for an operator, the latest for a subject."""
        return max(dues, key=_day) if self.later_is_safe else _earliest(*dues)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """When a clock ends: `due` is kept, `outer` is the law's own bound, `counted` every date counted, for the log."""

    clock: Clock
    due: Due
    outer: Due | None
    counted: tuple[Due, ...]

    @property
    def packs(self) -> tuple[str, ...]:
        """The calendar packs that were used, each once."""
        outer = () if self.outer is None else (self.outer,)
        return tuple(dict.fromkeys(pack for due in (*self.counted, *outer) for pack in due.packs))

    @property
    def provisional(self) -> bool:
        """Whether any date has to be counted again when a year is announced."""
        outer = () if self.outer is None else (self.outer,)
        return any(due.provisional for due in (*self.counted, *outer))

    def due_at(self, started_at: datetime) -> datetime:
        """The instant from which the act is late; what is immediate is due at the instant that starts it."""
        immediate = self.clock.strict is not None and self.clock.strict.unit is Unit.IMMEDIATE
        return started_at if immediate else self.due.end

    def within(self, cap: "Reading") -> "Reading":
        """The same, but ending with `cap` at the latest: no step of a case outlives the whole."""
        outer = [due for due in (self.outer, cap.outer) if due is not None]
        return Reading(
            clock=self.clock,
            due=_earliest(self.due, cap.due),
            outer=_earliest(*outer) if outer else None,
            counted=(*self.counted, *cap.counted),
        )

    def judge(self, done_on: date) -> Timeliness:
        """How an act done on that day in Shenzhen stands to this clock."""
        if self.clock.at_least:
            return Timeliness.IN_TIME if done_on > self.due.day else Timeliness.TOO_EARLY
        if done_on <= self.due.day:
            return Timeliness.IN_TIME
        return Timeliness.BREACH if self.outer is not None and done_on > self.outer.day else Timeliness.LATE


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A date counted twice, as when its year has been announced; both are logged, and `due` is kept."""

    previous: Due
    computed: Due
    due: Due


def recount(clock: Clock, previous: Due, computed: Due) -> Kept:
    """What becomes of a date that was counted again: an operator's never moves later, a subject's never earlier."""
    return Kept(previous=previous, computed=computed, due=clock.safest(previous, computed))


def _day(due: Due) -> date:
    return due.day


def _earliest(*dues: Due) -> Due:
    return min(dues, key=_day)


def _is_longer(inner: Bound | None, outer: Bound | None) -> bool:
    """Whether two bounds of one unit are the wrong way round; between two units only a calendar could tell."""
    if inner is None or outer is None or inner.unit is not outer.unit:
        return False
    return (inner.length or 0) > (outer.length or 0)
