"""Evidence that streams to an inspector, over real connections: in parts, as fast as it is read, to the end."""

import asyncio
import gc
import logging
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from typing import NoReturn

import grpc
import pytest
from creditport.v1 import inspection_pb2

from agreements.refusal import Refusal, refuse
from node.operations.asked import RefusedAnswer
from node.wire.codec import part_to_wire
from node.wire.errors import BadAnswer, PeerRefused, PeerUnreachable
from node.wire.inspections import OPEN_TOGETHER
from node.wire.methods import BOUNDS, KIB, LARGEST_ORDER, LARGEST_PART, MIB, OUTLIVING, Method
from node.wire.outgoing import inspect_to_wire
from node.wire.peers import PeerAddress, PeerClient
from node.wire.refusals import refusal_from_error
from node.wire.tls import ServerTls
from tests.integration.wire_network import BANK, HOME, LEAF, Asker, Network, identity, play, refused

Behaviour = Callable[[bytes, object], AsyncIterator[bytes]]

ORDER = b"a signed order"
PATIENCE = 30.0
A_WHILE = 0.5
"""How long nothing must happen, in seconds, to be held for something that does not happen."""
MOST_AHEAD = 64
"""More parts of 1 MiB than the windows of a transport grow to on loopback."""
FIXED_WINDOW = (("grpc.http2.bdp_probe", 0),)
"""A reader's transport takes in 64 KiB ahead, and does not grow that with the speed of the line."""


@dataclass
class Evidence:
    """A bundle in the making: how many parts were made, in which threads, and whether its maker was closed."""

    count: int = 1000
    part: bytes = b"part"
    held: int = -1
    """The part before which its maker waits for `go_on`."""
    failure: Exception | None = None
    made: int = 0
    threads: set[str] = field(default_factory=set)
    waiting: threading.Event = field(default_factory=threading.Event)
    go_on: threading.Event = field(default_factory=threading.Event)
    closed: threading.Event = field(default_factory=threading.Event)

    def parts(self) -> Iterator[bytes]:
        try:
            for number in range(self.count):
                if number == self.held:
                    self.waiting.set()
                    assert self.go_on.wait(PATIENCE)
                self.made += 1
                self.threads.add(threading.current_thread().name)
                yield self.part
            if self.failure is not None:
                raise self.failure
        finally:
            self.threads.add(threading.current_thread().name)
            self.closed.set()


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110 - what happens in the server's threads tells nobody here
            await asyncio.sleep(0.01)


def calls_counted(net: Network, code: str) -> float:
    labels = {"method": Method.INSPECT.value, "code": code}
    return net.metrics.registry.get_sample_value("creditport_calls_total", labels) or 0.0


def refusals_counted(net: Network, reason: Refusal) -> float:
    return net.metrics.registry.get_sample_value("creditport_refusals_total", {"reason": reason.value}) or 0.0


async def whole(net: Network) -> list[bytes]:
    return [part async for part in net.client.inspect(HOME, ORDER)]


def test_an_order_reaches_the_gateway_and_the_parts_come_back_in_order() -> None:
    async def story(net: Network) -> None:
        net.gateway.evidence = lambda: iter(b"%d" % number for number in range(300))

        assert await whole(net) == [b"%d" % number for number in range(300)]
        assert net.gateway.orders == [(BANK, ORDER)]

    play(story)


def test_the_largest_order_and_the_largest_parts_go_through() -> None:
    async def story(net: Network) -> None:
        evidence = Evidence(8, part=bytes(LARGEST_PART))
        net.gateway.evidence = evidence.parts

        parts = [part async for part in net.client.inspect(HOME, bytes(LARGEST_ORDER))]

        assert parts == [bytes(LARGEST_PART)] * 8
        assert net.gateway.orders == [(BANK, bytes(LARGEST_ORDER))]

    play(story)


def test_parts_are_made_and_let_go_in_the_threads_for_blocking_work() -> None:
    async def story(net: Network) -> None:
        evidence = Evidence(20)
        net.gateway.evidence = evidence.parts

        await whole(net)

        assert evidence.closed.is_set()
        assert all(name.startswith("calls") for name in evidence.threads)

    play(story)


