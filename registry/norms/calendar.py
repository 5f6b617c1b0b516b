"""Working days: one pack per jurisdiction and year, and clocks that never guess (S 34, 36, 37, 39, 42).

The State Council announces which days rest, and which weekend days work instead, late in the year before.
Until then a PROVISIONAL pack counts *every* day as working, weekends too, except the days that the law itself
makes holidays: any weekend may still become a make-up day. So a deadline computed from it is never later than
that of the official pack.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, timezone
from enum import StrEnum
from functools import cache
from types import MappingProxyType
from typing import Annotated, Final

from msgspec import Meta, Struct

from registry.errors import BadPack, CalendarUnavailable
from registry.norms.packs import read_pack, shipped, shipped_names

MAINLAND: Final = "CN-MAINLAND"
"""The calendar of every obligation under the regulation, whoever owes it."""

SHANGHAI: Final = timezone(timedelta(hours=8), "Asia/Shanghai")
"""UTC+8 without summer time since 1991; a fixed offset needs no time zone database."""

_SATURDAY: Final = 5
_ONE_DAY: Final = timedelta(days=1)


class PackStatus(StrEnum):
    """Whether the year has been announced."""

    OFFICIAL = "OFFICIAL"
    PROVISIONAL = "PROVISIONAL"


class Change(StrEnum):
    """How a day differs from the rule for its weekday."""

    WORK = "WORK"
    REST = "REST"


class CalendarPack(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which days of exactly one year work in one jurisdiction; `source` says who announced it."""

    jurisdiction: str
    year: Annotated[int, Meta(ge=2000, le=2100)]
    version: Annotated[int, Meta(ge=1)]
    status: PackStatus
    source: Annotated[str, Meta(min_length=1)]
    changed: dict[date, Change]

    @property
    def id(self) -> str:
        """`<jurisdiction>-<year>@<version>`, as clocks and receipts record it."""
        return f"{self.jurisdiction}-{self.year}@{self.version}"

    def is_working(self, day: date) -> bool:
        """Whether `day`, which is in this year, counts."""
        change = self.changed.get(day)
        if change is not None:
            return change is Change.WORK
        return self.status is PackStatus.PROVISIONAL or day.weekday() < _SATURDAY


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """The working days of one jurisdiction, for the years there are packs for."""

    jurisdiction: str
    packs: Mapping[int, CalendarPack] = field(repr=False)

    @classmethod
    def of(cls, packs: Iterable[CalendarPack]) -> "Calendar":
        """The calendar of these packs; of two for a year the official one counts, then the newer version.

        Raises:
            BadPack: no pack at all, or packs of two jurisdictions.
        """
        ordered = sorted(packs, key=lambda pack: (pack.status is PackStatus.OFFICIAL, pack.version))
        jurisdictions = {pack.jurisdiction for pack in ordered}
        if len(jurisdictions) != 1:
            raise BadPack("calendar", "jurisdiction", "packs of exactly one jurisdiction")
        by_year = MappingProxyType({pack.year: pack for pack in ordered})
        return cls(jurisdiction=jurisdictions.pop(), packs=by_year)

    def is_working(self, day: date) -> bool:
        """Whether `day` counts; CalendarUnavailable when no pack covers it."""
        return self._pack(day).is_working(day)

    def add_working_days(self, start: date, days: int) -> Due:
        """The `days`-th working day after `start`; the start day does not count (Civil Code 201).

        Raises:
            CalendarUnavailable: counting runs into a year without a pack.
            ValueError: fewer than one day.
        """
        if days < 1:
            raise ValueError("a clock runs for one working day or more")
        day, used = start, dict[str, bool]()
        while days:
            if day == date.max:
                raise CalendarUnavailable(self.jurisdiction, day.year + 1)
            day += _ONE_DAY
            pack = self._pack(day)
            used[pack.id] = pack.status is PackStatus.PROVISIONAL
            days -= pack.is_working(day)
        return Due(day=day, packs=tuple(used), provisional=any(used.values()))

    def _pack(self, day: date) -> CalendarPack:
        pack = self.packs.get(day.year)
        if pack is None:
            raise CalendarUnavailable(self.jurisdiction, day.year)
        return pack


def read_calendar_pack(text: str, name: str = "calendar pack") -> CalendarPack:
    """The calendar pack in TOML `text`.

    Raises:
        BadPack: see `read_pack`; also when a changed day is outside the year, or changes nothing.
    """
    pack = read_pack(text, CalendarPack, name)
    for day, change in pack.changed.items():
        place = f"changed.{day.isoformat()}"
        if day.year != pack.year:
            raise BadPack(name, place, f"a day of {pack.year}")
        if pack.status is PackStatus.PROVISIONAL and change is Change.WORK:
            raise BadPack(name, place, "REST, as every other day works in a provisional year")
        if pack.status is PackStatus.OFFICIAL and (change is Change.WORK) == (day.weekday() < _SATURDAY):
            raise BadPack(name, place, "a resting weekday or a working weekend day")
    return pack


@cache
def load_calendar(jurisdiction: str = MAINLAND) -> Calendar:
    """The calendar of the packs that the product ships for `jurisdiction`.

    Raises:
        BadPack: none is shipped, or one must not be used.
    """
    names = (name for name in shipped_names("calendars") if name.startswith(f"{jurisdiction}-"))
    return Calendar.of(read_calendar_pack(shipped("calendars", name), name) for name in names)


def shanghai_day(moment: datetime) -> date:
    """On which calendar day in Shenzhen an aware `moment` falls."""
    return moment.astimezone(SHANGHAI).date()


def due_end(day: date) -> datetime:
    """24:00 of `day` in Shenzhen, in UTC: the first instant that is too late (Civil Code 201)."""
    return datetime.combine(day + _ONE_DAY, time(), SHANGHAI).astimezone(UTC)
