"""The asking side: calls to peers, over channels that trust exactly what the registry lists."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeVar

import grpc

from node.domain.troubles import Trouble
from node.operations.asked import (
    Answered,
    FrameArrived,
    FrameRefused,
    FrameStored,
    JournalProof,
    NoticesTaken,
    RefusedAnswer,
    RegistryPage,
)
from node.wire import outgoing
from node.wire.ahead import Ahead, next_answer, taken, writing_ahead
from node.wire.codec import Delivery
from node.wire.errors import BadAnswer, Misshapen, PeerRefused, PeerUnreachable, WireError
from node.wire.methods import BOUNDS, LARGEST_MESSAGE, Method
from node.wire.outgoing import Evaluated, Outgoing
from node.wire.refusals import refusal_from_error
from node.wire.tls import Identity, channel_credentials, target_name
from registry.parties import PartyId

T = TypeVar("T")
N = TypeVar("N")

DEADLINES: Final = {method: bounds.deadline for method, bounds in BOUNDS.items()}
"""How long each call may take, in seconds; for a stream, all of it."""

_CHANNEL_OPTIONS: Final = (
    ("grpc.max_receive_message_length", LARGEST_MESSAGE),
    ("grpc.max_send_message_length", LARGEST_MESSAGE),
    ("grpc.keepalive_time_ms", 60_000),
    ("grpc.keepalive_timeout_ms", 20_000),
    # A peer that comes back is found within seconds; the courier spaces its own tries further apart.
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.min_reconnect_backoff_ms", 200),
    ("grpc.max_reconnect_backoff_ms", 5_000),
    # Peers are reached directly, not through whatever proxy a variable of the environment names.
    ("grpc.enable_http_proxy", 0),
    # A channel with another certificate must never share a connection with this one.
    ("grpc.use_local_subchannel_pool", 1),
)
_TROUBLES: Final = {
    grpc.StatusCode.UNAVAILABLE: Trouble.NOT_REACHED,
    grpc.StatusCode.DEADLINE_EXCEEDED: Trouble.NO_ANSWER,
    grpc.StatusCode.RESOURCE_EXHAUSTED: Trouble.BUSY,
    grpc.StatusCode.UNIMPLEMENTED: Trouble.NOT_SERVED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerAddress:
    """Where a peer is reached ("host:port") and the one certificate (DER) that it must show there."""

    endpoint: str
    certificate: bytes


class Checkpoints(Protocol):
    """Both ends of the exchange of journal checkpoints (in memory); a Gateway is one."""

    def saw_checkpoint(self, peer: PartyId, note: bytes) -> None:
        """Take note of a peer's checkpoint."""

    def newest_checkpoint(self) -> bytes:
        """Give this node's newest checkpoint, empty if there is none yet."""


@dataclass(slots=True)
class _Line:
    address: PeerAddress
    channel: grpc.aio.Channel


