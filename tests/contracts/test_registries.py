"""The ports Registries and Peers."""

import pytest

from node.operations.ports import Store
from node.operations.rows import PeerHead, StoredMirror, StoredStatement
from node.storage.errors import OutOfOrder
from registry.parties import PartyId
from tests.contracts.examples import BANK, NOON, digest, minutes

SHENZHEN = PartyId("sz-credit")
HONG_KONG = PartyId("hk-credit")


def statement(number: int) -> StoredStatement:
    return StoredStatement(number=number, raw=f"statement {number}".encode(), covered_at=minutes(number))


def test_a_pin_replaces_the_earlier_card_of_the_same_party(store: Store) -> None:
    with store.write() as work:
        work.registries.pin(SHENZHEN, b"old")
        work.registries.pin(HONG_KONG, b"other")
        work.registries.pin(SHENZHEN, b"new")

        assert work.registries.pins() == {SHENZHEN: b"new", HONG_KONG: b"other"}


def test_nothing_is_stored_of_an_unknown_log(store: Store) -> None:
    with store.read() as work:
        assert work.registries.mirror(SHENZHEN) == StoredMirror(statements=(), head=None)
        assert work.registries.heads() == {}


def test_a_log_grows_at_its_end_and_keeps_its_newest_head(store: Store) -> None:
    with store.write() as work:
        work.registries.extend(SHENZHEN, [statement(0), statement(1)], b"head 2")
        work.registries.extend(HONG_KONG, [statement(0)], b"head 1")
        work.registries.extend(SHENZHEN, [statement(2)], b"head 3")
        work.registries.extend(SHENZHEN, [], b"head 3 again")

        mirror = work.registries.mirror(SHENZHEN)
        assert mirror.statements == (statement(0), statement(1), statement(2))
        assert mirror.head == b"head 3 again"
        assert work.registries.heads() == {SHENZHEN: b"head 3 again", HONG_KONG: b"head 1"}


@pytest.mark.parametrize("numbers", [(2,), (0,), (1, 3), (2, 1)])
def test_a_statement_that_is_not_the_next_one_is_refused(store: Store, numbers: tuple[int, ...]) -> None:
    with store.write() as work:
        work.registries.extend(SHENZHEN, [statement(0)], b"head 1")

        with pytest.raises(OutOfOrder):
            work.registries.extend(SHENZHEN, [statement(number) for number in numbers], b"head 2")
        assert work.registries.mirror(SHENZHEN) == StoredMirror(statements=(statement(0),), head=b"head 1")


def test_the_newest_head_seen_of_a_peer_replaces_the_older_one(store: Store) -> None:
    old = PeerHead(size=3, root=digest("old"), note=b"old", seen_at=NOON)
    new = PeerHead(size=7, root=digest("new"), note=b"new", seen_at=minutes(1))
    with store.write() as work:
        before = work.peers.head(BANK)
        work.peers.see(BANK, old)
        work.peers.see(BANK, new)

        assert before is None
        assert work.peers.head(BANK) == new
        assert work.peers.head(SHENZHEN) is None
