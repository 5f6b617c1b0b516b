"""Jobs for the courier."""

# ruff: noqa: S608 - statements are put together from constants of this file only
# ruff: noqa: D102 - each method keeps the promise of its port and says only what is added to it

from datetime import datetime
from typing import Any, Final

from node.domain.jobs import Job, JobKind, JobState, NewJob
from node.storage.moments import (
    from_milliseconds,
    from_milliseconds_or_none,
    to_milliseconds,
    to_milliseconds_or_none,
)
from node.storage.transaction import Transaction
from registry.parties import PartyId

_ADD: Final = """
INSERT INTO jobs (kind, peer, key, payload, state, attempts, next_at, give_up_at)
VALUES (:kind, :peer, :key, :payload, 'waiting', 0, :next_at, :give_up_at)
ON CONFLICT (key) DO NOTHING"""
_NUMBER: Final = "SELECT number FROM jobs WHERE key = :key"
_COLUMNS: Final = "number, kind, peer, key, payload, state, attempts, next_at, give_up_at, result"
# The first job of every lane comes before the second of any, so that a lane with a long line hides no other.
_DUE: Final = f"""
WITH line AS (
SELECT number AS job, row_number() OVER (PARTITION BY peer, kind ORDER BY next_at, number) AS place
FROM jobs WHERE state = 'waiting' AND next_at <= :at)
SELECT {_COLUMNS} FROM line JOIN jobs ON number = job ORDER BY place, next_at, number LIMIT :limit"""
_FIND: Final = f"SELECT {_COLUMNS} FROM jobs WHERE number = :number"
_RETRY: Final = """
UPDATE jobs SET attempts = attempts + 1, next_at = :next_at, result = :why
WHERE number = :number AND state = 'waiting'"""
_GO_ON: Final = """
UPDATE jobs SET attempts = 0, next_at = :next_at, result = NULL, payload = :payload
WHERE number = :number AND state = 'waiting'"""
_POSTPONE: Final = "UPDATE jobs SET next_at = :next_at WHERE number = :number AND state = 'waiting'"
_WAITING: Final = "SELECT count(*) FROM jobs WHERE state = 'waiting'"
_FINISH: Final = """
UPDATE jobs SET state = :state, result = :result, finished_at = :finished_at
WHERE number = :number AND state = 'waiting'"""


class SqlOutbox:
    """See `node.operations.ports.Outbox`. A job that is closed stays as it was closed."""

    __slots__ = ("_transaction",)

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def add(self, job: NewJob, at: datetime) -> int:
        values = {
            "kind": job.kind.value,
            "peer": job.peer,
            "key": job.key,
            "payload": job.payload,
            "next_at": to_milliseconds(at),
            "give_up_at": to_milliseconds_or_none(job.give_up_at),
        }
        self._transaction.run(_ADD, values)
        ((number,),) = self._transaction.rows(_NUMBER, {"key": job.key})
        return int(number)

    def due(self, at: datetime, limit: int) -> list[Job]:
        rows = self._transaction.rows(_DUE, {"at": to_milliseconds(at), "limit": limit})
        return [_job_from_row(row) for row in rows]

    def retry(self, number: int, next_at: datetime, payload: bytes | None = None, why: bytes | None = None) -> None:
        values = {"number": number, "next_at": to_milliseconds(next_at)}
        if payload is None:
            self._transaction.run(_RETRY, values | {"why": why})
        else:
            self._transaction.run(_GO_ON, values | {"payload": payload})

    def postpone(self, number: int, next_at: datetime) -> None:
        self._transaction.run(_POSTPONE, {"number": number, "next_at": to_milliseconds(next_at)})

    def finish(self, number: int, result: bytes, at: datetime, *, failed: bool) -> None:
        state = JobState.FAILED if failed else JobState.DONE
        values = {
            "number": number,
            "state": state.value,
            "result": result,
            "finished_at": to_milliseconds(at),
        }
        self._transaction.run(_FINISH, values)

    def find(self, number: int) -> Job | None:
        row = self._transaction.row(_FIND, {"number": number})
        return None if row is None else _job_from_row(row)

    def waiting(self) -> int:
        ((count,),) = self._transaction.rows(_WAITING)
        return int(count)


def _job_from_row(row: Any) -> Job:
    number, kind, peer, key, payload, state, attempts, next_at, give_up_at, result = row
    return Job(
        number=number,
        kind=JobKind(kind),
        peer=PartyId(peer),
        key=key,
        payload=payload,
        state=JobState(state),
        attempts=attempts,
        next_at=from_milliseconds(next_at),
        give_up_at=from_milliseconds_or_none(give_up_at),
        result=result,
    )
