"""Laws of counting working days."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from registry.norms.calendar import Calendar, load_calendar
from registry.norms.calendar_pack import CalendarPack, Change, Direction, PackStatus

MAIN, HONG_KONG, MACAU = (load_calendar(jurisdiction) for jurisdiction in ("CN-MAINLAND", "HK", "MO"))
CALENDARS = st.sampled_from([MAIN, HONG_KONG, MACAU])
PROVISIONAL = MAIN.packs[2027]
COVERED = st.dates(date(2024, 1, 1), date(2026, 11, 1))
DAYS_OF_2027 = st.dates(date(2027, 1, 1), date(2027, 12, 31))


@st.composite
def official_2027(draw: st.DrawFn) -> CalendarPack:
    """Any announcement that leaves the statutory days at rest and moves other days as it likes."""
    moved = draw(st.sets(DAYS_OF_2027, max_size=60)) - PROVISIONAL.changed.keys()
    statutory = {day: Change.REST for day in PROVISIONAL.changed if day.weekday() < 5}
    changed = {day: Change.REST if day.weekday() < 5 else Change.WORK for day in moved}
    return replace(PROVISIONAL, status=PackStatus.OFFICIAL, changed=statutory | changed)


@given(calendar=CALENDARS, start=COVERED, days=st.integers(1, 20), direction=st.sampled_from(Direction))
def test_a_clock_ends_on_a_working_day_after_exactly_that_many(
    calendar: Calendar, start: date, days: int, direction: Direction
) -> None:
    due = calendar.add_working_days(start, days, direction)
    counted = [start + timedelta(days=n) for n in range(1, (due.day - start).days + 1)]

    assert calendar.is_working(due.day, direction)
    assert sum(calendar.is_working(day, direction) for day in counted) == days


@given(start=COVERED, first=st.integers(1, 10), second=st.integers(1, 10))
def test_counting_in_two_steps_is_counting_once(start: date, first: int, second: int) -> None:
    stepwise = MAIN.add_working_days(MAIN.add_working_days(start, first).day, second)

    assert stepwise.day == MAIN.add_working_days(start, first + second).day


@given(official=official_2027(), start=st.dates(date(2026, 12, 1), date(2027, 9, 1)), days=st.integers(1, 20))
def test_a_provisional_deadline_is_never_later_than_the_official_one(
    official: CalendarPack, start: date, days: int
) -> None:
    announced = Calendar.of([*MAIN.packs.values(), official])

    assert MAIN.add_working_days(start, days).day <= announced.add_working_days(start, days).day


@given(calendar=CALENDARS, day=st.dates(date(2024, 1, 1), date(2027, 12, 15)))
def test_a_subjects_last_day_moves_to_the_first_day_that_surely_works(calendar: Calendar, day: date) -> None:
    rolled = calendar.roll_forward(day).day
    passed = [day + timedelta(days=n) for n in range((rolled - day).days)]

    assert calendar.is_working(rolled, Direction.LENIENT)
    assert not any(calendar.is_working(one, Direction.LENIENT) for one in passed)
