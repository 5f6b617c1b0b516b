"""The ledger: who was shown which version of which record in which frame, and holds it still."""

# ruff: noqa: S608 - statements are put together from constants of this file only
# ruff: noqa: D102 - each method keeps the promise of its port and says only what is added to it

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from node.domain.notices import Holding
from node.operations.rows import DisclosureRow, LedgerRow, ShownBefore
from node.storage.kept_receipts import keep_receipt
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
_IN_FRAMES: Final = """
WITH {blobs wanted} SELECT DISTINCT d.record_no FROM wanted CROSS JOIN sent_frames f CROSS JOIN disclosures d
WHERE f.frame = wanted.key AND d.frame_no = f.number ORDER BY d.record_no"""
_HOLDINGS: Final = """
WITH {numbers wanted} SELECT DISTINCT d.record_no, d.agreement_no, f.recipient, a.alias, a.wire_version
FROM wanted CROSS JOIN disclosures d CROSS JOIN sent_frames f CROSS JOIN aliases a
WHERE d.record_no = wanted.key AND d.closed_at IS NULL AND f.number = d.frame_no
AND a.record_no = d.record_no AND a.agreement_no = d.agreement_no ORDER BY d.record_no, d.agreement_no"""
# Only what is known to have arrived: a frame that was taken in or receipted.
_SHOWN: Final = """
WITH {numbers wanted} SELECT d.record_no, d.fields, d.identifier_no
FROM wanted CROSS JOIN disclosures d CROSS JOIN sent_frames f
WHERE d.record_no = wanted.key AND d.agreement_no = :agreement_no AND d.closed_at IS NULL
AND f.number = d.frame_no AND f.refused IS NULL
AND (f.taken_at IS NOT NULL OR EXISTS (SELECT 1 FROM frame_receipts x WHERE x.frame_no = f.number))
ORDER BY d.number"""
_CLOSE: Final = """closed_at = :at,
closed_by = (SELECT number FROM receipts WHERE raw_digest = :raw_digest) WHERE closed_at IS NULL AND number IN"""
_SETTLE: Final = f"""
WITH {{blobs wanted}} UPDATE disclosures SET {_CLOSE} (
SELECT d.number FROM wanted CROSS JOIN notices n CROSS JOIN disclosures d
WHERE n.notice = wanted.key AND n.peer = :holder AND d.record_no = n.record_no AND d.agreement_no = n.agreement_no
AND d.record_version < n.record_version)"""
_END: Final = f"""
UPDATE disclosures SET {_CLOSE} (
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
        frames = {"wanted": self._transaction.keys(list({row.frame for row in rows}))}
        numbers = dict(self._transaction.rows(_FRAME_NUMBERS, frames))
        moment = to_milliseconds(at)
        values = [
            (
                one.record_no, one.record_version, one.agreement_no, numbers[one.frame], one.identifier_no, one.fields,
                moment,
            )
            for one in rows
        ]  # fmt: skip
        self._transaction.insert(_DISCLOSE, values)

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

    def in_frames(self, frames: Sequence[bytes]) -> list[int]:
        rows = self._transaction.rows(_IN_FRAMES, {"wanted": self._transaction.keys(frames)})
        return [record_no for (record_no,) in rows]

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


class SqlSettlements:
    """See `node.operations.ports.Settlements`."""

    __slots__ = ("_transaction",)

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def settle(self, holder: PartyId, notices: Sequence[bytes], receipt: bytes, at: datetime) -> None:
        if notices:
            values = self._kept(holder, receipt, at)
            self._transaction.run(_SETTLE, values | {"wanted": self._transaction.keys(notices)})

    def end(self, holder: PartyId, copies: Sequence[tuple[bytes, bytes]], receipt: bytes, at: datetime) -> int:
        if not copies:
            return 0
        values = self._kept(holder, receipt, at)
        return self._transaction.run_many(_END, [values | {"frame": frame, "alias": alias} for frame, alias in copies])

    def _kept(self, holder: PartyId, receipt: bytes, at: datetime) -> dict[str, object]:
        """Keep the receipt that closes rows, and what names it."""
        digest = keep_receipt(self._transaction, receipt)
        return {"holder": holder, "at": to_milliseconds(at), "raw_digest": digest}
