"""Home subjects and their records."""

# ruff: noqa: S608 - statements are put together from constants of this file only
# ruff: noqa: D102 - each method keeps the promise of its port and says only what is added to it

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, Final

from node.operations.rows import Imported, NewRecordRow, RecordRow
from node.storage.moments import from_milliseconds, from_milliseconds_or_none, to_milliseconds
from node.storage.record_batch import Batch, Known, Stated
from node.storage.states import states_from_text
from node.storage.transaction import Transaction

COLUMNS: Final = """r.number, r.subject_no, r.version, r.kind, r.content, r.facts, r.disclose_until, r.withheld,
r.stored_at, r.deleted_at"""
"""What `record_from_row` reads."""
_CURRENT: Final = f"""
WITH {{numbers wanted}}, {{texts kinds}} SELECT {COLUMNS} FROM wanted CROSS JOIN records r
WHERE r.subject_no = wanted.key AND r.kind IN (SELECT key FROM kinds) AND r.deleted_at IS NULL"""
_OF_SUBJECTS: Final = f"{_CURRENT} ORDER BY r.number"
_SHOWN_OF_SUBJECTS: Final = f"""{_CURRENT}
AND (r.withheld = '' OR substr(r.withheld, 1, 1) = '@')
AND (r.disclose_until IS NULL OR r.disclose_until > :day) ORDER BY r.number"""
_PAGE: Final = f"SELECT {COLUMNS} FROM records r WHERE r.number > :after ORDER BY r.number LIMIT :limit"
_PAGE_OF_KIND: Final = f"""
SELECT {COLUMNS} FROM records r WHERE r.kind = :kind AND r.number > :after ORDER BY r.number LIMIT :limit"""
_FIND: Final = f"SELECT {COLUMNS} FROM records r WHERE r.number = :number"
_COUNT: Final = "SELECT kind, count(*) FROM records WHERE deleted_at IS NULL GROUP BY kind ORDER BY kind"

_KNOWN_RECORDS: Final = """
WITH {blobs wanted} SELECT r.source_key, r.subject_no, r.version, r.content_digest, r.deleted_at, r.number
FROM wanted CROSS JOIN records r WHERE r.source_key = wanted.key"""
_CORRECTED: Final = """
WITH {numbers wanted} SELECT c.record_no, c.content_digest FROM wanted CROSS JOIN corrected_contents c
WHERE c.record_no = wanted.key"""
_KNOWN_IDENTIFIERS: Final = """
WITH {pairs wanted} SELECT i.scheme, i.value, i.subject_no
FROM wanted CROSS JOIN identifiers i WHERE i.scheme = wanted.key AND i.value = wanted.other"""
_STATED: Final = """
WITH {numbers wanted} SELECT r.subject_no, r.source_key, r.kind, r.content FROM wanted CROSS JOIN records r
WHERE r.subject_no = wanted.key AND r.deleted_at IS NULL
AND (r.kind = '101' OR r.number = (SELECT min(o.number) FROM records o WHERE o.subject_no = wanted.key))
ORDER BY r.number"""
_RESERVE_SUBJECTS: Final = "UPDATE counters SET value = value + :count WHERE name = 'subjects'"
_LAST_SUBJECT: Final = "SELECT value FROM counters WHERE name = 'subjects'"

