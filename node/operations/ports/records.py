"""Home records, the names and forms in which they leave, and the ledger of who holds them."""

from collections.abc import Container, Mapping, Sequence
from datetime import date, datetime
from typing import Protocol

from node.domain.crowd import Cell
from node.domain.notices import Holding
from node.operations.record_rows import DeletionRow, Imported, NewRecordRow, RecordRow, Selection
from node.operations.rendition_rows import AliasRow, LadderRow, RenditionRow
from node.operations.rows import DisclosureRow, LedgerRow, ShownBefore
from node.operations.standing_rows import RecheckRow, StandingRow, WithholdingRow
from registry.parties import PartyId


class Records(Protocol):
    """Home subjects and their records."""

    def add(
        self,
        rows: Sequence[NewRecordRow],
        at: datetime,
        *,
        names_may_change: bool = False,
        repeated: Container[int] = (),
    ) -> Imported:
        """Store admitted rows: a known `source_key` with the same digest is unchanged, with another one a new version.

        Subjects are joined by identifier. A row whose identifiers lead to two different subjects is a conflict and
        is not stored. Nor is one that gives its subject another name than the registrations known of it (see
        `node.domain.naming`), unless `names_may_change`; nor one in a place of `repeated` that says something else
        than its record, which an earlier row of the same file stated.
        """

    def of_subjects(self, subjects: Sequence[int], kinds: Sequence[str]) -> Mapping[int, Sequence[RecordRow]]:
        """Give the current version of every record of these kinds, by subject number, one read for all.

        What was deleted is not among them.
        """

    def page(self, kind: str | None, after: int, limit: int) -> Sequence[RecordRow]:
        """Give records in ascending number, from the one after `after`, tombstones of deleted ones too."""

    def count(self) -> Mapping[str, int]:
        """Count current records by kind."""

    def find(self, record_no: int) -> RecordRow | None:
        """Give the current version of one record, or its tombstone."""


class Changes(Protocol):
    """Home records changed by order, and found again for a push."""

    def correct(self, record_no: int, row: NewRecordRow, at: datetime) -> int:
        """Replace the content and give the new version; the old content counts as wrong from now on."""

    def delete(self, deletion: DeletionRow) -> int:
        """Destroy the content, keep a tombstone without facts and with its reason, and give its version."""

    def deletion(self, record_no: int) -> DeletionRow | None:
        """Give the reason for a deletion."""

    def of_numbers(self, records: Sequence[int]) -> Mapping[int, RecordRow]:
        """Give the current version of these records, by number; what was deleted is not among them."""

    def select(self, selection: Selection) -> Sequence[RecordRow]:
        """Give records for a push, in ascending number."""


class Standings(Protocol):
    """Which records are withheld, and for how long they are shown, beside what they say."""

    def put(self, rows: Sequence[StandingRow]) -> None:
        """Keep the standing of records that were not deleted."""

    def fallen(self, records: Sequence[int]) -> Mapping[int, tuple[str, str]]:
        """Give (reason code, field) of those of the records that the law does not admit, by number."""

    def tally(self) -> Mapping[str, int]:
        """Count records that the law does not admit, by reason code."""


class Rechecks(Protocol):
    """How far the home records are looked at by the law in force."""

    def newest(self) -> RecheckRow | None:
        """Give the look at the records that was begun last."""

    def begin(self, measure: bytes, packs: str, at: datetime) -> None:
        """Begin another look, from the first record on."""

    def put(self, row: RecheckRow) -> None:
        """Keep how far a look has come."""

    def once_more(self) -> None:
        """Have the newest look begin once more when it has come to its end, or now if it has."""


class Withholdings(Protocol):
    """The acts that withhold records, each of which ends on its own."""

    def add(self, row: WithholdingRow) -> None:
        """Keep an act; its number is the store's."""

    def of_record(self, record_no: int) -> Sequence[WithholdingRow]:
        """Give every act about a record, oldest first."""

    def due(self, today: date, limit: int) -> Sequence[WithholdingRow]:
        """Give acts whose first day has come without their having begun, or whose last day is over; one a record."""

    def begun(self, number: int) -> None:
        """Note that an act withholds its record now."""

    def end(self, row: WithholdingRow) -> None:
        """Keep how an act ended."""


