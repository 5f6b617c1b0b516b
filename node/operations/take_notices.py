"""Take in what a home says about copies that are held here: in order, each once, and at once (S 36, 42).

Verifying goes on for homes that are suspended or left, and under a stale registry: a notice discloses nothing, and
withholding never waits (rule 10). Only a replacement needs an agreement in force.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from agreements.refusal import Refusal, Refused, refuse
from agreements.signatures import document_keys, reason_of
from crypto import envelope
from crypto.commitment import decode
from crypto.errors import CryptoError
from crypto.renditions import Read
from node.domain.begun import begun_by_notices
from node.domain.grounds import refused_for
from node.domain.jobs import JobKind, NewJob
from node.domain.journal import Act, Detail, EntryFacts
from node.domain.notices import KIND, Effect, Notice, NoticeBatch, Outcome, Place, apply, place_of
from node.domain.receipts import MOST_RECEIPTS, CopyReceipt, CopyStage
from node.operations.accept_frames import (
    Kept,
    Opened,
    Recipient,
    Turned,
    floor_of,
    journal_frame,
    keep_frame,
    open_pushed,
    read_header,
)
from node.operations.asked import FrameArrived, NoticesTaken, RefusedAnswer
from node.operations.keep_clocks import begin_clocks, counting_of
from node.operations.ports import UnitOfWork
from node.operations.rows import ErasureRow, FloorRow, HeldRow, ReceivedNoticeRow
from node.operations.write_down import write_down
from registry.parties import PartyId

MOST_EVIDENCE = 16
"""Contradicting batches of one home that are kept as evidence; more of them prove nothing new."""


def take_notices(
    work: UnitOfWork, peer: PartyId, raw: bytes, replacement: FrameArrived | None, recipient: Recipient
) -> NoticesTaken | RefusedAnswer:
    """Verify a batch, apply each notice, take in the new versions, and queue receipts, all in one transaction.

    A batch taken in before is answered as it was; one that leaves a gap changes nothing and is answered with the
    number expected; one that tells the same numbers differently is refused, and both tellings are kept as evidence.
    """
    opened = _open(raw, peer, recipient)
    if isinstance(opened, Refused):
        return _refuse(work, peer, opened, recipient)
    batch, digest = opened
    stream = work.notices_taken.stream(peer)
    known = work.notices_taken.batch_at(peer, batch.first)
    match place_of(batch, digest, stream, known):
        case Place.KNOWN:
            return _take_again(work, peer, batch, replacement, stream.expected, recipient)
        case Place.AHEAD:
            ahead = recipient.refuse(Refusal.OUT_OF_ORDER, "first: expected the next number")
            _refuse(work, peer, ahead, recipient)
            return NoticesTaken(expected=stream.expected)
        case Place.FORKED:
            forked = recipient.refuse(Refusal.REPLAYED, "batch: expected to follow what was told before")
            work.evidence.keep(peer, digest, raw, recipient.context.now(), MOST_EVIDENCE)
            return _refuse(work, peer, forked, recipient, {"held": (known or stream.last).hex(), "shown": digest.hex()})
        case Place.NEXT:
            return _take(work, peer, batch, raw, digest, replacement, recipient)


def _take_again(
    work: UnitOfWork, peer: PartyId, batch: NoticeBatch, replacement: FrameArrived | None, expected: int,
    recipient: Recipient,
) -> NoticesTaken:  # fmt: skip
    """Answer a batch that was taken in before: its replacement counts if it is the one that was taken in with it."""
    if replacement is None:
        return NoticesTaken(expected=expected)
    read = read_header(peer, replacement.header, recipient)
    held = None if isinstance(read, Refused) else work.received_frames.find(bytes.fromhex(read[0].frame))
    if held is not None and not isinstance(read, Refused) and held.header_digest == read[1]:
        return NoticesTaken(expected=expected)
    refused = read if isinstance(read, Refused) else recipient.refuse(
        Refusal.REPLAYED, "replacement: expected the one that came with this batch"
    )  # fmt: skip
    detail: Detail = {"outcome": refused.reason.value}
    leaf = journal_frame(work, peer, bytes.fromhex(batch.agreement), recipient.context, detail)
    work.commit()
    return NoticesTaken(expected=expected, refused=RefusedAnswer(refused=refused, leaf=leaf))


def _open(raw: bytes, peer: PartyId, recipient: Recipient) -> tuple[NoticeBatch, bytes] | Refused:
    pack = recipient.facts.law.rules.reference
    try:
        keys = document_keys(recipient.facts.snapshot.keys_of(peer))
        batch, digest = envelope.open_document(raw, KIND, NoticeBatch, keys)
    except CryptoError as failure:
        return refuse(reason_of(failure), pack, "batch: expected readable and signed by the sender")
    if (batch.home, batch.holder) != (peer, recipient.context.node):
        return refuse(Refusal.SIGNATURE_INVALID, pack, "parties: expected sender and receiver")
    agreement = recipient.facts.agreements.get(bytes.fromhex(batch.agreement))
    if agreement is None or (agreement.terms.provider, agreement.terms.recipient) != (peer, recipient.context.node):
        return refuse(Refusal.AGREEMENT_MISSING, pack, "agreement: expected one with the sender as provider")
    return batch, digest


def _take(
    work: UnitOfWork,
    peer: PartyId,
    batch: NoticeBatch,
    raw: bytes,
    digest: bytes,
    replacement: FrameArrived | None,
    recipient: Recipient,
) -> NoticesTaken:
    context, agreement = recipient.context, bytes.fromhex(batch.agreement)
    held = _held(work, agreement, batch.notices)
    floors = work.copies.floors(agreement, list(held))
    outcomes = _outcomes(batch.notices, held, floors)
    kept = _take_replacement(work, peer, batch, replacement, held, recipient)
    refused = kept if isinstance(kept, RefusedAnswer) else None
    work.copies.raise_floors(
        [
            FloorRow(agreement=agreement, alias=alias, version=floor.version, deleted=floor.deleted)
            for alias, floor in {bytes.fromhex(one.alias): out.floor for one, out in outcomes}.items()
        ]
    )
    _destroy(work, agreement, [bytes.fromhex(one.alias) for one, _ in outcomes])
    leaf = _journal(work, peer, batch, digest, outcomes, recipient)
    work.notices_taken.take(peer, raw, digest, _rows(peer, batch, outcomes, recipient))
    counting = counting_of(recipient.facts.law)
    begin_clocks(work, begun_by_notices(peer, batch.first, batch.notices, counting, context.now()), context)
    left_out = [(kept.frame, alias) for alias in kept.left_out] if isinstance(kept, Kept) else []
    _queue_receipts(work, peer, outcomes, left_out, leaf, recipient)
    work.erasures.add(
        [
            ErasureRow(
                number=0, home=peer, alias=bytes.fromhex(one.alias), notice=bytes.fromhex(one.notice), frame=None
            )
            for one, out in outcomes
            if out.stage is CopyStage.APPLIED
        ],
        context.now(),
    )
    work.commit()
    return NoticesTaken(expected=batch.first + len(batch.notices), refused=refused)


def _held(work: UnitOfWork, agreement: bytes, notices: Sequence[Notice]) -> dict[bytes, list[HeldRow]]:
    aliases = list(dict.fromkeys(bytes.fromhex(one.alias) for one in notices))
    held: dict[bytes, list[HeldRow]] = {alias: [] for alias in aliases}
    for copy in work.copies.held(agreement, aliases):
        held[copy.alias].append(copy)
    return held


def _outcomes(
    notices: Sequence[Notice], held: Mapping[bytes, Sequence[HeldRow]], floors: Mapping[bytes, FloorRow]
) -> list[tuple[Notice, Outcome]]:
    """What each notice does, in order: a later one goes on from the floor that an earlier one set."""
    floor = {alias: floor_of(floors, alias) for alias in held}
    decided = []
    for notice in notices:
        alias = bytes.fromhex(notice.alias)
        outcome = apply(notice, [copy.wire_version for copy in held[alias]], floor[alias])
        floor[alias] = outcome.floor
        decided.append((notice, outcome))
    return decided


def _take_replacement(
    work: UnitOfWork,
    peer: PartyId,
    batch: NoticeBatch,
    replacement: FrameArrived | None,
    held: Mapping[bytes, Sequence[HeldRow]],
    recipient: Recipient,
) -> Kept | RefusedAnswer | None:
    """Keep the new versions of what is held; a frame with anything that no notice announces is refused."""
    if replacement is None:
        return None
    opened = open_pushed(peer, replacement, recipient, replacing=True)
    if isinstance(opened, Opened):
        misfit = _misfit(opened, batch, recipient)
        opened = opened if misfit is None else Turned(frame=opened.frame, refused=misfit)
    kept: Kept | Refused
    if isinstance(opened, Turned):
        kept = opened.refused
    else:
        kept = keep_frame(work, opened, recipient, lambda one: _as_held(one, held[one.alias]))
    if isinstance(kept, Kept):
        return kept
    leaf = journal_frame(work, peer, bytes.fromhex(batch.agreement), recipient.context, {"outcome": kept.reason.value})
    return RefusedAnswer(refused=kept, leaf=leaf)


def _misfit(opened: Opened, batch: NoticeBatch, recipient: Recipient) -> Refused | None:
    """Refuse a replacement of what the batch does not correct."""
    if opened.agreement.digest.hex() != batch.agreement:
        return recipient.refuse(Refusal.AGREEMENT_SCOPE, "agreement: expected that of the notices")
    announced = {(one.alias, one.version) for one in batch.notices if one.effect is Effect.REPLACE}
    if all((one.alias.hex(), one.heading.version) in announced for one in opened.received):
        return None
    return recipient.refuse(Refusal.AGREEMENT_SCOPE, "rendition: expected one that a notice announces")


def _as_held(read: Read, copies: Sequence[HeldRow]) -> datetime | None:
    """Until when a new version is kept: no longer than the copies in whose place it comes, and in no more fields.

    None where nothing of it is held, or less was: then it is left out.
    """
    if not copies or not read.values().keys() <= _fields(copies):
        return None
    return max(copy.keep_until for copy in copies)


def _fields(copies: Sequence[HeldRow]) -> frozenset[str]:
    return frozenset().union(*(decode(copy.rendition).values() for copy in copies))


def _destroy(work: UnitOfWork, agreement: bytes, aliases: Sequence[bytes]) -> None:
    """Take every copy out of its table that its floor forbids now."""
    floors = work.copies.floors(agreement, aliases)
    void = [
        one.number for one in work.copies.held(agreement, aliases)
        if floor_of(floors, one.alias).forbids(one.wire_version)
    ]  # fmt: skip
    work.copies.destroy(void)


def _journal(
    work: UnitOfWork,
    peer: PartyId,
    batch: NoticeBatch,
    digest: bytes,
    outcomes: Sequence[tuple[Notice, Outcome]],
    recipient: Recipient,
) -> bytes:
    stages: dict[str, int] = defaultdict(int)
    for _, outcome in outcomes:
        stages[outcome.stage.value] += 1
    detail: Detail = {"batch": digest.hex(), "count": len(outcomes), "first": batch.first, **stages}
    entry = EntryFacts(
        act=Act.NOTICES_TAKEN, detail=detail, counterparty=peer, agreement=bytes.fromhex(batch.agreement)
    )  # fmt: skip
    return write_down(work, entry, recipient.context)


def _rows(
    peer: PartyId, batch: NoticeBatch, outcomes: Sequence[tuple[Notice, Outcome]], recipient: Recipient
) -> list[ReceivedNoticeRow]:
    now = recipient.context.now()
    return [
        ReceivedNoticeRow(
            home=peer,
            sequence=batch.first + place,
            notice=bytes.fromhex(notice.notice),
            agreement=bytes.fromhex(batch.agreement),
            alias=bytes.fromhex(notice.alias),
            effect=notice.effect.value,
            version=notice.version,
            due_at=notice.due,
            received_at=now,
            stage=outcome.stage.value,
        )
        for place, (notice, outcome) in enumerate(outcomes)
    ]


def _queue_receipts(
    work: UnitOfWork,
    peer: PartyId,
    outcomes: Sequence[tuple[Notice, Outcome]],
    left_out: Sequence[tuple[bytes, bytes]],
    leaf: bytes,
    recipient: Recipient,
) -> None:
    """Say of each notice that it is stored, and what was done at once; whether bytes are gone is said later.

    What was left out of the replacement, by frame and alias, never came into a file.
    """
    now = recipient.context.now()
    receipts = [
        CopyReceipt(at=now, alias=notice.alias, frame=None, journal_leaf=leaf.hex(), notice=notice.notice, stage=stage)
        for notice, outcome in outcomes
        for stage in (CopyStage.RECEIVED, outcome.stage)
    ]
    receipts += [
        CopyReceipt(
            at=now, alias=alias.hex(), frame=frame.hex(), journal_leaf=leaf.hex(), notice=None, stage=CopyStage.DELETED
        )
        for frame, alias in left_out
    ]  # fmt: skip
    queue_copy_receipts(work, peer, receipts, recipient.context.random(8).hex(), recipient)


def queue_copy_receipts(
    work: UnitOfWork, peer: PartyId, receipts: Sequence[CopyReceipt], name: str, recipient: Recipient
) -> None:
    """Queue receipts about copies, as many in a job as one signed batch holds."""
    now = recipient.context.now()
    for at in range(0, len(receipts), MOST_RECEIPTS):
        payload = msgspec.json.encode(receipts[at : at + MOST_RECEIPTS])
        key = f"copy-receipts:{peer}:{name}:{at}"
        work.outbox.add(NewJob(kind=JobKind.COPY_RECEIPTS, peer=peer, key=key, payload=payload), now)


def _refuse(
    work: UnitOfWork, peer: PartyId, refused: Refused, recipient: Recipient, evidence: Detail | None = None
) -> RefusedAnswer:
    detail: Detail = {**refused_for(refused), **(evidence or {})}
    entry = EntryFacts(act=Act.REFUSED, detail=detail, counterparty=peer)
    leaf = write_down(work, entry, recipient.context)
    work.commit()
    return RefusedAnswer(refused=refused, leaf=leaf)
