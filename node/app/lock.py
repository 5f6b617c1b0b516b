"""The lock on a node's folder: one process serves a node on SQLite."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from node.config import ConfigError, Folder


@contextmanager
def serving_lock(folder: Folder) -> Iterator[None]:
    """Hold the folder while serving.

    Raises:
        ConfigError: another process holds it, or it cannot be written.
    """
    try:
        file: IO[str] = folder.lock.open("w")
    except OSError as error:
        raise ConfigError(f"{folder.lock} cannot be written: {error.strerror}") from None
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConfigError(f"{folder.path} is in use: another process is serving this node") from None
        yield
    finally:
        file.close()


def is_served(folder: Folder) -> bool:
    """Whether some process serves this node now."""
    try:
        with folder.lock.open("r") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False
