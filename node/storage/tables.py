"""The schema, in SQLAlchemy Core; migrations bring a database to it, a test compares the two.

Times are whole milliseconds since 1970 in UTC, dates are ISO text, digests and ids are raw bytes. Rows have
ascending integer keys; a random key is unique only where something is looked up by it.
"""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)

NUMBER: Final = BigInteger().with_variant(Integer(), "sqlite")
"""A 64-bit integer; on SQLite it must be called INTEGER to be the row's own key."""

metadata: Final = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    }
)


def _number() -> Column[int]:
    return Column("number", NUMBER, primary_key=True)


def _int(name: str, *, references: str | None = None, key: bool = False, nullable: bool = False) -> Column[int]:
    foreign = [ForeignKey(references)] if references else []
    return Column(name, NUMBER, *foreign, nullable=nullable, primary_key=key, autoincrement=False)


def _bytes(name: str, *, nullable: bool = False, unique: bool = False, key: bool = False) -> Column[bytes]:
    return Column(name, LargeBinary, nullable=nullable, unique=unique or None, primary_key=key)


def _text(name: str, *, nullable: bool = False, unique: bool = False, key: bool = False) -> Column[str]:
    return Column(name, Text, nullable=nullable, unique=unique or None, primary_key=key)


def _time(name: str, *, nullable: bool = False) -> Column[int]:
    return Column(name, NUMBER, nullable=nullable)


# "generation" moves with every change of cached facts; "subjects" is the last subject number given out.
counters = Table("counters", metadata, _text("name", key=True), _int("value"), sqlite_with_rowid=False)

operators = Table(
    "operators", metadata, _number(), _text("name", unique=True), _text("key_id"), _bytes("public"),
    _text("roles"), _time("added_at"), _time("retired_at", nullable=True),
)  # fmt: skip

operator_acts = Table(
    "operator_acts", metadata, _number(), _bytes("digest", unique=True), _text("operator"), _bytes("raw"),
    _time("at"),
)  # fmt: skip

pins = Table("pins", metadata, _text("authority", key=True), _bytes("card"))

registry_heads = Table("registry_heads", metadata, _text("authority", key=True), _bytes("head"))

registry_statements = Table(
    "registry_statements", metadata, _number(), _text("authority"), _int("place"), _bytes("raw"),
    _time("covered_at"), UniqueConstraint("authority", "place"),
)  # fmt: skip

peer_heads = Table(
    "peer_heads", metadata, _text("peer", key=True), _int("size"), _bytes("root"), _bytes("note"),
    _time("seen_at"),
)  # fmt: skip

agreements = Table("agreements", metadata, _number(), _bytes("digest", unique=True))

# A document's digest is independent of who signed it, so what is unique is the digest of the very bytes.
agreement_documents = Table(
    "agreement_documents", metadata, _number(), _int("agreement_no", references="agreements.number"),
    _bytes("digest"), _text("kind"), _bytes("raw"), _bytes("raw_digest", unique=True),
    Index(None, "agreement_no"),
)  # fmt: skip

consents = Table(
    "consents", metadata, _number(), _bytes("consent", unique=True),
    _int("agreement_no", references="agreements.number"), _text("scheme"), _text("value"),
    _time("valid_until"), _bytes("raw"), Index(None, "agreement_no", "scheme", "value"),
)  # fmt: skip

known_pseudonyms = Table(
    "known_pseudonyms", metadata, _int("agreement_no", references="agreements.number", key=True),
    _int("epoch", key=True), _text("scheme", key=True), _text("value", key=True), _bytes("pseudonym"),
    sqlite_with_rowid=False,
)  # fmt: skip

# A subject is the number that its identifiers and records have in common. Numbers are never given twice: an index of
# pseudonyms remembers up to which number it is made.
identifiers = Table(
    "identifiers", metadata, _number(), _int("subject_no"), _text("scheme"),
    _text("value"), UniqueConstraint("scheme", "value"), sqlite_autoincrement=True,
)  # fmt: skip

