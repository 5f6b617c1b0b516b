"""The locks on a node's folder: one process serves a node on SQLite, several may on PostgreSQL."""

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from node.config import ConfigError, Folder

TRIES = 10
BETWEEN_TRIES = 0.05


@contextmanager
def serving_lock(folder: Folder, *, shared: bool = False) -> Iterator[bool]:
    """Hold the folder while serving, alone or (`shared`) together with others; gives whether nobody else serves.

    Raises:
        ConfigError: another process holds it alone, or it cannot be written.
    """
    path = folder.shared_lock if shared else folder.lock
    try:
        file: IO[str] = path.open("w")
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror}") from None
    with file:
        alone = _taken(file, fcntl.LOCK_EX)
        if not (_taken(file, fcntl.LOCK_SH) if shared else alone):
            raise ConfigError(f"{folder.path} is in use: another process is serving this node")
        yield alone


def is_served(folder: Folder) -> bool:
    """Whether some process serves this node now, from this folder."""
    # Several hold the shared lock together, so only asking for it alone tells; another who asks is gone in a moment.
    return not (_is_free(folder.lock, fcntl.LOCK_SH, tries=1) and _is_free(folder.shared_lock, fcntl.LOCK_EX, tries=3))


def _is_free(path: Path, how: int, tries: int) -> bool:
    try:
        with path.open("r") as file:
            return _taken(file, how, tries)
    except OSError:
        return True


def _taken(file: IO[str], how: int, tries: int = TRIES) -> bool:
    """Take the lock; commands that look whether it is held hold it for a moment, so one refusal is not the last."""
    for left in reversed(range(tries)):
        try:
            fcntl.flock(file, how | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(BETWEEN_TRIES if left else 0)
        else:
            return True
    return False
