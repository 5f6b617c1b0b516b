"""Notices: what this node owes to holders, in the order each is told, and what it was told itself."""

# ruff: noqa: S608 - statements are put together from constants of this file only
# ruff: noqa: D102 - each method keeps the promise of its port and says only what is added to it

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from node.domain.notices import MOST_NOTICES, Stream
from node.domain.receipts import CopyStage
from node.operations.rows import NewNoticeRow, NoticeBatchRow, NoticeRow, NoticeStageRow, ReceivedNoticeRow
from node.storage.kept_receipts import keep_receipt
from node.storage.moments import from_milliseconds, from_milliseconds_or_none, to_milliseconds
from node.storage.transaction import Transaction
from registry.parties import PartyId

_ADD: Final = """
INSERT INTO notices (notice, peer, agreement_no, record_no, record_version, alias, effect, version, basis, document,
salt, occurred_at, due_at, stage, stage_rank)
VALUES (:notice, :peer, :agreement_no, :record_no, :record_version, :alias, :effect, :version, :basis, :document,
:salt, :occurred_at, :due_at, :stage, :stage_rank)"""
_NEWEST: Final = "SELECT max(number) FROM notices WHERE peer = :peer AND sequence IS NULL"
_WAITING: Final = "WAITING"
_COLUMNS: Final = """
n.number, n.notice, n.peer, g.digest, n.record_no, n.record_version, n.alias, n.effect, n.version, n.basis, n.document,
n.salt, n.occurred_at, n.due_at, n.sequence, n.stage"""
_FROM: Final = f"SELECT {_COLUMNS} FROM notices n JOIN agreements g ON g.number = n.agreement_no"
_PAGE: Final = f"{_FROM} WHERE n.number > :after ORDER BY n.number LIMIT :limit"
_PAGE_OPEN: Final = f"{_FROM} WHERE n.number > :after AND n.stage_rank < 3 ORDER BY n.number LIMIT :limit"
_OF_RECORD: Final = f"{_FROM} WHERE n.record_no = :record_no ORDER BY n.number"
_FIND: Final = f"{_FROM} WHERE n.number = :number"
_STAGES: Final = """
SELECT s.stage, s.at, r.raw_digest FROM notice_receipts s JOIN receipts r ON r.number = s.receipt_no
WHERE s.notice_no = :number"""
_MINE: Final = """
WITH {blobs wanted} SELECT n.notice, n.number FROM wanted CROSS JOIN notices n
WHERE n.notice = wanted.key AND n.peer = :peer"""
_KEEP_STAGE: Final = """
INSERT INTO notice_receipts (notice_no, stage, receipt_no, at)
SELECT :notice_no, :stage, number, :at FROM receipts WHERE raw_digest = :raw_digest
ON CONFLICT (notice_no, stage) DO NOTHING"""
_ADVANCE: Final = """
UPDATE notices SET stage = :stage, stage_rank = :stage_rank WHERE number = :number AND stage_rank < :stage_rank"""

_UNNUMBERED: Final = f"{_FROM} WHERE n.peer = :peer AND n.sequence IS NULL ORDER BY n.number LIMIT :limit"
_END: Final = """
SELECT first + count, digest FROM notice_batches WHERE peer = :peer ORDER BY first DESC LIMIT 1"""
_LAST: Final = "SELECT first, count FROM notice_batches WHERE peer = :peer ORDER BY first DESC LIMIT 1"
_PUT: Final = """
INSERT INTO notice_batches (peer, first, count, agreement_no, digest, raw, made_at)
SELECT :peer, :first, :count, number, :digest, :raw, :made_at FROM agreements WHERE digest = :agreement"""
_NUMBER: Final = "UPDATE notices SET sequence = :sequence WHERE number = :number"
_OPEN: Final = """
SELECT b.peer, b.first, b.count, g.digest, b.digest, b.raw, f.frame, b.made_at, b.taken_at, b.trouble
FROM notice_batches b JOIN agreements g ON g.number = b.agreement_no LEFT JOIN sent_frames f ON f.number = b.frame_no
WHERE b.peer = :peer AND b.taken_at IS NULL ORDER BY b.first LIMIT 1"""
_IN_BATCH: Final = f"""
{_FROM} WHERE n.peer = :peer AND n.sequence >= :first AND n.sequence < :behind ORDER BY n.sequence"""
_BEFORE: Final = """
UPDATE notice_batches SET taken_at = :at, trouble = NULL
WHERE peer = :peer AND first + count <= :expected AND taken_at IS NULL"""
_REWIND: Final = f"""
UPDATE notice_batches SET taken_at = NULL
WHERE peer = :peer AND first > :expected - {MOST_NOTICES} AND first + count > :expected AND taken_at IS NOT NULL"""
_TROUBLE: Final = """
UPDATE notice_batches SET trouble = :trouble WHERE peer = :peer AND first = (
SELECT min(first) FROM notice_batches WHERE peer = :peer AND taken_at IS NULL)"""
_ATTACH: Final = """
UPDATE notice_batches SET frame_no = (SELECT number FROM sent_frames WHERE frame = :frame)
WHERE peer = :peer AND first = :first"""
_BACKLOG: Final = f"""
SELECT count(*) FROM notices WHERE peer = :peer AND stage_rank < 3 AND stage_rank < {CopyStage.APPLIED.rank}
AND due_at < :at"""

