"""Frames that are pushed and notices that are delivered, over real connections: in order, in bounds, to the end."""

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from typing import NoReturn

import grpc
import pytest
from creditport.v1 import common_pb2, exchange_pb2

from agreements.refusal import NUMBER, Refusal, refuse
from node.domain.troubles import Trouble
from node.operations.asked import FrameArrived, FrameRefused, FrameStored, NoticesTaken, RefusedAnswer
from node.wire.ahead import MESSAGES_AHEAD
from node.wire.codec import pushed_to_wire
from node.wire.errors import BadAnswer, PeerRefused, PeerUnreachable
from node.wire.guard import Stream
from node.wire.methods import LARGEST_BODY, LARGEST_CHECKPOINT, LARGEST_HEADER, LARGEST_MESSAGE, Method
from node.wire.outgoing import notices_to_wire, push_frame_to_wire, query_call_to_wire
from node.wire.peers import PeerAddress, PeerClient
from node.wire.refusals import refusal_from_error
from node.wire.servicers import FRAMES_TOGETHER
from node.wire.tls import ServerTls
from registry.parties import PartyId
from tests.integration.wire_network import (
    BANK,
    BANK_CHECKPOINT,
    CHECKPOINT,
    HOME,
    LEAF,
    Asker,
    Network,
    frame_refused,
    identity,
    play,
    pushed_frame,
    query_call,
    refused,
    stored,
)

Outcome = FrameStored | FrameRefused
Behaviour = Callable[[AsyncIterator[bytes], Stream], AsyncIterator[bytes]]

PATIENCE = 30.0


@dataclass
class Source:
    """Frames to push, the second and later ones when `going_on`.

    It remembers how many were taken, how far ahead of the answers, and whether it was closed.
    """

    count: int
    going_on: asyncio.Event | None = None
    failure: Exception | None = None
    answers: list[Outcome] = field(default_factory=list)
    taken: int = 0
    most_ahead: int = 0
    closed: bool = False
    far_ahead: threading.Event = field(default_factory=threading.Event)

    async def frames(self) -> AsyncIterator[tuple[bytes, FrameArrived]]:
        try:
            for number in range(self.count):
                if number and self.going_on:
                    await self.going_on.wait()
                self.taken += 1
                self.most_ahead = max(self.most_ahead, self.taken - len(self.answers))
                if self.most_ahead > MESSAGES_AHEAD:
                    self.far_ahead.set()
                yield pushed_frame(number)
            if self.failure is not None:
                raise self.failure
        finally:
            self.closed = True

    async def push(self, client: PeerClient) -> list[Outcome]:
        async for outcome in client.push_frames(HOME, self.frames()):
            self.answers.append(outcome)
        return self.answers


def message(number: int, body: bytes = b"sealed") -> bytes:
    return push_frame_to_wire(pushed_frame(number, body)[1], BANK_CHECKPOINT)


def answered(raw: bytes) -> exchange_pb2.PushFramesResponse:
    return exchange_pb2.PushFramesResponse.FromString(raw)


def names(*numbers: int) -> list[bytes]:
    return [pushed_frame(number)[0] for number in numbers]


def refusals_counted(net: Network, reason: Refusal) -> float:
    return net.metrics.registry.get_sample_value("creditport_refusals_total", {"reason": reason.value}) or 0.0


def test_pushed_frames_arrive_byte_for_byte_and_are_answered_in_order() -> None:
    async def story(net: Network) -> None:
        source = Source(100)

        outcomes = await source.push(net.client)

        sent = [pushed_frame(number)[1] for number in range(100)]
        assert [frame for together in net.gateway.pushed for frame in together] == sent
        assert outcomes == [stored(frame) for frame in sent]
        assert net.gateway.seen == [(BANK, BANK_CHECKPOINT)] * 100
        assert net.asker.seen == [(HOME, CHECKPOINT)] * 100
        assert source.closed

    play(story)


