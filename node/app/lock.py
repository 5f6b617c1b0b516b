"""The lock on a node's folder: one process serves a node on SQLite."""

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from node.config import ConfigError, Folder

TRIES = 10
BETWEEN_TRIES = 0.05


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
        if not _taken(file):
            raise ConfigError(f"{folder.path} is in use: another process is serving this node")
        yield
    finally:
        file.close()


def _taken(file: IO[str]) -> bool:
    """Take the lock; commands that look whether it is held share it for a moment, so one refusal is not the last."""
    for _ in range(TRIES):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(BETWEEN_TRIES)
        else:
            return True
    return False


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
