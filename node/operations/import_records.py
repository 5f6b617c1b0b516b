"""Take rows into the home store: every row is loaded, or named with what was wrong with it."""

from collections import Counter
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from dataclasses import dataclass

from agreements.refusal import Refusal
from crypto.merkle import leaf_hashes, root
from node.domain.context import Context
from node.domain.grounds import granted
from node.domain.identifiers import Problem, Remark
from node.domain.intake import Case, Intake, Rejected
from node.domain.joining import has_only_identified
from node.domain.journal import Act, Detail, EntryFacts, draft
from node.domain.operators import SignedAct
from node.domain.portion import Decided, Lot, admit_all
from node.domain.records import Kind
from node.domain.repeats import Repeats
from node.domain.rows import BadRow, Row, Sheet
from node.operations.change_records import propagate, updates
from node.operations.join_by_name import HomeNames
from node.operations.meanwhile import meanwhile
from node.operations.ports import Store
from node.operations.record_rows import Imported, NewRecords
from node.operations.seldom_collected import seldom_collected
from node.operations.standings import admit_again
from node.operations.stored_records import Envelopes, rows_from_lot
from node.operations.whole_kinds import note_taken_in
from registry.norms.law import Law
from registry.norms.rule_pack import Ground

BATCH = 10_000
"""Rows of one transaction: with fewer, each page of an index is written more often than it has to be."""
_PORTION = 250
"""Rows that are read and decided at once: as many as stay near the processor meanwhile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far an import has come, and the rows of this batch that were not loaded.

    `remarks` names rows of this batch that were, although something about their identifiers is odd.
    """

    rows: int
    outcomes: Counter[str]
    rejects: tuple[Rejected, ...]
    remarks: tuple[tuple[int, Remark], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """What an import is measured by, on whose order it is done, and the law that says whom to tell of changes.

    `join_by_name` makes a penalty without an identifier one of the only enterprise here that has its name;
    `names_may_change` takes another name of a known enterprise for its new one instead of a conflict.
    """

    intake: Intake
    order: SignedAct
    law: Law
    join_by_name: bool = False
    names_may_change: bool = False


def import_rows(
    rows: Iterable[Sheet | Row | BadRow], ordered: Import, store: Store, context: Context
) -> Iterator[Progress]:
    """Admit and store rows in batches of 10,000, one transaction each; interrupting it loses no committed batch.

    Importing the same rows again changes nothing, so after an interruption the whole file is simply given again. Of
    registrations the next batch is read before the one before it is told, so `rows` must not come from the store.
    Whoever holds a record that changed is told. What was deleted, or declared wrong by a correction, stays away.
    """
    reader = _Reader(rows, ordered, HomeNames(store))
    progress = Progress(rows=0, outcomes=Counter(), rejects=())
    with seldom_collected():
        while (after := _next_batch(reader, progress, store, context)) is not None:
            progress = after
            yield progress


def _next_batch(reader: "_Reader", before: Progress, store: Store, context: Context) -> Progress | None:
    """Admit and store the next batch; None when there is none."""
    lot, rejects = reader.next_batch()
    count = len(lot.rows) + len(rejects)
    if not count:
        return None
    stored = _store(lot, reader, store, context)
    if not _TURNED_AWAY.keys().isdisjoint(stored.outcomes):
        rejects += _turned_away(lot, stored, reader.ordered.intake.kind)
    rejects.sort(key=lambda one: one.row)
    outcomes = before.outcomes + Counter(stored.outcomes)
    for outcome in _TURNED_AWAY:
        del outcomes[outcome]
    outcomes["rejected"] += len(rejects)
    return Progress(
        rows=before.rows + count,
        outcomes=outcomes,
        rejects=tuple(rejects),
        remarks=_remarks(lot, stored),
    )


def _remarks(lot: Lot, stored: Imported) -> tuple[tuple[int, Remark], ...]:
    """What is odd about rows that were not turned away."""
    if not any(lot.remarks):
        return ()
    odd = [one for one in zip(lot.rows, lot.remarks, stored.outcomes, strict=True) if one[2] not in _TURNED_AWAY]
    return tuple([(row, remark) for row, remarks, _ in odd for remark in remarks])


class _Reader:
    """Reads and decides the rows of an import in portions. Of an admitted row only what is stored is kept."""

    __slots__ = ("_ahead", "_portions", "_waiting", "envelopes", "ordered", "repeats")

    def __init__(self, rows: Iterable[Sheet | Row | BadRow], ordered: Import, names: HomeNames) -> None:
        self.ordered = ordered
        self.envelopes = Envelopes(ordered.intake.shared)
        self.repeats = Repeats()
        self._portions = _portions(rows, ordered, names)
        self._waiting: _Portion | None = None
        self._ahead: Decided | BaseException | None = None

    @property
    def asks_nobody(self) -> bool:
        """Whether what was stored before makes no difference to how rows are read."""
        return _states_its_own(self.ordered)

    def read_ahead(self, wait: Callable[[], object]) -> None:
        """Read the next batch now, then wait.

        What ends either is raised when that batch is asked for, so that the one before, which is stored, is told first.
        """
        try:
            self._ahead = self._read()
            wait()
        except BaseException as error:  # noqa: BLE001 - raised by `next_batch`
            self._ahead = error

    def next_batch(self) -> Decided:
        """What became of the rows of the next batch; nothing at the end."""
        ahead, self._ahead = self._ahead, None
        if isinstance(ahead, BaseException):
            raise ahead
        return ahead or self._read()

    def _read(self) -> Decided:
        decided, wanted = Decided(Lot.of(()), []), BATCH
        while wanted and (portion := self._waiting or next(self._portions, None)) is not None:
            first, self._waiting = _parted(portion, wanted)
            wanted -= len(first)
            lot, rejected = _decided(first, self.ordered.intake)
            decided.lot.extend(lot)
            decided.rejected.extend(rejected)
        return decided


_Portion = Sheet | Sequence[Row | BadRow | Rejected]


def _states_its_own(ordered: Import) -> bool:
    """Whether each row states the identifiers of its enterprise itself, as registrations do."""
    return ordered.intake.kind is Kind.REGISTRATION


def _portions(rows: Iterable[Sheet | Row | BadRow], ordered: Import, names: HomeNames) -> Iterator[_Portion]:
    """Rows in portions; those that only named their enterprise have its identifier then, or are turned back."""
    for portion in _gathered(rows):
        if _states_its_own(ordered) or (isinstance(portion, Sheet) and has_only_identified(portion)):
            yield portion
        else:
            yield names.identify([*portion], ordered=ordered.join_by_name)


def _gathered(rows: Iterable[Sheet | Row | BadRow]) -> Iterator[Sheet | list[Row | BadRow]]:
    """Sheets as they come, and what comes alone in portions."""
    alone = list[Row | BadRow]()
    for one in rows:
        if isinstance(one, Sheet):
            if alone:
                yield alone
                alone = []
            yield one
        else:
            alone.append(one)
            if len(alone) == _PORTION:
                yield alone
                alone = []
    if alone:
        yield alone


def _parted(portion: _Portion, most: int) -> tuple[_Portion, _Portion | None]:
    if isinstance(portion, Sheet):
        return portion.parted(most)
    return portion[:most], portion[most:] or None


def sources_of(
    rows: Iterable[Sheet | Row | BadRow], intake: Intake, keys: Container[bytes]
) -> Iterator[tuple[bytes, int]]:
    """Give the rows that these source keys come from, as (key, row number): a second look, when there is a conflict."""
    for portion in _gathered(rows):
        lot, _ = _decided(portion, intake)
        for key, row in zip(lot.source_keys, lot.rows, strict=True):
            if key in keys:
                yield key, row


def _decided(rows: Sheet | Sequence[Row | BadRow | Rejected], intake: Intake) -> Decided:
    if isinstance(rows, Sheet):
        return admit_all(rows, intake)
    lot, rejected = admit_all([row for row in rows if isinstance(row, Row)], intake)
    return Decided(lot, rejected + [_turned_back(row) for row in rows if not isinstance(row, Row)])


def _turned_back(row: BadRow | Rejected) -> Rejected:
    return row if isinstance(row, Rejected) else unread(row)


def unread(row: BadRow) -> Rejected:
    """The answer to a row that could not be read."""
    return Rejected(row=row.number, reason=Refusal.MALFORMED, problem=row.problem)


def _store(lot: Lot, reader: _Reader, store: Store, context: Context) -> Imported:
    at, ordered = context.now(), reader.ordered
    repeated = reader.repeats.seen(lot.source_keys)
    rows = rows_from_lot(lot, ordered.intake.kind, reader.envelopes)
    with store.write() as work:
        is_looked_at = note_taken_in(work, ordered.intake.kind.value, ordered.law)
        imported = work.records.add(rows, at, names_may_change=ordered.names_may_change, repeated=repeated)
        if is_looked_at and imported.updated:
            admit_again(work, list(imported.updated))
        propagate(work, updates(imported.updated, ordered.law, at), ordered.law, context)
        entry = _entry(rows, imported.outcomes, ordered)
        work.journal.add([draft(entry, context.node, at, context.random)])
        if reader.asks_nobody:
            with meanwhile(work.commit) as committing:
                reader.read_ahead(committing.wait)
        else:
            work.commit()
    return imported


def _entry(rows: NewRecords, outcomes: tuple[str, ...], ordered: Import) -> EntryFacts:
    """One entry for a batch: how many of what, and the root over the contents, which the checkpoint then signs."""
    over, attested = root(leaf_hashes(rows.digests)), ordered.intake.attested
    detail: Detail = {"order": ordered.order.digest.hex(), "root": over.hex(), **Counter(outcomes)}
    detail = {**detail, **granted(ordered.law, Ground.IMPORT)}
    if attested is not None and attested.documents:
        detail = {**detail, "attestations": " ".join(attested.documents)}
    return EntryFacts(act=Act.RECORDS, detail=detail)


_TURNED_AWAY = {
    "conflict": (
        Refusal.SUBJECT_ID_INVALID,
        Problem("identifiers", "identifiers of one subject", "identifiers of two known subjects"),
    ),
    "renamed": (Refusal.SUBJECT_ID_INVALID, Problem("name_zh", "the name in record {}", "another name")),
    "repeated": (
        Refusal.MALFORMED,
        Problem("row", "what an earlier row of this file said, now record {}", "something else about the same record"),
    ),
    "deleted": (Refusal.RECORD_DELETED, Problem("row", "a record that was not deleted", "one that was")),
    "corrected": (
        Refusal.STALE_VERSION,
        Problem("row", "the corrected record, or newer facts", "what a correction declared wrong"),
    ),
}


_CONFLICTS = frozenset({"conflict", "renamed", "repeated"})


def _turned_away(lot: Lot, stored: Imported, kind: Kind) -> Iterator[Rejected]:
    for place, outcome in enumerate(stored.outcomes):
        if outcome in _TURNED_AWAY:
            yield _rejected(lot, place, outcome, stored.against.get(place), kind)


def _rejected(lot: Lot, place: int, outcome: str, against: int | None, kind: Kind) -> Rejected:
    reason, problem = _TURNED_AWAY[outcome]
    if against is not None:
        is_english = outcome == "renamed" and not lot.in_chinese[place]
        problem = Problem("name_en" if is_english else problem.field, problem.expected.format(against), problem.got)
    case = Case.CONFLICT if outcome in _CONFLICTS else Case.REJECTED
    is_same = outcome == "repeated" or (outcome == "renamed" and kind is Kind.REGISTRATION)
    key = lot.source_keys[place] if is_same else None
    return Rejected(row=lot.rows[place], reason=reason, problem=problem, case=case, against=against, source_key=key)