@pytest.mark.parametrize("reason", [Refusal.PARTY_NOT_ELIGIBLE, Refusal.NOT_READY])
def test_a_refused_order_ends_the_call_with_its_reason_and_not_one_part(reason: Refusal) -> None:
    async def story(net: Network) -> None:
        net.gateway.outcome = refused(reason)

        with pytest.raises(PeerRefused) as failure:
            await whole(net)

        assert failure.value.answer == refused(reason)
        assert refusals_counted(net, reason) == 1

    play(story)


BAD_ORDERS = {
    "empty": (b"", Refusal.MALFORMED),
    "truncated": (inspect_to_wire(ORDER)[:-2], Refusal.MALFORMED),
    "twice": (inspect_to_wire(ORDER) * 2, Refusal.MALFORMED),
    "unknown field": (inspect_to_wire(ORDER) + b"\xf8\x07\x01", Refusal.UNKNOWN_FIELD),
    "order too large": (inspect_to_wire(bytes(LARGEST_ORDER + 1)), Refusal.MALFORMED),
    "oversized": (bytes(BOUNDS[Method.INSPECT].request + 1), Refusal.OVERSIZED),
}


@pytest.mark.parametrize(("raw", "reason"), BAD_ORDERS.values(), ids=BAD_ORDERS)
def test_bytes_that_are_no_order_are_refused_and_journalled_and_decided_by_nobody(raw: bytes, reason: Refusal) -> None:
    async def story(net: Network) -> None:
        async with net.channel(net.bank) as channel:
            ask: grpc.aio.UnaryStreamMultiCallable[bytes, bytes] = channel.unary_stream(Method.INSPECT)
            with pytest.raises(grpc.aio.AioRpcError) as failure:
                await ask(raw, timeout=20).read()
        answer = refusal_from_error(failure.value)

        assert answer is not None
        assert (answer.refused.reason, answer.leaf) == (reason, LEAF)
        assert [(peer, method) for peer, method, _ in net.gateway.edge_refusals] == [(BANK, Method.INSPECT)]
        assert net.gateway.orders == []
        assert refusals_counted(net, reason) == 1

    play(story)


@pytest.mark.parametrize("taken", [1, 20])
def test_a_part_is_made_when_the_one_before_is_written_however_long_the_reader_takes(taken: int) -> None:
    async def story(net: Network) -> None:
        evidence = Evidence(40, part=bytes(MIB))
        net.gateway.evidence = evidence.parts

        async with net.channel(net.bank, FIXED_WINDOW) as channel:
            ask: grpc.aio.UnaryStreamMultiCallable[bytes, bytes] = channel.unary_stream(Method.INSPECT)
            parts = ask(inspect_to_wire(ORDER), timeout=20)
            for _ in range(taken):
                await parts.read()
            await asyncio.sleep(A_WHILE)
            made_meanwhile = evidence.made
            others = [len(raw) for _ in range(40 - taken) if isinstance(raw := await parts.read(), bytes)]
            assert await parts.read() is grpc.aio.EOF

        assert taken <= made_meanwhile <= taken + 2
        assert others == [len(part_to_wire(bytes(MIB)))] * (40 - taken)

    play(story)


def test_two_inspections_are_open_at_a_time_and_the_next_is_busy_until_one_has_ended() -> None:
    async def story(net: Network) -> None:
        net.gateway.evidence = lambda: Evidence(2 * MOST_AHEAD, part=bytes(MIB)).parts()
        async with aclosing(net.client.inspect(HOME, ORDER)) as first:
            await anext(first)
            async with aclosing(net.client.inspect(HOME, ORDER)) as second:
                await anext(second)
                with pytest.raises(PeerUnreachable, match="too busy"):
                    await whole(net)
                await net.client.prove_journal(HOME, LEAF, 0)
            await until(lambda: calls_counted(net, "CANCELLED") == 1)
            third = await whole(net)

        assert len(third) == 2 * MOST_AHEAD
        assert calls_counted(net, "RESOURCE_EXHAUSTED") == 1
        assert net.gateway.orders == [(BANK, ORDER)] * (OPEN_TOGETHER + 1)

    play(story)


