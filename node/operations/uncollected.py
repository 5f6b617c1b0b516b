"""Bulk work without Python's search for cycles, of which it makes none."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def uncollected() -> Iterator[None]:
    """Let nobody search for unreachable cycles in this process until the work is done.

    Each search goes through everything that is alive, and a batch of rows calls for dozens of them. What is not in a
    cycle is given back at once all the same; what others leave in cycles meanwhile is found afterwards.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
