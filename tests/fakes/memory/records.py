"""The ports Records and Changes."""

from collections import Counter, defaultdict
from collections.abc import Container, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from msgspec.structs import replace as changed

from node.domain.records import Withheld
from node.operations.record_rows import DeletionRow, Imported, NewRecordRow, RecordRow, Selection
from node.storage.record_batch import RECORD_COLUMNS, Batch, Claimed, Known, Numbers, RecordValues, Stated
from tests.fakes.memory.state import HomeRecord, Part


class MemoryRecords(Part):
    def add(
        self,
        rows: Sequence[NewRecordRow],
        at: datetime,
        *,
        names_may_change: bool = False,
        repeated: Container[int] = (),
    ) -> Imported:
        state = self._changing
        batch = Batch(
            known={
                one.source_key: Known(
                    one.row.subject_no, one.row.version, one.content_digest, not one.is_current, number, one.cell_no
                )
                for number, one in state.records.items()
            },
            corrected=frozenset(state.wrong_contents),
            subjects={(scheme, value): subject for subject, scheme, value in state.identifiers.values()},
            at=0,
            numbers=Numbers(
                {row.cell: number for row in rows if (number := state.number_cell(row.cell)) is not None},
                {row.facts: number for number, row in enumerate(rows)},
            ),
            names_may_change=names_may_change,
            repeated=repeated,
            stated=self._stated(),
            first_number=state.last_subject + 1,
        )
        outcomes = tuple(batch.take(row) for row in rows)
        state.last_subject += batch.new_subjects
        for one in batch.new_identifiers:
            state.identifiers.add((one.subject_no, one.scheme, one.value))
        for values in batch.values(batch.new_records):
            state.records.add(_record_from_values(state.records.next, values, rows, at))
        numbers = {one.source_key: number for number, one in state.records.items()}
        for key, values in zip(batch.updated_records, batch.values(batch.updated_records), strict=True):
            new, old = _record_from_values(numbers[key], values, rows, at), state.records[numbers[key]].row
            state.records[numbers[key]] = replace(new, row=changed(new.row, withheld=old.withheld, coming=old.coming))
        for number, cell_no in batch.celled.items():
            state.records[number] = replace(state.records[number], cell_no=cell_no)
        numbers = {one.source_key: number for number, one in state.records.items()}
        against = {place: numbers[key] for place, (_, key) in batch.against.items()}
        return Imported(outcomes=outcomes, updated=batch.changed, against=against)

    def _stated(self) -> dict[int, list[Claimed]]:
        """Every record that names its subject: registrations, and the first of all."""
        found: dict[int, list[Claimed]] = defaultdict(list)
        first = set[int]()
        for one in self._changing.records.values():
            subject = one.row.subject_no
            if one.is_current and (one.row.kind == "101" or subject not in first):
                found[subject].append(Stated(one.source_key, one.row.kind, one.row.content))
            first.add(subject)
        return dict(found)

    def of_subjects(self, subjects: Sequence[int], kinds: Sequence[str]) -> dict[int, list[RecordRow]]:
        found: dict[int, list[RecordRow]] = defaultdict(list)
        for one in self._seen.records.values():
            if one.is_current and one.row.subject_no in subjects and one.row.kind in kinds:
                found[one.row.subject_no].append(one.row)
        return dict(found)

    def page(self, kind: str | None, after: int, limit: int) -> list[RecordRow]:
        rows = (one.row for number, one in self._seen.records.items() if number > after)
        return [row for row in rows if kind in (None, row.kind)][:limit]

    def count(self) -> dict[str, int]:
        return dict(Counter(one.row.kind for one in self._seen.records.values() if one.is_current))

    def find(self, record_no: int) -> RecordRow | None:
        found = self._seen.records.get(record_no)
        return None if found is None else found.row


class MemoryChanges(Part):
    def correct(self, record_no: int, row: NewRecordRow, at: datetime) -> int:
        state, old = self._changing, self._current(record_no)
        state.wrong_contents.add((record_no, old.content_digest))
        state.wrong_contents.discard((record_no, row.content_digest))
        new = changed(
            old.row,
            version=old.row.version + 1,
            content=row.content,
            facts=row.facts,
            generated_on=row.generated_on,
            disclose_until=row.disclose_until,
            stored_at=at,
        )
        cell_no = state.number_cell(row.cell)
        state.records[record_no] = replace(old, row=new, content_digest=row.content_digest, cell_no=cell_no)
        return new.version

    def delete(self, deletion: DeletionRow) -> int:
        state, number = self._changing, deletion.record_no
        old = self._current(number)
        tombstone = changed(
            old.row,
            version=old.row.version + 1,
            content=b"",
            facts=b"",
            generated_on=None,
            disclose_until=None,
            withheld=frozenset({Withheld.DELETED.value}),
            coming=(),
            deleted_at=deletion.at,
        )
        state.records[number] = replace(old, row=tombstone, content_digest=b"", cell_no=None)
        state.wrong_contents = {one for one in state.wrong_contents if one[0] != number}
        state.deletions[number] = deletion
        return tombstone.version

    def deletion(self, record_no: int) -> DeletionRow | None:
        return self._seen.deletions.get(record_no)

    def of_numbers(self, records: Sequence[int]) -> dict[int, RecordRow]:
        return {number: one.row for number, one in self._seen.records.items() if one.is_current and number in records}

    def select(self, selection: Selection) -> list[RecordRow]:
        rows = (one.row for one in self._seen.records.values() if one.is_current and _is_selected(one.row, selection))
        shown = set() if selection.again else self._shown_in_full(selection.agreement_no)
        return [row for row in rows if (row.record_no, row.version) not in shown][: selection.limit]

    def _current(self, record_no: int) -> HomeRecord:
        found = self._seen.records[record_no]
        if not found.is_current:
            raise LookupError("expected a record, got the tombstone of one")
        return found

    def _shown_in_full(self, agreement_no: int) -> set[tuple[int, int]]:
        """The record versions that a frame which arrived, or is about to be pushed, shows in full."""
        shown = set()
        for one in self._seen.disclosures.values():
            frame = self._seen.sent_frames[one.row.frame]
            is_whole = one.row.fields is None and one.closed_at is None and one.row.agreement_no == agreement_no
            is_good = frame.cancelled_at is None and frame.refused is None
            if is_whole and is_good and (frame.row.push_job is not None or frame.has_arrived):
                shown.add((one.row.record_no, one.row.record_version))
        return shown


def _record_from_values(number: int, values: RecordValues, rows: Sequence[NewRecordRow], at: datetime) -> HomeRecord:
    """Make a record of what a batch would write into a table; its facts are those of one of the rows."""
    facts: dict[str, Any] = dict(zip(RECORD_COLUMNS, values, strict=True))
    until = facts["disclose_until"]
    facts |= {
        "record_no": number,
        "facts": rows[facts.pop("facts_no")].facts,
        "generated_on": date.fromisoformat(facts["generated_on"]),
        "disclose_until": None if until is None else date.fromisoformat(until),
        "withheld": frozenset(),
        "stored_at": at,
        "deleted_at": None,
    }
    beside = {name: facts.pop(name) for name in ("source_key", "content_digest", "cell_no")}
    return HomeRecord(row=RecordRow(**facts), **beside)


def _is_selected(row: RecordRow, selection: Selection) -> bool:
    return (
        row.kind in selection.kinds
        and row.record_no > selection.after
        and (selection.since is None or row.stored_at >= selection.since)
        and (selection.records is None or row.record_no in selection.records)
    )
