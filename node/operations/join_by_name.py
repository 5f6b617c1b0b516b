"""Find the enterprises that rows without an identifier name, among the registrations of home."""

from collections.abc import Mapping, Sequence
from typing import Final

from node.domain.intake import Rejected
from node.domain.joining import is_without_identifier, join, names_of
from node.domain.naming import claim_of
from node.domain.records import Content, Kind
from node.domain.rows import BadRow, Row
from node.operations.ports import Store
from node.operations.stored_records import record_from_row

_PAGE: Final = 5_000


class HomeNames:
    """The names of home's registrations, read once, when the first row without an identifier is met.

    Kept as hashes with the subject's number, about 150 bytes a name; what is found is compared with the names
    themselves. Registrations that come later are not seen.
    """

    __slots__ = ("_store", "_subjects")

    def __init__(self, store: Store) -> None:
        self._store = store
        self._subjects: dict[int, tuple[int, ...]] | None = None

    def identify(self, rows: Sequence[Row | BadRow], *, ordered: bool) -> list[Row | BadRow | Rejected]:
        """Give rows without an identifier that of the one subject of their name if that is `ordered`, or say why not.

        One look at the names and one read of the registrations found, for all rows together.
        """
        nameless = [row for row in rows if isinstance(row, Row) and is_without_identifier(row)]
        if not nameless:
            return list(rows)
        named = self._registrations({name for row in nameless for name in names_of(row)})
        wanting = {row.number for row in nameless}
        return [
            join(row, _of(row, named), ordered=ordered) if isinstance(row, Row) and row.number in wanting else row
            for row in rows
        ]

    def _registrations(self, names: set[str]) -> dict[str, dict[int, Content]]:
        """One registration of each subject that has such a name, by name and subject."""
        subjects = self._subjects = self._read() if self._subjects is None else self._subjects
        found: dict[str, dict[int, Content]] = {name: {} for name in names}
        numbers = {number for name in names for number in subjects.get(hash(name), ())}
        with self._store.read() as work:
            for subject, rows in work.records.of_subjects(sorted(numbers), [Kind.REGISTRATION.value]).items():
                for row in rows:
                    content = record_from_row(row).content
                    for name in claim_of(row.content).names:
                        if name in found:
                            found[name].setdefault(subject, content)
        return found

    def _read(self) -> dict[int, tuple[int, ...]]:
        """Every home subject that has a registration, by the hash of each of its names."""
        subjects: dict[int, tuple[int, ...]] = {}
        after = 0
        while True:
            with self._store.read() as work:
                page = work.records.page(Kind.REGISTRATION.value, after, _PAGE)
            for row in page:
                for name in claim_of(row.content).names:
                    known = subjects.get(hash(name), ())
                    if row.subject_no not in known:
                        subjects[hash(name)] = (*known, row.subject_no)
            if len(page) < _PAGE:
                return subjects
            after = page[-1].record_no


def _of(row: Row, named: Mapping[str, Mapping[int, Content]]) -> list[Content]:
    """One registration of each subject that has any name of this row."""
    found: dict[int, Content] = {}
    for name in names_of(row):
        found.update(named[name])
    return list(found.values())
