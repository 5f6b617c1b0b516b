"""The courier: does the jobs of the outbox, one after another in each lane, all lanes side by side.

A job's own transaction says what was done; after a crash the same courier goes on from there. A peer that does not
answer holds up its own jobs only.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import msgspec
import structlog

from node.app.errands import PASSING, Errands
from node.app.threads import Threads, now_exactly
from node.domain.jobs import Job, JobKind, JobResult, next_try
from node.operations.ports import UnitOfWork
from node.wire.errors import PeerRefused, PeerUnreachable
from registry.parties import PartyId

MOST_DUE = 200
"""Jobs looked at in one round."""

Lane = tuple[PartyId, JobKind]
Errand = Callable[[Sequence[Job]], Awaitable[None]]

log = structlog.get_logger("courier")

_CHANCE = random.SystemRandom()


@dataclass(slots=True)
class Courier:
    """Does due jobs. One lane for each peer and kind of job: within it one at a time, lanes side by side."""

    errands: Errands
    threads: Threads
    every: float
    _lanes: dict[Lane, asyncio.Task[None]] = field(default_factory=dict)

    async def run(self, stop: asyncio.Event) -> None:
        """Do jobs as they fall due, until `stop`; what is under way then stays in the outbox."""
        try:
            while not stop.is_set():
                await self._round()
                with suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), self.every)
        finally:
            for lane in self._lanes.values():
                lane.cancel()
            await asyncio.gather(*self._lanes.values(), return_exceptions=True)

    async def _round(self) -> None:
        self._lanes = {key: lane for key, lane in self._lanes.items() if not lane.done()}
        try:
            due = await self.threads.read(lambda work: work.outbox.due(now_exactly(), MOST_DUE))
        except Exception:
            log.exception("the outbox cannot be read")
            return
        waiting: dict[Lane, list[Job]] = {}
        for job in due:
            waiting.setdefault((job.peer, job.kind), []).append(job)
        for key, jobs in waiting.items():
            if key not in self._lanes:
                self._lanes[key] = asyncio.create_task(self._lane(jobs))

    async def _lane(self, jobs: list[Job]) -> None:
        act = self.errands.of(jobs[0].kind)
        if jobs[0].kind is JobKind.RECEIPTS:
            await self._try(jobs, act)
            return
        for place, job in enumerate(jobs):
            if not await self._try([job], act):
                # The rest waits as well, or a dead peer's jobs would crowd everybody else's out of each round.
                await self._postpone(jobs[place + 1 :], f"{job.peer} was not reached")
                return

    async def _try(self, jobs: Sequence[Job], act: Errand) -> bool:
        """Do jobs together; False when their peer cannot be reached now, so that the rest of the lane waits."""
        try:
            await act(jobs)
        except PeerUnreachable as error:
            await self._postpone(jobs, str(error))
            return False
        except PeerRefused as error:
            refused = error.answer.refused
            if refused.reason in PASSING:
                await self._postpone(jobs, str(error))
                return False
            result = JobResult(outcome="REFUSED", reason=refused.reason.value, article=refused.article, by=error.peer)
            await self.errands.finish(jobs, msgspec.json.encode(result), failed=True)
        except Exception:
            # A bug in one job must not end the courier: it is logged by its numbers alone, and tried again later.
            log.exception("job failed", kind=jobs[0].kind.value, jobs=[job.number for job in jobs])
            await self._postpone(jobs, "an internal error, see the log")
            return False
        return True

    async def _postpone(self, jobs: Sequence[Job], why: str) -> None:
        now = now_exactly()

        def write(work: UnitOfWork) -> None:
            for job in jobs:
                next_at = next_try(job.attempts, now, _CHANCE)
                if job.give_up_at is not None and next_at >= job.give_up_at:
                    result = JobResult(outcome="UNREACHABLE", reason=why, by=job.peer)
                    work.outbox.finish(job.number, msgspec.json.encode(result), now, failed=True)
                else:
                    work.outbox.retry(job.number, next_at)
            work.commit()

        await self.threads.write(write)
