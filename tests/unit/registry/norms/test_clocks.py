"""Clocks of the shipped rule pack, with the dates that the regulation gives them."""

from datetime import UTC, date, datetime, timedelta

import msgspec
import pytest

from registry.errors import CalendarUnavailable
from registry.norms.calendar import Calendar, Due, load_calendar
from registry.norms.calendar_pack import Direction
from registry.norms.clocks import Bound, Clock, Extension, Reading, Timeliness, Unit, recount
from registry.norms.rule_pack import load_rule_pack

RULES = load_rule_pack()
MAIN, HONG_KONG, MACAU = (load_calendar(jurisdiction) for jurisdiction in ("CN-MAINLAND", "HK", "MO"))
ONLY_2026 = Calendar.of([MAIN.packs[2026]])
RECEIVED = date(2026, 9, 18)
"""A dispute received on a Friday, before a make-up Sunday, Mid-Autumn and National Day."""


def day(text: str) -> date:
    return date.fromisoformat(text)


def due(code: str, start: date | str, calendar: Calendar = MAIN) -> str:
    return RULES.clocks[code].due(day(start) if isinstance(start, str) else start, calendar).day.isoformat()


def read(code: str, start: date, local: Calendar | None = None) -> Reading:
    return RULES.clocks[code].read(start, MAIN, local)


def clock(bound: Bound, direction: Direction = Direction.STRICT, *, law: Bound | None = None) -> Clock:
    return Clock(
        article="1",
        zh="一",
        en="one",
        start=("a.began",),
        end=("a.ended",),
        on_breach=("LATE",),
        strict=bound,
        law=law,
        direction=direction,
    )


@pytest.mark.parametrize(
    ("code", "start", "end"),
    [
        ("AGR_FILE", "2026-04-30", "2026-05-11"),
        ("REORG_ANNOTATE", "2026-02-12", "2026-02-28"),
        ("REPAIR_DECIDE", "2026-09-29", "2026-10-12"),
        ("REVOKE_DELETE", "2026-02-13", "2026-02-25"),
        ("REVOKE_NOTIFY", "2026-02-13", "2026-02-14"),
        ("D10_CORR_NOTIFY", "2026-05-08", "2026-05-09"),
        ("D9_CAP", "2026-12-03", "2026-12-31"),
        ("GBA_SC_FILE", "2026-09-21", "2026-10-12"),
        ("PEER_REVIEW", "2024-02-29", "2025-02-28"),
    ],
)
def test_a_clock_of_the_regulation_ends_on_this_day(code: str, start: str, end: str) -> None:
    assert due(code, start) == end


def test_a_dispute_received_on_18_september_2026_runs_to_22_october() -> None:
    assert due("D1_ANNOTATE", RECEIVED) == "2026-09-18"
    assert due("D1_NOTIFY", RECEIVED) == "2026-09-20"
    assert due("D2_COMPARE", RECEIVED) == "2026-09-21"
    assert due("D5_ASK_PROVIDER", RECEIVED) == "2026-09-21"
    assert due("D3_OWN_FIX", RECEIVED) == "2026-09-22"
    assert due("D6_PROVIDER", "2026-09-21") == "2026-10-12"
    assert due("D7_TELL", "2026-10-12") == "2026-10-14"
    assert due("D9_CAP", RECEIVED) == "2026-10-22"


def test_a_dispute_may_be_brought_for_sixty_days_and_over_the_holidays() -> None:
    assert due("D0_WINDOW", "2026-08-02") == "2026-10-08"
    assert day("2026-08-02") + timedelta(days=60) == day("2026-10-01")


def test_without_the_next_year_a_clock_that_crosses_into_it_is_refused() -> None:
    with pytest.raises(CalendarUnavailable, match="CN-MAINLAND 2027"):
        due("D9_CAP", "2026-12-04", ONLY_2026)


def test_a_notice_of_an_annotation_is_late_after_one_day_and_a_breach_after_three() -> None:
    """S 42 says one working day, S 37 three."""
    notified = read("D1_NOTIFY", RECEIVED)

    assert (notified.due.day, notified.outer and notified.outer.day) == (day("2026-09-20"), day("2026-09-22"))
    assert [notified.judge(day(f"2026-09-{number}")) for number in (20, 21, 22, 23)] == [
        *(Timeliness.IN_TIME, Timeliness.LATE, Timeliness.LATE, Timeliness.BREACH),
    ]


