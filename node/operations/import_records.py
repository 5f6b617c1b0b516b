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
from node.operations.ports import Store
from node.operations.stored_records import row_from_admitted

BATCH = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far an import has come, and the rows of this batch that were not loaded."""

    rows: int
    outcomes: Counter[str]
    rejects: tuple[Rejected, ...]


def import_rows(
    rows: Iterable[Row | BadRow], intake: Intake, order: SignedAct, store: Store, context: Context
) -> Iterator[Progress]:
    """Admit and store rows in batches of 1,000, one transaction each; interrupting it loses no committed batch.

    Importing the same rows again changes nothing, so after an interruption the whole file is simply given again.
    """
    remaining, outcomes, seen = iter(rows), Counter[str](), 0
    while batch := list(islice(remaining, BATCH)):
        decided = [_decide(row, intake) for row in batch]
        admitted = [one for one in decided if isinstance(one, Admitted)]
        stored = _store(admitted, order, store, context)
        rejects = [one for one in decided if isinstance(one, Rejected)]
        rejects += [_conflict(one) for one, outcome in zip(admitted, stored, strict=True) if outcome == "conflict"]
        outcomes.update(outcome for outcome in stored if outcome != "conflict")
        outcomes["rejected"] += len(rejects)
        seen += len(batch)
        yield Progress(rows=seen, outcomes=outcomes, rejects=tuple(sorted(rejects, key=lambda one: one.row)))


def _decide(row: Row | BadRow, intake: Intake) -> Admitted | Rejected:
    if isinstance(row, BadRow):
        return Rejected(row=row.number, reason=Refusal.MALFORMED, problem=row.problem)
    return admit(row, intake)


def _store(admitted: list[Admitted], order: SignedAct, store: Store, context: Context) -> tuple[str, ...]:
    at = context.now()
    with store.write() as work:
        imported = work.records.add([row_from_admitted(one) for one in admitted], at)
        entry = _entry(admitted, imported.outcomes, order)
        work.journal.add([draft(entry, context.node, at, context.random)])
        work.commit()
    return imported.outcomes


def _entry(admitted: list[Admitted], outcomes: tuple[str, ...], order: SignedAct) -> EntryFacts:
    """One entry for a batch: how many of what, and the root over the contents, which the checkpoint then signs."""
    over = root(leaf_hash(one.record.content_digest) for one in admitted)
    detail: Detail = {"order": order.digest.hex(), "root": over.hex(), **Counter(outcomes)}
    return EntryFacts(act=Act.RECORDS, detail=detail)


def _conflict(one: Admitted) -> Rejected:
    problem = Problem("identifiers", "identifiers of one subject", "identifiers of two known subjects")
    return Rejected(row=one.row, reason=Refusal.SUBJECT_ID_INVALID, problem=problem)
