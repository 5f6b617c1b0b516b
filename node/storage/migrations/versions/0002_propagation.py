"""Pushed frames, changes and their notices, and copies that can be taken back."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from crypto import commitment

revision = "0002"
down_revision = "0001"

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_KEPT = "body IS NOT NULL"
_PUSHED = "push_job IS NOT NULL"
_UNNUMBERED = "sequence IS NULL"
_OPEN = "stage_rank < 3"
_NOT_TAKEN = "taken_at IS NULL"


def upgrade() -> None:
    """Rebuild what changed, keep what was in it, and make what is new.

    Pseudonyms are made again by the indexer, because it was not kept which identifier each of them is of.
    """
    op.add_column("records", _int("deleted_at", nullable=True))
    _pseudonyms()
    _aliases()
    _sent()
    _received()
    _changes()
    _notices()
    _held()


def _pseudonyms() -> None:
    op.execute("DELETE FROM pseudonym_indexes")
    op.drop_table("pseudonyms")
    op.create_table(
        "pseudonyms", _int("agreement_no", key=True), _int("epoch", key=True),
        _bytes("pseudonym", key=True), _int("subject_no", references="subjects.number"), _int("identifier_no"),
        sqlite_with_rowid=False,
    )  # fmt: skip
    columns = ["agreement_no", "epoch", "subject_no"]
    op.create_index("ix_pseudonyms_agreement_no_epoch_subject_no", "pseudonyms", columns)


def _aliases() -> None:
    _set_aside("aliases")
    op.create_table(
        "aliases", _int("record_no", key=True, references="records.number"),
        _int("agreement_no", key=True, references="agreements.number"), _bytes("alias"),
        _int("wire_version"), _int("record_version"), sqlite_with_rowid=False,
    )  # fmt: skip
    shown = """(SELECT max(record_version) FROM renditions r
    WHERE r.record_no = o.record_no AND r.agreement_no = o.agreement_no)"""
    names = "record_no, agreement_no, alias, wire_version"
    _put_back("aliases", f"{names}, record_version", f"{names}, {shown}")


def _sent() -> None:
    """The ledger names frames by number; frames may lose their body and may be nobody's answer."""
    _set_aside("disclosures", "frame_receipts", "sent_frames")
    op.create_table(
        "sent_frames", _number(), _bytes("frame"), _text("recipient"),
        _int("agreement_no", references="agreements.number"), _bytes("request", nullable=True),
        _int("push_job", nullable=True), _int("sequence", nullable=True), _bytes("header_digest"), _int("sent_at"),
        _int("taken_at", nullable=True), _text("refused", nullable=True), _int("cancelled_at", nullable=True),
        _bytes("outcomes"), _bytes("header"), _bytes("body", nullable=True), _unique("sent_frames", "frame"),
    )  # fmt: skip
    _partial("uq_sent_frames_request", "sent_frames", ["request"], _KEPT, unique=True)
    _partial("ix_sent_frames_push_job", "sent_frames", ["push_job"], _PUSHED)
    _partial("ix_sent_frames_kept", "sent_frames", ["sent_at"], _KEPT)
    op.create_table(
        "frame_receipts", _int("frame_no", key=True, references="sent_frames.number"),
        _int("receipt_no", references="receipts.number"), _int("received_at"),
    )  # fmt: skip
    op.create_table(
        "disclosures", _number(), _int("record_no", references="records.number"), _int("record_version"),
        _int("agreement_no", references="agreements.number"), _int("frame_no", references="sent_frames.number"),
        _int("identifier_no"), _text("fields", nullable=True), _int("at"), _int("closed_at", nullable=True),
        _int("closed_by", references="receipts.number", nullable=True),
    )  # fmt: skip
    op.create_index("ix_disclosures_record_no", "disclosures", ["record_no"])
    op.create_index("ix_disclosures_frame_no", "disclosures", ["frame_no"])
    names = "number, frame, recipient, agreement_no, request, header_digest, sent_at, outcomes, header, body"
    _put_back("sent_frames", names, names)
    _put_back("frame_receipts", "frame_no, receipt_no, received_at", "frame_no, receipt_no, received_at")
    names = "number, record_no, record_version, agreement_no, at"
    frame = "(SELECT f.number FROM sent_frames f WHERE f.frame = o.frame)"
    first = """(SELECT min(i.number) FROM identifiers i JOIN records r ON r.subject_no = i.subject_no
    WHERE r.number = o.record_no)"""
    _put_back("disclosures", f"{names}, frame_no, identifier_no", f"{names}, {frame}, {first}")


def _received() -> None:
    """What proves each copy is made from the copies, which were stored in the order of the body."""
    _set_aside("copies", "received_frames")
    op.create_table(
        "received_frames", _number(), _bytes("frame"), _text("sender"), _bytes("agreement"),
        _bytes("header_digest"), _int("received_at"), _bytes("leaf"), _bytes("header"), _bytes("commitments"),
        _unique("received_frames", "frame", "sender"),
    )  # fmt: skip
    op.create_index("ix_received_frames_sender_number", "received_frames", ["sender", "number"])
    op.create_table(
        "copies", _number(), _int("frame_no", references="received_frames.number"), _bytes("agreement"),
        _bytes("pseudonym"), _bytes("alias"), _int("wire_version"), _text("kind"), _int("keep_until"),
        _bytes("rendition"),
    )  # fmt: skip
    for column in ("frame_no", "alias", "keep_until"):
        op.create_index(f"ix_copies_{column}", "copies", [column])
    names = "number, frame, sender, agreement, header_digest, received_at, header"
    _put_back("received_frames", f"{names}, leaf, commitments", f"{names}, header_digest, header_digest")
    names = "number, frame_no, agreement, pseudonym, alias, wire_version, kind, keep_until, rendition"
    _put_back("copies", names, names)
    _commit_to_copies()


