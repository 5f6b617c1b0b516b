"""Laws of Merkle trees, for any leaves and any sizes."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto import merkle
from crypto.errors import BadProof
from crypto.merkle import Frontier

LEAVES = st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=70)


@settings(deadline=None)
@given(LEAVES, st.data())
def test_every_leaf_proves_itself_and_no_other(leaves: list[bytes], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(leaves) - 1))
    root, proof = merkle.root(leaves), merkle.inclusion_proof(leaves, index)

    merkle.verify_inclusion(leaves[index], index, len(leaves), proof, root)
    with pytest.raises(BadProof):
        merkle.verify_inclusion(merkle.leaf_hash(leaves[index]), index, len(leaves), proof, root)


@settings(deadline=None)
@given(LEAVES, st.data())
def test_every_beginning_is_consistent(leaves: list[bytes], data: st.DataObject) -> None:
    size1 = data.draw(st.integers(1, len(leaves)))
    proof = merkle.consistency_proof(leaves, size1)

    merkle.verify_consistency(size1, len(leaves), proof, merkle.root(leaves[:size1]), merkle.root(leaves))


@settings(deadline=None)
@given(LEAVES, st.data())
def test_a_damaged_proof_is_refused(leaves: list[bytes], data: st.DataObject) -> None:
    size1 = data.draw(st.integers(1, len(leaves)))
    proof = merkle.consistency_proof(leaves, size1)
    at = data.draw(st.integers(0, len(proof)))
    damaged = data.draw(st.sampled_from([[*proof[:at], bytes(32), *proof[at:]], proof[:at] + proof[at + 1 :]]))
    if damaged == proof:
        return

    with pytest.raises(BadProof):
        merkle.verify_consistency(size1, len(leaves), damaged, merkle.root(leaves[:size1]), merkle.root(leaves))


@settings(deadline=None)
@given(st.lists(LEAVES, max_size=5))
def test_appending_in_parts_is_appending_at_once(parts: list[list[bytes]]) -> None:
    everything = [leaf for part in parts for leaf in part]
    frontier = Frontier()
    nodes: dict[tuple[int, int], bytes] = {}
    for part in parts:
        completed, frontier = merkle.new_nodes(Frontier.parse(frontier.serialise()), part)
        nodes |= {(level, index): value for level, index, value in completed}

    assert frontier == Frontier().extend(everything)
    assert merkle.root_from_nodes(len(everything), lambda level, index: nodes[level, index]) == merkle.root(everything)
