"""Merkle trees over ordered leaves, with proofs (RFC 6962 section 2.1, RFC 9162 section 2.1).

Every proof is computed from a reader of complete subtrees: `node(level, index)` is the root over the leaves
`index * 2^level` to `(index + 1) * 2^level - 1`. A stored log answers from its nodes; a list of leaves is
turned into such a reader first, so there is one algorithm for both.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from crypto.errors import BadProof, Malformed
from crypto.hashing import hash_each, hash_pairs

HASH_SIZE: Final = 32
EMPTY_ROOT: Final = sha256(b"").digest()

NodeReader = Callable[[int, int], bytes]
"""`(level, index)` to the hash of that complete subtree; level 0 holds the leaf hashes."""

Node = tuple[int, int, bytes]
"""(level, index, hash) of one complete subtree."""


def leaf_hash(data: bytes) -> bytes:
    """H(0x00 || data)."""
    return sha256(b"\x00" + data).digest()


def leaf_hashes(each: Iterable[bytes]) -> list[bytes]:
    """The leaf hash of each."""
    return hash_each(b"\x00", each)


def node_hash(left: bytes, right: bytes) -> bytes:
    """H(0x01 || left || right)."""
    return sha256(b"\x01" + left + right).digest()


@dataclass(frozen=True, slots=True)
class Frontier:
    """The complete subtrees of a growing tree, largest first: all that appending needs to remember.

    Raises:
        Malformed: the number of peaks is not the number of one bits in the size.
    """

    size: int = 0
    peaks: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        if self.size < 0 or len(self.peaks) != self.size.bit_count():
            raise Malformed("the peaks of a frontier do not fit its size")

    def append(self, leaf: bytes) -> "Frontier":
        """The tree with one more leaf hash."""
        return self.extend((leaf,))

    def extend(self, leaves: Iterable[bytes]) -> "Frontier":
        """The tree with more leaf hashes, in order."""
        return new_nodes(self, leaves)[1]

    def root(self) -> bytes:
        """The tree head over all leaves so far."""
        return _fold(self.peaks)

    def serialise(self) -> bytes:
        """u64 size || peaks."""
        return self.size.to_bytes(8, "big") + b"".join(self.peaks)

    @classmethod
    def parse(cls, raw: bytes) -> "Frontier":
        """The frontier that `serialise` wrote; Malformed otherwise."""
        if len(raw) < 8 or len(raw) % HASH_SIZE != 8:  # noqa: PLR2004 - the u64 in front
            raise Malformed("a frontier is u64 size and 32-byte peaks")
        peaks = tuple(raw[at : at + HASH_SIZE] for at in range(8, len(raw), HASH_SIZE))
        return cls(int.from_bytes(raw[:8], "big"), peaks)


def new_nodes(frontier: Frontier, leaf_hashes: Iterable[bytes]) -> tuple[list[Node], Frontier]:
    """Append leaf hashes: every subtree that this completes, leaves among them, and the new frontier."""
    size, peaks, completed = frontier.size, list(frontier.peaks), []
    for leaf in leaf_hashes:
        level, index, current = 0, size, leaf
        completed.append((level, index, current))
        while index & 1:
            level, index, current = level + 1, index >> 1, node_hash(peaks.pop(), current)
            completed.append((level, index, current))
        peaks.append(current)
        size += 1
    return completed, Frontier(size, tuple(peaks))


def root(leaf_hashes: Iterable[bytes]) -> bytes:
    """The tree head over leaf hashes; over none, the hash of nothing."""
    level = list(leaf_hashes)
    if not level:
        return EMPTY_ROOT
    while len(level) > 1:
        # What has no partner goes up as it is: it is then the whole right subtree.
        alone = level[len(level) & ~1 :]
        pairs = zip(level[::2], level[1::2], strict=False)
        level = hash_pairs(b"\x01", pairs) + alone  # each as `node_hash` has it
    return level[0]


def inclusion_proof(leaf_hashes: Sequence[bytes], index: int) -> list[bytes]:
    """The path from leaf `index` to the root over all `leaf_hashes`."""
    return inclusion_from_nodes(index, len(leaf_hashes), _reader(leaf_hashes))


def consistency_proof(leaf_hashes: Sequence[bytes], size1: int) -> list[bytes]:
    """The proof that the first `size1` leaves are the beginning of all `leaf_hashes`."""
    return consistency_from_nodes(size1, len(leaf_hashes), _reader(leaf_hashes))


def root_from_nodes(size: int, node: NodeReader) -> bytes:
    """The tree head at `size`, from stored subtrees."""
    return _span(0, size, node) if size else EMPTY_ROOT


def inclusion_from_nodes(index: int, size: int, node: NodeReader) -> list[bytes]:
    """PATH(index, D[size]) from stored subtrees, leaf to root; BadProof when there is no such leaf."""
    if not 0 <= index < size:
        raise BadProof("no such leaf in a tree of this size")
    path: list[bytes] = []
    start, length = 0, size
    while length > 1:
        left = _split(length)
        if index - start < left:
            path.append(_span(start + left, length - left, node))
            length = left
        else:
            path.append(_span(start, left, node))
            start, length = start + left, length - left
    return path[::-1]


def consistency_from_nodes(size1: int, size2: int, node: NodeReader) -> list[bytes]:
    """PROOF(size1, D[size2]) from stored subtrees; BadProof unless 0 < size1 <= size2."""
    if not 0 < size1 <= size2:
        raise BadProof("consistency needs 0 < first size <= second size")
    proof: list[bytes] = []
    start, length, old = 0, size2, size1
    while old != length:
        left = _split(length)
        if old <= left:
            proof.append(_span(start + left, length - left, node))
            length = left
        else:
            proof.append(_span(start, left, node))
            start, length, old = start + left, length - left, old - left
    if start:
        proof.append(_span(start, length, node))
    return proof[::-1]


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """Accept that leaf hash `leaf` stands at `index` in the tree (`size`, `root`) (RFC 9162 2.1.3.2)."""
    if not 0 <= index < size:
        raise BadProof("an inclusion proof outside its tree")
    _check_hashes(leaf, root, *proof)
    at, last, current = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            raise BadProof("an inclusion proof longer than its tree is high")
        if at & 1 or at == last:
            current = node_hash(sibling, current)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            current = node_hash(current, sibling)
        at, last = at >> 1, last >> 1
    if last or current != root:
        raise BadProof("an inclusion proof does not lead to the root")


def verify_consistency(size1: int, size2: int, proof: Sequence[bytes], root1: bytes, root2: bytes) -> None:
    """Accept that the tree (size2, root2) only appended to (size1, root1) (RFC 9162 2.1.4.2).

    `size1` = 0 is refused: everything extends nothing, so such a proof would show nothing.
    """
    if not 0 < size1 <= size2:
        raise BadProof("consistency needs 0 < first size <= second size")
    if size1 == size2:
        accepted = not proof and root1 == root2
    else:
        _check_hashes(root1, root2, *proof)
        accepted = _roots_of(size1, size2, proof, root1) == (root1, root2)
    if not accepted:
        raise BadProof("a consistency proof does not lead to both roots")


def _roots_of(size1: int, size2: int, proof: Sequence[bytes], root1: bytes) -> tuple[bytes, bytes] | None:
    """The two roots that the proof leads to, or None when its length does not fit the sizes."""
    path = list(proof) if size1 & (size1 - 1) else [root1, *proof]
    at, last = size1 - 1, size2 - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    if not path:
        return None
    first = second = path[0]
    for sibling in path[1:]:
        if last == 0:
            return None
        if at & 1 or at == last:
            first, second = node_hash(sibling, first), node_hash(sibling, second)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            second = node_hash(second, sibling)
        at, last = at >> 1, last >> 1
    return (first, second) if last == 0 else None


def _check_hashes(*hashes: bytes) -> None:
    """Without this an empty leaf would be included under an empty root, and hashes could shift bounds."""
    if any(len(one) != HASH_SIZE for one in hashes):
        raise BadProof(f"a hash in a proof is {HASH_SIZE} bytes")


def _reader(leaf_hashes: Sequence[bytes]) -> NodeReader:
    nodes = {(level, index): value for level, index, value in new_nodes(Frontier(), leaf_hashes)[0]}
    return lambda level, index: nodes[level, index]


def _span(start: int, length: int, node: NodeReader) -> bytes:
    """The root over `length` leaves from `start`, a multiple of the largest power of two in `length`."""
    peaks = []
    while length:
        level = length.bit_length() - 1
        peaks.append(node(level, start >> level))
        start, length = start + (1 << level), length - (1 << level)
    return _fold(peaks)


def _fold(peaks: Sequence[bytes]) -> bytes:
    if not peaks:
        return EMPTY_ROOT
    current = peaks[-1]
    for peak in reversed(peaks[:-1]):
        current = node_hash(peak, current)
    return current


def _split(length: int) -> int:
    """The largest power of two smaller than `length` (which is above 1)."""
    return 1 << (length - 1).bit_length() - 1
