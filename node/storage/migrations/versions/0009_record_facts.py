"""Envelope facts are kept once for all records that have them in common."""

from collections.abc import Iterator
from datetime import date
from typing import Any, Final

import msgspec
import sqlalchemy as sa
from alembic import op

from node.storage.migrations.columns import octets, row_number, text, unique, whole

revision = "0009"
down_revision = "0008"

_PAGE: Final = 5_000
_READ: Final = sa.text(
    "SELECT number, facts FROM records WHERE number > :after AND deleted_at IS NULL ORDER BY number LIMIT :limit"
)
_MOVE: Final = sa.text("UPDATE records SET facts_no = :facts_no, generated_on = :generated_on WHERE number = :number")
_ADD: Final = sa.text("INSERT INTO record_facts (number, facts) VALUES (:number, :facts)")


def upgrade() -> None:
    """Make what is new, and take the day of generation, which few records have in common, out of the facts."""
    op.create_table("record_facts", row_number(), octets("facts"), unique("record_facts", "facts"))
    op.add_column("records", whole("facts_no", nullable=True))
    op.add_column("records", text("generated_on", nullable=True))
    connection, numbers = op.get_bind(), dict[bytes, int]()
    for page in _pages(connection):
        moved = [(number, *_parted(facts)) for number, facts in page]
        connection.execute(
            _MOVE,
            [
                {"number": number, "facts_no": numbers.setdefault(common, len(numbers) + 1), "generated_on": day}
                for number, common, day in moved
            ],
        )
    if numbers:
        connection.execute(_ADD, [{"number": number, "facts": raw} for raw, number in numbers.items()])
    if connection.dialect.name == "postgresql":
        # Numbers that were put in by hand are unknown to whoever gives the next one.
        newest = "(SELECT coalesce(max(number), 0) + 1 FROM record_facts)"
        op.execute(f"SELECT setval(pg_get_serial_sequence('record_facts', 'number'), {newest}, false)")
    op.drop_column("records", "facts")


def _parted(facts: bytes) -> tuple[bytes, str | None]:
    """What records have in common, and the day of generation. Damaged facts stay as they are: nothing is shown then."""
    try:
        common = msgspec.json.decode(facts, type=dict[str, Any])
        day = msgspec.convert(common.pop("generated_at"), date)
    except (msgspec.DecodeError, msgspec.ValidationError, KeyError):
        return facts, None
    return msgspec.json.encode(common), day.isoformat()


def _pages(connection: sa.Connection) -> Iterator[list[tuple[int, bytes]]]:
    after = 0
    while page := connection.execute(_READ, {"after": after, "limit": _PAGE}).all():
        after = page[-1][0]
        yield [(number, bytes(facts)) for number, facts in page]
