"""Take in what a holder receipts: signed batches, matched to the frames that were sent."""

from agreements.refusal import Refusal, Refused, refuse
from agreements.signatures import document_keys, reason_of
from crypto import envelope
from crypto.errors import CryptoError
from node.domain.context import Context
from node.domain.journal import Act, Detail, EntryFacts, draft
from node.domain.receipts import KIND, MOST_RECEIPTS, ReceiptBatch
from node.operations.asked import RefusedAnswer
from node.operations.facts import NodeFacts, Settings
from node.operations.ports import UnitOfWork
from registry.parties import PartyId


def take_receipts(
    work: UnitOfWork, peer: PartyId, raw: bytes, facts: NodeFacts, settings: Settings, context: Context
) -> RefusedAnswer | None:
    """Verify a batch and note each receipt at its frame; receipts of frames never sent are counted, not kept.

    Goes on for suspended peers and under stale heads: a receipt discloses nothing, and proves what was disclosed.
    """
    batch = _open(raw, peer, facts, settings, context.node)
    if isinstance(batch, Refused):
        return _refuse(work, peer, batch, context)
    kept = sum(
        work.sent_frames.receipt(bytes.fromhex(one.frame), bytes.fromhex(one.header), raw, one.at)
        for one in batch.receipts
    )
    digest = envelope.parse(raw, KIND).digest.hex()
    detail: Detail = {"batch": digest, "count": len(batch.receipts), "matched": kept}
    _journal(work, context, peer, Act.RECEIPT, detail)
    work.commit()
    return None


def _open(raw: bytes, peer: PartyId, facts: NodeFacts, settings: Settings, node: PartyId) -> ReceiptBatch | Refused:
    pack = settings.law.rules.reference
    try:
        signed = envelope.parse(raw, KIND)
        if not envelope.verified_signers(signed, document_keys(facts.snapshot.keys_of(peer))):
            return refuse(Refusal.SIGNATURE_INVALID, pack, "batch: expected signed by the sender")
        batch = envelope.read_payload(signed, ReceiptBatch)
    except CryptoError as failure:
        return refuse(reason_of(failure), pack, "batch: expected readable and signed")
    if (batch.holder, batch.home) != (peer, node):
        return refuse(Refusal.SIGNATURE_INVALID, pack, "parties: expected sender and receiver")
    if len(batch.receipts) > MOST_RECEIPTS:
        return refuse(Refusal.OVERSIZED, pack, f"receipts: expected at most {MOST_RECEIPTS}")
    return batch


def _refuse(work: UnitOfWork, peer: PartyId, refused: Refused, context: Context) -> RefusedAnswer:
    detail: Detail = {"article": refused.article, "outcome": refused.reason.value}
    leaf = _journal(work, context, peer, Act.REFUSED, detail)
    work.commit()
    return RefusedAnswer(refused=refused, leaf=leaf)


def _journal(work: UnitOfWork, context: Context, peer: PartyId, act: Act, detail: Detail) -> bytes:
    entry = EntryFacts(act=act, detail=detail, counterparty=peer)
    drafted = draft(entry, context.node, context.now(), context.random)
    work.journal.add([drafted])
    return drafted.leaf
