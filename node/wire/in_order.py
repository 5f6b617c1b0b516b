"""The serving side of a stream: its messages are answered in order, a few worked on at a time."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

from node.wire.guard import Stream


async def answer_in_order(
    requests: AsyncIterator[bytes],
    context: Stream,
    most: int,
    answer: Callable[[bytes], Coroutine[Any, Any, bytes]],
) -> None:
    """Answer message by message in order, while the next ones are worked on already: at most `most` together.

    What is not read yet is held back by gRPC's flow control, in the end by the sender.
    """
    line: asyncio.Queue[asyncio.Task[bytes] | None] = asyncio.Queue()
    room = asyncio.Semaphore(most)
    reader = asyncio.create_task(_start_on_each(requests, line, room, answer))
    try:
        while (message := await line.get()) is not None:
            await context.write(await message)
            room.release()
        await reader
    finally:
        reader.cancel()
        # Those that failed already are cancelled, too: asyncio would log their errors, with words, as never seen.
        while not line.empty():
            if (message := line.get_nowait()) is not None:
                message.cancel()


async def _start_on_each(
    requests: AsyncIterator[bytes],
    line: asyncio.Queue[asyncio.Task[bytes] | None],
    room: asyncio.Semaphore,
    answer: Callable[[bytes], Coroutine[Any, Any, bytes]],
) -> None:
    """Read a message when there is room for it, and start on it; None ends the line."""
    try:
        await room.acquire()
        async for raw in requests:
            line.put_nowait(asyncio.create_task(answer(raw)))
            await room.acquire()
    finally:
        line.put_nowait(None)
