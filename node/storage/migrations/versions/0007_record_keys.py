"""Records are known by their subject, their kind and their key at the source, in one index."""

from alembic import op

from node.storage.migrations.rebuilding import replace_in

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
        replace_in("records", _OLD, _NEW)
