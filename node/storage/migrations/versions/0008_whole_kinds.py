"""Of which kinds every record is in a cell of one shape."""

from alembic import op

from node.storage.migrations.columns import octets, text

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Make what is new. Nobody kept in mind what is whole, so every record is looked at once more."""
    op.create_table("whole_kinds", text("kind", key=True), octets("shape"), sqlite_with_rowid=False)
    op.execute("UPDATE rechecks SET again = true, done_at = NULL WHERE number = (SELECT max(number) FROM rechecks)")
