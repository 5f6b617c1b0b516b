"""The port Usage."""

import pytest

from node.operations.ports import Store
from tests.contracts.examples import NOON, digest, minutes, short, stock

TODAY = "day:2026-11-23"


def test_charges_add_up_within_their_window(store: Store) -> None:
    number = stock(store).agreement_no
    with store.write() as work:
        work.usage.charge(number, {TODAY: 3, "lifetime": 3})
        work.usage.charge(number, {TODAY: 4})
        work.usage.charge(number, {})

        windows = ["lifetime", "epoch:1", TODAY]
        assert work.usage.charged(number, windows) == {"lifetime": 3, "epoch:1": 0, TODAY: 7}
        assert work.usage.charged(number, []) == {}


def test_agreements_are_charged_apart(store: Store) -> None:
    with store.write() as work:
        one, other = work.agreements.number(digest("one")), work.agreements.number(digest("other"))
        work.usage.charge(one, {TODAY: 3})

        assert work.usage.charged(other, [TODAY]) == {TODAY: 0}


def test_an_evaluation_request_is_remembered(store: Store) -> None:
    with store.write() as work:
        before = work.usage.evaluated(digest("request"))
        work.usage.remember_evaluation(digest("request"), NOON)
        work.usage.remember_evaluation(digest("request"), minutes(1))

        assert not before
        assert work.usage.evaluated(digest("request"))
        assert not work.usage.evaluated(digest("another"))


def test_a_nonce_is_used_once_and_tells_who_used_it_first(store: Store) -> None:
    with store.write() as work:
        first = work.usage.use_nonces({short("a"): digest("r1"), short("b"): digest("r1")}, minutes(5))
        again = work.usage.use_nonces({short("b"): digest("r2"), short("c"): digest("r2")}, minutes(5))
        thrice = work.usage.use_nonces({short("b"): digest("r3"), short("c"): digest("r3")}, minutes(5))

        assert first == {}
        assert again == {short("b"): digest("r1")}
        assert thrice == {short("b"): digest("r1"), short("c"): digest("r2")}
        assert work.usage.use_nonces({}, minutes(5)) == {}


def test_a_nonce_of_an_undone_unit_is_free_again(store: Store) -> None:
    with store.write() as work:
        work.usage.use_nonces({short("a"): digest("r1")}, minutes(5))

    with store.write() as work:
        assert work.usage.use_nonces({short("a"): digest("r2")}, minutes(5)) == {}


@pytest.mark.parametrize("count", [1, 2, 31, 33, 150])
def test_nonces_in_any_number_are_used_once_each(store: Store, count: int) -> None:
    nonces = [digest(f"nonce {number}")[:16] for number in range(count)]
    with store.write() as work:
        assert work.usage.use_nonces(dict.fromkeys(nonces, digest("r1")), minutes(5)) == {}
        more = dict.fromkeys([*nonces[1:], short("x")], digest("r2"))

        assert work.usage.use_nonces(more, minutes(5)) == dict.fromkeys(nonces[1:], digest("r1"))
        assert work.usage.use_nonces({short("x"): digest("r3")}, minutes(5)) == {short("x"): digest("r2")}
