"""Whose word counts when: keys that were taken, keys that were listed again, cards that were not given."""

from datetime import UTC, datetime, timedelta

import pytest

from crypto.keys import KeyId, Purpose
from node.domain.evidence.trust import EVER, Trust
from registry.parties import PartyId
from registry.snapshot import fold

BANK, KEY = PartyId("hk-bank"), KeyId("a" * 32)
NOON = datetime(2026, 6, 1, 4, tzinfo=UTC)
HOUR = timedelta(hours=1)


def trust(listed: list[datetime], taken: list[datetime], unknown: frozenset[str] = frozenset()) -> Trust:
    return Trust(snapshot=fold([], [], EVER), listed={(BANK, KEY): listed}, taken={BANK: taken}, unknown=unknown)


@pytest.mark.parametrize(
    ("listed", "taken", "compromised"),
    [
        ([-9], [], False),
        ([-9], [-1], True),
        ([-9], [0], True),
        ([-9], [1], False),
        ([-9, -1], [-2], False),
        ([-9, 1], [-2], True),
        ([-9, -3], [-4, -2], True),
        ([-9, -3, -1], [-4, -2], False),
        ([], [-1], True),
    ],
)
def test_a_key_counts_unless_it_was_taken_and_not_listed_again_since(
    listed: list[int], taken: list[int], *, compromised: bool
) -> None:
    known = trust([NOON + one * HOUR for one in listed], [NOON + one * HOUR for one in taken])

    assert known.is_compromised(BANK, KEY, NOON) is compromised


def test_nobody_else_is_compromised() -> None:
    assert not trust([NOON], [NOON]).is_compromised("hk-other", KEY, NOON)


def test_who_is_not_listed_is_not_admitted_and_was_not_heard() -> None:
    known = trust([], [])

    assert not known.is_admitted(BANK, NOON)
    assert not known.is_heard(BANK, NOON)
    assert not known.keys(BANK, Purpose.DOCUMENT)


@pytest.mark.parametrize(("unknown", "knows"), [(frozenset(), True), (frozenset({"mo-authority"}), False)])
def test_a_party_may_be_listed_by_an_authority_whose_card_is_missing(unknown: frozenset[str], *, knows: bool) -> None:
    assert trust([], [], unknown).knows(BANK) is knows
