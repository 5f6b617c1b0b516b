"""Laws of counting working days."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from registry.norms.calendar import Calendar, CalendarPack, Change, PackStatus, load_calendar

MAIN = load_calendar()
PROVISIONAL = MAIN.packs[2027]
DAYS_OF_2026 = st.dates(date(2026, 1, 1), date(2026, 11, 1))
DAYS_OF_2027 = st.dates(date(2027, 1, 1), date(2027, 12, 31))


@st.composite
def official_2027(draw: st.DrawFn) -> CalendarPack:
    """Any announcement that leaves the statutory days at rest and moves other days as it likes."""
    moved = draw(st.sets(DAYS_OF_2027, max_size=60)) - PROVISIONAL.changed.keys()
    statutory = {day: Change.REST for day in PROVISIONAL.changed if day.weekday() < 5}
    changed = {day: Change.REST if day.weekday() < 5 else Change.WORK for day in moved}
    return replace(PROVISIONAL, status=PackStatus.OFFICIAL, changed=statutory | changed)


@given(start=DAYS_OF_2026, days=st.integers(1, 20))
def test_a_clock_ends_on_a_working_day_after_exactly_that_many(start: date, days: int) -> None:
    due = MAIN.add_working_days(start, days)
    counted = [start + timedelta(days=n) for n in range(1, (due.day - start).days + 1)]

    assert MAIN.is_working(due.day)
    assert sum(MAIN.is_working(day) for day in counted) == days


@given(start=DAYS_OF_2026, first=st.integers(1, 10), second=st.integers(1, 10))
def test_counting_in_two_steps_is_counting_once(start: date, first: int, second: int) -> None:
    stepwise = MAIN.add_working_days(MAIN.add_working_days(start, first).day, second)

    assert stepwise.day == MAIN.add_working_days(start, first + second).day


@given(official=official_2027(), start=st.dates(date(2026, 12, 1), date(2027, 9, 1)), days=st.integers(1, 20))
def test_a_provisional_deadline_is_never_later_than_the_official_one(
    official: CalendarPack, start: date, days: int
) -> None:
    announced = Calendar.of([*MAIN.packs.values(), official])

    assert MAIN.add_working_days(start, days).day <= announced.add_working_days(start, days).day
