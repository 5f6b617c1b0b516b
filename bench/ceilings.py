"""Ceilings of exchange: servers with the same library, TLS, threads and answers of the same size, without our logic.

ECHO answers at once. COMPOSED does once what no honest node can leave out: for each message one signature and one
seal, for each item one point read and one row, and one durable commit for all calls that came together.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from hashlib import sha256
from multiprocessing import get_context
from multiprocessing.connection import Connection
from os import urandom
from pathlib import Path

import grpc

from bench.wires import OPTIONS, Server, Shape, Tls
from crypto.keys import Purpose, generate, generate_seal_key
from crypto.sealing import seal
from node.wire.coalesce import Coalescer

RECORD_SIZE = 350
RECORDS = 1_000
PRAGMAS = ("journal_mode = WAL", "synchronous = FULL", "wal_autocheckpoint = 16000")


class Kind(Enum):
    """Which ceiling."""

    ECHO = "echo"
    COMPOSED = "composed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What a ceiling does for a message: about `items` subjects, an answer with a sealed body, of these sizes."""

    kind: Kind
    folder: Path
    tls: Tls = field(repr=False)
    items: int
    answer: int
    body: int


@contextmanager
def serving(task: Task) -> Iterator[Server]:
    """Serve a ceiling from a process of its own."""
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_run, args=(task, theirs), daemon=True)
    process.start()
    try:
        port = ours.recv()
        assert process.pid is not None
        yield Server(address=f"127.0.0.1:{port}", process=process.pid)
    finally:
        ours.send("stop")
        process.join()


def _run(task: Task, told: Connection) -> None:
    asyncio.run(_serve(task, told))


async def _serve(task: Task, told: Connection) -> None:
    answer = _echo(task) if task.kind is Kind.ECHO else _composed(task)

    async def unary(message: bytes, _: object) -> bytes:
        return await answer(message)

    async def stream(messages: AsyncIterator[bytes], _: object) -> AsyncIterator[bytes]:
        async for message in messages:
            yield await answer(message)

    server = grpc.aio.server(options=(*OPTIONS, ("grpc.so_reuseport", 0)))
    handlers: dict[str, grpc.RpcMethodHandler[bytes, bytes]] = {
        Shape.UNARY.value.split("/")[2]: grpc.unary_unary_rpc_method_handler(unary),
        Shape.STREAM.value.split("/")[2]: grpc.stream_stream_rpc_method_handler(stream),
    }
    service = Shape.UNARY.value.split("/")[1]
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, handlers),))
    port = server.add_secure_port("127.0.0.1:0", task.tls.server())
    await server.start()
    told.send(port)
    await asyncio.to_thread(told.recv)
    await server.stop(None)


def _echo(task: Task) -> Callable[[bytes], Awaitable[bytes]]:
    fixed = bytes(task.answer)

    async def answer(_: bytes) -> bytes:
        return fixed

    return answer


def _composed(task: Task) -> Callable[[bytes], Awaitable[bytes]]:
    thread = ThreadPoolExecutor(1)
    composed = thread.submit(_Composed, task).result()
    return Coalescer(composed.answer, thread).ask


class _Composed:
    """Lives in one thread, with the database it opened there."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._key = generate(Purpose.FRAME, urandom)
        self._recipient = generate_seal_key(urandom).public
        self._database = sqlite3.connect(task.folder / f"composed-{task.items}.sqlite", isolation_level=None)
        for pragma in PRAGMAS:
            self._database.execute(f"PRAGMA {pragma}")
        self._database.execute("CREATE TABLE IF NOT EXISTS records (number INTEGER PRIMARY KEY, content BLOB)")
        self._database.execute("CREATE TABLE IF NOT EXISTS audit (number INTEGER PRIMARY KEY, entry BLOB)")
        rows = [(number, urandom(RECORD_SIZE)) for number in range(RECORDS)]
        self._database.executemany("INSERT OR IGNORE INTO records VALUES (?, ?)", rows)

    def answer(self, messages: Sequence[bytes]) -> list[bytes]:
        """Answer messages that came together, with one commit."""
        self._database.execute("BEGIN IMMEDIATE")
        answers = [self._one(message) for message in messages]
        entries = [(answer[:RECORD_SIZE],) for answer in answers for _ in range(self._task.items)]
        self._database.executemany("INSERT INTO audit (entry) VALUES (?)", entries)
        self._database.execute("COMMIT")
        return answers

    def _one(self, message: bytes) -> bytes:
        digest = sha256(message).digest()
        start = int.from_bytes(digest[:4])
        found = [
            self._database.execute(
                "SELECT content FROM records WHERE number = ?", ((start + place) % RECORDS,)
            ).fetchone()
            for place in range(self._task.items)
        ]
        content = b"".join(content for (content,) in found)
        sealed = seal(self._recipient, content[: self._task.body].ljust(self._task.body, b"\0"), digest)
        return (self._key.sign(digest) + sealed).ljust(self._task.answer, b"\0")
