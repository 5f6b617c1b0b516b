"""The first schema."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


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
    op.create_table("counters", _text("name", key=True), _int("value"), sqlite_with_rowid=False)
    op.create_table(
        "operators", _number(), _text("name"), _text("key_id"), _bytes("public"), _text("roles"),
        _int("added_at"), _int("retired_at", nullable=True), _unique("operators", "name"),
    )  # fmt: skip
    op.create_table(
        "operator_acts", _number(), _bytes("digest"), _text("operator"), _bytes("raw"), _int("at"),
        _unique("operator_acts", "digest"),
    )  # fmt: skip
    counters = sa.table("counters", sa.column("name"), sa.column("value"))
    op.bulk_insert(counters, [{"name": "generation", "value": 0}, {"name": "subjects", "value": 0}])


def _registry() -> None:
    op.create_table("pins", _text("authority", key=True), _bytes("card"))
    op.create_table("registry_heads", _text("authority", key=True), _bytes("head"))
    op.create_table(
        "registry_statements", _number(), _text("authority"), _int("place"), _bytes("raw"),
        _int("covered_at"), _unique("registry_statements", "authority", "place"),
    )  # fmt: skip
    op.create_table(
        "peer_heads", _text("peer", key=True), _int("size"), _bytes("root"), _bytes("note"),
        _int("seen_at"),
    )  # fmt: skip


def _agreements() -> None:
    op.create_table("agreements", _number(), _bytes("digest"), _unique("agreements", "digest"))
    op.create_table(
        "agreement_documents", _number(), _int("agreement_no", references="agreements.number"),
        _bytes("digest"), _text("kind"), _bytes("raw"), _bytes("raw_digest"),
        _unique("agreement_documents", "raw_digest"),
    )  # fmt: skip
    op.create_index("ix_agreement_documents_agreement_no", "agreement_documents", ["agreement_no"])
    op.create_table(
        "consents", _number(), _bytes("consent"), _int("agreement_no", references="agreements.number"),
        _text("scheme"), _text("value"), _int("valid_until"), _bytes("raw"), _unique("consents", "consent"),
    )  # fmt: skip
    op.create_index("ix_consents_agreement_no_scheme_value", "consents", ["agreement_no", "scheme", "value"])
    op.create_table(
        "known_pseudonyms", _int("agreement_no", key=True, references="agreements.number"),
        _int("epoch", key=True), _text("scheme", key=True), _text("value", key=True), _bytes("pseudonym"),
        sqlite_with_rowid=False,
    )  # fmt: skip


def _records() -> None:
    op.create_table("subjects", _number(), _text("kind"))
    op.create_table(
        "identifiers", _number(), _int("subject_no", references="subjects.number"), _text("scheme"),
        _text("value"), _unique("identifiers", "scheme", "value"), sqlite_autoincrement=True,
    )  # fmt: skip
    op.create_table(
        "records", _number(), _int("subject_no", references="subjects.number"), _bytes("source_key"),
        _int("version"), _text("kind"), _bytes("content_digest"), _text("disclose_until", nullable=True),
        _text("withheld"), _int("stored_at"), _bytes("facts"), _bytes("content"),
        _unique("records", "source_key"), sqlite_autoincrement=True,
    )  # fmt: skip
    op.create_index("ix_records_kind_number", "records", ["kind", "number"])
    op.create_index("ix_records_subject_no_kind", "records", ["subject_no", "kind"])


def _disclosure() -> None:
    op.create_table(
        "pseudonym_indexes", _int("agreement_no", key=True, references="agreements.number"),
        _int("epoch", key=True), _int("through"), _flag("ready"),
    )  # fmt: skip
    op.create_table(
        "pseudonyms", _int("agreement_no", key=True), _int("epoch", key=True),
        _bytes("pseudonym", key=True), _int("subject_no", references="subjects.number"),
        sqlite_with_rowid=False,
    )  # fmt: skip
    op.create_table(
        "aliases", _int("record_no", key=True, references="records.number"),
        _int("agreement_no", key=True, references="agreements.number"), _bytes("alias"),
        _int("wire_version"), sqlite_with_rowid=False,
    )  # fmt: skip
    op.create_table(
        "renditions", _number(), _int("record_no", references="records.number"),
        _int("agreement_no", references="agreements.number"), _int("epoch"), _int("record_version"),
        _int("wire_version"), _bytes("commitment"), _bytes("body"),
        _unique("renditions", "record_no", "agreement_no", "epoch", "record_version"),
    )  # fmt: skip
    op.create_table(
        "disclosures", _number(), _int("record_no", references="records.number"), _int("record_version"),
        _int("agreement_no", references="agreements.number"), _bytes("frame"), _int("at"),
    )  # fmt: skip
    op.create_index("ix_disclosures_record_no", "disclosures", ["record_no"])


def _exchange() -> None:
    op.create_table(
        "sent_frames", _number(), _bytes("frame"), _text("recipient"),
        _int("agreement_no", references="agreements.number"), _bytes("request"), _bytes("header_digest"),
        _int("sent_at"), _bytes("outcomes"), _bytes("header"), _bytes("body"),
        _unique("sent_frames", "frame"), _unique("sent_frames", "request"),
    )  # fmt: skip
    op.create_table(
        "receipts", _number(), _bytes("raw_digest"), _bytes("raw"), _unique("receipts", "raw_digest"),
    )  # fmt: skip
    op.create_table(
        "frame_receipts", _int("frame_no", key=True, references="sent_frames.number"),
        _int("receipt_no", references="receipts.number"), _int("received_at"),
    )  # fmt: skip
    op.create_table(
        "received_frames", _number(), _bytes("frame"), _text("sender"), _bytes("agreement"),
        _bytes("header_digest"), _int("received_at"), _bytes("header"), _bytes("body"),
        _unique("received_frames", "frame", "sender"),
    )  # fmt: skip
    op.create_index("ix_received_frames_sender_number", "received_frames", ["sender", "number"])
    op.create_table(
        "copies", _number(), _int("frame_no", references="received_frames.number"), _bytes("agreement"),
        _bytes("pseudonym"), _bytes("alias"), _int("wire_version"), _text("kind"), _int("keep_until"),
        _bytes("rendition"),
    )  # fmt: skip
    op.create_index("ix_copies_frame_no", "copies", ["frame_no"])


def _usage() -> None:
    op.create_table(
        "charges", _int("agreement_no", key=True, references="agreements.number"),
        _text("period", key=True), _int("amount"), sqlite_with_rowid=False,
    )  # fmt: skip
    op.create_table("evaluations", _bytes("request", key=True), _int("at"), sqlite_with_rowid=False)
    op.create_table(
        "nonces", _bytes("nonce", key=True), _bytes("request"), _int("expires_at"), sqlite_with_rowid=False,
    )  # fmt: skip


def _journal() -> None:
    op.create_table(
        "journal_entries", _number(), _int("place", nullable=True), _bytes("leaf"), _bytes("entry"),
        _bytes("detail"), _bytes("salt"),
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
        "journal_nodes", _int("level", key=True), _int("place", key=True), _bytes("hash"),
        sqlite_with_rowid=False,
    )  # fmt: skip
    op.create_table(
        "journal_head", _int("one", key=True), _int("size"), _bytes("root"), _bytes("note"), _int("at"),
    )  # fmt: skip


def _outbox() -> None:
    op.create_table(
        "jobs", _number(), _text("kind"), _text("peer"), _text("key"), _text("state"), _int("attempts"),
        _int("next_at"), _int("give_up_at", nullable=True), _int("finished_at", nullable=True),
        _bytes("payload"), _bytes("result", nullable=True), _unique("jobs", "key"),
        sqlite_autoincrement=True,
    )  # fmt: skip
    op.create_index(
        "ix_jobs_waiting",
        "jobs",
        ["next_at"],
        sqlite_where=sa.text("state = 'waiting'"),
        postgresql_where=sa.text("state = 'waiting'"),
    )


def _number() -> sa.Column[int]:
    return sa.Column("number", _NUMBER, primary_key=True)


def _int(name: str, *, references: str | None = None, key: bool = False, nullable: bool = False) -> sa.Column[int]:
    foreign = [sa.ForeignKey(references)] if references else []
    return sa.Column(name, _NUMBER, *foreign, primary_key=key, nullable=nullable, autoincrement=False)


def _bytes(name: str, *, key: bool = False, nullable: bool = False) -> sa.Column[bytes]:
    return sa.Column(name, sa.LargeBinary, primary_key=key, nullable=nullable)


def _text(name: str, *, key: bool = False, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, primary_key=key, nullable=nullable)


def _flag(name: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean, nullable=False)


def _unique(table: str, *columns: str) -> sa.UniqueConstraint:
    return sa.UniqueConstraint(*columns, name="_".join(("uq", table, *columns)))
