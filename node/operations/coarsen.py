"""How coarse a record is shown: decided when a rendition is made, over all enterprises at home (S 14, 17, 23).

Crowds are made from cells, in portions; until those of an agreement are made, nothing is disclosed under it. A few
cells that came since are taken in by the very transaction that discloses.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Final, NamedTuple

from agreements.agreement import Agreement
from node.domain.crowd import Ladder, Step, first_crowded, ladder_of
from node.domain.vocabulary import Vocabulary
from node.operations.ports import Store, UnitOfWork
from node.operations.record_rows import RecordRow
from node.operations.rendition_rows import AliasRow

FEW: Final = 10_000
"""Cells that a disclosure takes in itself, at most; while there are more it waits for the maker of crowds."""
PORTION: Final = 10_000

Finest = Callable[[Sequence[RecordRow]], Sequence[str]]
"""Gives what cells of records of one kind hold, made from the records themselves: one stored before there were cells
has none."""


class Decided(NamedTuple):
    """By which ladder, and after which step of it, a record version is shown under an agreement."""

    ladder_no: int | None
    step: int


class Steps:
    """The decisions for some records under one agreement: made once for each version, remembered with its alias."""

    def __init__(self, work: UnitOfWork, ladders: Mapping[str, Ladder], least: int) -> None:
        self._work = work
        self._ladders = ladders
        self._least = least
        self._decided: dict[tuple[int, int], Decided] = {}

    def decide(self, rows: Iterable[RecordRow], known: Mapping[int, AliasRow], finest: Finest) -> None:
        """Decide for records of which nothing is made yet in this epoch, unless it was decided in another one.

        What would be decided anew is left open while not every record of the kind is in a cell of the ladder's shape.
        """
        shapes = self._work.cells.shapes()
        by_kind: dict[str, list[RecordRow]] = defaultdict(list)
        for row in rows:
            by_kind[row.kind].append(row)
        for kind, alike in by_kind.items():
            ladder = self._ladders[kind]
            number = _take_in_few(self._work, ladder)
            crowded = partial(self._work.crowds.crowded, number, least=self._least)
            still_open = []
            for row in alike:
                step = _kept_step(row, known, number)
                if step is None:
                    still_open.append(row)
                else:
                    self._keep(row, Decided(number, step))
            if still_open and shapes.get(kind) == ladder.shape:
                steps = first_crowded(ladder, finest(still_open), crowded)
                for row, step in zip(still_open, steps, strict=True):
                    self._keep(row, Decided(number, step))

    def recall(self, rows: Iterable[RecordRow], known: Mapping[int, AliasRow]) -> None:
        """Look up what was decided for records that were shown already.

        Where nothing was, or by another catalogue, the last step is taken: more than that nobody has judged.
        """
        missing = [row for row in rows if (row.record_no, row.version) not in self._decided]
        ladders = {kind: self._ladders[kind] for kind in {row.kind for row in missing}}
        numbers = self._work.crowds.ladders([ladder.digest for ladder in ladders.values()]) if ladders else {}
        for row in missing:
            ladder = ladders[row.kind]
            number = numbers[ladder.digest].number if ladder.digest in numbers else None
            step = _kept_step(row, known, number)
            self._keep(row, Decided(number, ladder.last if step is None else step))

    def knows(self, row: RecordRow) -> bool:
        """Whether it is decided how coarse a record is shown; one of which it is not is not shown."""
        return (row.record_no, row.version) in self._decided

    def of(self, row: RecordRow) -> Decided:
        """What was decided for a record."""
        return self._decided[row.record_no, row.version]

    def told(self, row: RecordRow) -> Step:
        """What is told of it after its step."""
        return self._ladders[row.kind].steps[self.of(row).step]

    def _keep(self, row: RecordRow, decided: Decided) -> None:
        self._decided[row.record_no, row.version] = decided


def _kept_step(row: RecordRow, known: Mapping[int, AliasRow], ladder_no: int | None) -> int | None:
    """The step that was decided for this very version on this ladder."""
    alias = known.get(row.record_no)
    if alias is None or alias.record_version != row.version or alias.ladder_no != ladder_no:
        return None
    return alias.step


def ladders_of(agreement: Agreement, vocabulary: Vocabulary) -> dict[str, Ladder]:
    """By kind, how what an agreement grants becomes coarser; none for a kind that the catalogue in force leaves out."""
    return {
        kind: ladder_of(kind, granted, vocabulary)
        for kind, granted in agreement.terms.precisions.items()
        if vocabulary.catalogue.entry(kind) is not None
    }


def are_ready(work: UnitOfWork, ladders: Iterable[Ladder]) -> bool:
    """Whether so few cells are missing in the crowds of these ladders that a disclosure can take them in."""
    newest = work.crowds.newest()
    if newest <= FEW:
        return True
    digests = {ladder.digest for ladder in ladders}
    known = work.crowds.ladders(list(digests))
    return known.keys() == digests and all(newest - one.through <= FEW for one in known.values())


def extend_crowds(store: Store, ladder: Ladder) -> int:
    """Take the next portion of cells into the crowds of a ladder; gives how many it looked at, 0 when none is new."""
    with store.read() as work:
        known = work.crowds.ladders([ladder.digest]).get(ladder.digest)
        if known is not None and known.through >= work.crowds.newest():
            return 0
    with store.write() as work:
        looked_at = _take_in(work, ladder, 0 if known is None else known.through, PORTION)
        work.commit()
    return looked_at


def _take_in_few(work: UnitOfWork, ladder: Ladder) -> int:
    """Bring the crowds of a ladder up to date; gives its number.

    Cells that are left over only make crowds smaller, and what is shown coarser.
    """
    known = work.crowds.ladders([ladder.digest]).get(ladder.digest)
    if known is None or known.through < work.crowds.newest():
        _take_in(work, ladder, 0 if known is None else known.through, FEW)
        known = work.crowds.ladders([ladder.digest])[ladder.digest]
    return known.number


def _take_in(work: UnitOfWork, ladder: Ladder, after: int, limit: int) -> int:
    found, through = work.crowds.untaken(ladder.shape, after, limit)
    work.crowds.take_in(ladder.digest, [(ladder.key(finest), number) for number, finest in found], through)
    return through - after
