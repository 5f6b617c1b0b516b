"""Runs the migrations; a file of its own, because importing Alembic takes longer than opening a database."""

from alembic import command
from alembic.config import Config

from node.storage.backend import Backend
from node.storage.connection import in_our_words


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
        with backend.engine.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
