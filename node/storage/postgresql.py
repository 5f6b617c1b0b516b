"""PostgreSQL: the database of a node that several processes serve.

What may be written, and when, is as on SQLite: units that write take turns, in the whole database, by an advisory lock
that lasts as long as the transaction (docs/decisions/0017-postgresql.md). Whoever has the turn sees everything that was
committed before, so a unit decides by facts that nobody changes until it ends.
"""

# ruff: noqa: S608 - statements are put together from constants of this program only
# ruff: noqa: D102 - each method keeps the promise of `Backend`

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from select import POLLIN, poll
from threading import Lock
from typing import Any, Final, NamedTuple

import msgspec
import psycopg
from psycopg.adapt import PyFormat
from psycopg.conninfo import conninfo_to_dict
from psycopg.pq import Format, TransactionStatus
from psycopg.types.numeric import Int8

from node.storage.backend import written_out
from node.storage.duties import SessionDuties
from node.storage.errors import Busy, Damaged, DiskFull, StorageError, Unusable

PATIENCE: Final = 10.0
"""Seconds that a unit waits for its turn to write before it is refused as busy, if nothing else is said."""

OLDEST: Final = 14
"""The oldest PostgreSQL that is served."""

# A dead machine or network is noticed within half a minute; addresses may say otherwise.
_CONNECTION: Final = {
    "connect_timeout": "10",
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "25000",
}
# Never less durable than this program promises; a server that waits for its replicas is left to it.
_SESSION: Final = """
SELECT set_config('lock_timeout', '{patience}ms', false), set_config('TimeZone', 'UTC', false),
set_config('client_min_messages', 'warning', false),
CASE WHEN current_setting('synchronous_commit') IN ('off', 'local', 'remote_write')
THEN set_config('synchronous_commit', 'on', false) END"""

_WRITERS: Final = 0x43507731
"""First half of the advisory lock of whoever writes ("CPw1"); the second is the schema, so nodes may share a server."""

_SCHEMA: Final = "current_schema()::regnamespace::oid::int"
# A process that stands still does not keep the turn for ever.
_BEGIN_WRITING: Final = f"""BEGIN ISOLATION LEVEL READ COMMITTED;
SET LOCAL idle_in_transaction_session_timeout = '60s'; SELECT pg_advisory_xact_lock({_WRITERS}, {_SCHEMA})"""
_BEGIN_READING: Final = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY"

_MARK: Final = re.compile(r"\{(blobs|numbers|texts|pairs|owned) (\w+)\}")
_NAME: Final = re.compile(r"(?<!:):(\w+)")
_KEYS: Final = {
    "blobs": "{0}(key) AS (SELECT unnest(:{0}::bytea[]))",
    "numbers": "{0}(key) AS (SELECT unnest(:{0}::bigint[]))",
    "texts": "{0}(key) AS (SELECT unnest(:{0}::text[]))",
    "pairs": "{0}(key, other) AS (SELECT pair ->> 0, pair ->> 1 FROM json_array_elements(:{0}::json) pair)",
    "owned": "{0}(key, other) AS (SELECT (pair ->> 0)::bigint, decode(pair ->> 1, 'hex')"
    " FROM json_array_elements(:{0}::json) pair)",
}

_INSERT: Final = re.compile(
    r"\s*INSERT INTO (\w+)\s*\(([\w,\s]+)\)\s*VALUES \(((?::\w+[,\s]*)+)\)\s*(ON CONFLICT \([\w, ]+\) DO [^:?]*)?"
)
_MANY: Final = 128
"""From so many rows on, copying is faster than inserting."""

_TYPES: Final[dict[type, str]] = {int: "int8", bytes: "bytea", str: "text", bool: "bool"}

_LOST: Final = Unusable("the PostgreSQL server cannot be reached, or went away")
_MEANINGS: Final[dict[str, StorageError]] = {
    "53100": DiskFull("the disk is full; nothing of this transaction was kept"),
    "53200": Busy("the PostgreSQL server has no memory left; try again"),
    "53300": Busy("the PostgreSQL server has too many connections; try again"),
    "55P03": Busy("another process is writing to the database; try again"),
    "57014": Busy("the PostgreSQL server ended a statement that took too long; try again"),
    "40001": Busy("two transactions got into each other's way; try again"),
    "40P01": Busy("two transactions got into each other's way; try again"),
    "25006": Unusable("the database may not be written by this user or in this transaction"),
    "25P03": Unusable("the PostgreSQL server ended a transaction that stood still"),
    "42501": Unusable("the database may not be used by this user"),
    "42P07": Unusable("the database has tables of another program"),
    "58030": Unusable("the disk under the database fails to read or write"),
    "57P": _LOST,
    "08": _LOST,
    "58P": Damaged("the database is damaged; restore it from a backup"),
    "XX": Damaged("the database is damaged; restore it from a backup"),
}


