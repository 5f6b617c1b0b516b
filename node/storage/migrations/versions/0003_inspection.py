"""Orders of inspection, and batches of receipts that are found by their document digest."""

import sqlalchemy as sa
from alembic import op

from crypto import envelope
from node.storage.migrations.columns import octets, row_number, text, unique, whole
from node.storage.migrations.rebuilding import put_back, set_aside

revision = "0003"
down_revision = "0002"

_KINDS = ("receipt-batch", "copy-receipt-batch")


def upgrade() -> None:
    """Rebuild the receipts with their digests, and make what is new."""
    _receipts()
    op.create_table(
        "inspections", row_number(), octets("digest"), text("authority"), octets("raw"), octets("leaf"), whole("at"),
        unique("inspections", "digest"),
    )  # fmt: skip


def _receipts() -> None:
    """SQLite adds no column to rows that must have a value in it, and drops no table that others name."""
    set_aside("disclosures", "frame_receipts", "notice_receipts", "receipts")
    op.create_table(
        "receipts", row_number(), octets("raw_digest"), octets("digest"), octets("raw"),
        unique("receipts", "raw_digest"),
    )  # fmt: skip
    op.create_table(
        "frame_receipts", whole("frame_no", key=True, references="sent_frames.number"),
        whole("receipt_no", references="receipts.number"), whole("received_at"),
    )  # fmt: skip
    op.create_table(
        "notice_receipts", whole("notice_no", key=True, references="notices.number"), text("stage", key=True),
        whole("receipt_no", references="receipts.number"), whole("at"),
    )  # fmt: skip
    op.create_table(
        "disclosures", row_number(), whole("record_no", references="records.number"), whole("record_version"),
        whole("agreement_no", references="agreements.number"), whole("frame_no", references="sent_frames.number"),
        whole("identifier_no"), text("fields", nullable=True), whole("at"), whole("closed_at", nullable=True),
        whole("closed_by", references="receipts.number", nullable=True),
    )  # fmt: skip
    op.create_index("ix_disclosures_record_no", "disclosures", ["record_no"])
    op.create_index("ix_disclosures_frame_no", "disclosures", ["frame_no"])
    put_back("receipts", "number, raw_digest, digest, raw", "number, raw_digest, raw_digest, raw")
    put_back("frame_receipts", "frame_no, receipt_no, received_at")
    put_back("notice_receipts", "notice_no, stage, receipt_no, at")
    names = "number, record_no, record_version, agreement_no, frame_no, identifier_no, fields, at, closed_at, closed_by"
    put_back("disclosures", names)
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
