"""SQLite: the embedded database of a node, one file with one serving process."""

# ruff: noqa: D102 - each method keeps the promise of `Backend`

import os
import re
import sqlite3
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain
from itertools import count as numbering
from pathlib import Path
from threading import Lock
from typing import Any, Final
from urllib.parse import quote

import msgspec

from node.storage.backend import written_out
from node.storage.errors import Busy, Damaged, DiskFull, StorageError, Unusable

PATIENCE: Final = 10.0
"""Seconds that a unit waits for its turn to write before it is refused as busy, if nothing else is said."""

_PAGE_SIZE: Final = 16_384
# So that erased content is gone: secure_delete overwrites freed bytes, temp_store keeps off temporary files.
_PRAGMAS: Final = (
    "foreign_keys = ON",
    "synchronous = FULL",
    "secure_delete = ON",
    "temp_store = MEMORY",
    "trusted_schema = OFF",
    "cache_size = -32000",
    # Both 64 MiB: a longer log is no faster, and its checkpoints hold up whoever commits.
    "wal_autocheckpoint = 4000",
    "journal_size_limit = 67108864",
)
_MARK: Final = re.compile(r"\{(blobs|numbers|texts|pairs|owned) (\w+)\}")
_KEYS: Final = {
    # SQLite has its own unhex only since 3.41.
    "blobs": "{0}(key) AS MATERIALIZED (SELECT blob_of(value) FROM json_each(:{0}))",
    "numbers": "{0}(key) AS MATERIALIZED (SELECT value FROM json_each(:{0}))",
    "texts": "{0}(key) AS MATERIALIZED (SELECT value FROM json_each(:{0}))",
    "pairs": "{0}(key, other) AS MATERIALIZED"
    " (SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]') FROM json_each(:{0}))",
    "owned": "{0}(key, other) AS MATERIALIZED"
    " (SELECT json_extract(value, '$[0]'), blob_of(json_extract(value, '$[1]')) FROM json_each(:{0}))",
}
_PLAIN_INSERT: Final = re.compile(
    r"(\s*INSERT INTO \w+\s*\([\w,\s]+\)\s*VALUES )\(((?::\w+[,\s]*)+)\)(\s*(?:ON CONFLICT \([\w, ]+\) DO [^:?]*)?)"
)
_NAME: Final = re.compile(r":(\w+)")
_BINDS_BY_NUMBER: Final = not (3, 12) <= sys.version_info < (3, 12, 4)
"""Whether the driver binds `?1` by its place silently; the others warn of each (CPython gh-117995)."""
_TOGETHER: Final = 128
"""Rows that one statement inserts: the driver gives up Python's lock for each statement, and waits for it again."""

_MEANINGS: Final[dict[int, StorageError]] = {
    sqlite3.SQLITE_FULL: DiskFull("the disk is full; nothing of this transaction was kept"),
    sqlite3.SQLITE_BUSY: Busy("another process is writing to the database; try again"),
    sqlite3.SQLITE_LOCKED: Busy("another process is writing to the database; try again"),
    sqlite3.SQLITE_CORRUPT: Damaged("the database is damaged; restore it from a backup"),
    sqlite3.SQLITE_NOTADB: Damaged("the file is not a database"),
    sqlite3.SQLITE_READONLY: Unusable("the database may not be written by this user or in this transaction"),
    sqlite3.SQLITE_CANTOPEN: Unusable("the database cannot be opened"),
    sqlite3.SQLITE_PERM: Unusable("the database may not be used by this user"),
    sqlite3.SQLITE_IOERR: Unusable("the disk under the database fails to read or write"),
}


