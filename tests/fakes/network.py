"""A whole network in one process: real stores, couriers, errands and gateways; a simulated clock, weather for a wire.

Everything between two members passes by `Weather`, which may lose a message or its answer, repeat it, or bring it late
and out of order. Nothing here knows what the messages are about.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
from pathlib import Path
from random import Random
from typing import TypeVar, cast

from crypto.pseudonym_pool import PseudonymPool
from node.app.asking import Asking
from node.app.courier import Courier
from node.app.errands import Errands
from node.app.gateway import NodeGateway
from node.app.opening import Node
from node.app.propagating import Propagating
from node.app.rechecking import Rechecking
from node.app.threads import Threads
from node.operations.answer_queries import KNOWN_FOR
from node.operations.asked import (
    Answered,
    EvaluateAsked,
    FrameArrived,
    FrameRefused,
    FrameStored,
    JournalProof,
    NoticesTaken,
    QueryAsked,
    RefusedAnswer,
)
from node.operations.build_index import extend_index, indexes_needed
from node.operations.end_copies import end_copies, erased, erasing
from node.operations.keep_journal import sequence_journal
from node.operations.keep_registry import advance_mirror, read_registry
from node.operations.ports import Store, UnitOfWork
from node.storage.sqlite import SoleDuties
from node.storage.store import SqlStore
from node.wire import codec
from node.wire.errors import PeerRefused, PeerUnreachable
from node.wire.outgoing import Evaluated, Outgoing
from node.wire.peers import PeerClient
from registry.norms.shelf import Pack
from registry.parties import PartyId
from tests.fakes.members import Clock, Member, Part
from tests.fakes.serving import node_of
from tests.fakes.stores import WrappedStore
from tests.fakes.world import START

T = TypeVar("T")
LONG = timedelta(minutes=11)
"""Longer than any pause between two tries."""


class Fate(StrEnum):
    """What becomes of one message."""

    ARRIVES = "ARRIVES"
    LOST = "LOST"
    ANSWER_LOST = "ANSWER_LOST"
    TWICE = "TWICE"
    LATE = "LATE"


@dataclass(slots=True)
class Weather:
    """Decides over each message. `calm` lets everything through; `down` are members that nobody reaches.

    `planned` are the fates of the next messages, one after another, whether or not it is calm behind them. `history` is
    every message that was sent to somebody who was up, to be sent once more.
    """

    chance: Random
    calm: bool = True
    down: set[PartyId] = field(default_factory=set)
    late: list[Callable[[], object]] = field(default_factory=list)
    planned: list[Fate] = field(default_factory=list)
    history: list[Callable[[], object]] = field(default_factory=list)
    refused: int = 0
    seen: Counter[Fate] = field(default_factory=Counter)

    def fate(self) -> Fate:
        fate = self._fate()
        self.seen[fate] += 1
        return fate

    def _fate(self) -> Fate:
        if self.planned:
            return self.planned.pop(0)
        if self.calm:
            return Fate.ARRIVES
        return self.chance.choices(list(Fate), weights=[6, 1, 1, 1, 1])[0]

    def repeat(self) -> None:
        """Bring every message once more, in any order, as somebody could who listened."""
        again = self.history[:]
        self.chance.shuffle(again)
        for message in again:
            message()

    def blow(self) -> None:
        """Bring some of what is late, in any order."""
        self.chance.shuffle(self.late)
        for _ in range(self.chance.randint(0, len(self.late))):
            self.late.pop()()


@dataclass(slots=True)
class Link:
    """A member's way to the others: a PeerClient without a wire."""

    network: "Network"
    sender: PartyId

    async def deliver_document(self, peer: PartyId, document: bytes) -> bytes:
        return self._call(peer, lambda to: to.receive_document(self.sender, document))

    async def file_agreement(self, authority: PartyId, agreement: bytes) -> bytes:
        return self._call(authority, lambda to: to.file_agreement(self.sender, agreement))

    async def deliver_receipts(self, peer: PartyId, batch: bytes) -> None:
        self._call(peer, lambda to: to.receive_receipts(self.sender, batch))

    async def deliver_notices(self, peer: PartyId, batch: bytes, replacement: FrameArrived | None) -> NoticesTaken:
        return self._call(peer, lambda to: to.receive_notices(self.sender, batch, replacement))

    async def push_frames(
        self, peer: PartyId, frames: AsyncIterator[tuple[bytes, FrameArrived]]
    ) -> AsyncGenerator[FrameStored | FrameRefused, None]:
        async with aclosing(cast("AsyncGenerator[tuple[bytes, FrameArrived], None]", frames)) as source:
            async for _, frame in source:
                yield self._push(peer, frame)

    def _push(self, peer: PartyId, frame: FrameArrived) -> FrameStored | FrameRefused:
        (answer,) = self._call(peer, lambda to: to.receive_frames(self.sender, [frame]))
        return answer

    async def evaluate(self, peer: PartyId, call: Outgoing) -> Evaluated:
        asked: EvaluateAsked = codec.evaluate_from_wire(call.raw, self.sender)
        (granted,) = self._call(peer, lambda to: tuple(to.charge_evaluations([asked])))
        if isinstance(granted, RefusedAnswer):
            raise PeerRefused(peer, granted)
        elements, proof = await asyncio.wrap_future(
            self.network.gateways[peer].evaluate(granted.agreement_id, granted.epoch, asked.blinded)
        )
        return Evaluated(elements=tuple(elements), proof=proof, checkpoint=b"")

    async def query(self, peer: PartyId, call: Outgoing) -> Answered:
        answer = self._ask(peer, codec.query_from_wire(call.raw, self.sender))
        if isinstance(answer, Answered) and answer.refused_items:
            answer = answer.refused_items[0][1]
        if isinstance(answer, RefusedAnswer):
            raise PeerRefused(peer, answer)
        return answer

    async def batch_query(
        self, peer: PartyId, calls: Sequence[Outgoing]
    ) -> AsyncGenerator[Answered | RefusedAnswer, None]:
        for call in calls:
            _, asked = codec.batch_query_from_wire(call.raw, self.sender)
            yield self._ask(peer, asked)

    def _ask(self, peer: PartyId, asked: QueryAsked) -> Answered | RefusedAnswer:
        (answer,) = self._call(peer, lambda to: to.answer_queries([asked]))
        return answer

    async def prove_journal(self, peer: PartyId, leaf: bytes, old_size: int) -> JournalProof:
        return self._call(peer, lambda to: to.prove_journal(self.sender, leaf, old_size))

    def _call(self, peer: PartyId, act: Callable[[NodeGateway], T | RefusedAnswer]) -> T:
        weather = self.network.weather
        if {peer, self.sender} & weather.down:
            raise PeerUnreachable(peer, f"{peer} is down")
        fate = weather.fate()
        # A restart in between replaces the gateway, so it is looked up when a message comes.
        weather.history.append(lambda: act(self.network.gateways[peer]))
        if fate is Fate.LATE:
            weather.late.append(weather.history[-1])
        if fate in {Fate.LATE, Fate.LOST}:
            raise PeerUnreachable(peer, f"{peer} did not answer in time")
        if fate is Fate.TWICE:
            act(self.network.gateways[peer])
        answer = act(self.network.gateways[peer])
        if fate is Fate.ANSWER_LOST:
            raise PeerUnreachable(peer, f"{peer} did not answer in time")
        if isinstance(answer, RefusedAnswer):
            weather.refused += 1
            raise PeerRefused(peer, answer)
        return answer