def test_where_the_text_is_silent_there_is_lateness_but_no_breach() -> None:
    told = read("REVOKE_NOTIFY", RECEIVED)

    assert told.outer is None
    assert told.judge(day("2027-09-18")) is Timeliness.LATE


@pytest.mark.parametrize(
    ("generated", "withheld"),
    [("2021-11-23", "2026-11-23"), ("2024-02-29", "2029-02-28"), ("2022-01-01", "2027-01-01")],
)
def test_a_record_is_withheld_from_the_fifth_anniversary(generated: str, withheld: str) -> None:
    reading = read("DISCLOSURE", day(generated))

    assert reading.due.next_day == day(withheld)
    assert reading.due.end == datetime.fromisoformat(f"{withheld}T00:00+08:00")
    assert reading.outer is not None
    assert reading.outer.day == day(withheld)


def test_a_query_log_may_not_be_purged_before_five_years_have_passed() -> None:
    kept = read("LOG_KEEP", day("2026-01-05"))

    assert kept.due.day == day("2031-01-05")
    assert kept.judge(day("2031-01-05")) is Timeliness.TOO_EARLY
    assert kept.judge(day("2031-01-06")) is Timeliness.IN_TIME
    assert due("LOG_PURGE", kept.due.day) == "2031-02-04"


def test_what_is_immediate_is_due_at_the_instant_that_starts_it() -> None:
    moment = datetime(2026, 10, 3, 9, 30, tzinfo=UTC)

    assert read("SUSPEND", day("2026-10-03")).due_at(moment) == moment
    assert read("STATEMENT", day("2026-10-03")).due_at(moment) == datetime(2026, 10, 3, 16, tzinfo=UTC)


def test_no_time_resumes_disclosure_only_a_person_does() -> None:
    resume = RULES.clocks["RESUME"]

    assert resume.confirmed_by_person
    with pytest.raises(ValueError, match="a person confirms it"):
        resume.read(RECEIVED, MAIN)


def test_a_repair_may_be_extended_to_ten_days_in_all() -> None:
    extended = RULES.clocks["REPAIR_DECIDE"].read_extended(day("2026-09-29"), MAIN)

    assert (extended.due.day, extended.outer) == (day("2026-10-19"), extended.due)


def test_a_provider_may_be_given_more_time_only_up_to_the_cap() -> None:
    cap = read("D9_CAP", RECEIVED)
    extended = RULES.clocks["D6_PROVIDER"].read_extended(day("2026-09-21"), MAIN, cap=cap)

    assert extended.due.day == day("2026-10-22")
    assert extended.clock is RULES.clocks["D6_PROVIDER"]


def test_a_clock_that_ends_with_another_is_not_extended_without_it() -> None:
    for code in ("D6_PROVIDER", "D2_COMPARE"):
        with pytest.raises(ValueError, match="an extension, and the cap"):
            RULES.clocks[code].read_extended(RECEIVED, MAIN)


def test_no_step_of_a_dispute_outlives_the_whole() -> None:
    """A provider that was asked late still has to reply before the cap."""
    cap, late = read("D9_CAP", RECEIVED), read("D6_PROVIDER", day("2026-10-15"))

    assert late.due.day == day("2026-10-29")
    assert late.within(cap).due.day == day("2026-10-22")
    assert late.within(cap).outer == cap.outer
    assert read("D6_PROVIDER", day("2026-09-21")).within(cap).due.day == day("2026-10-12")


@pytest.mark.parametrize(("local", "end"), [(None, "2026-02-25"), (HONG_KONG, "2026-02-23"), (MACAU, "2026-02-23")])
def test_a_node_in_hong_kong_or_macau_keeps_the_earlier_of_two_dates(local: Calendar | None, end: str) -> None:
    reading = read("PEER_DELETE", day("2026-02-13"), local)

    assert reading.due.day == day(end)
    assert reading.counted[0].day == day("2026-02-25")
    assert len(reading.packs) == (1 if local is None else 2)


def test_the_mainlands_date_is_kept_where_it_is_the_earlier() -> None:
    """Easter rests in Hong Kong and not on the mainland."""
    reading = read("D9_CAP", day("2026-03-20"), HONG_KONG)

    assert reading.due == reading.counted[0]
    assert reading.counted[0].day < reading.counted[1].day


