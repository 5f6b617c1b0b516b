"""Frames sent with their receipts, and frames received with the copies unpacked from them."""

# ruff: noqa: S608 - statements are put together from constants of this file only
# ruff: noqa: D102 - each method keeps the promise of its port and says only what is added to it

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from node.operations.rows import CopyRow, PushTally, ReceivedFrameRow, SentFrameRow
from node.storage.kept_receipts import keep_receipt
from node.storage.moments import from_milliseconds, from_milliseconds_or_none, to_milliseconds
from node.storage.transaction import Transaction
from registry.parties import PartyId

MOST_REFUSED: Final = 100
"""Refused frames of a push that are named; more are only counted by their absence."""

_SENT: Final = """
f.frame, f.recipient, f.agreement_no, f.request, f.header, f.header_digest, f.body, f.outcomes, f.sent_at,
f.push_job, f.sequence"""
_ANSWERS: Final = f"""
WITH {{blobs wanted}} SELECT {_SENT} FROM wanted CROSS JOIN sent_frames f
WHERE f.request = wanted.key AND f.body IS NOT NULL"""
_ADD_SENT: Final = """
INSERT INTO sent_frames
(frame, recipient, agreement_no, request, header, header_digest, body, outcomes, sent_at, push_job, sequence)
VALUES (:frame, :recipient, :agreement_no, :request, :header, :header_digest, :body, :outcomes, :sent_at, :push_job,
:sequence)"""
_FIND_SENT: Final = """
WITH {blobs wanted} SELECT f.frame, f.header_digest, f.number FROM wanted CROSS JOIN sent_frames f
WHERE f.frame = wanted.key AND f.recipient = :recipient"""
_RECEIPT_OF_FRAME: Final = """
INSERT INTO frame_receipts (frame_no, receipt_no, received_at)
SELECT :frame_no, number, :received_at FROM receipts WHERE raw_digest = :raw_digest
ON CONFLICT (frame_no) DO NOTHING"""
_PAGE: Final = f"""
SELECT f.number, r.received_at, {_SENT} FROM sent_frames f LEFT JOIN frame_receipts r ON r.frame_no = f.number
WHERE f.number > :after ORDER BY f.number LIMIT :limit"""

# A frame is cancelled by this if neither the recipient's answer nor its receipt says that it arrived.
_WITHDRAW: Final = """
UPDATE sent_frames SET body = NULL, cancelled_at = CASE WHEN taken_at IS NULL
AND NOT EXISTS (SELECT 1 FROM frame_receipts r WHERE r.frame_no = sent_frames.number) THEN :at ELSE cancelled_at END
WHERE body IS NOT NULL AND number IN (
WITH {numbers wanted} SELECT d.frame_no FROM wanted CROSS JOIN disclosures d WHERE d.record_no = wanted.key)"""

_NEXT_SEQUENCE: Final = """
INSERT INTO counters (name, value) VALUES (:name, 1)
ON CONFLICT (name) DO UPDATE SET value = counters.value + 1"""
_SEQUENCE: Final = "SELECT value FROM counters WHERE name = :name"
_WAITING: Final = f"""
SELECT {_SENT} FROM sent_frames f WHERE f.push_job = :job AND f.push_job IS NOT NULL AND f.body IS NOT NULL
AND f.taken_at IS NULL AND f.refused IS NULL AND f.cancelled_at IS NULL ORDER BY f.number LIMIT :limit"""
_TAKEN: Final = """
UPDATE sent_frames SET taken_at = :at, refused = :refused, body = NULL
WHERE frame = :frame AND request IS NULL AND taken_at IS NULL AND refused IS NULL"""
_TALLY: Final = """
SELECT count(taken_at) - count(refused), count(cancelled_at) FROM sent_frames
WHERE push_job = :job AND push_job IS NOT NULL"""
_REFUSED: Final = """
SELECT frame, refused FROM sent_frames WHERE push_job = :job AND push_job IS NOT NULL AND refused IS NOT NULL
ORDER BY number LIMIT :limit"""
_FIND_KEPT: Final = f"SELECT {_SENT} FROM sent_frames f WHERE f.frame = :frame AND f.body IS NOT NULL"

