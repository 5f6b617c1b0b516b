"""What withholds records: the law in force, looked at anew when it changes, and acts with days of their own."""

import sqlalchemy as sa
from alembic import op

from node.storage.migrations.columns import flag, octets, row_number, text, whole

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Make what is new; every record is looked at once by the law in force when the node serves."""
    op.create_table(
        "rechecks", row_number(), octets("measure"), text("packs"), whole("through"), flag("again"), whole("checked"),
        whole("fallen"), whole("narrowed"), whole("restored"), whole("begun_at"), whole("done_at", nullable=True),
    )  # fmt: skip
    op.create_table(
        "fallen_records", whole("record_no", references="records.number", key=True), text("reason"), text("field")
    )
    op.create_table(
        "withholdings", row_number(), whole("record_no", references="records.number"), text("state"), text("basis"),
        text("document"), text("received_on", nullable=True), text("starts_on"), text("ends_on", nullable=True),
        octets("signed_order"), whole("at"), flag("begun"), text("next_on", nullable=True),
        whole("ended_at", nullable=True), text("end_basis"), text("end_document"), text("end_orders"),
    )  # fmt: skip
    op.create_index("ix_withholdings_record_no", "withholdings", ["record_no"])
    coming = sa.text("next_on IS NOT NULL")
    op.create_index(
        "ix_withholdings_next_on", "withholdings", ["next_on"], sqlite_where=coming, postgresql_where=coming
    )
