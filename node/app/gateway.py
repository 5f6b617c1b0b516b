"""The node as its peers reach it: each message gets one unit of work, and every failure closes the door."""

import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from agreements.authorisation_pool import AuthorisationPool, open_all
from agreements.refusal import Refusal, Refused, refuse
from crypto.pseudonym_pool import PseudonymPool
from node.app.opening import Node
from node.domain.grounds import refused_for
from node.domain.journal import Act, Detail, EntryFacts, draft
from node.operations.accept_frames import Opened, Turned, accept_pushed, open_pushed
from node.operations.answer_queries import answer_queries
from node.operations.asked import (
    Answered,
    EvaluateAsked,
    EvaluationGranted,
    FrameArrived,
    FrameRefused,
    FrameStored,
    JournalProof,
    NoticesTaken,
    QueryAsked,
    RefusedAnswer,
    RegistryPage,
)
from node.operations.charge_evaluations import charge_evaluations
from node.operations.desk import Desk
from node.operations.keep_agreements import receive_document, take_filing
from node.operations.keep_journal import prove_journal
from node.operations.keep_registry import read_registry
from node.operations.open_ahead import open_ahead
from node.operations.ports import UnitOfWork
from node.operations.show_evidence import in_parts, order_inspection, show_evidence
from node.operations.take_notices import take_notices
from node.operations.take_receipts import take_receipts
from node.storage.errors import StorageError
from node.wire.methods import LARGEST_PART, OUTLIVING
from registry.parties import PartyId
from registry.snapshot import Snapshot

A = TypeVar("A")

MOST_UNREAD_HEADS = 1_000
"""Peers' checkpoints that may wait to be verified."""