def test_a_frame_that_is_refused_does_not_end_the_stream() -> None:
    def take(frame: FrameArrived) -> Outcome:
        return frame_refused(frame, Refusal.SIGNATURE_INVALID) if frame.header[-1] % 3 == 1 else stored(frame)

    async def story(net: Network) -> None:
        net.gateway.take = take

        outcomes = await Source(6).push(net.client)

        assert [outcome.frame for outcome in outcomes] == names(*range(6))
        assert [isinstance(outcome, FrameRefused) for outcome in outcomes] == [False, True, False] * 2
        assert outcomes[1] == frame_refused(pushed_frame(1)[1], Refusal.SIGNATURE_INVALID)
        assert refusals_counted(net, Refusal.SIGNATURE_INVALID) == 2
        assert net.gateway.edge_refusals == []

    play(story)


def with_frame(**fields: bytes) -> bytes:
    frame = common_pb2.Frame(**({"header": b"h", "body": b"b"} | fields))
    return exchange_pb2.PushFramesRequest(frame=frame).SerializeToString(deterministic=True)


BAD_MESSAGES = {
    "empty": (b"", Refusal.MALFORMED),
    "truncated": (message(9)[:-5], Refusal.MALFORMED),
    "unknown field": (message(9) + b"\xf8\x07\x01", Refusal.UNKNOWN_FIELD),
    "no header": (with_frame(header=b""), Refusal.MALFORMED),
    "header too large": (with_frame(header=bytes(LARGEST_HEADER + 1)), Refusal.MALFORMED),
    "no body": (with_frame(body=b""), Refusal.MALFORMED),
    "body too large": (with_frame(body=bytes(LARGEST_BODY + 1)), Refusal.MALFORMED),
    "fields in another order": (
        exchange_pb2.PushFramesRequest(checkpoint=b"c").SerializeToString() + with_frame(),
        Refusal.MALFORMED,
    ),
}


@pytest.mark.parametrize(("bad", "reason"), BAD_MESSAGES.values(), ids=BAD_MESSAGES)
def test_a_misshapen_message_is_refused_in_its_response_and_the_stream_goes_on(bad: bytes, reason: Refusal) -> None:
    async def story(net: Network) -> None:
        answers = [answered(raw) for raw in await net.stream(Method.PUSH_FRAMES, message(1), bad, message(2))]

        assert [answer.frame_id for answer in answers] == [*names(1), b"", *names(2)]
        assert [answer.WhichOneof("outcome") for answer in answers] == ["journal_leaf", "refusal", "journal_leaf"]
        assert (answers[1].refusal.reason, answers[1].refusal.journal_leaf) == (NUMBER[reason], LEAF)
        assert "expected" in answers[1].refusal.detail
        assert [(peer, method) for peer, method, _ in net.gateway.edge_refusals] == [(BANK, Method.PUSH_FRAMES)]
        assert refusals_counted(net, reason) == 1

    play(story)


def test_a_misshapen_message_reaches_whoever_pushed_it_as_a_refusal_without_a_name() -> None:
    async def source() -> AsyncIterator[tuple[bytes, FrameArrived]]:
        yield pushed_frame(1)
        yield names(2)[0], FrameArrived(header=b"", body=b"sealed")

    async def story(net: Network) -> None:
        first, second = [outcome async for outcome in net.client.push_frames(HOME, source())]

        assert first == stored(pushed_frame(1)[1])
        assert isinstance(second, FrameRefused)
        assert (second.frame, second.answer.refused.reason) == (b"", Refusal.MALFORMED)

    play(story)


def test_frames_that_come_while_one_is_taken_in_are_taken_in_together_in_bounds() -> None:
    async def story(net: Network) -> None:
        net.gateway.hold, net.gateway.release_after = threading.Event(), 2 * FRAMES_TOGETHER

        answers = await net.stream(Method.PUSH_FRAMES, *(message(number) for number in range(60)))

        assert [answered(raw).frame_id for raw in answers] == names(*range(60))
        sizes = [len(together) for together in net.gateway.pushed]
        assert sizes[:2] == [1, FRAMES_TOGETHER]
        assert max(sizes) == FRAMES_TOGETHER
        assert net.gateway.most_in_hand == 2 * FRAMES_TOGETHER

    play(story)


