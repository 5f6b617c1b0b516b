"""Merkle trees against the recursive definition of RFC 6962, written out."""

from collections.abc import Sequence
from hashlib import sha256

import pytest

from crypto import merkle
from crypto.errors import BadProof, Malformed
from crypto.merkle import Frontier

LEAVES = [merkle.leaf_hash(bytes([number])) for number in range(40)]


def defined_root(leaves: Sequence[bytes]) -> bytes:
    """MTH of RFC 6962 section 2.1, word for word."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return sha256(b"\x01" + defined_root(leaves[:split]) + defined_root(leaves[split:])).digest()


def stored(leaves: Sequence[bytes]) -> dict[tuple[int, int], bytes]:
    return {(level, index): value for level, index, value in merkle.new_nodes(Frontier(), leaves)[0]}


@pytest.mark.parametrize("size", range(40))
def test_the_root_is_the_defined_one(size: int) -> None:
    nodes = stored(LEAVES)

    assert merkle.root(LEAVES[:size]) == defined_root(LEAVES[:size])
    assert merkle.root_from_nodes(size, lambda level, index: nodes[level, index]) == defined_root(LEAVES[:size])


def test_leaves_and_nodes_are_told_apart() -> None:
    assert merkle.leaf_hash(LEAVES[0] + LEAVES[1]) != merkle.node_hash(LEAVES[0], LEAVES[1])


@pytest.mark.parametrize("size", range(1, 34))
def test_every_leaf_proves_its_place(size: int) -> None:
    leaves, root = LEAVES[:size], defined_root(LEAVES[:size])
    for index, leaf in enumerate(leaves):
        merkle.verify_inclusion(leaf, index, size, merkle.inclusion_proof(leaves, index), root)


@pytest.mark.parametrize("size2", range(1, 34))
def test_every_tree_proves_what_it_grew_from(size2: int) -> None:
    root2 = defined_root(LEAVES[:size2])
    for size1 in range(1, size2 + 1):
        proof = merkle.consistency_proof(LEAVES[:size2], size1)
        merkle.verify_consistency(size1, size2, proof, defined_root(LEAVES[:size1]), root2)


def test_a_stored_log_answers_for_any_earlier_size() -> None:
    nodes = stored(LEAVES)

    def node(level: int, index: int) -> bytes:
        return nodes[level, index]

    assert merkle.inclusion_from_nodes(5, 23, node) == merkle.inclusion_proof(LEAVES[:23], 5)
    assert merkle.consistency_from_nodes(11, 23, node) == merkle.consistency_proof(LEAVES[:23], 11)


@pytest.mark.parametrize(("index", "size"), [(-1, 5), (5, 5), (0, 0)])
def test_there_is_no_proof_outside_the_tree(index: int, size: int) -> None:
    with pytest.raises(BadProof):
        merkle.inclusion_proof(LEAVES[:size], index)
    with pytest.raises(BadProof):
        merkle.verify_inclusion(LEAVES[0], index, size, [], LEAVES[0])


def test_a_leaf_does_not_prove_another_place() -> None:
    root = merkle.root(LEAVES[:8])
    proof = merkle.inclusion_proof(LEAVES[:8], 3)

    for index in {*range(8)} - {3}:
        with pytest.raises(BadProof):
            merkle.verify_inclusion(LEAVES[3], index, 8, proof, root)


@pytest.mark.parametrize("size", [7, 8])
def test_a_proof_of_another_length_is_refused(size: int) -> None:
    root = merkle.root(LEAVES[:size])
    proof = merkle.inclusion_proof(LEAVES[:size], 2)

    for other in (proof[:-1], [*proof, LEAVES[0]], proof[1:], [*proof, *proof]):
        with pytest.raises(BadProof):
            merkle.verify_inclusion(LEAVES[2], 2, size, other, root)


@pytest.mark.parametrize(("size1", "size2"), [(0, 0), (0, 5), (6, 5), (-1, 5)])
def test_consistency_from_nothing_or_backwards_is_refused(size1: int, size2: int) -> None:
    with pytest.raises(BadProof):
        merkle.verify_consistency(size1, size2, [], merkle.EMPTY_ROOT, merkle.root(LEAVES[: max(size2, 0)]))
    with pytest.raises(BadProof):
        merkle.consistency_proof(LEAVES[:size2], size1)


def test_equal_trees_need_equal_roots_and_no_proof() -> None:
    root = merkle.root(LEAVES[:5])

    merkle.verify_consistency(5, 5, [], root, root)
    with pytest.raises(BadProof):
        merkle.verify_consistency(5, 5, [root], root, root)
    with pytest.raises(BadProof):
        merkle.verify_consistency(5, 5, [], root, LEAVES[0])


@pytest.mark.parametrize("size1", [3, 4, 6])
def test_a_rewritten_log_is_not_consistent(size1: int) -> None:
    rewritten = [LEAVES[9], *LEAVES[1:7]]
    proof = merkle.consistency_proof(rewritten, size1)

    for other in (proof, proof[:-1], [*proof, LEAVES[0]], []):
        with pytest.raises(BadProof):
            merkle.verify_consistency(size1, 7, other, merkle.root(LEAVES[:size1]), merkle.root(rewritten))


def test_a_frontier_grows_leaf_by_leaf_and_all_at_once() -> None:
    grown = Frontier()
    for leaf in LEAVES:
        grown = grown.append(leaf)

    assert grown == Frontier().extend(LEAVES)
    assert grown.root() == defined_root(LEAVES)


@pytest.mark.parametrize("size", [0, 1, 6, 40])
def test_a_frontier_survives_storage(size: int) -> None:
    frontier = Frontier().extend(LEAVES[:size])

    assert Frontier.parse(frontier.serialise()) == frontier


def test_new_nodes_are_exactly_the_subtrees_completed() -> None:
    before = Frontier().extend(LEAVES[:3])
    completed, after = merkle.new_nodes(before, LEAVES[3:6])

    assert [(level, index) for level, index, _ in completed] == [
        (0, 3),
        (1, 1),
        (2, 0),
        (0, 4),
        (0, 5),
        (1, 2),
    ]
    assert {(level, index): value for level, index, value in completed}[2, 0] == defined_root(LEAVES[:4])
    assert after == Frontier().extend(LEAVES[:6])


@pytest.mark.parametrize("raw", [b"", bytes(7), bytes(9), bytes(8) + bytes(32), bytes(7) + b"\x01", bytes(40 + 31)])
def test_a_frontier_whose_peaks_do_not_fit_is_refused(raw: bytes) -> None:
    with pytest.raises(Malformed):
        Frontier.parse(raw)


def test_hashes_of_another_length_prove_nothing() -> None:
    with pytest.raises(BadProof):
        merkle.verify_inclusion(b"", 0, 1, [], b"")
    with pytest.raises(BadProof):
        merkle.verify_consistency(1, 2, [LEAVES[1][1:]], LEAVES[0] + LEAVES[1][:1], merkle.root(LEAVES[:2]))


def test_the_root_of_a_smaller_tree_proves_nothing_about_a_larger_one() -> None:
    with pytest.raises(BadProof):
        merkle.verify_inclusion(LEAVES[0], 0, 4, [LEAVES[1]], merkle.root(LEAVES[:2]))
