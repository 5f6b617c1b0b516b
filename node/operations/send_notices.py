"""Tell a holder: number its notices, sign them as the next batch of its stream, add the new versions it may see.

Whoever has the lane of a peer calls `next_delivery`, sends what it gives, and calls `note_answer`; a crash in between
repeats the same batch. The replacement is made when it is sent, from what home says then: one that went stale while
the peer was away is made anew.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from itertools import takewhile

from agreements.permission import Granted, decide_replacement
from agreements.refusal import Refusal
from agreements.terms import epoch_at
from crypto import envelope
from crypto.keys import Suite
from node.domain.context import Context
from node.domain.journal import Act, Detail, EntryFacts, draft
from node.domain.notices import KIND, MOST_NOTICES, Effect, Notice, NoticeBatch, basis_commitment
from node.domain.receipts import CopyStage
from node.operations.asked import FrameArrived, NoticesTaken, RefusedAnswer
from node.operations.coarsen import are_ready, ladders_of
from node.operations.desk import Desk
from node.operations.disclose import may_be_seen, withdraw_withheld
from node.operations.ports import UnitOfWork
from node.operations.push_records import fit, write_frame
from node.operations.record_rows import RecordRow
from node.operations.render import Asked, Disclosure, Name, Renderer, Shown
from node.operations.rows import NoticeBatchRow, NoticeRow, SentFrameRow
from registry.norms.catalogue import Precision
from registry.parties import PartyId

LARGEST_REPLACEMENT = (1 << 20) - 1024
"""Bytes of renditions that go along with one batch, at most, so that both fit one message.

Five hundred renditions of the kinds there are take half of it. What did not fit would be withdrawn like anything that
may not be disclosed now, and be there again for the next query or push.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What is to be sent to a peer next: a signed batch from number `first` on, and the new versions, if any."""

    first: int
    behind: int
    batch: bytes = field(repr=False)
    frame: bytes | None
    replacement: FrameArrived | None = field(repr=False)


def next_delivery(work: UnitOfWork, peer: PartyId, desk: Desk) -> Delivery | None:
    """Give what a peer is to be told next, the same again until it has answered; None when it knows everything."""
    opened = work.notice_streams.open_batch(peer) or _number(work, peer, desk.context)
    if opened is None:
        return None
    batch, notices = opened
    frame = _kept_replacement(work, batch, desk) or _replacement(work, batch, notices, desk)
    if frame is None or frame.frame != batch.frame:
        work.notice_streams.attach(peer, batch.first, None if frame is None else frame.frame)
    work.commit()
    return Delivery(
        first=batch.first,
        behind=batch.first + batch.count,
        batch=batch.raw,
        frame=None if frame is None else frame.frame,
        replacement=None if frame is None else FrameArrived(header=frame.header, body=frame.body),
    )


def note_answer(
    work: UnitOfWork, peer: PartyId, delivery: Delivery, answer: NoticesTaken | RefusedAnswer, context: Context
) -> bool:
    """Note what a peer said to a delivery; gives whether it went on, so that the next one may be sent at once.

    A peer that expects an earlier number has lost what it knew: it is told again from there. A peer that refuses a
    batch is asked again later, and the refusal is shown with the notices: they are owed all the same.
    """
    at = context.now()
    if isinstance(answer, RefusedAnswer):
        work.notice_answers.note(peer, delivery.first, at, answer.refused.reason.value)
        work.commit()
        return False
    expected = max(1, min(answer.expected, delivery.behind))
    work.notice_answers.note(peer, expected, at, None)
    if expected == delivery.behind and delivery.frame is not None:
        refused = answer.refused
        outcome = None if refused is None else refused.refused.reason.value
        work.pushed_frames.answered({delivery.frame: outcome}, at)
    work.commit()
    return expected == delivery.behind


def _number(work: UnitOfWork, peer: PartyId, context: Context) -> tuple[NoticeBatchRow, Sequence[NoticeRow]] | None:
    """Make the next batch of a peer's stream from what it was not told yet: of one agreement, in order."""
    waiting = work.notice_streams.unnumbered(peer, MOST_NOTICES)
    if not waiting:
        return None
    notices = list(takewhile(lambda one: one.agreement == waiting[0].agreement, waiting))
    end, at = work.notice_streams.end_of(peer), context.now()
    over = sha256(b"".join(one.notice for one in notices)).hexdigest()
    detail: Detail = {"count": len(notices), "first": end.expected, "notices": over}
    entry = EntryFacts(act=Act.NOTICES, detail=detail, counterparty=peer, agreement=waiting[0].agreement)
    drafted = draft(entry, context.node, at, context.random)
    document = NoticeBatch(
        agreement=waiting[0].agreement.hex(),
        first=end.expected,
        holder=peer,
        home=context.node,
        issued_at=at,
        journal_leaf=drafted.leaf.hex(),
        notices=tuple(_written(one) for one in notices),
        previous=end.last.hex() or None,
        suite=Suite.ONE,
    )
    raw = envelope.sign(KIND, document, [context.keys.document])
    batch = NoticeBatchRow(
        peer=peer, first=end.expected, count=len(notices), agreement=waiting[0].agreement,
        digest=envelope.parse(raw, KIND).digest, raw=raw, frame=None, made_at=at, taken_at=None, trouble=None,
    )  # fmt: skip
    work.notice_streams.put(batch, [one.number for one in notices])
    work.journal.add([drafted])
    return batch, notices