def test_frames_are_taken_from_their_source_no_further_ahead_than_a_few_of_their_answers() -> None:
    async def story(net: Network) -> None:
        source = Source(60)

        def take(frame: FrameArrived) -> Outcome:
            if frame != pushed_frame(0)[1]:
                assert source.far_ahead.wait(PATIENCE)
            return stored(frame)

        net.gateway.take = take

        assert len(await source.push(net.client)) == 60
        assert source.most_ahead == MESSAGES_AHEAD + 1

    play(story)


def test_the_largest_frame_goes_through_and_what_grpc_does_not_let_in_ends_the_stream_only() -> None:
    async def story(net: Network) -> None:
        largest = FrameArrived(header=bytes(LARGEST_HEADER), body=bytes(LARGEST_BODY))
        raw = push_frame_to_wire(largest, bytes(LARGEST_CHECKPOINT))
        whole = await net.stream(Method.PUSH_FRAMES, *[raw] * 10)
        with pytest.raises(grpc.aio.AioRpcError) as failure:
            await net.stream(Method.PUSH_FRAMES, message(1), bytes(LARGEST_MESSAGE + 1))
        [after] = await Source(1).push(net.client)

        assert [answered(one).WhichOneof("outcome") for one in whole] == ["journal_leaf"] * 10
        assert failure.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert isinstance(after, FrameStored)

    play(story)


def test_a_caller_delisted_while_its_stream_is_open_pushes_nothing_more() -> None:
    async def story(net: Network) -> None:
        going_on = asyncio.Event()
        async with aclosing(net.client.push_frames(HOME, Source(4, going_on).frames())) as outcomes:
            first = await anext(outcomes)
            net.gateway.list_certificate(net.bank.certificate, refuse(Refusal.KEY_REVOKED, ""))
            going_on.set()
            others = [outcome async for outcome in outcomes]

        assert first == stored(pushed_frame(0)[1])
        answer = RefusedAnswer(refused=refuse(Refusal.KEY_REVOKED, ""), leaf=b"")
        assert others == [FrameRefused(frame=b"", answer=answer)] * 3
        assert [len(together) for together in net.gateway.pushed] == [1]
        assert net.gateway.edge_refusals == []
        assert refusals_counted(net, Refusal.KEY_REVOKED) == 3

    play(story)


def test_a_party_whose_admission_ended_still_brings_receipts_and_notices_and_nothing_else() -> None:
    async def story(net: Network) -> None:
        net.gateway.end_admission(net.bank.certificate)

        await net.client.deliver_receipts(HOME, b"receipts")
        taken = await net.client.deliver_notices(HOME, b"notices", None)

        assert net.gateway.documents == [(BANK, b"receipts")]
        assert taken == NoticesTaken(expected=8)
        source = Source(3)
        for attempt in (
            source.push(net.client),
            net.client.query(HOME, query_call_to_wire(query_call())),
            net.client.read_registry(HOME, 0),
            net.client.deliver_document(HOME, b"terms"),
        ):
            assert await reason_of(attempt) is Refusal.PEER_SUSPENDED
        assert source.taken == 0
        assert not net.gateway.pushed
        assert not net.gateway.queries

    play(story)


def test_a_stream_that_was_open_when_the_admission_ended_takes_nothing_more() -> None:
    async def story(net: Network) -> None:
        going_on = asyncio.Event()
        async with aclosing(net.client.push_frames(HOME, Source(2, going_on).frames())) as outcomes:
            await anext(outcomes)
            net.gateway.end_admission(net.bank.certificate)
            going_on.set()
            second = await anext(outcomes)

        assert isinstance(second, FrameRefused)
        assert second.answer.refused.reason is Refusal.PEER_SUSPENDED

    play(story)


