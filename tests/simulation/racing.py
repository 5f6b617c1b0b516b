"""Processes that share home's database, and do something to the same record at the same moment, round after round.

Who does what is drawn for every round, so that nothing is favoured by how its process is woken. A process begins by
importing this file: it needs neither couriers nor a wire.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from multiprocessing import get_context
from random import Random
from threading import Barrier, BrokenBarrierError
from time import monotonic_ns
from typing import Final, cast

from agreements.refusal import Refused
from node.operations.answer_queries import answer_queries
from node.operations.asked import Answered, QueryAsked, RefusedAnswer
from node.operations.change_records import Changed, DeleteRecord, NotChanged, delete_record
from node.operations.ports import UnitOfWork
from node.operations.push_records import PushResult, next_frame
from node.operations.rows import SentFrameRow
from node.storage.store import SqlStore
from tests.fakes.members import LAW, Clock, Member, Part
from tests.fakes.world import START

Outcome = Changed | NotChanged | Answered | RefusedAnswer | SentFrameRow | PushResult | Refused
PATIENCE: Final = 60.0
"""Seconds that a process waits for the others before it gives up."""


class Act(ABC):
    """What is done to a record, in one unit of work."""

    @abstractmethod
    def do(self, work: UnitOfWork, home: Member) -> Outcome:
        """Do it."""


@dataclass(frozen=True, slots=True)
class Delete(Act):
    """Two operators have a record deleted."""

    record: int

    def do(self, work: UnitOfWork, home: Member) -> Outcome:
        command = DeleteRecord(record_no=self.record, basis="REVOKED", document="decision 31")
        return delete_record(work, command, (home.operator, home.second), LAW, home.context)


@dataclass(frozen=True, slots=True)
class Answer(Act):
    """A holder's question is answered."""

    asked: QueryAsked

    def do(self, work: UnitOfWork, home: Member) -> Outcome:
        (answer,) = answer_queries(work, [self.asked], home.desk(work))
        return answer


@dataclass(frozen=True, slots=True)
class PushNext(Act):
    """The next frame of a push is made."""

    job: int

    def do(self, work: UnitOfWork, home: Member) -> Outcome:
        return next_frame(work, self.job, home.desk(work))


Acts = Sequence[Act]
"""What one process does in a round, one act after the other."""


@dataclass(frozen=True, slots=True)
class Ran:
    """What came of an act, and from when to when it took, its waiting for its turn included."""

    act: Act
    outcome: Outcome
    began: int
    ended: int

    def is_before(self, other: "Ran") -> bool:
        """Whether it had ended when the other began."""
        return self.ended <= other.began


@dataclass(frozen=True, slots=True)
class Home:
    """Who home is, where its database lies, and what time it is."""

    who: Part
    url: str
    at: datetime

    def open(self, seed: int) -> Member:
        return Member.open_at(self.who, self.url, Clock(self.at), START, seed)


def race(home: Home, rounds: Sequence[Sequence[Acts]], seed: int = 1) -> list[list[list[Ran]]]:
    """Have the parts of each round done at once, by a process each; what came of them, as they were given."""
    processes, chance = len(rounds[0]), Random(seed)
    drawn = [chance.sample(range(processes), processes) for _ in rounds]
    tracks = [[parts[order[track]] for parts, order in zip(rounds, drawn, strict=True)] for track in range(processes)]
    context = get_context("spawn")
    with ProcessPoolExecutor(processes, context, _line_up, (context.Barrier(processes),)) as pool:
        running = [pool.submit(_run, home, parts, seed) for seed, parts in enumerate(tracks, 1_000)]
        broken = [error for one in running if (error := one.exception()) is not None]
    # Who only waited in vain for a process that broke has less to tell.
    for error in sorted(broken, key=lambda error: isinstance(error, BrokenBarrierError)):
        raise error
    ran = [one.result() for one in running]
    return [[ran[order.index(part)][number] for part in range(processes)] for number, order in enumerate(drawn)]


_lines: list[Barrier] = []


def _line_up(barrier: Barrier) -> None:
    _lines.append(barrier)


def _run(home: Home, parts: Sequence[Acts], seed: int) -> list[list[Ran]]:
    """In a process of its own: do one part of every round, each when the others are ready for theirs."""
    (line,) = _lines
    try:
        member = home.open(seed)
        # Not the member is closed: that also empties the log, which has to wait until nobody reads.
        with closing(cast("SqlStore", member.store)):
            # What a process reads once and keeps is read before the first round.
            member.read(member.desk)
            return [_done(line, member, part) for part in parts]
    except BaseException:
        # Whatever it is, the others do not wait for who does not come.
        line.abort()
        raise


def _done(line: Barrier, member: Member, part: Acts) -> list[Ran]:
    line.wait(PATIENCE)
    return [_timed(member, act) for act in part]


def _timed(member: Member, act: Act) -> Ran:
    began = monotonic_ns()
    outcome = member.write(partial(act.do, home=member))
    return Ran(act, outcome, began, monotonic_ns())
