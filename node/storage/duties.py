"""Duties on PostgreSQL: what one process does for all that share a database, held by a session of the server.

A duty is an advisory lock of one connection that the process keeps open. However the process ends, the server ends the
session and frees its duties at once; a process that stands still is cut off by the server after `LEASE`. So no clock of
ours decides, and nothing has to be tidied up.
"""

from collections.abc import Callable
from hashlib import sha256
from threading import Lock
from typing import Any, Final

from node.storage.backend import Backend
from node.storage.connection import in_our_words

LEASE: Final = 30.0
"""Seconds after which a process that does not say that it goes on has lost its duties."""

_SESSION: Final = "SELECT set_config('idle_session_timeout', %s, false), current_schema()::regnamespace::oid::bigint"


def duty_key(schema: int, duty: str) -> int:
    """The advisory lock that stands for a duty, in the schema with this object id."""
    named = sha256(f"creditport/duty/{schema}/{duty}".encode()).digest()
    return int.from_bytes(named[:8], "big", signed=True)


class SessionDuties:
    """See `node.operations.ports.Duties`."""

    def __init__(self, backend: Backend, connect: Callable[[], Any], lease: float = LEASE) -> None:
        self._backend = backend
        self._connect = connect
        self._lease = lease
        self._connection: Any = None
        self._schema = 0
        self._held: set[str] = set()
        self._lock = Lock()

    def take(self, duty: str) -> bool:
        """Keep the promise of the port.

        Raises:
            StorageError: the server cannot be reached; nothing is held then.
        """
        with self._lock, in_our_words(self._backend):
            self._forget_if_lost()
            if duty in self._held:
                return True
            if self._ask("SELECT pg_try_advisory_lock(%s)", duty):
                self._held.add(duty)
            return duty in self._held

    def has(self, duty: str) -> bool:
        """Keep the promise of the port, without asking the server."""
        with self._lock:
            self._forget_if_lost()
            return duty in self._held

    def leave(self, duty: str) -> None:
        """Keep the promise of the port.

        Raises:
            StorageError: the server cannot be reached; nothing is held then.
        """
        with self._lock, in_our_words(self._backend):
            self._forget_if_lost()
            if duty in self._held:
                self._held.discard(duty)
                self._ask("SELECT pg_advisory_unlock(%s)", duty)

    def go_on(self) -> None:
        """Keep the promise of the port.

        Raises:
            StorageError: the server cannot be reached; nothing is held then.
        """
        with self._lock, in_our_words(self._backend):
            self._forget_if_lost()
            if self._held:
                self._ask("SELECT true")

    def close(self) -> None:
        """Leave every duty."""
        with self._lock:
            self._forget()

    def _ask(self, question: str, duty: str | None = None) -> bool:
        try:
            if self._connection is None:
                self._connection = self._connect()
                ((_, self._schema),) = self._connection.execute(_SESSION, [f"{int(self._lease * 1_000)}ms"]).fetchall()
            about = None if duty is None else [duty_key(self._schema, duty)]
            ((answer,),) = self._connection.execute(question, about).fetchall()
        except self._backend.driver_errors:
            self._forget()
            raise
        return bool(answer)

    def _forget_if_lost(self) -> None:
        if self._connection is not None and not self._backend.is_alive(self._connection):
            self._forget()

    def _forget(self) -> None:
        self._held.clear()
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