_STREAM: Final = "SELECT expected, last FROM notice_streams WHERE home = :home"
_BATCH_AT: Final = "SELECT digest FROM received_batches WHERE home = :home AND first = :first"
_TAKE: Final = """
INSERT INTO received_batches (home, first, digest, raw, received_at)
VALUES (:home, :first, :digest, :raw, :received_at)"""
_TAKE_NOTICE: Final = """
INSERT INTO received_notices
(home, sequence, notice, agreement, alias, effect, version, due_at, received_at, stage)
VALUES (:home, :sequence, :notice, :agreement, :alias, :effect, :version, :due_at, :received_at, :stage)"""
_MOVE_ON: Final = """
INSERT INTO notice_streams (home, expected, last) VALUES (:home, :expected, :last)
ON CONFLICT (home) DO UPDATE SET expected = excluded.expected, last = excluded.last"""
_STAGE_HERE: Final = """
WITH {blobs wanted} UPDATE received_notices SET stage = :stage
WHERE home = :home AND notice IN (SELECT key FROM wanted)"""
_COUNT_EVIDENCE: Final = "SELECT count(*) FROM evidence WHERE peer = :peer"
_KEEP_EVIDENCE: Final = """
INSERT INTO evidence (peer, digest, raw, at) VALUES (:peer, :digest, :raw, :at) ON CONFLICT (peer, digest) DO NOTHING"""
_TAKEN_PAGE: Final = """
SELECT number, home, sequence, notice, agreement, alias, effect, version, due_at, received_at, stage
FROM received_notices WHERE number > :after ORDER BY number LIMIT :limit"""


