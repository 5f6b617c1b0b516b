"""Withhold home records by an act, and lift that again (S 36, 59, 61, 66, 70): a set of states, each with its own days.

A state acts from its first day by itself: whoever serves on that day reads it with the record. Holders are told on that
day, by `advance_withholdings`. Lifting one leaves the others, and a period of disclosure that ran out meanwhile.
"""

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, NamedTuple

from msgspec.structs import replace

from crypto.canonical import canonical
from node.domain.clocks import About, Happening
from node.domain.context import Context
from node.domain.grounds import based
from node.domain.journal import Act, Detail, EntryFacts
from node.domain.notices import Change, Effect, notice_due
from node.domain.operators import Role, SigningOperator
from node.domain.records import Withheld
from node.operations.change_records import (
    Changed,
    NotChanged,
    finish_change,
    not_there,
    propagate,
    two_orders,
)
from node.operations.keep_clocks import end_clocks
from node.operations.operators import NotAllowed, order
from node.operations.ports import UnitOfWork
from node.operations.record_rows import RecordRow
from node.operations.standing_rows import WithholdingRow
from node.operations.standings import standing_of
from node.operations.stored_records import outline_from_row
from node.operations.write_down import write_down
from registry.norms.calendar import shanghai_day
from registry.norms.catalogue import Polarity
from registry.norms.code_lists import Code, CodeListName
from registry.norms.law import Law

BY_ACT: Final = (
    Withheld.SUSPENDED, Withheld.REVOCATION_PENDING, Withheld.REPAIRED, Withheld.OPTED_OUT, Withheld.REORGANISED,
)  # fmt: skip
"""The states that a person may set and lift."""
LIFTED_BY_TWO: Final = frozenset({Withheld.SUSPENDED, Withheld.REVOCATION_PENDING, Withheld.REORGANISED})
"""Those that rest on what a court or an authority has before it: showing the record again takes two persons."""
PORTION: Final = 500
"""Acts that begin or end in one transaction."""

_MAY_END, _NOT_ADVERSE, _EVALUATION = "MAY_END", "NOT_ADVERSE", "EVALUATION"
_PERIOD_ENDED: Final = "PERIOD_ENDED"
_WITH_ITS_RECORD: Final = "RECORD_DELETED"
_LISTS: Final = (CodeListName.WITHHOLDING_BASES, CodeListName.RELEASE_BASES)


@dataclass(frozen=True, slots=True, kw_only=True)
class WithholdRecord:
    """Withhold a record in a state, on a coded basis and the document behind it.

    `starts_on` is its first day in Shenzhen (None: today), `ends_on` the first one on which it is over (None: when
    somebody lifts it), `received_on` the day on which the document came.
    """

    record_no: int
    state: Withheld
    basis: str
    document: str
    starts_on: date | None = None
    ends_on: date | None = None
    received_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseRecord:
    """Lift a state of a record, on a coded basis and the document behind it."""

    record_no: int
    state: Withheld
    basis: str
    document: str


def withhold_record(
    work: UnitOfWork, command: WithholdRecord, operator: SigningOperator, law: Law, context: Context
) -> Changed | NotChanged:
    """Withhold a record from a day on, and tell its holders on that day that their copies are void.

    One person orders it: what withholds more than it should is put right more easily than what shows too much.
    """
    at = context.now()
    today = shanghai_day(at)
    starts_on = command.starts_on or today
    wrong = not_there(work, command.record_no) or _unfit(work, command, law, starts_on, today)
    if wrong is not None:
        return wrong
    ordered = order(work, operator, Role.RECORDS, _subject(command, starts_on, command.ends_on), context)
    if isinstance(ordered, NotAllowed):
        return NotChanged(why=ordered.why)
    begun = starts_on <= today
    row = WithholdingRow(
        number=0, record_no=command.record_no, state=command.state, basis=command.basis, document=command.document,
        received_on=command.received_on, starts_on=starts_on, ends_on=command.ends_on, order=ordered.digest, at=at,
        begun=begun,
    )  # fmt: skip
    work.withholdings.add(row)
    version = _stand(work, row, at, withheld={row.state} if begun else (), coming=() if begun else {row.state})
    change = _change(row, version, CodeListName.WITHHOLDING_BASES, law, at)
    if begun:
        return finish_change(work, change, [ordered], law, context, done="WITHHELD", state=row.state)
    _write_down(work, row, version, _Done("ORDERED", ordered.digest.hex()), law, context)
    work.commit()
    return Changed(version=version, notices=0)


