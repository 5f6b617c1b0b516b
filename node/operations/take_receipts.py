"""Take in what a holder receipts: signed batches, matched to the frames and notices that were sent."""

from agreements.refusal import Refusal, Refused, refuse
from agreements.signatures import document_keys, reason_of
from crypto import envelope
from crypto.errors import CryptoError
from node.domain.context import Context
from node.domain.grounds import refused_for
from node.domain.journal import Act, Detail, EntryFacts
from node.domain.receipts import COPY_KIND, KIND, MOST_RECEIPTS, CopyReceiptBatch, ReceiptBatch
from node.operations.asked import RefusedAnswer
from node.operations.facts import NodeFacts
from node.operations.keep_clocks import end_telling
from node.operations.ports import UnitOfWork
from node.operations.write_down import write_down
from registry.parties import PartyId


def take_receipts(
    work: UnitOfWork, peer: PartyId, raw: bytes, facts: NodeFacts, context: Context
) -> RefusedAnswer | None:
    """Verify a batch and note each receipt where it belongs; receipts of what was never sent are counted, not kept.

    Goes on for suspended peers and under stale heads: a receipt discloses nothing, and proves what was disclosed.
    """
    batch = _open(raw, peer, facts, context.node)
    if isinstance(batch, Refused):
        return _refuse(work, peer, batch, context)
    if isinstance(batch, CopyReceiptBatch):
        kept = _note_copies(work, peer, raw, batch, context)
    else:
        frames = [(bytes.fromhex(one.frame), bytes.fromhex(one.header), one.at) for one in batch.receipts]
        kept = work.sent_frames.receipt(peer, frames, raw)
    digest = envelope.parse_any(raw, (KIND, COPY_KIND)).digest.hex()
    detail: Detail = {"batch": digest, "count": len(batch.receipts), "matched": kept}
    _journal(work, context, peer, Act.RECEIPT, detail)
    work.commit()
    return None


def _note_copies(work: UnitOfWork, peer: PartyId, raw: bytes, batch: CopyReceiptBatch, context: Context) -> int:
    """Note how far changes have come, and close what the holder does not hold any more: only receipts do that."""
    told = [(bytes.fromhex(one.notice), one.stage, one.at) for one in batch.receipts if one.notice is not None]
    ended = [
        (bytes.fromhex(one.frame), bytes.fromhex(one.alias)) for one in batch.receipts if one.frame is not None
    ]  # fmt: skip
    numbers = work.notices.advance(peer, [(notice, stage.value, at) for notice, stage, at in told], raw)
    received = [(numbers[notice], at) for notice, _, at in told if notice in numbers]
    end_telling(work, peer, received, context)
    at = context.now()
    work.settlements.settle(peer, [notice for notice, stage, _ in told if stage.is_last], raw, at)
    return len(received) + work.settlements.end(peer, ended, raw, at)


def _open(raw: bytes, peer: PartyId, facts: NodeFacts, node: PartyId) -> ReceiptBatch | CopyReceiptBatch | Refused:
    pack = facts.law.rules.reference
    try:
        signed = envelope.parse_any(raw, (KIND, COPY_KIND))
        if not envelope.verified_signers(signed, document_keys(facts.snapshot.keys_of(peer))):
            return refuse(Refusal.SIGNATURE_INVALID, pack, "batch: expected signed by the sender")
        batch = _read(signed)
    except CryptoError as failure:
        return refuse(reason_of(failure), pack, "batch: expected readable and signed")
    if (batch.holder, batch.home) != (peer, node):
        return refuse(Refusal.SIGNATURE_INVALID, pack, "parties: expected sender and receiver")
    if len(batch.receipts) > MOST_RECEIPTS:
        return refuse(Refusal.OVERSIZED, pack, f"receipts: expected at most {MOST_RECEIPTS}")
    if isinstance(batch, CopyReceiptBatch) and not all(one.is_sound for one in batch.receipts):
        return refuse(Refusal.MALFORMED, pack, "receipts: expected each of a notice, or of an ended copy in a frame")
    return batch


def _read(signed: envelope.Signed) -> ReceiptBatch | CopyReceiptBatch:
    if signed.payload_type == envelope.payload_type(COPY_KIND):
        return envelope.read_payload(signed, CopyReceiptBatch)
    return envelope.read_payload(signed, ReceiptBatch)


def _refuse(work: UnitOfWork, peer: PartyId, refused: Refused, context: Context) -> RefusedAnswer:
    detail = refused_for(refused)
    leaf = _journal(work, context, peer, Act.REFUSED, detail)
    work.commit()
    return RefusedAnswer(refused=refused, leaf=leaf)


def _journal(work: UnitOfWork, context: Context, peer: PartyId, act: Act, detail: Detail) -> bytes:
    entry = EntryFacts(act=act, detail=detail, counterparty=peer)
    return write_down(work, entry, context)
