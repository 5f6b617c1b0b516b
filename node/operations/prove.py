"""Hold another node to its journal: every frame it sent must be in it, and it may only have grown."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from crypto.canonical import Hex32
from crypto.checkpoint import Checkpoint
from crypto.frame import FrameHeader
from node.domain.context import Context
from node.domain.jobs import JobKind, NewJob
from node.domain.journal import Act, EntryFacts
from node.operations.ports import UnitOfWork
from node.operations.rows import PeerHead
from node.operations.write_down import write_down
from registry.parties import PartyId

MOST_LEAVES = 1_000


MOST_PATIENCE = timedelta(seconds=60)
"""How long after a frame its leaf may be missing from the published journal; checkpoints come every second or so."""


GIVE_UP_AFTER = timedelta(minutes=10)
"""How long a proof is asked for of a peer that does not answer."""


class ProofJob(msgspec.Struct, frozen=True, kw_only=True):
    """Which leaves of the peer's journal to have proven; from `due` on a missing one is a finding."""

    leaves: tuple[Hex32, ...]
    due: datetime


class ProofResult(msgspec.Struct, frozen=True, kw_only=True):
    """How many leaves were proven under a journal of which size, and what was wrong."""

    leaves: int = 0
    size: int = 0
    problems: tuple[str, ...] = ()
    failure: str = ""


def plan_proof(work: UnitOfWork, peer: PartyId, headers: Sequence[FrameHeader], context: Context) -> int:
    """Queue the proof of every frame in `headers` (and of the journal's growth) as one job."""
    leaves = tuple(header.journal_leaf for header in headers[-MOST_LEAVES:])
    newest = max((header.time for header in headers), default=context.now())
    payload = msgspec.json.encode(ProofJob(leaves=leaves, due=newest + MOST_PATIENCE))
    key = f"prove:{context.random(16).hex()}"
    now = context.now()
    job = NewJob(kind=JobKind.PROVE, peer=peer, key=key, payload=payload, give_up_at=now + GIVE_UP_AFTER)
    number = work.outbox.add(job, now)
    work.commit()
    return number


def note_failure(work: UnitOfWork, peer: PartyId, problem: str, context: Context) -> None:
    """Journal that a peer's journal did not prove what it had to; the words name digests and codes only."""
    entry = EntryFacts(act=Act.UNPROVEN, detail={"problem": problem}, counterparty=peer)
    write_down(work, entry, context)
    work.commit()


def note_proof(work: UnitOfWork, peer: PartyId, checkpoint: Checkpoint, note: bytes, context: Context) -> None:
    """Keep the head that the proofs stood under, so that the next ones must extend it."""
    known = work.peers.head(peer)
    if known is None or known.size < checkpoint.size:
        head = PeerHead(size=checkpoint.size, root=checkpoint.root, note=note, seen_at=context.now())
        work.peers.see(peer, head)
        work.commit()
