"""Change home records: correct, delete; and tell everybody who holds a copy, in the same transaction (S 36-42, 59).

Withholding them by an act is in `withhold_records`, by a change of law in `recheck_records`.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from crypto.canonical import canonical
from node.domain.begun import begun_by_changes
from node.domain.clocks import About, Happening
from node.domain.context import Context
from node.domain.grounds import based
from node.domain.intake import Admitted
from node.domain.jobs import JobKind, NewJob
from node.domain.journal import Act, Detail, EntryFacts, draft
from node.domain.notices import SALT_SIZE, Change, Effect, Planned, notice_due, plan
from node.domain.operators import Role, SignedAct, SigningOperator
from node.operations.keep_clocks import begin_clocks, counting_of, end_clocks
from node.operations.operators import NotAllowed, order
from node.operations.ports import UnitOfWork
from node.operations.record_rows import DeletionRow
from node.operations.rows import ErasureRow, NewNoticeRow
from node.operations.standings import admit_again
from node.operations.stored_records import row_from_admitted
from node.operations.whole_kinds import note_taken_in
from registry.norms.calendar import shanghai_day
from registry.norms.code_lists import CodeListName
from registry.norms.law import Law

_TWO: Final = 2
UPDATED = "PROVIDER_UPDATE"
"""The basis of a change that came with a file of the provider (S 19)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectRecord:
    """Replace what a record says by what was admitted in its place, on a coded basis and the document behind it.

    `received_on` is the day in Shenzhen on which that document came, None: today.
    """

    record_no: int
    admitted: Admitted
    basis: str
    document: str
    received_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteRecord:
    """Delete a record for good, on a coded basis and the document behind it; for `received_on` see `CorrectRecord`."""

    record_no: int
    basis: str
    document: str
    received_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """The record's new version, and how many holders will be told."""

    version: int
    notices: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NotChanged:
    """The record was not changed, and why, in one sentence."""

    why: str


def correct_record(
    work: UnitOfWork, command: CorrectRecord, operator: SigningOperator, law: Law, context: Context
) -> Changed | NotChanged:
    """Store the corrected content, queue one notice for each holder, and keep the wrong content from coming back."""
    wrong = not_there(work, command.record_no) or _unfounded(command, CodeListName.CORRECTION_BASES, law, context)
    if wrong is not None:
        return wrong
    digest = command.admitted.record.content_digest
    ordered = order(work, operator, Role.RECORDS, _subject(command, Effect.REPLACE, digest), context)
    if isinstance(ordered, NotAllowed):
        return NotChanged(why=ordered.why)
    at = context.now()
    note_taken_in(work, command.admitted.record.kind.value, law)
    version = work.changes.correct(command.record_no, row_from_admitted(command.admitted), at)
    admit_again(work, [command.record_no])
    return finish_change(work, _change(command, version, Effect.REPLACE, law, at), [ordered], law, context)


def delete_record(
    work: UnitOfWork,
    command: DeleteRecord,
    operators: tuple[SigningOperator, SigningOperator],
    law: Law,
    context: Context,
) -> Changed | NotChanged:
    """Destroy a record's content, keep its tombstone, and queue one notice for each holder.

    It takes two persons: one who orders it, another who approves (S 79 punishes deletion without a basis).
    """
    wrong = not_there(work, command.record_no) or _unfounded(command, CodeListName.DELETION_BASES, law, context)
    if wrong is not None:
        return wrong
    orders = two_orders(work, operators, _subject(command, Effect.DELETE, b""), "a deletion", context)
    if isinstance(orders, NotChanged):
        return orders
    at = context.now()
    version = work.changes.delete(_deletion(command, orders, at))
    left = work.clocks.of(About.RECORD, str(command.record_no))
    end_clocks(work, left, Happening.DELETED, lambda _: at, context)
    return finish_change(work, _change(command, version, Effect.DELETE, law, at), orders, law, context)


def propagate(work: UnitOfWork, changes: Mapping[int, Change], law: Law, context: Context) -> int:
    """Tell every holder of changed records, and take what is void out of every table; gives the number of notices.

    The clocks that the law sets for it begin here.
    Frames with a changed record that are not known to have arrived are cancelled: their other records are shown
    again in new ones. Whoever was sent one is told as well, since nobody knows whether it arrived.
    """
    if not changes:
        return 0
    records, at = list(changes), context.now()
    planned = plan(changes, work.ledger.holdings(records))
    last = work.notices.add([_notice(one, context) for one in planned])
    begin_clocks(work, begun_by_changes(changes.values(), planned, last, counting_of(law)), context)
    work.renditions.supersede(
        [
            (one.change.record_no, one.holding.agreement_no, one.version, one.change.record_version)
            for one in planned
        ]
    )  # fmt: skip
    work.renditions.destroy(records)
    work.sent_frames.withdraw(records, at)
    work.erasures.add([ErasureRow(number=0, home="", alias=b"", notice=None, frame=None)], at)
    for peer in sorted({one.holding.holder for one in planned}):
        key = f"notices:{peer}:{context.random(8).hex()}"
        work.outbox.add(NewJob(kind=JobKind.NOTICES, peer=peer, key=key, payload=b"{}"), at)
    return len(planned)


