"""Cells, and the crowds of records that look alike along a ladder."""

# ruff: noqa: S608 - statements are put together from constants of this file only
# ruff: noqa: D102 - each method keeps the promise of its port and says only what is added to it

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import count
from typing import Final

from node.domain.crowd import BEHIND, END, Cell
from node.operations.rendition_rows import LadderRow
from node.storage.transaction import Transaction

_FIND_CELLS: Final = """
WITH {texts wanted} SELECT c.finest, c.number FROM wanted CROSS JOIN cells c
WHERE c.shape = :shape AND c.finest = wanted.key"""
_ADD_CELL: Final = "INSERT INTO cells (number, shape, finest) VALUES (:number, :shape, :finest)"
_PUT: Final = "UPDATE records SET cell_no = :cell_no WHERE number = :number AND deleted_at IS NULL"

_SHAPES: Final = "SELECT kind, shape FROM whole_kinds"
_IS_WHOLE: Final = """
INSERT INTO whole_kinds (kind, shape) VALUES (:kind, :shape) ON CONFLICT (kind) DO UPDATE SET shape = excluded.shape"""
_NOT_WHOLE: Final = "DELETE FROM whole_kinds WHERE kind = :kind"

_NEWEST: Final = "SELECT coalesce(max(number), 0) FROM cells"
_LADDERS: Final = """
WITH {blobs wanted} SELECT l.digest, l.number, l.through FROM wanted CROSS JOIN ladders l WHERE l.digest = wanted.key"""
_UNTAKEN: Final = """
SELECT number, CASE WHEN shape = :shape THEN finest END FROM cells WHERE number > :after ORDER BY number LIMIT :limit"""
_DONE_THROUGH: Final = """
INSERT INTO ladders (digest, through) VALUES (:digest, :through)
ON CONFLICT (digest) DO UPDATE SET through = excluded.through WHERE excluded.through > ladders.through"""
_NUMBER: Final = "SELECT number FROM ladders WHERE digest = :digest"
_TAKE_IN: Final = """
INSERT INTO crowds (ladder_no, key, cell_no) VALUES (:ladder_no, :key, :cell_no)
ON CONFLICT (ladder_no, key, cell_no) DO NOTHING"""
_ALIKE: Final = """
SELECT {what} FROM crowds c CROSS JOIN records r
WHERE c.ladder_no = :ladder_no AND c.key >= wanted.key AND c.key < wanted.other
AND r.cell_no = c.cell_no LIMIT {most}"""
# Few records tell, unless a few subjects have very many that look alike: for those all are looked at.
_FIRST_LOOK: Final = f"""
WITH {{pairs wanted}} SELECT wanted.key, (SELECT
CASE WHEN count(DISTINCT subject_no) >= :least THEN 'enough' WHEN count(*) < :some THEN 'few' ELSE 'open' END
FROM ({_ALIKE.format(what="r.subject_no", most=":some")}) alike) FROM wanted"""
_WHOLE_LOOK: Final = f"""
WITH {{pairs wanted}} SELECT wanted.key, (SELECT CASE WHEN count(*) >= :least THEN 'enough' ELSE 'few' END
FROM ({_ALIKE.format(what="DISTINCT r.subject_no", most=":least")}) alike) FROM wanted"""
_TIMES: Final = 4
"""The first look is at so many records for each subject that there must be."""
_MANY: Final = 10_000
"""So many new keys change what the database has to know of the table to plan well."""


class SqlCells:
    """See `node.operations.ports.Cells`."""

    __slots__ = ("_transaction",)

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def put(self, cells: Mapping[int, Cell | None]) -> None:
        numbers = number_cells(self._transaction, cells.values())
        put_numbers(self._transaction, {record: numbers.get(cell) for record, cell in cells.items()})

    def shapes(self) -> dict[str, bytes]:
        return {kind: bytes(shape) for kind, shape in self._transaction.rows(_SHAPES)}

    def put_shapes(self, shapes: Mapping[str, bytes | None]) -> None:
        whole = [{"kind": kind, "shape": shape} for kind, shape in shapes.items() if shape is not None]
        self._transaction.run_many(_IS_WHOLE, whole)
        self._transaction.run_many(_NOT_WHOLE, [{"kind": kind} for kind, shape in shapes.items() if shape is None])