# What can single out a record, as text, once for all records that share it; `shape` says how it is written.
cells = Table(
    "cells", metadata, _number(), _bytes("shape"), _text("finest"), UniqueConstraint("shape", "finest"),
)  # fmt: skip

# Of which kinds every record is in a cell of one shape, and which it is; a kind is missing while some may not be.
whole_kinds = Table("whole_kinds", metadata, _text("kind", key=True), _bytes("shape"), sqlite_with_rowid=False)

# The envelope facts of records, once for all that share them: mostly those of an import. What no record has any more
# goes with the next compaction.
record_facts = Table("record_facts", metadata, _number(), _bytes("facts", unique=True))

# Numbers are never given twice: the ledger names records by them for good. A deleted record stays as a tombstone: its
# row, without content and facts, and in no cell. A source key is made of an identifier of its subject, so it is unique
# by itself: kept behind the subject, its new entries come at the end of the index. `withheld` are states,
# those to come behind them: see `node.storage.states`.
records = Table(
    "records", metadata, _number(), _int("subject_no"),
    _bytes("source_key"), _int("version"), _text("kind"), _bytes("content_digest"),
    _text("disclose_until", nullable=True), _text("withheld"), _time("stored_at"),
    _time("deleted_at", nullable=True), _bytes("content"), _int("cell_no", nullable=True),
    _int("facts_no", nullable=True), _text("generated_on", nullable=True),
    Index("ix_records_cell", "cell_no", "subject_no",
          sqlite_where=text("cell_no IS NOT NULL"), postgresql_where=text("cell_no IS NOT NULL")),
    UniqueConstraint("subject_no", "kind", "source_key"), Index(None, "kind", "number"), sqlite_autoincrement=True,
)  # fmt: skip

# Contents that a correction declared wrong: a file that repeats one does not bring it back.
corrected_contents = Table(
    "corrected_contents", metadata, _int("record_no", references="records.number", key=True),
    _bytes("content_digest", key=True), sqlite_with_rowid=False,
)  # fmt: skip

# Why a record was deleted, on whose two orders. The basis stays here; holders see a salted commitment to it.
deletions = Table(
    "deletions", metadata, _int("record_no", references="records.number", key=True), _text("basis"),
    _text("document"), _bytes("first_order"), _bytes("second_order"), _time("at"),
)  # fmt: skip

# How far the home records are looked at by the law that `measure` names; the newest row is the one that counts.
rechecks = Table(
    "rechecks", metadata, _number(), _bytes("measure"), _text("packs"), _int("through"),
    Column("again", Boolean, nullable=False), _int("checked"), _int("fallen"), _int("narrowed"), _int("restored"),
    _time("begun_at"), _time("done_at", nullable=True),
)  # fmt: skip

# Records that the law in force does not admit: for which reason, and in which field.
fallen_records = Table(
    "fallen_records", metadata, _int("record_no", references="records.number", key=True), _text("reason"),
    _text("field"),
)  # fmt: skip

# Acts that withhold a record, and how they ended. `next_on` is the day in Shenzhen on which one begins or ends by
# itself, null when none is to come.
withholdings = Table(
    "withholdings", metadata, _number(), _int("record_no", references="records.number"), _text("state"),
    _text("basis"), _text("document"), _text("received_on", nullable=True), _text("starts_on"),
    _text("ends_on", nullable=True), _bytes("signed_order"), _time("at"), Column("begun", Boolean, nullable=False),
    _text("next_on", nullable=True), _time("ended_at", nullable=True), _text("end_basis"), _text("end_document"),
    _text("end_orders"), Index(None, "record_no"),
    Index("ix_withholdings_next_on", "next_on",
          sqlite_where=text("next_on IS NOT NULL"), postgresql_where=text("next_on IS NOT NULL")),
)  # fmt: skip

pseudonym_indexes = Table(
    "pseudonym_indexes", metadata, _int("agreement_no", references="agreements.number", key=True),
    _int("epoch", key=True), _int("through"), Column("ready", Boolean, nullable=False),
)  # fmt: skip

