"""Hold another node to its journal: every frame it sent must be in it, and it may only have grown."""

from collections.abc import Sequence

import msgspec

from crypto.canonical import Hex32
from crypto.checkpoint import Checkpoint
from crypto.frame import FrameHeader
from node.domain.context import Context
from node.domain.jobs import JobKind, NewJob
from node.operations.ports import UnitOfWork
from node.operations.rows import PeerHead
from registry.parties import PartyId

MOST_LEAVES = 1_000


class ProofJob(msgspec.Struct, frozen=True, kw_only=True):
    """Which leaves of the peer's journal to have proven."""

    leaves: tuple[Hex32, ...]


class ProofResult(msgspec.Struct, frozen=True, kw_only=True):
    """How many leaves were proven under a journal of which size, and what was wrong."""

    leaves: int = 0
    size: int = 0
    problems: tuple[str, ...] = ()
    failure: str = ""


def plan_proof(work: UnitOfWork, peer: PartyId, headers: Sequence[FrameHeader], context: Context) -> int:
    """Queue the proof of every frame in `headers` (and of the journal's growth) as one job."""
    leaves = tuple(header.journal_leaf for header in headers[-MOST_LEAVES:])
    payload = msgspec.json.encode(ProofJob(leaves=leaves))
    key = f"prove:{context.random(16).hex()}"
    number = work.outbox.add(NewJob(kind=JobKind.PROVE, peer=peer, key=key, payload=payload), context.now())
    work.commit()
    return number


def note_proof(work: UnitOfWork, peer: PartyId, checkpoint: Checkpoint, note: bytes, context: Context) -> None:
    """Keep the head that the proofs stood under, so that the next ones must extend it."""
    known = work.peers.head(peer)
    if known is None or known.size < checkpoint.size:
        head = PeerHead(size=checkpoint.size, root=checkpoint.root, note=note, seen_at=context.now())
        work.peers.see(peer, head)
        work.commit()