class SqlNotices:
    """See `node.operations.ports.Notices`."""

    __slots__ = ("_transaction",)

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def add(self, notices: Sequence[NewNoticeRow]) -> dict[PartyId, int]:
        values = [
            {
                "notice": one.notice,
                "peer": one.peer,
                "agreement_no": one.agreement_no,
                "record_no": one.record_no,
                "record_version": one.record_version,
                "alias": one.alias,
                "effect": one.effect,
                "version": one.version,
                "basis": one.basis,
                "document": one.document,
                "salt": one.salt,
                "occurred_at": to_milliseconds(one.occurred_at),
                "due_at": to_milliseconds(one.due_at),
                "stage": _WAITING,
                "stage_rank": 0,
            }
            for one in notices
        ]
        self._transaction.run_many(_ADD, values)
        return {peer: self._newest(peer) for peer in dict.fromkeys(one.peer for one in notices)}

    def page(self, after: int, limit: int, *, only_open: bool) -> list[NoticeRow]:
        rows = self._transaction.rows(_PAGE_OPEN if only_open else _PAGE, {"after": after, "limit": limit})
        return [_notice_from_row(row) for row in rows]

    def of_record(self, record_no: int) -> list[NoticeRow]:
        return [_notice_from_row(row) for row in self._transaction.rows(_OF_RECORD, {"record_no": record_no})]

    def find(self, number: int) -> tuple[NoticeRow, list[NoticeStageRow]] | None:
        row = self._transaction.row(_FIND, {"number": number})
        if row is None:
            return None
        stages = [
            NoticeStageRow(stage=stage, at=from_milliseconds(at), receipt=receipt)
            for stage, at, receipt in self._transaction.rows(_STAGES, {"number": number})
        ]
        # Receipts have whole seconds, so that several stages may be of one moment.
        return _notice_from_row(row), sorted(stages, key=lambda one: (one.at, CopyStage(one.stage).rank))

    def advance(
        self, peer: PartyId, notices: Sequence[tuple[bytes, str, datetime]], receipt: bytes
    ) -> dict[bytes, int]:
        wanted = self._transaction.keys([notice for notice, _, _ in notices])
        rows = self._transaction.rows(_MINE, {"wanted": wanted, "peer": peer})
        mine = {bytes(notice): int(number) for notice, number in rows}
        known = [(mine[notice], CopyStage(stage), at) for notice, stage, at in notices if notice in mine]
        if not known:
            return {}
        digest = keep_receipt(self._transaction, receipt)
        kept = [
            {"notice_no": number, "stage": stage.value, "at": to_milliseconds(at), "raw_digest": digest}
            for number, stage, at in known
        ]
        self._transaction.run_many(_KEEP_STAGE, kept)
        moved = [{"number": number, "stage": stage.value, "stage_rank": stage.rank} for number, stage, _ in known]
        self._transaction.run_many(_ADVANCE, moved)
        return mine

    def _newest(self, peer: PartyId) -> int:
        ((number,),) = self._transaction.rows(_NEWEST, {"peer": peer})
        return int(number)


class SqlNoticeStreams:
    """See `node.operations.ports.NoticeStreams`."""

    __slots__ = ("_transaction",)

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def unnumbered(self, peer: PartyId, limit: int) -> list[NoticeRow]:
        rows = self._transaction.rows(_UNNUMBERED, {"peer": peer, "limit": limit})
        return [_notice_from_row(row) for row in rows]

    def end_of(self, peer: PartyId) -> Stream:
        row = self._transaction.row(_END, {"peer": peer})
        return Stream() if row is None else Stream(expected=row[0], last=row[1])

    def put(self, batch: NoticeBatchRow, notices: Sequence[int]) -> None:
        values = {
            "peer": batch.peer,
            "first": batch.first,
            "count": batch.count,
            "agreement": batch.agreement,
            "digest": batch.digest,
            "raw": batch.raw,
            "made_at": to_milliseconds(batch.made_at),
        }
        self._transaction.run(_PUT, values)
        places = [{"number": number, "sequence": batch.first + place} for place, number in enumerate(notices)]
        self._transaction.run_many(_NUMBER, places)

    def open_batch(self, peer: PartyId) -> tuple[NoticeBatchRow, list[NoticeRow]] | None:
        row = self._transaction.row(_OPEN, {"peer": peer})
        if row is None:
            return None
        batch = _batch_from_row(row)
        values = {"peer": peer, "first": batch.first, "behind": batch.first + batch.count}
        return batch, [_notice_from_row(one) for one in self._transaction.rows(_IN_BATCH, values)]

    def attach(self, peer: PartyId, first: int, frame: bytes | None) -> None:
        self._transaction.run(_ATTACH, {"peer": peer, "first": first, "frame": frame})


class SqlNoticeAnswers:
    """See `node.operations.ports.NoticeAnswers`."""

    __slots__ = ("_transaction",)

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def note(self, peer: PartyId, expected: int, at: datetime, trouble: str | None) -> None:
        """A batch of which the peer has only a part is not taken."""
        values = {"peer": peer, "expected": expected}
        self._transaction.run(_BEFORE, values | {"at": to_milliseconds(at)})
        self._transaction.run(_REWIND, values)
        if trouble is not None:
            self._transaction.run(_TROUBLE, {"peer": peer, "trouble": trouble})

    def repeat_last(self, peer: PartyId) -> int:
        row = self._transaction.row(_LAST, {"peer": peer})
        if row is None:
            return 0
        self._transaction.run(_REWIND, {"peer": peer, "expected": row[0]})
        return int(row[1])

    def backlog(self, peer: PartyId, at: datetime) -> int:
        ((count,),) = self._transaction.rows(_BACKLOG, {"peer": peer, "at": to_milliseconds(at)})
        return int(count)


