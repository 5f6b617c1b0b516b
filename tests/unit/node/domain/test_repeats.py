"""What a file stated already is remembered in a fixed space, and never mistaken."""

from hashlib import sha256

from node.domain.repeats import Repeats


def key(number: int) -> bytes:
    return sha256(str(number).encode()).digest()


def test_a_key_is_seen_from_its_first_time_on() -> None:
    repeats = Repeats()

    assert [repeats.has_seen(key(number)) for number in (1, 2, 1, 1, 3)] == [False, False, True, True, False]


def test_among_fifty_thousand_rows_none_is_mistaken_and_every_repetition_is_found() -> None:
    repeats = Repeats()

    assert not any(repeats.has_seen(key(number)) for number in range(50_000))
    assert all(repeats.has_seen(key(number)) for number in range(0, 50_000, 7))


def test_a_shelf_keeps_its_last_four_keys() -> None:
    repeats = Repeats()
    shelved = [(number << 20).to_bytes(8) for number in range(1, 6)]

    assert not any(repeats.has_seen(one) for one in shelved)
    assert [repeats.has_seen(one) for one in reversed(shelved)] == [True, True, True, True, False]


def test_a_key_of_nothing_but_zeros_is_a_key() -> None:
    repeats = Repeats()

    assert [repeats.has_seen(bytes(32)), repeats.has_seen(bytes(32))] == [False, True]