def updates(versions: Mapping[int, int], law: Law, at: datetime) -> dict[int, Change]:
    """The changes that a file of the provider made: records with their new version."""
    return replacements(versions, UPDATED, CodeListName.CORRECTION_BASES, law, at)


def replacements(
    versions: Mapping[int, int], basis: str, bases: CodeListName, law: Law, at: datetime
) -> dict[int, Change]:
    """Changes of many records on one basis, without a document: records with their new version."""
    due = notice_due(law.rules.notice_clock, law.calendar, at)
    return {
        record_no: Change(
            record_no=record_no,
            record_version=version,
            effect=Effect.REPLACE,
            basis=basis,
            document="",
            occurred_at=at,
            due_at=due,
            bases=bases,
        )
        for record_no, version in versions.items()
    }


def two_orders(
    work: UnitOfWork, operators: Sequence[SigningOperator], subject: bytes, what: str, context: Context
) -> list[SignedAct] | NotChanged:
    """The signed orders of one person who orders and another who approves, for what takes two."""
    if len({one.name for one in operators}) != _TWO or len({one.key.key_id for one in operators}) != _TWO:
        return NotChanged(why=f"{what} takes two different operators")
    orders = []
    for operator, role in zip(operators, (Role.RECORDS, Role.APPROVALS), strict=True):
        ordered = order(work, operator, role, subject, context)
        if isinstance(ordered, NotAllowed):
            return NotChanged(why=ordered.why)
        orders.append(ordered)
    return orders


def not_there(work: UnitOfWork, record_no: int) -> NotChanged | None:
    """Why a record cannot be changed at all."""
    known = work.records.find(record_no)
    if known is None:
        return NotChanged(why=f"there is no record {record_no}")
    if known.deleted_at is not None:
        return NotChanged(why=f"record {record_no} was deleted and does not come back; a new one is loaded instead")
    return None


def _unfounded(
    command: CorrectRecord | DeleteRecord, name: CodeListName, law: Law, context: Context
) -> NotChanged | None:
    bases = law.codes.lists[name]
    if command.received_on is not None and command.received_on > shanghai_day(context.now()):
        return NotChanged(why="a document that the change rests on has come before it")
    if command.basis in bases:
        return None
    listed = ", ".join(sorted(bases.all()))
    refused = "DELETION_WITHOUT_BASIS (S 79): " if name is CodeListName.DELETION_BASES else ""
    return NotChanged(why=f"{refused}the basis must be one of {listed}")


def _subject(command: CorrectRecord | DeleteRecord, effect: Effect, content: bytes) -> bytes:
    """What the operators sign for: the record, what is done to it, and why."""
    ordered = {
        "basis": command.basis,
        "content": content.hex(),
        "document": command.document,
        "effect": effect.value,
        "record": command.record_no,
    }
    return hashlib.sha256(b"creditport/change/v1" + canonical(ordered)).digest()


def _change(command: CorrectRecord | DeleteRecord, version: int, effect: Effect, law: Law, at: datetime) -> Change:
    return Change(
        record_no=command.record_no,
        record_version=version,
        effect=effect,
        bases=CodeListName.DELETION_BASES if effect is Effect.DELETE else CodeListName.CORRECTION_BASES,
        basis=command.basis,
        document=command.document,
        occurred_at=at,
        due_at=notice_due(law.rules.notice_clock, law.calendar, at),
        received_on=command.received_on,
    )


def _deletion(command: DeleteRecord, orders: list[SignedAct], at: datetime) -> DeletionRow:
    first, second = orders
    return DeletionRow(
        record_no=command.record_no,
        basis=command.basis,
        document=command.document,
        first_order=first.digest,
        second_order=second.digest,
        at=at,
    )


def finish_change(
    work: UnitOfWork, change: Change, orders: Sequence[SignedAct], law: Law, context: Context, **more: str
) -> Changed:
    """Tell the holders of a record that was changed, write it down, and commit."""
    notices = propagate(work, {change.record_no: change}, law, context)
    detail: Detail = {
        "basis": change.basis,
        "effect": change.effect.value,
        "notices": notices,
        "orders": " ".join(one.digest.hex() for one in orders),
        "record": change.record_no,
        "version": change.record_version,
        **based(law, change.bases, change.basis),
        **more,
    }
    entry = EntryFacts(act=Act.CHANGE, detail=detail)
    work.journal.add([draft(entry, context.node, change.occurred_at, context.random)])
    work.commit()
    return Changed(version=change.record_version, notices=notices)


def _notice(planned: Planned, context: Context) -> NewNoticeRow:
    change, holding = planned.change, planned.holding
    return NewNoticeRow(
        notice=context.random(16),
        peer=holding.holder,
        agreement_no=holding.agreement_no,
        record_no=change.record_no,
        record_version=change.record_version,
        alias=holding.alias,
        effect=change.effect.value,
        version=planned.version,
        basis=change.basis,
        document=change.document,
        salt=context.random(SALT_SIZE),
        occurred_at=change.occurred_at,
        due_at=change.due_at,
    )
