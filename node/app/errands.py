"""Errands: what the courier does for each kind of job.

Deliver a document, file an agreement, send receipts, have a journal proven. Asking is in `asking`, pushing and telling
holders of changes in `propagating`.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial

import msgspec

from agreements.refusal import Refusal, Refused
from crypto.envelope import sign
from crypto.errors import CryptoError
from crypto.keys import Suite
from node.app.opening import Node
from node.app.threads import Threads
from node.domain.jobs import Job, JobKind, JobResult
from node.domain.receipts import COPY_KIND, MOST_RECEIPTS, CopyReceipt, CopyReceiptBatch, Receipt, ReceiptBatch
from node.domain.receipts import KIND as RECEIPTS_KIND
from node.operations.asked import JournalProof
from node.operations.keep_agreements import DocumentPayload, keep_receipt
from node.operations.keep_journal import ProofAsked, check_proof
from node.operations.ports import UnitOfWork
from node.operations.prove import ProofJob, ProofResult, note_failure, note_proof
from node.wire.errors import PeerRefused
from node.wire.peers import PeerClient
from registry.parties import PartyId

PASSING = frozenset({Refusal.NOT_READY, Refusal.REGISTRY_STALE, Refusal.JOURNAL_UNAVAILABLE})
"""Refusals that pass by themselves, so the job is tried again."""


@dataclass(frozen=True, slots=True)
class Errands:
    """Does jobs over the wire; raises PeerRefused and PeerUnreachable for the courier to judge."""

    node: Node
    peers: PeerClient
    threads: Threads
    query: Callable[[Sequence[Job]], Awaitable[None]]
    push: Callable[[Sequence[Job]], Awaitable[None]]
    notify: Callable[[Sequence[Job]], Awaitable[None]]

    def of(self, kind: JobKind) -> Callable[[Sequence[Job]], Awaitable[None]]:
        """What to do with jobs of a kind."""
        return {
            JobKind.DELIVER_DOCUMENT: self.deliver,
            JobKind.FILE_AGREEMENT: self.file,
            JobKind.QUERY: self.query,
            JobKind.RECEIPTS: self.receipts,
            JobKind.PROVE: self.prove,
            JobKind.PUSH: self.push,
            JobKind.NOTICES: self.notify,
            JobKind.COPY_RECEIPTS: self.copy_receipts,
        }[kind]

    async def deliver(self, jobs: Sequence[Job]) -> None:
        """Deliver documents of agreements to the other party."""
        for job in jobs:
            payload = msgspec.json.decode(job.payload, type=DocumentPayload)
            digest = await self.peers.deliver_document(job.peer, payload.document)
            result = JobResult(outcome="DELIVERED", by=job.peer, document=digest.hex())
            await self.finish([job], msgspec.json.encode(result))

    async def file(self, jobs: Sequence[Job]) -> None:
        """File agreements with an authority, and keep its receipts."""
        for job in jobs:
            payload = msgspec.json.decode(job.payload, type=DocumentPayload)
            receipt = await self.peers.file_agreement(job.peer, payload.document)
            await self.threads.write(partial(self._keep, job, payload.agreement, receipt))

    async def receipts(self, jobs: Sequence[Job]) -> None:
        """Sign all receipts that wait for one home together, and send them as one batch."""
        context = self.node.context
        batch = ReceiptBatch(
            holder=self.node.party,
            home=jobs[0].peer,
            issued_at=context.now(),
            receipts=tuple(msgspec.json.decode(job.payload, type=Receipt) for job in jobs),
            suite=Suite.ONE,
        )
        await self.peers.deliver_receipts(jobs[0].peer, sign(RECEIPTS_KIND, batch, [context.keys.document]))
        await self.finish(jobs, msgspec.json.encode(JobResult(outcome="DELIVERED", by=jobs[0].peer)))

    async def copy_receipts(self, jobs: Sequence[Job]) -> None:
        """Sign receipts about copies that wait for one home, as many together as one batch holds, and send them."""
        context, home = self.node.context, jobs[0].peer
        waiting = [(job, msgspec.json.decode(job.payload, type=tuple[CopyReceipt, ...])) for job in jobs]
        while waiting:
            taken = _fitting(waiting)
            waiting = waiting[len(taken) :]
            batch = CopyReceiptBatch(
                holder=self.node.party,
                home=home,
                issued_at=context.now(),
                receipts=tuple(one for _, receipts in taken for one in receipts),
                suite=Suite.ONE,
            )
            await self.peers.deliver_receipts(home, sign(COPY_KIND, batch, [context.keys.document]))
            await self.finish([job for job, _ in taken], msgspec.json.encode(JobResult(outcome="DELIVERED", by=home)))

    async def prove(self, jobs: Sequence[Job]) -> None:
        """Have a peer prove leaves of its journal, one call each."""
        for job in jobs:
            result = await self._proven(job.peer, msgspec.json.decode(job.payload, type=ProofJob))
            for problem in result.problems:
                await self.threads.write(partial(self._unproven, job.peer, problem))
            failed = bool(result.problems or result.failure)
            await self.finish([job], msgspec.json.encode(result), failed=failed)

    async def finish(self, jobs: Sequence[Job], result: bytes, *, failed: bool = False) -> None:
        """Close jobs with one result."""

        def write(work: UnitOfWork) -> None:
            for job in jobs:
                work.outbox.finish(job.number, result, self.threads.now(), failed=failed)
            work.commit()

        await self.threads.write(write)

    def _keep(self, job: Job, agreement: str, receipt: bytes, work: UnitOfWork) -> None:
        node = self.node
        facts = node.facts(work)
        filed = facts.agreements[bytes.fromhex(agreement)]
        kept = keep_receipt(work, job.peer, filed, receipt, facts, node.context)
        if isinstance(kept, Refused):
            result = JobResult(outcome="REFUSED", reason=kept.reason.value, article=kept.article, by=node.party)
        else:
            result = JobResult(outcome="FILED", by=job.peer, document=kept.hex())
        raw, failed = msgspec.json.encode(result), isinstance(kept, Refused)
        work.outbox.finish(job.number, raw, self.threads.now(), failed=failed)
        work.commit()

    async def _proven(self, peer: PartyId, asked: ProofJob) -> ProofResult:
        size = 0
        for leaf in (bytes.fromhex(one) for one in asked.leaves or ("",)):
            against = await self.threads.read(partial(self._against, peer, leaf))
            if against is None:
                return ProofResult(failure=f"{peer} is not a listed party")
            old_size = against.old.size if against.old else 0
            try:
                proof = await self.peers.prove_journal(peer, leaf, old_size)
                size = await self.threads.write(partial(self._proof_holds, against, proof))
            except PeerRefused as error:
                if error.answer.refused.reason is not Refusal.NOT_READY or self.threads.now() < asked.due:
                    raise
                missing = f"leaf {leaf.hex()} is not in the journal of {peer}"
                return ProofResult(leaves=len(asked.leaves), size=size, problems=(missing,))
            except CryptoError as error:
                return ProofResult(leaves=len(asked.leaves), size=size, problems=(str(error),))
        return ProofResult(leaves=len(asked.leaves), size=size)

    def _unproven(self, peer: PartyId, problem: str, work: UnitOfWork) -> None:
        note_failure(work, peer, problem, self.node.context)

    def _against(self, peer: PartyId, leaf: bytes, work: UnitOfWork) -> ProofAsked | None:
        listing = self.node.facts(work).snapshot.party(peer)
        if listing is None:
            return None
        vkey = listing.card.card.journal_vkey
        return ProofAsked(peer=peer, vkey=vkey, leaf=leaf, old=work.peers.head(peer))

    def _proof_holds(self, against: ProofAsked, proof: JournalProof, work: UnitOfWork) -> int:
        checkpoint = check_proof(against, proof)
        note_proof(work, against.peer, checkpoint, proof.checkpoint, self.node.context)
        return checkpoint.size


def _fitting(waiting: Sequence[tuple[Job, tuple[CopyReceipt, ...]]]) -> Sequence[tuple[Job, tuple[CopyReceipt, ...]]]:
    """As many jobs from the front as go into one batch, and at least one."""
    room = MOST_RECEIPTS
    for place, (_, receipts) in enumerate(waiting):
        room -= len(receipts)
        if room < 0 and place:
            return waiting[:place]
    return waiting