def test_a_refused_inspection_gives_its_place_back() -> None:
    async def story(net: Network) -> None:
        net.gateway.outcome = refused(Refusal.NOT_READY)
        for _ in range(OPEN_TOGETHER + 1):
            with pytest.raises(PeerRefused):
                await whole(net)
        net.gateway.outcome = None

        assert await whole(net) == [b"first ", b"second"]

    play(story)


def test_a_call_that_ends_early_closes_what_makes_its_parts() -> None:
    async def story(net: Network) -> None:
        evidence = Evidence(part=bytes(MIB))
        net.gateway.evidence = evidence.parts

        async with aclosing(net.client.inspect(HOME, ORDER)) as parts:
            await anext(parts)
        await until(evidence.closed.is_set)

        assert evidence.made < MOST_AHEAD
        assert all(name.startswith("calls") for name in evidence.threads)

    play(story)


def test_what_makes_parts_is_never_closed_while_it_makes_one() -> None:
    async def story(net: Network) -> None:
        evidence = Evidence(3, held=1)
        net.gateway.evidence = evidence.parts

        async with aclosing(net.client.inspect(HOME, ORDER)) as parts:
            await anext(parts)
            await until(evidence.waiting.is_set)
        await asyncio.sleep(A_WHILE)
        closed_meanwhile = evidence.closed.is_set()
        evidence.go_on.set()
        await until(lambda: calls_counted(net, "CANCELLED"))

        assert not closed_meanwhile
        assert evidence.closed.is_set()
        assert evidence.made == 2

    play(story)


def test_a_server_that_stops_closes_what_makes_parts_before_it_is_gone() -> None:
    async def story(net: Network) -> None:
        evidence = Evidence(part=bytes(MIB))
        net.gateway.evidence = evidence.parts

        async with aclosing(net.client.inspect(HOME, ORDER)) as parts:
            await anext(parts)
            await net.server.stop(grace=0)

            assert evidence.closed.is_set()
            with pytest.raises(PeerUnreachable):
                [part async for part in parts]

    play(story)


def test_a_caller_delisted_while_evidence_streams_gets_no_further_part() -> None:
    async def story(net: Network) -> None:
        evidence = Evidence(9, held=1)
        net.gateway.evidence = evidence.parts

        parts = net.client.inspect(HOME, ORDER)
        first = await anext(parts)
        await until(evidence.waiting.is_set)
        net.gateway.list_certificate(net.bank.certificate, refuse(Refusal.KEY_REVOKED, ""))
        evidence.go_on.set()
        with pytest.raises(PeerRefused) as failure:
            await anext(parts)

        assert first == b"part"
        assert failure.value.answer == RefusedAnswer(refused=refuse(Refusal.KEY_REVOKED, ""), leaf=b"")
        assert refusals_counted(net, Refusal.KEY_REVOKED) == 1
        assert evidence.closed.is_set()

    play(story)


def test_an_inspection_is_no_duty_that_outlives_an_admission() -> None:
    async def story(net: Network) -> None:
        net.gateway.end_admission(net.bank.certificate)

        with pytest.raises(PeerRefused) as failure:
            await whole(net)

        assert failure.value.answer.refused.reason is Refusal.PEER_SUSPENDED
        assert net.gateway.orders == []

    assert Method.INSPECT not in OUTLIVING
    play(story)


@pytest.mark.parametrize("made", [0, 2])
def test_evidence_that_breaks_is_not_taken_for_whole(made: int) -> None:
    async def story(net: Network) -> None:
        evidence = Evidence(made, failure=RuntimeError("the secret of the house"))
        net.gateway.evidence = evidence.parts
        parts = net.client.inspect(HOME, ORDER)

        got = [await anext(parts) for _ in range(made)]
        with pytest.raises(PeerUnreachable, match="INTERNAL"):
            await anext(parts)

        assert got == [b"part"] * made
        await until(lambda: calls_counted(net, "INTERNAL") == 1)

    play(story)


