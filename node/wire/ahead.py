"""The asking side of a stream: messages written ahead of their answers, and answers read in the same order."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

import grpc

from node.domain.troubles import Trouble
from node.wire.errors import BadAnswer, PeerUnreachable
from registry.parties import PartyId

N = TypeVar("N")

MESSAGES_AHEAD: Final = 8
"""Messages of a stream written ahead of their answers."""
_TAKING: Final = 30.0
"""Seconds that a peer has to take a stream: as long as an unary call."""


@dataclass(slots=True)
class Ahead(Generic[N]):
    """The names of the messages of one stream that wait for their answers, and whether more may come."""

    unanswered: deque[N] = field(default_factory=deque)
    all_sent: bool = False
    room: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(MESSAGES_AHEAD))

    @property
    def done(self) -> bool:
        """Whether no message waits for its answer and none is to come."""
        return self.all_sent and not self.unanswered

    def answered(self) -> None:
        """Make room for one message more."""
        self.room.release()


async def taken(peer: PartyId, stream: "grpc.aio.StreamStreamCall[bytes, bytes]") -> None:
    """Wait until the peer has taken a stream, which its headers say; grpc.aio.AioRpcError if it did not.

    A write into a stream that is just being refused would hide the refusal behind an error of gRPC's own.
    """
    try:
        async with asyncio.timeout(_TAKING):
            await stream.initial_metadata()
    except TimeoutError:
        raise PeerUnreachable(peer, trouble=Trouble.NO_ANSWER) from None
    await stream.wait_for_connection()  # waits for nothing any more, and raises what ended the stream


async def next_answer(
    peer: PartyId, stream: "grpc.aio.StreamStreamCall[bytes, bytes]", ahead: Ahead[N]
) -> bytes | None:
    """Read the next answer; None when every message has its own. Only the end tells that a source was empty."""
    if ahead.done:
        return None
    raw = await stream.read()
    if isinstance(raw, bytes) and ahead.unanswered:
        return raw
    if isinstance(raw, bytes):
        raise BadAnswer(peer, f"{peer} answered what it was not asked")
    if not ahead.done:
        raise BadAnswer(peer, f"{peer} left messages of the stream without an answer")
    return None


@asynccontextmanager
async def writing_ahead(
    stream: "grpc.aio.StreamStreamCall[bytes, bytes]",
    messages: AsyncIterator[tuple[N, bytes]],
    ahead: Ahead[N],
) -> AsyncIterator[asyncio.Task[None]]:
    """Write the messages of a stream meanwhile; the task that does it, and both end with this."""
    writer = asyncio.create_task(_write_ahead(stream, messages, ahead))
    try:
        yield writer
    finally:
        writer.cancel()
        stream.cancel()
        await asyncio.gather(writer, return_exceptions=True)


async def _write_ahead(
    stream: "grpc.aio.StreamStreamCall[bytes, bytes]",
    messages: AsyncIterator[tuple[N, bytes]],
    ahead: Ahead[N],
) -> None:
    """Write messages as there is room for them; why writing failed is for the reading side to say.

    What the messages' own source raises ends the stream as their end does, and is raised after it.
    """
    try:
        async for name, raw in messages:
            await ahead.room.acquire()
            ahead.unanswered.append(name)
            try:
                await stream.write(raw)
            except (grpc.aio.AioRpcError, asyncio.InvalidStateError):
                return
    finally:
        ahead.all_sent = True
        with suppress(grpc.aio.AioRpcError, asyncio.InvalidStateError):
            await stream.done_writing()
