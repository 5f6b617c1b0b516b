"""Home records changed by order, and found again for a push."""

# ruff: noqa: S608 - statements are put together from constants of this file only
# ruff: noqa: D102 - each method keeps the promise of its port and says only what is added to it

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from node.domain.records import Withheld
from node.operations.record_rows import DeletionRow, NewRecordRow, RecordRow, Selection
from node.storage.crowd_store import number_cells
from node.storage.moments import day_or_none, from_milliseconds, to_milliseconds
from node.storage.record_facts import number_facts
from node.storage.record_store import COLUMNS, record_from_row
from node.storage.transaction import Transaction

_KEEP_WRONG: Final = """
INSERT INTO corrected_contents (record_no, content_digest)
SELECT number, content_digest FROM records WHERE number = :number
ON CONFLICT (record_no, content_digest) DO NOTHING"""
_RIGHT_AGAIN: Final = """
DELETE FROM corrected_contents WHERE record_no = :number AND content_digest = :content_digest"""
_CORRECT: Final = """
UPDATE records SET version = version + 1, content_digest = :content_digest, disclose_until = :disclose_until,
stored_at = :stored_at, facts_no = :facts_no, generated_on = :generated_on, content = :content, cell_no = :cell_no
WHERE number = :number AND deleted_at IS NULL"""
_DELETE: Final = f"""
UPDATE records SET version = version + 1, content_digest = :nothing, disclose_until = NULL,
withheld = '{Withheld.DELETED.value}', deleted_at = :at, facts_no = NULL, generated_on = NULL, content = :nothing,
cell_no = NULL
WHERE number = :number AND deleted_at IS NULL"""
_FORGET_WRONG: Final = "DELETE FROM corrected_contents WHERE record_no = :number"
_ADD_DELETION: Final = """
INSERT INTO deletions (record_no, basis, document, first_order, second_order, at)
VALUES (:record_no, :basis, :document, :first_order, :second_order, :at)"""
_DELETION: Final = """
SELECT record_no, basis, document, first_order, second_order, at FROM deletions WHERE record_no = :number"""
_VERSION: Final = "SELECT version FROM records WHERE number = :number"
_OF_NUMBERS: Final = f"""
WITH {{numbers wanted}} SELECT {COLUMNS} FROM wanted CROSS JOIN records r
WHERE r.number = wanted.key AND r.deleted_at IS NULL ORDER BY r.number"""

# A record needs no push where a frame that arrived, or is about to be sent, shows it in full as it is now.
_NOT_SHOWN: Final = """
AND NOT EXISTS (SELECT 1 FROM disclosures d JOIN sent_frames f ON f.number = d.frame_no
WHERE d.record_no = r.number AND d.agreement_no = :agreement_no AND d.record_version = r.version
AND d.fields IS NULL AND d.closed_at IS NULL AND f.cancelled_at IS NULL AND f.refused IS NULL
AND (f.push_job IS NOT NULL OR f.taken_at IS NOT NULL
OR EXISTS (SELECT 1 FROM frame_receipts x WHERE x.frame_no = f.number)))"""
# Said with EXISTS, for with IN the index of kinds would be used and all that is left be sorted for every portion.
_CURRENT: Final = """
r.deleted_at IS NULL AND r.number > :after AND r.stored_at >= :since
AND EXISTS (SELECT 1 FROM kinds WHERE kinds.key = r.kind)"""
_SELECT: Final = f"WITH {{texts kinds}} SELECT {COLUMNS} FROM records r WHERE {_CURRENT}"
_SELECT_LISTED: Final = f"""
WITH {{texts kinds}}, {{numbers wanted}} SELECT {COLUMNS} FROM wanted CROSS JOIN records r
WHERE r.number = wanted.key AND {_CURRENT}"""
_IN_ORDER: Final = "ORDER BY r.number LIMIT :limit"
_SELECTIONS: Final = {
    (listed, again): f"{_SELECT_LISTED if listed else _SELECT} {'' if again else _NOT_SHOWN} {_IN_ORDER}"
    for listed in (False, True)
    for again in (False, True)
}


class SqlChanges:
    """See `node.operations.ports.Changes`. The caller looked that the record is there and was not deleted."""

    __slots__ = ("_transaction",)

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def correct(self, record_no: int, row: NewRecordRow, at: datetime) -> int:
        name = {"number": record_no}
        self._transaction.run(_KEEP_WRONG, name)
        self._transaction.run(_RIGHT_AGAIN, name | {"content_digest": row.content_digest})
        values = name | {
            "content_digest": row.content_digest,
            "disclose_until": day_or_none(row.disclose_until),
            "stored_at": to_milliseconds(at),
            "facts_no": number_facts(self._transaction, [row.facts])[row.facts],
            "generated_on": row.generated_on.isoformat(),
            "content": row.content,
            "cell_no": number_cells(self._transaction, [row.cell]).get(row.cell),
        }
        self._transaction.run(_CORRECT, values)
        return self._version(record_no)

    def delete(self, deletion: DeletionRow) -> int:
        name = {"number": deletion.record_no}
        at = to_milliseconds(deletion.at)
        self._transaction.run(_DELETE, name | {"nothing": b"", "at": at})
        self._transaction.run(_FORGET_WRONG, name)
        values = {
            "record_no": deletion.record_no,
            "basis": deletion.basis,
            "document": deletion.document,
            "first_order": deletion.first_order,
            "second_order": deletion.second_order,
            "at": at,
        }
        self._transaction.run(_ADD_DELETION, values)
        return self._version(deletion.record_no)

    def deletion(self, record_no: int) -> DeletionRow | None:
        row: Any = self._transaction.row(_DELETION, {"number": record_no})
        if row is None:
            return None
        number, basis, document, first_order, second_order, at = row
        return DeletionRow(
            record_no=number,
            basis=basis,
            document=document,
            first_order=first_order,
            second_order=second_order,
            at=from_milliseconds(at),
        )

    def of_numbers(self, records: Sequence[int]) -> dict[int, RecordRow]:
        rows = self._transaction.rows(_OF_NUMBERS, {"wanted": self._transaction.keys(records)})
        return {row.record_no: row for row in map(record_from_row, rows)}

    def select(self, selection: Selection) -> list[RecordRow]:
        values: dict[str, Any] = {
            "kinds": self._transaction.keys(selection.kinds),
            "after": selection.after,
            "since": 0 if selection.since is None else to_milliseconds(selection.since),
            "limit": selection.limit,
        }
        if selection.records is not None:
            values["wanted"] = self._transaction.keys(selection.records)
        if not selection.again:
            values["agreement_no"] = selection.agreement_no
        rows = self._transaction.rows(_SELECTIONS[selection.records is not None, selection.again], values)
        return [record_from_row(row) for row in rows]

    def _version(self, record_no: int) -> int:
        ((version,),) = self._transaction.rows(_VERSION, {"number": record_no})
        return int(version)
