from datetime import UTC, date, datetime, time

import pytest

from registry.errors import BadPack, CalendarUnavailable
from registry.norms.calendar import (
    MAINLAND,
    Calendar,
    anniversary,
    coverage_ends,
    due_end,
    load_calendar,
    load_local_calendar,
    months_later,
    shanghai_day,
)
from registry.norms.calendar_pack import Change, Direction, PackStatus, read_calendar_pack
from registry.parties import Jurisdiction
from tests.unit.registry.norms.packs import pack_text

MAIN = load_calendar()
OFFICIAL_2026 = MAIN.packs[2026]
PROVISIONAL_2027 = MAIN.packs[2027]
ONLY_2026 = Calendar.of([OFFICIAL_2026])


@pytest.mark.parametrize(
    ("start", "days", "due"),
    [
        ("2026-02-13", 1, "2026-02-14"),
        ("2026-02-13", 3, "2026-02-25"),
        ("2026-02-13", 5, "2026-02-27"),
        ("2026-09-30", 1, "2026-10-08"),
        ("2026-09-30", 3, "2026-10-10"),
        ("2026-10-09", 1, "2026-10-10"),
        ("2026-09-18", 1, "2026-09-20"),
        ("2026-09-18", 5, "2026-09-24"),
        ("2026-09-18", 20, "2026-10-22"),
        ("2026-05-08", 1, "2026-05-09"),
        ("2026-01-01", 2, "2026-01-05"),
        ("2026-04-30", 5, "2026-05-11"),
        ("2026-02-12", 7, "2026-02-28"),
        ("2026-09-29", 5, "2026-10-12"),
        ("2026-09-29", 10, "2026-10-19"),
        ("2026-12-03", 20, "2026-12-31"),
        ("2026-09-21", 10, "2026-10-12"),
    ],
)
def test_working_days_are_counted_from_the_day_after(start: str, days: int, due: str) -> None:
    counted = ONLY_2026.add_working_days(date.fromisoformat(start), days)

    assert counted.day == date.fromisoformat(due)
    assert counted.packs == ("CN-MAINLAND-2026@1",)
    assert not counted.provisional


def test_counting_into_a_year_without_a_pack_is_refused() -> None:
    with pytest.raises(CalendarUnavailable, match="CN-MAINLAND 2027"):
        ONLY_2026.add_working_days(date(2026, 12, 4), 20)


def test_counting_beyond_the_last_day_of_all_is_refused_like_any_year_without_a_pack() -> None:
    with pytest.raises(CalendarUnavailable):
        MAIN.add_working_days(date.max, 5)


def test_counting_into_an_unannounced_year_is_marked_provisional() -> None:
    due = MAIN.add_working_days(date(2026, 12, 4), 20)

    assert (due.day, due.provisional) == (date(2027, 1, 2), True)
    assert due.packs == ("CN-MAINLAND-2026@1", "CN-MAINLAND-2027@1")


def test_a_day_outside_every_pack_is_neither_working_nor_resting() -> None:
    with pytest.raises(CalendarUnavailable):
        MAIN.is_working(date(2023, 12, 31))


def test_a_clock_of_no_days_is_refused() -> None:
    with pytest.raises(ValueError, match="one working day"):
        MAIN.add_working_days(date(2026, 1, 5), 0)


def test_an_official_pack_replaces_the_provisional_one_whatever_the_order() -> None:
    official = read_calendar_pack(pack_text(year=2027, jurisdiction=MAINLAND))

    for packs in ([official, PROVISIONAL_2027], [PROVISIONAL_2027, official]):
        assert Calendar.of(packs).packs[2027].status is PackStatus.OFFICIAL


def test_of_two_packs_of_one_status_the_newer_version_counts() -> None:
    newer = read_calendar_pack(pack_text('2026-03-04 = "REST"', version=2))
    older = read_calendar_pack(pack_text())

    assert Calendar.of([newer, older]).packs[2026].id == "X-2026@2"


def test_two_packs_of_one_year_status_and_version_are_refused_by_name() -> None:
    twice = [read_calendar_pack(pack_text()), read_calendar_pack(pack_text('2026-03-04 = "REST"'))]

    with pytest.raises(BadPack) as failure:
        Calendar.of(twice)

    assert failure.value.place == "X-2026@1 OFFICIAL"


def test_packs_of_two_jurisdictions_make_no_calendar() -> None:
    with pytest.raises(BadPack, match="one jurisdiction"):
        Calendar.of([OFFICIAL_2026, read_calendar_pack(pack_text())])


def test_a_jurisdiction_without_packs_has_no_calendar() -> None:
    with pytest.raises(BadPack):
        load_calendar("ATLANTIS")


def test_a_make_up_saturday_is_a_working_day() -> None:
    assert OFFICIAL_2026.changed[date(2026, 2, 14)] is Change.WORK
    assert MAIN.is_working(date(2026, 2, 14))
    assert not MAIN.is_working(date(2026, 2, 21))


def test_a_day_ends_at_midnight_in_shenzhen() -> None:
    end = due_end(date(2026, 5, 11))

    assert end == datetime(2026, 5, 11, 16, tzinfo=UTC)
    assert ONLY_2026.add_working_days(date(2026, 4, 30), 5).end == end


