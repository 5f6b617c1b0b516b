"""Coalescing, decided without waiting for any clock: the operation runs when the test lets it."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Executor, Future
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.wire.coalesce import Coalescer, Limits
from node.wire.errors import BatchFailed, Overloaded

NEVER = 3600.0
"""A window that ends long after the test."""


class HeldExecutor(Executor):
    """Keeps each run until the test finishes it."""

    def __init__(self) -> None:
        self.runs: list[tuple[Future[Any], Callable[[], Any]]] = []
        self.taken = asyncio.Event()

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        run: Future[Any] = Future()
        self.taken.set()
        self.runs.append((run, lambda: fn(*args, **kwargs)))
        return run

    def finish(self) -> None:
        """Do the oldest run that was not done yet."""
        run, work = self.runs.pop(0)
        try:
            run.set_result(work())
        except Exception as failure:  # noqa: BLE001 - as an executor does
            run.set_exception(failure)


class Desk:
    """A coalescer over a doubling operation that remembers its batches."""

    def __init__(self, limits: Limits, weight: Callable[[int], int] = lambda _: 1) -> None:
        self.executor = HeldExecutor()
        self.batches: list[list[int]] = []
        self.coalescer = Coalescer(self.double, self.executor, limits, weight)

    def double(self, questions: list[int]) -> Sequence[int]:
        self.batches.append(questions)
        if 13 in questions:
            raise ValueError("thirteen")
        return [2 * question for question in questions if question != 99]

    async def ask(self, *questions: int) -> list[asyncio.Task[int]]:
        """Ask each, as far as it gets by itself."""
        tasks = [asyncio.create_task(self.coalescer.ask(question)) for question in questions]
        await settle()
        return tasks

    async def finish(self) -> None:
        """Let the oldest run come to its end, and everything that follows from it."""
        self.executor.finish()
        await settle()

    @property
    def running(self) -> int:
        return len(self.executor.runs)


async def settle() -> None:
    """Let everything that is ready to go on go on."""
    for _ in range(10):
        await asyncio.sleep(0)


def play(story: Awaitable[None]) -> None:
    async def staged() -> None:
        await asyncio.wait_for(story, timeout=30)

    asyncio.run(staged())


def test_a_call_that_comes_alone_runs_at_once() -> None:
    async def story() -> None:
        desk = Desk(Limits(window=NEVER))
        [first] = await desk.ask(1)
        assert desk.running == 1
        await desk.finish()
        assert await first == 2

        [second] = await desk.ask(2)
        await desk.finish()

        assert await second == 4
        assert desk.batches == [[1], [2]]

    play(story())


def test_what_comes_while_a_batch_runs_gathers_into_the_next() -> None:
    async def story() -> None:
        desk = Desk(Limits(window=0))
        [first] = await desk.ask(1)
        others = await desk.ask(2, 3, 4)
        assert desk.running == 1

        await desk.finish()
        await desk.finish()

        assert await first == 2
        assert await asyncio.gather(*others) == [4, 6, 8]
        assert desk.batches == [[1], [2, 3, 4]]

    play(story())


def test_a_full_batch_waits_for_no_window() -> None:
    async def story() -> None:
        desk = Desk(Limits(window=NEVER, most=3))
        tasks = await desk.ask(1)
        tasks += await desk.ask(2, 3, 4, 5)

        await desk.finish()
        assert desk.running == 1
        await desk.finish()

        assert desk.batches == [[1], [2, 3, 4]]
        assert not tasks[-1].done()

    play(story())


def test_a_batch_is_full_by_weight_too() -> None:
    async def story() -> None:
        desk = Desk(Limits(window=NEVER, heaviest=10), weight=lambda question: question)
        await desk.ask(1)
        await desk.ask(4, 5, 6)

        await desk.finish()
        await desk.finish()

        assert desk.batches == [[1], [4, 5]]

    play(story())


def test_a_question_heavier_than_a_batch_has_one_of_its_own() -> None:
    async def story() -> None:
        desk = Desk(Limits(window=0, heaviest=10), weight=lambda question: question)
        tasks = await desk.ask(1)
        tasks += await desk.ask(50, 2)

        for _ in range(3):
            await desk.finish()

        assert await asyncio.gather(*tasks) == [2, 100, 4]
        assert desk.batches == [[1], [50], [2]]

    play(story())


def test_the_first_of_several_waits_for_as_many_as_there_were() -> None:
    async def story() -> None:
        desk = Desk(Limits(window=NEVER))
        await desk.ask(1)
        await desk.ask(2)
        await desk.finish()
        assert desk.running == 0

        await desk.ask(3)

        assert desk.running == 1
        await desk.finish()
        assert desk.batches == [[1], [2, 3]]

    play(story())


def test_the_window_ends_the_waiting_for_those_who_left() -> None:
    async def story() -> None:
        desk = Desk(Limits(window=0.001))
        await desk.ask(1)
        [left_alone] = await desk.ask(2)
        desk.executor.taken.clear()
        await desk.finish()

        await desk.executor.taken.wait()
        await desk.finish()

        assert await left_alone == 4

    play(story())


def test_an_operation_that_fails_fails_only_its_callers() -> None:
    async def story() -> None:
        desk = Desk(Limits(window=0))
        [first] = await desk.ask(1)
        bad = await desk.ask(13, 2)
        await desk.finish()
        await desk.finish()
        [last] = await desk.ask(3)
        await desk.finish()

        failures = await asyncio.gather(*bad, return_exceptions=True)
        assert [type(failure) for failure in failures] == [BatchFailed, BatchFailed]
        assert failures[0] is not failures[1]
        assert isinstance(failures[0], BatchFailed)
        assert isinstance(failures[0].__cause__, ValueError)
        assert (await first, await last) == (2, 6)

    play(story())


def test_an_operation_that_gives_too_few_answers_fails_its_callers() -> None:
    async def story() -> None:
        desk = Desk(Limits())
        [task] = await desk.ask(99)
        await desk.finish()

        with pytest.raises(BatchFailed):
            await task

    play(story())


def test_a_run_that_is_cancelled_fails_its_callers() -> None:
    async def story() -> None:
        desk = Desk(Limits())
        [task] = await desk.ask(1)
        desk.executor.runs[0][0].cancel()
        await settle()

        with pytest.raises(BatchFailed):
            await task

    play(story())


def test_a_caller_that_leaves_while_waiting_is_left_out() -> None:
    async def story() -> None:
        desk = Desk(Limits(window=0))
        await desk.ask(1)
        leaves, stays = await desk.ask(2, 3)
        leaves.cancel()
        await settle()

        await desk.finish()
        await desk.finish()

        assert await stays == 6
        assert leaves.cancelled()
        assert desk.batches == [[1], [3]]

    play(story())


def test_a_caller_that_leaves_while_its_batch_runs_disturbs_nobody() -> None:
    async def story() -> None:
        desk = Desk(Limits(window=0))
        await desk.ask(1)
        leaves, stays = await desk.ask(2, 3)
        await desk.finish()
        leaves.cancel()
        await settle()

        await desk.finish()

        assert await stays == 6
        assert leaves.cancelled()

    play(story())


def test_when_all_that_waited_have_left_nothing_runs() -> None:
    async def story() -> None:
        desk = Desk(Limits(window=0))
        await desk.ask(1)
        leaving = await desk.ask(2, 3)
        for task in leaving:
            task.cancel()
        await settle()

        await desk.finish()

        assert desk.running == 0
        assert desk.batches == [[1]]

    play(story())


def test_the_line_is_bounded() -> None:
    async def story() -> None:
        desk = Desk(Limits(window=0, queue=2))
        await desk.ask(1)
        waiting = await desk.ask(2, 3, 4)

        with pytest.raises(Overloaded):
            await waiting[2]
        await desk.finish()
        await desk.finish()

        assert await asyncio.gather(*waiting[:2]) == [4, 6]

    play(story())


@given(
    st.lists(st.integers(0, 12), min_size=1, max_size=60),
    st.integers(1, 8),
    st.integers(1, 20),
)
def test_everyone_is_answered_once_with_the_own_answer_in_bounded_batches(
    questions: list[int], most: int, heaviest: int
) -> None:
    async def story() -> None:
        desk = Desk(Limits(window=0, most=most, heaviest=heaviest), weight=lambda question: question)
        tasks = await desk.ask(*questions)
        while not all(task.done() for task in tasks):
            if desk.running:
                await desk.finish()
            await settle()

        assert [task.result() for task in tasks] == [2 * question for question in questions]
        assert [question for batch in desk.batches for question in batch] == questions
        assert all(len(batch) <= most for batch in desk.batches)
        assert all(sum(batch) <= heaviest or len(batch) == 1 for batch in desk.batches)

    play(story())


def test_a_full_batch_runs_beside_another_and_a_part_of_one_does_not() -> None:
    async def story() -> None:
        desk = Desk(Limits(window=0, most=3, abreast=2))
        await desk.ask(1)
        await desk.ask(2, 3)
        assert desk.running == 1

        await desk.ask(4)
        assert desk.running == 2
        await desk.ask(5, 6, 7)
        assert desk.running == 2

        await desk.finish()
        assert desk.running == 2
        await desk.finish()
        await desk.finish()

        assert desk.batches == [[1], [2, 3, 4], [5, 6, 7]]

    play(story())
