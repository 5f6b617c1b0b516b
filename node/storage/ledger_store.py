"""The ledger: who was shown which version of which record in which frame, and holds it still."""

# ruff: noqa: D102 - each method keeps the promise of its port and says only what is added to it

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from node.domain.notices import Holding
from node.operations.rows import DisclosureRow, LedgerRow, ShownBefore
from node.storage.moments import from_milliseconds, from_milliseconds_or_none, to_milliseconds
from node.storage.transaction import Transaction
from registry.parties import PartyId

_FRAME_NUMBERS: Final = """
WITH {blobs wanted} SELECT f.frame, f.number FROM wanted CROSS JOIN sent_frames f WHERE f.frame = wanted.key"""
_DISCLOSE: Final = """
INSERT INTO disclosures (record_no, record_version, agreement_no, frame_no, identifier_no, fields, at)
VALUES (:record_no, :record_version, :agreement_no, :frame_no, :identifier_no, :fields, :at)"""
_OF_RECORD: Final = """
SELECT g.digest, f.recipient, d.record_version, a.alias, f.frame, d.fields, d.at, d.closed_at, f.cancelled_at
FROM disclosures d JOIN sent_frames f ON f.number = d.frame_no JOIN agreements g ON g.number = d.agreement_no
JOIN aliases a ON a.record_no = d.record_no AND a.agreement_no = d.agreement_no
WHERE d.record_no = :record_no ORDER BY d.number"""
_HOLDINGS: Final = """
WITH {numbers wanted} SELECT DISTINCT d.record_no, d.agreement_no, f.recipient, a.alias, a.wire_version
FROM wanted CROSS JOIN disclosures d CROSS JOIN sent_frames f CROSS JOIN aliases a
WHERE d.record_no = wanted.key AND d.closed_at IS NULL AND f.number = d.frame_no
AND a.record_no = d.record_no AND a.agreement_no = d.agreement_no ORDER BY d.record_no, d.agreement_no"""
_SHOWN: Final = """
WITH {numbers wanted} SELECT d.record_no, d.fields, d.identifier_no FROM wanted CROSS JOIN disclosures d
WHERE d.record_no = wanted.key AND d.agreement_no = :agreement_no AND d.closed_at IS NULL ORDER BY d.number"""
_CLOSE_BY_NOTICE: Final = """
WITH {blobs wanted} UPDATE disclosures SET closed_at = :at WHERE closed_at IS NULL AND number IN (
SELECT d.number FROM wanted CROSS JOIN notices n CROSS JOIN disclosures d
WHERE n.notice = wanted.key AND n.peer = :holder AND d.record_no = n.record_no AND d.agreement_no = n.agreement_no
AND d.record_version < n.record_version)"""
_CLOSE_BY_FRAME: Final = """
UPDATE disclosures SET closed_at = :at WHERE closed_at IS NULL AND number IN (
SELECT d.number FROM sent_frames f CROSS JOIN disclosures d CROSS JOIN aliases a
WHERE f.frame = :frame AND f.recipient = :holder AND d.frame_no = f.number
AND a.record_no = d.record_no AND a.agreement_no = d.agreement_no AND a.alias = :alias)"""


class SqlLedger:
    """See `node.operations.ports.Ledger`."""

    __slots__ = ("_transaction",)

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def disclose(self, rows: Sequence[LedgerRow], at: datetime) -> None:
        if not rows:
            return
        frames = {"wanted": self._transaction.keys([row.frame for row in rows])}
        numbers = dict(self._transaction.rows(_FRAME_NUMBERS, frames))
        moment = to_milliseconds(at)
        values = [
            {
                "record_no": row.record_no,
                "record_version": row.record_version,
                "agreement_no": row.agreement_no,
                "frame_no": numbers[row.frame],
                "identifier_no": row.identifier_no,
                "fields": row.fields,
                "at": moment,
            }
            for row in rows
        ]
        self._transaction.run_many(_DISCLOSE, values)

    def of_record(self, record_no: int) -> list[DisclosureRow]:
        return [
            DisclosureRow(
                agreement=agreement,
                holder=PartyId(holder),
                record_version=version,
                alias=alias,
                frame=frame,
                fields=fields,
                at=from_milliseconds(at),
                closed_at=from_milliseconds_or_none(closed_at),
                is_cancelled=cancelled_at is not None,
            )
            for agreement, holder, version, alias, frame, fields, at, closed_at, cancelled_at in self._transaction.rows(
                _OF_RECORD, {"record_no": record_no}
            )
        ]

    def holdings(self, records: Sequence[int]) -> list[Holding]:
        return [
            Holding(
                record_no=record_no,
                agreement_no=agreement_no,
                holder=PartyId(holder),
                alias=alias,
                wire_version=wire_version,
            )
            for record_no, agreement_no, holder, alias, wire_version in self._transaction.rows(
                _HOLDINGS, {"wanted": self._transaction.keys(records)}
            )
        ]

    def shown(self, agreement_no: int, records: Sequence[int]) -> dict[int, ShownBefore]:
        values = {"wanted": self._transaction.keys(records), "agreement_no": agreement_no}
        found: dict[int, ShownBefore] = {}
        for record_no, names, identifier_no in self._transaction.rows(_SHOWN, values):
            fields = None if names is None else frozenset(names.split())
            before = found.get(record_no)
            if before is not None:
                fields = None if fields is None or before.fields is None else fields | before.fields
            found[record_no] = ShownBefore(fields=fields, identifier_no=identifier_no)
        return found

    def close(
        self, holder: PartyId, notices: Sequence[bytes], frames: Sequence[tuple[bytes, bytes]], at: datetime
    ) -> int:
        values = {"holder": holder, "at": to_milliseconds(at)}
        if notices:
            self._transaction.run(_CLOSE_BY_NOTICE, values | {"wanted": self._transaction.keys(notices)})
        named = [values | {"frame": frame, "alias": alias} for frame, alias in frames]
        return self._transaction.run_many(_CLOSE_BY_FRAME, named)
