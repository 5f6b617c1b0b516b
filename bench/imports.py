"""Importing: from the bytes of a CSV file to stored records, beside storing the same text without looking at it."""

import csv
import io
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from itertools import chain
from time import perf_counter, process_time
from typing import Any, NamedTuple
from unittest.mock import patch

from bench.databases import Bare
from bench.records import intake
from bench.results import Effort, Row, rate, row
from bench.workshop import Workshop
from node.app.opening import utc_now
from node.domain.context import Context
from node.domain.dates import shanghai_day
from node.domain.mapping import Mapping, standard_mapping
from node.domain.operators import SignedAct
from node.domain.records import Kind
from node.domain.rows import BadRow, Format, Sheet, read_sheets
from node.domain.rows import Row as FileRow
from node.domain.sample import sample_enterprises
from node.operations import import_records
from node.operations.import_records import BATCH, Import, import_rows
from node.operations.meanwhile import Acting
from node.storage.store import SqlStore
from node.storage.transaction import Transaction
from registry.norms.law import shipped_law


def measure_imports(workshop: Workshop, effort: Effort) -> list[Row]:
    """Rows a second, the processor time of a row, and which share of an import each of its stages has."""
    store, raw = workshop.place.store, _file(effort.rows)
    importing = _importing(workshop, raw, effort.rows)
    importing()
    ours, ceilings = zip(*(importing() for _ in range(effort.rounds)), strict=True)
    whole = [row("import_rows", store, "rows/s", [one.rate for one in ours], [one.rate for one in ceilings])]
    if store == "sqlite":  # PostgreSQL works in processes of its own
        whole += [row("import_rows cpu", store, "us/row", [one.cpu for one in ours], [one.cpu for one in ceilings])]
    with workshop.store() as opened, staged() as spent:
        began = perf_counter()
        _import(raw, opened, workshop.context)
        took = perf_counter() - began
    spent["the rest"] = took - sum(spent.values())
    stages = [(name, seconds / effort.rows * 1e6) for name, seconds in spent.items()]
    each = took / effort.rows * 1e6
    return [*whole, *(row(f"import_rows: {name}", store, "us/row", [took], [each]) for name, took in stages)]


@contextmanager
def staged() -> Iterator[dict[str, float]]:
    """Seconds that imports spend in each stage behind one another; taking the time makes it a little longer."""
    spent: dict[str, float] = {}
    reading = read_sheets

    def timed(stage: str, act: Callable[..., Any]) -> Callable[..., Any]:
        spent.setdefault(stage, 0.0)

        def taking_time(*facts: Any, **named: Any) -> Any:
            began = perf_counter()
            try:
                return act(*facts, **named)
            finally:
                spent[stage] += perf_counter() - began

        return taking_time

    def decoding(*facts: Any, **named: Any) -> Iterator[Sheet | FileRow | BadRow]:
        step = timed("decode", partial(next, reading(*facts, **named), None))
        while (one := step()) is not None:
            yield one

    spent["decode"] = 0.0
    places = [
        ("map", Mapping, "apply_all"), ("admit", import_records, "admit_all"),
        ("encode", import_records, "rows_from_lot"),
        *(("look up", Transaction, name) for name in ("rows", "keys", "owned")),
        *(("insert", Transaction, name) for name in ("insert", "insert_columns", "run_many", "run")),
        ("commit", Transaction, "commit"),
    ]  # fmt: skip
    with ExitStack() as stack:
        stack.enter_context(patch.object(sys.modules[__name__], "read_sheets", decoding))
        stack.enter_context(patch.object(import_records, "meanwhile", _before))
        for stage, where, name in places:
            stack.enter_context(patch.object(where, name, timed(stage, getattr(where, name))))
        yield spent


@contextmanager
def _before(act: Callable[[], None]) -> Iterator[Acting]:
    """In place of `meanwhile`: one after the other, so that each stage has its own time."""
    acting = Acting(act)
    acting.run()
    yield acting


def _file(count: int) -> bytes:
    rows = list(sample_enterprises(7, count, shanghai_day(utc_now())))
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


class _Turn(NamedTuple):
    """What one file took: rows a second by the clock, and microseconds of this process's processor time for each."""

    rate: float
    cpu: float


def _turn(count: int, act: Callable[[], object]) -> _Turn:
    before = process_time()
    by_clock = rate(count, act)
    return _Turn(by_clock, (process_time() - before) / count * 1e6)


def _importing(workshop: Workshop, raw: bytes, count: int) -> Callable[[], tuple[_Turn, _Turn]]:
    def once() -> tuple[_Turn, _Turn]:
        with workshop.store() as store, workshop.bare() as database:
            ours = _turn(count, lambda: _import(raw, store, workshop.context))
            return ours, _turn(count, lambda: _copy(raw, database))

    return once


def _import(raw: bytes, store: SqlStore, context: Context) -> None:
    mapping = standard_mapping(Kind.REGISTRATION)
    sheets = (one for one in read_sheets(io.BytesIO(raw), Format.CSV) if isinstance(one, Sheet))
    rows = chain.from_iterable((one,) if isinstance(one, Sheet) else one for one in map(mapping.apply_all, sheets))
    for progress in import_rows(rows, ordered(), store, context):
        assert not progress.rejects


def ordered() -> Import:
    """An import on somebody's order."""
    order = SignedAct(operator="bench", digest=bytes(32), raw=b"")
    law = shipped_law()
    return Import(intake=intake(), order=order, law=law)


def _copy(raw: bytes, database: Bare) -> None:
    database.create("rows", {"subject": "text", "content": "text"}, ["subject"])
    batch = [(str(number), ",".join(values)) for number, values in enumerate(csv.reader(io.StringIO(raw.decode())))]
    for start in range(0, len(batch), BATCH):
        database.begin()
        database.insert("rows", ["subject", "content"], batch[start : start + BATCH])
        database.commit()
