"""What becomes of a batch of admitted rows, decided in memory from what was stored before."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, NamedTuple

from node.domain.crowd import Cell
from node.domain.naming import claim_of, contradicts
from node.domain.records import Kind
from node.operations.rows import NewRecordRow

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


class Stated(NamedTuple):
    """A record that names its subject: which one, and its content."""

    source_key: bytes
    kind: str
    content: bytes


@dataclass(slots=True, kw_only=True)
class Batch:
    """Takes rows in order and gathers what is to be written; each row sees what those before it changed.

    `known` are stored records by source key, `corrected` the (record, content digest) pairs that a correction declared
    wrong, `subjects` stored subject numbers by identifier, `stated` the records that name those subjects, `at` the time
    in milliseconds. New subjects get ascending numbers from `first_number`. `repeated` are the places of rows whose
    record the same file stated before. `against` says for each place that contradicts a record which one it is, by its
    source key. `cells` are the numbers of the rows' cells; `celled` of stored records that had none.
    """

    known: dict[bytes, Known] = field(repr=False)
    corrected: frozenset[tuple[int, bytes]] = field(repr=False)
    subjects: dict[tuple[str, str], int] = field(repr=False)
    at: int
    cells: Mapping[Cell | None, int] = field(default_factory=dict, repr=False)
    names_may_change: bool = False
    repeated: frozenset[int] = frozenset()
    stated: dict[int, list[Stated]] = field(default_factory=dict, repr=False)
    against: dict[int, bytes] = field(default_factory=dict, repr=False)
    first_number: int = 0
    taken: int = 0
    new_subjects: list[dict[str, Any]] = field(default_factory=list, repr=False)
    new_identifiers: list[dict[str, Any]] = field(default_factory=list, repr=False)
    new_records: dict[bytes, dict[str, Any]] = field(default_factory=dict, repr=False)
    updated_records: dict[bytes, dict[str, Any]] = field(default_factory=dict, repr=False)
    celled: dict[int, int] = field(default_factory=dict)

    def count_strangers(self, rows: Sequence[NewRecordRow]) -> int:
        """At most so many rows will need a new subject."""
        return sum(
            row.source_key not in self.known and not any(one in self.subjects for one in row.subject.identifiers)
            for row in rows
        )

    def named_subjects(self, rows: Sequence[NewRecordRow]) -> set[int]:
        """The stored subjects whose names these rows may contradict; none when every row is new or unchanged."""
        found = set()
        for row in rows:
            known = self.known.get(row.source_key)
            if known is not None and known.content_digest != row.content_digest:
                found.add(known.subject_no)
            elif known is None:
                found.update(self.subjects[one] for one in row.subject.identifiers if one in self.subjects)
        return found

    def take(self, row: NewRecordRow) -> Outcome:
        """Judge one row. A conflict leaves no trace: joining or renaming subjects is for people to decide."""
        self.taken += 1
        known = self.known.get(row.source_key)
        subjects = {self.subjects[one] for one in row.subject.identifiers if one in self.subjects}
        if known is not None:
            subjects.add(known.subject_no)
        turned_away = self._turned_away(row, known, subjects)
        if turned_away is not None:
            return turned_away
        subject_no = self._join(row, subjects)
        if known is None:
            self._keep(row, Known(subject_no, 1, row.content_digest))
            return "new"
        if known.content_digest == row.content_digest:
            self._put_in_cell(row, known)
            return "unchanged"
        self._keep(row, Known(subject_no, known.version + 1, row.content_digest, record_no=known.record_no))
        return "updated"

    def _put_in_cell(self, row: NewRecordRow, known: Known) -> None:
        """Note the cell of a record that was stored before there were any."""
        cell_no = self.cells.get(row.cell)
        if known.cell_no is None and cell_no is not None and known.record_no:
            self.celled[known.record_no] = cell_no

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
            self.against[place] = row.source_key
            return "repeated"
        return None

    @property
    def changed(self) -> dict[int, int]:
        """The new version of each stored record that changed, by its number."""
        return {self.known[key].record_no: values["version"] for key, values in self.updated_records.items()}

    def _renames(self, row: NewRecordRow, subjects: set[int]) -> bool:
        """Whether the row gives its known subject another name; if so, note which record it contradicts.

        A registration is held against registrations. Anything else is too, or against the first record of the subject
        while there is no registration.
        """
        (subject_no,) = subjects or (None,)
        stated = () if subject_no is None else self.stated.get(subject_no, ())
        held = [one for one in stated if one.kind == _REGISTRATION]
        if row.kind != _REGISTRATION:
            held = held or list(stated[:1])
        if self.names_may_change or not held:
            return False
        if not contradicts(claim_of(row.content), [claim_of(one.content) for one in held]):
            return False
        self.against[self.taken - 1] = held[0].source_key
        return True

    def _join(self, row: NewRecordRow, subjects: set[int]) -> int:
        """The subject of the row, a new one if need be; new identifiers lead to it from now on."""
        if subjects:
            (subject_no,) = subjects
        else:
            subject_no = self.first_number + len(self.new_subjects)
            self.new_subjects.append({"number": subject_no, "kind": row.subject.kind})
        for one in row.subject.identifiers:
            if one not in self.subjects:
                self.subjects[one] = subject_no
                self.new_identifiers.append({"subject_no": subject_no, "scheme": one[0], "value": one[1]})
        return subject_no

    def _keep(self, row: NewRecordRow, becomes: Known) -> None:
        values = {
            "subject_no": becomes.subject_no,
            "source_key": row.source_key,
            "version": becomes.version,
            "kind": row.kind,
            "content_digest": row.content_digest,
            "disclose_until": None if row.disclose_until is None else row.disclose_until.isoformat(),
            "withheld": "",
            "stored_at": self.at,
            "facts": row.facts,
            "content": row.content,
            "cell_no": self.cells.get(row.cell),
        }
        fresh = becomes.version == 1 or row.source_key in self.new_records
        (self.new_records if fresh else self.updated_records)[row.source_key] = values
        self.known[row.source_key] = becomes
        others = [one for one in self.stated.get(becomes.subject_no, ()) if one.source_key != row.source_key]
        self.stated[becomes.subject_no] = [*others, Stated(row.source_key, row.kind, row.content)]
