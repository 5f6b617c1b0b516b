"""Driver connections, and their errors in our words."""

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


def connect(backend: Backend) -> Any:
    """Open a connection; the caller closes it."""
    with in_our_words(backend):
        return backend.connect()


@contextmanager
def connected(backend: Backend) -> Iterator[Any]:
    """Open a connection for one purpose, and close it again."""
    connection = connect(backend)
    try:
        yield connection
    finally:
        connection.close()
