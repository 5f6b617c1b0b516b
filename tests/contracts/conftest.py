"""Every test that takes `store` runs once on each kind of store.

Another kind is one more entry of `STORES`: a fixture that gives an empty store. A test that takes `url` runs once on
each kind of database.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from node.operations.ports import Store
from node.storage.engine import create, open_store
from node.storage.store import SqlStore
from tests.contracts.postgresql import PostgresqlServer, emptied, shared_server
from tests.fakes.memory import MemoryStore

STORES = ("memory", "sqlite", "postgresql")
DATABASES = {"sqlite": "sqlite_url", "postgresql": "postgresql_url"}


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database that was just made: copying it is much faster than making one for every test."""
    path = tmp_path_factory.mktemp("empty") / "node.db"
    create(f"sqlite:///{path}")
    return path


@pytest.fixture
def database(tmp_path: Path, empty_database: Path) -> Path:
    """A new SQLite database, not open yet."""
    path = tmp_path / "node.db"
    shutil.copy(empty_database, path)
    return path


@pytest.fixture
def sqlite_url(database: Path) -> str:
    """The address of a new SQLite database."""
    return f"sqlite:///{database}"


@pytest.fixture(scope="session")
def postgresql_server(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[PostgresqlServer]:
    """The one PostgreSQL server of the test run."""
    own = tmp_path_factory.getbasetemp()
    with shared_server(own if worker_id == "master" else own.parent) as server:
        yield server


@pytest.fixture(scope="session")
def postgresql_reused(postgresql_server: PostgresqlServer) -> Iterator[str]:
    """The address of the database that this process's tests use one after the other."""
    with postgresql_server.database() as url:
        yield url


@pytest.fixture
def postgresql_url(postgresql_reused: str) -> str:
    """The address of an empty PostgreSQL database."""
    return emptied(postgresql_reused)


@pytest.fixture(params=list(DATABASES))
def url(request: pytest.FixtureRequest) -> str:
    """The address of an empty database of each kind."""
    address: str = request.getfixturevalue(DATABASES[request.param])
    return address


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest) -> Store:
    """An empty store of each kind."""
    opened: Store = request.getfixturevalue(request.param)
    return opened


@pytest.fixture
def memory() -> Store:
    """An empty store in memory."""
    return MemoryStore()


@pytest.fixture
def sqlite(database: Path) -> Iterator[SqlStore]:
    """An empty store on SQLite, for what only SQLite promises."""
    opened = open_store(f"sqlite:///{database}")
    yield opened
    opened.close()


@pytest.fixture
def postgresql(postgresql_url: str) -> Iterator[SqlStore]:
    """An empty store on PostgreSQL, for what only PostgreSQL promises."""
    opened = open_store(postgresql_url)
    yield opened
    opened.close()
