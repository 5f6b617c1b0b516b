"""Pushed frames, changes and their notices, and copies that can be taken back."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from crypto import commitment
from node.storage.migrations.columns import flag, octets, row_number, text, unique, whole
from node.storage.migrations.rebuilding import put_back, set_aside

revision = "0002"
down_revision = "0001"

_KEPT = "body IS NOT NULL"
_PUSHED = "push_job IS NOT NULL"
_UNNUMBERED = "sequence IS NULL"
_OPEN = "stage_rank < 3"
_NOT_TAKEN = "taken_at IS NULL"


def upgrade() -> None:
    """Rebuild what changed, keep what was in it, and make what is new.

    Pseudonyms are made again by the indexer, because it was not kept which identifier each of them is of.
    """
    op.add_column("records", whole("deleted_at", nullable=True))
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
        "pseudonyms", whole("agreement_no", key=True), whole("epoch", key=True),
        octets("pseudonym", key=True), whole("subject_no", references="subjects.number"), whole("identifier_no"),
        sqlite_with_rowid=False,
    )  # fmt: skip
    columns = ["agreement_no", "epoch", "subject_no"]
    op.create_index("ix_pseudonyms_agreement_no_epoch_subject_no", "pseudonyms", columns)


def _aliases() -> None:
    set_aside("aliases")
    op.create_table(
        "aliases", whole("record_no", key=True, references="records.number"),
        whole("agreement_no", key=True, references="agreements.number"), octets("alias"),
        whole("wire_version"), whole("record_version"), sqlite_with_rowid=False,
    )  # fmt: skip
    shown = """(SELECT max(record_version) FROM renditions r
    WHERE r.record_no = o.record_no AND r.agreement_no = o.agreement_no)"""
    names = "record_no, agreement_no, alias, wire_version"
    put_back("aliases", f"{names}, record_version", f"{names}, {shown}")


def _sent() -> None:
    """The ledger names frames by number; frames may lose their body and may be nobody's answer."""
    set_aside("disclosures", "frame_receipts", "sent_frames")
    op.create_table(
        "sent_frames", row_number(), octets("frame"), text("recipient"),
        whole("agreement_no", references="agreements.number"), octets("request", nullable=True),
        whole("push_job", nullable=True), whole("sequence", nullable=True), octets("header_digest"), whole("sent_at"),
        whole("taken_at", nullable=True), text("refused", nullable=True), whole("cancelled_at", nullable=True),
        octets("outcomes"), octets("header"), octets("body", nullable=True), unique("sent_frames", "frame"),
    )  # fmt: skip
    _partial("uq_sent_frames_request", "sent_frames", ["request"], _KEPT, unique=True)
    _partial("ix_sent_frames_push_job", "sent_frames", ["push_job"], _PUSHED)
    _partial("ix_sent_frames_kept", "sent_frames", ["sent_at"], _KEPT)
    op.create_table(
        "frame_receipts", whole("frame_no", key=True, references="sent_frames.number"),
        whole("receipt_no", references="receipts.number"), whole("received_at"),
    )  # fmt: skip
    op.create_table(
        "disclosures", row_number(), whole("record_no", references="records.number"), whole("record_version"),
        whole("agreement_no", references="agreements.number"), whole("frame_no", references="sent_frames.number"),
        whole("identifier_no"), text("fields", nullable=True), whole("at"), whole("closed_at", nullable=True),
        whole("closed_by", references="receipts.number", nullable=True),
    )  # fmt: skip
    op.create_index("ix_disclosures_record_no", "disclosures", ["record_no"])
    op.create_index("ix_disclosures_frame_no", "disclosures", ["frame_no"])
    names = "number, frame, recipient, agreement_no, request, header_digest, sent_at, outcomes, header, body"
    put_back("sent_frames", names, names)
    put_back("frame_receipts", "frame_no, receipt_no, received_at", "frame_no, receipt_no, received_at")
    names = "number, record_no, record_version, agreement_no, at"
    frame = "(SELECT f.number FROM sent_frames f WHERE f.frame = o.frame)"
    first = """(SELECT min(i.number) FROM identifiers i JOIN records r ON r.subject_no = i.subject_no
    WHERE r.number = o.record_no)"""
    put_back("disclosures", f"{names}, frame_no, identifier_no", f"{names}, {frame}, {first}")