def _written(row: NoticeRow) -> Notice:
    return Notice(
        alias=row.alias.hex(),
        basis=basis_commitment(row.salt, row.basis, row.document).hex(),
        due=row.due_at,
        effect=Effect(row.effect),
        notice=row.notice.hex(),
        occurred_at=row.occurred_at,
        version=row.version,
    )


def _kept_replacement(work: UnitOfWork, batch: NoticeBatchRow, desk: Desk) -> SentFrameRow | None:
    """The replacement that went along before, if it may still be shown: it is decided again for every try."""
    frame = None if batch.frame is None else work.pushed_frames.find(batch.frame)
    if frame is None:
        return None
    agreement = desk.facts.agreements.get(batch.agreement)
    kinds = frozenset(agreement.terms.precisions) if agreement is not None else frozenset()
    granted, disclosure = _granted(batch, kinds, desk), _disclosure(batch, desk)
    if disclosure is None or not granted.fields:
        work.pushed_frames.answered({frame.frame: Refusal.AGREEMENT_EXPIRED.value}, desk.context.now())
        return None
    return None if withdraw_withheld(work, [frame.frame], disclosure) else frame


def _granted(batch: NoticeBatchRow, kinds: Collection[str], desk: Desk) -> Granted:
    """What may be shown of these kinds now; a kind that may not be shown keeps no other one back."""
    facts, at = desk.facts_of(batch.peer, batch.agreement), desk.context.now()
    decided = [decide_replacement(batch.peer, batch.agreement, frozenset({kind}), facts, at) for kind in sorted(kinds)]
    granted = [one.fields for one in decided if isinstance(one, Granted)]
    return Granted(fields={kind: fields for one in granted for kind, fields in one.items()})


def _replacement(
    work: UnitOfWork, batch: NoticeBatchRow, notices: Sequence[NoticeRow], desk: Desk
) -> SentFrameRow | None:
    """One frame with the new versions of what this batch corrects, in the fields that the holder was shown before.

    None where nothing may be disclosed now: the holder then only withdraws what is void, and may ask again later.
    """
    corrected = {one.record_no: one for one in notices if one.effect == Effect.REPLACE.value and not _followed(one)}
    rows = {
        number: row
        for number, row in work.changes.of_numbers(list(corrected)).items()
        if row.version == corrected[number].record_version
    }
    disclosure = _disclosure(batch, desk)
    if not rows or disclosure is None:
        return None
    if not are_ready(work, ladders_of(disclosure.agreement, desk.vocabulary).values()):
        return None
    disclosure = replace(disclosure, agreement_no=work.agreements.number(batch.agreement))
    granted = _granted(batch, {row.kind for row in rows.values()}, desk)
    shown = _render(work, [row for row in rows.values() if row.kind in granted.fields], disclosure, granted)
    return write_frame(work, fit(shown, LARGEST_REPLACEMENT), disclosure, desk, job=None) if shown else None


def _followed(notice: NoticeRow) -> bool:
    """Whether the holder followed it already: told again, it needs no new version again."""
    return notice.stage in {CopyStage.APPLIED, CopyStage.DELETED, CopyStage.NOT_HELD}


def _disclosure(batch: NoticeBatchRow, desk: Desk) -> Disclosure | None:
    at = desk.context.now()
    agreement = desk.facts.agreements.get(batch.agreement)
    epoch = None if agreement is None else epoch_at(agreement.terms, at)
    if agreement is None or epoch is None:
        return None
    return Disclosure(
        agreement=agreement, agreement_no=0, epoch=epoch.number, law=desk.facts.law,
        vocabulary=desk.vocabulary, context=desk.context, at=at,
    )  # fmt: skip


def _render(work: UnitOfWork, rows: Sequence[RecordRow], disclosure: Disclosure, granted: Granted) -> list[Shown]:
    """Each record in the fields that were shown before, by the identifier that it was last shown by."""
    number = disclosure.agreement_no
    visible = [row for row in rows if may_be_seen(row, disclosure)]
    before = work.ledger.shown(number, [row.record_no for row in visible])
    names = work.pseudonyms.of_subjects(number, disclosure.epoch, [row.subject_no for row in visible])
    asked = []
    for row in visible:
        known = dict(names.get(row.subject_no, ()))
        seen = before.get(row.record_no)
        if seen is None or seen.identifier_no not in known:
            continue
        name = Name(pseudonym=known[seen.identifier_no], identifier_no=seen.identifier_no)
        fields = _seen(granted.fields[row.kind], seen.fields)
        if fields:
            asked.append(Asked(row, name, fields))
    shown = Renderer(work, [row.record_no for row in visible], disclosure).show(asked)
    return [one for one in shown if one is not None]


def _seen(granted: Mapping[str, Precision], fields: frozenset[str] | None) -> Mapping[str, Precision]:
    return granted if fields is None else {name: precision for name, precision in granted.items() if name in fields}
