"""Push: home selects what an agreement covers, and makes sealed frames of it, one at a time; nothing here sends.

A push is a job. Its payload says what was selected and how far the selection has come; each frame, its ledger rows and
its journal entry are written in one transaction with that, before the frame leaves. After a break the courier first
sends again what was made and not answered, and then goes on.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Final

import msgspec

from agreements.agreement import Agreement
from agreements.permission import Granted, decide_push
from agreements.refusal import Refusal, Refused, refuse
from agreements.terms import epoch_at
from crypto.canonical import Hex16, Hex32
from crypto.frame import BUCKETS
from crypto.keys import Purpose
from node.domain.context import Context
from node.domain.grounds import granted
from node.domain.jobs import JobKind, NewJob
from node.domain.journal import Act, Detail, EntryFacts, draft
from node.domain.operators import Role, SigningOperator
from node.operations.desk import Desk
from node.operations.disclose import (
    Occasion,
    disclose,
    is_ready,
    may_be_seen,
    withdraw_withheld,
)
from node.operations.operators import NotAllowed, order
from node.operations.ports import UnitOfWork
from node.operations.record_rows import RecordRow, Selection
from node.operations.render import Asked, Disclosure, Name, Renderer, Shown
from node.operations.rows import SentFrameRow
from node.operations.whole_kinds import not_whole
from node.operations.write_down import write_down
from registry.norms.law import Law
from registry.norms.rule_pack import Ground

PORTION: Final = 500
"""Renditions in one frame, at most."""
MOST_LISTED: Final = 100_000
"""Records that one push may name; more are selected by kind or time."""
LARGEST: Final = BUCKETS[-1] - 1024
"""Bytes of renditions in one frame, at most: what its largest padding bucket holds."""
_WORTH_FILLING: Final = BUCKETS[3:]
"""256 KiB and more; of smaller ones a frame's own work is the larger part."""
_NONE_LEFT: Final[Sequence[bytes]] = ()


class PushPlan(msgspec.Struct, frozen=True, kw_only=True):
    """A push job's payload: what is selected, up to which record, and what came of it so far.

    `cancelled` counts the frames whose cancelling was noticed: when there are more, the selection is gone through
    once more, because their unchanged records are shown in no frame now. Among `portion` records the next frame is
    sought (none: among as many as one may hold). Of kinds that are not whole something may be `left` over: this very
    push begins anew once they are, and shows it.
    """

    agreement: Hex32
    kinds: tuple[str, ...]
    since: datetime | None = None
    records: tuple[int, ...] | None = None
    again: bool = False
    after: int = 0
    looked_at: int = 0
    shown: int = 0
    frames: int = 0
    cancelled: int = 0
    portion: int | None = None
    left: tuple[str, ...] = ()


