"""Asking over the wire: what was answered stays answered, and what only has to wait is not given up."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import cast

import msgspec
import pytest
from msgspec.structs import replace as replace_struct

from agreements.refusal import Refusal, refuse
from node.app import opening
from node.app.asking import Asking
from node.app.threads import Threads
from node.domain.identifiers import Identifier
from node.domain.jobs import Job, JobState
from node.domain.journal import Act
from node.operations.answer_queries import day_window
from node.operations.ask import ItemRefused, Plan, QueryResult, came_late, prepare
from node.operations.asked import Answered, RefusedAnswer
from node.wire.errors import PeerRefused, PeerUnreachable
from node.wire.outgoing import Evaluated, Outgoing
from node.wire.peers import PeerClient
from registry.parties import PartyId
from tests.fakes.asking import evaluated, payload, planned, prepared, sent
from tests.fakes.exchange import OTHERS, SHOWN, SHOWN_ABROAD, answers, asker, consent
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


def tries(world: World, home: "ScriptedHome | Home", number: int, times: int = 1) -> list[str]:
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


class Home:
    """Stands for the wire to the true home: `way` is done to each answer on its way back."""

    def __init__(self, world: World, number: int, way: Callable[[], None] = lambda: None) -> None:
        self.world, self.number, self.way = world, number, way
        self.asked: list[str] = []
        self.late_by = timedelta(0)

    async def query(self, _: PartyId, call: Outgoing) -> Answered:
        given = self._answer(call)
        if isinstance(given, RefusedAnswer):
            raise PeerRefused(AGENCY, given)
        return given

    async def batch_query(self, _: PartyId, calls: Sequence[Outgoing]) -> AsyncIterator[Answered | RefusedAnswer]:
        for call in calls:
            yield self._answer(call)

    def _answer(self, call: Outgoing) -> Answered | RefusedAnswer:
        self.asked.append(call.request_id.hex())
        plan = payload(self.world, self.number)
        (message,) = [one for one in plan.messages if one.request == call.request_id.hex()]
        self.world.forward(seconds=self.late_by.total_seconds())
        (given,) = answers(self.world, replace(sent(plan, message), digest=call.digest))
        self.way()
        return given


def lost() -> None:
    """The answer is lost on its way."""
    raise PeerUnreachable(AGENCY)


def asked_about(world: World, *subjects: Identifier) -> int:
    """A query that is ready to be sent."""
    number, plan = planned(world, *subjects)
    evaluated(world, plan)
    world.bank.write(lambda work: prepare(work, number, plan, asker(world, work), b"head"))
    return number


def charged(world: World) -> int:
    window, digest = day_window(world.clock()), world.agreement().digest
    return world.agency.read(lambda work: work.usage.charged(work.agreements.number(digest), [window])[window])


def test_while_a_peer_is_not_reached_a_query_stays_the_request_that_it_was(world: World) -> None:
    """It may have been answered, and what was written down of its tries stays."""
    number, plan = batch(world)
    gone = ScriptedHome(world, plan, [PeerUnreachable(AGENCY)])
    tries(world, gone, number)
    world.bank.write(lambda work: work.outbox.retry(number, world.clock(), why=b"{}"))
    before = job_of(world, number)

    world.forward(minutes=50)
    assert tries(world, gone, number) == ["PeerUnreachable"]

    assert job_of(world, number) == before


@pytest.mark.parametrize("subjects", [(SHOWN,), SIX])
def test_an_answer_that_was_lost_is_given_and_charged_once_though_its_authorisation_is_over(
    world: World, subjects: tuple[Identifier, ...]
) -> None:
    number = asked_about(world, *subjects)
    world.forward(minutes=9)
    first = Home(world, number, lost)
    assert tries(world, first, number) == ["PeerUnreachable"]
    once = charged(world)

    world.forward(minutes=2)
    again = Home(world, number)
    tries(world, again, number)

    assert again.asked[0] == first.asked[0]
    assert once == min(len(subjects), 5)
    assert charged(world) == len(subjects)
    assert job_of(world, number).state is JobState.DONE


@pytest.mark.parametrize("subjects", [(SHOWN,), SIX])
def test_what_home_finds_out_of_time_is_authorised_anew_and_asked_in_the_same_try(
    world: World, subjects: tuple[Identifier, ...]
) -> None:
    number = asked_about(world, *subjects)
    old = [one.request for one in payload(world, number).messages]
    world.forward(minutes=30)
    home = Home(world, number)

    assert tries(world, home, number) == []

    told = result(world, number)
    assert home.asked == [*old, *(one.request for one in payload(world, number).messages)]
    assert (len(told.frames), told.refused) == (len(old), ())
    assert charged(world) == len(subjects)
    noted = [one.entry.act for one in world.bank.journal()].count(Act.REFUSED_BY_PEER)
    assert noted == len(subjects)


def test_a_home_whose_clock_is_a_little_ahead_refuses_no_query_for_good(world: World) -> None:
    number = asked_about(world, SHOWN)
    world.forward(minutes=9, seconds=30)
    home = Home(world, number)
    home.late_by = timedelta(seconds=30)

    tries(world, home, number)

    assert job_of(world, number).state is JobState.DONE
    assert len(home.asked) == 2


def test_a_home_that_finds_everything_out_of_time_is_asked_twice_and_believed(world: World) -> None:
    number = asked_about(world, SHOWN)
    home = Home(world, number)
    home.late_by = timedelta(minutes=10)

    tries(world, home, number)

    assert job_of(world, number).state is JobState.FAILED
    assert [one.reason for one in result(world, number).refused] == ["CONSENT_EXPIRED"]
    assert len(home.asked) == 2


def test_a_question_whose_consent_ended_meanwhile_goes_on_with_another_that_carries_it(world: World) -> None:
    consent(world, [SHOWN], good_for=timedelta(minutes=3))
    number = asked_about(world, SHOWN)
    (ended,) = payload(world, number).messages[0].items
    world.forward(minutes=4)

    tries(world, Home(world, number), number)

    (carried,) = payload(world, number).messages[0].items
    assert job_of(world, number).state is JobState.DONE
    assert None not in {ended.consent, carried.consent}
    assert carried.consent != ended.consent


def test_of_a_batch_only_the_message_that_came_late_is_asked_again(world: World) -> None:
    number, plan = batch(world)
    tries(world, ScriptedHome(world, plan, [PeerUnreachable(AGENCY)]), number)
    first, second = payload(world, number).messages
    world.forward(minutes=10)
    home = Home(world, number)

    tries(world, home, number)

    kept, again = payload(world, number).messages
    assert kept == first
    assert home.asked == [second.request, again.request]
    assert charged(world) == len(SIX)


def test_a_message_of_which_anything_was_answered_is_not_asked_again(world: World) -> None:
    late = ItemRefused(reason="CONSENT_EXPIRED", article="S 24", subject=0)
    other = ItemRefused(reason="AUTHORISATION_MISSING", article="S 28", subject=1)
    message = replace_struct(prepared(world, SHOWN, SHOWN_ABROAD).messages[0], done=True)

    assert came_late(replace_struct(message, refused=(late, other)))
    assert not came_late(replace_struct(message, refused=(late,)))
    assert not came_late(replace_struct(message, refused=(other, other)))
    assert not came_late(message)


def test_an_evaluation_whose_answer_was_lost_is_the_same_request_again(world: World) -> None:
    """Home charges a request once: another one for the same subjects would use up the quota."""
    number, _ = planned(world, SHOWN)
    home = ScriptedHome(world)

    assert tries(world, home, number, times=2) == ["PeerUnreachable"] * 2

    assert len(home.evaluations) == 2
    assert len(set(home.evaluations)) == 1
