"""Counting days: calendars of packs, one per jurisdiction and year, that never guess (S 34, 36, 37, 39, 42)."""

from calendar import monthrange
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, timezone
from functools import cache
from itertools import count
from types import MappingProxyType
from typing import Final

from registry.errors import BadPack, CalendarUnavailable
from registry.norms.calendar_pack import CalendarPack, Direction, PackStatus, read_calendar_pack
from registry.norms.packs import shipped, shipped_names
from registry.parties import Jurisdiction

MAINLAND: Final = "CN-MAINLAND"
"""The calendar of every obligation under the regulation, whoever owes it."""

SHANGHAI: Final = timezone(timedelta(hours=8), "Asia/Shanghai")
"""UTC+8 without summer time since 1991, in Hong Kong and Macau too; a fixed offset needs no time zone database."""

_ONE_DAY: Final = timedelta(days=1)
_MONTHS: Final = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """The last day of a clock, the packs it was counted with, and whether any of them was provisional.

    A provisional date is computed again when the official pack comes.
    """

    day: date
    packs: tuple[str, ...]
    provisional: bool

    @property
    def end(self) -> datetime:
        """The instant at which it has passed."""
        return due_end(self.day)

    @property
    def next_day(self) -> date:
        """The day that begins with `end`: the first on which a record whose time of disclosure ran is withheld."""
        return self.day + _ONE_DAY

    def at(self, hour: time) -> datetime:
        """The instant of this day when clocks in Shenzhen show `hour`: until when an office takes anything in."""
        return datetime.combine(self.day, hour, SHANGHAI).astimezone(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """Until which day, from `today` on and without a gap, there are packs at all, and official ones.

    Where not even this year is official, `official_until` is a day of the past.
    """

    today: date
    until: date
    official_until: date

    def ends_within(self, days: int) -> bool:
        """Whether in `days` days or fewer nothing can be counted any more."""
        return (self.until - self.today).days <= days

    def is_unannounced_within(self, days: int) -> bool:
        """Whether in `days` days or fewer there are provisional packs only, or none."""
        return (self.official_until - self.today).days <= days


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """The working days of one jurisdiction, for the years there are packs for."""

    jurisdiction: str
    packs: Mapping[int, CalendarPack] = field(repr=False)

    @classmethod
    def of(cls, packs: Iterable[CalendarPack]) -> "Calendar":
        """The calendar of these packs; of two for a year the official one counts, then the newer version.

        Raises:
            BadPack: no pack at all, packs of two jurisdictions, or two of one year, status and version.
        """
        ordered = sorted(packs, key=lambda pack: (pack.status is PackStatus.OFFICIAL, pack.version))
        jurisdictions = {pack.jurisdiction for pack in ordered}
        if len(jurisdictions) != 1:
            raise BadPack("calendar", "jurisdiction", "packs of exactly one jurisdiction")
        seen = set[tuple[str, PackStatus]]()
        for pack in ordered:
            if (pack.id, pack.status) in seen:
                raise BadPack("calendar", f"{pack.id} {pack.status}", "one pack of this year, status and version")
            seen.add((pack.id, pack.status))
        by_year = MappingProxyType({pack.year: pack for pack in ordered})
        return cls(jurisdiction=jurisdictions.pop(), packs=by_year)

    def is_working(self, day: date, direction: Direction = Direction.STRICT) -> bool:
        """Whether `day` counts; CalendarUnavailable when no pack covers it."""
        return self._pack(day).kind(day).counts(direction)

    def add_working_days(self, start: date, days: int, direction: Direction = Direction.STRICT) -> Due:
        """The `days`-th working day after `start`; the start day does not count (Civil Code 201).

        Raises:
            CalendarUnavailable: counting runs into a year without a pack.
            ValueError: fewer than one day.
        """
        if days < 1:
            raise ValueError("a clock runs for one working day or more")
        return self._count(start, days, direction)

    def working_days_until(self, after: date, last: date) -> int:
        """How many working days are left behind `after`, up to and with `last`, as an operator counts; 0 if none.

        Raises:
            CalendarUnavailable: a day between them lies outside every pack.
        """
        between = range(1, (last - after).days + 1)
        return sum(self.is_working(after + timedelta(days=days)) for days in between)

    def roll_forward(self, day: date) -> Due:
        """`day`, or the first working day after it when it may rest (Civil Code 203, for the subject).

        Raises:
            CalendarUnavailable: rolling runs into a year without a pack.
        """
        pack = self._pack(day)
        if not pack.kind(day).counts(Direction.LENIENT):
            return self._count(day, 1, Direction.LENIENT)
        return Due(day=day, packs=(pack.id,), provisional=pack.status is PackStatus.PROVISIONAL)

    def _count(self, start: date, days: int, direction: Direction) -> Due:
        day, used = start, dict[str, bool]()
        while days:
            if day == date.max:
                raise CalendarUnavailable(self.jurisdiction, day.year + 1)
            day += _ONE_DAY
            pack = self._pack(day)
            used[pack.id] = pack.status is PackStatus.PROVISIONAL
            days -= pack.kind(day).counts(direction)
        return Due(day=day, packs=tuple(used), provisional=any(used.values()))

    def _pack(self, day: date) -> CalendarPack:
        pack = self.packs.get(day.year)
        if pack is None:
            raise CalendarUnavailable(self.jurisdiction, day.year)
        return pack


def coverage_ends(calendar: Calendar, today: date) -> Coverage:
    """Until when clocks can be counted, so that a missing year is noticed before a clock needs it.

    Raises:
        CalendarUnavailable: not even today is covered.
    """
    known = {year for year in calendar.packs if year >= today.year}
    official = {year for year in known if calendar.packs[year].status is PackStatus.OFFICIAL}
    if today.year not in known:
        raise CalendarUnavailable(calendar.jurisdiction, today.year)
    return Coverage(
        today=today, until=_unbroken_until(known, today.year), official_until=_unbroken_until(official, today.year)
    )


@cache
def load_calendar(jurisdiction: str = MAINLAND) -> Calendar:
    """The calendar of the packs that the product ships for `jurisdiction`.

    Raises:
        BadPack: none is shipped, or one must not be used.
    """
    names = (name for name in shipped_names("calendars") if name.startswith(f"{jurisdiction}-"))
    return Calendar.of(read_calendar_pack(shipped("calendars", name), name) for name in names)


def load_local_calendar(jurisdiction: Jurisdiction) -> Calendar | None:
    """The calendar that a node there counts by beside the mainland's; a Shenzhen node has no other."""
    return None if jurisdiction is Jurisdiction.CN_SZ else load_calendar(jurisdiction)


def shanghai_day(moment: datetime) -> date:
    """On which calendar day in Shenzhen an aware `moment` falls.

    The last hours of the calendar, which a peer may name, fall on its last day.
    """
    try:
        return moment.astimezone(SHANGHAI).date()
    except OverflowError:
        return date.max


def due_end(day: date) -> datetime:
    """24:00 of `day` in Shenzhen, in UTC: the first instant that is too late (Civil Code 201)."""
    return datetime.combine(day + _ONE_DAY, time(), SHANGHAI).astimezone(UTC)


def months_later(day: date, months: int) -> date:
    """The day of the same number `months` later, or that month's last when it has none (Civil Code 202).

    Raises:
        ValueError: the day would lie beyond the year 9999.
    """
    years, month = divmod(day.month - 1 + months, _MONTHS)
    year = day.year + years
    if year > date.max.year:
        raise ValueError("no day beyond the year 9999")
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def anniversary(day: date, years: int) -> date:
    """The same day `years` later; 29 February becomes 28 February, the earlier and so stricter day (S 31)."""
    return months_later(day, _MONTHS * years)


def _unbroken_until(years: Collection[int], first: int) -> date:
    """The last day of the run of years that begins with `first`; of the year before when that is missing."""
    return date(next(year for year in count(first) if year not in years) - 1, 12, 31)
