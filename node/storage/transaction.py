"""One transaction on a driver connection: runs statements, says errors in our words, ends once."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from node.storage.backend import Backend

Values = Mapping[str, Any]
Row = Sequence[Any]
_NOTHING: Final[Values] = {}


class Transaction:
    """Runs marked statements (see `backend`) until it is committed or ended; later use is a bug and fails.

    An error of the database ends the transaction: nothing can be written after the part that failed.
    """

    __slots__ = ("_backend", "_connection", "_cursor", "_errors")

    def __init__(self, backend: Backend, connection: Any) -> None:
        self._backend = backend
        self._connection = connection
        self._errors = backend.driver_errors
        self._cursor = connection.cursor()

    def rows(self, text: str, values: Values = _NOTHING) -> list[Any]:
        """Run a statement and give all its rows, as tuples."""
        try:
            self._cursor.execute(self._backend.statement(text), values)
            found: list[Any] = self._cursor.fetchall()
        except self._errors as error:
            self._fail(error)
            raise
        return found

    def row(self, text: str, values: Values = _NOTHING) -> Any | None:
        """Run a statement and give its first row, if it has one."""
        found = self.rows(text, values)
        return found[0] if found else None

    def run(self, text: str, values: Values = _NOTHING) -> int:
        """Run a statement and give how many rows it changed, on SQLite only if it does not begin with WITH."""
        try:
            self._cursor.execute(self._backend.statement(text), values)
        except self._errors as error:
            self._fail(error)
            raise
        return int(self._cursor.rowcount)

    def run_many(self, text: str, rows: Sequence[Values]) -> int:
        """Run a statement for each row of values and give how many rows were changed together."""
        if not rows:
            return 0
        try:
            return self._backend.run_many(self._cursor, text, rows)
        except self._errors as error:
            self._fail(error)
            raise

    def insert(self, text: str, rows: Sequence[Row], shared: Values = _NOTHING) -> int:
        """Run an INSERT of one row for many, no two of one key, and give how many were inserted.

        Each row has its values in the statement's order, without those that all have in common: `shared`, by name.
        """
        if not rows:
            return 0
        try:
            return self._backend.insert(self._cursor, text, rows, shared)
        except self._errors as error:
            self._fail(error)
            raise

    def insert_columns(self, text: str, columns: Sequence[Sequence[Any]], shared: Values = _NOTHING) -> int:
        """As `insert`, of rows that are had as columns, one at least; ValueError unless these are of one length."""
        (count,) = {len(column) for column in columns}
        if not count:
            return 0
        try:
            return self._backend.insert_columns(self._cursor, text, columns, shared)
        except self._errors as error:
            self._fail(error)
            raise

    def learn(self, table: str) -> None:
        """Have the database look at what a table holds now, so that it plans by that at once."""
        try:
            self._backend.learn(self._cursor, table)
        except self._errors as error:
            self._fail(error)
            raise

    def keys(self, keys: Sequence[bytes] | Sequence[int] | Sequence[str]) -> object:
        """Bind many keys to a `{blobs}`, `{numbers}` or `{texts}` mark."""
        return self._backend.keys(keys)

    def pairs(self, keys: Sequence[tuple[str, str]]) -> object:
        """Bind many keys to a `{pairs}` mark."""
        return self._backend.pairs(keys)

    def owned(self, keys: Sequence[tuple[int, bytes]]) -> object:
        """Bind many numbers, each with bytes that belong to it, to an `{owned}` mark."""
        return self._backend.owned(keys)

    def commit(self) -> None:
        """Make everything durable and visible, and end."""
        self._cursor.close()
        if not self._backend.is_open(self._connection):
            raise RuntimeError("this transaction has ended")
        try:
            self._connection.commit()
        except self._errors as error:
            self._fail(error)
            raise

    def end(self) -> None:
        """End without keeping anything that is not committed."""
        self._cursor.close()
        if self._backend.is_open(self._connection):
            self._connection.rollback()

    def _fail(self, error: Exception) -> None:
        """End, and raise in our words; what has no word there is a bug, for the caller to raise."""
        self.end()
        meaning = self._backend.translate(error)
        if meaning is not None:
            raise meaning from error
