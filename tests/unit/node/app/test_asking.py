"""Asking over the wire: what was answered stays answered, and what only has to wait is not given up."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import cast

import msgspec
import pytest

from agreements.refusal import Refusal, refuse
from node.app import opening
from node.app.asking import Asking
from node.app.threads import Threads
from node.domain.jobs import Job, JobState
from node.operations.ask import Plan, QueryResult, prepare
from node.operations.asked import Answered, RefusedAnswer
from node.wire.errors import PeerRefused, PeerUnreachable
from node.wire.outgoing import Evaluated, Outgoing
from node.wire.peers import PeerClient
from registry.parties import PartyId
from tests.fakes.asking import evaluated, planned, sent
from tests.fakes.exchange import OTHERS, SHOWN, SHOWN_ABROAD, answers, asker
from tests.fakes.serving import node_of
from tests.fakes.world import AGENCY, World

SIX = (SHOWN, SHOWN_ABROAD, *OTHERS)
"""A batch of two messages, since five subjects go into one."""


class ScriptedHome:
    """Stands for the wire to home: answers the first messages of a batch, then does what the script says."""

    def __init__(self, world: World, plan: Plan | None = None, then: Sequence[RefusedAnswer | Exception] = ()) -> None:
        self.world, self.plan, self.then = world, plan, list(then)
        self.evaluations: list[bytes] = []

    async def batch_query(self, _: PartyId, calls: Sequence[Outgoing]) -> AsyncIterator[Answered | RefusedAnswer]:
        assert self.plan is not None
        for call in calls:
            first = self.plan.messages[0]
            asked = replace(sent(self.plan, first), digest=call.digest)
            (given,) = answers(self.world, asked) if call.request_id.hex() == first.request else self.then
            if isinstance(given, Exception):
                raise given
            yield given

    async def evaluate(self, peer: PartyId, call: Outgoing) -> Evaluated:
        self.evaluations.append(call.raw)
        raise PeerUnreachable(peer, "the answer was lost")


@pytest.fixture(autouse=True)
def _the_worlds_clock(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "utc_now", world.clock)


def batch(world: World) -> tuple[int, Plan]:
    """A query whose two messages are ready to be sent."""
    number, plan = planned(world, *SIX)
    evaluated(world, plan)
    return number, world.bank.write(lambda work: prepare(work, number, plan, asker(world, work), b"head"))


def job_of(world: World, number: int) -> Job:
    job = world.bank.read(lambda work: work.outbox.find(number))
    assert job is not None
    return job


def tries(world: World, home: ScriptedHome, number: int, times: int = 1) -> list[str]:
    """Do a job as often as the courier would; the errors left to it to judge."""

    async def main() -> list[str]:
        threads, errors = Threads(world.bank.store), []
        asking = Asking(node_of(world.bank), cast("PeerClient", home), threads)
        for _ in range(times):
            try:
                await asking.do([job_of(world, number)])
            except (PeerRefused, PeerUnreachable) as error:
                errors.append(type(error).__name__)
        threads.close()
        return errors

    return asyncio.run(main())


def refused(reason: Refusal) -> RefusedAnswer:
    return RefusedAnswer(refused=refuse(reason, "SZ-DRAFT-82@1"), leaf=b"")


def result(world: World, number: int) -> QueryResult:
    raw = job_of(world, number).result
    assert raw is not None
    return msgspec.json.decode(raw, type=QueryResult)


@pytest.mark.parametrize("reason", [Refusal.NOT_READY, Refusal.JOURNAL_UNAVAILABLE, Refusal.REGISTRY_STALE])
def test_a_message_of_a_batch_that_is_refused_for_the_moment_is_asked_again(world: World, reason: Refusal) -> None:
    number, plan = batch(world)

    assert tries(world, ScriptedHome(world, plan, [refused(reason)]), number) == ["PeerRefused"]

    job = job_of(world, number)
    assert job.state is JobState.WAITING
    assert [one.done for one in msgspec.json.decode(job.payload, type=Plan).messages] == [True, False]


def test_frames_that_were_accepted_are_told_of_though_the_rest_is_refused(world: World) -> None:
    number, plan = batch(world)
    end = PeerRefused(AGENCY, refused(Refusal.PEER_SUSPENDED))

    assert tries(world, ScriptedHome(world, plan, [end]), number) == []

    told = result(world, number)
    assert len(told.frames) == 1
    assert [one.reason for one in told.refused] == ["PEER_SUSPENDED"]


@pytest.mark.parametrize(("minutes", "is_new"), [(9, False), (10, True)])
def test_what_was_not_answered_while_it_was_authorised_is_authorised_anew(
    world: World, minutes: int, is_new: bool
) -> None:
    """What was answered stays; the rest is the same request as long as home could accept it, since it may have come."""
    number, plan = batch(world)
    gone = PeerUnreachable(AGENCY)
    tries(world, ScriptedHome(world, plan, [gone]), number)
    first, second = msgspec.json.decode(job_of(world, number).payload, type=Plan).messages

    world.forward(minutes=minutes)
    assert tries(world, ScriptedHome(world, plan, [gone]), number) == ["PeerUnreachable"]

    kept, again = msgspec.json.decode(job_of(world, number).payload, type=Plan).messages
    assert kept == first
    assert (again.request != second.request) == is_new
    assert (again.items[0].authorisation != second.items[0].authorisation) == is_new
    assert [one.subject for one in again.items] == [one.subject for one in second.items]


def test_an_evaluation_whose_answer_was_lost_is_the_same_request_again(world: World) -> None:
    """Home charges a request once: another one for the same subjects would use up the quota."""
    number, _ = planned(world, SHOWN)
    home = ScriptedHome(world)

    assert tries(world, home, number, times=2) == ["PeerUnreachable"] * 2

    assert len(home.evaluations) == 2
    assert len(set(home.evaluations)) == 1
