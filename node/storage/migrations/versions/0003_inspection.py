"""Orders of inspection, and batches of receipts that are found by their document digest."""

import sqlalchemy as sa
from alembic import op

from crypto import envelope

revision = "0003"
down_revision = "0002"

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_KINDS = ("receipt-batch", "copy-receipt-batch")


def upgrade() -> None:
    """Rebuild the receipts with their digests, and make what is new."""
    _receipts()
    op.create_table(
        "inspections", _number(), _bytes("digest"), _text("authority"), _bytes("raw"), _bytes("leaf"), _int("at"),
        _unique("inspections", "digest"),
    )  # fmt: skip


def _receipts() -> None:
    """SQLite adds no column to rows that must have a value in it, and drops no table that others name."""
    _set_aside("disclosures", "frame_receipts", "notice_receipts", "receipts")
    op.create_table(
        "receipts", _number(), _bytes("raw_digest"), _bytes("digest"), _bytes("raw"), _unique("receipts", "raw_digest"),
    )  # fmt: skip
    op.create_table(
        "frame_receipts", _int("frame_no", key=True, references="sent_frames.number"),
        _int("receipt_no", references="receipts.number"), _int("received_at"),
    )  # fmt: skip
    op.create_table(
        "notice_receipts", _int("notice_no", key=True, references="notices.number"), _text("stage", key=True),
        _int("receipt_no", references="receipts.number"), _int("at"),
    )  # fmt: skip
    op.create_table(
        "disclosures", _number(), _int("record_no", references="records.number"), _int("record_version"),
        _int("agreement_no", references="agreements.number"), _int("frame_no", references="sent_frames.number"),
        _int("identifier_no"), _text("fields", nullable=True), _int("at"), _int("closed_at", nullable=True),
        _int("closed_by", references="receipts.number", nullable=True),
    )  # fmt: skip
    op.create_index("ix_disclosures_record_no", "disclosures", ["record_no"])
    op.create_index("ix_disclosures_frame_no", "disclosures", ["frame_no"])
    _put_back("receipts", "number, raw_digest, digest, raw", "number, raw_digest, raw_digest, raw")
    _put_back("frame_receipts", "frame_no, receipt_no, received_at")
    _put_back("notice_receipts", "notice_no, stage, receipt_no, at")
    names = "number, record_no, record_version, agreement_no, frame_no, identifier_no, fields, at, closed_at, closed_by"
    _put_back("disclosures", names)
    _name_receipts()
    op.create_index("ix_receipts_digest", "receipts", ["digest"])


def _name_receipts() -> None:
    """Each was verified when it came, so that it is only read here, one at a time."""
    connection = op.get_bind()
    numbers = [number for (number,) in connection.execute(sa.text("SELECT number FROM receipts"))]
    find = sa.text("SELECT raw FROM receipts WHERE number = :number")
    update = sa.text("UPDATE receipts SET digest = :digest WHERE number = :number")
    for number in numbers:
        raw = bytes(connection.execute(find, {"number": number}).scalar_one())
        digest = envelope.parse_any(raw, _KINDS, len(raw)).digest
        connection.execute(update, {"digest": digest, "number": number})


def _set_aside(*tables: str) -> None:
    """Copy tables and drop them, those that name others first."""
    for table in tables:
        op.execute(f"CREATE TABLE old_{table} AS SELECT * FROM {table}")  # noqa: S608 - words of this file
    for table in tables:
        op.drop_table(table)


def _put_back(table: str, into: str, values: str | None = None) -> None:
    """Fill a table that was made anew from what was set aside."""
    op.execute(f"INSERT INTO {table} ({into}) SELECT {values or into} FROM old_{table}")  # noqa: S608 - as above
    op.drop_table(f"old_{table}")
    if op.get_bind().dialect.name == "postgresql" and into.startswith("number"):
        # Numbers that were put in by hand are unknown to whoever gives the next one.
        newest = f"(SELECT coalesce(max(number), 0) + 1 FROM {table})"  # noqa: S608 - as above
        op.execute(f"SELECT setval(pg_get_serial_sequence('{table}', 'number'), {newest}, false)")


def _number() -> sa.Column[int]:
    return sa.Column("number", _NUMBER, primary_key=True)


def _int(name: str, *, references: str | None = None, key: bool = False, nullable: bool = False) -> sa.Column[int]:
    foreign = [sa.ForeignKey(references)] if references else []
    return sa.Column(name, _NUMBER, *foreign, primary_key=key, nullable=nullable, autoincrement=False)


def _bytes(name: str) -> sa.Column[bytes]:
    return sa.Column(name, sa.LargeBinary, nullable=False)


def _text(name: str, *, key: bool = False, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, primary_key=key, nullable=nullable)


def _unique(table: str, *columns: str) -> sa.UniqueConstraint:
    return sa.UniqueConstraint(*columns, name="_".join(("uq", table, *columns)))