class Sqlite:
    """One database file. See `Backend` for what each method promises."""

    dialect = "sqlite+pysqlite"
    shared = False
    driver_errors: tuple[type[Exception], ...] = (sqlite3.Error,)

    def __init__(self, path: Path, patience: float = PATIENCE) -> None:
        if sqlite3.sqlite_version_info < (3, 38):
            raise Unusable(f"SQLite: expected version 3.38 or newer, got {sqlite3.sqlite_version}")
        self.path = path.absolute()
        self.patience = patience
        self._writing = Lock()
        self._statements: dict[str, str] = {}
        self._inserts: dict[str, _Insert | None] = {}

    def connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            f"file:{quote(str(self.path))}?mode=rw", uri=True, isolation_level=None, check_same_thread=False,
            cached_statements=512,
            timeout=self.patience,
        )  # fmt: skip
        try:
            connection.create_function("blob_of", 1, bytes.fromhex, deterministic=True)
            for pragma in _PRAGMAS:
                connection.execute(f"PRAGMA {pragma}")
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    def translate(self, error: Exception) -> StorageError | None:
        code = getattr(error, "sqlite_errorcode", None)
        meaning = None if code is None else _MEANINGS.get(code & 0xFF)
        return None if meaning is None else type(meaning)(*meaning.args)

    def statement(self, text: str) -> str:
        written = self._statements.get(text)
        if written is None:
            written = _MARK.sub(lambda mark: _KEYS[mark[1]].format(mark[2]), text)
            self._statements[text] = written
        return written

    def keys(self, keys: Iterable[bytes] | Iterable[int] | Iterable[str]) -> object:
        plain = [key.hex() if isinstance(key, bytes) else key for key in dict.fromkeys(keys)]
        return msgspec.json.encode(plain).decode()

    def pairs(self, keys: Iterable[tuple[str, str]]) -> object:
        return msgspec.json.encode(list(dict.fromkeys(keys))).decode()

    def owned(self, keys: Iterable[tuple[int, bytes]]) -> object:
        return msgspec.json.encode([(number, key.hex()) for number, key in dict.fromkeys(keys)]).decode()

    def run_many(self, cursor: Any, text: str, rows: Sequence[Mapping[str, Any]]) -> int:
        insert = self._insert(text)
        if insert is None:
            cursor.executemany(self.statement(text), rows)
            return int(cursor.rowcount)
        return self.insert(cursor, text, [[row[name] for name in insert.names] for row in rows], {})

    def insert(self, cursor: Any, text: str, rows: Sequence[Sequence[Any]], shared: Mapping[str, Any]) -> int:
        if shared and not _BINDS_BY_NUMBER:
            return self.insert_columns(cursor, text, [*zip(*rows, strict=True)], shared)
        insert, changed = self._plain(text), 0
        names, common = tuple(shared), [*shared.values()]
        for start, end in _parts(len(rows)):
            values = [*common, *chain.from_iterable(rows[start:end])]
            cursor.execute(insert.of_many(end - start, names), values)
            changed += cursor.rowcount
        return changed

    def insert_columns(
        self, cursor: Any, text: str, columns: Sequence[Sequence[Any]], shared: Mapping[str, Any]
    ) -> int:
        insert, changed = self._plain(text), 0
        if not _BINDS_BY_NUMBER:
            columns, shared = written_out(columns, insert.names, shared), {}
        names, common, width = tuple(shared), [*shared.values()], len(columns)
        for start, end in _parts(len(columns[0])):
            values = common + [None] * (width * (end - start))
            for place, column in enumerate(columns, len(common)):
                values[place::width] = column[start:end]
            cursor.execute(insert.of_many(end - start, names), values)
            changed += cursor.rowcount
        return changed

    def _plain(self, text: str) -> "_Insert":
        insert = self._insert(text)
        if insert is None:
            raise ValueError("expected an INSERT of values that are all named, got another statement")
        return insert

    def _insert(self, text: str) -> "_Insert | None":
        if text not in self._inserts:
            self._inserts[text] = _Insert.of(text)
        return self._inserts[text]

    def learn(self, cursor: Any, table: str) -> None:
        """Nothing: statements are written so that they need no statistics."""

    @contextmanager
    def turn(self) -> Iterator[None]:
        if not self._writing.acquire(timeout=self.patience):
            raise Busy("another thread is writing to the database; try again")
        try:
            yield
        finally:
            self._writing.release()

    def begin(self, connection: Any, *, write: bool) -> None:
        connection.execute(f"PRAGMA query_only = {'OFF' if write else 'ON'}")
        connection.execute("BEGIN IMMEDIATE" if write else "BEGIN")

    def is_open(self, connection: Any) -> bool:
        # A full disk makes SQLite undo the transaction by itself.
        return bool(connection.in_transaction)

    def is_alive(self, connection: Any) -> bool:
        del connection
        return True

    def exists(self) -> bool:
        return self.path.exists()

    def prepare(self) -> None:
        try:
            os.close(os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600))
        except OSError as error:
            raise Unusable(f"the database file cannot be made: {error.strerror}") from error
        connection = self.connect()
        try:
            connection.execute(f"PRAGMA page_size = {_PAGE_SIZE}")
            connection.execute("PRAGMA journal_mode = WAL")
        finally:
            connection.close()

    def revision(self, connection: Any) -> str | None:
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone():
            return None
        (revision,) = connection.execute("SELECT max(version_num) FROM alembic_version").fetchone()
        return None if revision is None else str(revision)

    def checkpoint(self, connection: Any) -> None:
        busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy:
            raise Busy("the log could not be emptied while others were reading; try again")

    def compact(self, connection: Any) -> None:
        connection.execute("PRAGMA query_only = OFF")
        connection.execute("VACUUM")

    def data_version(self, connection: Any) -> int:
        (version,) = connection.execute("PRAGMA data_version").fetchone()
        return int(version)

    def duties(self) -> "SoleDuties":
        return SoleDuties()


