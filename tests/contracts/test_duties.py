"""The port Duties, and how duties pass from one process to another on PostgreSQL."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from deploy.demo.network import until
from node.operations.ports import Duties
from node.storage.duties import SessionDuties
from node.storage.engine import open_store
from node.storage.errors import Unusable
from node.storage.postgresql import Postgresql
from node.storage.store import SqlStore

_PROGRAM = """
import sys
from node.storage.engine import open_store

store = open_store(sys.argv[1])
print(store.duties.take("sequencer"), flush=True)
sys.stdin.read()
"""


@pytest.fixture
def duties(url: str) -> Iterator[Duties]:
    """Those of one process, on a database of each kind."""
    with closing(open_store(url)) as store:
        yield store.duties


@pytest.fixture
def two(postgresql_url: str) -> Iterator[tuple[Duties, Duties]]:
    """Those of two processes that share a database."""
    with closing(open_store(postgresql_url)) as one, closing(open_store(postgresql_url)) as other:
        yield one.duties, other.duties


def _pids(url: str) -> list[int]:
    """The sessions that hold something for longer than a transaction."""
    with closing(psycopg.connect(url, autocommit=True)) as connection:
        return [
            row[0]
            for row in connection.execute(
                "SELECT DISTINCT pid FROM pg_locks WHERE locktype = 'advisory'"
                " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
            )
        ]


def test_a_process_that_is_alone_has_every_duty_that_it_takes(duties: Duties) -> None:
    assert [duties.take(duty) for duty in ("sequencer", "lane/hk-bank/query", "sequencer")] == [True, True, True]
    duties.go_on()
    assert duties.has("sequencer")
    duties.leave("sequencer")
    duties.leave("sequencer")
    assert duties.take("sequencer")


def test_sqlite_is_served_by_one_process_and_postgresql_by_several(sqlite: SqlStore, postgresql: SqlStore) -> None:
    assert (sqlite.shared, postgresql.shared) == (False, True)


def test_a_duty_is_of_one_process_until_it_leaves_it(two: tuple[Duties, Duties]) -> None:
    one, other = two

    assert (one.take("sequencer"), other.take("sequencer"), other.take("mirror")) == (True, False, True)
    assert (one.has("sequencer"), other.has("sequencer"), one.has("mirror")) == (True, False, False)
    other.leave("sequencer")
    assert not other.take("sequencer")
    one.leave("sequencer")
    assert (other.take("sequencer"), one.take("sequencer")) == (True, False)


def test_the_duties_of_a_killed_process_are_free(postgresql_url: str) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", _PROGRAM, postgresql_url],
        cwd=Path(__file__).parents[2], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    with closing(open_store(postgresql_url)) as store:
        with process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"True\n"
            assert not store.duties.take("sequencer")
            process.kill()

        until("the server has noticed", lambda: store.duties.take("sequencer"))


def test_a_process_that_stands_still_loses_its_duties_and_knows_it(postgresql_url: str) -> None:
    backend = Postgresql(postgresql_url)
    with (
        closing(SessionDuties(backend, backend.connect, lease=0.2)) as sleeper,
        closing(open_store(postgresql_url)) as store,
    ):
        assert sleeper.take("sequencer")

        until("the lease is over", lambda: store.duties.take("sequencer"))
        assert not sleeper.has("sequencer")
        assert not sleeper.take("sequencer")


def test_a_process_whose_session_is_ended_takes_its_duties_anew(
    two: tuple[Duties, Duties], postgresql_url: str
) -> None:
    one, other = two
    one.take("sequencer")
    one.take("mirror")
    with closing(psycopg.connect(postgresql_url, autocommit=True)) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid, 60000) FROM pg_locks WHERE locktype = 'advisory'"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        )

    assert not one.has("sequencer")
    assert other.take("sequencer")
    assert (one.take("mirror"), one.take("sequencer")) == (True, False)


def test_an_unreachable_server_leaves_no_duty(two: tuple[Duties, Duties], monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> object:
        raise Unusable("the PostgreSQL server cannot be reached, or went away")

    one, _ = two
    monkeypatch.setattr(one, "_connect", refuse)

    with pytest.raises(Unusable):
        one.take("sequencer")
    assert not one.has("sequencer")


def test_a_store_that_is_closed_leaves_every_duty(postgresql_url: str) -> None:
    with closing(open_store(postgresql_url)) as store:
        store.duties.take("sequencer")
        before = len(_pids(postgresql_url))

    assert before == 1
    until("the server has noticed", lambda: not _pids(postgresql_url))


def test_duties_of_two_schemas_are_apart(two: tuple[Duties, Duties], postgresql_url: str) -> None:
    one, _ = two
    one.take("sequencer")
    with closing(psycopg.connect(postgresql_url, autocommit=True)) as connection:
        connection.execute("CREATE SCHEMA elsewhere")
        try:
            backend = Postgresql(f"{postgresql_url}&options=-csearch_path%3Delsewhere")
            with closing(backend.duties()) as other:
                assert other.take("sequencer")
        finally:
            connection.execute("DROP SCHEMA elsewhere")
