"""Records are known by their subject, their kind and their key at the source, in one index."""

from alembic import op
from sqlalchemy import text

from node.storage.migrations.rebuilding import set_aside

revision = "0007"
down_revision = "0006"

_OLD = "CONSTRAINT uq_records_source_key UNIQUE (source_key)"
_NEW = "CONSTRAINT uq_records_subject_no_kind_source_key UNIQUE (subject_no, kind, source_key)"


def upgrade() -> None:
    """Replace two indexes by one whose new entries come at its end: keys alone are as random as can be."""
    op.drop_index("ix_records_subject_no_kind", "records")
    if op.get_bind().dialect.name == "postgresql":
        op.drop_constraint("uq_records_source_key", "records")
        op.create_unique_constraint(
            "uq_records_subject_no_kind_source_key", "records", ["subject_no", "kind", "source_key"]
        )
    else:
        _rebuild()


def _rebuild() -> None:
    """Make the table anew with all its columns, whichever they are: SQLite cannot drop a constraint."""
    made = op.get_bind().execute(text("SELECT sql FROM sqlite_master WHERE tbl_name = 'records' AND sql IS NOT NULL"))
    table, *indexes = sorted((str(sql) for (sql,) in made), key=lambda sql: not sql.startswith("CREATE TABLE"))
    # Other tables name records; they do so again before the transaction ends.
    op.execute("PRAGMA defer_foreign_keys = ON")
    set_aside("records")
    op.execute(table.replace(_OLD, _NEW))
    op.execute("INSERT INTO records SELECT * FROM old_records")
    op.drop_table("old_records")
    for index in indexes:
        op.execute(index)
