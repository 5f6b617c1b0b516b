"""The ports Cells and Crowds."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from node.domain.crowd import Cell
from node.operations.rendition_rows import LadderRow
from tests.fakes.memory.state import Part, page_of


class MemoryCells(Part):
    def put(self, cells: Mapping[int, Cell | None]) -> None:
        state = self._changing
        for record_no, cell in cells.items():
            cell_no, record = state.number_cell(cell), state.records[record_no]
            if record.is_current:
                state.records[record_no] = replace(record, cell_no=cell_no)

    def shapes(self) -> dict[str, bytes]:
        return dict(self._seen.shapes)

    def put_shapes(self, shapes: Mapping[str, bytes | None]) -> None:
        known = self._changing.shapes
        for kind, shape in shapes.items():
            if shape is None:
                known.pop(kind, None)
            else:
                known[kind] = shape


class MemoryCrowds(Part):
    def newest(self) -> int:
        return len(self._seen.cells)

    def ladders(self, digests: Sequence[bytes]) -> dict[bytes, LadderRow]:
        return {one: self._seen.ladders[one] for one in digests if one in self._seen.ladders}

    def untaken(self, shape: bytes, after: int, limit: int) -> tuple[list[tuple[int, str]], int]:
        page = page_of(self._seen.cells, after, limit)
        return [(number, cell.finest) for number, cell in page if cell.shape == shape], after + len(page)

    def take_in(self, digest: bytes, keys: Sequence[tuple[str, int]], through: int) -> None:
        state = self._changing
        known = state.ladders.get(digest, LadderRow(number=len(state.ladders) + 1, through=through))
        state.ladders[digest] = LadderRow(number=known.number, through=max(known.through, through))
        state.crowds.update((known.number, key, cell) for key, cell in keys)

    def crowded(self, ladder_no: int, prefixes: Sequence[str], least: int) -> frozenset[str]:
        return frozenset(prefix for prefix in prefixes if len(self._subjects(ladder_no, prefix)) >= least)

    def _subjects(self, ladder_no: int, prefix: str) -> set[int]:
        alike = {cell for number, key, cell in self._seen.crowds if number == ladder_no and key.startswith(prefix)}
        return {one.row.subject_no for one in self._seen.records.values() if one.cell_no in alike}
