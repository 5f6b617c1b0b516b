"""Look at every home record again when the law in force is another, and tell holders what became of it (S 16, 17).

`next_portion` reads and decides, in nobody's way; `take_portion` then writes what came of it in one short transaction.
How far that has come is in the store, so that whoever is killed anywhere goes on there. Records that are taken in go
without a mark: whoever takes some in by another law than the newest look's has that begin once more (`note_taken_in`).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final, NamedTuple

import msgspec
from msgspec.structs import replace

from agreements.refusal import Refused
from crypto.canonical import canonical
from crypto.merkle import leaf_hash, root
from node.domain.context import Context
from node.domain.crowd import Cell, cell_of
from node.domain.dates import shanghai_day
from node.domain.grounds import based
from node.domain.intake import Intake, open_intake
from node.domain.journal import Act, Detail, EntryFacts, draft
from node.domain.notices import Change, Effect
from node.domain.recheck import BY_LAW, Judged, judge
from node.domain.records import HomeRecord, Kind, decode_content
from node.operations.change_records import propagate, replacements
from node.operations.facts import NodeFacts
from node.operations.ports import UnitOfWork
from node.operations.record_rows import RecordRow
from node.operations.standing_rows import RecheckRow, StandingRow
from node.operations.standings import standing_of
from node.operations.stored_records import facts_judged, record_from_row
from node.operations.whole_kinds import note_look_begun, note_look_done
from registry.norms.code_lists import CodeListName
from registry.norms.law import Law

PORTION: Final = 1_000
"""Records that are looked at in one go."""
CHANGED, ADMITTED = "LAW_CHANGED", "LAW_ADMITS"
"""The bases on which a record falls, or is shown for a shorter time, and on which it is admitted again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Portion:
    """What comes next: begin a look at all records (`look` is None), or those behind `look.through`, up to `through`.

    `moved` are the numbers of those that do not stay as they are, `cells` the cells of all by number, with the version
    that each was made of. `is_last` says that there are none behind them.
    """

    look: RecheckRow | None
    through: int = 0
    count: int = 0
    moved: tuple[int, ...] = ()
    cells: Mapping[int, tuple[int, Cell | None]] = field(default_factory=dict, repr=False)
    is_last: bool = False


class Verdict(NamedTuple):
    """What becomes of one record; `basis` is None where only the reason is another one."""

    put: StandingRow
    basis: str | None
    outcome: str


@dataclass(slots=True)
class Judge:
    """Judges records by one law on one day; what all rows of a kind, provider and source share is made once."""

    law: Law
    today: date
    _intakes: dict[tuple[str, str, str], Intake | Refused] = field(default_factory=dict)

    def verdict(self, row: RecordRow, fell: tuple[str, str] | None, at: datetime) -> Verdict | None:
        """What becomes of a record that had fallen for a reason (or not); None where it stays as it is."""
        try:
            record = record_from_row(row)
        except msgspec.DecodeError:
            return None  # damaged: nothing is shown of it anyway, and nothing here can say what it was
        judged = judge(record, self._intake(record))
        states = {judged.fallen.state.value} if judged.fallen is not None else set[str]()
        why = None if judged.fallen is None else (judged.fallen.reason.value, judged.fallen.field)
        before = frozenset(str(one) for one in row.withheld)
        withheld = (before - _BY_LAW) | states
        facts = row.facts if _is_as_before(record, judged) else facts_judged(row, judged)
        moves = (withheld, facts, judged.disclose_until) != (before, row.facts, row.disclose_until)
        if not moves and why == fell:
            return None
        put = standing_of(row, withheld=withheld, fell=why, moved_at=at if moves else None)
        put = replace(put, disclose_until=judged.disclose_until, facts=facts)
        if not moves:
            return Verdict(put, None, "reason")
        if states:
            return Verdict(put, CHANGED, "fallen")
        return Verdict(put, ADMITTED, "restored") if before & _BY_LAW else Verdict(put, CHANGED, "narrowed")

    def cell(self, row: RecordRow, disclose_until: date | None) -> Cell | None:
        """The cell of a record by this law; None for what cannot be read, or is not in the catalogue."""
        try:
            content = decode_content(Kind(row.kind), row.content)
        except msgspec.DecodeError:
            return None
        return cell_of(content, disclose_until, self.law)

    def _intake(self, record: HomeRecord) -> Intake | Refused:
        key = (record.kind.value, record.provider, record.source_system)
        known = self._intakes.get(key)
        if known is None:
            known = self._intakes[key] = open_intake(
                record.kind, self.law, provider=record.provider, source_system=record.source_system, today=self.today
            )
        return known


_BY_LAW: Final = frozenset(state.value for state in BY_LAW)


