"""A subject is its number: nothing was ever read from the table of subjects."""

from typing import Final

from alembic import op

from node.storage.migrations.rebuilding import replace_in

revision = "0010"
down_revision = "0009"

_OF_SUBJECTS: Final = ("identifiers", "records", "pseudonyms")
_NAMED: Final = ", \n\tFOREIGN KEY(subject_no) REFERENCES subjects (number)"


def upgrade() -> None:
    """Leave the table out, and with it a look-up for every identifier, record and pseudonym that is stored."""
    for table in _OF_SUBJECTS:
        if op.get_bind().dialect.name == "postgresql":
            op.drop_constraint(f"{table}_subject_no_fkey", table)
        else:
            replace_in(table, _NAMED, "")
    op.drop_table("subjects")
