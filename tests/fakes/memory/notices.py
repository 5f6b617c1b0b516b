"""The ports Notices, NoticeStreams, TakenNotices and Evidence."""

from collections.abc import Callable, Sequence
from datetime import datetime
from hashlib import sha256
from itertools import islice
from typing import Final

from msgspec.structs import asdict
from msgspec.structs import replace as changed

from node.domain.notices import Stream
from node.domain.receipts import LAST_RANK, CopyStage
from node.operations.rows import NewNoticeRow, NoticeBatchRow, NoticeRow, NoticeStageRow, ReceivedNoticeRow
from registry.parties import PartyId
from tests.fakes.memory.state import Part, add_new, add_once, page_of

_WAITING: Final = "WAITING"


def _rank(stage: str) -> int:
    return 0 if stage == _WAITING else CopyStage(stage).rank


class MemoryNotices(Part):
    def add(self, notices: Sequence[NewNoticeRow]) -> dict[PartyId, int]:
        state, last = self._changing, dict[PartyId, int]()
        for one in notices:
            facts = asdict(one)
            agreement = state.agreement(facts.pop("agreement_no"))
            number = len(state.notices) + 1
            row = NoticeRow(**facts, number=number, agreement=agreement, sequence=None, stage=_WAITING)
            add_new(state.notices, one.notice, row)
            last[one.peer] = number
        return last

    def page(self, after: int, limit: int, *, only_open: bool) -> list[NoticeRow]:
        return self._where(lambda row: row.number > after and (not only_open or _rank(row.stage) < LAST_RANK), limit)

    def of_record(self, record_no: int) -> list[NoticeRow]:
        return self._where(lambda row: row.record_no == record_no)

    def find(self, number: int) -> tuple[NoticeRow, list[NoticeStageRow]] | None:
        stages = [row for (notice_no, _), row in self._seen.notice_stages.items() if notice_no == number]
        stages.sort(key=lambda row: (row.at, _rank(row.stage)))
        return next(((row, stages) for row in self._where(lambda row: row.number == number)), None)

    def advance(
        self, peer: PartyId, notices: Sequence[tuple[bytes, str, datetime]], receipt: bytes
    ) -> dict[bytes, int]:
        state, mine = self._changing, dict[bytes, int]()
        for notice, stage, at in notices:
            row = state.notices.get(notice)
            if row is None or row.peer != peer:
                continue
            mine[notice] = row.number
            state.keep_receipt(receipt)
            said = NoticeStageRow(stage=stage, at=at, receipt=sha256(receipt).digest())
            state.notice_stages.setdefault((row.number, stage), said)
            if _rank(stage) > _rank(row.stage):
                state.notices[notice] = changed(row, stage=stage)
        return mine

    def _where(self, is_wanted: Callable[[NoticeRow], bool], limit: int | None = None) -> list[NoticeRow]:
        return list(islice(filter(is_wanted, self._seen.notices.values()), limit))


class Streams(Part):
    """What stands in the streams of batches."""

    def _batches(self, peer: PartyId) -> list[NoticeBatchRow]:
        return [batch for (to, _), batch in sorted(self._seen.batches.items()) if to == peer]

    def _first_open(self, peer: PartyId) -> NoticeBatchRow | None:
        return next((batch for batch in self._batches(peer) if batch.taken_at is None), None)


class MemoryNoticeStreams(Streams):
    def unnumbered(self, peer: PartyId, limit: int) -> list[NoticeRow]:
        return [row for row in self._seen.notices.values() if row.peer == peer and row.sequence is None][:limit]

    def end_of(self, peer: PartyId) -> Stream:
        batches = self._batches(peer)
        return Stream(expected=batches[-1].first + batches[-1].count, last=batches[-1].digest) if batches else Stream()

    def put(self, batch: NoticeBatchRow, notices: Sequence[int]) -> None:
        state = self._changing
        add_new(state.batches, (batch.peer, batch.first), batch)
        ids = list(state.notices)
        for sequence, number in enumerate(notices, batch.first):
            notice = ids[number - 1]
            state.notices[notice] = changed(state.notices[notice], sequence=sequence)

    def open_batch(self, peer: PartyId) -> tuple[NoticeBatchRow, list[NoticeRow]] | None:
        batch = self._first_open(peer)
        if batch is None:
            return None
        places = range(batch.first, batch.first + batch.count)
        by_place = {row.sequence: row for row in self._seen.notices.values() if row.peer == peer}
        return batch, [by_place[place] for place in places if place in by_place]

    def attach(self, peer: PartyId, first: int, frame: bytes | None) -> None:
        batches = self._changing.batches
        batches[peer, first] = changed(batches[peer, first], frame=frame)


class MemoryNoticeAnswers(Streams):
    def note(self, peer: PartyId, expected: int, at: datetime, trouble: str | None) -> None:
        batches = self._changing.batches
        for batch in self._batches(peer):
            key = (peer, batch.first)
            if batch.taken_at is None and batch.first + batch.count <= expected:
                batches[key] = changed(batch, taken_at=at, trouble=None)
            elif batch.first + batch.count > expected:
                batches[key] = changed(batch, taken_at=None)
        first = self._first_open(peer)
        if trouble is not None and first is not None:
            batches[peer, first.first] = changed(first, trouble=trouble)

    def repeat_last(self, peer: PartyId) -> int:
        last = next(reversed(self._batches(peer)), None)
        if last is None:
            return 0
        self._changing.batches[peer, last.first] = changed(last, taken_at=None)
        return last.count

    def backlog(self, peer: PartyId, at: datetime) -> int:
        rows = (row for row in self._seen.notices.values() if row.peer == peer)
        return sum(row.due_at < at and _rank(row.stage) < CopyStage.APPLIED.rank for row in rows)


class MemoryTakenNotices(Part):
    def stream(self, home: PartyId) -> Stream:
        return self._seen.streams.get(home, Stream())

    def batch_at(self, home: PartyId, first: int) -> bytes | None:
        taken = self._seen.received_batches.get((home, first))
        return None if taken is None else taken[0]

    def take(self, home: PartyId, raw: bytes, digest: bytes, notices: Sequence[ReceivedNoticeRow]) -> None:
        state, first = self._changing, notices[0].sequence
        add_new(state.received_batches, (home, first), (digest, raw))
        for one in notices:
            add_new(state.received_notices, (one.home, one.sequence), one)
        state.streams[home] = Stream(expected=first + len(notices), last=digest)

    def advance(self, home: PartyId, notices: Sequence[bytes], stage: str) -> None:
        rows = self._changing.received_notices
        theirs = {key: row for key, row in rows.items() if row.home == home and row.notice in notices}
        rows.update({key: changed(row, stage=stage) for key, row in theirs.items()})

    def page(self, after: int, limit: int) -> list[tuple[int, ReceivedNoticeRow]]:
        return page_of(self._seen.received_notices.values(), after, limit)


class MemoryEvidence(Part):
    def keep(self, peer: PartyId, digest: bytes, raw: bytes, at: datetime, most: int) -> bool:
        del at
        evidence = self._changing.evidence
        return sum(of == peer for of, _ in evidence) < most and add_once(evidence, (peer, digest), raw)
