"""Tell a holder now what it has not taken yet, and hear whether it has lost what it knew.

A person knows that a holder is back before the courier does. One that was restored from a backup expects an earlier
number, which it only says when it is told something; so the last batch is told again where nothing else waits.
"""

from hashlib import sha256

from node.domain.context import Context
from node.domain.jobs import JobKind, NewJob
from node.domain.operators import Role, SigningOperator
from node.operations.operators import NotAllowed, order
from node.operations.ports import UnitOfWork
from registry.parties import PartyId

MOST_COUNTED = 1_000


def retry_notices(work: UnitOfWork, peer: PartyId, operator: SigningOperator, context: Context) -> int | NotAllowed:
    """Queue the telling of a peer for now; gives how many notices that is (at most a thousand are counted)."""
    opened = work.notice_streams.open_batch(peer)
    waiting = len(work.notice_streams.unnumbered(peer, MOST_COUNTED)) + (len(opened[1]) if opened else 0)
    if not waiting:
        waiting = work.notice_answers.repeat_last(peer)
    if not waiting:
        return 0
    ordered = order(work, operator, Role.RECORDS, sha256(b"creditport/retry/v1" + peer.encode()).digest(), context)
    if isinstance(ordered, NotAllowed):
        return ordered
    key = f"notices:{peer}:{context.random(8).hex()}"
    work.outbox.add(NewJob(kind=JobKind.NOTICES, peer=peer, key=key, payload=b"{}"), context.now())
    work.commit()
    return waiting
