"""Runs migrations on the connection that was handed over, inside its transaction."""

from alembic import context

from node.storage.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, render_as_batch=False)
context.run_migrations()
