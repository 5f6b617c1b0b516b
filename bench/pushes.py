"""Pushes between two serving nodes: from home's table to the recipient's table and the receipt stored at home."""

from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from multiprocessing import get_context
from time import perf_counter, sleep

import msgspec
from creditport.v1 import common_pb2, exchange_pb2

from bench.arrival_ceilings import Arrival, Arriving
from bench.ceilings import serving
from bench.network import Network
from bench.records import Supply, load
from bench.results import Effort, Row, row
from bench.varied import PORTION, Variation, vary
from bench.wires import Load, Server, Shape, drive
from crypto.frame import pad
from crypto.sealing import OVERHEAD
from node.app.opening import Node, utc_now
from node.domain.jobs import JobState
from node.domain.operators import SigningOperator
from node.domain.vocabulary import vocabulary_of
from node.keys import open_operator_key
from node.operations.coarsen import are_ready, ladders_of
from node.operations.push_records import PushResult, Wanted, plan_push

STREAMS = 2
"""Streams of a ceiling's client, so that the server parses one message while another is committed."""
KINDS = frozenset({"101"})
HEADER = 1_300
"""Bytes of a frame's signed header, about."""
PATIENCE = 120.0
LOOK_EVERY = 0.01


@dataclass(slots=True)
class Pusher:
    """Loads new records into home, has them pushed, and waits until the last receipt is stored."""

    network: Network
    home: Node
    supply: Supply
    operator: SigningOperator = field(repr=False)
    _frames: int = 0
    _loaded: int = 0

    @classmethod
    def of(cls, network: Network, home: Node, supply: Supply) -> "Pusher":
        """Act for home's operator, beside its serving process."""
        name = network.home.operator
        key = open_operator_key(home.folder.operator(name), name, lambda: network.home.passphrase)
        pusher = cls(network, home, supply, SigningOperator(name=name, key=key))
        pusher.pass_over()
        return pusher

    def pass_over(self) -> None:
        """Leave aside the frames that home sent before: answers to queries, which nobody receipted."""
        with self.home.store.read() as work:
            while page := work.sent_frames.page(self._frames, 1_000):
                self._frames = page[-1][0]

    def load(self, count: int) -> None:
        """Load records and wait until their subjects are indexed; pushed are all that were not pushed yet."""
        load(self.home.store, self.supply.rows(count))
        self._loaded = count
        until("the index is built", self._is_indexed)

    def push(self) -> float:
        """Push what was loaded; gives records a second, from the order to the last receipt."""
        began = perf_counter()
        job = self._order()
        until("the push is receipted", lambda: self._is_receipted(job), every=LOOK_EVERY)
        return self._loaded / (perf_counter() - began)

    def _order(self) -> int:
        node = self.home
        with node.store.write() as work:
            known = node.facts(work)
            agreement = known.agreements[self.network.digest]
            job = plan_push(work, Wanted(kinds=KINDS), agreement, self.operator, known.law, node.context)
        assert isinstance(job, int)
        return job

    def _is_receipted(self, job: int) -> bool:
        with self.home.store.read() as work:
            stored = work.outbox.find(job)
            if stored is None or stored.state is JobState.WAITING:
                return False
            assert stored.result is not None
            if stored.state is JobState.FAILED:
                raise SystemExit(f"a push failed: {stored.result.decode()}")
            done = msgspec.json.decode(stored.result, type=PushResult)
            frames = work.sent_frames.page(self._frames, done.frames)
        # The first push also takes along what was there before.
        if done.renditions < self._loaded or done.taken != done.frames or done.refused:
            raise SystemExit(f"a push did not arrive as it should: {done}")
        if any(receipted is None for *_, receipted in frames):
            return False
        self._frames = frames[-1][0]
        return True

    def _is_indexed(self) -> bool:
        with self.home.store.read() as work:
            number, epoch = work.agreements.number(self.network.digest), self.network.epoch(self.home, work)
            facts = self.home.facts(work)
            ladders = ladders_of(facts.agreements[self.network.digest], vocabulary_of(facts.law))
            return not work.pseudonyms.pending(number, epoch, 1) and are_ready(work, ladders.values())


