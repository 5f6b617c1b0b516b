"""Legal clocks."""

import sqlalchemy as sa
from alembic import op

from node.storage.migrations.columns import flag, row_number, text, unique, whole

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make what is new; what began before is not counted."""
    op.create_table(
        "clocks", row_number(), text("code"), text("article"), text("rule_pack"), text("about"), text("name"),
        text("peer"), whole("count"), text("event"), text("started_on"), text("due_on"),
        text("outer_on", nullable=True), text("packs"), flag("provisional"), whole("awaits", nullable=True),
        text("standing"), whole("opened_at"), text("met_by", nullable=True), whole("met_at", nullable=True),
        unique("clocks", "name", "about", "code", "peer"),
    )  # fmt: skip
    running = sa.text("met_at IS NULL")
    op.create_index("ix_clocks_running", "clocks", ["due_on", "number"], sqlite_where=running, postgresql_where=running)
