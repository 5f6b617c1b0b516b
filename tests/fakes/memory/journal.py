"""The ports Journal, Tree and Outbox."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from msgspec.structs import replace as changed

from node.domain.jobs import Job, JobKind, JobState, NewJob
from node.domain.journal import Drafted
from node.operations.rows import JournalRow, StoredCheckpoint
from node.storage.errors import OutOfOrder
from registry.parties import PartyId
from tests.fakes.memory.state import Part, add_new


class MemoryJournal(Part):
    def add(self, entries: Sequence[Drafted]) -> None:
        table = self._changing.entries
        for one in entries:
            row = JournalRow(
                number=table.next, index=None, entry=one.entry, leaf=one.leaf, detail=one.detail, salt=one.salt
            )
            table.add(row)

    def unsequenced(self, limit: int) -> list[JournalRow]:
        return [row for row in self._seen.entries.values() if row.index is None][:limit]

    def sequence(
        self,
        indices: Sequence[tuple[int, int]],
        nodes: Sequence[tuple[int, int, bytes]],
        head: StoredCheckpoint,
    ) -> None:
        state = self._changing
        start = state.checkpoint.size if state.checkpoint else 0
        if [index for _, index in indices] != list(range(start, head.size)) or head.size < start:
            raise OutOfOrder("journal: expected indices from the last checkpoint to the new one, got others")
        for number, index in indices:
            row = state.entries.get(number)
            if row is None or row.index is not None:
                raise OutOfOrder("journal: expected entries without an index, got one that has one")
            state.entries[number] = changed(row, index=index)
        for level, index, value in nodes:
            add_new(state.nodes, (level, index), value)
        state.checkpoint = head

    def read(self, start: int, limit: int) -> list[JournalRow]:
        log = sorted((row.index, row) for row in self._seen.entries.values() if row.index is not None)
        return [row for index, row in log if index >= start][:limit]

    def head(self) -> StoredCheckpoint | None:
        return self._seen.checkpoint


class MemoryTree(Part):
    def node(self, level: int, index: int) -> bytes:
        """Level 0 is read from the entries; only what is above it was stored as nodes."""
        if level:
            return self._seen.nodes[level, index]
        leaves = {row.index: row.leaf for row in self._seen.entries.values()}
        return leaves[index]

    def index_of(self, leaf: bytes) -> int | None:
        return next(
            (row.index for row in self._seen.entries.values() if row.index is not None and row.leaf == leaf), None
        )


class MemoryOutbox(Part):
    """A job that is closed stays as it was closed."""

    def add(self, job: NewJob, at: datetime) -> int:
        jobs = self._changing.jobs
        known = next((one.number for one in jobs.values() if one.key == job.key), None)
        if known is not None:
            return known
        jobs.add(
            Job(
                number=jobs.next,
                kind=job.kind,
                peer=job.peer,
                key=job.key,
                payload=job.payload,
                state=JobState.WAITING,
                attempts=0,
                next_at=at,
                give_up_at=job.give_up_at,
                result=None,
            )
        )
        return jobs.last

    def due(self, at: datetime, limit: int) -> list[Job]:
        """The first job of every lane comes before the second of any."""
        ready = [one for one in self._seen.jobs.values() if one.state is JobState.WAITING and one.next_at <= at]
        ready.sort(key=lambda one: (one.next_at, one.number))
        lanes: Counter[tuple[PartyId, JobKind]] = Counter()
        line = []
        for one in ready:
            lanes[one.peer, one.kind] += 1
            line.append((lanes[one.peer, one.kind], one))
        return [one for _, one in sorted(line, key=lambda placed: placed[0])][:limit]

    def retry(self, number: int, next_at: datetime, payload: bytes | None = None, why: bytes | None = None) -> None:
        jobs = self._changing.jobs
        job = jobs.get(number)
        if job is None or job.state is not JobState.WAITING:
            return
        if payload is None:
            jobs[number] = replace(job, attempts=job.attempts + 1, next_at=next_at, result=why)
        else:
            jobs[number] = replace(job, attempts=0, next_at=next_at, payload=payload, result=None)

    def postpone(self, number: int, next_at: datetime) -> None:
        jobs = self._changing.jobs
        job = jobs.get(number)
        if job is not None and job.state is JobState.WAITING:
            jobs[number] = replace(job, next_at=next_at)

    def finish(self, number: int, result: bytes, at: datetime, *, failed: bool) -> None:
        del at
        jobs = self._changing.jobs
        job = jobs.get(number)
        if job is not None and job.state is JobState.WAITING:
            jobs[number] = replace(job, state=JobState.FAILED if failed else JobState.DONE, result=result)

    def find(self, number: int) -> Job | None:
        return self._seen.jobs.get(number)

    def waiting(self) -> int:
        return sum(one.state is JobState.WAITING for one in self._seen.jobs.values())
