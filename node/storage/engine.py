"""Open, create and migrate a node's database.

A database address names the kind of database and its place: `sqlite:////absolute/path/node.db`, or
`postgresql://user@host:port/name` as libpq reads it.
"""

from pathlib import Path

from node.storage.backend import Backend
from node.storage.errors import Unusable
from node.storage.sqlite import Sqlite
from node.storage.store import SqlStore
from node.storage.version import find_version, require_migratable, require_none, require_this_version


def open_store(url: str, *, create: bool = False) -> SqlStore:
    """Open the database of a node; with `create`, make it first where there is none.

    Raises:
        NotInitialised: there is no Creditport database there.
        WrongVersion: it is older or newer than this program; nothing was changed.
        StorageError: it cannot be opened or is damaged.
    """
    backend = _backend(url)
    found = find_version(backend)
    if create and found is None:
        _upgrade(backend)
        found = find_version(backend)
    require_this_version(found)
    return SqlStore(backend)


def create(url: str) -> None:
    """Make an empty database.

    Raises:
        AlreadyInitialised: there is one.
        StorageError: it cannot be made there.
    """
    backend = _backend(url)
    require_none(find_version(backend))
    _upgrade(backend)


def remove(url: str) -> None:
    """Take a database away again, with everything in it: for one that was just made and is not wanted after all.

    Raises:
        StorageError: it cannot be reached or is in use.
    """
    from node.storage.upgrade import take_down  # noqa: PLC0415 - as below

    take_down(_backend(url))


def migrate(url: str) -> None:
    """Bring an older database to this program's schema, in one transaction; harmless when it is there.

    Raises:
        NotInitialised: there is no Creditport database there.
        MadeByNewer: it is newer than this program.
        StorageError: it cannot be opened or is damaged.
    """
    backend = _backend(url)
    require_migratable(find_version(backend))
    _upgrade(backend)


def _backend(url: str) -> Backend:
    kind, _, place = url.partition("://")
    if kind == "postgresql":
        from node.storage.postgresql import Postgresql  # noqa: PLC0415 - a node on SQLite never pays for its driver

        return Postgresql(url)
    if kind != "sqlite" or not place.startswith("/"):
        raise Unusable("database: expected an address like sqlite:////path/to/file or postgresql://user@host/name")
    if place in {"/", "/:memory:"}:
        raise Unusable("a SQLite database needs a file: sqlite:////path/to/file")
    return Sqlite(Path(place.removeprefix("/")))


def _upgrade(backend: Backend) -> None:
    from node.storage.upgrade import upgrade  # noqa: PLC0415 - a running node never pays for importing Alembic

    upgrade(backend)
