"""Crowds: of how many enterprises what is shown of a record is true."""

import sqlalchemy as sa
from alembic import op

from node.storage.migrations.columns import octets, ordered_text, row_number, text, unique, whole

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Make what is new. Records stored before are in no cell: they count for nobody until they are looked at again."""
    op.create_table("cells", row_number(), octets("shape"), text("finest"), unique("cells", "shape", "finest"))
    op.create_table("ladders", row_number(), octets("digest"), whole("through"), unique("ladders", "digest"))
    op.create_table(
        "crowds", whole("ladder_no", key=True, references="ladders.number"), ordered_text("key", key=True),
        whole("cell_no", key=True), sqlite_with_rowid=False,
    )  # fmt: skip
    op.add_column("records", whole("cell_no", nullable=True))
    in_a_cell = sa.text("cell_no IS NOT NULL")
    op.create_index(
        "ix_records_cell", "records", ["cell_no", "subject_no"], sqlite_where=in_a_cell, postgresql_where=in_a_cell
    )
    op.add_column("aliases", whole("ladder_no", nullable=True))
    op.add_column("aliases", whole("step", nullable=True))
