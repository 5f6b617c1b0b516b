"""Accept what a provider answered, whole or not at all, and note what it refused."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from agreements import authorisation
from agreements.refusal import Refusal, Refused, refuse
from crypto.envelope import parse
from crypto.frame import FrameHeader
from node.domain.context import Context
from node.domain.journal import Act, EntryFacts, draft
from node.operations.accept_frames import (
    Opened,
    beyond,
    first_unfit,
    journal_frame,
    keep_frame,
    open_renditions,
    read_header,
)
from node.operations.ask import Asker, ItemRefused, Plan, PlannedItem, PlannedMessage
from node.operations.disclose import authorisations_digest
from node.operations.ports import UnitOfWork
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
    """Verify an answered frame, keep it with its copies, and queue the receipt; give its id.

    Signature, header, body digest, seal, renditions, count and root are checked; then that it answers this request
    and its authorisations under this agreement and filing set; then that every rendition was asked for and is
    de-identified, and that no other frame has its id. One thing wrong refuses the frame whole, and nothing of it is
    kept. The caller commits, together with the job's progress.
    """
    opened = _open(arrived, message, asker)
    kept = keep_frame(work, opened, asker) if isinstance(opened, Opened) else opened
    if not isinstance(kept, Refused):
        return kept.frame
    journal_frame(work, arrived.peer, asker.agreement.digest, asker.context, {"outcome": kept.reason.value})
    return kept


def _open(arrived: Arrived, message: PlannedMessage, asker: Asker) -> Opened | Refused:
    read = read_header(arrived.peer, arrived.header, asker)
    if isinstance(read, Refused):
        return read
    header, digest = read
    if header.request != arrived.request.hex() or header.mode != "ANSWER" or header.push_sequence is not None:
        return asker.refuse(Refusal.REPLAYED, "request: expected the one that was sent")
    received = open_renditions(header, arrived.body, asker)
    if isinstance(received, Refused):
        return received
    opened = Opened(
        sender=arrived.peer, agreement=asker.agreement, raw=arrived.header, header=header, digest=digest,
        received=received,
    )  # fmt: skip
    pack = asker.facts.law.rules.reference
    answered = [item for place, item in enumerate(message.items) if place not in arrived.refused]
    refused = (
        beyond(opened, asker)
        or _unasked(opened, arrived, pack)
        or _unauthorised(header, answered, pack)
        or _of_others(opened, answered, pack)
        or first_unfit(opened, asker)
    )
    return opened if refused is None else refused


def _unasked(opened: Opened, arrived: Arrived, pack: str) -> Refused | None:
    """Refuse a frame for another purpose, or with anything that was not asked for.

    What is agreed but was not asked is refused, too: the subject consented to the question, not to more (S 35).
    """
    if opened.header.purpose != arrived.purpose:
        return refuse(Refusal.PURPOSE_MISMATCH, pack, "purpose: expected the one asked for")
    if not all(names <= arrived.asked.get(kind, frozenset()) for kind, names in opened.shown().items()):
        return refuse(Refusal.AGREEMENT_SCOPE, pack, "fields: expected only those asked for")
    return None


def _unauthorised(header: FrameHeader, answered: Sequence[PlannedItem], pack: str) -> Refused | None:
    """Refuse a frame that names other authorisations than those it was asked with: it would witness to them (S 28)."""
    sent = [parse(item.authorisation, authorisation.KIND).digest for item in answered if item.authorisation]
    expected = authorisations_digest(sent)
    if header.authorisation == (expected.hex() if expected else None):
        return None
    return refuse(Refusal.REPLAYED, pack, "authorisation: expected the one that was sent")


def _of_others(opened: Opened, answered: Sequence[PlannedItem], pack: str) -> Refused | None:
    """Refuse a frame with a rendition of a subject that was not asked about."""
    names = {item.pseudonym for item in answered}
    if all(one.pseudonym.hex() in names for one in opened.received):
        return None
    return refuse(Refusal.AGREEMENT_SCOPE, pack, "pseudonym: expected one that was asked about")


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
