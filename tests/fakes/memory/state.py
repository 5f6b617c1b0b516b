"""What a memory store holds, and how the parts of a unit of work get at it.

Every row is frozen, so that a copy of the tables is a copy of everything in them. What is never deleted and has a key
of its own stands under that key, and its place is its number.
"""

from collections.abc import Callable, Iterable
from copy import copy
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

import msgspec

from crypto import envelope
from node.domain.clocks import LegalClock
from node.domain.crowd import Cell
from node.domain.jobs import Job
from node.domain.notices import Stream
from node.domain.receipts import COPY_KIND, KIND
from node.operations import record_rows, rendition_rows, rows
from node.operations.inspection_rows import InspectionRow
from node.operations.standing_rows import RecheckRow, WithholdingRow
from node.storage.errors import Unusable
from registry.parties import PartyId

Key = TypeVar("Key")
Row = TypeVar("Row")


class Table(dict[int, Row]):
    """Rows by ascending number. A number is never given twice, also after its row was deleted."""

    last = 0

    @property
    def next(self) -> int:
        """The number that the next row gets."""
        return self.last + 1

    def add(self, row: Row) -> None:
        self.last += 1
        self[self.last] = row

    def page(self, after: int, limit: int) -> list[tuple[int, Row]]:
        return [(number, row) for number, row in self.items() if number > after][:limit]


def add_once(table: dict[Key, Row], key: Key, row: Row) -> bool:
    """Add a row; False (and nothing added) if its key is taken."""
    if key in table:
        return False
    table[key] = row
    return True


def add_new(table: dict[Key, Row], key: Key, row: Row) -> None:
    """Add a row whose key no other may have."""
    if not add_once(table, key, row):
        raise KeyError("expected a key that no other row has, got one that is taken")


def page_of(table: Iterable[Row], after: int, limit: int) -> list[tuple[int, Row]]:
    """Give rows that are never deleted with their numbers, from the one after `after`."""
    return list(enumerate(table, 1))[after : after + limit]


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeRecord:
    """A record, or its tombstone."""

    row: record_rows.RecordRow
    source_key: bytes
    content_digest: bytes
    cell_no: int | None = None

    @property
    def is_current(self) -> bool:
        return self.row.deleted_at is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Disclosed:
    """A ledger row."""

    row: rows.LedgerRow
    at: datetime
    closed_at: datetime | None = None
    closed_by: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SentFrame:
    """A frame sent, and what became of it. Without its body it is not kept, though it is not forgotten."""

    row: rows.SentFrameRow
    is_kept: bool = True
    receipted_at: datetime | None = None
    taken_at: datetime | None = None
    refused: str | None = None
    cancelled_at: datetime | None = None

    @property
    def has_arrived(self) -> bool:
        """Whether the recipient's answer or its receipt says so."""
        return self.taken_at is not None or self.receipted_at is not None

    def without_body(self) -> "SentFrame":
        return replace(self, row=msgspec.structs.replace(self.row, body=b""), is_kept=False)


