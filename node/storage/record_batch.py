"""What becomes of a batch of admitted rows, decided in memory from what was stored before."""

from collections import defaultdict
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, NamedTuple, Protocol

from node.domain.crowd import Cell
from node.domain.naming import claim_of, contradicts
from node.domain.records import Kind
from node.operations.record_rows import NewRecordRow, NewRecords
from node.storage.moments import day_or_none

Outcome = Literal["new", "unchanged", "updated", "conflict", "renamed", "repeated", "deleted", "corrected"]

_REGISTRATION: Final = Kind.REGISTRATION.value


class Known(NamedTuple):
    """What has to be known of a stored record to judge a row with its source key."""

    subject_no: int
    version: int
    content_digest: bytes
    deleted: bool = False
    record_no: int = 0
    cell_no: int | None = None


Places = Mapping[str, Mapping[str, int]]
"""By scheme and value of an identifier, the place of the last row that states it."""


def places_of(identifiers: Sequence[Sequence[tuple[str, str]]]) -> Places:
    """Where in rows their identifiers stand."""
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for place, each in enumerate(identifiers):
        for scheme, value in each:
            found[scheme][value] = place
    return found


def are_strangers(rows: NewRecords, places: Places) -> bool:
    """Whether rows, of one kind, have nothing to do with each other: each has names, and a source key, of its own."""
    count = len(rows)
    if len(set(rows.kinds)) > 1 or len(set(rows.source_keys)) < count:
        return False
    return sum(map(len, places.values())) == sum(map(len, rows.identifiers))


class Claimed(Protocol):
    """What names a subject: a stored record, or a row that becomes one."""

    @property
    def source_key(self) -> bytes:
        """Which record it is."""

    @property
    def kind(self) -> str:
        """Of which kind."""

    @property
    def content(self) -> bytes:
        """What it says, encoded."""


class Stated(NamedTuple):
    """A stored record that names its subject: which one, and its content."""

    source_key: bytes
    kind: str
    content: bytes


class IdentifierValues(NamedTuple):
    """A row of the table `identifiers`, which numbers it."""

    subject_no: int
    scheme: str
    value: str


RECORD_COLUMNS: Final = (
    "subject_no", "source_key", "content_digest", "disclose_until", "facts_no", "generated_on", "content", "cell_no",
    "version", "kind", "withheld", "stored_at",
)  # fmt: skip
"""What is written to the table `records`, which numbers its rows; the last four are the same for many of them."""

RecordValues = tuple[int, bytes, bytes, str | None, int, str, bytes, int | None, int, str, str, int]


class Kept(NamedTuple):
    """A row that is stored: as which version of a record of which subject."""

    row: NewRecordRow
    subject_no: int
    version: int


class Numbers(NamedTuple):
    """What rows have in common with others and is kept once: its numbers."""

    cells: Mapping[Cell | None, int]
    facts: Mapping[bytes, int]


def own_columns(rows: NewRecords, subjects: Sequence[int], numbers: Numbers) -> list[Sequence[Any]]:
    """What rows have of the table `records` for themselves: the first eight of `RECORD_COLUMNS`, days as ISO text."""
    return [
        subjects, rows.source_keys, rows.digests, [*map(day_or_none, rows.disclose_until)],
        [*map(numbers.facts.__getitem__, rows.facts)], [*map(day_or_none, rows.generated_on)], rows.contents,
        [*map(numbers.cells.get, rows.cells)],
    ]  # fmt: skip


def common_values(version: int, kind: str, at: int) -> dict[str, object]:
    """What rows that are new have in common, by column; nothing withholds them, `at` is in milliseconds."""
    return dict(zip(RECORD_COLUMNS[-4:], (version, kind, "", at), strict=True))


