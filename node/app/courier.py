"""The courier: does the jobs of the outbox, one after another in each lane, all lanes side by side.

A job's own transaction says what was done; after a crash the same courier goes on from there. A peer that does not
answer holds up its own jobs only. Where several processes share the outbox, a lane is a duty of one of them at a time:
the jobs are looked up once the duty is taken, so what another process did is not done again.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from random import Random, SystemRandom

import msgspec
import structlog

from node.app.errands import PASSING, Errands
from node.app.threads import Threads
from node.domain.jobs import Job, JobKind, JobResult, next_try
from node.domain.troubles import Trouble
from node.operations.ports import Duties, UnitOfWork
from node.wire.errors import PeerRefused, PeerUnreachable
from registry.parties import PartyId

MOST_DUE = 200
"""Jobs looked at in one round."""

GRACE = 3.0
"""Seconds that jobs under way are given when the node stops; what is not done by then stays in the outbox."""

TOGETHER = frozenset({JobKind.RECEIPTS, JobKind.COPY_RECEIPTS, JobKind.NOTICES})
"""Kinds whose waiting jobs for one peer are done as one."""

ASK_AGAIN = 1.0
"""Seconds until a lane that another process has, or an outbox that is still or cannot be read, is looked at again."""

Lane = tuple[PartyId, JobKind]
Errand = Callable[[Sequence[Job]], Awaitable[None]]

log = structlog.get_logger("courier")


@dataclass(slots=True)
class Courier:
    """Does due jobs. One lane for each peer and kind of job: within it one at a time, lanes side by side."""

    errands: Errands
    threads: Threads
    duties: Duties
    every: float
    chance: Random = field(default_factory=SystemRandom)
    _lanes: dict[Lane, asyncio.Task[None]] = field(default_factory=dict)
    _elsewhere: dict[Lane, float] = field(default_factory=dict)
    _unreached: set[PartyId] = field(default_factory=set)
    _seen: int | None = None
    _look_at: float = 0.0

    async def run(self, stop: asyncio.Event) -> None:
        """Do jobs as they fall due, until `stop`; what is under way then is finished, or given back to the outbox."""
        try:
            while not stop.is_set():
                if await self._may_have_work():
                    await self._round()
                with suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), self.every)
        finally:
            if self._lanes:
                await asyncio.wait(self._lanes.values(), timeout=GRACE)
            for lane in self._lanes.values():
                lane.cancel()
            await asyncio.gather(*self._lanes.values(), return_exceptions=True)

    async def once(self) -> None:
        """Do what is due now, and wait until it is done."""
        await self._round()
        await asyncio.gather(*self._lanes.values())

    async def _may_have_work(self) -> bool:
        """Whether anything was committed since the last look, or so much time went by that a job may have fallen due.

        What is committed after the number was asked for moves it again: no job waits for longer than `ASK_AGAIN`.
        """
        try:
            version = await self.threads.run(self.threads.store.data_version)
        except Exception:  # noqa: BLE001 - whatever it is, the round meets it too, and logs it
            return True
        if version == self._seen and time.monotonic() < self._look_at:
            return False
        self._seen, self._look_at = version, time.monotonic() + ASK_AGAIN
        return True

    async def _round(self) -> None:
        self._lanes = {key: lane for key, lane in self._lanes.items() if not lane.done()}
        now = time.monotonic()
        self._elsewhere = {key: until for key, until in self._elsewhere.items() if until > now}
        try:
            waiting = await self._waiting()
        except Exception:
            # Whatever it is, a courier that ended would end all deliveries: it is logged, and asked again.
            log.exception("the outbox cannot be read")
            await asyncio.sleep(ASK_AGAIN)
            return
        for key in waiting:
            if key in self._lanes:
                # Its end is seen in the next round, not by what it commits.
                self._seen = None
            elif key not in self._elsewhere:
                self._lanes[key] = asyncio.create_task(self._with_duty(key))

    async def _waiting(self) -> dict[Lane, list[Job]]:
        """What is due, by lane."""
        waiting: dict[Lane, list[Job]] = {}
        for job in await self.threads.read(lambda work: work.outbox.due(self.threads.now(), MOST_DUE)):
            waiting.setdefault((job.peer, job.kind), []).append(job)
        return waiting

    async def _with_duty(self, key: Lane) -> None:
        """Do what is due in a lane while this process has it; elsewhere it is done if another has."""
        duty = f"lane/{key[0]}/{key[1]}"
        try:
            if not await self.threads.run(partial(self.duties.take, duty)):
                self._elsewhere[key] = time.monotonic() + ASK_AGAIN
                return
            try:
                await self._lane(duty, (await self._waiting()).get(key, []))
            finally:
                await asyncio.shield(self.threads.run(partial(self.duties.leave, duty)))
        except Exception:
            # As above, for one lane: nobody would see the error of its task. It is taken up again later.
            log.exception("a lane cannot go on", peer=key[0], kind=key[1].value)
            self._elsewhere[key] = time.monotonic() + ASK_AGAIN

    async def _lane(self, duty: str, jobs: list[Job]) -> None:
        if not jobs:
            return
        act = self.errands.of(jobs[0].kind)
        if jobs[0].kind in TOGETHER:
            await self._try(jobs, act)
            return
        for place, job in enumerate(jobs):
            if not self.duties.has(duty):
                return
            failure = await self._try([job], act)
            if failure is not None:
                # The rest waits as well, or a dead peer's jobs would crowd everybody else's out of each round.
                rest = jobs[place + 1 :]
                await (self._hold(rest, job) if failure.reason in PASSING else self._postpone(rest, failure))
                return

    async def _try(self, jobs: Sequence[Job], act: Errand) -> JobResult | None:
        """Do jobs together; why their peer cannot be asked now, if it cannot, so that the rest of the lane waits."""
        try:
            await act(jobs)
            if jobs[0].peer in self._unreached:
                log.info("peer reached again", peer=jobs[0].peer)
                self._unreached.discard(jobs[0].peer)
        except PeerUnreachable as error:
            if error.peer not in self._unreached:
                log.warning("peer not reached", peer=error.peer, kind=jobs[0].kind.value)
            self._unreached.add(error.peer)
            failure = JobResult(outcome="UNREACHABLE", reason=error.trouble.value, by=error.peer)
            await self._postpone(jobs, failure)
            return failure
        except PeerRefused as error:
            refused = error.answer.refused
            if refused.reason in PASSING:
                failure = JobResult(outcome="UNREACHABLE", reason=refused.reason.value, by=error.peer)
                await self._postpone(jobs, failure)
                return failure
            result = JobResult(outcome="REFUSED", reason=refused.reason.value, article=refused.article, by=error.peer)
            await self.errands.finish(jobs, msgspec.json.encode(result), failed=True)
        except Exception:
            # A bug in one job ends neither the courier nor its lane: the job is logged by its number alone and tried
            # again later, and the jobs behind it go on.
            log.exception("job failed", kind=jobs[0].kind.value, jobs=[job.number for job in jobs])
            failure = JobResult(outcome="FAILED", reason=Trouble.BROKEN.value)
            await self._postpone(jobs, failure)
        return None

    async def _hold(self, jobs: Sequence[Job], behind: Job) -> None:
        """Have jobs wait as long as the one before them that was refused for now: that tells nothing of them."""
        now = self.threads.now()

        def write(work: UnitOfWork) -> None:
            attempts = (work.outbox.find(behind.number) or behind).attempts
            next_at = next_try(attempts, now, self.chance)
            for job in jobs:
                work.outbox.postpone(job.number, next_at if job.give_up_at is None else min(next_at, job.give_up_at))
            work.commit()

        await self.threads.write(write)

    async def _postpone(self, jobs: Sequence[Job], failure: JobResult) -> None:
        now, why = self.threads.now(), msgspec.json.encode(failure)

        def write(work: UnitOfWork) -> None:
            for job in jobs:
                # What was loaded before the try does not know how far the try went.
                attempts = (work.outbox.find(job.number) or job).attempts
                next_at = next_try(attempts, now, self.chance)
                if job.give_up_at is not None:
                    # One last try when the time is up, so that nobody is given up on early.
                    next_at = min(next_at, job.give_up_at)
                if job.give_up_at is not None and now >= job.give_up_at:
                    work.outbox.finish(job.number, why, now, failed=True)
                else:
                    work.outbox.retry(job.number, next_at, why=why)
            work.commit()

        await self.threads.write(write)
