"""Accept what a provider answered, whole or not at all, and note what it refused."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

from agreements import authorisation
from agreements.permission import FrameFacts, accept_frame
from agreements.refusal import Refusal, Refused, refuse
from agreements.signatures import reason_of
from crypto.commitment import Rendition
from crypto.envelope import parse
from crypto.errors import BadSeal, CryptoError
from crypto.frame import FrameHeader, Received, open_body, open_header
from crypto.keys import Purpose
from node.domain.context import Context
from node.domain.deidentified import check_deidentified, check_precision
from node.domain.jobs import JobKind, NewJob
from node.domain.journal import Act, Detail, EntryFacts, draft
from node.domain.receipts import Receipt, Stage
from node.operations.ask import Asker, ItemRefused, Plan, PlannedItem, PlannedMessage
from node.operations.disclose import authorisations_digest
from node.operations.ports import UnitOfWork
from node.operations.rows import CopyRow, ReceivedFrameRow
from registry.parties import PartyId


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """A frame as it came, with the request it answers: its digest, its purpose, and the fields asked, by kind.

    `refused` are the positions of the items that home refused beside it.
    """

    peer: PartyId
    request: bytes
    purpose: str
    asked: Mapping[str, frozenset[str]]
    header: bytes
    body: bytes
    refused: frozenset[int] = frozenset()


def accept_answer(work: UnitOfWork, arrived: Arrived, message: PlannedMessage, asker: Asker) -> bytes | Refused:
    """Verify an answered frame, keep it whole with its copies, and queue the receipt; give its id.

    Signature, header, body digest, seal, renditions, count and root are checked; then that it answers this request
    and its authorisations under this agreement and filing set; then that every rendition was asked for and is
    de-identified, and that no other frame has its id. One thing wrong refuses the frame whole, and nothing of it is
    kept. The caller commits, together with the job's progress.
    """
    opened = _open(work, arrived, message, asker)
    if isinstance(opened, Refused):
        _journal_frame(work, arrived.peer, asker, {"outcome": opened.reason.value})
        return opened
    header, digest, received = opened
    now = asker.context.now()
    frame = bytes.fromhex(header.frame)
    row = ReceivedFrameRow(
        frame=frame, sender=arrived.peer, agreement=asker.agreement.digest, header=arrived.header,
        header_digest=digest, body=arrived.body, received_at=now,
    )  # fmt: skip
    keep_until = now + timedelta(days=asker.agreement.terms.retention_days)
    copies = [_copy(one, frame, asker.agreement.digest, keep_until) for one in received]
    if work.received_frames.add(row, copies):
        outcome: Detail = {"count": header.count, "frame": header.frame, "outcome": "RECEIVED"}
        leaf = _journal_frame(work, arrived.peer, asker, outcome)
        _queue_receipt(work, arrived.peer, header.frame, digest, leaf, asker)
    return frame


def _open(
    work: UnitOfWork, arrived: Arrived, message: PlannedMessage, asker: Asker
) -> tuple[FrameHeader, bytes, list[Received]] | Refused:
    pack = asker.settings.law.rules.reference
    listing = asker.facts.snapshot.party(arrived.peer)
    if listing is None or not listing.is_active:
        return refuse(Refusal.PEER_UNKNOWN, pack, "sender: expected an admitted party")
    try:
        header, digest = open_header(arrived.header, listing.card.key(Purpose.FRAME))
        if header.request != arrived.request.hex() or header.mode != "ANSWER":
            return refuse(Refusal.REPLAYED, pack, "request: expected the one that was sent")
        received = open_body(header, arrived.body, asker.context.keys.seal)
    except BadSeal:
        return refuse(Refusal.SEAL_INVALID, pack, "body: expected sealed to this node")
    except CryptoError as failure:
        return refuse(reason_of(failure), pack, "frame: expected as its header says")
    answered = [item for place, item in enumerate(message.items) if place not in arrived.refused]
    refused = _unacceptable(header, received, arrived, asker) or _unauthorised(header, answered, pack)
    unfit = (_unfit(one.rendition, header, answered, asker) for one in received)
    refused = refused or next((one for one in unfit if one is not None), None) or _renamed(work, header, digest, pack)
    return (header, digest, received) if refused is None else refused


def _renamed(work: UnitOfWork, header: FrameHeader, digest: bytes, pack: str) -> Refused | None:
    """Refuse another frame under the id of one that is held: it would be taken for the one held, and not be kept."""
    held = work.received_frames.find(bytes.fromhex(header.frame))
    if held is None or held.header_digest == digest:
        return None
    return refuse(Refusal.REPLAYED, pack, "frame: expected an id of its own")


def _unacceptable(header: FrameHeader, received: Sequence[Received], arrived: Arrived, asker: Asker) -> Refused | None:
    """Refuse a frame under other terms or filings than are held here, or with anything that was not asked for.

    What is agreed but was not asked is refused, too: the subject consented to the question, not to more (S 35).
    """
    shown: dict[str, frozenset[str]] = {}
    for one in received:
        kind = one.rendition.header.kind
        shown[kind] = shown.get(kind, frozenset()) | one.rendition.values().keys()
    facts = FrameFacts(header=header, sender=arrived.peer, recipient=asker.context.node, shown=shown)
    pack = asker.settings.law.rules.reference
    refused = accept_frame(facts, asker.agreement, asker.context.now(), pack)
    if refused is None and header.purpose != arrived.purpose:
        return refuse(Refusal.PURPOSE_MISMATCH, pack, "purpose: expected the one asked for")
    if refused is None and not all(names <= arrived.asked.get(kind, frozenset()) for kind, names in shown.items()):
        return refuse(Refusal.AGREEMENT_SCOPE, pack, "fields: expected only those asked for")
    return refused


def _unauthorised(header: FrameHeader, answered: Sequence[PlannedItem], pack: str) -> Refused | None:
    """Refuse a frame that names other authorisations than those it was asked with: it would witness to them (S 28)."""
    sent = [parse(item.authorisation, authorisation.KIND).digest for item in answered if item.authorisation]
    expected = authorisations_digest(sent)
    if header.authorisation == (expected.hex() if expected else None):
        return None
    return refuse(Refusal.REPLAYED, pack, "authorisation: expected the one that was sent")


def _unfit(rendition: Rendition, header: FrameHeader, answered: Sequence[PlannedItem], asker: Asker) -> Refused | None:
    """Refuse a rendition of a subject not asked about, or one that shows more than it may."""
    pack, terms = asker.settings.law.rules.reference, asker.agreement.terms
    names = {item.pseudonym for item in answered}
    if rendition.header.pseudonym not in names or rendition.header.epoch != header.epoch:
        return refuse(Refusal.AGREEMENT_SCOPE, pack, "pseudonym: expected one that was asked about")
    if rendition.header.profile != terms.deid_profile:
        return refuse(Refusal.NOT_DEIDENTIFIED, pack, "profile: expected the one agreed")
    kind, values = rendition.header.kind, rendition.values()
    return check_deidentified(kind, values, asker.vocabulary, pack) or check_precision(
        values, terms.precisions.get(kind, {}), pack
    )


def note_refusals(
    work: UnitOfWork, plan: Plan, peer: PartyId, refused: Sequence[ItemRefused], context: Context
) -> None:
    """Journal what a peer refused us, with the leaf under which its own journal must show it."""
    entries = [
        EntryFacts(
            act=Act.REFUSED_BY_PEER,
            detail={"article": one.article, "leaf": one.leaf, "outcome": one.reason, "purpose": plan.purpose},
            counterparty=peer,
            agreement=bytes.fromhex(plan.agreement),
        )
        for one in refused
        if one.by == peer
    ]
    work.journal.add([draft(entry, context.node, context.now(), context.random) for entry in entries])


def _copy(received: Received, frame: bytes, agreement: bytes, keep_until: datetime) -> CopyRow:
    header = received.rendition.header
    return CopyRow(
        frame=frame,
        agreement=agreement,
        pseudonym=bytes.fromhex(header.pseudonym),
        alias=bytes.fromhex(header.alias),
        wire_version=header.version,
        kind=header.kind,
        rendition=received.raw,
        keep_until=keep_until,
    )


def _journal_frame(work: UnitOfWork, peer: PartyId, asker: Asker, detail: Detail) -> bytes:
    entry = EntryFacts(act=Act.FRAME_RECEIVED, detail=detail, counterparty=peer, agreement=asker.agreement.digest)
    drafted = draft(entry, asker.context.node, asker.context.now(), asker.context.random)
    work.journal.add([drafted])
    return drafted.leaf


def _queue_receipt(work: UnitOfWork, peer: PartyId, frame: str, digest: bytes, leaf: bytes, asker: Asker) -> None:
    """Queue one receipt; receipts that wait for the same peer are signed together when they are sent."""
    now = asker.context.now()
    receipt = Receipt(at=now, frame=frame, header=digest.hex(), journal_leaf=leaf.hex(), stage=Stage.RECEIVED)
    payload = msgspec.json.encode(receipt)
    work.outbox.add(NewJob(kind=JobKind.RECEIPTS, peer=peer, key=f"receipt:{peer}:{frame}", payload=payload), now)
