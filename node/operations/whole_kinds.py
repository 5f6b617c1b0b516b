"""Of which kinds every record is in a cell of the shape that the law in force gives it: only those are counted whole.

Another catalogue may want other cells. Until the look at all records has made them, some enterprises count for nobody,
and what is decided meanwhile would be coarser than need be, for good: so nothing is decided (rule 10).
"""

from collections.abc import Iterable, Mapping

from node.domain.crowd import cells_of
from node.domain.records import Kind
from node.domain.vocabulary import Vocabulary, vocabulary_of
from node.operations.ports import UnitOfWork
from registry.norms.law import Law


def shapes_of(vocabulary: Vocabulary) -> dict[str, bytes]:
    """The shape (32 bytes) of the cells of each kind that a catalogue lists."""
    return {kind: cells_of(Kind(kind), vocabulary).shape for kind in vocabulary.catalogue.entries}


def not_whole(work: UnitOfWork, kinds: Iterable[str], vocabulary: Vocabulary) -> frozenset[str]:
    """Those of these kinds of which some records may not be counted yet; a kind without records is none of them."""
    shapes, known = shapes_of(vocabulary), work.cells.shapes()
    lacking = [kind for kind in kinds if kind in shapes and shapes[kind] != known.get(kind)]
    return frozenset(kind for kind in lacking if work.records.page(kind, 0, 1))


def note_taken_in(work: UnitOfWork, kind: str, law: Law) -> bool:
    """Keep in mind by which law records of a kind are about to be taken in, or are corrected, in this transaction.

    The first ones make the kind whole. False where the newest look at all records is by another law: it then begins
    once more at its end. Where nobody has begun a look yet, it will see them.
    """
    shape, known = shapes_of(vocabulary_of(law)).get(kind), work.cells.shapes().get(kind)
    if shape != known:
        is_first = known is None and not work.records.page(kind, 0, 1)
        work.cells.put_shapes({kind: shape if is_first else None})
    look = work.rechecks.newest()
    if look is None or look.measure == law.measure:
        return True
    work.rechecks.once_more()
    return False


def note_look_begun(work: UnitOfWork, law: Law) -> None:
    """From here on records move into the cells of this law: what other ones count is whole no more."""
    shapes = shapes_of(vocabulary_of(law))
    work.cells.put_shapes({kind: None for kind, known in work.cells.shapes().items() if shapes.get(kind) != known})


def note_look_done(work: UnitOfWork, law: Law) -> None:
    """Every record was put into the cell that this law gives it."""
    shapes: Mapping[str, bytes | None] = shapes_of(vocabulary_of(law))
    work.cells.put_shapes(shapes)
