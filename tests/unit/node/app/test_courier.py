"""The courier: does what is due, puts off what cannot be done now, and closes what was refused for good."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from time import monotonic
from typing import cast

import msgspec
import pytest
from structlog.testing import capture_logs

from agreements.refusal import Refusal, refuse
from node.app.courier import ASK_AGAIN, Courier
from node.app.errands import Errands
from node.app.threads import Threads, now_exactly
from node.domain.jobs import Job, JobKind, JobResult, JobState, NewJob
from node.domain.troubles import Trouble
from node.operations.asked import RefusedAnswer
from node.operations.ports import Store, UnitOfWork
from node.storage.store import SqlStore
from node.wire.errors import BadAnswer, PeerRefused, PeerUnreachable
from registry.parties import PartyId
from tests.fakes.stores import SpyingStore
from tests.fakes.world import AGENCY, HK, World

Act = Callable[[Sequence[Job]], None]
PATIENCE = 60.0


@dataclass
class ScriptedErrands:
    """Notes which jobs came together, and does with them what the script says."""

    threads: Threads
    script: Callable[[Job], Exception | None]
    groups: list[list[str]] = field(default_factory=list)

    def of(self, kind: JobKind) -> Callable[[Sequence[Job]], Awaitable[None]]:
        async def act(jobs: Sequence[Job]) -> None:
            assert {job.kind for job in jobs} == {kind}
            self.groups.append([job.key for job in jobs])
            failure = self.script(jobs[0])
            if failure is not None:
                raise failure
            await self.finish(jobs, b"{}")

        return act

    async def finish(self, jobs: Sequence[Job], result: bytes, *, failed: bool = False) -> None:
        def write(work: UnitOfWork) -> None:
            for job in jobs:
                work.outbox.finish(job.number, result, now_exactly(), failed=failed)
            work.commit()

        await self.threads.write(write)


def queue(
    world: World, key: str, peer: PartyId = AGENCY, kind: JobKind = JobKind.DELIVER_DOCUMENT, **more: float
) -> int:
    """Queue a job that is due; `patience` in seconds lets it be given up."""
    now = now_exactly()
    give_up_at = now + timedelta(seconds=more["patience"]) if more else None
    job = NewJob(kind=kind, peer=peer, key=key, payload=b"{}", give_up_at=give_up_at)

    def add(work: UnitOfWork) -> int:
        number = work.outbox.add(job, now)
        work.commit()
        return number

    return world.bank.write(add)


def job_of(world: World, number: int) -> Job:
    job = world.bank.read(lambda work: work.outbox.find(number))
    assert job is not None
    return job


def run(
    world: World, script: Callable[[Job], Exception | None], until: Callable[[], bool], store: Store | None = None
) -> list[list[str]]:
    """Run a courier until something holds; the jobs that were tried, as they came together."""

    async def main() -> list[list[str]]:
        threads = Threads(store or world.bank.store)
        errands, stop = ScriptedErrands(threads, script), asyncio.Event()
        duties = cast("SqlStore", world.bank.store).duties
        running = asyncio.create_task(Courier(cast("Errands", errands), threads, duties, 0.01).run(stop))
        end = monotonic() + PATIENCE
        while not until():
            assert monotonic() < end, "never came about"
            await asyncio.sleep(0.01)
        stop.set()
        await running
        threads.close()
        return errands.groups

    return asyncio.run(main())


def run_once(world: World, script: Callable[[Job], Exception | None]) -> list[list[str]]:
    """One round of a courier."""

    async def main() -> list[list[str]]:
        threads = Threads(world.bank.store)
        errands, duties = ScriptedErrands(threads, script), cast("SqlStore", world.bank.store).duties
        await Courier(cast("Errands", errands), threads, duties, 0.01).once()
        threads.close()
        return errands.groups

    return asyncio.run(main())


def refused(reason: Refusal) -> PeerRefused:
    return PeerRefused(AGENCY, RefusedAnswer(refused=refuse(reason, "SZ-DRAFT-82@1"), leaf=b""))


def test_jobs_of_one_peer_and_kind_are_done_one_after_another_in_the_order_they_were_queued(world: World) -> None:
    numbers = [queue(world, f"job {place}") for place in range(3)]

    groups = run(world, lambda _: None, lambda: job_of(world, numbers[-1]).state is JobState.DONE)

    assert groups == [["job 0"], ["job 1"], ["job 2"]]
    assert {job_of(world, number).state for number in numbers} == {JobState.DONE}


class Watched(SpyingStore):
    """Counts how often it was asked whether anything was committed."""

    asked = 0

    def data_version(self) -> int:
        self.asked += 1
        return super().data_version()


def test_an_outbox_in_which_nothing_happens_is_read_once_a_second_at_most(world: World) -> None:
    store, begun = Watched(world.bank.store), monotonic()

    run(world, lambda _: None, lambda: store.asked > 20, store)

    assert store.calls.count("outbox.due") <= 1 + (monotonic() - begun) // ASK_AGAIN


def test_what_is_committed_wakes_the_courier(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("node.app.courier.ASK_AGAIN", 3_600.0)
    store, numbers = Watched(world.bank.store), list[int]()

    def until() -> bool:
        if store.asked > 5 and not numbers:
            numbers.append(queue(world, "late"))
        return bool(numbers) and job_of(world, numbers[0]).state is JobState.DONE

    assert run(world, lambda _: None, until, store) == [["late"]]


def test_receipts_for_one_home_go_together(world: World) -> None:
    numbers = [queue(world, f"receipt {place}", kind=JobKind.RECEIPTS) for place in range(3)]

    groups = run(world, lambda _: None, lambda: job_of(world, numbers[-1]).state is JobState.DONE)

    assert groups == [["receipt 0", "receipt 1", "receipt 2"]]


def test_a_peer_that_is_not_reached_holds_up_its_own_jobs_only(world: World) -> None:
    silent = [queue(world, f"silent {place}") for place in range(2)]
    other = queue(world, "other", peer=HK)

    def script(job: Job) -> Exception | None:
        return PeerUnreachable(AGENCY, "cannot be reached") if job.peer == AGENCY else None

    groups = run(
        world,
        script,
        lambda: job_of(world, other).state is JobState.DONE and all(job_of(world, one).attempts for one in silent),
    )

    assert ["silent 1"] not in groups[:2]
    assert [job_of(world, number).state for number in silent] == [JobState.WAITING] * 2


def test_a_peer_that_is_down_is_named_once_in_the_log_and_again_when_it_is_back(world: World) -> None:
    number, tries = queue(world, "patient"), []

    def script(job: Job) -> Exception | None:
        tries.append(job.number)
        return PeerUnreachable(AGENCY, "cannot be reached") if len(tries) < 3 else None

    with capture_logs() as logs:
        run(world, script, lambda: job_of(world, number).state is JobState.DONE)

    told = [(line["event"], line["peer"]) for line in logs if "peer" in line]
    assert told == [("peer not reached", AGENCY), ("peer reached again", AGENCY)]


def test_a_refusal_that_passes_by_itself_is_tried_again(world: World) -> None:
    number, tries = queue(world, "early"), []

    def script(job: Job) -> Exception | None:
        tries.append(job.number)
        return refused(Refusal.NOT_READY) if len(tries) == 1 else None

    run(world, script, lambda: job_of(world, number).state is JobState.DONE)

    assert tries == [number, number]


def test_any_other_refusal_closes_the_job_with_its_reason_and_the_next_one_goes_on(world: World) -> None:
    first, second = queue(world, "refused"), queue(world, "fine")

    def script(job: Job) -> Exception | None:
        return refused(Refusal.AGREEMENT_MISSING) if job.number == first else None

    run(world, script, lambda: job_of(world, second).state is JobState.DONE)

    closed = job_of(world, first)
    assert closed.state is JobState.FAILED
    result = msgspec.json.decode(closed.result or b"", type=JobResult)
    assert (result.outcome, result.reason, result.by) == ("REFUSED", "AGREEMENT_MISSING", AGENCY)


def test_a_job_whose_time_runs_out_is_given_up_with_the_code_that_says_why(world: World) -> None:
    number = queue(world, "impatient", patience=0.1)

    run(
        world,
        lambda _: PeerUnreachable(AGENCY, trouble=Trouble.NO_ANSWER),
        lambda: job_of(world, number).state is JobState.FAILED,
    )

    result = msgspec.json.decode(job_of(world, number).result or b"", type=JobResult)
    assert (result.outcome, result.reason, result.by) == ("UNREACHABLE", "NO_ANSWER", AGENCY)


@pytest.mark.parametrize(
    ("failure", "kept"),
    [
        (PeerUnreachable(AGENCY, trouble=Trouble.NOT_LISTED), "NOT_LISTED"),
        (BadAnswer(AGENCY, "91440300MA5TERT15Q"), "BAD_ANSWER"),
        (PeerRefused(AGENCY, RefusedAnswer(refused=refuse(Refusal.NOT_READY, "SZ-DRAFT-82@1"), leaf=b"")), "NOT_READY"),
        (RuntimeError("the secret of the house"), "BROKEN"),
    ],
)
def test_a_job_that_waits_says_by_a_code_alone_why_its_last_try_failed(
    world: World, failure: Exception, kept: str
) -> None:
    number = queue(world, "patient")

    run(world, lambda _: failure, lambda: job_of(world, number).attempts > 0)

    waiting = job_of(world, number)
    assert waiting.state is JobState.WAITING
    result = msgspec.json.decode(waiting.result or b"", type=JobResult)
    assert result == JobResult(outcome=result.outcome, reason=kept, by="" if kept == "BROKEN" else AGENCY)


def test_jobs_behind_one_that_was_not_reached_say_why_they_wait_too(world: World) -> None:
    first, behind = queue(world, "first"), queue(world, "behind")

    run(world, lambda _: PeerUnreachable(AGENCY), lambda: job_of(world, behind).attempts > 0)

    (why, same) = (job_of(world, one).result for one in (first, behind))
    assert why is not None
    assert why == same


def test_jobs_behind_one_that_was_refused_for_now_wait_too_but_say_nothing_of_themselves(world: World) -> None:
    first, behind = queue(world, "first"), queue(world, "behind")
    due = job_of(world, behind)

    assert run_once(world, lambda _: refused(Refusal.NOT_READY)) == [["first"]]

    assert job_of(world, first).attempts == 1
    held = job_of(world, behind)
    assert held == replace(due, next_at=held.next_at)
    assert held.next_at > due.next_at


def test_a_job_that_waits_behind_another_is_given_up_on_its_own_time_and_no_earlier(world: World) -> None:
    queue(world, "first")
    behind = queue(world, "behind", patience=0.1)

    groups = run(world, lambda _: refused(Refusal.NOT_READY), lambda: job_of(world, behind).state is JobState.FAILED)

    assert ["behind"] in groups


def test_a_bug_in_one_job_ends_neither_the_job_nor_the_courier(world: World) -> None:
    number, tries = queue(world, "unlucky"), []

    def script(job: Job) -> Exception | None:
        tries.append(job.number)
        return RuntimeError("the secret of the house") if len(tries) == 1 else None

    run(world, script, lambda: job_of(world, number).state is JobState.DONE)

    assert len(tries) == 2


def test_a_job_that_always_breaks_does_not_hold_up_those_behind_it(world: World) -> None:
    broken, behind = queue(world, "broken"), queue(world, "behind")

    def script(job: Job) -> Exception | None:
        return RuntimeError("again") if job.number == broken else None

    run(world, script, lambda: job_of(world, behind).state is JobState.DONE)

    assert job_of(world, broken).state is JobState.WAITING
