"""Clients that ask and servers that answer, each in a process of its own: nobody shares the measured one's time."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum
from os import sysconf
from pathlib import Path
from time import perf_counter
from typing import cast

import grpc

from node.wire.methods import LARGEST_MESSAGE, Method

AHEAD = 8
"""Messages of a push that are written ahead of their answers, as a node does."""
OPTIONS = (("grpc.max_receive_message_length", LARGEST_MESSAGE), ("grpc.max_send_message_length", LARGEST_MESSAGE))


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """Mutual TLS in PEM: what a server named `name` and its one client show."""

    name: str
    server_key: bytes = field(repr=False)
    server_certificate: bytes
    client_key: bytes = field(repr=False)
    client_certificate: bytes

    def server(self) -> grpc.ServerCredentials:
        """For a server that lets in this client only."""
        pair = [(self.server_key, self.server_certificate)]
        return grpc.ssl_server_credentials(pair, self.client_certificate, require_client_auth=True)

    def client(self) -> grpc.ChannelCredentials:
        """For a client that trusts this server only."""
        return grpc.ssl_channel_credentials(self.server_certificate, self.client_key, self.client_certificate)


class Shape(Enum):
    """How messages go: each a call, or each a message of a caller's one stream; a push is written ahead of answers."""

    UNARY = Method.QUERY.value
    STREAM = Method.BATCH_QUERY.value
    PUSH = Method.PUSH_FRAMES.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What one client does: send `messages`, `callers` at a time, as soon as the answer before has come."""

    address: str
    tls: Tls = field(repr=False)
    shape: Shape
    callers: int
    messages: Sequence[bytes] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What came of it: the seconds of the whole, of each answer, and one answer as an example."""

    seconds: float
    latencies: Sequence[float] = field(repr=False)
    example: bytes = field(repr=False)

    @property
    def rate(self) -> float:
        """Messages a second."""
        return len(self.latencies) / self.seconds

    def percentile(self, percent: int) -> float:
        """Milliseconds within which so many of a hundred answers came."""
        ordered = sorted(self.latencies)
        return 1_000 * ordered[min(len(ordered) - 1, len(ordered) * percent // 100)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A server that is measured: where it is reached, and its process."""

    address: str
    process: int

    def cpu_seconds(self) -> float:
        """Processor time that the process has used (proc_pid_stat(5), fields 14 and 15)."""
        fields = Path(f"/proc/{self.process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / sysconf("SC_CLK_TCK")


def drive(load: Load) -> Answers:
    """Send a load from this process; any error ends it."""
    return asyncio.run(_drive(load))


async def _drive(load: Load) -> Answers:
    options = (*OPTIONS, ("grpc.ssl_target_name_override", load.tls.name))
    async with grpc.aio.secure_channel(load.address, load.tls.client(), options=options) as channel:
        await channel.channel_ready()
        waiting, latencies = iter(load.messages), list[float]()
        call = _pour if load.shape is Shape.PUSH else _caller
        began = perf_counter()
        answers = await asyncio.gather(*(call(channel, load.shape, waiting, latencies) for _ in range(load.callers)))
        seconds = perf_counter() - began
    return Answers(seconds=seconds, latencies=latencies, example=next(answer for answer in answers if answer))


async def _pour(channel: grpc.aio.Channel, shape: Shape, waiting: Iterator[bytes], latencies: list[float]) -> bytes:
    """Write messages into one stream, up to AHEAD of their answers."""
    open_stream: grpc.aio.StreamStreamMultiCallable[bytes, bytes] = channel.stream_stream(shape.value)
    stream, room, began, answer = open_stream(), asyncio.Semaphore(AHEAD), perf_counter(), b""

    async def write() -> None:
        for message in waiting:
            await room.acquire()
            await stream.write(message)
        await stream.done_writing()

    writing = asyncio.create_task(write())
    async for raw in stream:
        room.release()
        answer = raw
        latencies.append(perf_counter() - began)
    await writing
    return answer


async def _caller(channel: grpc.aio.Channel, shape: Shape, waiting: Iterator[bytes], latencies: list[float]) -> bytes:
    ask, answer = _asker(channel, shape), b""
    for message in waiting:
        began = perf_counter()
        answer = await ask(message)
        latencies.append(perf_counter() - began)
    return answer


def _asker(channel: grpc.aio.Channel, shape: Shape) -> Callable[[bytes], Awaitable[bytes]]:
    if shape is Shape.UNARY:
        return cast("Callable[[bytes], Awaitable[bytes]]", channel.unary_unary(shape.value))
    open_stream: grpc.aio.StreamStreamMultiCallable[bytes, bytes] = channel.stream_stream(shape.value)
    stream = open_stream()

    async def ask(message: bytes) -> bytes:
        await stream.write(message)
        return cast("bytes", await stream.read())

    return ask
