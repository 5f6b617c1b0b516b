"""Home records in any number: invented enterprises, admitted once, multiplied under identifiers of their own."""

from collections.abc import Iterator, Sequence
from hashlib import sha256
from itertools import count, islice

import msgspec

from agreements.refusal import Refused
from node.app.opening import Node, utc_now
from node.domain.dates import shanghai_day
from node.domain.intake import Admitted, Intake, admit, open_intake
from node.domain.mapping import standard_mapping
from node.domain.records import Kind
from node.domain.rows import Row as FileRow
from node.domain.sample import sample_enterprises
from node.domain.subjects import SubjectKind
from node.domain.vocabulary import load_vocabulary
from node.operations.change_records import propagate, updates
from node.operations.record_rows import NewRecordRow
from node.operations.stored_records import row_from_admitted
from node.operations.whole_kinds import shapes_of
from node.storage.store import SqlStore
from registry.norms.law import shipped_law
from registry.parties import PartyId

HOME = PartyId("sz-credit")
REAL = 2_000
"""Enterprises that are invented anew; everything beyond repeats their contents."""
BATCH = 10_000


def intake() -> Intake:
    """What registrations are admitted by today."""
    today = shanghai_day(utc_now())
    opened = open_intake(Kind.REGISTRATION, shipped_law(), provider=HOME, source_system="bench", today=today)
    assert not isinstance(opened, Refused)
    return opened


class Supply:
    """Rows that were never seen before, as many as are wanted."""

    def __init__(self, start: int = 0) -> None:
        mapping, by = standard_mapping(Kind.REGISTRATION), intake()
        made = enumerate(sample_enterprises(11, REAL, by.plan.measure.today))
        admitted = [admit(row, by) for row in map(mapping.apply, (FileRow(number, one) for number, one in made))
                    if isinstance(row, FileRow)]  # fmt: skip
        may_cross = [one for one in admitted if isinstance(one, Admitted)
                     and one.subject.kind is not SubjectKind.NATURAL_PERSON_LINKED]  # fmt: skip
        self._real = [row_from_admitted(one) for one in may_cross]
        self._numbers = count(start)

    def rows(self, wanted: int) -> Iterator[NewRecordRow]:
        """Rows of subjects with one identifier each."""
        return (self._row(number, number) for number in islice(self._numbers, wanted))

    def changed(self, numbers: Sequence[int], turn: int) -> Iterator[NewRecordRow]:
        """The rows that had these places in the supply, with the content of another enterprise."""
        return (self._row(number, number + turn) for number in numbers)

    def _row(self, number: int, like: int) -> NewRecordRow:
        real = self._real[like % len(self._real)]
        key = sha256(f"bench {number}".encode()).digest()
        return msgspec.structs.replace(real, identifiers=(("CN-USCC", f"{number:018X}"),), source_key=key)


def load(store: SqlStore, rows: Iterator[NewRecordRow]) -> None:
    """Put rows into a store, in large transactions."""
    while batch := list(islice(rows, BATCH)):
        with store.write() as work:
            assert set(work.records.add(batch, utc_now()).outcomes) == {"new"}
            work.cells.put_shapes(shapes_of(load_vocabulary()))
            work.commit()


def change(node: Node, rows: Iterator[NewRecordRow]) -> None:
    """Update records as an import does, and queue a notice for every holder, in transactions of a thousand."""
    law = node.settings.law
    while batch := list(islice(rows, 1_000)):
        with node.store.write() as work:
            at = utc_now()
            imported = work.records.add(batch, at, names_may_change=True)
            assert set(imported.outcomes) == {"updated"}
            propagate(work, updates(imported.updated, law, at), law, node.context)
            work.commit()