class PeerClient:
    """Calls peers, from one event loop. A channel is opened at the first call and kept.

    `address_of` gives a peer's listed address, None if it may not be called so; it is asked before every call,
    and when the listing changes the channel is made anew. Every method raises PeerRefused when the peer says
    no, and PeerUnreachable when no answer came that can be used.
    """

    def __init__(
        self,
        identity: Identity,
        address_of: Callable[[PartyId, Method], PeerAddress | None],
        checkpoints: Checkpoints,
        deadlines: Mapping[Method, float] = DEADLINES,
    ) -> None:
        self._identity = identity
        self._address_of = address_of
        self._checkpoints = checkpoints
        self._deadlines = deadlines
        self._lines: dict[PartyId, _Line] = {}
        self._closing: set[asyncio.Task[None]] = set()

    async def evaluate(self, peer: PartyId, call: Outgoing) -> Evaluated:
        """Have blinded elements evaluated; the proof is for the caller to verify."""
        raw = await self._call(peer, Method.EVALUATE, call.raw)
        answer = self._read(peer, outgoing.evaluation_from_wire, raw, call.count)
        self._saw(peer, answer.checkpoint)
        return answer

    async def query(self, peer: PartyId, call: Outgoing) -> Answered:
        """Ask one query; the frame is for the caller to verify."""
        answer = self._read(peer, outgoing.answer_from_wire, await self._call(peer, Method.QUERY, call.raw))
        self._saw(peer, answer.checkpoint)
        return answer

    def batch_query(self, peer: PartyId, calls: Sequence[Outgoing]) -> AsyncGenerator[Answered | RefusedAnswer, None]:
        """Ask messages in one stream: for each, in order, a frame or the refusal of that message."""
        messages = _each((call, call.raw) for call in calls)
        return self._exchange(peer, Method.BATCH_QUERY, messages, outgoing.batch_answer_from_wire)

    async def push_frames(
        self, peer: PartyId, frames: AsyncIterator[tuple[bytes, FrameArrived]]
    ) -> AsyncGenerator[FrameStored | FrameRefused, None]:
        """Push frames, each with its id, in one stream: what became of each, in order.

        A frame is taken from `frames` when those before it are written, so that no more than one waits here.
        `frames` is closed when the stream ends, whatever ends it; leave early through contextlib.aclosing. What
        `frames` itself raises comes out when all that was sent is answered.
        """
        newest = self._checkpoints.newest_checkpoint
        messages = ((name, outgoing.push_frame_to_wire(frame, newest())) async for name, frame in frames)
        try:
            async with aclosing(
                self._exchange(peer, Method.PUSH_FRAMES, messages, outgoing.pushed_from_wire)
            ) as outcomes:
                async for outcome in outcomes:
                    yield outcome
        finally:
            if isinstance(frames, AsyncGenerator):
                await frames.aclose()

    async def deliver_document(self, peer: PartyId, document: bytes) -> bytes:
        """Deliver a document of an agreement; the digest under which the peer keeps it."""
        raw = await self._call(peer, Method.DELIVER_DOCUMENT, outgoing.document_to_wire(self._delivery(document)))
        digest, checkpoint = self._read(peer, outgoing.document_digest_from_wire, raw)
        self._saw(peer, checkpoint)
        return digest

    async def file_agreement(self, authority: PartyId, agreement: bytes) -> bytes:
        """File an agreement with both signatures; the authority's signed receipt."""
        raw = await self._call(authority, Method.FILE_AGREEMENT, outgoing.agreement_to_wire(self._delivery(agreement)))
        receipt, checkpoint = self._read(authority, outgoing.filing_from_wire, raw)
        self._saw(authority, checkpoint)
        return receipt

    async def read_registry(self, authority: PartyId, start: int, limit: int = 0) -> RegistryPage:
        """Read statements of an authority's log from `start` on, with its newest head."""
        request = outgoing.read_registry_to_wire(start, limit)
        raw = await self._call(authority, Method.READ_REGISTRY, request)
        return self._read(authority, outgoing.registry_page_from_wire, raw)

    async def deliver_receipts(self, peer: PartyId, batch: bytes) -> None:
        """Deliver a signed batch of receipts."""
        raw = await self._call(peer, Method.DELIVER_RECEIPTS, outgoing.receipts_to_wire(self._delivery(batch)))
        self._saw(peer, self._read(peer, outgoing.receipts_taken_from_wire, raw))

    async def deliver_notices(self, peer: PartyId, batch: bytes, replacement: FrameArrived | None) -> NoticesTaken:
        """Deliver a signed batch of notices, and the new versions it announces: what the holder expects next."""
        request = outgoing.notices_to_wire(batch, replacement, self._checkpoints.newest_checkpoint())
        raw = await self._call(peer, Method.DELIVER_NOTICES, request)
        taken, checkpoint = self._read(peer, outgoing.notices_taken_from_wire, raw)
        self._saw(peer, checkpoint)
        return taken

    async def prove_journal(self, peer: PartyId, leaf: bytes, old_size: int) -> JournalProof:
        """Have a leaf (empty: none) and the growth since `old_size` (0: none) proven; the caller verifies."""
        raw = await self._call(peer, Method.PROVE_JOURNAL, outgoing.prove_journal_to_wire(leaf, old_size))
        proof = self._read(peer, outgoing.journal_proof_from_wire, raw)
        self._saw(peer, proof.checkpoint)
        return proof

    async def inspect(self, peer: PartyId, order: bytes) -> AsyncGenerator[bytes, None]:
        """Have a signed inspection order obeyed: the parts of the bundle, in order, each 1 byte to 1 MiB.

        What is not taken here is held back by gRPC's flow control, so that no more than some MiB wait. Leave early
        through contextlib.aclosing. Only a stream that ends without an error was the whole bundle.
        """
        ask: grpc.aio.UnaryStreamMultiCallable[bytes, bytes]
        ask = self._channel(peer, Method.INSPECT).unary_stream(Method.INSPECT)
        stream = ask(outgoing.inspect_to_wire(order), timeout=self._deadlines[Method.INSPECT])
        try:
            while isinstance(raw := await stream.read(), bytes):
                yield self._read(peer, outgoing.part_from_wire, raw)
        except grpc.aio.AioRpcError as error:
            raise _failure(peer, error) from None
        finally:
            stream.cancel()

    async def close(self) -> None:
        """Close every channel; calls that still run are cancelled."""
        channels = [line.channel for line in self._lines.values()]
        self._lines.clear()
        for closing in self._closing:
            closing.cancel()
        await asyncio.gather(*self._closing, return_exceptions=True)
        await asyncio.gather(*(channel.close() for channel in channels))

    async def _call(self, peer: PartyId, method: Method, raw: bytes) -> bytes:
        call: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = self._channel(peer, method).unary_unary(method)
        try:
            return await call(raw, timeout=self._deadlines[method])
        except grpc.aio.AioRpcError as error:
            raise _failure(peer, error) from None

    async def _exchange(
        self,
        peer: PartyId,
        method: Method,
        messages: AsyncGenerator[tuple[N, bytes], None],
        read: Callable[[bytes, N], tuple[T, bytes]],
    ) -> AsyncGenerator[T, None]:
        """Write messages ahead of their answers, and `read` each answer by the name of its message, in order."""
        ask: grpc.aio.StreamStreamMultiCallable[bytes, bytes] = self._channel(peer, method).stream_stream(method)
        stream, ahead = ask(timeout=self._deadlines[method]), Ahead[N]()
        try:
            await taken(peer, stream)
            async with writing_ahead(stream, messages, ahead) as writer:
                while (raw := await next_answer(peer, stream, ahead)) is not None:
                    answer, checkpoint = self._read(peer, read, raw, ahead.unanswered.popleft())
                    self._saw(peer, checkpoint)
                    ahead.answered()
                    yield answer
                await writer
        except grpc.aio.AioRpcError as error:
            raise _failure(peer, error) from None
        finally:
            stream.cancel()
            await messages.aclose()

    def _channel(self, peer: PartyId, method: Method) -> grpc.aio.Channel:
        address = self._address_of(peer, method)
        if address is None:
            raise PeerUnreachable(peer, trouble=Trouble.NOT_LISTED)
        line = self._lines.get(peer)
        if line is not None and line.address == address:
            return line.channel
        if line is not None:
            self._retire(line.channel)
        channel = grpc.aio.secure_channel(
            address.endpoint,
            channel_credentials(self._identity, address.certificate),
            options=(*_CHANNEL_OPTIONS, ("grpc.ssl_target_name_override", target_name(peer))),
        )
        self._lines[peer] = _Line(address, channel)
        return channel

    def _retire(self, channel: grpc.aio.Channel) -> None:
        """Close a channel once the calls that run on it are done; their deadlines bound them."""
        closing = asyncio.get_running_loop().create_task(channel.close(max(self._deadlines.values())))
        self._closing.add(closing)
        closing.add_done_callback(self._closing.discard)

    def _delivery(self, document: bytes) -> Delivery:
        return Delivery(document, self._checkpoints.newest_checkpoint())

    def _saw(self, peer: PartyId, checkpoint: bytes) -> None:
        if checkpoint:
            self._checkpoints.saw_checkpoint(peer, checkpoint)

    @staticmethod
    def _read(peer: PartyId, read: Callable[..., T], *facts: Any) -> T:
        try:
            return read(*facts)
        except Misshapen as bad:
            raise BadAnswer(peer, f"{peer} gave an answer that is not one: {bad}") from None


async def _each(values: Iterable[T]) -> AsyncGenerator[T, None]:
    for value in values:
        yield value


def _failure(peer: PartyId, error: grpc.aio.AioRpcError) -> WireError:
    """What a failed call means. Nothing the peer or the transport wrote in words is repeated."""
    answer = refusal_from_error(error)
    if answer is not None:
        return PeerRefused(peer, answer)
    trouble = _TROUBLES.get(error.code())
    if trouble is not None:
        return PeerUnreachable(peer, trouble=trouble)
    return PeerUnreachable(peer, f"{peer} failed to answer ({error.code().name})", Trouble.BAD_ANSWER)