class NodeGateway:
    """Serves a node's peers. Safe to be called from several threads; what is kept in memory is one value each."""

    def __init__(self, node: Node, pool: PseudonymPool, authorisations: AuthorisationPool | None = None) -> None:
        self._node = node
        self._pool = pool
        self._opener = open_all if authorisations is None else authorisations.open
        self._evaluating = ThreadPoolExecutor(2, thread_name_prefix="evaluating")
        self._snapshot: Snapshot | None = None
        self._checkpoint = b""
        self._heads: deque[tuple[PartyId, bytes]] = deque(maxlen=MOST_UNREAD_HEADS)
        self._lock = threading.Lock()

    def close(self) -> None:
        """Finish the evaluations that run."""
        self._evaluating.shutdown(cancel_futures=True)

    def now_knows(self, snapshot: Snapshot) -> None:
        """From now on peers are identified by this snapshot."""
        self._snapshot = snapshot

    def now_publishes(self, checkpoint: bytes) -> None:
        """From now on this is the newest checkpoint that peers are shown."""
        self._checkpoint = checkpoint

    def take_heads(self) -> list[tuple[PartyId, bytes]]:
        """Take the checkpoints that peers have shown since the last call."""
        with self._lock:
            taken = list(self._heads)
            self._heads.clear()
        return taken

    def identify(self, certificate_sha256: bytes, method: str) -> PartyId | Refused:
        """Say whose certificate this is, by the registry as this process last read it.

        Notices and receipts go on when an admission ends, unless it ended because the party's keys were taken.
        """
        pack = self._node.rule_pack
        listing = self._snapshot.by_certificate(certificate_sha256) if self._snapshot else None
        if listing is None:
            return refuse(Refusal.PEER_UNKNOWN, pack, "certificate: expected a listed one")
        if not listing.is_active and not (method in OUTLIVING and listing.keeps_its_word):
            return refuse(Refusal.PEER_SUSPENDED, pack, "peer: expected admitted, got revoked")
        return listing.party

    def charge_evaluations(self, asked: list[EvaluateAsked]) -> Sequence[EvaluationGranted | RefusedAnswer]:
        """Decide and charge evaluations in one transaction."""
        return self._guarded(asked, lambda work: charge_evaluations(work, asked, self._desk(work)))

    def evaluate(self, agreement_id: str, epoch: int, blinded: Sequence[bytes]) -> Future[tuple[list[bytes], bytes]]:
        """Start evaluating charged elements in the pool's processes."""

        def run() -> tuple[list[bytes], bytes]:
            (evaluation,) = self._pool.evaluate(agreement_id, epoch, blinded)
            return evaluation.elements, evaluation.proof

        return self._evaluating.submit(run)

    def answer_queries(self, asked: list[QueryAsked]) -> Sequence[Answered | RefusedAnswer]:
        """Answer queries in one transaction; their authorisations are verified while others may still write."""
        node = self._node
        ahead = open_ahead(asked, node.facts_cache.latest, self._opener)
        return self._guarded(asked, lambda work: answer_queries(work, asked, self._desk(work), ahead))

    def receive_document(self, peer: PartyId, raw: bytes) -> bytes | RefusedAnswer:
        """Take in a document of an agreement."""
        node = self._node
        with node.store.write() as work:
            return receive_document(work, peer, raw, node.facts(work), node.context)

    def file_agreement(self, peer: PartyId, raw: bytes) -> bytes | RefusedAnswer:
        """File an agreement, if this node is an authority."""
        node = self._node
        with node.store.write() as work:
            return take_filing(work, peer, raw, node.facts(work), node.settings, node.context)

    def receive_receipts(self, peer: PartyId, raw: bytes) -> RefusedAnswer | None:
        """Take in a batch of receipts."""
        node = self._node
        with node.store.write() as work:
            return take_receipts(work, peer, raw, node.facts(work), node.context)

    def receive_frames(self, peer: PartyId, frames: Sequence[FrameArrived]) -> Sequence[FrameStored | FrameRefused]:
        """Take in pushed frames: verified before the transaction begins, so that it holds up nobody else's."""
        node = self._node
        with node.store.read() as work:
            known = node.facts(work)
        opened = self._open(peer, frames)
        with node.store.write() as work:
            if node.facts(work) is not known:
                # Agreements or registry changed meanwhile: what was verified by the old ones does not count.
                opened = self._open(peer, frames)
            return accept_pushed(work, peer, opened, node.recipient(work))

    def receive_notices(
        self, peer: PartyId, batch: bytes, replacement: FrameArrived | None
    ) -> NoticesTaken | RefusedAnswer:
        """Take in the next batch of a home's notices."""
        with self._node.store.write() as work:
            return take_notices(work, peer, batch, replacement, self._node.recipient(work))

    def read_registry(self, start: int, limit: int) -> RegistryPage | RefusedAnswer:
        """Give part of this authority's log."""
        with self._node.store.read() as work:
            page = read_registry(work, self._node.party, start, limit)
        if page is not None:
            return page
        pack = self._node.rule_pack
        refused = refuse(Refusal.PARTY_NOT_ELIGIBLE, pack, "receiver: expected an authority with a published log")
        return RefusedAnswer(refused=refused, leaf=b"")

    def prove_journal(self, peer: PartyId, leaf: bytes, old_size: int) -> JournalProof | RefusedAnswer:
        """Prove a leaf of this journal. It says nothing of the leaf, so any listed peer may ask."""
        del peer
        with self._node.store.read() as work:
            proof = prove_journal(work, leaf, old_size)
        if proof is not None:
            return proof
        pack = self._node.rule_pack
        refused = refuse(Refusal.NOT_READY, pack, "leaf: expected in the published journal")
        return RefusedAnswer(refused=refused, leaf=b"")

    def inspect(self, peer: PartyId, order: bytes) -> Iterator[bytes] | RefusedAnswer:
        """Decide an inspection, and give its bundle in parts; what is shown was published before."""
        node = self._node
        with node.store.write() as work:
            facts = node.facts(work)
            decided = order_inspection(work, peer, order, facts, node.context)
        if isinstance(decided, RefusedAnswer):
            return decided
        return in_parts(show_evidence(node.store, decided, facts, node.context), LARGEST_PART)

    def refuse(self, peer: PartyId, method: str, refused: Refused) -> RefusedAnswer:
        """Journal what was refused at the edge: malformed, oversized, unknown field."""
        node = self._node
        detail: Detail = {**refused_for(refused), "method": method}
        entry = EntryFacts(act=Act.REFUSED, detail=detail, counterparty=peer)
        drafted = draft(entry, node.party, node.clock(), node.chance)
        with node.store.write() as work:
            work.journal.add([drafted])
            work.commit()
        return RefusedAnswer(refused=refused, leaf=drafted.leaf)

    def saw_checkpoint(self, peer: PartyId, note: bytes) -> None:
        """Keep a peer's checkpoint for the loop that verifies it; under a flood the oldest are forgotten."""
        if note:
            with self._lock:
                self._heads.append((peer, note))

    def newest_checkpoint(self) -> bytes:
        """Give this node's newest checkpoint."""
        return self._checkpoint

    def _open(self, peer: PartyId, frames: Sequence[FrameArrived]) -> list[Opened | Turned]:
        with self._node.store.read() as work:
            recipient = self._node.recipient(work)
        return [open_pushed(peer, one, recipient) for one in frames]

    def _desk(self, work: UnitOfWork) -> Desk:
        return self._node.desk(work, self._checkpoint)

    def _guarded(
        self, asked: Sequence[object], act: Callable[[UnitOfWork], Sequence[A]]
    ) -> Sequence[A | RefusedAnswer]:
        """Do a disclosing act in one transaction; what cannot be written down is not shown (rule 3)."""
        try:
            with self._node.store.write() as work:
                return act(work)
        except StorageError:
            pack = self._node.rule_pack
            refused = refuse(Refusal.JOURNAL_UNAVAILABLE, pack, "journal: expected writable")
            return [RefusedAnswer(refused=refused, leaf=b"") for _ in asked]