_ADD_RECEIVED: Final = """
INSERT INTO received_frames (frame, sender, agreement, header, header_digest, commitments, leaf, received_at)
VALUES (:frame, :sender, :agreement, :header, :header_digest, :commitments, :leaf, :received_at)
ON CONFLICT (frame, sender) DO NOTHING"""
_NUMBER: Final = "SELECT number FROM received_frames WHERE frame = :frame AND sender = :sender"
# Frame ids are random; should two senders use one id, the frame that came first is meant.
_FIND_RECEIVED: Final = """
SELECT frame, sender, agreement, header, header_digest, commitments, leaf, received_at FROM received_frames
WHERE frame = :frame ORDER BY number LIMIT 1"""
_HEADERS: Final = """
SELECT header FROM (SELECT number, header FROM received_frames WHERE sender = :sender
ORDER BY number DESC LIMIT :limit) newest ORDER BY number"""
_COPIES: Final = """
SELECT agreement, pseudonym, alias, wire_version, kind, rendition, keep_until FROM copies
WHERE frame_no = (SELECT min(number) FROM received_frames WHERE frame = :frame) ORDER BY number"""
_ADD_COPY: Final = """
INSERT INTO copies (frame_no, agreement, pseudonym, alias, wire_version, kind, rendition, keep_until)
VALUES (:frame_no, :agreement, :pseudonym, :alias, :wire_version, :kind, :rendition, :keep_until)"""


class SqlSentFrames:
    """See `node.operations.ports.SentFrames`."""

    __slots__ = ("_transaction",)

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def answers(self, requests: Sequence[bytes]) -> dict[bytes, SentFrameRow]:
        rows = self._transaction.rows(_ANSWERS, {"wanted": self._transaction.keys(requests)})
        return {row.request: row for row in map(_sent_from_row, rows) if row.request is not None}

    def add(self, frames: Sequence[SentFrameRow]) -> None:
        values = [
            {
                "frame": one.frame,
                "recipient": one.recipient,
                "agreement_no": one.agreement_no,
                "request": one.request,
                "header": one.header,
                "header_digest": one.header_digest,
                "body": one.body,
                "outcomes": one.outcomes,
                "sent_at": to_milliseconds(one.sent_at),
                "push_job": one.push_job,
                "sequence": one.sequence,
            }
            for one in frames
        ]
        self._transaction.run_many(_ADD_SENT, values)

    def receipt(self, holder: PartyId, frames: Sequence[tuple[bytes, bytes, datetime]], receipt: bytes) -> int:
        """The first receipt of a frame is kept; later ones change nothing."""
        wanted = self._transaction.keys([frame for frame, _, _ in frames])
        found = self._transaction.rows(_FIND_SENT, {"wanted": wanted, "recipient": holder})
        numbers = {(frame, header_digest): number for frame, header_digest, number in found}
        sent = [(numbers[frame, header], at) for frame, header, at in frames if (frame, header) in numbers]
        if not sent:
            return 0
        digest = keep_receipt(self._transaction, receipt)
        self._transaction.run_many(
            _RECEIPT_OF_FRAME,
            [{"frame_no": number, "raw_digest": digest, "received_at": to_milliseconds(at)} for number, at in sent],
        )
        return len(sent)

    def page(self, after: int, limit: int) -> list[tuple[int, SentFrameRow, datetime | None]]:
        rows = self._transaction.rows(_PAGE, {"after": after, "limit": limit})
        return [(row[0], _sent_from_row(row[2:]), from_milliseconds_or_none(row[1])) for row in rows]

    def withdraw(self, records: Sequence[int], at: datetime) -> int:
        values = {"wanted": self._transaction.keys(records), "at": to_milliseconds(at)}
        return self._transaction.run(_WITHDRAW, values)