class PushResult(msgspec.Struct, frozen=True, kw_only=True):
    """What a finished push says: frames and renditions made, what arrived, and each frame that was refused."""

    frames: int
    renditions: int
    taken: int
    cancelled: int
    refused: tuple[tuple[Hex16, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a person wants pushed: kinds (none: all that are agreed), changes since, a list, and whether again."""

    kinds: frozenset[str] = frozenset()
    since: datetime | None = None
    records: tuple[int, ...] | None = None
    again: bool = False


def plan_push(
    work: UnitOfWork, wanted: Wanted, agreement: Agreement, operator: SigningOperator, law: Law, context: Context
) -> int | NotAllowed:
    """Queue one push as a job; whether it may be done is decided again for every frame, by the law of its time."""
    now = context.now()
    plan = PushPlan(
        agreement=agreement.digest.hex(),
        kinds=tuple(sorted(wanted.kinds or agreement.terms.precisions)),
        since=wanted.since,
        records=wanted.records,
        again=wanted.again,
    )
    payload = msgspec.json.encode(plan)
    ordered = order(work, operator, Role.RECORDS, sha256(b"creditport/push/v1" + payload).digest(), context)
    if isinstance(ordered, NotAllowed):
        return ordered
    key = f"push:{context.random(16).hex()}"
    job = NewJob(kind=JobKind.PUSH, peer=agreement.terms.recipient, key=key, payload=payload)
    number = work.outbox.add(job, now)
    detail: Detail = {"order": ordered.digest.hex(), "outcome": "ORDERED", **granted(law, Ground.PUSH)}
    entry = EntryFacts(act=Act.PUSH, detail=detail, counterparty=job.peer, agreement=agreement.digest)
    write_down(work, entry, context)
    work.commit()
    return number


def next_frame(work: UnitOfWork, job: int, desk: Desk) -> SentFrameRow | PushResult | Refused:
    """Make the next frame of a push, and write it down with its ledger rows before anybody may send it.

    Gives the frame; or the result, once everything selected is in a frame that was answered or is on its way; or why
    nothing may be pushed now: NOT_READY, too, where not every record was looked at by the law in force yet.
    """
    stored = work.outbox.find(job)
    if stored is None:
        raise LookupError("there is no such job")
    plan = msgspec.json.decode(stored.payload, type=PushPlan)
    pushing = _pushing(work, job, plan, desk)
    if isinstance(pushing, Refused):
        return pushing
    if plan.left and not plan.after:
        if not_whole(work, plan.left, desk.vocabulary):
            return pushing.not_ready
        plan = msgspec.structs.replace(plan, left=())
    while True:
        rows = work.changes.select(pushing.selection(plan))
        if rows:
            plan = pushing.past(work, plan, rows)
            shown = pushing.show(work, rows)
            if shown:
                return pushing.make(work, plan, shown)
            continue
        if plan.left:
            return pushing.wait(work, plan)
        tally = work.pushed_frames.tally(job)
        if tally.cancelled <= plan.cancelled:
            return PushResult(
                frames=plan.frames,
                renditions=plan.shown,
                taken=tally.taken,
                cancelled=tally.cancelled,
                refused=tuple((frame.hex(), reason) for frame, reason in tally.refused),
            )
        plan = msgspec.structs.replace(_from_the_start(plan), cancelled=tally.cancelled)


def frames_waiting(work: UnitOfWork, job: int, desk: Desk, limit: int) -> list[SentFrameRow] | Refused:
    """Give the frames that a break left unanswered, to be sent again; whether they may be is decided anew.

    One with a record whose time of being shown has passed is cancelled, and made anew without it (S 31).
    """
    stored = work.outbox.find(job)
    if stored is None:
        raise LookupError("there is no such job")
    pushing = _pushing(work, job, msgspec.json.decode(stored.payload, type=PushPlan), desk)
    if isinstance(pushing, Refused):
        return pushing
    waiting = work.pushed_frames.waiting(job, limit)
    if withdraw_withheld(work, [one.frame for one in waiting], pushing.disclosure):
        waiting = work.pushed_frames.waiting(job, limit)
        work.commit()
    return list(waiting)


def give_up(work: UnitOfWork, job: int, refused: Refused, at: datetime) -> None:
    """Take back the frames of a push that may not go on, so that they are never sent; the caller commits."""
    while waiting := work.pushed_frames.waiting(job, PORTION):
        work.pushed_frames.answered({one.frame: refused.reason.value for one in waiting}, at)


def _pushing(work: UnitOfWork, job: int, plan: PushPlan, desk: Desk) -> "_Pushing | Refused":
    digest, at = bytes.fromhex(plan.agreement), desk.context.now()
    agreement = desk.facts.agreements[digest]
    peer = agreement.terms.recipient
    facts = desk.facts_of(peer, digest, notices_overdue=bool(work.notice_answers.backlog(peer, at)))
    granted = decide_push(peer, digest, frozenset(plan.kinds), facts, at)
    if isinstance(granted, Refused):
        return granted
    number, epoch = work.agreements.number(digest), epoch_at(agreement.terms, at)
    if epoch is None or not is_ready(work, agreement, number, epoch.number, desk.vocabulary):
        return facts.refuse(Refusal.NOT_READY, "index: expected complete, got being built")
    disclosure = Disclosure(
        agreement=agreement, agreement_no=number, epoch=epoch.number, law=desk.facts.law,
        vocabulary=desk.vocabulary, context=desk.context, at=at,
    )  # fmt: skip
    return _Pushing(job=job, desk=desk, disclosure=disclosure, granted=granted)


def _from_the_start(plan: PushPlan) -> PushPlan:
    """Go through the selection once more; what was shown meanwhile is left out, also if it was to be shown again."""
    return msgspec.structs.replace(plan, after=0, again=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pushing:
    """One step of a push: what is granted now, and under what."""

    job: int
    desk: Desk
    disclosure: Disclosure
    granted: Granted

    def selection(self, plan: PushPlan) -> Selection:
        return Selection(
            agreement_no=self.disclosure.agreement_no,
            kinds=plan.kinds,
            since=plan.since,
            records=plan.records,
            after=plan.after,
            again=plan.again,
            limit=min(PORTION, plan.portion or PORTION),
        )

    def past(self, work: UnitOfWork, plan: PushPlan, rows: Sequence[RecordRow]) -> PushPlan:
        """The plan behind these records."""
        left = not_whole(work, {row.kind for row in rows}.difference(plan.left), self.disclosure.vocabulary)
        return msgspec.structs.replace(
            plan,
            after=rows[-1].record_no,
            looked_at=plan.looked_at + len(rows),
            left=tuple(sorted(left.union(plan.left))),
        )

    def wait(self, work: UnitOfWork, plan: PushPlan) -> Refused:
        """Leave the rest for a later try."""
        work.outbox.retry(self.job, self.desk.context.now(), msgspec.json.encode(_from_the_start(plan)))
        work.commit()
        return self.not_ready

    @property
    def not_ready(self) -> Refused:
        """Why it waits."""
        pack = self.desk.facts.law.rules.reference
        return refuse(Refusal.NOT_READY, pack, "records: expected all looked at by the law in force")

    def show(self, work: UnitOfWork, rows: Sequence[RecordRow]) -> list[Shown]:
        """Render what may be seen of these records, under the first identifier of each subject."""
        visible = [row for row in rows if may_be_seen(row, self.disclosure)]
        return render_for_push(work, visible, self.disclosure, self.granted)

    def make(self, work: UnitOfWork, plan: PushPlan, shown: Sequence[Shown]) -> SentFrameRow:
        fitting = fill(shown)
        later = len(shown) - len(fitting)
        after = fitting[-1].record_no if later else plan.after
        frame = write_frame(work, fitting, self.disclosure, self.desk, job=self.job)
        gone_on = msgspec.structs.replace(
            plan, after=after, looked_at=plan.looked_at - later, shown=plan.shown + len(fitting),
            frames=plan.frames + 1, portion=next_portion(len(shown), len(fitting)),
        )  # fmt: skip
        work.outbox.retry(self.job, self.desk.context.now(), msgspec.json.encode(gone_on))
        work.commit()
        return frame


def render_for_push(
    work: UnitOfWork, rows: Sequence[RecordRow], disclosure: Disclosure, granted: Granted
) -> list[Shown]:
    """The renditions of records in full, in order; what has no pseudonym in this epoch yet is left for a later push."""
    names = work.pseudonyms.of_subjects(disclosure.agreement_no, disclosure.epoch, [row.subject_no for row in rows])
    first = {
        subject: Name(pseudonym=pseudonym, identifier_no=identifier_no)
        for subject, ((identifier_no, pseudonym), *_) in names.items()
    }
    asked = [Asked(row, first[row.subject_no], granted.fields[row.kind]) for row in rows if row.subject_no in first]
    shown = Renderer(work, [row.record_no for row in rows], disclosure).show(asked)
    return [one for one in shown if one is not None]


def fit(shown: Sequence[Shown], room: int = LARGEST) -> Sequence[Shown]:
    """As many from the front as `room` bytes hold, and at least one."""
    for place, one in enumerate(shown):
        room -= len(one.body) + 4
        if room < 0 and place:
            return shown[:place]
    return shown


def fill(shown: Sequence[Shown]) -> Sequence[Shown]:
    """As many from the front as one frame is made of; what would leave a large padding bucket half empty is cut.

    The rest goes into the next frame: a bucket is sealed, stored, sent and opened in its whole length.
    """
    fitting = fit(shown)
    size = sum(len(one.body) + 4 for one in fitting)
    for bucket in _WORTH_FILLING:
        if bucket - 8 < size <= 2 * bucket:
            return fit(fitting, bucket - 8)
    return fitting


def next_portion(rendered: int, fitting: int) -> int | None:
    """Among how many records the next frame is sought: a few more than filled this one, if some were left over."""
    return None if fitting == rendered else fitting + fitting // 16 + 1


def write_frame(
    work: UnitOfWork, shown: Sequence[Shown], disclosure: Disclosure, desk: Desk, *, job: int | None
) -> SentFrameRow:
    """Seal, journal, sign and keep one pushed frame with its ledger rows; the caller commits."""
    context, agreement, at = desk.context, disclosure.agreement, disclosure.at
    recipient = agreement.terms.recipient
    sequence = work.pushed_frames.next_sequence(disclosure.agreement_no)
    occasion = Occasion(recipient=recipient, epoch=disclosure.epoch, sequence=sequence)
    key = desk.facts.snapshot.listings[recipient].card.key(Purpose.SEAL)
    frame = disclose(shown, _NONE_LEFT, occasion, agreement, context, key)
    outcome, ground = ("PUSHED", Ground.PUSH) if job is not None else ("REPLACED", Ground.REPLACE)
    detail = frame.detail(outcome, granted(disclosure.law, ground))
    entry = EntryFacts(act=Act.PUSH, detail=detail, counterparty=recipient, agreement=agreement.digest)
    drafted = draft(entry, context.node, at, context.random)
    header, digest = frame.sign(drafted.leaf, context, at)
    row = SentFrameRow(
        frame=frame.id, recipient=recipient, agreement_no=disclosure.agreement_no, request=None, header=header,
        header_digest=digest, body=frame.sealed.body, outcomes=b"[]", sent_at=at, push_job=job, sequence=sequence,
    )  # fmt: skip
    work.sent_frames.add([row])
    work.ledger.disclose([one.ledger(disclosure.agreement_no, frame.id) for one in shown], at)
    work.journal.add([drafted])
    return row
