"""Coalescing: concurrent calls share one run of an operation that takes lists, so that they share its commit.

A call that comes alone never waits. While one batch runs, the next one gathers; it runs beside the first as soon as it
is full, so that what the operation does outside of its transaction goes on meanwhile. When several callers were
there a moment ago, the first to come waits for as many as there were, but no longer than a window: without
that, callers that ask again as soon as they are answered would each be served alone.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Generic, TypeVar

from node.wire.errors import BatchFailed, Overloaded

Q = TypeVar("Q")
A = TypeVar("A")


def _one(_: object) -> int:
    return 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How calls gather: for `window` seconds, `most` calls or `heaviest` weight a batch, `queue` waiting.

    `abreast` full batches run at a time.
    """

    window: float = 0.001
    most: int = 64
    heaviest: int = 200
    queue: int = 1024
    abreast: int = 1


@dataclass(slots=True)
class _Waiting(Generic[Q, A]):
    question: Q
    weight: int
    since: float
    answer: asyncio.Future[A]


class Coalescer(Generic[Q, A]):
    """Gathers questions asked on one event loop into runs of `operation` in `executor`, few at a time.

    `operation` gives one answer for each question, in order. `weight` says how much of a batch one question
    fills; a question heavier than a batch runs in one of its own.
    """

    def __init__(
        self,
        operation: Callable[[list[Q]], Sequence[A]],
        executor: Executor,
        limits: Limits = Limits(),
        weight: Callable[[Q], int] = _one,
    ) -> None:
        self._operation = operation
        self._executor = executor
        self._limits = limits
        self._weigh = weight
        self._waiting: deque[_Waiting[Q, A]] = deque()
        self._weight = 0
        self._running = 0
        self._expected = 1
        self._timer: asyncio.TimerHandle | None = None

    async def ask(self, question: Q) -> A:
        """Give the operation's answer to `question`.

        A caller that is cancelled while it waits is left out of the batch; one that is cancelled later only
        loses the answer. Neither disturbs the others.

        Raises:
            Overloaded: too many wait already; the question was not asked.
            BatchFailed: the operation raised; whether it did anything is for its own transaction to say.
        """
        if len(self._waiting) >= self._limits.queue:
            raise Overloaded("too many calls are waiting")
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[A] = loop.create_future()
        waiting = _Waiting(question, self._weigh(question), loop.time(), answer)
        self._waiting.append(waiting)
        self._weight += waiting.weight
        self._consider(loop)
        return await answer

    def _consider(self, loop: asyncio.AbstractEventLoop) -> None:
        """Run now, or set the timer for when the first in line has waited long enough."""
        while self._waiting and self._waiting[0].answer.done():
            self._next()
        if not self._waiting or not self._has_room():
            return
        due = self._waiting[0].since + self._limits.window
        if len(self._waiting) >= self._expected or self._is_full() or due <= loop.time():
            self._run(loop)
        elif self._timer is None:
            self._timer = loop.call_at(due, self._run, loop)

    def _has_room(self) -> bool:
        """Whether a batch may run: the only one, or a full one beside others."""
        return not self._running or (self._running < self._limits.abreast and self._is_full())

    def _is_full(self) -> bool:
        return len(self._waiting) >= self._limits.most or self._weight >= self._limits.heaviest

    def _next(self) -> _Waiting[Q, A]:
        first = self._waiting.popleft()
        self._weight -= first.weight
        return first

    def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        batch = self._take()
        if not batch:
            return
        self._running += 1
        questions = [waiting.question for waiting in batch]
        run = loop.run_in_executor(self._executor, self._operation, questions)
        run.add_done_callback(lambda done: self._finish(loop, batch, done))

    def _take(self) -> list[_Waiting[Q, A]]:
        """As many from the front of the line as fit a batch, and at least one."""
        batch: list[_Waiting[Q, A]] = []
        weight = 0
        while self._waiting and len(batch) < self._limits.most:
            first = self._waiting[0]
            if batch and weight + first.weight > self._limits.heaviest:
                break
            self._next()
            if not first.answer.done():
                batch.append(first)
                weight += first.weight
        return batch

    def _finish(
        self, loop: asyncio.AbstractEventLoop, batch: list[_Waiting[Q, A]], run: asyncio.Future[Sequence[A]]
    ) -> None:
        self._running -= 1
        self._expected = len(batch) + len(self._waiting)
        # The next batch starts before the answers of this one are read, so that both go on side by side.
        self._consider(loop)
        failure = asyncio.CancelledError() if run.cancelled() else run.exception()
        if failure is None and len(run.result()) == len(batch):
            for waiting, answer in zip(batch, run.result(), strict=True):
                if not waiting.answer.done():
                    waiting.answer.set_result(answer)
            return
        for waiting in batch:
            if not waiting.answer.done():
                failed = BatchFailed("the operation failed")
                failed.__cause__ = failure
                waiting.answer.set_exception(failed)
