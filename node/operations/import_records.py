"""Take rows into the home store: every row is loaded, or named with what was wrong with it."""

from collections import Counter
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from agreements.refusal import Refusal
from crypto.merkle import leaf_hash, root
from node.domain.context import Context
from node.domain.identifiers import Problem, Remark
from node.domain.intake import Admitted, Case, Intake, Rejected, admit
from node.domain.journal import Act, Detail, EntryFacts, draft
from node.domain.operators import SignedAct
from node.domain.records import Kind
from node.domain.repeats import Repeats
from node.domain.rows import BadRow, Row
from node.operations.change_records import propagate, updates
from node.operations.join_by_name import HomeNames
from node.operations.ports import Store
from node.operations.recheck_records import note_law
from node.operations.rows import Imported
from node.operations.standings import admit_again
from node.operations.stored_records import row_from_admitted
from registry.norms.law import Law

BATCH = 1_000


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


def import_rows(rows: Iterable[Row | BadRow], ordered: Import, store: Store, context: Context) -> Iterator[Progress]:
    """Admit and store rows in batches of 1,000, one transaction each; interrupting it loses no committed batch.

    Importing the same rows again changes nothing, so after an interruption the whole file is simply given again.
    Whoever holds a record that changed is told. What was deleted, or declared wrong by a correction, stays away.
    """
    remaining, outcomes, seen = iter(rows), Counter[str](), 0
    names, repeats = HomeNames(store), Repeats()
    while batch := list(islice(remaining, BATCH)):
        decided = [_decide(row, ordered.intake) for row in _identified(batch, names, ordered)]
        admitted = [one for one in decided if isinstance(one, Admitted)]
        repeated = frozenset(place for place, one in enumerate(admitted) if repeats.has_seen(one.record.source_key))
        stored = _store(admitted, repeated, ordered, store, context)
        rejects = [one for one in decided if isinstance(one, Rejected)]
        remarks = []
        for place, (one, outcome) in enumerate(zip(admitted, stored.outcomes, strict=True)):
            if outcome in _TURNED_AWAY:
                rejects.append(_turned_away(one, outcome, stored.against.get(place)))
            else:
                outcomes[outcome] += 1
                remarks += [(one.row, remark) for remark in one.remarks]
        outcomes["rejected"] += len(rejects)
        seen += len(batch)
        by_row = tuple(sorted(rejects, key=lambda one: one.row))
        yield Progress(rows=seen, outcomes=outcomes, rejects=by_row, remarks=tuple(remarks))


def sources_of(rows: Iterable[Row | BadRow], intake: Intake, keys: Container[bytes]) -> Iterator[tuple[bytes, int]]:
    """Give the rows that these source keys come from, as (key, row number): a second look, when there is a conflict."""
    for row in rows:
        decided = _decide(row, intake)
        if isinstance(decided, Admitted) and decided.record.source_key in keys:
            yield decided.record.source_key, decided.row


def _identified(batch: list[Row | BadRow], names: HomeNames, ordered: Import) -> list[Row | BadRow | Rejected]:
    """The batch with rows that name their enterprise only; a registration states its own identifiers."""
    if ordered.intake.kind is Kind.REGISTRATION:
        return list(batch)
    return names.identify(batch, ordered=ordered.join_by_name)


def _decide(row: Row | BadRow | Rejected, intake: Intake) -> Admitted | Rejected:
    if isinstance(row, Rejected):
        return row
    if isinstance(row, BadRow):
        return Rejected(row=row.number, reason=Refusal.MALFORMED, problem=row.problem)
    return admit(row, intake)


def _store(
    admitted: list[Admitted], repeated: frozenset[int], ordered: Import, store: Store, context: Context
) -> Imported:
    at, rows = context.now(), [row_from_admitted(one) for one in admitted]
    with store.write() as work:
        imported = work.records.add(rows, at, names_may_change=ordered.names_may_change, repeated=repeated)
        if note_law(work, ordered.law) and imported.updated:
            admit_again(work, list(imported.updated))
        propagate(work, updates(imported.updated, ordered.law, at), ordered.law, context)
        entry = _entry(admitted, imported.outcomes, ordered.order)
        work.journal.add([draft(entry, context.node, at, context.random)])
        work.commit()
    return imported


def _entry(admitted: list[Admitted], outcomes: tuple[str, ...], order: SignedAct) -> EntryFacts:
    """One entry for a batch: how many of what, and the root over the contents, which the checkpoint then signs."""
    over = root(leaf_hash(one.record.content_digest) for one in admitted)
    detail: Detail = {"order": order.digest.hex(), "root": over.hex(), **Counter(outcomes)}
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


def _turned_away(one: Admitted, outcome: str, against: int | None) -> Rejected:
    reason, problem = _TURNED_AWAY[outcome]
    if against is not None:
        is_english = outcome == "renamed" and not one.record.content.name_zh
        problem = Problem("name_en" if is_english else problem.field, problem.expected.format(against), problem.got)
    case = Case.CONFLICT if outcome in _CONFLICTS else Case.REJECTED
    is_same = outcome == "repeated" or (outcome == "renamed" and one.record.kind is Kind.REGISTRATION)
    key = one.record.source_key if is_same else None
    return Rejected(row=one.row, reason=reason, problem=problem, case=case, against=against, source_key=key)
