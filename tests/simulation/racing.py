"""A race: processes that share home's database do something to the same record at the same moment, round after round.

Who does what is drawn anew for every round, so that no process is favoured for long by how it is woken.
"""

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from multiprocessing import get_context
from threading import Barrier
from time import monotonic_ns

import msgspec

from node.domain.jobs import JobKind, NewJob
from node.operations.answer_queries import answer_queries
from node.operations.ask import (
    Plan,
    Question,
    Target,
    asked_items,
    keep_pseudonyms,
    plan_query,
    prepare,
    unknown_subjects,
    Asker,
)
from node.operations.asked import QueryAsked
from node.operations.change_records import DeleteRecord, delete_record
from node.operations.push_records import PushPlan, next_frame
from node.operations.ports import UnitOfWork
from node.operations.rows import SentFrameRow
from crypto.pseudonym import subject_input
from registry.parties import PartyId
from tests.fakes.members import LAW, Clock, Member
from tests.fakes.network import Network
from tests.fakes.propagation import AGENCY, HOME, PURPOSE
from tests.fakes.world import START
from tests.fakes.exchange import ALL_FIELDS
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Delete:
    record: int


@dataclass(frozen=True, slots=True)
class Answer:
    asked: QueryAsked


@dataclass(frozen=True, slots=True)
class Push:
    job: int


@dataclass(frozen=True, slots=True)
class Ran:
    began: int
    ended: int
    outcome: object


def _do(part, member: Member, work: UnitOfWork):
    match part:
        case Delete(record):
            command = DeleteRecord(record_no=record, basis="REVOKED", document="decision 31")
            return delete_record(work, command, (member.operator, member.second), LAW, member.context)
        case Answer(asked):
            (answer,) = answer_queries(work, [asked], member.desk(work))
            return answer
        case Push(job):
            return next_frame(work, job, member.desk(work))


_barrier = None


def _begin(barrier) -> None:
    global _barrier
    _barrier = barrier


def _run(url: str, at: datetime, lane):
    seed, parts = lane
    member = Member.open_at(AGENCY, url, Clock(at), START, seed)
    ran = []
    try:
        member.known()
        for part in parts:
            _barrier.wait(30)
            began = monotonic_ns()
            outcome = member.write(lambda work: _do(part, member, work))
            ran.append(Ran(began, monotonic_ns(), outcome))
    except BaseException:
        import traceback

        traceback.print_exc()
        _barrier.abort()
        raise
    finally:
        member.close()
    return ran


def race(url, at, lanes):
    context = get_context("spawn")
    with ProcessPoolExecutor(len(lanes), context, _begin, (context.Barrier(len(lanes)),)) as pool:
        return list(pool.map(partial(_run, url, at), enumerate(lanes, 100)))


def questions(network: Network, holder: PartyId, agreement: bytes, subjects) -> list[QueryAsked]:
    member, home = network.members[holder], network.members[HOME]
    question = Question(
        subjects=subjects, purpose=PURPOSE, asked={"101": ALL_FIELDS["101"]}, batch=False, patience=timedelta(days=1)
    )
    held = member.known().agreements[agreement]
    target = Target.of(held, network.clock())
    job = member.write(lambda work: plan_query(work, question, target, member.operator, member.context))
    found = member.read(lambda work: work.outbox.find(job))
    plan = msgspec.json.decode(found.payload, type=Plan)
    unknown = member.read(lambda work: unknown_subjects(work, plan))
    names = home.pseudonyms(held.terms.agreement, plan.epoch, [subject_input(one.scheme, one.value) for one in unknown])
    member.write(lambda work: keep_pseudonyms(work, plan, unknown, names))

    def act(work):
        facts = member.facts(work)
        asker = Asker(
            agreement=held,
            facts=facts,
            settings=member.settings,
            vocabulary=member.desk(work).vocabulary,
            context=member.context,
        )
        return prepare(work, job, plan, asker, b"")

    plan = member.write(act)
    return [
        QueryAsked(
            peer=holder,
            digest=bytes.fromhex(message.request) * 2,
            agreement=agreement,
            epoch=plan.epoch,
            purpose=plan.purpose,
            asked={kind: frozenset(fields) for kind, fields in plan.asked.items()},
            items=asked_items(message),
            batch=False,
            checkpoint=b"",
        )
        for message in plan.messages
    ]


def pushes(network, agreement, records):
    member = network.members[HOME]
    holder = member.known().agreements[agreement].terms.recipient

    def act(work):
        jobs = []
        for one in records:
            plan = PushPlan(agreement=agreement.hex(), kinds=("101",), records=(one,))
            jobs.append(
                work.outbox.add(
                    NewJob(
                        kind=JobKind.PUSH, peer=holder, key=f"push:{one}:{holder}", payload=msgspec.json.encode(plan)
                    ),
                    network.clock(),
                )
            )
        work.commit()
        return jobs

    return member.write(act)
