"""Pseudonym evaluation in processes of its own: the package holds Python's global lock for whole batches.

Workers are spawned, never forked, and all of them before the constructor returns, so that a server started
afterwards is not copied into them. They get the seed over their start-up pipe, never in arguments or
environment, and end themselves when the process that made them is gone.
"""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import BrokenExecutor, Future, ProcessPoolExecutor
from itertools import chain
from multiprocessing import connection, get_context, parent_process
from threading import Lock, Thread
from types import TracebackType
from typing import Final, Self, TypeVar

from crypto.errors import BadKey
from crypto.pseudonym import MOST_ELEMENTS, SEED_SIZE, Evaluation, evaluate_batch, own_pseudonyms

T = TypeVar("T")

_ORPHANED: Final = 1
_worker_seed: Final[list[bytes]] = []
"""In a worker, the seed it was started with; empty in every other process."""


class PseudonymPool:
    """Evaluates under one seed in `workers` processes; with 0 workers, inline in the caller.

    Raises:
        BadKey: the seed is not 32 bytes.
    """

    def __init__(self, seed: bytes, workers: int) -> None:
        if len(seed) != SEED_SIZE:
            raise BadKey(f"a pseudonym seed is {SEED_SIZE} bytes")
        self._seed = seed
        self._workers = workers
        self._renewing = Lock()
        self._executor = _started(seed, workers) if workers else None

    def __repr__(self) -> str:
        return "PseudonymPool(...)"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def evaluate(self, agreement_id: str, epoch: int, blinded: Sequence[bytes]) -> list[Evaluation]:
        """Evaluate blinded elements, in order; one evaluation with its own proof per 200 elements.

        Raises:
            Malformed: one of them is not an element of the group.
            concurrent.futures.BrokenExecutor: workers died, and the ones put in their place died as well.
        """
        return self._in_chunks(evaluate_batch, agreement_id, epoch, blinded)

    def own(self, agreement_id: str, epoch: int, inputs: Sequence[bytes]) -> list[bytes]:
        """The pseudonyms of home's own subjects, in order; raises as `evaluate` does."""
        return list(chain.from_iterable(self._in_chunks(own_pseudonyms, agreement_id, epoch, inputs)))

    def close(self) -> None:
        """End the workers after what they are doing; calling it again changes nothing."""
        if self._executor is not None:
            self._executor.shutdown(cancel_futures=True)

    def _in_chunks(
        self,
        act: Callable[[bytes, str, int, Sequence[bytes]], T],
        agreement_id: str,
        epoch: int,
        items: Sequence[bytes],
    ) -> list[T]:
        chunks = [items[at : at + MOST_ELEMENTS] for at in range(0, len(items), MOST_ELEMENTS)]
        executor = self._executor
        if executor is None:
            return [act(self._seed, agreement_id, epoch, chunk) for chunk in chunks]
        try:
            return _spread(executor, act, agreement_id, epoch, chunks)
        except BrokenExecutor:
            return _spread(self._renewed(executor), act, agreement_id, epoch, chunks)

    def _renewed(self, broken: ProcessPoolExecutor) -> ProcessPoolExecutor:
        """New workers in place of `broken`, unless another thread has seen to it; evaluation has no state to lose."""
        with self._renewing:
            if self._executor is broken:
                broken.shutdown(wait=False)
                self._executor = _started(self._seed, self._workers)
            if self._executor is None:
                raise BrokenExecutor("the pool is closed")
            return self._executor


def _spread(
    executor: ProcessPoolExecutor,
    act: Callable[[bytes, str, int, Sequence[bytes]], T],
    agreement_id: str,
    epoch: int,
    chunks: Sequence[Sequence[bytes]],
) -> list[T]:
    futures = [executor.submit(_in_worker, act, agreement_id, epoch, chunk) for chunk in chunks]
    return [future.result() for future in futures]


def _started(seed: bytes, workers: int) -> ProcessPoolExecutor:
    """An executor whose workers are all running: it starts one for every task that finds none idle."""
    executor = ProcessPoolExecutor(workers, get_context("spawn"), initializer=_begin, initargs=(seed,))
    waiting: list[Future[int]] = [executor.submit(os.getpid) for _ in range(workers)]
    for one in waiting:
        one.result()
    return executor


def _begin(seed: bytes) -> None:
    """In a new worker: keep the seed, and watch for the parent's end."""
    _worker_seed.append(seed)
    Thread(target=_end_with_parent, name="parent-watch", daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
    os._exit(_ORPHANED)


def _in_worker(
    act: Callable[[bytes, str, int, Sequence[bytes]], T],
    agreement_id: str,
    epoch: int,
    chunk: Sequence[bytes],
) -> T:
    return act(_worker_seed[0], agreement_id, epoch, chunk)
