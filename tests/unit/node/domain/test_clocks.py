"""A clock runs from its event, is judged by its two bounds, is met once, and is counted again when calendars change."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.domain.clocks import About, Counting, Happening, LegalClock, Start, Subject, begin, begun_by, count_again
from registry.norms.calendar import Calendar, load_calendar, shanghai_day
from registry.norms.clocks import Timeliness
from registry.norms.rule_pack import load_rule_pack

RULES = load_rule_pack()
MAIN, HONG_KONG = load_calendar(), load_calendar("HK")
COUNTING = Counting(rules=RULES, mainland=MAIN)
IN_HONG_KONG = Counting(rules=RULES, mainland=MAIN, local=HONG_KONG)
UNTIL_2026 = Counting(rules=RULES, mainland=Calendar.of([MAIN.packs[2026]]))
SUBJECT = Subject(about=About.CHANGE, name="17@2", peer="hk-bank")
BEFORE_GOLDEN_WEEK = date(2026, 9, 30)
"""Behind it the mainland rests for a week, and Hong Kong for a day."""
LAST_OF_2026 = date(2026, 12, 31)


def noon(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 4, tzinfo=UTC)


def clock(code: str = "D10_CORR_NOTIFY", start: date = BEFORE_GOLDEN_WEEK, by: Counting = IN_HONG_KONG) -> LegalClock:
    started = Start(event=RULES.clocks[code].start[0], on=start)
    return begin(code, started, SUBJECT, by, noon(start))


def test_a_node_in_hong_kong_is_late_by_its_own_calendar_and_in_breach_by_the_mainlands() -> None:
    one = clock()

    assert (one.due_on, one.outer_on) == (date(2026, 10, 2), date(2026, 10, 8))
    assert [one.judge(date(2026, 10, day)) for day in (2, 3, 8, 9)] == [
        *(Timeliness.IN_TIME, Timeliness.LATE, Timeliness.LATE, Timeliness.BREACH)
    ]


def test_a_clock_remembers_its_article_its_packs_and_whether_a_year_is_still_to_be_announced() -> None:
    announced, open_year = clock(), clock(start=LAST_OF_2026, by=COUNTING)

    assert (announced.article, announced.rule_pack) == ("42", RULES.reference)
    assert (announced.packs, announced.provisional) == (("CN-MAINLAND-2026@1", "HK-2026@1"), False)
    assert open_year.provisional


def test_what_is_missed_is_noted_once_for_each_bound() -> None:
    late = clock().missed_on(date(2026, 10, 3))
    assert late is not None
    breach = late.missed_on(date(2026, 10, 9))
    assert breach is not None

    assert (late.standing, breach.standing) == (Timeliness.LATE, Timeliness.BREACH)
    assert clock().missed_on(date(2026, 10, 2)) is None
    assert late.missed_on(date(2026, 10, 8)) is None
    assert breach.missed_on(date(2027, 1, 1)) is None


def test_a_proof_that_an_act_was_in_time_counts_though_it_came_late() -> None:
    late = clock().missed_on(date(2026, 10, 3))
    assert late is not None

    met = late.met(Happening.DISPATCHED, noon(date(2026, 10, 1)))

    assert (met.standing, met.standing_on(date(2027, 1, 1))) == (Timeliness.IN_TIME, Timeliness.IN_TIME)


def test_where_no_calendar_covers_the_time_days_are_counted_as_if_all_worked() -> None:
    one = clock("REVOKE_DELETE", LAST_OF_2026, UNTIL_2026)

    assert (one.due_on, one.outer_on, one.packs, one.provisional) == (date(2027, 1, 3), None, (), True)


def test_a_clock_is_counted_again_when_the_year_is_there_and_the_earlier_day_is_kept() -> None:
    counted = count_again(clock("REVOKE_DELETE", LAST_OF_2026, UNTIL_2026), COUNTING)
    assert counted is not None

    assert (counted.before.due_on, counted.after.due_on) == (date(2027, 1, 3), date(2027, 1, 3))
    assert (counted.computed_on, counted.after.outer_on) == (date(2027, 1, 4), date(2027, 1, 4))
    assert counted.differs
    assert counted.after.packs
    assert count_again(counted.after, COUNTING) is None


def test_a_clock_whose_calendars_are_the_same_or_still_missing_is_not_counted_again() -> None:
    assert count_again(clock(), IN_HONG_KONG) is None
    assert count_again(clock("REVOKE_DELETE", LAST_OF_2026, UNTIL_2026), UNTIL_2026) is None


def test_a_clock_of_another_rule_pack_stays_as_it_is() -> None:
    old = replace(clock("REVOKE_DELETE", LAST_OF_2026, UNTIL_2026), rule_pack="SZ-DRAFT-82@0")

    assert count_again(old, COUNTING) is None
    assert count_again(replace(old, code="NO_SUCH_CLOCK"), COUNTING) is None


def test_every_event_that_a_node_writes_down_is_one_of_the_rule_pack() -> None:
    assert {one.value for one in Happening} <= set(RULES.events)


def test_clocks_that_keep_something_or_that_a_person_ends_are_not_begun_by_events() -> None:
    begun = {code for code, _, _ in begun_by(RULES.events, RULES)}

    assert set(RULES.clocks) - begun == {"GBA_SC_FILE", "LOG_KEEP", "RESUME"}


@given(
    code=st.sampled_from(["REVOKE_DELETE", "REVOKE_NOTIFY", "OPT_NOTIFY", "PEER_DELETE", "AGR_FILE"]),
    start=st.dates(date(2024, 1, 1), date(2027, 12, 20)),
    later=st.integers(0, 400),
)
def test_no_calendar_makes_a_day_later_than_it_was_and_nothing_gets_better_by_waiting(
    code: str, start: date, later: int
) -> None:
    bare = Calendar.of([load_calendar().packs[2024]])
    before = clock(code, start, Counting(rules=RULES, mainland=bare))
    counted = count_again(before, IN_HONG_KONG)
    kept = before if counted is None else counted.after
    today = start + timedelta(days=later)

    assert kept.due_on <= before.due_on
    assert kept.outer_on is None or kept.due_on <= kept.outer_on
    standings = [Timeliness.IN_TIME, Timeliness.LATE, Timeliness.BREACH]
    waited = [standings.index(kept.standing_on(today + timedelta(days=days))) for days in (0, 1, 10)]
    assert waited == sorted(waited)


@pytest.mark.parametrize(("hour", "expected"), [(15, Timeliness.IN_TIME), (16, Timeliness.LATE)])
def test_a_day_ends_at_midnight_in_shenzhen(hour: int, expected: Timeliness) -> None:
    at = datetime(2026, 10, 2, hour, tzinfo=UTC)

    assert clock().met(Happening.DISPATCHED, at).standing is expected
    assert shanghai_day(at) == date(2026, 10, 2 if hour == 15 else 3)
