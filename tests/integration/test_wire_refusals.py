"""What does not reach an operation: each way to be wrong has its code, and is counted."""

import asyncio
import gc
import logging
import threading
import urllib.request
from collections.abc import Awaitable
from itertools import islice
from typing import NoReturn

import grpc
import pytest
from creditport.v1 import exchange_pb2

from agreements.refusal import NUMBER, Refusal
from node.operations.asked import Answered
from node.wire.errors import PeerUnreachable
from node.wire.guard import CallLimits
from node.wire.methods import BOUNDS, LARGEST_MESSAGE, Method
from node.wire.metrics import metrics_server
from node.wire.outgoing import batch_query_call_to_wire, push_frame_to_wire, query_call_to_wire
from node.wire.peers import PeerClient
from node.wire.refusals import refusal_from_error
from node.wire.server import ServerOptions
from tests.integration.wire_network import BANK, BANK_CHECKPOINT, HOME, LEAF, Network, play, pushed_frame, query_call

QUERY = query_call_to_wire(query_call()).raw
AN_UNKNOWN_FIELD = b"\xf8\x07\x01"
EPOCH_ONE, EPOCH_ONE_TOO_LONG = b"\x18\x01", b"\x18\x81\x00"

BAD_QUERIES = {
    "oversized": (QUERY + b"\x00" * BOUNDS[Method.QUERY].request, Refusal.OVERSIZED),
    "truncated": (QUERY[:-5], Refusal.MALFORMED),
    "unknown field": (QUERY + AN_UNKNOWN_FIELD, Refusal.UNKNOWN_FIELD),
    "non-minimal number": (QUERY.replace(EPOCH_ONE, EPOCH_ONE_TOO_LONG, 1), Refusal.MALFORMED),
    "empty": (b"", Refusal.MALFORMED),
}


async def failure_of(call: Awaitable[object]) -> grpc.aio.AioRpcError:
    with pytest.raises(grpc.aio.AioRpcError) as failure:
        await call
    return failure.value


PATIENCE = 30.0


def sample(net: Network, name: str, **labels: str) -> float:
    return net.metrics.registry.get_sample_value(name, labels) or 0.0


async def call_counted(net: Network, code: str) -> bool:
    """Whether one query is counted with this code; a call is counted right behind its answer, not before it."""
    async with asyncio.timeout(PATIENCE):
        while sample(net, "creditport_calls_total", method=Method.QUERY, code=code) != 1:  # noqa: ASYNC110 - a counter tells nobody
            await asyncio.sleep(0.01)
    return True


@pytest.mark.parametrize(("raw", "reason"), BAD_QUERIES.values(), ids=BAD_QUERIES)
def test_bytes_that_are_no_permitted_query_are_refused_journalled_and_counted(raw: bytes, reason: Refusal) -> None:
    async def story(net: Network) -> None:
        error = await failure_of(net.call(Method.QUERY, raw))
        answer = refusal_from_error(error)

        assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert answer is not None
        assert (answer.refused.reason, answer.leaf) == (reason, LEAF)
        assert "expected" in answer.refused.detail
        assert [(peer, method) for peer, method, _ in net.gateway.edge_refusals] == [(BANK, Method.QUERY)]
        assert net.gateway.queries == []
        assert sample(net, "creditport_refusals_total", reason=reason.value) == 1
        assert await call_counted(net, "INVALID_ARGUMENT")

    play(story)


STREAMS: dict[Method, type[exchange_pb2.BatchQueryResponse | exchange_pb2.PushFramesResponse]] = {
    Method.BATCH_QUERY: exchange_pb2.BatchQueryResponse,
    Method.PUSH_FRAMES: exchange_pb2.PushFramesResponse,
}


@pytest.mark.parametrize("method", STREAMS)
def test_every_stream_refuses_an_unknown_field_in_its_response(method: Method) -> None:
    async def story(net: Network) -> None:
        [raw] = await net.stream(method, AN_UNKNOWN_FIELD)
        refusal = STREAMS[method].FromString(raw).refusal

        assert refusal.reason == NUMBER[Refusal.UNKNOWN_FIELD]
        assert [(peer, called) for peer, called, _ in net.gateway.edge_refusals] == [(BANK, method)]

    play(story)


