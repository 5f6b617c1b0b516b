"""Servers that stand in for a node: the same library, TLS and bytes, and of what a node does only what they name."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Protocol, TypeAlias

import grpc

from bench.wires import OPTIONS, Server, Shape, Tls

Answer: TypeAlias = Callable[[bytes], Awaitable[bytes]]


class Ceiling(Protocol):
    """What a server does with each message; it is sent to the server's process."""

    def opened(self) -> Answer:
        """Open what is needed, in the server's process; gives what answers one message."""


@dataclass(frozen=True, slots=True)
class Echo:
    """Answers at once, with so many bytes."""

    answer: int

    def opened(self) -> Answer:
        """Give what answers."""
        fixed = bytes(self.answer)

        async def answer(_: bytes) -> bytes:
            return fixed

        return answer


@dataclass(frozen=True, slots=True)
class _Task:
    ceiling: Ceiling
    tls: Tls = field(repr=False)


@contextmanager
def serving(ceiling: Ceiling, tls: Tls) -> Iterator[Server]:
    """Serve a ceiling from a process of its own."""
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_run, args=(_Task(ceiling, tls), theirs), daemon=True)
    process.start()
    try:
        port = ours.recv()
        assert process.pid is not None
        yield Server(address=f"127.0.0.1:{port}", process=process.pid)
    finally:
        ours.send("stop")
        process.join()


def _run(task: _Task, told: Connection) -> None:
    asyncio.run(_serve(task, told))


async def _serve(task: _Task, told: Connection) -> None:
    answer = task.ceiling.opened()

    async def unary(message: bytes, _: object) -> bytes:
        return await answer(message)

    async def stream(messages: AsyncIterator[bytes], _: object) -> AsyncIterator[bytes]:
        async for message in messages:
            yield await answer(message)

    server = grpc.aio.server(options=(*OPTIONS, ("grpc.so_reuseport", 0)))
    for shape in Shape:
        _, service, name = shape.value.split("/")
        handler: grpc.RpcMethodHandler[bytes, bytes] = (
            grpc.unary_unary_rpc_method_handler(unary)
            if shape is Shape.UNARY
            else grpc.stream_stream_rpc_method_handler(stream)
        )
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, {name: handler}),))
    port = server.add_secure_port("127.0.0.1:0", task.tls.server())
    await server.start()
    told.send(port)
    await asyncio.to_thread(told.recv)
    await server.stop(None)