def test_a_subject_in_hong_kong_has_the_later_of_two_dates() -> None:
    """60 days from 3 February 2026 end on Saturday 4 April: Qingming to the 6th here, Easter to the 7th there."""
    reading = read("D0_WINDOW", day("2026-02-03"), HONG_KONG)

    assert [one.day for one in reading.counted] == [day("2026-04-07"), day("2026-04-08")]
    assert reading.due.day == day("2026-04-08")


def test_a_local_calendar_that_is_missing_is_not_passed_over() -> None:
    with pytest.raises(CalendarUnavailable, match="HK 2027"):
        read("D9_CAP", day("2026-12-04"), Calendar.of([HONG_KONG.packs[2026]]))


def test_a_reading_is_provisional_when_any_of_its_dates_is() -> None:
    reading = read("D1_NOTIFY", day("2026-12-30"))

    assert not reading.due.provisional
    assert reading.outer is not None
    assert reading.outer.provisional
    assert reading.provisional
    assert reading.packs == ("CN-MAINLAND-2026@1", "CN-MAINLAND-2027@1")


def test_counted_again_an_operators_date_stays_the_earlier_and_a_subjects_the_later() -> None:
    earlier = Due(day=day("2027-01-02"), packs=("X-2027@1",), provisional=True)
    later = Due(day=day("2027-01-04"), packs=("X-2027@2",), provisional=False)

    for previous, computed in ((earlier, later), (later, earlier)):
        kept = recount(RULES.clocks["D9_CAP"], previous, computed)
        assert (kept.due, kept.previous, kept.computed) == (earlier, previous, computed)
        assert recount(RULES.clocks["D0_WINDOW"], previous, computed).due == later
        assert recount(RULES.clocks["LOG_KEEP"], previous, computed).due == later


@pytest.mark.parametrize(
    ("bound", "end"),
    [
        (Bound(unit=Unit.NATURAL_DAY, length=3), "2026-02-03"),
        (Bound(unit=Unit.NATURAL_DAY, length=3, start_counts=True), "2026-02-02"),
        (Bound(unit=Unit.MONTH, length=1), "2026-02-28"),
        (Bound(unit=Unit.MONTH, length=1, start_counts=True), "2026-02-27"),
        (Bound(unit=Unit.YEAR, length=1), "2027-01-31"),
        (Bound(unit=Unit.SAME_DAY), "2026-01-31"),
        (Bound(unit=Unit.IMMEDIATE), "2026-01-31"),
    ],
)
def test_what_counts_no_working_days_needs_no_calendar(bound: Bound, end: str) -> None:
    empty = Calendar(jurisdiction=MAIN.jurisdiction, packs={})
    found = clock(bound).read(day("2026-01-31"), empty)

    assert (found.due.day, found.packs, found.provisional) == (day(end), (), False)


@pytest.mark.parametrize("unit", [Unit.NATURAL_DAY, Unit.MONTH, Unit.YEAR])
def test_beyond_the_last_year_of_all_nothing_is_guessed(unit: Unit) -> None:
    with pytest.raises(CalendarUnavailable):
        clock(Bound(unit=unit, length=1)).due(date.max, MAIN)


def test_as_if_every_day_worked_is_the_earliest_that_can_be() -> None:
    assert RULES.notice_clock.due_without_calendar(day("2026-09-30")) == day("2026-10-03")
    assert due("PEER_DELETE", "2026-09-30") == "2026-10-10"


@pytest.mark.parametrize(
    "fields",
    [
        {"unit": "WORKING_DAY"},
        {"unit": "YEAR"},
        {"unit": "SAME_DAY", "length": 1},
        {"unit": "IMMEDIATE", "length": 1},
        {"unit": "WORKING_DAY", "length": 1, "start_counts": True},
        {"unit": "WEEK", "length": 1},
        {"unit": "YEAR", "length": 0},
        {"unit": "YEAR", "length": 1, "about": True},
    ],
)
def test_a_period_that_nobody_can_count_is_refused(fields: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(fields, Bound)


@pytest.mark.parametrize(
    "fields", [{}, {"within": "D9_CAP", "total": {"unit": "WORKING_DAY", "length": 10}}, {"within": "the cap"}]
)
def test_an_extension_has_one_end(fields: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(fields, Extension)
