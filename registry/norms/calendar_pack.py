"""Which days of one year work in one jurisdiction, as data; `calendar` counts with it.

Some days are doubtful: an afternoon off, or a day of a year that its government has not announced yet. Such a day
counts for whoever must not lose by it: as working where an operator's deadline is counted, so that the deadline is
never later than the true one; as resting where a subject's time is counted, so that it is never shorter.
"""

from datetime import date
from enum import StrEnum
from typing import Annotated, Final

from msgspec import Meta, Struct

from registry.errors import BadPack
from registry.norms.packs import read_pack


class PackStatus(StrEnum):
    """Whether the year has been announced."""

    OFFICIAL = "OFFICIAL"
    PROVISIONAL = "PROVISIONAL"


class Direction(StrEnum):
    """For whom a clock is counted: strict for an operator who owes an act, lenient for a subject who has a right."""

    STRICT = "STRICT"
    LENIENT = "LENIENT"


class Weekday(StrEnum):
    """The days of the week, Monday first as `date.weekday` counts them."""

    MONDAY = "MONDAY"
    TUESDAY = "TUESDAY"
    WEDNESDAY = "WEDNESDAY"
    THURSDAY = "THURSDAY"
    FRIDAY = "FRIDAY"
    SATURDAY = "SATURDAY"
    SUNDAY = "SUNDAY"


_WEEK: Final = tuple(Weekday)


class Change(StrEnum):
    """How a day differs from the rule for its weekday."""

    WORK = "WORK"
    REST = "REST"


class DayKind(StrEnum):
    """What a day is; HALF rests in the afternoon only, and of an OPEN one nobody has said yet whether it rests."""

    WORK = "WORK"
    REST = "REST"
    HALF = "HALF"
    OPEN = "OPEN"

    def counts(self, direction: Direction) -> bool:
        """Whether such a day is a working day to a clock of this direction."""
        return self is DayKind.WORK or (direction is Direction.STRICT and self is not DayKind.REST)


class CalendarPack(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which days of exactly one year work in one jurisdiction; `source` says who announced it.

    `week_rest` are the weekdays that rest; where `make_up_days` are usual, an announcement may make any of them
    work. `changed` lists the days that differ from that, `half_days` those that rest in the afternoon only, and
    `unconfirmed` (PROVISIONAL packs only) those that will rest if the year is announced as usual.
    """

    jurisdiction: str
    year: Annotated[int, Meta(ge=2000, le=2100)]
    version: Annotated[int, Meta(ge=1)]
    status: PackStatus
    source: Annotated[str, Meta(min_length=1)]
    week_rest: Annotated[frozenset[Weekday], Meta(min_length=1, max_length=6)]
    make_up_days: bool
    changed: dict[date, Change]
    half_days: frozenset[date] = frozenset()
    unconfirmed: frozenset[date] = frozenset()

    @property
    def id(self) -> str:
        """`<jurisdiction>-<year>@<version>`, as clocks and receipts record it."""
        return f"{self.jurisdiction}-{self.year}@{self.version}"

    def kind(self, day: date) -> DayKind:
        """What `day`, which is in this year, is."""
        change = self.changed.get(day)
        if change is not None:
            return DayKind(change)
        if day in self.half_days:
            return DayKind.HALF
        return DayKind.OPEN if day in self.unconfirmed else self.usual(day)

    def usual(self, day: date) -> DayKind:
        """What `day` is by its weekday alone; in an unannounced year any weekend may still have to make up."""
        if _WEEK[day.weekday()] not in self.week_rest:
            return DayKind.WORK
        return DayKind.OPEN if self.make_up_days and self.status is PackStatus.PROVISIONAL else DayKind.REST


def read_calendar_pack(text: str, name: str = "calendar pack") -> CalendarPack:
    """The calendar pack in TOML `text`.

    Raises:
        BadPack: see `read_pack`; also when a listed day is outside the year, listed twice, or changes nothing.
    """
    pack = read_pack(text, CalendarPack, name)
    for day, change in pack.changed.items():
        if (complaint := _unfit_change(pack, day, change)) is not None:
            raise BadPack(name, f"changed.{day.isoformat()}", complaint)
    for key, days in (("half_days", pack.half_days), ("unconfirmed", pack.unconfirmed)):
        for day in sorted(days):
            if (complaint := _unfit_doubt(pack, day)) is not None:
                raise BadPack(name, f"{key}.{day.isoformat()}", complaint)
    if pack.unconfirmed and pack.status is PackStatus.OFFICIAL:
        raise BadPack(name, "unconfirmed", "nothing, as the year is announced")
    return pack


def _unfit_change(pack: CalendarPack, day: date, change: Change) -> str | None:
    if day.year != pack.year:
        return f"a day of {pack.year}"
    if change is Change.WORK and (not pack.make_up_days or pack.status is PackStatus.PROVISIONAL):
        return "REST, as nothing makes a resting day work here"
    return (
        "only days that are not what their weekday makes them: this line says nothing"
        if pack.usual(day) is DayKind(change)
        else None
    )


def _unfit_doubt(pack: CalendarPack, day: date) -> str | None:
    if day.year != pack.year:
        return f"a day of {pack.year}"
    listed = (day in pack.changed) + (day in pack.half_days) + (day in pack.unconfirmed)
    return None if listed == 1 and pack.usual(day) is DayKind.WORK else "a day that would work, listed once"
