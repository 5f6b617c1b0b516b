"""Inspections: a bundle of evidence made part by part in worker threads, no faster than its reader takes it."""

import asyncio
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Executor
from functools import partial
from typing import Any, Final, TypeVar

from node.operations.asked import RefusedAnswer
from node.wire import codec
from node.wire.errors import Misshapen, Overloaded
from node.wire.gateway import Gateway
from node.wire.guard import Stream, current_caller, delisted
from node.wire.methods import Method

T = TypeVar("T")

OPEN_TOGETHER: Final = 2
"""Inspections open at a time in one process. Each may read all that this node ever did, and the exchange goes on
beside them."""


class Inspections:
    """Answers Inspect. Whoever finds no place is turned away: a bundle takes too long to wait for."""

    def __init__(self, gateway: Gateway, executor: Executor) -> None:
        self._gateway = gateway
        self._executor = executor
        self._places = asyncio.Semaphore(OPEN_TOGETHER)
        self._ending: set[asyncio.Task[None]] = set()

    async def inspect(self, raw: bytes, context: Stream) -> RefusedAnswer | None:
        """Stream to the caller what the order in `raw` asks for; a refusal in place of the first part or of another.

        Raises:
            Overloaded: as many inspections are open as may be. Nothing was decided.
        """
        peer = current_caller().party
        try:
            order = codec.inspect_from_wire(raw)
        except Misshapen as bad:
            refuse = partial(self._gateway.refuse, peer, Method.INSPECT.value, bad.refused)
            return await asyncio.get_running_loop().run_in_executor(self._executor, refuse)
        if self._places.locked():
            raise Overloaded("enough inspections are open")
        await self._places.acquire()
        bundle = _Bundle(self._executor)
        try:
            return await self._answer(bundle, partial(self._gateway.inspect, peer, order), context)
        finally:
            await self._end(bundle)

    async def ended(self) -> None:
        """Wait until no inspection is open; meanwhile none begins."""
        for _ in range(OPEN_TOGETHER):
            await self._places.acquire()
        for _ in range(OPEN_TOGETHER):
            self._places.release()

    async def _answer(
        self, bundle: "_Bundle", decide: Callable[[], Iterator[bytes] | RefusedAnswer], context: Stream
    ) -> RefusedAnswer | None:
        """Make a part when the one before it is written, which gRPC's flow control holds back for a slow reader."""
        caller = current_caller()
        if (refused := await bundle.open(decide)) is not None:
            return refused
        while (message := await bundle.next_message()) is not None:
            if (gone := delisted(self._gateway, caller, Method.INSPECT)) is not None:
                return gone
            await context.write(message)
            del message  # it is large, and the next one is about to be made
        return None

    async def _end(self, bundle: "_Bundle") -> None:
        """Let the bundle go and the place become free behind it, also when nobody stays to wait for that."""
        ending = asyncio.create_task(bundle.close())
        self._ending.add(ending)
        ending.add_done_callback(self._ended)
        await _outcome(ending)

    def _ended(self, ending: asyncio.Task[None]) -> None:
        self._ending.discard(ending)
        self._places.release()
        if not ending.cancelled():
            # Seen, even if its caller is gone: asyncio would log the error, with words, as never seen.
            ending.exception()


class _Bundle:
    """A bundle in the making, in steps that run in `executor`, never two at a time.

    A step that was begun runs to its end, also when whoever waited for it is gone.
    """

    def __init__(self, executor: Executor) -> None:
        self._executor = executor
        self._last: asyncio.Future[Any] | None = None
        self._parts: Iterator[bytes] = iter(())

    async def open(self, decide: Callable[[], Iterator[bytes] | RefusedAnswer]) -> RefusedAnswer | None:
        """Have the order decided; a refusal, or none and the first part can be made."""
        return await self._step(partial(self._open, decide))

    async def next_message(self) -> bytes | None:
        """Make the next part, as it goes onto the wire; None behind the last."""
        return await self._step(self._next_message)

    async def close(self) -> None:
        """Close what makes the parts, once the last step is done."""
        if self._last is not None:
            await asyncio.gather(self._last, return_exceptions=True)
        await self._step(self._close)

    async def _step(self, act: Callable[[], T]) -> T:
        """Run the next step; the one before it must be done."""
        step = asyncio.get_running_loop().run_in_executor(self._executor, act)
        self._last = step
        return await _outcome(step)

    def _open(self, decide: Callable[[], Iterator[bytes] | RefusedAnswer]) -> RefusedAnswer | None:
        decided = decide()
        if isinstance(decided, RefusedAnswer):
            return decided
        self._parts = decided
        return None

    def _next_message(self) -> bytes | None:
        part = next(self._parts, None)
        return None if part is None else codec.part_to_wire(part)

    def _close(self) -> None:
        if isinstance(self._parts, Generator):
            self._parts.close()


async def _outcome(future: asyncio.Future[T]) -> T:
    """Wait for a future and give its outcome, without ending it when the waiting ends."""
    await asyncio.wait({future})
    return future.result()
