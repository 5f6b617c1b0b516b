"""The comparison of two endings finds what it is there to find: something lost, doubled, risen again or left over."""

from itertools import pairwise

import pytest

from node.domain.journal import Act
from registry.parties import PartyId
from tests.crash.crashes import ROLES, Crashes, spread
from tests.crash.ending import Ending, differences, left_over, void, wrong_at
from tests.crash.story import BOTH, HOLDER
from tests.fakes.propagation import HOME

EVALUATION = f"{Act.EVALUATE.value} {HOLDER} ..."


BROKEN = [
    (HOME, "loses a row", "notices.add", "sz-agency: notices: lacks"),
    (HOME, "loses a row", "notices.add", "hk-bank-a: copies: has too much"),
    (HOME, "does twice", "journal.add", "sz-agency: journal: has too much"),
    (HOME, "does twice", "usage.charge", "beyond what was evaluated"),
    (HOME, "forgets", "settlements.settle", "sz-agency: ledger: has too much record 2 v1 hk-bank-a None open"),
    (HOME, "forgets", "settlements.end", "sz-agency: ledger: has too much record 1 v1 hk-bank-a None open"),
    (HOME, "forgets", "sent_frames.receipt", "sz-agency: frames: has too much answer receipted=False"),
    (HOME, "forgets", "renditions.destroy", "sz-agency: wrong: has too much renditions.body still holds"),
    (HOME, "loses a row", "clocks.add", "sz-agency: clocks: lacks REVOKE_NOTIFY change 3@2 of 1 hk-bank-a"),
    (HOME, "forgets", "clocks.put", "sz-agency: clocks: has too much D10_CORR_NOTIFY change 2@2 of 1 hk-bank-a"),
    (HOLDER, "loses a row", "clocks.add", "hk-bank-a: clocks: lacks PEER_DELETE notices 1 of"),
    (HOME, "loses a row", "standings.put", "sz-agency: fallen: lacks record 10 PROVENANCE_MISSING severity"),
    (HOME, "forgets", "withholdings.end", "sz-agency: withholdings: lacks record 8 SUSPENDED"),
    (HOME, "forgets", "journal.sequence", "entries are not in the published journal"),
    (HOLDER, "loses a row", "copies.raise_floors", "hk-bank-a: floors: lacks"),
    (HOLDER, "forgets", "erasures.add", "sz-agency: notices: lacks"),
    (HOLDER, "forgets", "notices_taken.advance", "hk-bank-a: notices taken: lacks"),
]
"""At whom, what, in which call, and what the comparison says of it."""


@pytest.mark.parametrize(
    ("where", "what", "call", "found"),
    BROKEN,
    ids=[f"{ROLES[where]} {what} in {call}" for where, what, call, _ in BROKEN],
)
def test_what_is_broken_on_purpose_is_found(
    on_sqlite: Crashes, where: PartyId, what: str, call: str, found: str
) -> None:
    differences = on_sqlite.flawed((where, what, call))

    assert any(found in one for one in differences), differences


def test_the_undisturbed_story_ends_well(on_sqlite: Crashes) -> None:
    told = on_sqlite.undisturbed

    assert [told[wrong_at(party)] for party in BOTH] == [[], []]
    assert all(" done " in line for party in BOTH for line in told[f"{party}: jobs"])
    assert [line.split()[-1] for line in told[f"{HOME}: notices"]] == ["DELETED"] * 9
    assert [line.split()[-1] for line in told[f"{HOME}: ledger"]].count("open") == len(told[f"{HOLDER}: copies"])


def test_an_undisturbed_story_ends_the_same_a_second_time(on_sqlite: Crashes) -> None:
    assert on_sqlite.flawed((HOME, "forgets", "nothing")) == []


def test_it_ends_the_same_on_both_kinds_of_database(on_sqlite: Crashes, on_postgresql: Crashes) -> None:
    assert differences(on_sqlite.undisturbed, on_postgresql.undisturbed) == []


def test_only_what_an_act_may_repeat_is_let_pass_and_only_once() -> None:
    expected: Ending = {f"{HOME}: journal": []}
    once, twice = ({f"{HOME}: journal": [EVALUATION] * times} for times in (1, 2))

    assert differences(expected, once, "query") == []
    assert len(differences(expected, twice, "query")) == 1
    assert len(differences(expected, once, "push")) == 1
    assert len(differences(once, expected, "query")) == 1


def test_an_address_that_was_superseded_is_found_in_any_table() -> None:
    tables = {"jobs": [{"number": 1, "payload": b"{}"}, {"number": 2, "payload": f'["{void()[0]}"]'.encode()}]}

    assert left_over(tables, []) == [f"jobs.payload still holds {void()[0]}"]


@pytest.mark.parametrize(("calls", "first_and_last"), [(1, [1]), (2, [1, 2]), (9, [1, 9]), (107, [1, 107])])
def test_points_are_spread_from_the_first_call_to_the_last(calls: int, first_and_last: list[int]) -> None:
    places = spread(calls)

    assert sorted({places[0], places[-1]}) == first_and_last
    assert max((late - early for early, late in pairwise(places)), default=1) <= 54
