"""The journal's own work: give entries their place, publish checkpoints, prove leaves, check other nodes' heads."""

from dataclasses import dataclass

from crypto.canonical import read
from crypto.checkpoint import Checkpoint, NoteKey, open_checkpoint, sign_checkpoint
from crypto.errors import BadProof, CryptoError
from crypto.merkle import (
    Frontier,
    consistency_from_nodes,
    inclusion_from_nodes,
    leaf_hash,
    new_nodes,
    root_from_nodes,
    verify_consistency,
    verify_inclusion,
)
from node.domain.context import Context
from node.domain.journal import Act, Detail, EntryFacts, JournalEntry, detail_commitment, journal_origin
from node.operations.asked import JournalProof
from node.operations.ports import Tree, UnitOfWork
from node.operations.rows import JournalRow, PeerHead, StoredCheckpoint
from node.operations.write_down import write_down
from registry.parties import PartyId

MOST_AT_ONCE = 20_000
"""Entries sequenced in one transaction: about a tenth of a second of work."""


def sequence_journal(work: UnitOfWork, context: Context) -> StoredCheckpoint | None:
    """Give every waiting entry its index and publish one checkpoint over them; None if nothing waited.

    Runs in one transaction and in one place (the sequencer). Entries are found by having no index, never by a
    watermark: numbers are given out before commit, and commits do not come in the order of numbers.
    """
    waiting = work.journal.unsequenced(MOST_AT_ONCE)
    if not waiting:
        return None
    old = work.journal.head()
    frontier = _frontier(old.size if old else 0, work.tree)
    nodes, grown = new_nodes(frontier, [row.leaf for row in waiting])
    checkpoint = _publish(grown.size, grown.root(), context)
    indices = [(row.number, frontier.size + place) for place, row in enumerate(waiting)]
    work.journal.sequence(indices, nodes, checkpoint)
    work.commit()
    return checkpoint