@dataclass(slots=True, kw_only=True)
class Batch:
    """Takes rows in order and gathers what is to be written; each row sees what those before it changed.

    `known` are stored records by source key, `corrected` the (record, content digest) pairs that a correction declared
    wrong, `subjects` stored subject numbers by identifier, `stated` the records that name those subjects, `at` the time
    in milliseconds. New subjects get ascending numbers from `first_number`. `repeated` are the places of rows whose
    record the same file stated before. `against` says for each place that contradicts a record which one it is, by its
    subject and source key. `strangers` are the rows that made the new subjects, in their order. `numbers` are those
    of the rows' cells and facts; `celled` gives the cells of stored records that had none.
    """

    known: dict[bytes, Known] = field(repr=False)
    corrected: frozenset[tuple[int, bytes]] = field(repr=False)
    subjects: dict[tuple[str, str], int] = field(repr=False)
    at: int
    numbers: Numbers = field(repr=False)
    names_may_change: bool = False
    repeated: Container[int] = ()
    stated: dict[int, list[Claimed]] = field(default_factory=dict, repr=False)
    against: dict[int, tuple[int, bytes]] = field(default_factory=dict, repr=False)
    first_number: int = 0
    taken: int = 0
    strangers: list[NewRecordRow] = field(default_factory=list, repr=False)
    new_subjects: int = 0
    new_identifiers: list[IdentifierValues] = field(default_factory=list, repr=False)
    new_records: dict[bytes, Kept] = field(default_factory=dict, repr=False)
    updated_records: dict[bytes, Kept] = field(default_factory=dict, repr=False)
    celled: dict[int, int] = field(default_factory=dict)

    def count_strangers(self, rows: Sequence[NewRecordRow]) -> int:
        """At most so many rows will need a new subject."""
        if not self.subjects:
            return len(rows)
        return sum(
            row.source_key not in self.known and not any(one in self.subjects for one in row.identifiers)
            for row in rows
        )

    def named_subjects(self, rows: Sequence[NewRecordRow]) -> set[int]:
        """The stored subjects whose names these rows may contradict; none when every row is new or unchanged."""
        found = set[int]()
        if not self.subjects:
            return found
        for row in rows:
            known = self.known.get(row.source_key)
            if known is not None and known.content_digest != row.content_digest:
                found.add(known.subject_no)
            elif known is None:
                found.update(self.subjects[one] for one in row.identifiers if one in self.subjects)
        return found

    def take(self, row: NewRecordRow) -> Outcome:
        """Judge one row. A conflict leaves no trace: joining or renaming subjects is for people to decide."""
        self.taken += 1
        known = self.known.get(row.source_key)
        subjects = {self.subjects[one] for one in row.identifiers if one in self.subjects}
        if known is None and not subjects:
            # Nothing is known that it could contradict: most rows of a new file.
            self.strangers.append(row)
            self._keep(row, Known(self._join(row, subjects), 1, row.content_digest))
            return "new"
        if known is not None:
            subjects.add(known.subject_no)
        turned_away = self._turned_away(row, known, subjects)
        if turned_away is not None:
            return turned_away
        subject_no = self._join(row, subjects)
        if known is not None and known.content_digest == row.content_digest:
            self._put_in_cell(row, known)
            return "unchanged"
        others = [one for one in self._claims(subject_no) if one.source_key != row.source_key]
        self.stated[subject_no] = [*others, row]
        if known is None:
            self._keep(row, Known(subject_no, 1, row.content_digest))
            return "new"
        self._keep(row, Known(subject_no, known.version + 1, row.content_digest, record_no=known.record_no))
        return "updated"

    def _put_in_cell(self, row: NewRecordRow, known: Known) -> None:
        """Note the cell of a record that was stored before there were any."""
        cell_no = self.numbers.cells.get(row.cell)
        if known.cell_no is None and cell_no is not None and known.record_no:
            self.celled[known.record_no] = cell_no

    def _claims(self, subject_no: int) -> Sequence[Claimed]:
        """The records that name a subject, stored ones and those of this batch."""
        found = self.stated.get(subject_no)
        if found is not None:
            return found
        place = subject_no - self.first_number
        return self.strangers[place : place + 1] if place >= 0 else ()

    def _turned_away(self, row: NewRecordRow, known: Known | None, subjects: set[int]) -> Outcome | None:
        """Why the row is not stored, if it is not."""
        if known is not None and known.deleted:
            return "deleted"
        if len(subjects) > 1:
            return "conflict"
        if known is not None and (known.record_no, row.content_digest) in self.corrected:
            return "corrected"
        if known is not None and known.content_digest == row.content_digest:
            return None
        return self._contradicted(row, known, subjects)

    def _contradicted(self, row: NewRecordRow, known: Known | None, subjects: set[int]) -> Outcome | None:
        """What the row contradicts, if anything, noting which record that is."""
        place = self.taken - 1
        if self._renames(row, subjects):
            return "renamed"
        if known is not None and place in self.repeated:
            self.against[place] = known.subject_no, row.source_key
            return "repeated"
        return None

    @property
    def kinds(self) -> set[str]:
        """The kinds of all records that a row of this batch may have contradicted."""
        stated = {one.kind for claims in self.stated.values() for one in claims}
        return stated | {one.kind for one in self.strangers}

    def values(self, kept: Mapping[bytes, Kept]) -> list[RecordValues]:
        """What of the batch's rows is written."""
        if not kept:
            return []
        rows, subjects, versions = zip(*kept.values(), strict=True)
        new = NewRecords.of(rows)
        own = own_columns(new, subjects, self.numbers)
        return [(*each, "", self.at) for each in zip(*own, versions, new.kinds, strict=True)]

    @property
    def changed(self) -> dict[int, int]:
        """The new version of each stored record that changed, by its number."""
        return {self.known[key].record_no: self.known[key].version for key in self.updated_records}

    def _renames(self, row: NewRecordRow, subjects: set[int]) -> bool:
        """Whether the row gives its known subject another name; if so, note which record it contradicts.

        A registration is held against registrations. Anything else is too, or against the first record of the subject
        while there is no registration.
        """
        (subject_no,) = subjects or (None,)
        if subject_no is None:
            return False
        stated = self._claims(subject_no)
        held = [one for one in stated if one.kind == _REGISTRATION]
        if row.kind != _REGISTRATION:
            held = held or list(stated[:1])
        if self.names_may_change or not held:
            return False
        if not contradicts(claim_of(row.content), [claim_of(one.content) for one in held]):
            return False
        self.against[self.taken - 1] = subject_no, held[0].source_key
        return True

    def _join(self, row: NewRecordRow, subjects: set[int]) -> int:
        """The subject of the row, a new one if need be; new identifiers lead to it from now on."""
        if subjects:
            (subject_no,) = subjects
        else:
            subject_no = self.first_number + self.new_subjects
            self.new_subjects += 1
        for one in row.identifiers:
            if one not in self.subjects:
                self.subjects[one] = subject_no
                self.new_identifiers.append(IdentifierValues(subject_no, *one))
        return subject_no

    def _keep(self, row: NewRecordRow, becomes: Known) -> None:
        fresh = becomes.version == 1 or row.source_key in self.new_records
        kept = Kept(row, becomes.subject_no, becomes.version)
        (self.new_records if fresh else self.updated_records)[row.source_key] = kept
        self.known[row.source_key] = becomes