pseudonyms = Table(
    "pseudonyms", metadata, _int("agreement_no", key=True), _int("epoch", key=True),
    _bytes("pseudonym", key=True), _int("subject_no"), _int("identifier_no"),
    Index(None, "agreement_no", "epoch", "subject_no"), sqlite_with_rowid=False,
)  # fmt: skip

# How grants become coarser, and up to which cell their crowds are made. Keys are compared byte by byte.
ladders = Table("ladders", metadata, _number(), _bytes("digest", unique=True), _int("through"))

crowds = Table(
    "crowds", metadata, _int("ladder_no", references="ladders.number", key=True),
    Column("key", Text().with_variant(Text(collation="C"), "postgresql"), primary_key=True),
    _int("cell_no", key=True), sqlite_with_rowid=False,
)  # fmt: skip

# A record's name inside one agreement, the newest wire version there, and the record version it stands for; how coarse
# that version is shown there, by a ladder and a step of it (null: not decided yet).
aliases = Table(
    "aliases", metadata, _int("record_no", references="records.number", key=True),
    _int("agreement_no", references="agreements.number", key=True), _bytes("alias"), _int("wire_version"),
    _int("record_version"), _int("ladder_no", nullable=True), _int("step", nullable=True), sqlite_with_rowid=False,
)  # fmt: skip

renditions = Table(
    "renditions", metadata, _number(), _int("record_no", references="records.number"),
    _int("agreement_no", references="agreements.number"), _int("epoch"), _int("record_version"),
    _int("wire_version"), _bytes("commitment"), _bytes("body"),
    UniqueConstraint("record_no", "agreement_no", "epoch", "record_version"),
)  # fmt: skip

# The ledger. `fields` is null where all that is granted was shown; a row is closed when the holder's signed receipt
# says that it holds the copy no more.
disclosures = Table(
    "disclosures", metadata, _number(), _int("record_no", references="records.number"),
    _int("record_version"), _int("agreement_no", references="agreements.number"),
    _int("frame_no", references="sent_frames.number"), _int("identifier_no"), _text("fields", nullable=True),
    _time("at"), _time("closed_at", nullable=True),
    _int("closed_by", references="receipts.number", nullable=True), Index(None, "record_no"), Index(None, "frame_no"),
)  # fmt: skip

# The body goes when nobody needs it any more, or when a record in it changed: `cancelled_at` says that the frame was
# not known to have arrived by then. `push_job` and `sequence` are those of a push; `taken_at` and `refused` what the
# recipient answered to it.
sent_frames = Table(
    "sent_frames", metadata, _number(), _bytes("frame", unique=True), _text("recipient"),
    _int("agreement_no", references="agreements.number"), _bytes("request", nullable=True),
    _int("push_job", nullable=True), _int("sequence", nullable=True), _bytes("header_digest"), _time("sent_at"),
    _time("taken_at", nullable=True), _text("refused", nullable=True), _time("cancelled_at", nullable=True),
    _bytes("outcomes"), _bytes("header"), _bytes("body", nullable=True),
    Index("uq_sent_frames_request", "request", unique=True,
          sqlite_where=text("body IS NOT NULL"), postgresql_where=text("body IS NOT NULL")),
    Index("ix_sent_frames_push_job", "push_job",
          sqlite_where=text("push_job IS NOT NULL"), postgresql_where=text("push_job IS NOT NULL")),
    Index("ix_sent_frames_kept", "sent_at",
          sqlite_where=text("body IS NOT NULL"), postgresql_where=text("body IS NOT NULL")),
)  # fmt: skip

# One signed batch of receipts covers many frames and is kept once. The journal names it by its document's digest, which
# is independent of who signed it: what is unique is the digest of the very bytes.
receipts = Table(
    "receipts", metadata, _number(), _bytes("raw_digest", unique=True), _bytes("digest"), _bytes("raw"),
    Index(None, "digest"),
)  # fmt: skip

frame_receipts = Table(
    "frame_receipts", metadata, _int("frame_no", references="sent_frames.number", key=True),
    _int("receipt_no", references="receipts.number"), _time("received_at"),
)  # fmt: skip

