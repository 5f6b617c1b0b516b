"""Inspections: the orders, and the signed documents that an order entitles an authority to see."""

# ruff: noqa: D102 - each method keeps the promise of its port and says only what is added to it

from collections.abc import Sequence
from typing import Final

from node.operations.inspection_rows import CopyExhibit, FrameExhibit, InspectionRow
from node.storage.moments import from_milliseconds, to_milliseconds
from node.storage.transaction import Transaction
from registry.parties import PartyId

_ADD: Final = """
INSERT INTO inspections (digest, authority, raw, leaf, at) VALUES (:digest, :authority, :raw, :leaf, :at)
ON CONFLICT (digest) DO NOTHING"""
_FIND: Final = "SELECT authority, raw, leaf, at FROM inspections WHERE digest = :digest"

# The frames come first, each once with its header, and then the rows of the ledger, whose numbers are above 0.
_FRAMES: Final = """
WITH {blobs wanted}
SELECT 0 AS place, f.frame, f.header, f.refused, f.cancelled_at IS NOT NULL, NULL AS alias, NULL AS closed_by
FROM wanted CROSS JOIN sent_frames f WHERE f.frame = wanted.key
UNION ALL
SELECT d.number, f.frame, NULL, NULL, NULL, a.alias, r.digest
FROM wanted CROSS JOIN sent_frames f CROSS JOIN disclosures d CROSS JOIN aliases a
LEFT JOIN receipts r ON r.number = d.closed_by
WHERE f.frame = wanted.key AND d.frame_no = f.number
AND a.record_no = d.record_no AND a.agreement_no = d.agreement_no
ORDER BY place"""
_RECEIVED: Final = """
WITH {blobs wanted} SELECT f.sender, f.frame, f.header FROM wanted CROSS JOIN received_frames f
WHERE f.frame = wanted.key"""
# The first one comes last, and so stays.
_RECEIPTS: Final = """
WITH {blobs wanted} SELECT r.digest, r.raw FROM wanted CROSS JOIN receipts r
WHERE r.digest = wanted.key ORDER BY r.number DESC"""
_NOTICES: Final = """
WITH {pairs wanted} SELECT b.peer, b.first, b.raw FROM wanted CROSS JOIN notice_batches b
WHERE b.peer = wanted.key AND b.first = CAST(wanted.other AS bigint)"""
_TOLD: Final = """
WITH {pairs wanted} SELECT b.home, b.first, b.raw FROM wanted CROSS JOIN received_batches b
WHERE b.home = wanted.key AND b.first = CAST(wanted.other AS bigint)"""


class SqlInspections:
    """See `node.operations.ports.Inspections`."""

    __slots__ = ("_transaction",)

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def add(self, row: InspectionRow) -> None:
        values = {
            "digest": row.digest,
            "authority": row.authority,
            "raw": row.raw,
            "leaf": row.leaf,
            "at": to_milliseconds(row.at),
        }
        self._transaction.run(_ADD, values)

    def find(self, digest: bytes) -> InspectionRow | None:
        row = self._transaction.row(_FIND, {"digest": digest})
        if row is None:
            return None
        authority, raw, leaf, at = row
        return InspectionRow(
            digest=digest, authority=PartyId(authority), raw=raw, leaf=leaf, at=from_milliseconds(at)
        )  # fmt: skip


class SqlExhibits:
    """See `node.operations.ports.Exhibits`."""

    __slots__ = ("_transaction",)

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def frames(self, frames: Sequence[bytes]) -> dict[bytes, FrameExhibit]:
        sent: dict[bytes, tuple[bytes, str | None, bool]] = {}
        copies: dict[bytes, list[CopyExhibit]] = {}
        for place, frame, header, refused, is_cancelled, alias, closed_by in self._transaction.rows(
            _FRAMES, {"wanted": self._transaction.keys(frames)}
        ):
            if place == 0:
                sent[frame] = header, refused, bool(is_cancelled)
                copies[frame] = []
            else:
                copies[frame].append(CopyExhibit(alias=alias, closed_by=closed_by))
        return {
            frame: FrameExhibit(header=header, refused=refused, is_cancelled=is_cancelled, copies=tuple(copies[frame]))
            for frame, (header, refused, is_cancelled) in sent.items()
        }

    def received(self, frames: Sequence[bytes]) -> dict[tuple[PartyId, bytes], bytes]:
        rows = self._transaction.rows(_RECEIVED, {"wanted": self._transaction.keys(frames)})
        return {(PartyId(sender), frame): header for sender, frame, header in rows}

    def receipts(self, batches: Sequence[bytes]) -> dict[bytes, bytes]:
        return dict(self._transaction.rows(_RECEIPTS, {"wanted": self._transaction.keys(batches)}))

    def notices(self, firsts: Sequence[tuple[PartyId, int]]) -> dict[tuple[PartyId, int], bytes]:
        return self._batches(_NOTICES, firsts)

    def told(self, firsts: Sequence[tuple[PartyId, int]]) -> dict[tuple[PartyId, int], bytes]:
        return self._batches(_TOLD, firsts)

    def _batches(self, statement: str, firsts: Sequence[tuple[PartyId, int]]) -> dict[tuple[PartyId, int], bytes]:
        wanted = self._transaction.pairs([(party, str(first)) for party, first in firsts])
        rows = self._transaction.rows(statement, {"wanted": wanted})
        return {(PartyId(party), first): raw for party, first, raw in rows}
