"""What differs between database engines, behind one small promise; the stores know nothing of it.

Statements are written once, in the SQL that SQLite and PostgreSQL share, with two kinds of marks: `:name` is
a bound value, and `{blobs name}`, `{numbers name}`, `{texts name}`, `{pairs name}` or `{owned name}` stands for a table
expression `name(key)`, or `name(key, other)` with two texts or with a number and bytes, over many bound keys. Such a
table is joined with CROSS JOIN, which both engines allow and which keeps SQLite's planner from scanning the stored
table instead.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from node.operations import ports
from node.storage.errors import StorageError


class Backend(Protocol):
    """One kind of database, at one place; connections are the driver's own."""

    @property
    def dialect(self) -> str:
        """What SQLAlchemy calls this kind of database and its driver, for migrations."""

    @property
    def shared(self) -> bool:
        """Whether several processes may serve from it."""

    @property
    def patience(self) -> float:
        """Seconds that anybody waits for a connection, or for the turn to write."""

    @property
    def driver_errors(self) -> tuple[type[Exception], ...]:
        """What the driver raises."""

    def connect(self) -> Any:
        """Open a connection; the caller closes it."""

    def translate(self, error: Exception) -> StorageError | None:
        """Say in our words what a driver's error means; None if it is a bug and should be seen as one."""

    def statement(self, text: str) -> str:
        """Write a marked statement for the driver; the same text is written once."""

    def keys(self, keys: Iterable[bytes] | Iterable[int] | Iterable[str]) -> object:
        """Bind the keys of a `{blobs}`, `{numbers}` or `{texts}` mark; double keys count once."""

    def pairs(self, keys: Iterable[tuple[str, str]]) -> object:
        """Bind the keys of a `{pairs}` mark; double keys count once."""

    def owned(self, keys: Iterable[tuple[int, bytes]]) -> object:
        """Bind the keys of an `{owned}` mark; double keys count once."""

    def run_many(self, cursor: Any, text: str, rows: Sequence[Mapping[str, Any]]) -> int:
        """Run a marked statement for each row of values, at least one; gives how many rows were changed together."""

    def insert(self, cursor: Any, text: str, rows: Sequence[Sequence[Any]], shared: Mapping[str, Any]) -> int:
        """Run an INSERT of one row for many, at least one and no two of one key.

        Each row has the values of the statement's names in their order, but for those that all have in common.
        """

    def insert_columns(
        self, cursor: Any, text: str, columns: Sequence[Sequence[Any]], shared: Mapping[str, Any]
    ) -> int:
        """As `insert`, of rows that are had as columns of equal length: one column and one row at least."""

    def learn(self, cursor: Any, table: str) -> None:
        """Look at what a table holds now, where statements are planned by that; within a transaction."""

    def turn(self) -> AbstractContextManager[object]:
        """Wait for this process's turn to write, where the database does not do that well by itself.

        Raises:
            Busy: the turn did not come in time.
        """

    def begin(self, connection: Any, *, write: bool) -> None:
        """Begin a transaction: one that may write, or one that only reads, from one snapshot."""

    def is_open(self, connection: Any) -> bool:
        """Whether the transaction is still there to be committed."""

    def is_alive(self, connection: Any) -> bool:
        """Whether an idle connection can be used, as far as can be told without asking the database."""

    def exists(self) -> bool:
        """Whether there is anything at all where the database should be."""

    def prepare(self) -> None:
        """Make the empty database at its place, readable by this user only."""

    def revision(self, connection: Any) -> str | None:
        """The schema revision that migrations noted; None in a database that they never saw."""

    def checkpoint(self, connection: Any) -> None:
        """Bring committed changes, erasures above all, from the log into the database file; empty the log.

        Raises:
            Busy: others were reading all the time.
        """

    def compact(self, connection: Any) -> None:
        """Write the database anew from what it holds."""

    def data_version(self, connection: Any) -> int:
        """A number that moves when another connection commits."""

    def duties(self) -> "Duties":
        """What this process has to do for all that share the database; the caller closes it."""


class Duties(ports.Duties, Protocol):
    """Duties that end with the store."""

    def close(self) -> None:
        """Leave every duty."""


def written_out(
    columns: Sequence[Sequence[Any]], names: Sequence[str], shared: Mapping[str, Any]
) -> list[Sequence[Any]]:
    """Columns for all of a statement's names, for what rows share too."""
    own, count = iter(columns), len(columns[0])
    return [[shared[name]] * count if name in shared else next(own) for name in names]