class Postgresql:
    """One database of a PostgreSQL server. See `Backend` for what each method promises.

    The address is libpq's (`postgresql://user@host:port/name?option=value`). What it may hold, such as a password, is
    shown nowhere.
    """

    dialect = "postgresql+psycopg"
    shared = True
    driver_errors: tuple[type[Exception], ...] = (psycopg.Error,)

    def __init__(self, url: str, patience: float = PATIENCE) -> None:
        try:
            named = {"application_name": f"creditport {os.getpid()}"}
            self._parameters: dict[str, Any] = named | _CONNECTION | conninfo_to_dict(url)
        except psycopg.ProgrammingError:
            raise Unusable("database: expected an address like postgresql://user@host/name") from None
        self.patience = patience
        self._writing = Lock()
        self._statements: dict[str, str] = {}
        self._inserts: dict[str, _Insert | None] = {}

    def connect(self) -> Any:
        try:
            connection = psycopg.connect(**self._parameters, autocommit=True, cursor_factory=_BinaryCursor)
        except psycopg.OperationalError as error:
            raise _refusal(error) from None
        if connection.info.server_version < OLDEST * 10_000:
            connection.close()
            raise Unusable(f"PostgreSQL: expected version {OLDEST} or newer, got {connection.info.server_version}")
        # One type for each kind of value, so that a statement is prepared once.
        integer = connection.adapters.get_dumper(Int8, PyFormat.BINARY)
        connection.adapters.register_dumper(int, integer)
        connection.execute(_SESSION.format(patience=int(self.patience * 1_000)).encode())
        return connection

    def translate(self, error: Exception) -> StorageError | None:
        """Keep the promise; what has no meaning here keeps its code and loses its words, which may quote a row."""
        meaning: StorageError | None = None
        state = getattr(error, "sqlstate", None)
        if state is not None:
            meaning = _MEANINGS.get(state) or _MEANINGS.get(state[:3]) or _MEANINGS.get(state[:2])
            error.args = (f"PostgreSQL refused a statement with {state}",)
        elif isinstance(error, psycopg.OperationalError):
            meaning = _LOST
        return None if meaning is None else type(meaning)(*meaning.args)

    def statement(self, text: str) -> str:
        written = self._statements.get(text)
        if written is None:
            written = _MARK.sub(lambda mark: _KEYS[mark[1]].format(mark[2]), text)
            written = self._statements[text] = _NAME.sub(r"%(\1)s", written)
        return written

    def keys(self, keys: Iterable[bytes] | Iterable[int] | Iterable[str]) -> object:
        return _array(list(dict.fromkeys(keys)))

    def pairs(self, keys: Iterable[tuple[str, str]]) -> object:
        return msgspec.json.encode(list(dict.fromkeys(keys))).decode()

    def owned(self, keys: Iterable[tuple[int, bytes]]) -> object:
        return msgspec.json.encode([(number, key.hex()) for number, key in dict.fromkeys(keys)]).decode()

    def run_many(self, cursor: Any, text: str, rows: Sequence[Mapping[str, Any]]) -> int:
        insert = self._insert(text)
        if insert is not None and not insert.tail:
            return self.insert(cursor, text, [[row[name] for name in insert.names] for row in rows], {})
        cursor.executemany(self.statement(text), rows)
        return int(cursor.rowcount)

    def insert(self, cursor: Any, text: str, rows: Sequence[Sequence[Any]], shared: Mapping[str, Any]) -> int:
        return self.insert_columns(cursor, text, [*zip(*rows, strict=True)], shared)

    def insert_columns(
        self, cursor: Any, text: str, columns: Sequence[Sequence[Any]], shared: Mapping[str, Any]
    ) -> int:
        insert = self._insert(text)
        if insert is None:
            raise ValueError("expected an INSERT of values that are all named, got another statement")
        columns = written_out(columns, insert.names, shared)
        rows = zip(*columns, strict=True)
        if len(columns[0]) < _MANY:
            cursor.executemany(insert.of_one(), [*rows])
            return int(cursor.rowcount)
        types = [_type_of(column) for column in columns]
        if insert.tail:
            # COPY knows no conflicts.
            cursor.execute(
                insert.of_columns(types), [_array(one) for one, kind in zip(columns, types, strict=True) if kind]
            )
        else:
            with cursor.copy(insert.copy()) as copy:
                copy.set_types([kind or "text" for kind in types])
                for row in rows:
                    copy.write_row(row)
        return int(cursor.rowcount)

    def learn(self, cursor: Any, table: str) -> None:
        cursor.execute(f"ANALYZE {table}".encode())

    @contextmanager
    def turn(self) -> Iterator[None]:
        # Threads of one process wait here, so that waiting holds no connection.
        if not self._writing.acquire(timeout=self.patience):
            raise Busy("another thread is writing to the database; try again")
        try:
            yield
        finally:
            self._writing.release()

    def begin(self, connection: Any, *, write: bool) -> None:
        try:
            # A cursor for text: several statements in one message have no binary results.
            psycopg.Cursor(connection).execute(_BEGIN_WRITING if write else _BEGIN_READING)
        except psycopg.Error:
            if self.is_open(connection):
                connection.rollback()
            raise

    def is_open(self, connection: Any) -> bool:
        status = connection.pgconn.transaction_status
        return status not in {TransactionStatus.IDLE, TransactionStatus.UNKNOWN}

    def is_alive(self, connection: Any) -> bool:
        if connection.closed:
            return False
        # An idle server is silent; it speaks only to say farewell.
        listening = poll()
        listening.register(connection.fileno(), POLLIN)
        return not listening.poll(0)

    def exists(self) -> bool:
        return True

    def prepare(self) -> None:
        """Nothing: the database itself is made by whoever runs the server."""

    def revision(self, connection: Any) -> str | None:
        ((table,),) = connection.execute("SELECT to_regclass('alembic_version')::text").fetchall()
        if table is None:
            return None
        ((revision,),) = connection.execute("SELECT max(version_num) FROM alembic_version").fetchall()
        return None if revision is None else str(revision)

    def checkpoint(self, connection: Any) -> None:
        """Nothing: the server brings its log into its files by itself."""

    def compact(self, connection: Any) -> None:
        connection.execute("VACUUM (FULL, ANALYZE)")

    def data_version(self, connection: Any) -> int:
        """Moves with every commit; also with what was undone, and with what other databases of the server do."""
        ((version,),) = connection.execute("SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint").fetchall()
        return int(version)

    def duties(self) -> SessionDuties:
        return SessionDuties(self, self.connect)

    def _insert(self, text: str) -> "_Insert | None":
        if text not in self._inserts:
            found = _INSERT.fullmatch(text)
            self._inserts[text] = found and _Insert(found[1], found[2], _NAME.findall(found[3]), found[4] or "")
        return self._inserts[text]