def release_record(
    work: UnitOfWork, command: ReleaseRecord, operators: Sequence[SigningOperator], law: Law, context: Context
) -> Changed | NotChanged:
    """Lift one state of a record; it is shown again if nothing else withholds it, and who still holds it is told."""
    wrong = not_there(work, command.record_no) or _no_basis(command, CodeListName.RELEASE_BASES, law)
    if wrong is not None:
        return wrong
    row = _open(work, command)
    if row is None:
        return NotChanged(why=f"record {command.record_no} is not in the state {command.state}")
    subject, what = _subject(command, None, None), f"lifting {command.state}"
    if command.state in LIFTED_BY_TWO:
        orders = two_orders(work, operators, subject, what, context)
    else:
        ordered = order(work, operators[0], Role.RECORDS, subject, context)
        orders = NotChanged(why=ordered.why) if isinstance(ordered, NotAllowed) else [ordered]
    if isinstance(orders, NotChanged):
        return orders
    at, names = context.now(), " ".join(one.digest.hex() for one in orders)
    ended = replace(row, ended_at=at, end_basis=command.basis, end_document=command.document, end_orders=names)
    work.withholdings.end(ended)
    version = _stand(work, row, at)
    if not row.begun:
        _write_down(work, ended, version, _Done("RELEASED", names), law, context)
        work.commit()
        return Changed(version=version, notices=0)
    left = work.clocks.of(About.RECORD, str(row.record_no)) if row.state == Withheld.REVOCATION_PENDING else []
    end_clocks(work, left, Happening.RESUMED, lambda _: at, context)
    change = _change(ended, version, CodeListName.RELEASE_BASES, law, at)
    return finish_change(work, change, orders, law, context, done="RELEASED", state=row.state)


def advance_withholdings(work: UnitOfWork, law: Law, context: Context) -> int:
    """Begin acts whose first day has come, end those whose time is over, and tell the holders; a portion at a time.

    Gives how many acts it moved; one a record, so that nothing becomes two versions at once.
    """
    at = context.now()
    due = work.withholdings.due(shanghai_day(at), PORTION)
    known = work.changes.of_numbers([row.record_no for row in due])
    for row in due:
        if row.record_no not in known:
            work.withholdings.end(replace(row, ended_at=at, end_basis=_WITH_ITS_RECORD))
            continue
        change = _end(work, row, law, at) if row.begun else _begin(work, row, law, at)
        notices = propagate(work, {row.record_no: change}, law, context)
        done = _Done("RELEASED" if row.begun else "WITHHELD", "", notices)
        _write_down(work, row, change.record_version, done, law, context)
    if due:
        work.commit()
    return len(due)


class _Done(NamedTuple):
    """What an entry says was done, by which orders, and how many notices went out with it."""

    what: str
    orders: str
    notices: int = 0


def _begin(work: UnitOfWork, row: WithholdingRow, law: Law, at: datetime) -> Change:
    work.withholdings.begun(row.number)
    return _change(row, _stand(work, row, at, withheld={row.state}), CodeListName.WITHHOLDING_BASES, law, at)


def _end(work: UnitOfWork, row: WithholdingRow, law: Law, at: datetime) -> Change:
    ended = replace(row, ended_at=at, end_basis=_PERIOD_ENDED)
    work.withholdings.end(ended)
    return _change(ended, _stand(work, row, at), CodeListName.RELEASE_BASES, law, at)


def _stand(
    work: UnitOfWork, row: WithholdingRow, at: datetime, withheld: Collection[str] = (), coming: Collection[str] = ()
) -> int:
    """Put the state of an act where it belongs, and nowhere else; gives the version, a new one where that acts now."""
    record = work.changes.of_numbers([row.record_no])[row.record_no]
    now = (record.withheld - {row.state}) | set(withheld)
    later = [one for one in record.coming if one[0] != row.state] + [(one, row.starts_on) for one in coming]
    fell = work.standings.fallen([row.record_no]).get(row.record_no)
    moves = now != record.withheld
    put = standing_of(record, withheld=now, coming=later, fell=fell, moved_at=at if moves else None)
    work.standings.put([put])
    return put.version