def test_the_bearer_of_a_compromised_key_brings_no_notices_either() -> None:
    async def story(net: Network) -> None:
        net.gateway.list_certificate(net.bank.certificate, refuse(Refusal.KEY_REVOKED, ""))

        assert await reason_of(net.client.deliver_notices(HOME, b"notices", None)) is Refusal.KEY_REVOKED
        assert await reason_of(net.client.deliver_receipts(HOME, b"receipts")) is Refusal.KEY_REVOKED
        assert not net.gateway.notices
        assert not net.gateway.documents

    play(story)


@pytest.mark.parametrize("replacement", [None, pushed_frame(7)[1]], ids=["alone", "with new versions"])
def test_notices_arrive_byte_for_byte_and_the_holder_says_what_it_expects_next(
    replacement: FrameArrived | None,
) -> None:
    async def story(net: Network) -> None:
        taken = await net.client.deliver_notices(HOME, b"batch", replacement)

        assert taken == NoticesTaken(expected=8)
        assert net.gateway.notices == [(BANK, b"batch", replacement)]
        assert net.gateway.seen == [(BANK, BANK_CHECKPOINT)]
        assert net.asker.seen == [(HOME, CHECKPOINT)]

    play(story)


def test_new_versions_that_are_not_taken_in_are_told_beside_the_notices_that_are() -> None:
    async def story(net: Network) -> None:
        net.gateway.taken = NoticesTaken(expected=2**40, refused=refused(Refusal.SEAL_INVALID))

        assert await net.client.deliver_notices(HOME, b"batch", pushed_frame(7)[1]) == net.gateway.taken
        assert refusals_counted(net, Refusal.SEAL_INVALID) == 1

    play(story)


def test_notices_that_are_refused_as_a_whole_say_why() -> None:
    async def story(net: Network) -> None:
        net.gateway.outcome = refused(Refusal.SIGNATURE_INVALID)

        with pytest.raises(PeerRefused) as failure:
            await net.client.deliver_notices(HOME, b"batch", None)

        assert failure.value.answer == refused(Refusal.SIGNATURE_INVALID)

    play(story)


def test_misshapen_notices_are_refused_and_journalled() -> None:
    async def story(net: Network) -> None:
        with pytest.raises(grpc.aio.AioRpcError) as failure:
            await net.call(Method.DELIVER_NOTICES, notices_to_wire(b"", None, b""))

        answer = refusal_from_error(failure.value)
        assert answer is not None
        assert (answer.refused.reason, answer.leaf) == (Refusal.MALFORMED, LEAF)
        assert [(peer, method) for peer, method, _ in net.gateway.edge_refusals] == [(BANK, Method.DELIVER_NOTICES)]
        assert net.gateway.notices == []

    play(story)


def test_when_there_is_nothing_to_push_nothing_is_answered() -> None:
    async def story(net: Network) -> None:
        assert await Source(0).push(net.client) == []

    play(story)


@pytest.mark.parametrize("count", [0, 1, 5])
def test_a_source_that_fails_is_heard_when_all_that_was_sent_is_answered(count: int) -> None:
    async def story(net: Network) -> None:
        source = Source(count, failure=RuntimeError("no more"))

        with pytest.raises(RuntimeError, match="no more"):
            await source.push(net.client)

        assert [outcome.frame for outcome in source.answers] == names(*range(count))

    play(story)


def test_a_source_is_closed_when_the_stream_is_left_or_fails_or_never_begins() -> None:
    def broken(_: object) -> NoReturn:
        raise RuntimeError("the secret of the house")

    async def story(net: Network) -> None:
        left, failed, unknown = Source(100), Source(100), Source(100)
        async with aclosing(net.client.push_frames(HOME, left.frames())) as outcomes:
            await anext(outcomes)
        net.gateway.take = broken
        with pytest.raises(PeerUnreachable):
            await failed.push(net.client)
        waiting = unknown.frames()
        await anext(waiting)
        with pytest.raises(PeerUnreachable, match="lists no admitted party"):
            await anext(net.client.push_frames(PartyId("nobody"), waiting))

        assert [left.closed, failed.closed, unknown.closed] == [True] * 3

    play(story)


