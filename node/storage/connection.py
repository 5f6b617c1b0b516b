"""Borrowed driver connections, and their errors in our words."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from node.storage.backend import Backend


@contextmanager
def in_our_words(backend: Backend) -> Iterator[None]:
    """Raise what the driver raises as a `StorageError`; what has no word there is a bug and passes."""
    try:
        yield
    except backend.driver_errors as error:
        meaning = backend.translate(error)
        if meaning is None:
            raise
        raise meaning from error


@contextmanager
def borrowed(backend: Backend) -> Iterator[Any]:
    """Borrow a driver connection from the pool."""
    with in_our_words(backend):
        connection = backend.engine.raw_connection()
    try:
        yield connection.driver_connection
    finally:
        connection.close()