def _open(work: UnitOfWork, command: WithholdRecord | ReleaseRecord) -> WithholdingRow | None:
    acts = work.withholdings.of_record(command.record_no)
    return next((one for one in acts if one.state == command.state and one.ended_at is None), None)


def _unfit(work: UnitOfWork, command: WithholdRecord, law: Law, starts_on: date, today: date) -> NotChanged | None:
    """Why a record may not be withheld like this."""
    wrong = _no_basis(command, CodeListName.WITHHOLDING_BASES, law)
    if wrong is not None:
        return wrong
    if _open(work, command) is not None:
        return NotChanged(why=f"record {command.record_no} is in the state {command.state} already")
    if command.received_on is not None and command.received_on > today:
        return NotChanged(why="a document that the act rests on has come before it")
    basis = law.codes.lists[CodeListName.WITHHOLDING_BASES].codes[command.basis]
    if command.ends_on is not None and _MAY_END not in basis.tags:
        return NotChanged(why=f"{command.state} does not end by time ({basis.article}): it is lifted by an act")
    if command.ends_on is not None and command.ends_on <= max(starts_on, today):
        return NotChanged(why="the day on which it is shown again lies behind its first day, and behind today")
    return _not_meant(work.changes.of_numbers([command.record_no])[command.record_no], basis, law)


def _not_meant(row: RecordRow, basis: Code, law: Law) -> NotChanged | None:
    """Why a basis is not for such a record; the tag EVALUATION is the section of the catalogue that it is for."""
    entry = law.catalogue.entry(row.kind)
    if _EVALUATION in basis.tags and (entry is None or entry.section != _EVALUATION):
        return NotChanged(why=f"only evaluations are withheld on this basis ({basis.article})")
    if _NOT_ADVERSE in basis.tags and outline_from_row(row).polarity is Polarity.ADVERSE:
        return NotChanged(why=f"adverse information is not withheld on this basis ({basis.article})")
    return None


def _no_basis(command: WithholdRecord | ReleaseRecord, name: CodeListName, law: Law) -> NotChanged | None:
    listed = law.codes.lists[name].tagged(command.state)
    if not listed:
        return NotChanged(why=f"{command.state} is no state that an act sets")
    if command.basis in listed:
        return None
    return NotChanged(why=f"the basis of {command.state} must be one of {', '.join(sorted(listed))}")


def _subject(command: WithholdRecord | ReleaseRecord, starts_on: date | None, ends_on: date | None) -> bytes:
    """What the operators sign for: the record, its state, from when to when, and why."""
    ordered = {
        "basis": command.basis,
        "document": command.document,
        "effect": "WITHHOLD" if isinstance(command, WithholdRecord) else "RELEASE",
        "from": None if starts_on is None else starts_on.isoformat(),
        "record": command.record_no,
        "state": command.state.value,
        "until": None if ends_on is None else ends_on.isoformat(),
    }
    return hashlib.sha256(b"creditport/withhold/v1" + canonical(ordered)).digest()


def _change(row: WithholdingRow, version: int, bases: CodeListName, law: Law, at: datetime) -> Change:
    """Copies are void either way: a new version goes along only where nothing withholds the record now."""
    lifted = row.ended_at is not None
    return Change(
        record_no=row.record_no,
        record_version=version,
        effect=Effect.REPLACE,
        basis=row.end_basis if lifted else row.basis,
        document=row.end_document if lifted else row.document,
        occurred_at=at,
        due_at=notice_due(law.rules.notice_clock, law.calendar, at),
        bases=bases,
        received_on=None if lifted else row.received_on,
    )


def _write_down(work: UnitOfWork, row: WithholdingRow, version: int, done: _Done, law: Law, context: Context) -> None:
    bases = CodeListName.RELEASE_BASES if row.end_basis else CodeListName.WITHHOLDING_BASES
    basis = row.end_basis or row.basis
    detail: Detail = {
        "basis": basis,
        "done": done.what,
        "effect": Effect.REPLACE.value,
        "notices": done.notices,
        "orders": done.orders,
        "record": row.record_no,
        "state": row.state,
        "version": version,
        **based(law, bases, basis),
    }
    write_down(work, EntryFacts(act=Act.CHANGE, detail=detail), context)
