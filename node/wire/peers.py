"""The asking side: calls to peers, over channels that trust exactly what the registry lists."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeVar

import grpc

from node.operations.asked import Answered, JournalProof, RefusedAnswer, RegistryPage
from node.wire import outgoing
from node.wire.codec import Delivery
from node.wire.errors import BadAnswer, Misshapen, PeerRefused, PeerUnreachable, WireError
from node.wire.methods import BOUNDS, LARGEST_MESSAGE, Method
from node.wire.outgoing import Evaluated, Outgoing
from node.wire.refusals import refusal_from_error
from node.wire.tls import Identity, channel_credentials, target_name
from registry.parties import PartyId

T = TypeVar("T")

DEADLINES: Final = {method: bounds.deadline for method, bounds in BOUNDS.items()}
"""How long each call may take, in seconds; for a batch, the whole stream."""
MESSAGES_AHEAD: Final = 8
"""Messages of a batch written ahead of their answers. Only the first goes alone: a write into a stream that
the peer is just refusing would hide its refusal behind an error of gRPC's own."""

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
_SENTENCES: Final = {
    grpc.StatusCode.UNAVAILABLE: "{peer} cannot be reached at its listed endpoint",
    grpc.StatusCode.DEADLINE_EXCEEDED: "{peer} did not answer in time",
    grpc.StatusCode.RESOURCE_EXHAUSTED: "{peer} is too busy to answer",
    grpc.StatusCode.UNIMPLEMENTED: "{peer} does not serve this method",
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

    `address_of` gives a peer's listed address, None if it is not admitted; it is asked before every call,
    and when the listing changes the channel is made anew. Every method raises PeerRefused when the peer says
    no, and PeerUnreachable when no answer came that can be used.
    """

    def __init__(
        self,
        identity: Identity,
        address_of: Callable[[PartyId], PeerAddress | None],
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

    async def batch_query(self, peer: PartyId, calls: Sequence[Outgoing]) -> AsyncIterator[Answered | RefusedAnswer]:
        """Ask messages in one stream: for each, in order, a frame or the refusal of that message."""
        method = Method.BATCH_QUERY
        ask: grpc.aio.StreamStreamMultiCallable[bytes, bytes] = self._channel(peer).stream_stream(method)
        stream = ask(timeout=self._deadlines[method])
        room = asyncio.Semaphore(1)
        writer = asyncio.create_task(_write(stream, calls, room))
        try:
            for position, call in enumerate(calls):
                raw = await stream.read()
                if raw is grpc.aio.EOF:
                    raise BadAnswer(peer, f"{peer} left messages of the batch without an answer")
                answer, checkpoint = self._read(peer, outgoing.batch_answer_from_wire, raw, call)
                self._saw(peer, checkpoint)
                for _ in range(1 if position else MESSAGES_AHEAD):
                    room.release()
                yield answer
        except grpc.aio.AioRpcError as error:
            raise _failure(peer, error) from None
        finally:
            writer.cancel()
            stream.cancel()

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

    async def prove_journal(self, peer: PartyId, leaf: bytes, old_size: int) -> JournalProof:
        """Have a leaf (empty: none) and the growth since `old_size` (0: none) proven; the caller verifies."""
        raw = await self._call(peer, Method.PROVE_JOURNAL, outgoing.prove_journal_to_wire(leaf, old_size))
        proof = self._read(peer, outgoing.journal_proof_from_wire, raw)
        self._saw(peer, proof.checkpoint)
        return proof

    async def close(self) -> None:
        """Close every channel; calls that still run are cancelled."""
        channels = [line.channel for line in self._lines.values()]
        self._lines.clear()
        for closing in self._closing:
            closing.cancel()
        await asyncio.gather(*self._closing, return_exceptions=True)
        await asyncio.gather(*(channel.close() for channel in channels))

    async def _call(self, peer: PartyId, method: Method, raw: bytes) -> bytes:
        call: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = self._channel(peer).unary_unary(method)
        try:
            return await call(raw, timeout=self._deadlines[method])
        except grpc.aio.AioRpcError as error:
            raise _failure(peer, error) from None

    def _channel(self, peer: PartyId) -> grpc.aio.Channel:
        address = self._address_of(peer)
        if address is None:
            raise PeerUnreachable(peer, f"the registry lists no admitted party {peer}")
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


async def _write(
    stream: "grpc.aio.StreamStreamCall[bytes, bytes]", calls: Sequence[Outgoing], room: asyncio.Semaphore
) -> None:
    """Write messages as there is room for them; why writing failed is for the reading side to say."""
    with suppress(grpc.aio.AioRpcError, asyncio.InvalidStateError):
        for call in calls:
            await room.acquire()
            await stream.write(call.raw)
        await stream.done_writing()


def _failure(peer: PartyId, error: grpc.aio.AioRpcError) -> WireError:
    """What a failed call means. Nothing the peer or the transport wrote in words is repeated."""
    answer = refusal_from_error(error)
    if answer is not None:
        return PeerRefused(peer, answer)
    sentence = _SENTENCES.get(error.code(), f"{{peer}} failed to answer ({error.code().name})")
    return PeerUnreachable(peer, sentence.format(peer=peer))
