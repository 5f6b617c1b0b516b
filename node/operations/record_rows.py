"""Facts about home records as they stand in the stores, and rows of an import on their way there.

Digests and keys are raw bytes here; numbers are the stores' own ascending integers and never leave the node.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, overload

from msgspec.structs import astuple

from node.domain.crowd import Cell
from node.operations.silent_row import SilentRow as _Row


class NewRecordRow(_Row, frozen=True, gc=False):
    """A home record as admitted, with every attested identifier of its subject as (scheme, canonical value).

    `source_key` (32 bytes) is the same whenever a row comes again. `facts` is JSON of the envelope facts that the rows
    of an import share, `generated_on` the day the information arose. Without a `cell` it counts for nobody when it is
    asked how many enterprises look alike.
    """

    identifiers: tuple[tuple[str, str], ...]
    source_key: bytes
    kind: str
    content: bytes
    content_digest: bytes
    facts: bytes
    generated_on: date
    disclose_until: date | None
    cell: Cell | None = None


@dataclass(frozen=True, slots=True, repr=False)
class NewRecords(Sequence[NewRecordRow]):
    """Rows as an import has them: many at once, each field of `NewRecordRow` as a column, in the same order."""

    identifiers: Sequence[tuple[tuple[str, str], ...]]
    source_keys: Sequence[bytes]
    kinds: Sequence[str]
    contents: Sequence[bytes]
    digests: Sequence[bytes]
    facts: Sequence[bytes]
    generated_on: Sequence[date]
    disclose_until: Sequence[date | None]
    cells: Sequence[Cell | None]

    @classmethod
    def of(cls, rows: Sequence[NewRecordRow]) -> "NewRecords":
        """The columns of rows, one at least."""
        return rows if isinstance(rows, cls) else cls(*zip(*map(astuple, rows), strict=True))

    def __len__(self) -> int:
        return len(self.source_keys)

    def __iter__(self) -> Iterator[NewRecordRow]:
        return map(NewRecordRow, *self._columns)

    @overload
    def __getitem__(self, place: int) -> NewRecordRow: ...
    @overload
    def __getitem__(self, place: slice) -> "NewRecords": ...
    def __getitem__(self, place: int | slice) -> "NewRecordRow | NewRecords":
        parts: list[Any] = [column[place] for column in self._columns]
        return NewRecords(*parts) if isinstance(place, slice) else NewRecordRow(*parts)

    @property
    def _columns(self) -> tuple[Sequence[Any], ...]:
        return (
            self.identifiers, self.source_keys, self.kinds, self.contents, self.digests, self.facts,
            self.generated_on, self.disclose_until, self.cells,
        )  # fmt: skip


class RecordRow(_Row, frozen=True, kw_only=True):
    """A stored home record version. `facts` is JSON of the envelope facts, `content` JSON of the typed content.

    A tombstone has neither, nor a day of generation.
    `withheld` are the states that withhold it now, `coming` those ordered for a day in Shenzhen that is not over.
    """

    record_no: int
    subject_no: int
    version: int
    kind: str
    content: bytes
    facts: bytes
    generated_on: date | None
    disclose_until: date | None
    withheld: frozenset[str]
    stored_at: datetime
    deleted_at: datetime | None
    coming: tuple[tuple[str, date], ...] = ()


class Imported(_Row, frozen=True, kw_only=True):
    """What became of a batch of rows: an outcome for each, in order, and the new version of each record that changed.

    Outcomes are `new`, `unchanged`, `updated`, `conflict` (identifiers of two subjects), `renamed` (another name for
    a known subject), `repeated` (not what an earlier row of the file said of the record), `deleted` (the record was
    deleted and does not come back) and `corrected` (a correction declared this content wrong). `against` names for
    each place of a `renamed` or `repeated` row the record that it contradicts.
    """

    outcomes: tuple[str, ...]
    updated: Mapping[int, int]
    against: Mapping[int, int] = {}


class DeletionRow(_Row, frozen=True, kw_only=True):
    """Why a record was deleted: coded basis, the document that says so, and the digests of two operators' orders."""

    record_no: int
    basis: str
    document: str
    first_order: bytes
    second_order: bytes
    at: datetime


class Selection(_Row, frozen=True, kw_only=True):
    """Which records a push takes: of these kinds, stored since then, of this list (None: all), numbered after `after`.

    Those that a frame under the agreement already showed in full, in their current version, are left out unless
    `again` is set.
    """

    agreement_no: int
    kinds: tuple[str, ...]
    since: datetime | None
    records: tuple[int, ...] | None
    after: int
    again: bool
    limit: int