@pytest.mark.parametrize("method", [method for method in Method if method not in STREAMS])
def test_every_method_refuses_an_unknown_field(method: Method) -> None:
    async def story(net: Network) -> None:
        answer = refusal_from_error(await failure_of(net.call(method, AN_UNKNOWN_FIELD)))

        assert answer is not None
        assert answer.refused.reason is Refusal.UNKNOWN_FIELD

    play(story)


@pytest.mark.parametrize(("raw", "reason"), BAD_QUERIES.values(), ids=BAD_QUERIES)
def test_a_bad_message_in_a_stream_is_refused_in_its_response(raw: bytes, reason: Refusal) -> None:
    async def story(net: Network) -> None:
        raw_message = raw + b"\x00" * (BOUNDS[Method.BATCH_QUERY].request if reason is Refusal.OVERSIZED else 0)
        answers = await net.stream(Method.BATCH_QUERY, raw_message)
        response = exchange_pb2.BatchQueryResponse.FromString(answers[0])

        assert response.request_id == b""
        assert response.refusal.journal_leaf == LEAF
        assert exchange_pb2.BatchQueryResponse.WhichOneof(response, "outcome") == "refusal"
        assert sample(net, "creditport_refusals_total", reason=reason.value) == 1

    play(story)


def test_what_is_too_large_for_grpc_itself_is_counted_as_stopped_by_transport() -> None:
    async def story(net: Network) -> None:
        error = await failure_of(net.call(Method.QUERY, bytes(LARGEST_MESSAGE + 1)))
        await net.client.read_registry(HOME, 0)

        assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert refusal_from_error(error) is None
        assert net.metrics.stopped_by_transport == 1
        assert sample(net, "creditport_calls_stopped_by_transport") == 1
        assert sample(net, "creditport_calls_started_total", method=Method.QUERY) == 1

    play(story)


def test_a_method_that_does_not_exist_is_unimplemented_and_leaves_no_label() -> None:
    async def story(net: Network) -> None:
        error = await failure_of(net.call("/creditport.v1.ExchangeService/Guess", b""))

        assert error.code() is grpc.StatusCode.UNIMPLEMENTED
        assert b"Guess" not in _exposition(net)

    play(story)


def test_a_call_that_takes_longer_than_the_cap_is_ended() -> None:
    async def story(net: Network) -> None:
        net.gateway.hold = threading.Event()

        error = await failure_of(net.call(Method.QUERY, QUERY))
        net.gateway.hold.set()

        assert error.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        assert await call_counted(net, "DEADLINE_EXCEEDED")

    play(story, ServerOptions(calls=CallLimits(deadline=0.05)))


def test_a_client_waits_no_longer_than_its_deadline() -> None:
    async def story(net: Network) -> None:
        net.gateway.hold = threading.Event()
        client = PeerClient(net.bank, lambda *_: net.address, net.asker, {Method.QUERY: 0.05})

        with pytest.raises(PeerUnreachable, match="did not answer in time"):
            await client.query(HOME, query_call_to_wire(query_call()))
        net.gateway.hold.set()
        await client.close()

    play(story)


def test_a_bug_tells_the_peer_nothing_of_itself() -> None:
    async def story(net: Network) -> None:
        def broken(_: object) -> NoReturn:
            raise RuntimeError("the secret of the house")

        net.gateway.answer = broken
        error = await failure_of(net.call(Method.QUERY, QUERY))

        assert error.code() is grpc.StatusCode.INTERNAL
        assert error.details() == "internal error"
        assert await call_counted(net, "INTERNAL")

    play(story)


