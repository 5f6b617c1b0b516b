"""Bulk work during which Python looks for cycles seldom: it makes none itself."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Final

_ALIVE: Final = 300_000
"""So many objects more than after the last search call for the next one: a few times what two batches of rows hold."""


class _Threshold:
    """What Python had before the first of those who are at work, which the last one puts back."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._working = 0
        self._before = gc.get_threshold()

    def raise_it(self) -> None:
        with self._lock:
            if not self._working:
                self._before = gc.get_threshold()
                if self._before[0]:  # else nothing is looked for at all
                    gc.set_threshold(_ALIVE, *self._before[1:])
            self._working += 1

    def put_back(self) -> None:
        with self._lock:
            self._working -= 1
            if not self._working:
                gc.set_threshold(*self._before)


_THRESHOLD: Final = _Threshold()


@contextmanager
def seldom_collected() -> Iterator[None]:
    """Have unreachable cycles looked for in this process only once there may be many, until the work is done.

    Each search goes through everything that came since the last one, and a batch of rows calls for dozens of them. What
    is not in a cycle is given back at once all the same; what others leave in cycles meanwhile stays within bounds.
    """
    _THRESHOLD.raise_it()
    try:
        yield
    finally:
        _THRESHOLD.put_back()
