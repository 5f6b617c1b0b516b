from datetime import UTC, date, datetime, timedelta

import chinese_calendar
import pytest

from registry.errors import BadPack, CalendarUnavailable
from registry.norms.calendar import (
    MAINLAND,
    Calendar,
    Change,
    PackStatus,
    due_end,
    load_calendar,
    read_calendar_pack,
    shanghai_day,
)
from registry.norms.packs import shipped

MAIN = load_calendar()
OFFICIAL_2026 = MAIN.packs[2026]
PROVISIONAL_2027 = MAIN.packs[2027]
ONLY_2026 = Calendar.of([OFFICIAL_2026])
PACK = 'jurisdiction = "X"\nyear = 2026\nversion = 1\nstatus = "{status}"\nsource = "s"\n[changed]\n{changed}\n'


def pack_text(changed: str = "", status: str = "OFFICIAL") -> str:
    return PACK.format(status=status, changed=changed)


def day_of_2026(number: int) -> date:
    return date(2026, 1, 1) + timedelta(days=number)


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
        MAIN.is_working(date(2025, 12, 31))


def test_a_clock_of_no_days_is_refused() -> None:
    with pytest.raises(ValueError, match="one working day"):
        MAIN.add_working_days(date(2026, 1, 5), 0)


def test_every_day_of_2026_agrees_with_an_independent_calendar() -> None:
    disagreeing = [
        day for day in map(day_of_2026, range(365)) if MAIN.is_working(day) != chinese_calendar.is_workday(day)
    ]

    assert disagreeing == []


def test_the_statutory_days_of_2027_rest_and_every_other_day_counts() -> None:
    first = date(2027, 1, 1)
    resting = [day for day in (first + timedelta(days=n) for n in range(365)) if not MAIN.is_working(day)]

    assert [f"{day:%m-%d}" for day in resting] == [
        *("01-01", "02-05", "02-06", "02-07", "02-08", "04-05", "05-01", "05-02"),
        *("06-09", "09-15", "10-01", "10-02", "10-03"),
    ]


def test_an_official_pack_replaces_the_provisional_one_whatever_the_order() -> None:
    text = shipped("calendars", "CN-MAINLAND-2027").replace("PROVISIONAL", "OFFICIAL")
    kept = "\n".join(
        line
        for line in text.splitlines()
        if not any(weekend in line for weekend in ("02-06", "02-07", "05-01", "05-02", "10-02", "10-03"))
    )
    official = read_calendar_pack(kept)

    for packs in ([official, PROVISIONAL_2027], [PROVISIONAL_2027, official]):
        assert Calendar.of(packs).packs[2027].status is PackStatus.OFFICIAL


def test_of_two_packs_of_one_status_the_newer_version_counts() -> None:
    newer = read_calendar_pack(pack_text('2026-03-04 = "REST"').replace("version = 1", "version = 2"))
    older = read_calendar_pack(pack_text())

    assert Calendar.of([newer, older]).packs[2026].id == "X-2026@2"


def test_packs_of_two_jurisdictions_make_no_calendar() -> None:
    with pytest.raises(BadPack, match="one jurisdiction"):
        Calendar.of([OFFICIAL_2026, read_calendar_pack(pack_text())])


def test_a_jurisdiction_without_packs_has_no_calendar() -> None:
    with pytest.raises(BadPack):
        load_calendar("ATLANTIS")


@pytest.mark.parametrize(
    ("changed", "status", "place"),
    [
        ('2025-12-31 = "REST"', "OFFICIAL", "changed.2025-12-31"),
        ('2026-03-04 = "WORK"', "OFFICIAL", "changed.2026-03-04"),
        ('2026-03-07 = "REST"', "OFFICIAL", "changed.2026-03-07"),
        ('2026-03-07 = "WORK"', "PROVISIONAL", "changed.2026-03-07"),
    ],
)
def test_a_change_that_is_outside_the_year_or_changes_nothing_is_refused(changed: str, status: str, place: str) -> None:
    with pytest.raises(BadPack) as failure:
        read_calendar_pack(pack_text(changed, status))

    assert failure.value.place == place


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("not toml", "the whole file"),
        (pack_text().replace("year = 2026\n", ""), "$"),
        (pack_text().replace("2026", '"2026"'), "$.year"),
        (pack_text().replace("[changed]", "half_days = 1\n[changed]"), "$"),
        (pack_text('2026-03-04 = "NAP"'), "$.changed[...]"),
    ],
)
def test_a_pack_that_does_not_fit_names_the_place(text: str, place: str) -> None:
    with pytest.raises(BadPack) as failure:
        read_calendar_pack(text, "some pack")

    assert (failure.value.pack, failure.value.place) == ("some pack", place)


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