def test_evidence_that_breaks_when_its_reader_is_gone_logs_no_words(caplog: pytest.LogCaptureFixture) -> None:
    evidence = Evidence(2, held=1)

    def breaking() -> Iterator[bytes]:
        parts = evidence.parts()
        yield next(parts)
        next(parts)
        raise RuntimeError("the secret of the house")

    async def story(net: Network) -> None:
        net.gateway.evidence = breaking
        async with aclosing(net.client.inspect(HOME, ORDER)) as parts:
            await anext(parts)
            await until(evidence.waiting.is_set)
        evidence.go_on.set()
        # The server hears that its reader is gone before the evidence breaks, or behind it.
        await until(lambda: calls_counted(net, "CANCELLED") + calls_counted(net, "INTERNAL"))

    with caplog.at_level(logging.DEBUG):
        play(story)
        gc.collect()
    assert evidence.made == 2
    assert "secret" not in caplog.text


def test_a_bug_in_deciding_is_no_refusal() -> None:
    async def story(net: Network) -> None:
        def broken() -> NoReturn:
            raise RuntimeError("the secret of the house")

        net.gateway.evidence = broken
        with pytest.raises(PeerUnreachable, match="INTERNAL"):
            await whole(net)

    play(story)


BAD_PARTS = {
    "empty": b"",
    "too large": part_to_wire(bytes(LARGEST_PART + 1)),
    "oversized": bytes(LARGEST_PART + KIB + 1),
    "unknown field": part_to_wire(b"part") + b"\xf8\x07\x01",
    "truncated": part_to_wire(b"part")[:-1],
}


@pytest.mark.parametrize("raw", BAD_PARTS.values(), ids=BAD_PARTS)
def test_a_part_that_is_not_one_ends_the_call(raw: bytes) -> None:
    async def behaviour(_: bytes, __: object) -> AsyncIterator[bytes]:
        for message in (part_to_wire(b"good"), raw, part_to_wire(b"never read")):
            yield message

    async def story() -> None:
        async with inspected(behaviour) as client:
            parts = client.inspect(HOME, ORDER)
            assert await anext(parts) == b"good"
            with pytest.raises(BadAnswer):
                await anext(parts)

    asyncio.run(asyncio.wait_for(story(), timeout=60))


def test_a_peer_that_streams_more_than_is_taken_is_held_back_and_left() -> None:
    sent = []
    left = asyncio.Event()

    async def behaviour(raw: bytes, __: object) -> AsyncIterator[bytes]:
        assert inspection_pb2.InspectRequest.FromString(raw).order == ORDER
        try:
            for number in range(1000):
                sent.append(number)
                yield part_to_wire(bytes(MIB))
        finally:
            left.set()

    async def story() -> None:
        async with inspected(behaviour) as client:
            async with aclosing(client.inspect(HOME, ORDER)) as parts:
                taken = [await anext(parts) for _ in range(3)]
                await asyncio.sleep(A_WHILE)
            await asyncio.wait_for(left.wait(), PATIENCE)
        assert len(taken) == 3
        assert len(sent) < MOST_AHEAD

    asyncio.run(asyncio.wait_for(story(), timeout=60))


@asynccontextmanager
async def inspected(behaviour: Behaviour) -> AsyncIterator[PeerClient]:
    """A client of a peer that answers Inspect as it likes."""
    home, bank = identity(HOME), identity(BANK)
    tls = ServerTls(home)
    tls.trust([bank.certificate])
    methods: dict[str, grpc.RpcMethodHandler[bytes, bytes]] = {
        Method.INSPECT.short_name: grpc.unary_stream_rpc_method_handler(behaviour)
    }
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(Method.INSPECT.service, methods),))
    port = server.add_secure_port("127.0.0.1:0", tls.credentials(lambda: None))
    await server.start()
    address = PeerAddress(endpoint=f"127.0.0.1:{port}", certificate=home.certificate)
    client = PeerClient(bank, lambda *_: address, Asker())
    try:
        yield client
    finally:
        await client.close()
        await server.stop(grace=0)