def test_a_broken_operation_fails_a_stream_and_not_the_server() -> None:
    async def story(net: Network) -> None:
        def broken(_: object) -> NoReturn:
            raise RuntimeError("the secret of the house")

        working, net.gateway.answer = net.gateway.answer, broken
        net.gateway.take = broken
        for method, message in ((Method.BATCH_QUERY, _batch_message()), (Method.PUSH_FRAMES, _pushed_message())):
            error = await failure_of(net.stream(method, message))
            assert (error.code(), error.details()) == (grpc.StatusCode.INTERNAL, "internal error")
        net.gateway.answer = working
        await net.call(Method.QUERY, QUERY)

    play(story)


@pytest.mark.parametrize("method", STREAMS)
def test_an_operation_that_breaks_for_several_messages_of_a_stream_logs_no_words(
    method: Method, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_: object) -> NoReturn:
        raise RuntimeError("the secret of the house")

    async def story(net: Network) -> None:
        # The first goes alone; while it is held the others come, and then break together.
        first_answer, first_taken = net.gateway.answer, net.gateway.take
        net.gateway.answer = lambda asked: broken(asked) if net.gateway.queries[1:] else first_answer(asked)
        net.gateway.take = lambda frame: broken(frame) if net.gateway.pushed[1:] else first_taken(frame)
        net.gateway.hold, net.gateway.release_when_met = threading.Event(), 1 + 4
        message = _batch_message() if method is Method.BATCH_QUERY else _pushed_message()

        error = await failure_of(net.stream(method, *[message] * 4))

        assert error.code() is grpc.StatusCode.INTERNAL

    with caplog.at_level(logging.ERROR):
        play(story)
        gc.collect()
    assert "secret" not in caplog.text


def test_calls_beyond_those_that_may_wait_are_turned_away_as_busy() -> None:
    async def story(net: Network) -> None:
        net.gateway.hold = threading.Event()
        calls = [asyncio.ensure_future(net.client.query(HOME, query_call_to_wire(query_call(n)))) for n in range(8)]
        for first_done in islice(asyncio.as_completed(calls), 8 - 1 - 2):
            with pytest.raises(PeerUnreachable, match="too busy"):
                await first_done
        net.gateway.hold.set()
        answers = await asyncio.gather(*calls, return_exceptions=True)

        assert sum(isinstance(answer, Answered) for answer in answers) == 1 + 2

    play(story, ServerOptions(calls=CallLimits(executing=1, waiting=2)))


def test_streams_beyond_the_limit_are_turned_away_as_busy() -> None:
    async def story(net: Network) -> None:
        async with net.channel(net.bank) as channel:
            ask: grpc.aio.StreamStreamMultiCallable[bytes, bytes] = channel.stream_stream(Method.BATCH_QUERY)
            first = ask(timeout=20)
            await first.write(_batch_message())
            await first.read()
            error = await failure_of(net.stream(Method.BATCH_QUERY))
            await first.done_writing()
            assert await first.read() is grpc.aio.EOF

        assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED

    play(story, ServerOptions(calls=CallLimits(streams=1)))


def test_queries_that_come_while_one_is_answered_share_two_operations() -> None:
    async def story(net: Network) -> None:
        net.gateway.hold, net.gateway.release_when_met = threading.Event(), 64
        calls = [net.client.query(HOME, query_call_to_wire(query_call(n))) for n in range(64)]
        answers = await asyncio.gather(*calls)

        assert len(answers) == 64
        assert sorted(len(batch) for batch in net.gateway.queries) == [1, 31, 32]

    play(story)


def test_the_counters_are_served_as_text_on_loopback() -> None:
    async def story(net: Network) -> None:
        await net.client.read_registry(HOME, 0)
        text = _exposition(net)

        assert b'creditport_calls_total{code="OK",method="/creditport.v1.RegistryService/ReadRegistry"} 1.0' in text
        assert b"creditport_handshakes_total 1.0" in text
        assert BANK.encode() not in text

    play(story)


def _batch_message() -> bytes:
    return batch_query_call_to_wire(query_call(items=2)).raw


def _pushed_message() -> bytes:
    return push_frame_to_wire(pushed_frame(1)[1], BANK_CHECKPOINT)


def _exposition(net: Network) -> bytes:
    server = metrics_server(net.metrics, 0)
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/metrics", timeout=20) as page:
            return bytes(page.read())
    finally:
        server.close()