def prove_journal(work: UnitOfWork, leaf: bytes, old_size: int) -> JournalProof | None:
    """Prove that `leaf` stands in the published journal, and that it only grew since `old_size`; None if it cannot.

    An empty leaf asks for consistency only, an `old_size` of 0 for inclusion only. A leaf that is not sequenced
    yet is not in the published journal; the asker comes again after the next checkpoint.
    """
    head = work.journal.head()
    if head is None or old_size > head.size:
        return None
    index = work.tree.index_of(leaf) if leaf else 0
    if index is None or index >= head.size:
        return None
    return JournalProof(
        checkpoint=head.note,
        index=index,
        inclusion=tuple(inclusion_from_nodes(index, head.size, work.tree.node)) if leaf else (),
        consistency=tuple(consistency_from_nodes(old_size, head.size, work.tree.node)) if old_size else (),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadSeen:
    """What became of a checkpoint that came from a peer: kept, not needed, or evidence of a fork."""

    kept: bool
    fork: bool


def see_head(work: UnitOfWork, peer: PartyId, vkey: str, note: bytes, context: Context) -> HeadSeen:
    """Keep the first checkpoint of a peer; two roots of one size are a fork, and journalled with both notes.

    A larger one takes its place only once it is proven to have grown from it (`note_proof`): a peer that rewrote its
    journal would otherwise only have to show the new one. A checkpoint that does not verify is passed over: it proves
    nothing against anybody.
    """
    try:
        checkpoint = open_checkpoint(note, [vkey]).checkpoint
    except CryptoError:
        return HeadSeen(kept=False, fork=False)
    if checkpoint.origin != journal_origin(peer):
        return HeadSeen(kept=False, fork=False)
    known = work.peers.head(peer)
    if known is not None:
        fork = checkpoint.size == known.size and checkpoint.root != known.root
        if fork:
            _journal_fork(work, peer, known.note, note, context)
        return HeadSeen(kept=False, fork=fork)
    head = PeerHead(size=checkpoint.size, root=checkpoint.root, note=note, seen_at=context.now())
    work.peers.see(peer, head)
    work.commit()
    return HeadSeen(kept=True, fork=False)


def _journal_fork(work: UnitOfWork, peer: PartyId, held: bytes, shown: bytes, context: Context) -> None:
    """Both signed notes together are the proof, so both stand in the detail."""
    detail: Detail = {"held": held.decode(), "shown": shown.decode()}
    entry = EntryFacts(act=Act.FORK, detail=detail, counterparty=peer)
    write_down(work, entry, context)
    work.commit()


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofAsked:
    """What is held against a peer's proof: its key, the leaf that must be in, the head seen before."""

    peer: PartyId
    vkey: str
    leaf: bytes
    old: PeerHead | None


def check_proof(asked: ProofAsked, proof: JournalProof) -> Checkpoint:
    """Accept a peer's proof, and give the checkpoint it stands under.

    Raises:
        CryptoError: the head does not verify, the leaf is not included, or the journal did not only grow.
    """
    checkpoint = open_checkpoint(proof.checkpoint, [asked.vkey]).checkpoint
    if checkpoint.origin != journal_origin(asked.peer):
        raise BadProof("the checkpoint is of another journal")
    if asked.leaf:
        verify_inclusion(asked.leaf, proof.index, checkpoint.size, proof.inclusion, checkpoint.root)
    if asked.old is not None:
        verify_consistency(asked.old.size, checkpoint.size, proof.consistency, asked.old.root, checkpoint.root)
    return checkpoint


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalVerdict:
    """What reading one's own journal again showed: its size, and each thing that is wrong, in words."""

    size: int
    unsequenced: int
    problems: tuple[str, ...]


def verify_own_journal(work: UnitOfWork, vkey: str) -> JournalVerdict:
    """Read every entry again: leaf data, opened details, the tree, and the signature on the newest checkpoint."""
    head = work.journal.head()
    size = head.size if head else 0
    frontier, problems = Frontier(), []
    while frontier.size < size:
        rows = work.journal.read(frontier.size, min(1_000, size - frontier.size))
        if not rows:
            problems.append(f"entry {frontier.size} is missing")
            break
        problems += [f"entry {row.index}: {wrong}" for row in rows if (wrong := _wrong_with(row))]
        frontier = frontier.extend(leaf_hash(row.entry) for row in rows)
    if head is not None:
        problems += _wrong_with_head(head, frontier, vkey, work)
    return JournalVerdict(size=size, unsequenced=len(work.journal.unsequenced(MOST_AT_ONCE)), problems=tuple(problems))


def _wrong_with(row: JournalRow) -> str:
    """What is wrong with one stored entry, or nothing."""
    try:
        entry = read(row.entry, JournalEntry)
    except CryptoError:
        return "the leaf data are not a journal entry"
    if leaf_hash(row.entry) != row.leaf:
        return "the leaf hash is not that of the leaf data"
    if detail_commitment(row.salt, row.detail).hex() != entry.detail:
        return "the detail is not the one that was committed to"
    return ""


def _wrong_with_head(head: StoredCheckpoint, frontier: Frontier, vkey: str, work: UnitOfWork) -> list[str]:
    try:
        signed = open_checkpoint(head.note, [vkey]).checkpoint
    except CryptoError:
        return ["the newest checkpoint is not signed by the journal key"]
    problems = []
    if (signed.size, signed.root) != (frontier.size, frontier.root()):
        problems.append("the newest checkpoint does not cover these entries")
    if _stored_root(head.size, work.tree) != signed.root:
        problems.append("the stored tree does not lead to the newest checkpoint")
    return problems


def _stored_root(size: int, tree: Tree) -> bytes | None:
    """The root that the stored tree leads to; None where a part of it is missing."""
    try:
        return root_from_nodes(size, tree.node)
    except LookupError:
        return None


def _frontier(size: int, tree: Tree) -> Frontier:
    """The peaks of the stored tree, largest first."""
    peaks, start = [], 0
    for level in range(size.bit_length() - 1, -1, -1):
        if size >> level & 1:
            peaks.append(tree.node(level, start >> level))
            start += 1 << level
    return Frontier(size, tuple(peaks))


def _publish(size: int, root: bytes, context: Context) -> StoredCheckpoint:
    origin = journal_origin(context.node)
    note = sign_checkpoint(Checkpoint(origin, size, root), NoteKey(origin, context.keys.journal))
    return StoredCheckpoint(size=size, root=root, note=note, at=context.now())
