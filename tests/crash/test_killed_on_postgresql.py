"""Whoever is killed, and wherever: on PostgreSQL the story ends as if nothing had happened."""

import pytest

from registry.parties import PartyId
from tests.crash.crashes import CASES, NAMES, Crashes
from tests.thorough import THOROUGH


@pytest.mark.parametrize(("victim", "act"), CASES, ids=NAMES)
def test_killed_before_or_after_any_call_it_ends_the_same(on_postgresql: Crashes, victim: PartyId, act: str) -> None:
    kills = on_postgresql.points(act, victim)

    wrong = {on_postgresql.place(act, kill): on_postgresql.broken_off(act, kill) for kill in kills}

    assert {place: differences for place, differences in wrong.items() if differences} == {}


def test_that_is_shown_at_a_hundred_points_or_a_third_of_them(on_postgresql: Crashes) -> None:
    assert sum(len(on_postgresql.points(act, victim)) for victim, act in CASES) >= (100 if THOROUGH else 34)
