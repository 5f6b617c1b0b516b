"""The store: opens units of work on a database that this program understands."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from threading import Lock
from typing import Any

from node.operations import ports
from node.operations.ports import UnitOfWork
from node.storage.backend import Backend
from node.storage.connection import connect, in_our_words
from node.storage.pool import Pool
from node.storage.record_facts import forget_unused_facts
from node.storage.transaction import Transaction
from node.storage.unit import SqlUnit


class SqlStore:
    """Units of work on one database; safe to use from several threads, each unit from one at a time.

    Every method raises `node.storage.errors.StorageError` when the database cannot do what was asked. A unit
    that was committed or left is over: using it, or a store in it, again is a bug and fails.
    """

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._pool = Pool(partial(connect, backend), backend.is_alive, backend.patience)
        self._watching: Any = None
        self._duties = backend.duties()
        self._watch = Lock()

    @property
    def shared(self) -> bool:
        """Whether several processes may serve from this database."""
        return self._backend.shared

    @property
    def duties(self) -> ports.Duties:
        """What this process does for all that share the database."""
        return self._duties

    @contextmanager
    def write(self) -> Iterator[UnitOfWork]:
        """Open a unit that may write; one at a time, others wait their turn."""
        with self._backend.turn(), self._transaction(write=True) as transaction:
            yield SqlUnit(transaction)

    @contextmanager
    def read(self) -> Iterator[UnitOfWork]:
        """Open a unit that only reads, from one consistent state, and is never in a writer's way."""
        with self._transaction(write=False) as transaction:
            yield SqlUnit(transaction)

    def data_version(self) -> int:
        """A number that moves when any unit of any process commits; cheap enough to ask all the time."""
        with self._watch, in_our_words(self._backend):
            if self._watching is None or not self._backend.is_alive(self._watching):
                self._watching = self._backend.connect()
            return self._backend.data_version(self._watching)

    def checkpoint(self) -> None:
        """Bring what is committed, erasures too, into the database file; empty the log beside it.

        What was erased is overwritten then where it last stood. Only `compact` also removes the copies that the
        database made of it earlier, when it moved rows from page to page.

        Raises:
            Busy: others were reading all the time.
        """
        with self._backend.turn(), self._pool.lend() as connection, in_our_words(self._backend):
            self._backend.checkpoint(connection)

    def compact(self) -> None:
        """Write the database anew from what it holds, so that no byte of what was erased is left in its files.

        Envelope facts that no record has any more go first. Nobody can write meanwhile; on SQLite it takes the memory
        of a second copy. PostgreSQL's own log and its backups are its keeper's to delete.

        Raises:
            Busy: others were reading all the time.
        """
        with self._backend.turn(), self._transaction(write=True) as transaction:
            forget_unused_facts(transaction)
            transaction.commit()
        with self._backend.turn(), self._pool.lend() as connection, in_our_words(self._backend):
            self._backend.compact(connection)
            self._backend.checkpoint(connection)

    def close(self) -> None:
        """Leave every duty and close every connection. Units that are still open must be left first."""
        self._duties.close()
        with self._watch:
            if self._watching is not None:
                self._watching.close()
                self._watching = None
        self._pool.close()

    @contextmanager
    def _transaction(self, *, write: bool) -> Iterator[Transaction]:
        with self._pool.lend() as connection:
            with in_our_words(self._backend):
                self._backend.begin(connection, write=write)
            transaction = Transaction(self._backend, connection)
            try:
                yield transaction
            finally:
                transaction.end()