class Pseudonyms(Protocol):
    """Home's index from pseudonym to subject, one for each agreement and epoch."""

    def records(
        self, agreement_no: int, epoch: int, pseudonyms: Sequence[bytes], kinds: Sequence[str], over: date
    ) -> Mapping[bytes, Sequence[tuple[int, RecordRow]]]:
        """Give the records of these kinds that those pseudonyms lead to, each with its identifier's number.

        By pseudonym, in ascending number of the records, one read for all. Not among them is what was deleted, what a
        stored state withholds, and what is disclosed until the day `over` or an earlier one. In place of a pseudonym
        that is not indexed the next one in the index is followed, and nothing given of it: so neither what is withheld
        nor what does not exist takes other reads, or another number of rows, than the other.
        """

    def of_subjects(
        self, agreement_no: int, epoch: int, subjects: Sequence[int]
    ) -> Mapping[int, Sequence[tuple[int, bytes]]]:
        """Give (identifier number, pseudonym) pairs of these subjects, in the order of the identifiers."""

    def pending(self, agreement_no: int, epoch: int, limit: int) -> Sequence[tuple[int, int, str, str]]:
        """Give identifiers not indexed yet, as (identifier number, subject number, scheme, value), ascending."""

    def add(self, agreement_no: int, epoch: int, rows: Sequence[tuple[bytes, int, int]], through: int) -> None:
        """Index (pseudonym, subject number, identifier number), and note that identifiers up to `through` are done."""

    def ready(self, agreement_no: int, epoch: int) -> bool:
        """Say whether the index was complete at least once, so that the agreement may be answered."""

    def complete(self, agreement_no: int, epoch: int) -> None:
        """Note that it is complete now."""


class Cells(Protocol):
    """What can single out each record."""

    def put(self, cells: Mapping[int, Cell | None]) -> None:
        """Say in which cell records are, by number (None: in none); what was deleted stays in none."""

    def shapes(self) -> Mapping[str, bytes]:
        """Give the shape of the cells that all records of a kind are in, by kind; none while some may not be."""

    def put_shapes(self, shapes: Mapping[str, bytes | None]) -> None:
        """Say of which shape the cells are that all records of a kind are in, by kind (None: some may not be)."""


class Crowds(Protocol):
    """Which records look alike along a ladder (see `node.domain.crowd`), and of how many enterprises they are.

    A cell that is not taken in yet only makes crowds smaller.
    """

    def newest(self) -> int:
        """Give the highest number of a cell; 0 where there is none."""

    def ladders(self, digests: Sequence[bytes]) -> Mapping[bytes, LadderRow]:
        """Give those ladders that crowds are made for, by digest."""

    def untaken(self, shape: bytes, after: int, limit: int) -> tuple[Sequence[tuple[int, str]], int]:
        """Give cells of a shape, as (number, finest), among the next `limit` of any; and the number of the last."""

    def take_in(self, digest: bytes, keys: Sequence[tuple[str, int]], through: int) -> None:
        """Add cells to the crowds of a ladder, as (key, cell number), and note that those up to `through` are done."""

    def crowded(self, ladder_no: int, prefixes: Sequence[str], least: int) -> frozenset[str]:
        """Give those prefixes under whose keys there are records of `least` subjects or more, withheld ones too."""


class Renditions(Protocol):
    """Renditions made, and the names under which records go."""

    def of_records(
        self, agreement_no: int, epoch: int, records: Sequence[int]
    ) -> Mapping[tuple[int, int], RenditionRow]:
        """Give the renditions made of these records under an agreement and epoch, by (record, version)."""

    def identities(self, agreement_no: int, records: Sequence[int]) -> Mapping[int, AliasRow]:
        """Give the name of these records under an agreement, if they have one."""

    def add(self, rows: Sequence[RenditionRow]) -> None:
        """Keep new renditions with their aliases, and how coarse the version is shown."""

    def supersede(self, planned: Sequence[tuple[int, int, int, int]]) -> None:
        """Give records their next wire version, as (record, agreement, wire version, record version).

        How coarse that is shown is not decided yet.
        """

    def destroy(self, records: Sequence[int]) -> None:
        """Destroy every rendition of these records, with its salts; their aliases stay."""


class Ledger(Protocol):
    """Who was shown which version of which record in which frame, and holds it still."""

    def disclose(self, rows: Sequence[LedgerRow], at: datetime) -> None:
        """Write ledger rows; they commit before the frame leaves. The frames are kept already."""

    def of_record(self, record_no: int) -> Sequence[DisclosureRow]:
        """Give every disclosure of one record, oldest first."""

    def in_frames(self, frames: Sequence[bytes]) -> Sequence[int]:
        """Give the numbers of the records that these frames show, ascending."""

    def holdings(self, records: Sequence[int]) -> Sequence[Holding]:
        """Say who holds copies of these records, or was sent them: one for each record and agreement."""

    def shown(self, agreement_no: int, records: Sequence[int]) -> Mapping[int, ShownBefore]:
        """Say what is known to have reached the holder under an agreement of these records, and is held still."""


class Settlements(Protocol):
    """What signed receipts end: rows of the ledger whose copies are not held any more."""

    def settle(self, holder: PartyId, notices: Sequence[bytes], receipt: bytes, at: datetime) -> None:
        """Close what a signed receipt says is deleted or not held: the versions before those of the notices."""

    def end(self, holder: PartyId, copies: Sequence[tuple[bytes, bytes]], receipt: bytes, at: datetime) -> int:
        """Close what a holder's signed receipt says has ended, as (frame, alias), and count it."""