def _parts(count: int) -> Iterator[tuple[int, int]]:
    """From where to where each statement goes: by powers of two, so that there are few to be prepared."""
    start = 0
    while start < count:
        end = start + min(_TOGETHER, 1 << (count - start).bit_length() - 1)
        yield start, end
        start = end


@dataclass(frozen=True, slots=True)
class _Insert:
    """A plain INSERT, so that it can be said of many rows; `together` are the statements that were made of it."""

    head: str
    names: list[str]
    tail: str
    together: dict[tuple[int, tuple[str, ...]], str] = field(default_factory=dict)

    @classmethod
    def of(cls, text: str) -> "_Insert | None":
        """The parts of a statement; None if it is not a plain INSERT."""
        plain = _PLAIN_INSERT.fullmatch(text)
        return None if plain is None else cls(plain[1], _NAME.findall(plain[2]), plain[3])

    def of_many(self, count: int, shared: tuple[str, ...]) -> str:
        """One statement for so many rows: the same text each time, by which the driver knows what it prepared.

        The values that rows share are bound first, and once: they have numbers. Once the first row has said which are
        taken, a value without a number has the next one. Drivers since Python 3.12 ask for the name of each value that
        they bind, for which SQLite goes through all that have a number.
        """
        written = self.together.get((count, shared))
        if written is None:
            known, own = {name: f"?{place}" for place, name in enumerate(shared, 1)}, numbering(len(shared) + 1)
            first = [known.get(name) or (f"?{next(own)}" if shared else "?") for name in self.names]
            others = [known.get(name, "?") for name in self.names]
            rows = [f"({', '.join(row)})" for row in (first, *[others] * (count - 1))]
            written = self.together[count, shared] = f"{self.head}{', '.join(rows)}{self.tail}"
        return written


class SoleDuties:
    """See `node.operations.ports.Duties`: the one process that serves has them all."""

    def take(self, duty: str) -> bool:
        del duty
        return True

    def has(self, duty: str) -> bool:
        del duty
        return True

    def leave(self, duty: str) -> None:
        """Nothing: there is nobody to have it."""

    def go_on(self) -> None:
        """Nothing: there is nobody to tell."""

    def close(self) -> None:
        """Nothing: there is nothing to close."""
