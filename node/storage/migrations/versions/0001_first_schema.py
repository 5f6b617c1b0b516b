"""The first schema."""

import sqlalchemy as sa
from alembic import op

from node.storage.migrations.columns import flag, octets, row_number, text, unique, whole

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make every table."""
    _operators()
    _registry()
    _agreements()
    _records()
    _disclosure()
    _exchange()
    _usage()
    _journal()
    _outbox()


def _operators() -> None:
    op.create_table("counters", text("name", key=True), whole("value"), sqlite_with_rowid=False)
    op.create_table(
        "operators", row_number(), text("name"), text("key_id"), octets("public"), text("roles"),
        whole("added_at"), whole("retired_at", nullable=True), unique("operators", "name"),
    )  # fmt: skip
    op.create_table(
        "operator_acts", row_number(), octets("digest"), text("operator"), octets("raw"), whole("at"),
        unique("operator_acts", "digest"),
    )  # fmt: skip
    counters = sa.table("counters", sa.column("name"), sa.column("value"))
    op.bulk_insert(counters, [{"name": "generation", "value": 0}, {"name": "subjects", "value": 0}])


def _registry() -> None:
    op.create_table("pins", text("authority", key=True), octets("card"))
    op.create_table("registry_heads", text("authority", key=True), octets("head"))
    op.create_table(
        "registry_statements", row_number(), text("authority"), whole("place"), octets("raw"),
        whole("covered_at"), unique("registry_statements", "authority", "place"),
    )  # fmt: skip
    op.create_table(
        "peer_heads", text("peer", key=True), whole("size"), octets("root"), octets("note"),
        whole("seen_at"),
    )  # fmt: skip


def _agreements() -> None:
    op.create_table("agreements", row_number(), octets("digest"), unique("agreements", "digest"))
    op.create_table(
        "agreement_documents", row_number(), whole("agreement_no", references="agreements.number"),
        octets("digest"), text("kind"), octets("raw"), octets("raw_digest"),
        unique("agreement_documents", "raw_digest"),
    )  # fmt: skip
    op.create_index("ix_agreement_documents_agreement_no", "agreement_documents", ["agreement_no"])
    op.create_table(
        "consents", row_number(), octets("consent"), whole("agreement_no", references="agreements.number"),
        text("scheme"), text("value"), whole("valid_until"), octets("raw"), unique("consents", "consent"),
    )  # fmt: skip
    op.create_index("ix_consents_agreement_no_scheme_value", "consents", ["agreement_no", "scheme", "value"])
    op.create_table(
        "known_pseudonyms", whole("agreement_no", key=True, references="agreements.number"),
        whole("epoch", key=True), text("scheme", key=True), text("value", key=True), octets("pseudonym"),
        sqlite_with_rowid=False,
    )  # fmt: skip


def _records() -> None:
    op.create_table("subjects", row_number(), text("kind"))
    op.create_table(
        "identifiers", row_number(), whole("subject_no", references="subjects.number"), text("scheme"),
        text("value"), unique("identifiers", "scheme", "value"), sqlite_autoincrement=True,
    )  # fmt: skip
    op.create_table(
        "records", row_number(), whole("subject_no", references="subjects.number"), octets("source_key"),
        whole("version"), text("kind"), octets("content_digest"), text("disclose_until", nullable=True),
        text("withheld"), whole("stored_at"), octets("facts"), octets("content"),
        unique("records", "source_key"), sqlite_autoincrement=True,
    )  # fmt: skip
    op.create_index("ix_records_kind_number", "records", ["kind", "number"])
    op.create_index("ix_records_subject_no_kind", "records", ["subject_no", "kind"])


def _disclosure() -> None:
    op.create_table(
        "pseudonym_indexes", whole("agreement_no", key=True, references="agreements.number"),
        whole("epoch", key=True), whole("through"), flag("ready"),
    )  # fmt: skip
    op.create_table(
        "pseudonyms", whole("agreement_no", key=True), whole("epoch", key=True),
        octets("pseudonym", key=True), whole("subject_no", references="subjects.number"),
        sqlite_with_rowid=False,
    )  # fmt: skip
    op.create_table(
        "aliases", whole("record_no", key=True, references="records.number"),
        whole("agreement_no", key=True, references="agreements.number"), octets("alias"),
        whole("wire_version"), sqlite_with_rowid=False,
    )  # fmt: skip
    op.create_table(
        "renditions", row_number(), whole("record_no", references="records.number"),
        whole("agreement_no", references="agreements.number"), whole("epoch"), whole("record_version"),
        whole("wire_version"), octets("commitment"), octets("body"),
        unique("renditions", "record_no", "agreement_no", "epoch", "record_version"),
    )  # fmt: skip
    op.create_table(
        "disclosures", row_number(), whole("record_no", references="records.number"), whole("record_version"),
        whole("agreement_no", references="agreements.number"), octets("frame"), whole("at"),
    )  # fmt: skip
    op.create_index("ix_disclosures_record_no", "disclosures", ["record_no"])


def _exchange() -> None:
    op.create_table(
        "sent_frames", row_number(), octets("frame"), text("recipient"),
        whole("agreement_no", references="agreements.number"), octets("request"), octets("header_digest"),
        whole("sent_at"), octets("outcomes"), octets("header"), octets("body"),
        unique("sent_frames", "frame"), unique("sent_frames", "request"),
    )  # fmt: skip
    op.create_table(
        "receipts", row_number(), octets("raw_digest"), octets("raw"), unique("receipts", "raw_digest"),
    )  # fmt: skip
    op.create_table(
        "frame_receipts", whole("frame_no", key=True, references="sent_frames.number"),
        whole("receipt_no", references="receipts.number"), whole("received_at"),
    )  # fmt: skip
    op.create_table(
        "received_frames", row_number(), octets("frame"), text("sender"), octets("agreement"),
        octets("header_digest"), whole("received_at"), octets("header"), octets("body"),
        unique("received_frames", "frame", "sender"),
    )  # fmt: skip
    op.create_index("ix_received_frames_sender_number", "received_frames", ["sender", "number"])
    op.create_table(
        "copies", row_number(), whole("frame_no", references="received_frames.number"), octets("agreement"),
        octets("pseudonym"), octets("alias"), whole("wire_version"), text("kind"), whole("keep_until"),
        octets("rendition"),
    )  # fmt: skip
    op.create_index("ix_copies_frame_no", "copies", ["frame_no"])


def _usage() -> None:
    op.create_table(
        "charges", whole("agreement_no", key=True, references="agreements.number"),
        text("period", key=True), whole("amount"), sqlite_with_rowid=False,
    )  # fmt: skip
    op.create_table("evaluations", octets("request", key=True), whole("at"), sqlite_with_rowid=False)
    op.create_table(
        "nonces", octets("nonce", key=True), octets("request"), whole("expires_at"), sqlite_with_rowid=False,
    )  # fmt: skip


def _journal() -> None:
    op.create_table(
        "journal_entries", row_number(), whole("place", nullable=True), octets("leaf"), octets("entry"),
        octets("detail"), octets("salt"),
    )  # fmt: skip
    op.create_index(
        "ix_journal_entries_leaf",
        "journal_entries",
        ["leaf"],
        sqlite_where=sa.text("place IS NOT NULL"),
        postgresql_where=sa.text("place IS NOT NULL"),
    )
    op.create_index(
        "ix_journal_entries_unsequenced",
        "journal_entries",
        ["number"],
        sqlite_where=sa.text("place IS NULL"),
        postgresql_where=sa.text("place IS NULL"),
    )
    op.create_index(
        "uq_journal_entries_place",
        "journal_entries",
        ["place"],
        unique=True,
        sqlite_where=sa.text("place IS NOT NULL"),
        postgresql_where=sa.text("place IS NOT NULL"),
    )
    op.create_table(
        "journal_nodes", whole("level", key=True), whole("place", key=True), octets("hash"),
        sqlite_with_rowid=False,
    )  # fmt: skip
    op.create_table(
        "journal_head", whole("one", key=True), whole("size"), octets("root"), octets("note"), whole("at"),
    )  # fmt: skip


def _outbox() -> None:
    op.create_table(
        "jobs", row_number(), text("kind"), text("peer"), text("key"), text("state"), whole("attempts"),
        whole("next_at"), whole("give_up_at", nullable=True), whole("finished_at", nullable=True),
        octets("payload"), octets("result", nullable=True), unique("jobs", "key"),
        sqlite_autoincrement=True,
    )  # fmt: skip
    op.create_index(
        "ix_jobs_waiting",
        "jobs",
        ["next_at"],
        sqlite_where=sa.text("state = 'waiting'"),
        postgresql_where=sa.text("state = 'waiting'"),
    )