def test_frames_that_are_not_answered_in_time_are_no_answer() -> None:
    async def story(net: Network) -> None:
        net.gateway.hold = threading.Event()
        client = PeerClient(net.bank, lambda *_: net.address, net.asker, {Method.PUSH_FRAMES: 0.05})
        source = Source(3)

        with pytest.raises(PeerUnreachable, match="did not answer in time"):
            await source.push(client)
        net.gateway.hold.set()
        await client.close()

        assert source.closed

    play(story)


async def ends_early(requests: AsyncIterator[bytes], call: Stream) -> AsyncIterator[bytes]:
    await call.send_initial_metadata(())
    await anext(requests)
    yield pushed_to_wire(stored(pushed_frame(0)[1]), b"")


async def answers_twice(requests: AsyncIterator[bytes], call: Stream) -> AsyncIterator[bytes]:
    await call.send_initial_metadata(())
    await anext(requests)
    for _again in range(2):
        yield pushed_to_wire(stored(pushed_frame(0)[1]), b"")
    await anext(requests)


async def names_another(requests: AsyncIterator[bytes], call: Stream) -> AsyncIterator[bytes]:
    await call.send_initial_metadata(())
    await anext(requests)
    yield pushed_to_wire(stored(pushed_frame(99)[1]), b"")


async def never_takes(requests: AsyncIterator[bytes], _: Stream) -> AsyncIterator[bytes]:
    async for _request in requests:
        yield b""


def test_a_peer_that_does_not_take_a_stream_is_not_waited_for_as_long_as_for_a_whole_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("node.wire.ahead._TAKING", 0.05)

    async def story() -> None:
        async with pushing_to(never_takes) as (client, more):
            with pytest.raises(PeerUnreachable) as failure:
                [outcome async for outcome in client.push_frames(HOME, more)]
            assert failure.value.trouble is Trouble.NO_ANSWER

    asyncio.run(asyncio.wait_for(story(), timeout=60))


@pytest.mark.parametrize(
    ("behaviour", "words"),
    [
        (ends_early, "left messages of the stream without an answer"),
        (answers_twice, "answered what it was not asked"),
        (names_another, "frame_id: expected that of the frame"),
    ],
)
def test_a_peer_that_does_not_answer_frame_by_frame_gave_a_bad_answer(behaviour: Behaviour, words: str) -> None:
    async def story() -> None:
        async with pushing_to(behaviour) as (client, more):
            answers = client.push_frames(HOME, more)
            with pytest.raises(BadAnswer, match=words):
                [outcome async for outcome in answers]

    asyncio.run(asyncio.wait_for(story(), timeout=60))


@asynccontextmanager
async def pushing_to(
    behaviour: Behaviour,
) -> AsyncIterator[tuple[PeerClient, AsyncIterator[tuple[bytes, FrameArrived]]]]:
    """A peer that behaves badly, a client of it, and a source that has one frame and never says that it has no more."""
    home, bank = identity(HOME), identity(BANK)
    tls = ServerTls(home)
    tls.trust([bank.certificate])
    methods: dict[str, grpc.RpcMethodHandler[bytes, bytes]] = {
        Method.PUSH_FRAMES.short_name: grpc.stream_stream_rpc_method_handler(behaviour)
    }
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(Method.PUSH_FRAMES.service, methods),))
    port = server.add_secure_port("127.0.0.1:0", tls.credentials(lambda: None))
    await server.start()
    address = PeerAddress(endpoint=f"127.0.0.1:{port}", certificate=home.certificate)
    client = PeerClient(bank, lambda *_: address, Asker())

    async def one_frame_and_silence() -> AsyncIterator[tuple[bytes, FrameArrived]]:
        yield pushed_frame(0)
        await asyncio.Event().wait()

    try:
        yield client, one_frame_and_silence()
    finally:
        await client.close()
        await server.stop(grace=0)


async def reason_of(attempt: Awaitable[object]) -> Refusal:
    """The reason with which the peer refuses."""
    with pytest.raises(PeerRefused) as failure:
        await attempt
    return failure.value.answer.refused.reason
