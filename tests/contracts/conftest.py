"""Every test that takes `store` runs once on each kind of store.

Another kind is one more entry of `STORES`: a function that is given a fresh folder and opens an empty store.
"""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from node.operations.ports import Store
from node.storage.engine import create, open_store
from node.storage.store import SqlStore

STORES: dict[str, Callable[[Path], SqlStore]] = {
    "sqlite": lambda folder: open_store(f"sqlite:///{folder}/node.db"),
}


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


@pytest.fixture(params=list(STORES))
def store(request: pytest.FixtureRequest, database: Path) -> Iterator[Store]:
    """An empty store of each kind."""
    opened = STORES[request.param](database.parent)
    yield opened
    opened.close()


@pytest.fixture
def sqlite(database: Path) -> Iterator[SqlStore]:
    """An empty store on SQLite, for what only SQLite promises."""
    opened = open_store(f"sqlite:///{database}")
    yield opened
    opened.close()
