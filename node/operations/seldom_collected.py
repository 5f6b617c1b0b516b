"""Bulk work with few of Python's searches for cycles, of which it makes none."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_ALIVE: Final = 300_000
"""So many objects more than after the last search call for the next one: a few times what two batches of rows hold."""


@contextmanager
def seldom_collected() -> Iterator[None]:
    """Have unreachable cycles looked for in this process only once there may be many, until the work is done.

    Each search goes through everything that came since the last one, and a batch of rows calls for dozens of them. What
    is not in a cycle is given back at once all the same; what others leave in cycles meanwhile stays within bounds.
    """
    before = gc.get_threshold()
    gc.set_threshold(_ALIVE, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
