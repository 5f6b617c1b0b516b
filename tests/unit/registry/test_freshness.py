from datetime import timedelta

from registry.freshness import TOLERANCE, clock, is_ahead, is_fresh
from tests.unit.registry.cast import DAY, NOON

SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)


def test_the_clock_is_the_later_of_local_and_authority_time() -> None:
    assert clock(NOON, None) == NOON
    assert clock(NOON, NOON - SECOND) == NOON
    assert clock(NOON, NOON + SECOND) == NOON + SECOND


def test_a_head_is_fresh_up_to_its_age_limit_and_the_tolerance() -> None:
    assert is_fresh(NOON, NOON + HOUR + TOLERANCE, HOUR)
    assert not is_fresh(NOON, NOON + HOUR + TOLERANCE + SECOND, HOUR)


def test_a_clock_set_back_does_not_keep_an_old_head_fresh() -> None:
    stopped = clock(NOON - DAY, NOON)

    assert not is_fresh(NOON - DAY, stopped, HOUR)


def test_a_head_from_the_future_beyond_the_tolerance_is_refused() -> None:
    assert not is_ahead(NOON + TOLERANCE, NOON)
    assert is_ahead(NOON + TOLERANCE + SECOND, NOON)
    assert is_fresh(NOON + TOLERANCE, NOON, HOUR)
    assert not is_fresh(NOON + TOLERANCE + SECOND, NOON, HOUR)
