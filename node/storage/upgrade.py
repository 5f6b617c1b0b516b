"""Runs the migrations; a file of its own, because importing Alembic takes longer than opening a database."""

from collections.abc import Iterator
from contextlib import contextmanager

from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, event, text
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from node.storage.backend import Backend
from node.storage.connection import in_our_words
from node.storage.tables import metadata


def upgrade(backend: Backend) -> None:
    """Bring the database to the newest revision, from whatever it is or from nothing, in one transaction.

    Raises:
        StorageError: it cannot be written; it is as it was before.
    """
    config = Config()
    config.set_main_option("script_location", "node.storage:migrations")
    config.set_main_option("path_separator", "os")
    with in_our_words(backend):
        backend.prepare()
        with _connection(backend) as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")


def take_down(backend: Backend) -> None:
    """Drop every table, in one transaction.

    Raises:
        StorageError: it cannot be written; it is as it was before.
    """
    with in_our_words(backend), _connection(backend) as connection:
        metadata.drop_all(connection)
        connection.execute(text("DROP TABLE alembic_version"))


@contextmanager
def _connection(backend: Backend) -> Iterator[Connection]:
    """One transaction as SQLAlchemy sees it; errors come as the driver's own."""
    try:
        with _engine(backend).begin() as connection:
            yield connection
    except DBAPIError as error:
        raise error.orig or error from error


def _engine(backend: Backend) -> Engine:
    """SQLAlchemy's view of the database. It believes transactions begun, which the driver is told to leave alone."""

    def begin(connection: Connection) -> None:
        backend.begin(connection.connection.driver_connection, write=True)

    engine = create_engine(f"{backend.dialect}://", creator=backend.connect, poolclass=NullPool)
    event.listen(engine, "begin", begin)
    return engine