class State:
    """Every table."""

    def __init__(self) -> None:  # noqa: PLR0915 - one line for each table, as there are
        self.generation = 0
        self.operators: dict[str, rows.OperatorRow] = {}
        self.acts: dict[bytes, rows.ActRow] = {}
        self.pins: dict[PartyId, bytes] = {}
        self.statements: dict[PartyId, tuple[rows.StoredStatement, ...]] = {}
        self.heads: dict[PartyId, bytes] = {}
        self.peers: dict[PartyId, rows.PeerHead] = {}

        self.agreements: dict[bytes, int] = {}
        self.documents: dict[bytes, rows.AgreementDocumentRow] = {}  # by their very bytes
        self.consents: dict[bytes, rows.ConsentRow] = {}
        self.known_pseudonyms: dict[tuple[bytes, int, str, str], bytes] = {}
        self.charges: dict[tuple[int, str], int] = {}
        self.evaluations: set[bytes] = set()
        self.nonces: dict[bytes, bytes] = {}

        self.last_subject = 0
        self.identifiers: Table[tuple[int, str, str]] = Table()  # (subject number, scheme, value)
        self.records: Table[HomeRecord] = Table()
        self.cells: dict[Cell, int] = {}
        self.shapes: dict[str, bytes] = {}  # of the cells that all records of a kind are in
        self.wrong_contents: set[tuple[int, bytes]] = set()  # (record number, content digest)
        self.deletions: dict[int, record_rows.DeletionRow] = {}
        self.fallen: dict[int, tuple[str, str]] = {}  # (reason code, field) by record number
        self.rechecks: Table[RecheckRow] = Table()
        self.withholdings: Table[WithholdingRow] = Table()

        # (Agreement number, epoch, pseudonym) leads to (subject number, identifier number).
        self.pseudonyms: dict[tuple[int, int, bytes], tuple[int, int]] = {}
        self.indexed_through: dict[tuple[int, int], int] = {}
        self.complete_indexes: set[tuple[int, int]] = set()
        self.ladders: dict[bytes, rendition_rows.LadderRow] = {}
        self.crowds: set[tuple[int, str, int]] = set()  # (ladder number, key, cell number)
        self.aliases: dict[tuple[int, int], rendition_rows.AliasRow] = {}  # by (record number, agreement number)
        # By (agreement number, epoch, record number, record version).
        self.renditions: dict[tuple[int, int, int, int], rendition_rows.RenditionRow] = {}

        self.disclosures: Table[Disclosed] = Table()
        self.sent_frames: dict[bytes, SentFrame] = {}
        self.push_sequences: dict[int, int] = {}
        self.received_frames: dict[tuple[bytes, PartyId], rows.ReceivedFrameRow] = {}
        self.copies: Table[tuple[PartyId, rows.CopyRow]] = Table()  # with the home that sent them
        self.floors: dict[tuple[bytes, bytes], rows.FloorRow] = {}
        self.erasures: Table[rows.ErasureRow] = Table()
        self.receipts: dict[bytes, bytes] = {}  # document digests by the very bytes
        self.inspections: dict[bytes, InspectionRow] = {}

        self.notices: dict[bytes, rows.NoticeRow] = {}
        self.notice_stages: dict[tuple[int, str], rows.NoticeStageRow] = {}
        self.batches: dict[tuple[PartyId, int], rows.NoticeBatchRow] = {}
        self.streams: dict[PartyId, Stream] = {}
        self.received_batches: dict[tuple[PartyId, int], tuple[bytes, bytes]] = {}  # digest and very bytes
        self.received_notices: dict[tuple[PartyId, int], rows.ReceivedNoticeRow] = {}
        self.evidence: dict[tuple[PartyId, bytes], bytes] = {}

        self.clocks: Table[LegalClock] = Table()

        self.entries: Table[rows.JournalRow] = Table()
        self.nodes: dict[tuple[int, int], bytes] = {}
        self.checkpoint: rows.StoredCheckpoint | None = None
        self.jobs: Table[Job] = Table()

    def copy(self) -> "State":
        new = State()
        vars(new).update({name: copy(table) for name, table in vars(self).items()})
        return new

    def agreement(self, number: int) -> bytes:
        """The digest of an agreement."""
        return list(self.agreements)[number - 1]

    def number_cell(self, cell: Cell | None) -> int | None:
        """The number of a cell, a new one if need be."""
        return None if cell is None else self.cells.setdefault(cell, len(self.cells) + 1)

    def keep_receipt(self, raw: bytes) -> bytes:
        """Keep a signed batch of receipts once; gives its document digest."""
        if raw not in self.receipts:
            self.receipts[raw] = envelope.parse_any(raw, (KIND, COPY_KIND), len(raw)).digest
        return self.receipts[raw]


class Transaction:
    """The state that one unit sees. It is the unit's own where it may write, and then `keep` makes it everybody's."""

    def __init__(self, state: State, keep: Callable[[State], None] | None) -> None:
        self._state: State | None = state
        self._keep = keep

    @property
    def seen(self) -> State:
        if self._state is None:
            raise RuntimeError("this unit has ended")
        return self._state

    @property
    def changing(self) -> State:
        state = self.seen
        if self._keep is None:
            raise Unusable("a unit that only reads may not write")
        return state

    def commit(self) -> None:
        state = self.seen
        if self._keep is not None:
            self._keep(state)
        self.end()

    def end(self) -> None:
        self._state = None


class Part:
    """A part of a unit of work, good while that is open."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    @property
    def _seen(self) -> State:
        """To be read only."""
        return self._transaction.seen

    @property
    def _changing(self) -> State:
        """To be written to, where the unit may."""
        return self._transaction.changing
