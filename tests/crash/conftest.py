"""The story as it goes undisturbed, on each kind of database: played once for all tests of a process."""

from collections.abc import Iterator

import pytest

from tests.contracts.conftest import postgresql_server  # noqa: F401 - the one server of the test run
from tests.contracts.postgresql import PostgresqlServer
from tests.crash.crashes import Crashes, Launcher, launched, played


@pytest.fixture(scope="session")
def launcher() -> Iterator[Launcher]:
    """A process that forks whoever is to be killed."""
    with launched() as launcher:
        yield launcher


@pytest.fixture(scope="session")
def on_sqlite(launcher: Launcher, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crashes]:
    """Everybody is on SQLite."""
    with played(launcher, tmp_path_factory.mktemp("story")) as crashes:
        yield crashes


@pytest.fixture(scope="session")
def on_postgresql(
    launcher: Launcher,
    tmp_path_factory: pytest.TempPathFactory,
    postgresql_server: PostgresqlServer,  # noqa: F811 - it is that one
) -> Iterator[Crashes]:
    """Home and the holder are on PostgreSQL, the authorities on SQLite."""
    with played(launcher, tmp_path_factory.mktemp("story"), postgresql_server) as crashes:
        yield crashes
