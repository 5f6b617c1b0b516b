"""The ports Journal and Tree."""

from collections.abc import Sequence

import pytest

from crypto.merkle import Frontier, inclusion_from_nodes, new_nodes, root_from_nodes, verify_inclusion
from node.operations.ports import Store, UnitOfWork
from node.operations.rows import JournalRow, StoredCheckpoint
from node.storage.errors import OutOfOrder
from tests.contracts.examples import checkpoint, digest, entry


def _numbers(work: UnitOfWork) -> list[int]:
    return [row.number for row in work.journal.unsequenced(100)]


def _facts(rows: Sequence[JournalRow]) -> list[tuple[int | None, bytes]]:
    return [(row.index, row.entry) for row in rows]


def test_entries_wait_whole_and_in_order_until_they_are_sequenced(store: Store) -> None:
    one, two = entry("one"), entry("two")
    with store.write() as work:
        work.journal.add([one])
        work.journal.add([two])
        work.journal.add([])
        waiting = work.journal.unsequenced(100)

        assert [(row.index, row.entry, row.leaf, row.detail, row.salt) for row in waiting] == [
            (None, one.entry, one.leaf, one.detail, one.salt),
            (None, two.entry, two.leaf, two.detail, two.salt),
        ]
        assert work.journal.unsequenced(1) == waiting[:1]
        assert work.journal.read(0, 10) == []
        assert work.journal.head() is None


def test_sequenced_entries_are_read_in_the_order_of_the_log(store: Store) -> None:
    with store.write() as work:
        work.journal.add([entry("a"), entry("b"), entry("c")])
        a, b, c = _numbers(work)
        work.journal.sequence([(c, 0), (a, 1)], [], checkpoint(2))

        assert _numbers(work) == [b]
        assert _facts(work.journal.read(0, 10)) == [(0, b"c"), (1, b"a")]
        assert _facts(work.journal.read(1, 10)) == [(1, b"a")]
        assert _facts(work.journal.read(0, 1)) == [(0, b"c")]


def test_the_newest_checkpoint_replaces_the_older_one(store: Store) -> None:
    with store.write() as work:
        work.journal.add([entry("a"), entry("b")])
        a, b = _numbers(work)
        work.journal.sequence([(a, 0)], [], checkpoint(1))
        work.journal.sequence([(b, 1)], [], checkpoint(2))
        renewed = StoredCheckpoint(size=2, root=digest("root 2"), note=b"renewed", at=checkpoint(9).at)
        work.journal.sequence([], [], renewed)

        assert work.journal.head() == renewed


@pytest.mark.parametrize(
    ("indices", "size"),
    [
        pytest.param([0], 2, id="an index that is given already"),
        pytest.param([2], 3, id="an index beyond a gap"),
        pytest.param([1], 3, id="a checkpoint that covers more than was given"),
        pytest.param([1], 1, id="a checkpoint that covers less"),
        pytest.param([], 0, id="a checkpoint that goes back"),
    ],
)
def test_indices_go_on_from_the_last_checkpoint_without_a_gap(store: Store, indices: list[int], size: int) -> None:
    with store.write() as work:
        work.journal.add([entry("a"), entry("b")])
        a, b = _numbers(work)
        work.journal.sequence([(a, 0)], [], checkpoint(1))
        work.commit()

    with store.write() as work, pytest.raises(OutOfOrder):
        work.journal.sequence([(b, index) for index in indices], [], checkpoint(size))
    with store.read() as work:
        assert _numbers(work) == [b]
        assert work.journal.head() == checkpoint(1)


@pytest.mark.parametrize("again", ["sequenced before", "unknown", "twice"])
def test_an_entry_gets_an_index_once(store: Store, again: str) -> None:
    with store.write() as work:
        work.journal.add([entry("a"), entry("b")])
        a, b = _numbers(work)
        work.journal.sequence([(a, 0)], [], checkpoint(1))
        second = {"sequenced before": a, "unknown": a + b + 1, "twice": b}[again]

        with pytest.raises(OutOfOrder):
            work.journal.sequence([(b, 1), (second, 2)], [], checkpoint(3))


def test_a_sequencer_that_fails_leaves_every_entry_waiting(store: Store) -> None:
    with store.write() as work:
        work.journal.add([entry("a")])
        work.commit()
    with store.write() as work:
        work.journal.sequence([(_numbers(work)[0], 0)], [], checkpoint(1))

    with store.read() as work:
        assert len(_numbers(work)) == 1
        assert work.tree.index_of(digest("a")) is None


def test_the_stored_tree_proves_every_leaf(store: Store) -> None:
    names = [f"entry {place}" for place in range(11)]
    frontier = Frontier()
    with store.write() as work:
        work.journal.add([entry(name) for name in names])
        for batch in (4, 1, 6):
            waiting = work.journal.unsequenced(batch)
            start = frontier.size
            nodes, frontier = new_nodes(frontier, [row.leaf for row in waiting])
            indices = [(row.number, start + place) for place, row in enumerate(waiting)]
            work.journal.sequence(indices, nodes, checkpoint(frontier.size))
        work.commit()

    with store.read() as work:
        assert root_from_nodes(11, work.tree.node) == frontier.root()
        for place, name in enumerate(names):
            assert work.tree.index_of(digest(name)) == place
            proof = inclusion_from_nodes(place, 11, work.tree.node)
            verify_inclusion(digest(name), place, 11, proof, frontier.root())


def test_a_leaf_that_is_not_in_the_log_has_no_index(store: Store) -> None:
    with store.write() as work:
        work.journal.add([entry("waiting")])

        assert work.tree.index_of(digest("waiting")) is None
        assert work.tree.index_of(digest("unknown")) is None


@pytest.mark.parametrize("level", [0, 1])
def test_an_incomplete_subtree_has_no_hash(store: Store, level: int) -> None:
    with store.write() as work:
        work.journal.add([entry("a")])
        work.journal.sequence([(_numbers(work)[0], 0)], [(0, 0, digest("a"))], checkpoint(1))

        assert work.tree.node(0, 0) == digest("a")
        with pytest.raises(LookupError):
            work.tree.node(level, 1 - level)
