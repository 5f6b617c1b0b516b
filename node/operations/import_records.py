"""Take rows into the home store: every row is loaded, or named with what was wrong with it."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from agreements.refusal import Refusal
from crypto.merkle import leaf_hash, root
from node.domain.context import Context
from node.domain.identifiers import Problem
from node.domain.intake import Admitted, Intake, Rejected, admit
from node.domain.journal import Act, Detail, EntryFacts, draft
from node.domain.operators import SignedAct
from node.domain.rows import BadRow, Row
from node.operations.change_records import propagate, updates
from node.operations.facts import Law
from node.operations.ports import Store
from node.operations.stored_records import row_from_admitted

BATCH = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far an import has come, and the rows of this batch that were not loaded."""

    rows: int
    outcomes: Counter[str]
    rejects: tuple[Rejected, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """What an import is measured by, on whose order it is done, and the law that says whom to tell of changes."""

    intake: Intake
    order: SignedAct
    law: Law


def import_rows(rows: Iterable[Row | BadRow], ordered: Import, store: Store, context: Context) -> Iterator[Progress]:
    """Admit and store rows in batches of 1,000, one transaction each; interrupting it loses no committed batch.

    Importing the same rows again changes nothing, so after an interruption the whole file is simply given again.
    Whoever holds a record that changed is told. What was deleted, or declared wrong by a correction, stays away.
    """
    remaining, outcomes, seen = iter(rows), Counter[str](), 0
    while batch := list(islice(remaining, BATCH)):
        decided = [_decide(row, ordered.intake) for row in batch]
        admitted = [one for one in decided if isinstance(one, Admitted)]
        stored = _store(admitted, ordered, store, context)
        rejects = [one for one in decided if isinstance(one, Rejected)]
        rejects += [_turned_away(one, out) for one, out in zip(admitted, stored, strict=True) if out in _TURNED_AWAY]
        outcomes.update(outcome for outcome in stored if outcome not in _TURNED_AWAY)
        outcomes["rejected"] += len(rejects)
        seen += len(batch)
        yield Progress(rows=seen, outcomes=outcomes, rejects=tuple(sorted(rejects, key=lambda one: one.row)))


def _decide(row: Row | BadRow, intake: Intake) -> Admitted | Rejected:
    if isinstance(row, BadRow):
        return Rejected(row=row.number, reason=Refusal.MALFORMED, problem=row.problem)
    return admit(row, intake)


def _store(admitted: list[Admitted], ordered: Import, store: Store, context: Context) -> tuple[str, ...]:
    at = context.now()
    with store.write() as work:
        imported = work.records.add([row_from_admitted(one) for one in admitted], at)
        propagate(work, updates(imported.updated, ordered.law, at), context)
        entry = _entry(admitted, imported.outcomes, ordered.order)
        work.journal.add([draft(entry, context.node, at, context.random)])
        work.commit()
    return imported.outcomes


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
    "deleted": (Refusal.RECORD_DELETED, Problem("row", "a record that was not deleted", "one that was")),
    "corrected": (
        Refusal.STALE_VERSION,
        Problem("row", "the corrected record, or newer facts", "what a correction declared wrong"),
    ),
}


def _turned_away(one: Admitted, outcome: str) -> Rejected:
    reason, problem = _TURNED_AWAY[outcome]
    return Rejected(row=one.row, reason=reason, problem=problem)
