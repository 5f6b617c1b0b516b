"""Where measured nodes and their ceilings keep rows: SQLite files, or databases of one PostgreSQL server.

A ceiling uses the driver itself, as durably as a node: the same write-ahead log, flushed at every commit.
"""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_hex
from typing import Any, Final, Protocol, TypeAlias

import psycopg

from tests.contracts.postgresql import PostgresqlServer, shared_server

PRAGMAS: Final = ("journal_mode = WAL", "synchronous = FULL", "wal_autocheckpoint = 16000")
DURABLE: Final = {"fsync": "on", "shared_buffers": "512MB", "max_wal_size": "4GB", "max_connections": "200"}
STORES: Final = ("sqlite", "postgresql")
_COPY_FROM: Final = 128
"""From so many rows on PostgreSQL's COPY is faster than inserting."""

Rows: TypeAlias = Sequence[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Place:
    """Where databases of one kind are made; it outlives no run."""

    store: str
    folder: Path
    server: PostgresqlServer | None = field(default=None, repr=False)

    def url(self) -> str:
        """The address of a new database with nothing in it."""
        name = f"bench_{token_hex(8)}"
        if self.server is None:
            return f"sqlite:///{self.folder / name}.sqlite"
        _order(self.server.url("postgres"), f"CREATE DATABASE {name} TEMPLATE template0")
        return self.server.url(name)

    def copy_of(self, url: str) -> str:
        """The address of a PostgreSQL database that holds what another one holds, which nobody uses meanwhile."""
        assert self.server is not None
        name = f"bench_{token_hex(8)}"
        taken = url.partition("@/")[2].partition("?")[0]
        _order(self.server.url("postgres"), f"CREATE DATABASE {name} TEMPLATE {taken}")
        return self.server.url(name)


@contextmanager
def places(folder: Path, stores: Sequence[str]) -> Iterator[list[Place]]:
    """A place of each kind, with a PostgreSQL server of its own if one is wanted."""
    with ExitStack() as stack:
        made = []
        for store in stores:
            (inside := folder / store).mkdir()
            running = stack.enter_context(shared_server(inside, DURABLE)) if store == "postgresql" else None
            made.append(Place(store, inside, running))
        yield made


class Bare(Protocol):
    """A database as its driver opens it; used from one thread."""

    def create(self, table: str, columns: Mapping[str, str], indexed: Sequence[str] = ()) -> None:
        """Make a table with an ascending number and these columns (`bytes`, `text` or `number`)."""

    def insert(self, table: str, columns: Sequence[str], rows: Rows) -> None:
        """Insert rows as fast as the driver can."""

    def content(self, number: int) -> bytes:
        """Read one row of the table `records` by its number."""

    def begin(self) -> None:
        """Begin a transaction."""

    def commit(self) -> None:
        """Make it durable."""

    def close(self) -> None:
        """Close the connection."""


def bare(url: str) -> Bare:
    """Open a database without anything of ours."""
    if url.startswith("sqlite:///"):
        return _BareSqlite(url.removeprefix("sqlite:///"))
    return _BarePostgresql(url)


class _BareSqlite:
    def __init__(self, path: str) -> None:
        self._database = sqlite3.connect(path, isolation_level=None)
        for pragma in PRAGMAS:
            self._database.execute(f"PRAGMA {pragma}")

    def create(self, table: str, columns: Mapping[str, str], indexed: Sequence[str] = ()) -> None:
        kinds = {"bytes": "BLOB", "text": "TEXT", "number": "INTEGER"}
        named = ", ".join(f"{name} {kinds[kind]}" for name, kind in columns.items())
        self._database.execute(f"CREATE TABLE {table} (number INTEGER PRIMARY KEY, {named})")
        for name in indexed:
            self._database.execute(f"CREATE INDEX {table}_{name} ON {table} ({name})")

    def insert(self, table: str, columns: Sequence[str], rows: Rows) -> None:
        marks = ", ".join("?" * len(columns))
        self._database.executemany(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", rows)  # noqa: S608 - of this program's own words

    def content(self, number: int) -> bytes:
        found = self._database.execute("SELECT content FROM records WHERE number = ?", (number,)).fetchone()
        return bytes(found[0])

    def begin(self) -> None:
        self._database.execute("BEGIN IMMEDIATE")

    def commit(self) -> None:
        self._database.execute("COMMIT")

    def close(self) -> None:
        self._database.close()


class _BarePostgresql:
    def __init__(self, url: str) -> None:
        self._connection = psycopg.connect(url, autocommit=True)
        self._cursor = self._connection.cursor(binary=True)

    def create(self, table: str, columns: Mapping[str, str], indexed: Sequence[str] = ()) -> None:
        kinds = {"bytes": "bytea", "text": "text", "number": "bigint"}
        named = ", ".join(f"{name} {kinds[kind]}" for name, kind in columns.items())
        number = "number bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY"
        self._cursor.execute(f"CREATE TABLE {table} ({number}, {named})".encode())
        for name in indexed:
            self._cursor.execute(f"CREATE INDEX {table}_{name} ON {table} ({name})".encode())

    def insert(self, table: str, columns: Sequence[str], rows: Rows) -> None:
        names = ", ".join(columns)
        if len(rows) < _COPY_FROM:
            marks = ", ".join(["%b"] * len(columns))
            self._cursor.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})".encode(), rows)  # noqa: S608 - as above
            return
        with self._cursor.copy(f"COPY {table} ({names}) FROM STDIN (FORMAT BINARY)".encode()) as copy:
            copy.set_types([_TYPES[type(value)] for value in rows[0]])
            for row in rows:
                copy.write_row(row)

    def content(self, number: int) -> bytes:
        self._cursor.execute("SELECT content FROM records WHERE number = %b", (number,))
        found = self._cursor.fetchone()
        assert found is not None
        return bytes(found[0])

    def begin(self) -> None:
        self._connection.execute("BEGIN")

    def commit(self) -> None:
        self._connection.execute("COMMIT")

    def close(self) -> None:
        self._connection.close()


_TYPES: Final[dict[type, str]] = {bytes: "bytea", str: "text", int: "int8"}


def _order(url: str, words: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(words.encode())