class _Insert(NamedTuple):
    """An INSERT of one row, so that it can be said of many."""

    table: str
    columns: str
    names: list[str]
    tail: str

    def of_one(self) -> str:
        """For one row, its values by place."""
        return f"INSERT INTO {self.table} ({self.columns}) VALUES ({', '.join(['%s'] * len(self.names))}) {self.tail}"

    def of_columns(self, types: Sequence[str | None]) -> str:
        """For rows that come as one array for each column, but for columns without any value."""
        arrays = ", ".join(f"%s::{one}[]" for one in types if one)
        names = ", ".join(f"c{place}" for place, one in enumerate(types) if one)
        values = ", ".join(f"c{place}" if one else "NULL" for place, one in enumerate(types))
        given = f"unnest({arrays}) AS given({names})"
        return f"INSERT INTO {self.table} ({self.columns}) SELECT {values} FROM {given} {self.tail}"

    def copy(self) -> str:
        """The COPY that does the same, but for conflicts."""
        return f"COPY {self.table} ({self.columns}) FROM STDIN (FORMAT BINARY)"


def _refusal(error: psycopg.OperationalError) -> Unusable:
    """Why there is no connection. Only the server's own words are passed on: the driver's may repeat the address."""
    _, fatal, words = str(error).rpartition("FATAL:")
    if not fatal:
        return Unusable(*_LOST.args)
    return Unusable(f"the PostgreSQL server refuses: {' '.join(words.split())}")


class _BinaryCursor(psycopg.Cursor[Any]):
    """Takes results in binary form: bytes are not written as text and read again."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.format = Format.BINARY


def _type_of(column: Sequence[Any]) -> str | None:
    """A column's type: that of its first value; None where it has none."""
    return next((_TYPES[type(value)] for value in column if value is not None), None)


def _array(values: Sequence[Any]) -> object:
    """Values as an array, for a mark with its type; the driver would look at each of them with a pattern."""
    kinds = set(map(type, values))
    if kinds <= {int}:
        return f"{{{','.join(map(str, values))}}}"
    if kinds <= {bytes}:
        written = '","'.join([r"\\x" + value.hex() for value in values])
        return f'{{"{written}"}}'
    if kinds <= {str} and all(value.isascii() and value.isalnum() for value in values):
        written = '","'.join(values)
        return f'{{"{written}"}}'
    return list(values)
