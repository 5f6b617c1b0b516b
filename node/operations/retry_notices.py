"""Tell a holder now what it has not taken yet: a person knows that it is back before the courier does."""

from hashlib import sha256

from node.domain.context import Context
from node.domain.jobs import JobKind, NewJob
from node.domain.operators import Role, SigningOperator
from node.operations.operators import NotAllowed, order
from node.operations.ports import UnitOfWork
from registry.parties import PartyId

MOST_COUNTED = 1_000


def retry_notices(work: UnitOfWork, peer: PartyId, operator: SigningOperator, context: Context) -> int | NotAllowed:
    """Queue the telling of a peer for now; gives how many notices wait for it (at most a thousand are counted)."""
    opened = work.notice_streams.open_batch(peer)
    waiting = len(work.notice_streams.unnumbered(peer, MOST_COUNTED)) + (len(opened[1]) if opened else 0)
    if not waiting:
        return 0
    ordered = order(work, operator, Role.RECORDS, sha256(b"creditport/retry/v1" + peer.encode()).digest(), context)
    if isinstance(ordered, NotAllowed):
        return ordered
    key = f"notices:{peer}:{context.random(8).hex()}"
    work.outbox.add(NewJob(kind=JobKind.NOTICES, peer=peer, key=key, payload=b"{}"), context.now())
    work.commit()
    return waiting
