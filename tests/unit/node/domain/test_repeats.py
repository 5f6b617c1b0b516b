"""What a file stated already is remembered in a fixed space, and never mistaken."""

from hashlib import sha256
from sys import byteorder

from node.domain.repeats import Repeats


def key(number: int) -> bytes:
    return sha256(str(number).encode()).digest()


def test_a_key_is_seen_from_its_first_time_on() -> None:
    repeats = Repeats()

    assert repeats.seen([key(number) for number in (1, 2, 1)]) == {2}
    assert repeats.seen([key(number) for number in (1, 3)]) == {0}


def test_among_fifty_thousand_rows_none_is_mistaken_and_every_repetition_is_found() -> None:
    repeats = Repeats()

    assert repeats.seen([key(number) for number in range(50_000)]) == frozenset()
    assert len(repeats.seen([key(number) for number in range(0, 50_000, 7)])) == len(range(0, 50_000, 7))


def test_a_shelf_keeps_its_last_four_keys() -> None:
    repeats = Repeats()
    shelved = [(number << 20).to_bytes(8, byteorder) + bytes(24) for number in range(1, 6)]

    assert repeats.seen(shelved) == frozenset()
    assert repeats.seen(shelved[::-1]) == {0, 1, 2, 3}


def test_a_key_of_nothing_but_zeros_is_a_key() -> None:
    repeats = Repeats()

    assert repeats.seen([bytes(32), bytes(32)]) == {1}