def _received() -> None:
    """What proves each copy is made from the copies, which were stored in the order of the body."""
    set_aside("copies", "received_frames")
    op.create_table(
        "received_frames", row_number(), octets("frame"), text("sender"), octets("agreement"),
        octets("header_digest"), whole("received_at"), octets("leaf"), octets("header"), octets("commitments"),
        unique("received_frames", "frame", "sender"),
    )  # fmt: skip
    op.create_index("ix_received_frames_sender_number", "received_frames", ["sender", "number"])
    op.create_table(
        "copies", row_number(), whole("frame_no", references="received_frames.number"), octets("agreement"),
        octets("pseudonym"), octets("alias"), whole("wire_version"), text("kind"), whole("keep_until"),
        octets("rendition"),
    )  # fmt: skip
    for column in ("frame_no", "alias", "keep_until"):
        op.create_index(f"ix_copies_{column}", "copies", [column])
    names = "number, frame, sender, agreement, header_digest, received_at, header"
    put_back("received_frames", f"{names}, leaf, commitments", f"{names}, header_digest, header_digest")
    names = "number, frame_no, agreement, pseudonym, alias, wire_version, kind, keep_until, rendition"
    put_back("copies", names, names)
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
        "corrected_contents", whole("record_no", key=True, references="records.number"),
        octets("content_digest", key=True), sqlite_with_rowid=False,
    )  # fmt: skip
    op.create_table(
        "deletions", whole("record_no", key=True, references="records.number"), text("basis"), text("document"),
        octets("first_order"), octets("second_order"), whole("at"),
    )  # fmt: skip


def _notices() -> None:
    op.create_table(
        "notices", row_number(), octets("notice"), text("peer"), whole("agreement_no", references="agreements.number"),
        whole("record_no", references="records.number"), whole("record_version"), octets("alias"), text("effect"),
        whole("version"), text("basis"), text("document"), octets("salt"), whole("occurred_at"), whole("due_at"),
        whole("sequence", nullable=True), text("stage"), whole("stage_rank"), unique("notices", "notice"),
        unique("notices", "peer", "sequence"),
    )  # fmt: skip
    op.create_index("ix_notices_record_no", "notices", ["record_no"])
    _partial("ix_notices_unnumbered", "notices", ["peer", "number"], _UNNUMBERED)
    _partial("ix_notices_open", "notices", ["peer", "due_at"], _OPEN)
    op.create_table(
        "notice_batches", row_number(), text("peer"), whole("first"), whole("count"),
        whole("agreement_no", references="agreements.number"), octets("digest"), octets("raw"),
        whole("frame_no", references="sent_frames.number", nullable=True), whole("made_at"),
        whole("taken_at", nullable=True), text("trouble", nullable=True), unique("notice_batches", "peer", "first"),
    )  # fmt: skip
    _partial("ix_notice_batches_open", "notice_batches", ["peer", "first"], _NOT_TAKEN)
    op.create_table(
        "notice_receipts", whole("notice_no", key=True, references="notices.number"), text("stage", key=True),
        whole("receipt_no", references="receipts.number"), whole("at"),
    )  # fmt: skip


def _held() -> None:
    op.create_table(
        "floors", octets("agreement", key=True), octets("alias", key=True), whole("version"), flag("deleted"),
        sqlite_with_rowid=False,
    )  # fmt: skip
    op.create_table("notice_streams", text("home", key=True), whole("expected"), octets("last"))
    op.create_table(
        "received_batches", row_number(), text("home"), whole("first"), octets("digest"), octets("raw"),
        whole("received_at"), unique("received_batches", "home", "first"),
    )  # fmt: skip
    op.create_table(
        "received_notices", row_number(), text("home"), whole("sequence"), octets("notice"), octets("agreement"),
        octets("alias"), text("effect"), whole("version"), whole("due_at"), whole("received_at"), text("stage"),
        unique("received_notices", "home", "sequence"),
    )  # fmt: skip
    op.create_index("ix_received_notices_home_notice", "received_notices", ["home", "notice"])
    op.create_table(
        "evidence", row_number(), text("peer"), octets("digest"), octets("raw"), whole("at"),
        unique("evidence", "peer", "digest"),
    )  # fmt: skip
    op.create_table(
        "erasures", row_number(), text("home"), octets("alias"), octets("notice", nullable=True),
        octets("frame", nullable=True), whole("at"), sqlite_autoincrement=True,
    )  # fmt: skip


def _partial(name: str, table: str, columns: Sequence[str], where: str, *, unique: bool = False) -> None:
    condition = sa.text(where)
    op.create_index(name, table, columns, unique=unique, sqlite_where=condition, postgresql_where=condition)
