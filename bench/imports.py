"""Importing: from the bytes of a CSV file to stored records, beside storing the same text without looking at it."""

import csv
import io
from collections.abc import Callable, Iterator

from bench.databases import Bare
from bench.records import intake
from bench.results import Effort, Row, rate
from bench.workshop import Pair, Workshop, measured
from node.app.opening import utc_now
from node.domain.context import Context
from node.domain.dates import shanghai_day
from node.domain.mapping import standard_mapping
from node.domain.operators import SignedAct
from node.domain.records import Kind
from node.domain.rows import BadRow, Format, read_rows
from node.domain.rows import Row as FileRow
from node.domain.sample import sample_enterprises
from node.operations.import_records import BATCH, Import, import_rows
from node.storage.store import SqlStore
from registry.norms.law import shipped_law


def measure_imports(workshop: Workshop, effort: Effort) -> list[Row]:
    """Rows a second."""
    store = workshop.place.store
    return [measured("import_rows", store, "rows/s", effort, _importing(workshop, effort.rows))]


def _importing(workshop: Workshop, count: int) -> Callable[[], Pair]:
    rows = list(sample_enterprises(7, count, shanghai_day(utc_now())))
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    raw = text.getvalue().encode()

    def once() -> Pair:
        with workshop.store() as store, workshop.bare() as database:
            return rate(count, lambda: _import(raw, store, workshop.context)), rate(count, lambda: _copy(raw, database))

    return once


def _import(raw: bytes, store: SqlStore, context: Context) -> None:
    mapping = standard_mapping(Kind.REGISTRATION)
    read = read_rows(io.BytesIO(raw), Format.CSV)
    rows: Iterator[FileRow | BadRow] = (mapping.apply(one) if isinstance(one, FileRow) else one for one in read)
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