def number_cells(transaction: Transaction, cells: Iterable[Cell | None]) -> dict[Cell | None, int]:
    """The numbers of cells, new ones for those that are new."""
    shapes: dict[bytes, dict[str, Cell]] = defaultdict(dict)
    for cell in {*cells}:
        if cell is not None:
            shapes[cell.shape][cell.finest] = cell
    numbers: dict[Cell | None, int] = {}
    for shape, wanted in shapes.items():
        finest = sorted(wanted)
        found = _find(transaction, shape, finest)
        missing = [one for one in finest if one not in found]
        if missing:
            # Numbers are given here: writers take turns, and no cell is ever deleted.
            ((newest,),) = transaction.rows(_NEWEST)
            found.update(zip(missing, count(newest + 1)))
            transaction.insert(_ADD_CELL, [(found[one], one) for one in missing], {"shape": shape})
        numbers.update([(wanted[one], number) for one, number in found.items()])
    return numbers


def put_numbers(transaction: Transaction, cells: Mapping[int, int | None]) -> None:
    """Say in which cell records are, both by number."""
    transaction.run_many(_PUT, [{"number": record, "cell_no": cell} for record, cell in cells.items()])


def _find(transaction: Transaction, shape: bytes, finest: Sequence[str]) -> dict[str, int]:
    return dict(transaction.rows(_FIND_CELLS, {"wanted": transaction.keys(finest), "shape": shape}))


class SqlCrowds:
    """See `node.operations.ports.Crowds`. Cells get their numbers in the order of commits, for writers take turns."""

    __slots__ = ("_transaction",)

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def newest(self) -> int:
        ((number,),) = self._transaction.rows(_NEWEST)
        return int(number)

    def ladders(self, digests: Sequence[bytes]) -> dict[bytes, LadderRow]:
        found = self._transaction.rows(_LADDERS, {"wanted": self._transaction.keys(digests)})
        return {bytes(digest): LadderRow(number=number, through=through) for digest, number, through in found}

    def untaken(self, shape: bytes, after: int, limit: int) -> tuple[list[tuple[int, str]], int]:
        found = self._transaction.rows(_UNTAKEN, {"shape": shape, "after": after, "limit": limit})
        return [(number, finest) for number, finest in found if finest is not None], found[-1][0] if found else after

    def take_in(self, digest: bytes, keys: Sequence[tuple[str, int]], through: int) -> None:
        self._transaction.run(_DONE_THROUGH, {"digest": digest, "through": through})
        ((number,),) = self._transaction.rows(_NUMBER, {"digest": digest})
        # In the order of the table, so that a large batch touches each of its pages once.
        rows = [(number, key, cell) for key, cell in sorted(keys)]
        self._transaction.insert(_TAKE_IN, rows)
        if len(rows) >= _MANY:
            self._transaction.learn("crowds")

    def crowded(self, ladder_no: int, prefixes: Sequence[str], least: int) -> frozenset[str]:
        values = {"ladder_no": ladder_no, "least": least}
        looks = self._look(_FIRST_LOOK, prefixes, values | {"some": _TIMES * least})
        still_open = [prefix for prefix, verdict in looks.items() if verdict == "open"]
        if still_open:
            looks |= self._look(_WHOLE_LOOK, still_open, values)
        return frozenset(prefix for prefix, verdict in looks.items() if verdict == "enough")

    def _look(self, text: str, prefixes: Sequence[str], values: Mapping[str, object]) -> dict[str, str]:
        wanted = self._transaction.pairs([(prefix, prefix.removesuffix(END) + BEHIND) for prefix in prefixes])
        return dict(self._transaction.rows(text, {**values, "wanted": wanted}))
