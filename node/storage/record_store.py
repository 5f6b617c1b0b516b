"""Home subjects and their records."""

# ruff: noqa: S608 - statements are put together from constants of this file only
# ruff: noqa: D102 - each method keeps the promise of its port and says only what is added to it

from collections import defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final

from node.operations.record_rows import Imported, NewRecordRow, NewRecords, RecordRow
from node.storage.crowd_store import number_cells, put_numbers
from node.storage.moments import from_milliseconds, from_milliseconds_or_none, to_milliseconds
from node.storage.record_batch import (
    RECORD_COLUMNS,
    Batch,
    Claimed,
    IdentifierValues,
    Known,
    Numbers,
    Places,
    Stated,
    are_strangers,
    common_values,
    own_columns,
    places_of,
)
from node.storage.record_facts import FACTS, number_facts
from node.storage.states import states_from_text
from node.storage.transaction import Transaction

Name = tuple[str, str]
"""An identifier: its scheme and its value."""

COLUMNS: Final = f"""r.number, r.subject_no, r.version, r.kind, r.content, {FACTS}, r.generated_on, r.disclose_until,
r.withheld, r.stored_at, r.deleted_at"""
"""What `record_from_row` reads."""
_OF_SUBJECTS: Final = f"""
WITH {{numbers wanted}}, {{texts kinds}} SELECT {COLUMNS} FROM wanted CROSS JOIN records r
WHERE r.subject_no = wanted.key AND r.kind IN (SELECT key FROM kinds) AND r.deleted_at IS NULL ORDER BY r.number"""
_PAGE: Final = f"SELECT {COLUMNS} FROM records r WHERE r.number > :after ORDER BY r.number LIMIT :limit"
_PAGE_OF_KIND: Final = f"""
SELECT {COLUMNS} FROM records r WHERE r.kind = :kind AND r.number > :after ORDER BY r.number LIMIT :limit"""
_FIND: Final = f"SELECT {COLUMNS} FROM records r WHERE r.number = :number"
_COUNT: Final = "SELECT kind, count(*) FROM records WHERE deleted_at IS NULL GROUP BY kind ORDER BY kind"

_KNOWN_RECORDS: Final = """
WITH {owned wanted}, {texts kinds}
SELECT r.source_key, r.subject_no, r.version, r.content_digest, r.deleted_at, r.cell_no, r.number
FROM wanted CROSS JOIN records r
WHERE r.subject_no = wanted.key AND r.kind IN (SELECT key FROM kinds) AND r.source_key = wanted.other"""
_CORRECTED: Final = """
WITH {numbers wanted} SELECT c.record_no, c.content_digest FROM wanted CROSS JOIN corrected_contents c
WHERE c.record_no = wanted.key"""
_KNOWN_IDENTIFIERS: Final = """
WITH {texts wanted} SELECT i.value, i.subject_no
FROM wanted CROSS JOIN identifiers i WHERE i.scheme = :scheme AND i.value = wanted.key"""
_STATED: Final = """
WITH {numbers wanted} SELECT r.subject_no, r.source_key, r.kind, r.content FROM wanted CROSS JOIN records r
WHERE r.subject_no = wanted.key AND r.deleted_at IS NULL
AND (r.kind = '101' OR r.number = (SELECT min(o.number) FROM records o WHERE o.subject_no = wanted.key))
ORDER BY r.number"""
_RESERVE_SUBJECTS: Final = "UPDATE counters SET value = value + :count WHERE name = 'subjects'"
_LAST_SUBJECT: Final = "SELECT value FROM counters WHERE name = 'subjects'"


def _insert(table: str, columns: Sequence[str]) -> str:
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES (:{', :'.join(columns)})"