def next_portion(work: UnitOfWork, facts: NodeFacts, at: datetime, most: int = PORTION) -> Portion | None:
    """Read what comes next, at most so many records, and decide about it; None when all were looked at by this law.

    While there is no law in force nothing is looked at: nothing is disclosed either.
    """
    look = work.rechecks.newest()
    if facts.lacking is not None or (look is not None and look.done_at and look.measure == facts.law.measure):
        return None
    if look is None or look.measure != facts.law.measure:
        return Portion(look=None)
    rows = work.records.page(None, look.through, most)
    current = [row for row in rows if row.deleted_at is None]
    judging = Judge(facts.law, shanghai_day(at))
    moved = {one.put.record_no: one.put.disclose_until for one in _verdicts(work, current, judging, at)}
    cells = {
        row.record_no: (row.version, judging.cell(row, moved.get(row.record_no, row.disclose_until))) for row in current
    }
    through = rows[-1].record_no if rows else look.through
    return Portion(
        look=look, through=through, count=len(current), moved=tuple(moved), cells=cells, is_last=len(rows) < most
    )


def take_portion(work: UnitOfWork, portion: Portion, facts: NodeFacts, context: Context) -> bool:
    """Write what came of a portion: standings, notices to holders, one journal entry, and how far the look has come.

    Records that do not stay as they are are decided once more, by what is stored now. False, and nothing is written,
    where the law or the look is another one by now.
    """
    look, at, law = work.rechecks.newest(), context.now(), facts.law
    if facts.lacking is not None or not _is_still_next(portion, look, law):
        return False
    if portion.look is None or look is None:
        work.rechecks.begin(law.measure, " ".join(law.packs), at)
        note_look_begun(work, law)
        work.commit()
        return True
    rows = work.changes.of_numbers(sorted(portion.cells)) if portion.cells else {}
    # What was taken in meanwhile has a cell by the law it was taken in by, or is visited once more.
    made = portion.cells
    work.cells.put({number: made[number][1] for number, row in rows.items() if made[number][0] == row.version})
    moved = [rows[number] for number in portion.moved if number in rows]
    verdicts = _verdicts(work, moved, Judge(law, shanghai_day(at)), at)
    work.standings.put([one.put for one in verdicts])
    notices = _tell(work, verdicts, law, context, at)
    counted = {name: sum(one.outcome == name for one in verdicts) for name in ("fallen", "narrowed", "restored")}
    if portion.count:
        entry = _entry(portion, verdicts, counted, notices, law)
        work.journal.add([draft(entry, context.node, at, context.random)])
    gone_on = _gone_on(look, portion, counted, at)
    work.rechecks.put(gone_on)
    if gone_on.done_at is not None:
        note_look_done(work, law)
    work.commit()
    return True


def _is_still_next(portion: Portion, look: RecheckRow | None, law: Law) -> bool:
    if portion.look is None:
        return look is None or look.measure != law.measure
    return (
        look is not None
        and look.measure == law.measure
        and (look.number, look.through) == (portion.look.number, portion.look.through)
    )


def _verdicts(work: UnitOfWork, rows: Iterable[RecordRow], judging: Judge, at: datetime) -> list[Verdict]:
    found = list(rows)
    fallen: Mapping[int, tuple[str, str]] = work.standings.fallen([row.record_no for row in found]) if found else {}
    given = (judging.verdict(row, fallen.get(row.record_no), at) for row in found)
    return [one for one in given if one is not None]


def _tell(work: UnitOfWork, verdicts: Iterable[Verdict], law: Law, context: Context, at: datetime) -> int:
    """Holders learn that their copies are void; a new version goes along where the record is still shown."""
    changes: dict[int, Change] = {}
    for basis, bases in ((CHANGED, CodeListName.WITHHOLDING_BASES), (ADMITTED, CodeListName.RELEASE_BASES)):
        versions = {one.put.record_no: one.put.version for one in verdicts if one.basis == basis}
        changes |= replacements(versions, basis, bases, law, at)
    return propagate(work, changes, law, context)


def _entry(
    portion: Portion, verdicts: Iterable[Verdict], counted: Mapping[str, int], notices: int, law: Law
) -> EntryFacts:
    """Counts, and the root over which records became what: who is shown those can hold them against it."""
    told = [
        {"outcome": one.outcome, "record": one.put.record_no, "version": one.put.version}
        for one in verdicts
        if one.basis is not None
    ]
    detail: Detail = {
        "checked": portion.count,
        "effect": Effect.REPLACE.value,
        "measure": law.measure.hex(),
        "notices": notices,
        "root": root(leaf_hash(canonical(one)) for one in told).hex(),
        "through": portion.through,
        **based(law, CodeListName.WITHHOLDING_BASES, CHANGED),
        **counted,
    }
    return EntryFacts(act=Act.RECHECK, detail=detail)


def _gone_on(look: RecheckRow, portion: Portion, counted: Mapping[str, int], at: datetime) -> RecheckRow:
    """At its end a look is done, or begins once more where records were taken in by another law meanwhile."""
    after = replace(
        look,
        through=portion.through,
        checked=look.checked + portion.count,
        fallen=look.fallen + counted["fallen"],
        narrowed=look.narrowed + counted["narrowed"],
        restored=look.restored + counted["restored"],
    )
    if not portion.is_last:
        return after
    if look.again:
        return replace(after, through=0, again=False)
    return replace(after, done_at=at)


def _is_as_before(record: HomeRecord, judged: Judged) -> bool:
    return (record.publicity, record.nature, record.polarity, record.negative_category) == (
        judged.publicity, judged.nature, judged.polarity, judged.negative_category,
    )  # fmt: skip