class SqlPushedFrames:
    """See `node.operations.ports.PushedFrames`."""

    __slots__ = ("_transaction",)

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def next_sequence(self, agreement_no: int) -> int:
        name = {"name": f"push:{agreement_no}"}
        self._transaction.run(_NEXT_SEQUENCE, name)
        ((value,),) = self._transaction.rows(_SEQUENCE, name)
        return int(value)

    def waiting(self, job: int, limit: int) -> list[SentFrameRow]:
        return [_sent_from_row(row) for row in self._transaction.rows(_WAITING, {"job": job, "limit": limit})]

    def answered(self, outcomes: Mapping[bytes, str | None], at: datetime) -> None:
        moment = to_milliseconds(at)
        rows = [{"frame": frame, "refused": refused, "at": moment} for frame, refused in outcomes.items()]
        self._transaction.run_many(_TAKEN, rows)

    def tally(self, job: int) -> PushTally:
        ((taken, cancelled),) = self._transaction.rows(_TALLY, {"job": job})
        refused = self._transaction.rows(_REFUSED, {"job": job, "limit": MOST_REFUSED})
        return PushTally(taken=taken, cancelled=cancelled, refused=tuple((row[0], row[1]) for row in refused))

    def find(self, frame: bytes) -> SentFrameRow | None:
        row = self._transaction.row(_FIND_KEPT, {"frame": frame})
        return None if row is None else _sent_from_row(row)


class SqlReceivedFrames:
    """See `node.operations.ports.ReceivedFrames`."""

    __slots__ = ("_transaction",)

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def add(self, frame: ReceivedFrameRow, copies: Sequence[CopyRow]) -> bool:
        name = {"frame": frame.frame, "sender": frame.sender}
        values = name | {
            "agreement": frame.agreement,
            "header": frame.header,
            "header_digest": frame.header_digest,
            "commitments": frame.commitments,
            "leaf": frame.leaf,
            "received_at": to_milliseconds(frame.received_at),
        }
        if not self._transaction.run(_ADD_RECEIVED, values):
            return False
        ((frame_no,),) = self._transaction.rows(_NUMBER, name)
        self._transaction.insert(_ADD_COPY, [_row_from_copy(frame_no, copy) for copy in copies])
        return True

    def copies(self, frame: bytes) -> list[CopyRow]:
        return [_copy_from_row(frame, row) for row in self._transaction.rows(_COPIES, {"frame": frame})]

    def find(self, frame: bytes) -> ReceivedFrameRow | None:
        row = self._transaction.row(_FIND_RECEIVED, {"frame": frame})
        return None if row is None else _received_from_row(row)

    def headers(self, sender: PartyId, limit: int) -> list[bytes]:
        return [row[0] for row in self._transaction.rows(_HEADERS, {"sender": sender, "limit": limit})]


def _sent_from_row(row: Any) -> SentFrameRow:
    frame, recipient, agreement_no, request, header, header_digest, body, outcomes, sent_at, job, sequence = row
    return SentFrameRow(
        frame=frame,
        recipient=recipient,
        agreement_no=agreement_no,
        request=request,
        header=header,
        header_digest=header_digest,
        body=body or b"",
        outcomes=outcomes,
        sent_at=from_milliseconds(sent_at),
        push_job=job,
        sequence=sequence,
    )


def _received_from_row(row: Any) -> ReceivedFrameRow:
    frame, sender, agreement, header, header_digest, commitments, leaf, received_at = row
    return ReceivedFrameRow(
        frame=frame,
        sender=sender,
        agreement=agreement,
        header=header,
        header_digest=header_digest,
        commitments=commitments,
        leaf=leaf,
        received_at=from_milliseconds(received_at),
    )


def _row_from_copy(frame_no: int, copy: CopyRow) -> tuple[Any, ...]:
    return (
        frame_no, copy.agreement, copy.pseudonym, copy.alias, copy.wire_version, copy.kind, copy.rendition,
        to_milliseconds(copy.keep_until),
    )  # fmt: skip


def _copy_from_row(frame: bytes, row: Any) -> CopyRow:
    agreement, pseudonym, alias, wire_version, kind, rendition, keep_until = row
    return CopyRow(
        frame=frame,
        agreement=agreement,
        pseudonym=pseudonym,
        alias=alias,
        wire_version=wire_version,
        kind=kind,
        rendition=rendition,
        keep_until=from_milliseconds(keep_until),
    )
