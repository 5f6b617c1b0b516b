"""The schema: what migrations make, what the program expects, and which databases are refused."""

import re
import sqlite3
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from node.storage.engine import create, migrate, open_store
from node.storage.errors import (
    AlreadyInitialised,
    Damaged,
    MadeByNewer,
    NeedsMigration,
    NotInitialised,
    StorageError,
    Unusable,
)
from node.storage.tables import metadata
from node.storage.version import VERSION


def _url(path: Path) -> str:
    return f"sqlite:///{path}"


def _execute(path: Path, statement: str, *values: str) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        return connection.execute(statement, values).fetchall()
    finally:
        connection.close()


def _schema(path: Path) -> list[tuple[object, ...]]:
    return _execute(path, "SELECT type, name, tbl_name FROM sqlite_master ORDER BY name")


def test_migrations_make_exactly_the_schema_that_the_program_expects(database: Path) -> None:
    engine = create_engine(_url(database))
    with engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), metadata)
    engine.dispose()

    assert differences == []


def _statements(path: Path) -> dict[object, list[str]]:
    """What each table and index was made with: its clauses, in alphabetical order.

    A column that was added later stands on the line of the one before; a comma inside brackets parts a clause too, on
    both sides alike. Words may be quoted or not.
    """
    rows = _execute(path, "SELECT name, sql FROM sqlite_master WHERE sql NOT NULL AND name NOT LIKE 'alembic%'")
    return {
        name: sorted(clause for part in re.split(r"[,\n]", str(sql).replace('"', "")) if (clause := part.strip()))
        for name, sql in rows
    }


def test_migrations_make_the_same_tables_and_indices_clause_by_clause(database: Path, tmp_path: Path) -> None:
    engine = create_engine(_url(tmp_path / "tables.db"))
    metadata.create_all(engine)
    engine.dispose()

    assert _statements(database) == _statements(tmp_path / "tables.db")


def test_the_program_works_with_the_newest_migration() -> None:
    config = Config()
    config.set_main_option("script_location", "node.storage:migrations")
    config.set_main_option("path_separator", "os")

    assert ScriptDirectory.from_config(config).get_current_head() == VERSION


def test_a_missing_database_is_refused_and_not_made(tmp_path: Path) -> None:
    with pytest.raises(NotInitialised, match="creditport init"):
        open_store(_url(tmp_path / "node.db"))

    assert list(tmp_path.iterdir()) == []


def test_opening_may_make_the_database_and_then_finds_it_again(tmp_path: Path) -> None:
    for expected in (0, 1):
        store = open_store(_url(tmp_path / "node.db"), create=True)
        with store.write() as work:
            assert work.generation.read() == expected
            work.generation.move()
            work.commit()
        store.close()


def test_a_new_database_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    create(_url(tmp_path / "node.db"))

    assert (tmp_path / "node.db").stat().st_mode & 0o777 == 0o600


def test_a_database_is_never_made_over_another_one(database: Path) -> None:
    with pytest.raises(AlreadyInitialised):
        create(_url(database))


def test_making_a_database_that_was_interrupted_goes_on(tmp_path: Path) -> None:
    (tmp_path / "node.db").touch()

    with pytest.raises(NotInitialised):
        open_store(_url(tmp_path / "node.db"))
    create(_url(tmp_path / "node.db"))
    open_store(_url(tmp_path / "node.db")).close()


@pytest.mark.parametrize(
    ("version", "error", "word"), [("0000", NeedsMigration, "migrate"), ("0999", MadeByNewer, "newer")]
)
def test_a_database_of_another_version_is_refused(
    database: Path, version: str, error: type[StorageError], word: str
) -> None:
    _execute(database, "UPDATE alembic_version SET version_num = ?", version)

    with pytest.raises(error, match=word):
        open_store(_url(database))
    with pytest.raises(error, match=word):
        open_store(_url(database), create=True)


def test_a_newer_database_is_not_migrated(database: Path) -> None:
    _execute(database, "UPDATE alembic_version SET version_num = '0999'")
    before = _schema(database)

    with pytest.raises(MadeByNewer):
        migrate(_url(database))
    assert _schema(database) == before


def test_migrating_an_up_to_date_database_changes_nothing(database: Path) -> None:
    before = _schema(database)

    migrate(_url(database))

    assert _schema(database) == before
    open_store(_url(database)).close()


def test_migrating_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotInitialised):
        migrate(_url(tmp_path / "node.db"))


def test_a_database_of_another_program_is_refused(tmp_path: Path) -> None:
    _execute(tmp_path / "other.db", "CREATE TABLE alembic_version (version_num TEXT)")
    _execute(tmp_path / "other.db", "INSERT INTO alembic_version VALUES ('ae1027a6acf')")

    with pytest.raises(NotInitialised, match="another program"):
        open_store(_url(tmp_path / "other.db"), create=True)


def test_a_file_that_is_not_a_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "node.db"
    path.write_bytes(b"name,uscc\n" * 1_000)

    with pytest.raises(Damaged, match="not a database"):
        open_store(_url(path))
    with pytest.raises(Damaged):
        open_store(_url(path), create=True)
    assert path.read_bytes() == b"name,uscc\n" * 1_000


def test_a_damaged_database_is_refused(database: Path) -> None:
    whole = database.read_bytes()
    database.write_bytes(whole[:100] + b"\xff" * 16_284 + whole[16_384:])

    with pytest.raises(Damaged, match="damaged"):
        open_store(_url(database))


@pytest.mark.parametrize("url", ["", "node.db", "sqlite://", "sqlite:///:memory:", "mysql://localhost/node"])
def test_an_address_that_names_no_database_file_is_refused(url: str) -> None:
    with pytest.raises(Unusable):
        open_store(url)


def test_a_database_in_a_missing_folder_cannot_be_made(tmp_path: Path) -> None:
    with pytest.raises(Unusable, match="cannot be made"):
        create(_url(tmp_path / "missing" / "node.db"))
