"""What PostgreSQL adds to the promises of the ports: processes that share a database, lost connections, few words."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine

from node.storage.engine import create, migrate, open_store, remove
from node.storage.errors import (
    AlreadyInitialised,
    Busy,
    DiskFull,
    MadeByNewer,
    NeedsMigration,
    NotInitialised,
    StorageError,
    Unusable,
)
from node.storage.postgresql import Postgresql
from node.storage.store import SqlStore
from node.storage.tables import metadata
from node.storage.unit import SqlUnit
from tests.contracts.examples import BRN, NOON, USCC, digest, entry, record
from tests.contracts.postgresql import PostgresqlServer


@pytest.fixture
def bare_url(postgresql_server: PostgresqlServer) -> Iterator[str]:
    """The address of a database with nothing in it."""
    with postgresql_server.database("template0") as url:
        yield url


@contextmanager
def _raw(url: str) -> Iterator[psycopg.Connection]:
    with closing(psycopg.connect(url, autocommit=True)) as connection:
        yield connection


def _set_version(url: str, version: str) -> None:
    with _raw(url) as connection:
        connection.execute("UPDATE alembic_version SET version_num = %s", (version,))


def test_a_complete_index_of_pseudonyms_is_planned_with_at_once(postgresql: SqlStore, postgresql_url: str) -> None:
    with postgresql.write() as work:
        agreement = work.agreements.number(digest("agreement"))
        work.records.add([record("first")], NOON)
        (number, subject, *_), *_ = work.pseudonyms.pending(agreement, 1, 1)
        work.pseudonyms.add(agreement, 1, [(bytes(16), subject, number)], number)
        work.pseudonyms.complete(agreement, 1)
        work.commit()

    with _raw(postgresql_url) as connection:
        known = connection.execute("SELECT count(*) FROM pg_stats WHERE tablename = 'pseudonyms'").fetchone()
    assert known is not None
    assert known[0] > 0


def test_the_server_is_a_postgresql_18(postgresql_url: str) -> None:
    with _raw(postgresql_url) as connection:
        assert connection.info.server_version // 10_000 == 18


def test_migrations_make_exactly_the_schema_that_the_program_expects(postgresql_url: str) -> None:
    engine = create_engine(postgresql_url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), metadata)
    engine.dispose()

    assert differences == []


def test_a_database_is_made_once_migrated_and_taken_away_again(bare_url: str) -> None:
    with pytest.raises(NotInitialised, match="creditport init"):
        open_store(bare_url)
    with pytest.raises(NotInitialised):
        migrate(bare_url)

    create(bare_url)
    migrate(bare_url)
    with pytest.raises(AlreadyInitialised):
        create(bare_url)
    open_store(bare_url).close()

    remove(bare_url)
    with pytest.raises(NotInitialised):
        open_store(bare_url)
    create(bare_url)


def test_two_nodes_may_have_a_schema_each_in_one_database(bare_url: str) -> None:
    with _raw(bare_url) as connection:
        connection.execute("CREATE SCHEMA one")
        connection.execute("CREATE SCHEMA two")
    stores = [open_store(f"{bare_url}&options=-csearch_path%3D{name}", create=True) for name in ("one", "two")]

    # Each may write while the other does.
    with stores[0].write() as first, stores[1].write() as second:
        first.generation.move()
        first.commit()
        assert second.generation.read() == 0
    for store in stores:
        store.close()


@pytest.mark.parametrize(
    ("version", "error", "word"), [("0000", NeedsMigration, "migrate"), ("0999", MadeByNewer, "newer")]
)
def test_a_database_of_another_version_is_refused(
    postgresql_url: str, version: str, error: type[StorageError], word: str
) -> None:
    with _raw(postgresql_url) as connection:
        (before,) = connection.execute("SELECT version_num FROM alembic_version").fetchone() or ("",)
    _set_version(postgresql_url, version)

    with pytest.raises(error, match=word):
        open_store(postgresql_url)
    _set_version(postgresql_url, before)


@pytest.mark.parametrize(
    "occupied", ["CREATE TABLE operators (name text)", "CREATE TABLE alembic_version (version_num text)"]
)
def test_a_database_of_another_program_is_refused_and_left_alone(bare_url: str, occupied: str) -> None:
    with _raw(bare_url) as connection:
        connection.execute(occupied.encode())
        if "alembic" in occupied:
            connection.execute("INSERT INTO alembic_version VALUES ('ae1027a6acf')")

        with pytest.raises(StorageError, match="another program"):
            create(bare_url)

        tables = connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone()
    assert tables == (1,)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("/test_", "/missing_"), 'database "missing_[0-9a-f]+" does not exist'),
        (("postgres@", "stranger@"), 'role "stranger" does not exist'),
        (("host=/tmp", "host=/nowhere"), "cannot be reached"),
        (("postgres@/", "postgres@127.0.0.1:1/"), "cannot be reached"),
    ],
)
def test_what_cannot_be_opened_is_said_in_one_sentence_without_the_password(
    postgresql_url: str, change: tuple[str, str], words: str
) -> None:
    url = postgresql_url.replace(*change).replace("@", ":s3cret@", 1)
    if "127.0.0.1" in url:
        url = url.partition("?")[0]

    with pytest.raises(Unusable, match=words) as refused:
        open_store(url)

    assert "s3cret" not in f"{refused.value} {refused.value.__cause__!r} {Postgresql(url)!r}"


def test_an_address_that_is_none_is_refused_without_repeating_it() -> None:
    with pytest.raises(Unusable, match="expected an address") as refused:
        open_store("postgresql://user:s3cret@host:port/name?what=else")

    assert "s3cret" not in f"{refused.value} {refused.value.__cause__!r}"


def test_every_connection_is_durable_and_patient(postgresql: SqlStore) -> None:
    connection = postgresql._backend.connect()
    settings = [connection.execute(f"SHOW {name}").fetchone()[0] for name in ("synchronous_commit", "lock_timeout")]
    connection.close()

    assert settings == ["on", "10s"]


@contextmanager
def _impatient(url: str) -> Iterator[SqlStore]:
    with closing(SqlStore(Postgresql(url, patience=0.05))) as store:
        yield store


def test_writers_of_several_processes_take_turns(postgresql_url: str) -> None:
    with _impatient(postgresql_url) as one, _impatient(postgresql_url) as other:
        with one.write() as work:
            work.generation.move()

            with pytest.raises(Busy, match="another process"), other.write():
                pytest.fail("the unit was opened")
            with other.read() as reading:
                assert reading.generation.read() == 0
            work.commit()

        with other.write() as work:
            assert work.generation.read() == 1


def test_the_turn_passes_on_when_its_holder_dies(postgresql_url: str) -> None:
    with _impatient(postgresql_url) as one, _impatient(postgresql_url) as other, ExitStack() as units:
        work = units.enter_context(one.write())
        work.generation.move()
        with _raw(postgresql_url) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid, 60000) FROM pg_locks WHERE locktype = 'advisory' AND granted"
                " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
            )

        with other.write() as taken:
            assert taken.generation.read() == 0
        with pytest.raises(Unusable, match="cannot be reached"):
            work.commit()


def test_a_server_that_dropped_idle_connections_is_asked_anew(postgresql: SqlStore, postgresql_url: str) -> None:
    with postgresql.read(), postgresql.read():
        pass
    with _raw(postgresql_url) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )

    with postgresql.write() as work:
        work.generation.move()
        work.commit()
    with postgresql.read() as work:
        assert work.generation.read() == 1


def test_a_full_disk_is_named_and_leaves_the_state_as_it_was(postgresql: SqlStore, postgresql_url: str) -> None:
    with _raw(postgresql_url) as connection:
        # What PostgreSQL raises when a file cannot grow.
        connection.execute(
            "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS"
            " $$BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full'; END$$;"
            "CREATE TRIGGER full_disk BEFORE INSERT ON journal_entries EXECUTE FUNCTION full_disk()"
        )
        with postgresql.write() as work:
            work.generation.move()
            with pytest.raises(DiskFull, match="disk is full"):
                work.journal.add([entry("one")])
            with pytest.raises(RuntimeError, match="ended"):
                work.commit()
        connection.execute("DROP TRIGGER full_disk ON journal_entries; DROP FUNCTION full_disk()")

    with postgresql.read() as work:
        assert work.generation.read() == 0


def test_nothing_can_be_written_in_a_unit_that_only_reads(postgresql: SqlStore) -> None:
    with postgresql.read() as work, pytest.raises(Unusable, match="may not be written"):
        work.generation.move()


def test_the_data_version_moves_with_every_commit_of_anybody(postgresql: SqlStore, postgresql_url: str) -> None:
    versions = [postgresql.data_version()]
    with postgresql.write() as work:
        work.generation.move()
        work.commit()
    versions.append(postgresql.data_version())
    with _raw(postgresql_url) as connection:
        connection.execute("UPDATE counters SET value = value + 1")
    versions.append(postgresql.data_version())

    assert versions == sorted(set(versions))


def test_large_batches_are_stored_like_small_ones(postgresql: SqlStore) -> None:
    few = [record(f"few {place}", kind="201" if place % 2 else "101") for place in range(5)]
    many = [record(f"many {place}", kind="201" if place % 2 else "101") for place in range(500)]
    with postgresql.write() as work:
        for batch in (few, many, few):
            work.records.add(batch, NOON)
        rows = work.records.page(None, 0, 1_000)
        work.commit()

    assert len(rows) == 505
    assert [(row.version, row.kind, row.content, row.disclose_until, row.withheld) for row in rows] == [
        (1, one.kind, one.content, one.disclose_until, frozenset()) for one in [*few, *many]
    ]


def test_compacting_removes_what_was_replaced_and_keeps_the_rest(postgresql: SqlStore, postgresql_url: str) -> None:
    for word in ("formerly", "nowadays"):
        with postgresql.write() as work:
            work.records.add([record(f"r{place}", content=f"{word} {place}") for place in range(500)], NOON)
            work.commit()

    postgresql.compact()

    with postgresql.read() as work:
        assert {row.content[:8] for row in work.records.page(None, 0, 1_000)} == {b"nowadays"}
    with _raw(postgresql_url) as connection:
        found = connection.execute(
            "SELECT position('formerly'::bytea in pg_read_binary_file(pg_relation_filepath('records')))"
        ).fetchone()
    assert found == (0,)


@pytest.mark.parametrize("doubled", ["one row", "many rows"])
def test_errors_and_names_of_a_store_show_no_content(postgresql: SqlStore, doubled: str) -> None:
    with postgresql.write() as work:
        work.records.add([record("a", USCC), record("b", BRN)], NOON)
        assert isinstance(work, SqlUnit)
        with pytest.raises(psycopg.IntegrityError) as caught:
            work._transaction.run_many(
                "INSERT INTO identifiers (subject_no, scheme, value) VALUES (:subject_no, :scheme, :value)",
                [{"subject_no": 1, "scheme": USCC[0], "value": USCC[1]}] * (1 if doubled == "one row" else 50),
            )

    assert "23505" in str(caught.value)
    assert USCC[1] not in f"{caught.value} {caught.value!r}"


def test_nonces_of_two_processes_are_used_once(postgresql_url: str) -> None:
    outcomes = []
    with closing(open_store(postgresql_url)) as one, closing(open_store(postgresql_url)) as other:
        for store, request in ((one, "first"), (other, "second")):
            with store.write() as work:
                outcomes.append(work.usage.use_nonces({digest("nonce")[:16]: digest(request)}, NOON))
                work.commit()

    assert outcomes == [{}, {digest("nonce")[:16]: digest("first")}]


def test_the_folder_of_the_server_is_closed_to_others(postgresql_server: PostgresqlServer) -> None:
    data = postgresql_server.folder.stat()

    assert data.st_mode & 0o077 == 0
    assert data.st_uid != 0 or os.geteuid() != 0
