"""Every shipped calendar, day by day, against two independent lists of the days that rest."""

from collections.abc import Callable, Iterator
from datetime import date, timedelta

import chinese_calendar
import holidays
import pytest

from registry.norms.calendar import Calendar, load_calendar
from registry.norms.calendar_pack import DayKind, PackStatus
from registry.norms.packs import shipped_names

IsWorking = Callable[[date], bool]

MAIN, HONG_KONG, MACAU = (load_calendar(jurisdiction) for jurisdiction in ("CN-MAINLAND", "HK", "MO"))
ANNOUNCED = (2024, 2025, 2026)
CATEGORIES = {"HK": ("public", "optional"), "MO": ("public", "optional", "government")}
"""Without "optional", Good Friday is missing in both; without "government", Macau's days in lieu."""

HALF = "half a day, which the other list counts as a whole holiday; here the operator works it"
IN_LIEU = "a day in lieu, or an afternoon, that the table of the year has not named yet; until then it works"
DIFFERENCES: dict[tuple[str, int], dict[str, str]] = {
    ("MO", 2024): {"02-09": HALF, "12-31": HALF},
    ("MO", 2025): {"01-28": HALF, "12-31": HALF},
    ("MO", 2026): {"02-16": HALF, "12-31": HALF},
    ("MO", 2027): dict.fromkeys(
        ("02-05", "02-09", "02-10", "03-29", "05-03", "10-04", "12-27", "12-31"),
        IN_LIEU,
    ),
}
"""Every day on which a pack and a list disagree, and why; all other days agree."""


def days_of(year: int) -> Iterator[date]:
    return (date(year, 1, 1) + timedelta(days=n) for n in range((date(year + 1, 1, 1) - date(year, 1, 1)).days))


def disagreeing(calendar: Calendar, year: int, is_working: IsWorking) -> list[str]:
    return [f"{day:%m-%d}" for day in days_of(year) if calendar.is_working(day) != is_working(day)]


def five_day_week(jurisdiction: str, year: int) -> IsWorking:
    """That list counts Saturdays in Hong Kong as working days, so only its holidays are asked."""
    resting = holidays.country_holidays(jurisdiction, years=year, categories=CATEGORIES[jurisdiction])
    return lambda day: day.weekday() < 5 and day not in resting


@pytest.mark.parametrize("year", ANNOUNCED)
def test_every_day_of_the_mainland_agrees_with_two_independent_calendars(year: int) -> None:
    listed = holidays.country_holidays("CN", years=year)

    assert disagreeing(MAIN, year, chinese_calendar.is_workday) == []
    assert disagreeing(MAIN, year, listed.is_working_day) == []


@pytest.mark.parametrize("year", [*ANNOUNCED, 2027])
@pytest.mark.parametrize("calendar", [HONG_KONG, MACAU], ids=lambda calendar: calendar.jurisdiction)
def test_every_day_of_hong_kong_and_macau_agrees_but_for_listed_differences(calendar: Calendar, year: int) -> None:
    found = disagreeing(calendar, year, five_day_week(calendar.jurisdiction, year))

    assert found == list(DIFFERENCES.get((calendar.jurisdiction, year), {}))


@pytest.mark.parametrize(("jurisdiction", "year"), DIFFERENCES)
def test_every_difference_is_a_day_that_the_pack_itself_calls_doubtful(jurisdiction: str, year: int) -> None:
    pack = load_calendar(jurisdiction).packs[year]
    doubtful = {f"{day:%m-%d}" for day in days_of(year) if pack.kind(day) in {DayKind.HALF, DayKind.OPEN}}

    assert doubtful == DIFFERENCES[jurisdiction, year].keys()


def test_the_statutory_days_of_2027_rest_on_the_mainland_and_every_other_day_counts() -> None:
    resting = [f"{day:%m-%d}" for day in days_of(2027) if not MAIN.is_working(day)]

    assert resting == [
        *("01-01", "02-05", "02-06", "02-07", "02-08", "04-05", "05-01", "05-02"),
        *("06-09", "09-15", "10-01", "10-02", "10-03"),
    ]
    assert resting == sorted(f"{day:%m-%d}" for day in holidays.country_holidays("CN", years=2027, observed=False))


@pytest.mark.parametrize("jurisdiction", ["CN-MAINLAND", "HK", "MO"])
def test_three_announced_years_are_shipped_and_one_that_is_not(jurisdiction: str) -> None:
    packs = load_calendar(jurisdiction).packs

    assert {year: pack.status for year, pack in packs.items()} == {
        **dict.fromkeys(ANNOUNCED, PackStatus.OFFICIAL),
        2027: PackStatus.PROVISIONAL,
    }


def test_a_pack_is_shipped_under_its_own_jurisdiction_and_year() -> None:
    found = [pack for calendar in (MAIN, HONG_KONG, MACAU) for pack in calendar.packs.values()]

    assert sorted(f"{pack.jurisdiction}-{pack.year}" for pack in found) == sorted(shipped_names("calendars"))