# The header with the commitments in body order proves each copy; the sealed body is not kept, since whoever has the key
# could open a deleted copy in it.
received_frames = Table(
    "received_frames", metadata, _number(), _bytes("frame"), _text("sender"), _bytes("agreement"),
    _bytes("header_digest"), _time("received_at"), _bytes("leaf"), _bytes("header"), _bytes("commitments"),
    UniqueConstraint("frame", "sender"), Index(None, "sender", "number"),
)  # fmt: skip

copies = Table(
    "copies", metadata, _number(), _int("frame_no", references="received_frames.number"),
    _bytes("agreement"), _bytes("pseudonym"), _bytes("alias"), _int("wire_version"), _text("kind"),
    _time("keep_until"), _bytes("rendition"), Index(None, "frame_no"), Index(None, "alias"),
    Index(None, "keep_until"),
)  # fmt: skip

# Below this version, or at all if it is deleted, nothing of this alias may be held again.
floors = Table(
    "floors", metadata, _bytes("agreement", key=True), _bytes("alias", key=True), _int("version"),
    Column("deleted", Boolean, nullable=False), sqlite_with_rowid=False,
)  # fmt: skip

# What this node, as home, tells holders: one for each change and holder. It has a sequence once it is in a batch.
notices = Table(
    "notices", metadata, _number(), _bytes("notice", unique=True), _text("peer"),
    _int("agreement_no", references="agreements.number"), _int("record_no", references="records.number"),
    _int("record_version"), _bytes("alias"), _text("effect"), _int("version"), _text("basis"), _text("document"),
    _bytes("salt"), _time("occurred_at"), _time("due_at"), _int("sequence", nullable=True), _text("stage"),
    _int("stage_rank"), UniqueConstraint("peer", "sequence"), Index(None, "record_no"),
    Index("ix_notices_unnumbered", "peer", "number",
          sqlite_where=text("sequence IS NULL"), postgresql_where=text("sequence IS NULL")),
    Index("ix_notices_open", "peer", "due_at",
          sqlite_where=text("stage_rank < 3"), postgresql_where=text("stage_rank < 3")),
)  # fmt: skip

# Signed batches in the order of each peer's stream; `frame_no` is the replacement that went along last.
notice_batches = Table(
    "notice_batches", metadata, _number(), _text("peer"), _int("first"), _int("count"),
    _int("agreement_no", references="agreements.number"), _bytes("digest"), _bytes("raw"),
    _int("frame_no", references="sent_frames.number", nullable=True), _time("made_at"),
    _time("taken_at", nullable=True), _text("trouble", nullable=True), UniqueConstraint("peer", "first"),
    Index("ix_notice_batches_open", "peer", "first",
          sqlite_where=text("taken_at IS NULL"), postgresql_where=text("taken_at IS NULL")),
)  # fmt: skip

# Which signed receipt says that a notice came to a stage.
notice_receipts = Table(
    "notice_receipts", metadata, _int("notice_no", references="notices.number", key=True), _text("stage", key=True),
    _int("receipt_no", references="receipts.number"), _time("at"),
)  # fmt: skip

# What this node, as holder, was told: where each home's stream stands, and every notice with the batch it came in.
notice_streams = Table("notice_streams", metadata, _text("home", key=True), _int("expected"), _bytes("last"))

received_batches = Table(
    "received_batches", metadata, _number(), _text("home"), _int("first"), _bytes("digest"), _bytes("raw"),
    _time("received_at"), UniqueConstraint("home", "first"),
)  # fmt: skip

received_notices = Table(
    "received_notices", metadata, _number(), _text("home"), _int("sequence"), _bytes("notice"), _bytes("agreement"),
    _bytes("alias"), _text("effect"), _int("version"), _time("due_at"), _time("received_at"), _text("stage"),
    UniqueConstraint("home", "sequence"), Index(None, "home", "notice"),
)  # fmt: skip

