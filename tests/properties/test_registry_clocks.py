"""Laws of clocks: none may give an operator more time, or a subject less, than the regulation does."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from registry.norms.calendar import Calendar, load_calendar
from registry.norms.calendar_pack import CalendarPack, Direction
from registry.norms.clocks import Bound, Unit, recount
from tests.properties.test_registry_calendar import HONG_KONG, MACAU, MAIN, official_2027
from tests.unit.registry.norms.test_clocks import clock

LENGTHS = {Unit.WORKING_DAY: 30, Unit.NATURAL_DAY: 60, Unit.MONTH: 3}
STARTS = st.dates(date(2024, 1, 1), date(2027, 9, 1))
LOCALS = st.sampled_from([None, HONG_KONG, MACAU])
DIRECTIONS = st.sampled_from(Direction)


@st.composite
def bounds(draw: st.DrawFn) -> Bound:
    """Any period that the shipped calendars can count from any of the starts."""
    unit = draw(st.sampled_from(sorted(LENGTHS)))
    return Bound(unit=unit, length=draw(st.integers(1, LENGTHS[unit])))


@given(bound=bounds(), first=STARTS, second=STARTS, direction=DIRECTIONS, local=LOCALS)
def test_a_clock_that_starts_later_never_ends_earlier(
    bound: Bound, first: date, second: date, direction: Direction, local: Calendar | None
) -> None:
    ends = [clock(bound, direction).read(start, MAIN, local).due.day for start in sorted((first, second))]

    assert ends == sorted(ends)


@given(bound=bounds(), start=STARTS, direction=DIRECTIONS, local=LOCALS)
def test_a_longer_clock_never_ends_earlier(
    bound: Bound, start: date, direction: Direction, local: Calendar | None
) -> None:
    lengths = range(1, (bound.length or 0) + 1)
    ends = [clock(replace(bound, length=length), direction).read(start, MAIN, local).due.day for length in lengths]

    assert ends == sorted(ends)


@given(length=st.integers(1, 30), start=STARTS, local=LOCALS)
def test_an_operators_working_days_never_end_on_a_resting_day(length: int, start: date, local: Calendar | None) -> None:
    reading = clock(Bound(unit=Unit.WORKING_DAY, length=length)).read(start, MAIN, local)

    assert any(calendar.is_working(reading.due.day) for calendar in (MAIN, local) if calendar is not None)
    assert all(reading.due.day <= one.day for one in reading.counted)


@given(bound=bounds(), start=STARTS, local=LOCALS)
def test_a_subjects_time_is_never_shorter_than_an_operators(bound: Bound, start: date, local: Calendar | None) -> None:
    strict, lenient = (clock(bound, direction).read(start, MAIN, local).due.day for direction in Direction)

    assert strict <= lenient


@given(bound=bounds(), start=STARTS)
def test_counting_every_day_as_working_is_never_later(bound: Bound, start: date) -> None:
    owed = clock(bound)

    assert owed.due_without_calendar(start) <= owed.due(start, MAIN).day


@given(
    official=official_2027(),
    bound=bounds(),
    start=st.dates(date(2026, 10, 1), date(2027, 9, 1)),
    direction=DIRECTIONS,
)
def test_an_announcement_never_gives_an_operator_more_time_nor_a_subject_less(
    official: CalendarPack, bound: Bound, start: date, direction: Direction
) -> None:
    announced = Calendar.of([*load_calendar().packs.values(), official])
    counted = clock(bound, direction)
    previous = counted.due(start, MAIN)
    kept = recount(counted, previous, counted.due(start, announced)).due.day

    assert kept <= previous.day if direction is Direction.STRICT else kept >= previous.day
