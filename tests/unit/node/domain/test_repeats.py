"""What a file stated already is remembered in a fixed space, and never mistaken."""

from hashlib import sha256
from sys import byteorder

import pytest

from node.domain.repeats import Repeated, Repeats


def key(number: int) -> bytes:
    return sha256(str(number).encode()).digest()


def places(repeated: Repeated) -> set[int]:
    return {place for place in range(50_000) if place in repeated}


def test_a_key_is_seen_from_its_first_time_on() -> None:
    repeats = Repeats()

    assert places(repeats.seen([key(number) for number in (1, 2, 1)])) == {2}
    assert places(repeats.seen([key(number) for number in (1, 3)])) == {0}


def test_it_makes_no_difference_when_somebody_asks() -> None:
    repeats = Repeats()
    first, second, third = (repeats.seen([key(number) for number in numbers]) for numbers in ((1, 2), (2, 3), (3, 1)))

    assert places(third) == {0, 1}
    assert places(first) == set()
    assert places(second) == {0}


def test_what_waits_is_bounded_and_none_of_it_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("node.domain.repeats._MOST_WAITING", 3)
    repeats = Repeats()
    first, second, third = (repeats.seen([key(number) for number in numbers]) for numbers in ((1, 2), (2, 3), (3, 1)))

    assert [one.is_known for one in (first, second, third)] == [True, True, False]
    assert (places(first), places(second)) == (set(), {0})
    assert places(third) == {0, 1}


def test_among_fifty_thousand_rows_none_is_mistaken_and_every_repetition_is_found() -> None:
    repeats = Repeats()

    assert places(repeats.seen([key(number) for number in range(50_000)])) == set()
    assert len(places(repeats.seen([key(number) for number in range(0, 50_000, 7)]))) == len(range(0, 50_000, 7))


def test_a_shelf_keeps_its_last_four_keys() -> None:
    repeats = Repeats()
    shelved = [(number << 20).to_bytes(8, byteorder) + bytes(24) for number in range(1, 6)]

    assert places(repeats.seen(shelved)) == set()
    assert places(repeats.seen(shelved[::-1])) == {0, 1, 2, 3}


def test_a_key_of_nothing_but_zeros_is_a_key() -> None:
    repeats = Repeats()

    assert places(repeats.seen([bytes(32), bytes(32)])) == {1}