_ADD_SUBJECT: Final = "INSERT INTO subjects (number, kind) VALUES (:number, :kind)"
_ADD_IDENTIFIER: Final = """
INSERT INTO identifiers (subject_no, scheme, value) VALUES (:subject_no, :scheme, :value)"""
_ADD_RECORD: Final = """
INSERT INTO records
(subject_no, source_key, version, kind, content_digest, disclose_until, withheld, stored_at, facts, content)
VALUES (:subject_no, :source_key, :version, :kind, :content_digest, :disclose_until, :withheld, :stored_at,
:facts, :content)"""
_UPDATE_RECORD: Final = """
UPDATE records SET version = :version, kind = :kind, content_digest = :content_digest,
disclose_until = :disclose_until, stored_at = :stored_at, facts = :facts, content = :content
WHERE source_key = :source_key"""


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
        repeated: frozenset[int] = frozenset(),
    ) -> Imported:
        """Decided as if each row was stored before the next one was looked at."""
        if not rows:
            return Imported(outcomes=(), updated={})
        known = self._known_records(rows)
        batch = Batch(
            known=known,
            corrected=self._corrected([one.record_no for one in known.values()]),
            subjects=self._known_identifiers(rows),
            at=to_milliseconds(at),
            names_may_change=names_may_change,
            repeated=repeated,
        )
        batch.stated = self._stated(batch.named_subjects(rows))
        batch.first_number = self._reserve_subjects(batch.count_strangers(rows))
        outcomes = tuple(batch.take(row) for row in rows)
        run = self._transaction.run_many
        run(_ADD_SUBJECT, batch.new_subjects)
        run(_ADD_IDENTIFIER, batch.new_identifiers)
        run(_ADD_RECORD, list(batch.new_records.values()))
        run(_UPDATE_RECORD, list(batch.updated_records.values()))
        return Imported(outcomes=outcomes, updated=batch.changed, against=self._numbers(batch.against))

    def of_subjects(
        self, subjects: Sequence[int], kinds: Sequence[str], shown_on: date | None = None
    ) -> dict[int, list[RecordRow]]:
        wanted = {"wanted": self._transaction.keys(subjects), "kinds": self._transaction.keys(kinds)}
        text = _OF_SUBJECTS
        if shown_on is not None:
            text, wanted["day"] = _SHOWN_OF_SUBJECTS, shown_on.isoformat()
        found: dict[int, list[RecordRow]] = defaultdict(list)
        for row in self._transaction.rows(text, wanted):
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

    def _known_records(self, rows: Sequence[NewRecordRow]) -> dict[bytes, Known]:
        wanted = self._transaction.keys([row.source_key for row in rows])
        found = self._transaction.rows(_KNOWN_RECORDS, {"wanted": wanted})
        return {
            key: Known(subject, version, digest, deleted_at is not None, number)
            for key, subject, version, digest, deleted_at, number in found
        }

    def _stated(self, subjects: set[int]) -> dict[int, list[Stated]]:
        found: dict[int, list[Stated]] = defaultdict(list)
        if subjects:
            wanted = self._transaction.keys(sorted(subjects))
            for subject, key, kind, content in self._transaction.rows(_STATED, {"wanted": wanted}):
                found[subject].append(Stated(key, kind, content))
        return dict(found)

    def _numbers(self, keys: dict[int, bytes]) -> dict[int, int]:
        """The record numbers that belong to source keys, those of this batch too."""
        if not keys:
            return {}
        wanted = self._transaction.keys(list(keys.values()))
        found = self._transaction.rows(_KNOWN_RECORDS, {"wanted": wanted})
        numbers = {row[0]: row[-1] for row in found}
        return {place: numbers[key] for place, key in keys.items()}

    def _corrected(self, records: Sequence[int]) -> frozenset[tuple[int, bytes]]:
        if not records:
            return frozenset()
        return frozenset(map(tuple, self._transaction.rows(_CORRECTED, {"wanted": self._transaction.keys(records)})))

    def _known_identifiers(self, rows: Sequence[NewRecordRow]) -> dict[tuple[str, str], int]:
        wanted = self._transaction.pairs([one for row in rows for one in row.subject.identifiers])
        found = self._transaction.rows(_KNOWN_IDENTIFIERS, {"wanted": wanted})
        return {(scheme, value): subject for scheme, value, subject in found}

    def _reserve_subjects(self, count: int) -> int:
        """Take so many subject numbers that nobody else gets, and give the first of them."""
        if count:
            self._transaction.run(_RESERVE_SUBJECTS, {"count": count})
        ((last,),) = self._transaction.rows(_LAST_SUBJECT)
        return int(last) - count + 1


def record_from_row(row: Any) -> RecordRow:
    """A record from the columns that `COLUMNS` names."""
    number, subject, version, kind, content, facts, disclose_until, states, stored_at, deleted_at = row
    withheld, coming = states_from_text(states)
    return RecordRow(
        record_no=number,
        subject_no=subject,
        version=version,
        kind=kind,
        content=content,
        facts=facts,
        disclose_until=None if disclose_until is None else date.fromisoformat(disclose_until),
        withheld=withheld,
        stored_at=from_milliseconds(stored_at),
        deleted_at=from_milliseconds_or_none(deleted_at),
        coming=coming,
    )