_ADD_IDENTIFIER: Final = _insert("identifiers", IdentifierValues._fields)
_ADD_STRANGER: Final = f"{_ADD_IDENTIFIER} ON CONFLICT (scheme, value) DO NOTHING"
_FORGET_STRANGERS: Final = "DELETE FROM identifiers WHERE number > :newest"
_NEWEST_IDENTIFIER: Final = "SELECT coalesce(max(number), 0) FROM identifiers"
_ADD_RECORD: Final = _insert("records", RECORD_COLUMNS)
_UPDATE_RECORD: Final = """
UPDATE records SET version = :version, content_digest = :content_digest,
disclose_until = :disclose_until, stored_at = :stored_at, facts_no = :facts_no, generated_on = :generated_on,
content = :content, cell_no = :cell_no
WHERE subject_no = :subject_no AND kind = :kind AND source_key = :source_key"""


class SqlRecords:
    """See `node.operations.ports.Records`. Only current content is kept; a record's version only goes up."""

    __slots__ = ("_transaction",)

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def add(
        self,
        rows: Sequence[NewRecordRow],
        at: datetime,
        *,
        names_may_change: bool = False,
        repeated: Container[int] = (),
    ) -> Imported:
        """Decided as if each row was stored before the next one was looked at."""
        if not rows:
            return Imported(outcomes=(), updated={})
        new = NewRecords.of(rows)
        places = places_of(new.identifiers)
        if are_strangers(new, places) and self._add_strangers(new, places, at):
            return Imported(outcomes=("new",) * len(new), updated={})
        subjects = self._known_identifiers(places)
        known = self._known_records(rows, subjects)
        batch = Batch(
            known=known,
            corrected=self._corrected([one.record_no for one in known.values()]),
            subjects=subjects,
            at=to_milliseconds(at),
            numbers=self._shared(new),
            names_may_change=names_may_change,
            repeated=repeated,
        )
        batch.stated = self._stated(batch.named_subjects(rows))
        batch.first_number = self._reserve_subjects(batch.count_strangers(rows))
        outcomes = tuple(batch.take(row) for row in rows)
        self._write(batch)
        return Imported(outcomes=outcomes, updated=batch.changed, against=self._numbers(batch))

    def _add_strangers(self, rows: NewRecords, places: Places, at: datetime) -> bool:
        """Store rows that have nothing in common if nothing is known of any, as `Batch` would: each a new subject.

        The index of identifiers has to be gone through to write, so that it is not read before: who is known there
        already is told by how many rows it took.
        """
        ((newest,),) = self._transaction.rows(_NEWEST_IDENTIFIER)
        first = self._reserve_subjects(len(rows))
        subjects = range(first, first + len(rows))
        if self._add_identifiers(_ADD_STRANGER, places, subjects) < sum(map(len, places.values())):
            self._transaction.run(_FORGET_STRANGERS, {"newest": newest})
            self._reserve_subjects(-len(rows))
            return False
        own = own_columns(rows, subjects, self._shared(rows))
        common = common_values(1, rows.kinds[0], to_milliseconds(at))
        self._transaction.insert_columns(_ADD_RECORD, own, common)
        return True

    def _shared(self, rows: NewRecords) -> Numbers:
        """The numbers of what is kept once for many rows."""
        return Numbers(number_cells(self._transaction, rows.cells), number_facts(self._transaction, rows.facts))

    def _write(self, batch: Batch) -> None:
        new = batch.new_identifiers
        places = places_of([((one.scheme, one.value),) for one in new])
        self._add_identifiers(_ADD_IDENTIFIER, places, [one.subject_no for one in new])
        self._transaction.insert(_ADD_RECORD, batch.values(batch.new_records))
        changed = batch.values(batch.updated_records)
        self._transaction.run_many(_UPDATE_RECORD, [dict(zip(RECORD_COLUMNS, one, strict=True)) for one in changed])
        put_numbers(self._transaction, batch.celled)

    def _add_identifiers(self, text: str, places: Places, subjects: Sequence[int]) -> int:
        """Store identifiers, each of the subject at its place, and give how many were new."""
        added = 0
        for scheme, named in places.items():
            values = sorted(named)  # the order of their index: what lies together there is then changed together
            numbers = [subjects[named[value]] for value in values]
            added += self._transaction.insert_columns(text, [numbers, values], {"scheme": scheme})
        return added

    def of_subjects(self, subjects: Sequence[int], kinds: Sequence[str]) -> dict[int, list[RecordRow]]:
        wanted = {"wanted": self._transaction.keys(subjects), "kinds": self._transaction.keys(kinds)}
        found: dict[int, list[RecordRow]] = defaultdict(list)
        for row in self._transaction.rows(_OF_SUBJECTS, wanted):
            found[row[1]].append(record_from_row(row))
        return dict(found)

    def page(self, kind: str | None, after: int, limit: int) -> list[RecordRow]:
        values = {"kind": kind, "after": after, "limit": limit}
        rows = self._transaction.rows(_PAGE if kind is None else _PAGE_OF_KIND, values)
        return [record_from_row(row) for row in rows]

    def count(self) -> dict[str, int]:
        return dict(self._transaction.rows(_COUNT))

    def find(self, record_no: int) -> RecordRow | None:
        row = self._transaction.row(_FIND, {"number": record_no})
        return None if row is None else record_from_row(row)

    def _known_records(self, rows: Sequence[NewRecordRow], subjects: Mapping[Name, int]) -> dict[bytes, Known]:
        """What is stored under the keys of these rows, looked for with the subjects that they lead to."""
        owned = [
            (subjects[one], row.source_key) for row in rows for one in row.identifiers if one in subjects
        ] if subjects else []  # fmt: skip
        found = self._owned(owned, {row.kind for row in rows})
        return {
            key: Known(subject, version, digest, deleted_at is not None, number, cell_no)
            for key, subject, version, digest, deleted_at, cell_no, number in found
        }

    def _owned(self, keys: Sequence[tuple[int, bytes]], kinds: Iterable[str]) -> list[Any]:
        if not keys:
            return []
        wanted = {"wanted": self._transaction.owned(keys), "kinds": self._transaction.keys(sorted(kinds))}
        return self._transaction.rows(_KNOWN_RECORDS, wanted)

    def _stated(self, subjects: set[int]) -> dict[int, list[Claimed]]:
        found: dict[int, list[Claimed]] = defaultdict(list)
        if subjects:
            wanted = self._transaction.keys(sorted(subjects))
            for subject, key, kind, content in self._transaction.rows(_STATED, {"wanted": wanted}):
                found[subject].append(Stated(key, kind, content))
        return dict(found)

    def _numbers(self, batch: Batch) -> dict[int, int]:
        """The record that each place of `against` contradicts, those of this batch too."""
        if not batch.against:
            return {}
        numbers = {row[0]: row[-1] for row in self._owned(list(batch.against.values()), batch.kinds)}
        return {place: numbers[key] for place, (_, key) in batch.against.items()}

    def _corrected(self, records: Sequence[int]) -> frozenset[tuple[int, bytes]]:
        if not records:
            return frozenset()
        return frozenset(map(tuple, self._transaction.rows(_CORRECTED, {"wanted": self._transaction.keys(records)})))

    def _known_identifiers(self, places: Places) -> dict[Name, int]:
        known = {}
        for scheme, values in places.items():
            keys = self._transaction.keys(sorted(values))
            for value, subject in self._transaction.rows(_KNOWN_IDENTIFIERS, {"wanted": keys, "scheme": scheme}):
                known[scheme, value] = subject
        return known

    def _reserve_subjects(self, count: int) -> int:
        """Take so many subject numbers that nobody else gets, and give the first of them."""
        if count:
            self._transaction.run(_RESERVE_SUBJECTS, {"count": count})
        ((last,),) = self._transaction.rows(_LAST_SUBJECT)
        return int(last) - count + 1


def record_from_row(row: Any) -> RecordRow:
    """A record from the columns that `COLUMNS` names."""
    number, subject, version, kind, content, facts, generated_on, disclose_until, states, stored_at, deleted_at = row
    withheld, coming = states_from_text(states)
    return RecordRow(
        record_no=number,
        subject_no=subject,
        version=version,
        kind=kind,
        content=content,
        facts=facts or b"",
        generated_on=None if generated_on is None else date.fromisoformat(generated_on),
        disclose_until=None if disclose_until is None else date.fromisoformat(disclose_until),
        withheld=withheld,
        stored_at=from_milliseconds(stored_at),
        deleted_at=from_milliseconds_or_none(deleted_at),
        coming=coming,
    )
