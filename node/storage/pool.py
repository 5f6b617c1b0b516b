"""A pool of driver connections: a few are kept open, more are opened when needed, and never too many at once.

It is our own because SQLAlchemy's brings all of SQLAlchemy along, whose import takes longer than everything else that
a short command does.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock, Semaphore
from typing import Any, Final

from node.storage.errors import Busy

KEPT: Final = 4
"""Idle connections that stay open."""

MOST: Final = 32
"""Connections lent at once."""


class Pool:
    """Lends connections that `connect` opens and `is_alive` still finds usable; safe to use from several threads.

    Whoever is lent a connection ends its transaction before giving it back.
    """

    def __init__(self, connect: Callable[[], Any], is_alive: Callable[[Any], bool], patience: float) -> None:
        self._connect = connect
        self._is_alive = is_alive
        self._patience = patience
        self._free = Semaphore(MOST)
        self._idle: list[Any] = []
        self._keep = KEPT
        self._lock = Lock()

    @contextmanager
    def lend(self) -> Iterator[Any]:
        """Lend a connection.

        Raises:
            Busy: too many were lent all the time.
        """
        if not self._free.acquire(timeout=self._patience):
            raise Busy("too many transactions are open at once; try again")
        try:
            connection = self._take()
            try:
                yield connection
            finally:
                self._give_back(connection)
        finally:
            self._free.release()

    def close(self) -> None:
        """Close every idle connection, and those that are lent as soon as they come back."""
        with self._lock:
            self._keep = 0
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _take(self) -> Any:
        while True:
            with self._lock:
                connection = self._idle.pop() if self._idle else None
            if connection is None:
                return self._connect()
            if self._is_alive(connection):
                return connection
            connection.close()

    def _give_back(self, connection: Any) -> None:
        with self._lock:
            if len(self._idle) < self._keep and self._is_alive(connection):
                self._idle.append(connection)
                return
        connection.close()