@dataclass(kw_only=True)
class Network:
    """Members with their gateways and couriers. A member's store may be wrapped by `around`."""

    clock: Clock
    folder: Path
    weather: Weather
    members: dict[PartyId, Member] = field(default_factory=dict)
    urls: Mapping[PartyId, str] = field(default_factory=dict)
    around: Callable[[PartyId, Store], Store] = lambda _, store: store
    gateways: dict[PartyId, NodeGateway] = field(default_factory=dict)
    couriers: dict[PartyId, Courier] = field(default_factory=dict)
    openings: int = 0

    def open(self, part: Part) -> None:
        """Open a member on its database, with a gateway and a courier of its own."""
        self.openings += 1
        url = self.urls.get(part.party, f"sqlite:///{self.folder / part.party}.db")
        member = Member.open_at(part, url, self.clock, START, self.openings)
        member.store = self.around(part.party, member.store)
        self.members[part.party] = member
        self._serve(member)

    def _serve(self, member: Member) -> None:
        node = node_of(member)
        self.gateways[member.party] = NodeGateway(node, PseudonymPool(member.context.keys.pseudonym_seed, 0))
        self.couriers[member.party] = self._courier(member, node)

    def shelve(self, party: PartyId, *packs: Pack) -> None:
        """Have a member serve with these packs at hand, beside the shipped ones, until it is restarted."""
        self._leave(party)
        self.members[party].shelve(*packs)
        self._serve(self.members[party])

    def _leave(self, party: PartyId) -> None:
        self.gateways.pop(party).close()
        self.couriers.pop(party).threads.close()

    def close(self, party: PartyId) -> Part:
        """Close a member; what it had in memory is gone."""
        member = self.members.pop(party)
        self._leave(party)
        while isinstance(member.store, WrappedStore):
            member.store = member.store.inner
        member.close()
        return member.part

    def restart(self, party: PartyId) -> None:
        self.open(self.close(party))

    def run(self, *parties: PartyId) -> None:
        """Let couriers do what is due now, one after the other; everybody's if none is named."""
        for party in parties or tuple(self.couriers):
            asyncio.run(self.couriers[party].once())

    def settle(self, most: int = 100) -> None:
        """In calm weather, until nobody has anything to send: everybody is up, time passes, files are written anew."""
        self.weather.calm = True
        self.weather.planned.clear()
        self.weather.down.clear()
        self.hear()
        while self.weather.late:
            self.weather.blow()
        for _ in range(most):
            self.run()
            self.erase()
            self.sequence()
            if not any(self.waiting(party) for party in self.members):
                return
            self.clock.at += LONG
            self.hear()
        raise AssertionError("the network does not come to rest")

    def wait(self, **span: float) -> None:
        """Let time pass, and have everybody hear the authorities again."""
        self.clock.forward(**span)
        self.hear()

    def waiting(self, party: PartyId) -> int:
        """How many jobs a member has to do yet."""
        far = self.clock.at + timedelta(days=3_650)
        return len(self.members[party].read(lambda work: work.outbox.due(far, 1_000)))

    def erase(self, *parties: PartyId) -> None:
        """What the eraser does: write databases anew, and say what is gone."""
        for party in parties or tuple(self.members):
            member = self.members[party]
            through = member.read(erasing)
            if through:
                cast("SqlStore", member.store).compact()
                _again_and_again(member, partial(_erased, through))

    def end_copies(self, *parties: PartyId) -> None:
        """What the retention loop does."""
        for party in parties or tuple(self.members):
            _again_and_again(self.members[party], lambda work, one: end_copies(work, one.recipient(work)))
            self.members[party].write(self._forget_bodies)

    def _forget_bodies(self, work: UnitOfWork) -> None:
        if work.erasures.forget_bodies(self.clock() - KNOWN_FOR):
            work.commit()

    def recheck(self, *parties: PartyId, portion: int = 4) -> None:
        """What the recheck loop does, a few records at a time."""
        for party in parties or tuple(self.members):
            Rechecking(node_of(self.members[party]), lambda: False, portion).look()

    def sequence(self, *parties: PartyId) -> None:
        """What the sequencer does."""
        for party in parties or tuple(self.members):
            member = self.members[party]
            member.write(partial(sequence_journal, context=member.context))

    def index(self) -> None:
        """What the indexer does."""
        for member in self.members.values():
            evaluate = _Evaluating(member)
            for needed in indexes_needed(member.known(), member.party, self.clock()):
                while extend_index(member.store, needed, evaluate):
                    pass

    def hear(self) -> None:
        """The authorities renew their heads, and everybody follows every log."""
        authorities = [one for one in self.members.values() if one.part.party_class.is_authority]
        for authority in authorities:
            authority.renew()
            for member in self.members.values():
                if member is not authority:
                    self._follow(member, authority)

    def _follow(self, member: Member, authority: Member) -> None:
        def act(work: UnitOfWork) -> object:
            facts = member.facts(work)
            held = len(facts.mirrors[authority.party].statements)
            page = authority.read(lambda theirs: read_registry(theirs, authority.party, held, 0))
            assert page is not None
            return advance_mirror(work, authority.party, page, facts, member.context)

        member.write(act)

    def _courier(self, member: Member, node: Node) -> Courier:
        # One worker, so that the order in which a courier does things does not hang on the moment.
        threads = Threads(member.store, now=self.clock, _pool=ThreadPoolExecutor(1, "work"))
        peers = cast("PeerClient", Link(self, member.party))
        asking, propagating = Asking(node, peers, threads), Propagating(node, peers, threads)
        errands = Errands(node, peers, threads, asking.do, propagating.push, propagating.notify)
        chance = Random(f"{member.party}/{self.openings}")
        return Courier(errands, threads, SoleDuties(), 0.01, chance)


@contextmanager
def running(
    parts: Sequence[Part],
    folder: Path,
    at: datetime = START,
    seed: int = 0,
    urls: Mapping[PartyId, str] | None = None,
    around: Callable[[PartyId, Store], Store] = lambda _, store: store,
) -> Iterator[Network]:
    """Open a network whose databases are there."""
    network = Network(
        clock=Clock(at), folder=folder, weather=Weather(Random(seed)), urls=urls or {}, around=around,
        openings=seed * 1_000,
    )  # fmt: skip
    try:
        for part in parts:
            network.open(part)
        yield network
    finally:
        for party in tuple(network.members):
            network.close(party)


def _erased(through: int, work: UnitOfWork, member: Member) -> int:
    return erased(work, through, member.recipient(work))


def _again_and_again(member: Member, act: Callable[[UnitOfWork, Member], int]) -> None:
    """Do something in transactions of its own until there is nothing left of it."""
    while member.write(lambda work: act(work, member)):
        pass


@dataclass(frozen=True, slots=True)
class _Evaluating:
    """Home's own evaluation."""

    member: Member

    def __call__(self, agreement: str, epoch: int, inputs: Sequence[bytes]) -> list[bytes]:
        return self.member.pseudonyms(agreement, epoch, [*inputs])