@dataclass(frozen=True, slots=True)
class Round:
    """Records a second: of the product, of what is varied in it, and of each ceiling."""

    product: float
    signed_each: float
    frames_of_one: float
    ceilings: dict[Arrival, float]


def measure_pushes(network: Network, pusher: Pusher, effort: Effort) -> list[Row]:
    """The product, its variations and its ceilings, in turns."""
    _varied(pusher, Variation.NOTHING, effort.pushed)
    messages = messages_of(network, effort.pushed)
    with ProcessPoolExecutor(1, get_context("spawn")) as client, ExitStack() as stack:
        tls, place = network.tls(), network.place
        ceilings = {one: stack.enter_context(serving(Arriving(place.url(), one), tls)) for one in Arrival}

        def turn(arrival: Arrival) -> float:
            return pour(client, network, ceilings[arrival], messages) * effort.pushed

        for one in Arrival:
            turn(one)
        rounds = [_round(pusher, effort, {one: turn(one) for one in Arrival}) for _ in range(effort.rounds)]
    return _rows(network.place.store, rounds)


def _round(pusher: Pusher, effort: Effort, ceilings: dict[Arrival, float]) -> Round:
    return Round(
        product=_varied(pusher, Variation.NOTHING, effort.pushed),
        signed_each=_varied(pusher, Variation.SIGNED_EACH, effort.pushed),
        frames_of_one=_varied(pusher, Variation.FRAMES_OF_ONE, effort.singles),
        ceilings=ceilings,
    )


def _varied(pusher: Pusher, variation: Variation, count: int) -> float:
    pusher.load(count)
    members = (pusher.network.home, pusher.network.bank)
    vary(members, variation)
    try:
        return pusher.push()
    finally:
        vary(members, Variation.NOTHING)


def _rows(store: str, rounds: Sequence[Round]) -> list[Row]:
    ours = [one.product for one in rounds]

    def beside(name: str, others: Sequence[float]) -> Row:
        return row(name, store, "records/s", ours, others)

    return [
        *(beside(f"push_records / {kind.value}", [one.ceilings[kind] for one in rounds]) for kind in Arrival),
        beside("push_vs_single_signatures", [one.signed_each for one in rounds]),
        beside("push_vs_single_frames", [one.frames_of_one for one in rounds]),
    ]


def messages_of(network: Network, count: int, header: int = HEADER) -> list[bytes]:
    """The very renditions that the bank received, in messages as long as those they came in, but not sealed."""
    with network.keys(network.bank) as bank, bank.store.read() as work:
        held = work.copies.ended(utc_now().replace(year=2999), count)
    renditions = [one.rendition for one in held]
    bodies = [pad(renditions[at : at + PORTION]) + bytes(OVERHEAD) for at in range(0, len(renditions), PORTION)]
    frames = [common_pb2.Frame(header=bytes(header), body=body) for body in bodies]
    return [exchange_pb2.PushFramesRequest(frame=one).SerializeToString() for one in frames]


def pour(client: ProcessPoolExecutor, network: Network, server: Server, messages: list[bytes]) -> float:
    """Messages a second, as a share of them all: 1 / seconds."""
    load = Load(address=server.address, tls=network.tls(), shape=Shape.PUSH, callers=STREAMS, messages=messages)
    return 1 / client.submit(drive, load).result().seconds


def until(what: str, true: Callable[[], bool], every: float = 0.05) -> None:
    """Look again and again until it is true; ends the run if it never is."""
    end = perf_counter() + PATIENCE
    while not true():
        if perf_counter() > end:
            raise SystemExit(f"waited in vain: {what}")
        sleep(every)