class SqlTakenNotices:
    """See `node.operations.ports.TakenNotices`."""

    __slots__ = ("_transaction",)

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def stream(self, home: PartyId) -> Stream:
        row = self._transaction.row(_STREAM, {"home": home})
        return Stream() if row is None else Stream(expected=row[0], last=row[1])

    def batch_at(self, home: PartyId, first: int) -> bytes | None:
        row = self._transaction.row(_BATCH_AT, {"home": home, "first": first})
        return None if row is None else bytes(row[0])

    def take(self, home: PartyId, raw: bytes, digest: bytes, notices: Sequence[ReceivedNoticeRow]) -> None:
        """There is at least one notice; their sequences follow one another."""
        first, *_ = notices
        values = {"home": home, "first": first.sequence, "digest": digest, "raw": raw}
        self._transaction.run(_TAKE, values | {"received_at": to_milliseconds(first.received_at)})
        rows = [
            {
                "home": one.home,
                "sequence": one.sequence,
                "notice": one.notice,
                "agreement": one.agreement,
                "alias": one.alias,
                "effect": one.effect,
                "version": one.version,
                "due_at": to_milliseconds(one.due_at),
                "received_at": to_milliseconds(one.received_at),
                "stage": one.stage,
            }
            for one in notices
        ]
        self._transaction.run_many(_TAKE_NOTICE, rows)
        behind = first.sequence + len(notices)
        self._transaction.run(_MOVE_ON, {"home": home, "expected": behind, "last": digest})

    def advance(self, home: PartyId, notices: Sequence[bytes], stage: str) -> None:
        if notices:
            values = {"wanted": self._transaction.keys(notices), "home": home, "stage": stage}
            self._transaction.run(_STAGE_HERE, values)

    def page(self, after: int, limit: int) -> list[tuple[int, ReceivedNoticeRow]]:
        rows = self._transaction.rows(_TAKEN_PAGE, {"after": after, "limit": limit})
        return [(row[0], _taken_from_row(row[1:])) for row in rows]


class SqlEvidence:
    """See `node.operations.ports.Evidence`."""

    __slots__ = ("_transaction",)

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def keep(self, peer: PartyId, digest: bytes, raw: bytes, at: datetime, most: int) -> bool:
        ((kept,),) = self._transaction.rows(_COUNT_EVIDENCE, {"peer": peer})
        if kept >= most:
            return False
        values = {"peer": peer, "digest": digest, "raw": raw, "at": to_milliseconds(at)}
        return bool(self._transaction.run(_KEEP_EVIDENCE, values))


def _notice_from_row(row: Any) -> NoticeRow:
    (number, notice, peer, agreement, record_no, record_version, alias, effect, version, basis, document, salt,
     occurred_at, due_at, sequence, stage) = row  # fmt: skip
    return NoticeRow(
        number=number,
        notice=notice,
        peer=PartyId(peer),
        agreement=agreement,
        record_no=record_no,
        record_version=record_version,
        alias=alias,
        effect=effect,
        version=version,
        basis=basis,
        document=document,
        salt=salt,
        occurred_at=from_milliseconds(occurred_at),
        due_at=from_milliseconds(due_at),
        sequence=sequence,
        stage=stage,
    )


def _batch_from_row(row: Any) -> NoticeBatchRow:
    peer, first, count, agreement, digest, raw, frame, made_at, taken_at, trouble = row
    return NoticeBatchRow(
        peer=PartyId(peer),
        first=first,
        count=count,
        agreement=agreement,
        digest=digest,
        raw=raw,
        frame=frame,
        made_at=from_milliseconds(made_at),
        taken_at=from_milliseconds_or_none(taken_at),
        trouble=trouble,
    )


def _taken_from_row(row: Any) -> ReceivedNoticeRow:
    home, sequence, notice, agreement, alias, effect, version, due_at, received_at, stage = row
    return ReceivedNoticeRow(
        home=PartyId(home),
        sequence=sequence,
        notice=notice,
        agreement=agreement,
        alias=alias,
        effect=effect,
        version=version,
        due_at=from_milliseconds(due_at),
        received_at=from_milliseconds(received_at),
        stage=stage,
    )
