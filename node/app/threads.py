"""Units of work off the event loop: transactions block, so they run in threads of their own."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeVar

from node.operations.ports import Store, UnitOfWork

T = TypeVar("T")


def now_exactly() -> datetime:
    """The time with its fractions of a second, for scheduling."""
    return datetime.now(UTC)


@dataclass(slots=True)
class Threads:
    """Runs what blocks, from one event loop, in two threads; `now` is the clock by which work is scheduled."""

    store: Store
    now: Callable[[], datetime] = now_exactly
    _pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(2, "work"))

    async def read(self, act: Callable[[UnitOfWork], T]) -> T:
        """Do something in one reading unit of work."""

        def run() -> T:
            with self.store.read() as work:
                return act(work)

        return await self.run(run)

    async def write(self, act: Callable[[UnitOfWork], T]) -> T:
        """Do something in one writing unit of work; `act` commits."""

        def run() -> T:
            with self.store.write() as work:
                return act(work)

        return await self.run(run)

    async def run(self, act: Callable[[], T]) -> T:
        """Do something that blocks."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, act)

    def close(self) -> None:
        """Wait for what runs; what has not begun is not begun any more."""
        self._pool.shutdown(cancel_futures=True)