def _commit_to_copies() -> None:
    connection = op.get_bind()
    numbers = [number for (number,) in connection.execute(sa.text("SELECT number FROM received_frames"))]
    copies = sa.text("SELECT rendition FROM copies WHERE frame_no = :number ORDER BY number")
    update = sa.text("UPDATE received_frames SET leaf = :none, commitments = :commitments WHERE number = :number")
    for number in numbers:
        rows = connection.execute(copies, {"number": number})
        committed = b"".join(commitment.commitment(commitment.decode(bytes(raw))) for (raw,) in rows)
        connection.execute(update, {"none": b"", "commitments": committed, "number": number})


def _changes() -> None:
    op.create_table(
        "corrected_contents", _int("record_no", key=True, references="records.number"),
        _bytes("content_digest", key=True), sqlite_with_rowid=False,
    )  # fmt: skip
    op.create_table(
        "deletions", _int("record_no", key=True, references="records.number"), _text("basis"), _text("document"),
        _bytes("first_order"), _bytes("second_order"), _int("at"),
    )  # fmt: skip


def _notices() -> None:
    op.create_table(
        "notices", _number(), _bytes("notice"), _text("peer"), _int("agreement_no", references="agreements.number"),
        _int("record_no", references="records.number"), _int("record_version"), _bytes("alias"), _text("effect"),
        _int("version"), _text("basis"), _text("document"), _bytes("salt"), _int("occurred_at"), _int("due_at"),
        _int("sequence", nullable=True), _text("stage"), _int("stage_rank"), _unique("notices", "notice"),
        _unique("notices", "peer", "sequence"),
    )  # fmt: skip
    op.create_index("ix_notices_record_no", "notices", ["record_no"])
    _partial("ix_notices_unnumbered", "notices", ["peer", "number"], _UNNUMBERED)
    _partial("ix_notices_open", "notices", ["peer", "due_at"], _OPEN)
    op.create_table(
        "notice_batches", _number(), _text("peer"), _int("first"), _int("count"),
        _int("agreement_no", references="agreements.number"), _bytes("digest"), _bytes("raw"),
        _int("frame_no", references="sent_frames.number", nullable=True), _int("made_at"),
        _int("taken_at", nullable=True), _text("trouble", nullable=True), _unique("notice_batches", "peer", "first"),
    )  # fmt: skip
    _partial("ix_notice_batches_open", "notice_batches", ["peer", "first"], _NOT_TAKEN)
    op.create_table(
        "notice_receipts", _int("notice_no", key=True, references="notices.number"), _text("stage", key=True),
        _int("receipt_no", references="receipts.number"), _int("at"),
    )  # fmt: skip


def _held() -> None:
    op.create_table(
        "floors", _bytes("agreement", key=True), _bytes("alias", key=True), _int("version"), _flag("deleted"),
        sqlite_with_rowid=False,
    )  # fmt: skip
    op.create_table("notice_streams", _text("home", key=True), _int("expected"), _bytes("last"))
    op.create_table(
        "received_batches", _number(), _text("home"), _int("first"), _bytes("digest"), _bytes("raw"),
        _int("received_at"), _unique("received_batches", "home", "first"),
    )  # fmt: skip
    op.create_table(
        "received_notices", _number(), _text("home"), _int("sequence"), _bytes("notice"), _bytes("agreement"),
        _bytes("alias"), _text("effect"), _int("version"), _int("due_at"), _int("received_at"), _text("stage"),
        _unique("received_notices", "home", "sequence"),
    )  # fmt: skip
    op.create_index("ix_received_notices_home_notice", "received_notices", ["home", "notice"])
    op.create_table(
        "evidence", _number(), _text("peer"), _bytes("digest"), _bytes("raw"), _int("at"),
        _unique("evidence", "peer", "digest"),
    )  # fmt: skip
    op.create_table(
        "erasures", _number(), _text("home"), _bytes("alias"), _bytes("notice", nullable=True),
        _bytes("frame", nullable=True), _int("at"), sqlite_autoincrement=True,
    )  # fmt: skip


def _set_aside(*tables: str) -> None:
    """Copy tables and drop them, those that name others first."""
    for table in tables:
        op.execute(f"CREATE TABLE old_{table} AS SELECT * FROM {table}")  # noqa: S608 - words of this file
    for table in tables:
        op.drop_table(table)


def _put_back(table: str, into: str, values: str) -> None:
    """Fill a table that was made anew from what was set aside."""
    op.execute(f"INSERT INTO {table} ({into}) SELECT {values} FROM old_{table} o")  # noqa: S608 - words of this file
    op.drop_table(f"old_{table}")
    if op.get_bind().dialect.name == "postgresql" and into.startswith("number"):
        # Numbers that were put in by hand are unknown to whoever gives the next one.
        newest = f"(SELECT coalesce(max(number), 0) + 1 FROM {table})"  # noqa: S608 - as above
        op.execute(f"SELECT setval(pg_get_serial_sequence('{table}', 'number'), {newest}, false)")


def _partial(name: str, table: str, columns: Sequence[str], where: str, *, unique: bool = False) -> None:
    condition = sa.text(where)
    op.create_index(name, table, columns, unique=unique, sqlite_where=condition, postgresql_where=condition)


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
