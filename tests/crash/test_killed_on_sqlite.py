"""Whoever is killed, and wherever: on SQLite the story ends as if nothing had happened."""

import pytest

from registry.parties import PartyId
from tests.crash.crashes import CASES, NAMES, Crashes


@pytest.mark.parametrize(("victim", "act"), CASES, ids=NAMES)
def test_killed_before_or_after_any_call_it_ends_the_same(on_sqlite: Crashes, victim: PartyId, act: str) -> None:
    kills = on_sqlite.points(act, victim)

    wrong = {on_sqlite.place(act, kill): on_sqlite.broken_off(act, kill) for kill in kills}

    assert {place: differences for place, differences in wrong.items() if differences} == {}


def test_that_is_shown_at_a_hundred_points_or_more(on_sqlite: Crashes) -> None:
    assert sum(len(on_sqlite.points(act, victim)) for victim, act in CASES) >= 100