def test_the_day_in_shenzhen_begins_eight_hours_early() -> None:
    assert shanghai_day(datetime(2026, 5, 10, 15, 59, 59, tzinfo=UTC)) == date(2026, 5, 10)
    assert shanghai_day(datetime(2026, 5, 10, 16, tzinfo=UTC)) == date(2026, 5, 11)


def test_the_shipped_calendar_is_the_mainlands() -> None:
    assert MAIN.jurisdiction == MAINLAND


def test_the_close_of_business_is_an_hour_of_the_last_day_in_shenzhen() -> None:
    due = ONLY_2026.add_working_days(date(2026, 4, 30), 5)

    assert due.at(time(18)) == datetime(2026, 5, 11, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("day", "rolled"), [("2026-10-01", "2026-10-08"), ("2026-10-08", "2026-10-08"), ("2026-10-10", "2026-10-10")]
)
def test_a_subjects_last_day_moves_off_resting_days(day: str, rolled: str) -> None:
    assert MAIN.roll_forward(date.fromisoformat(day)).day == date.fromisoformat(rolled)


def test_an_unannounced_weekend_works_for_an_operator_and_rests_for_a_subject() -> None:
    saturday = date(2027, 3, 6)

    assert MAIN.is_working(saturday)
    assert not MAIN.is_working(saturday, Direction.LENIENT)
    assert (MAIN.roll_forward(saturday).day, MAIN.roll_forward(saturday).provisional) == (date(2027, 3, 8), True)


@pytest.mark.parametrize(
    ("jurisdiction", "strict", "lenient"),
    [
        ("CN-MAINLAND", "2026-02-25", "2026-02-25"),
        ("HK", "2026-02-23", "2026-02-23"),
        ("MO", "2026-02-23", "2026-02-24"),
    ],
)
def test_three_working_days_over_new_year_end_on_each_sides_own_day(
    jurisdiction: str, strict: str, lenient: str
) -> None:
    """In Macau the eve is a half day: it works for whoever must act, and rests for whoever may."""
    calendar, start = load_calendar(jurisdiction), date(2026, 2, 13)

    assert calendar.add_working_days(start, 3).day == date.fromisoformat(strict)
    assert calendar.add_working_days(start, 3, Direction.LENIENT).day == date.fromisoformat(lenient)


def test_only_nodes_outside_the_mainland_count_by_a_calendar_of_their_own() -> None:
    own = {place: load_local_calendar(place) for place in Jurisdiction}

    assert own == {Jurisdiction.CN_SZ: None, Jurisdiction.HK: load_calendar("HK"), Jurisdiction.MO: load_calendar("MO")}


def test_coverage_tells_announced_years_from_guarded_ones() -> None:
    coverage = coverage_ends(MAIN, date(2026, 11, 2))

    assert (coverage.until, coverage.official_until) == (date(2027, 12, 31), date(2026, 12, 31))
    assert coverage.is_unannounced_within(60)
    assert not coverage.is_unannounced_within(58)
    assert not coverage.ends_within(60)


def test_coverage_ends_at_the_first_year_that_is_missing() -> None:
    gap = Calendar.of(read_calendar_pack(pack_text(year=year)) for year in (2026, 2028))

    assert coverage_ends(gap, date(2026, 11, 1)).until == date(2026, 12, 31)
    assert coverage_ends(gap, date(2026, 11, 1)).ends_within(60)
    assert not coverage_ends(gap, date(2026, 11, 1)).ends_within(59)


def test_in_an_unannounced_year_nothing_is_covered_officially() -> None:
    coverage = coverage_ends(MAIN, date(2027, 1, 4))

    assert coverage.official_until < coverage.today
    assert coverage.is_unannounced_within(0)


def test_without_a_pack_for_today_there_is_no_coverage_to_speak_of() -> None:
    with pytest.raises(CalendarUnavailable, match="CN-MAINLAND 2028"):
        coverage_ends(MAIN, date(2028, 1, 1))


@pytest.mark.parametrize(
    ("generated", "withheld"),
    [
        (date(2021, 11, 23), date(2026, 11, 23)),
        (date(2024, 2, 29), date(2029, 2, 28)),
        (date(2022, 1, 1), date(2027, 1, 1)),
    ],
)
def test_the_fifth_anniversary_is_the_first_withheld_day(generated: date, withheld: date) -> None:
    assert anniversary(generated, 5) == withheld


@pytest.mark.parametrize(
    ("day", "months", "later"),
    [
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2027, 12, 31), 2, date(2028, 2, 29)),
        (date(2026, 11, 30), 1, date(2026, 12, 30)),
        (date(2026, 12, 1), 12, date(2027, 12, 1)),
    ],
)
def test_a_month_ends_on_the_day_of_the_same_number_or_the_months_last(day: date, months: int, later: date) -> None:
    assert months_later(day, months) == later


def test_there_is_no_month_after_the_last() -> None:
    with pytest.raises(ValueError, match="9999"):
        months_later(date(9999, 12, 1), 1)


@pytest.mark.parametrize(
    ("after", "last", "left"),
    [("2026-09-30", "2026-10-08", 1), ("2026-05-08", "2026-05-09", 1), ("2026-05-08", "2026-05-08", 0)],
)
def test_working_days_that_are_left_end_with_the_last_one(after: str, last: str, left: int) -> None:
    assert MAIN.working_days_until(date.fromisoformat(after), date.fromisoformat(last)) == left


def test_days_that_are_over_leave_none() -> None:
    assert MAIN.working_days_until(date(2026, 5, 9), date(2026, 5, 8)) == 0