# Signed words of peers that contradict what they said before.
evidence = Table(
    "evidence", metadata, _number(), _text("peer"), _bytes("digest"), _bytes("raw"), _time("at"),
    UniqueConstraint("peer", "digest"),
)  # fmt: skip

# Content that was deleted from its table and may still lie in the files; `home` is told once it does not (empty: this
# node's own content, about which nobody is told).
erasures = Table(
    "erasures", metadata, _number(), _text("home"), _bytes("alias"), _bytes("notice", nullable=True),
    _bytes("frame", nullable=True), _time("at"), sqlite_autoincrement=True,
)  # fmt: skip

# What has to be done by when: `name` is the agreement, change or batch that a clock is about, `awaits` the number of
# the notice whose receipt ends it. Days are those in Shenzhen.
clocks = Table(
    "clocks", metadata, _number(), _text("code"), _text("article"), _text("rule_pack"), _text("about"), _text("name"),
    _text("peer"), _int("count"), _text("event"), _text("started_on"), _text("due_on"),
    _text("outer_on", nullable=True), _text("packs"), Column("provisional", Boolean, nullable=False),
    _int("awaits", nullable=True), _text("standing"), _time("opened_at"), _text("met_by", nullable=True),
    _time("met_at", nullable=True),
    UniqueConstraint("name", "about", "code", "peer"),
    Index("ix_clocks_running", "due_on", "number",
          sqlite_where=text("met_at IS NULL"), postgresql_where=text("met_at IS NULL")),
)  # fmt: skip

# Orders of authorities by which this node shows evidence.
inspections = Table(
    "inspections", metadata, _number(), _bytes("digest", unique=True), _text("authority"), _bytes("raw"),
    _bytes("leaf"), _time("at"),
)  # fmt: skip

charges = Table(
    "charges", metadata, _int("agreement_no", references="agreements.number", key=True),
    _text("period", key=True), _int("amount"), sqlite_with_rowid=False,
)  # fmt: skip

evaluations = Table(
    "evaluations", metadata, _bytes("request", key=True), _time("at"), sqlite_with_rowid=False,
)  # fmt: skip

nonces = Table(
    "nonces", metadata, _bytes("nonce", key=True), _bytes("request"), _time("expires_at"),
    sqlite_with_rowid=False,
)  # fmt: skip

# The leaf is indexed only once an entry has its place, by the sequencer: inserting an entry stays an append.
journal_entries = Table(
    "journal_entries", metadata, _number(), Column("place", NUMBER), _bytes("leaf"), _bytes("entry"),
    _bytes("detail"), _bytes("salt"),
    Index("ix_journal_entries_unsequenced", "number",
          sqlite_where=text("place IS NULL"), postgresql_where=text("place IS NULL")),
    Index("uq_journal_entries_place", "place", unique=True,
          sqlite_where=text("place IS NOT NULL"), postgresql_where=text("place IS NOT NULL")),
    Index("ix_journal_entries_leaf", "leaf",
          sqlite_where=text("place IS NOT NULL"), postgresql_where=text("place IS NOT NULL")),
)  # fmt: skip

# Complete subtrees from level 1 on; level 0 is the leaf of an entry.
journal_nodes = Table(
    "journal_nodes", metadata, _int("level", key=True), _int("place", key=True), _bytes("hash"),
    sqlite_with_rowid=False,
)  # fmt: skip

journal_head = Table(
    "journal_head", metadata, _int("one", key=True), _int("size"), _bytes("root"), _bytes("note"),
    _time("at"),
)  # fmt: skip

jobs = Table(
    "jobs", metadata, _number(), _text("kind"), _text("peer"), _text("key", unique=True), _text("state"),
    _int("attempts"), _time("next_at"), _time("give_up_at", nullable=True),
    _time("finished_at", nullable=True), _bytes("payload"), _bytes("result", nullable=True),
    Index("ix_jobs_waiting", "next_at",
          sqlite_where=text("state = 'waiting'"), postgresql_where=text("state = 'waiting'")),
    sqlite_autoincrement=True,
)  # fmt: skip
