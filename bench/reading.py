"""Where the time of an import goes before storage: `python -m bench.reading [KIND]`, one core, rows a second by stage.

Each row, or each portion where rows are taken together, is timed by itself many times and its fastest time counts, so
that a busy machine hardly disturbs the result.
"""

import csv
import gc
import io
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from time import perf_counter_ns
from typing import TypeVar

from agreements.refusal import Refused
from bench.records import HOME
from node.domain.intake import Intake, open_intake
from node.domain.mapping import standard_mapping
from node.domain.portion import Ready, admit_all
from node.domain.records import Kind
from node.domain.rows import Format, Row, read_rows
from node.domain.sample import sample_enterprises
from node.domain.sample_records import sample_records
from node.operations.stored_records import Envelopes, rows_from_ready
from registry.norms.law import shipped_law

T = TypeVar("T")
TODAY = date(2026, 11, 23)
ROWS, PORTION, TURNS = 1_000, 250, 40


def stages(kind: Kind) -> dict[str, float]:
    """Microseconds a row takes in each stage, once the texts that repeat have been met."""
    rows = _sample(kind)
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    raw = text.getvalue().encode()
    by, mapping = _intake(kind), standard_mapping(kind)
    decoded = [row for row in read_rows(io.BytesIO(raw), Format.CSV) if isinstance(row, Row)]
    mapped = [row for row in map(mapping.apply, decoded) if isinstance(row, Row)]
    portions, envelopes = [mapped[start : start + PORTION] for start in range(0, ROWS, PORTION)], Envelopes(by.shared)
    ready = [[one for one in admit_all(portion, by) if isinstance(one, Ready)] for portion in portions]
    assert sum(map(len, ready)) == ROWS
    return {
        "decode": _fastest_steps(lambda: read_rows(io.BytesIO(raw), Format.CSV)),
        "map": _fastest(mapping.apply, decoded),
        "admit": _fastest(lambda rows: admit_all(rows, by), portions) / PORTION,
        "encode": _fastest(lambda portion: rows_from_ready(portion, kind, envelopes), ready) / PORTION,
    }


def _sample(kind: Kind) -> list[dict[str, str]]:
    enterprises = list(sample_enterprises(7, ROWS, TODAY))
    return enterprises if kind is Kind.REGISTRATION else list(sample_records(kind, 7, enterprises, ROWS, TODAY))


def _intake(kind: Kind) -> Intake:
    opened = open_intake(
        kind, shipped_law(), provider=HOME, source_system="bench", today=TODAY
    )  # fmt: skip
    assert not isinstance(opened, Refused), opened
    return opened


def _fastest(act: Callable[[T], object], items: Sequence[T]) -> float:
    best = [sys.maxsize] * len(items)
    for _ in range(TURNS):
        for place, item in enumerate(items):
            began = perf_counter_ns()
            act(item)
            best[place] = min(best[place], perf_counter_ns() - began)
    return sum(best) / len(best) / 1_000


def _fastest_steps(begin: Callable[[], Iterable[object]]) -> float:
    best = [sys.maxsize] * ROWS
    for _ in range(TURNS):
        steps: Iterator[object] = iter(begin())
        for place in range(ROWS):
            began = perf_counter_ns()
            next(steps)
            best[place] = min(best[place], perf_counter_ns() - began)
    return sum(best) / len(best) / 1_000


def main() -> None:
    """Tell the stages of one kind, registrations unless another is named."""
    gc.disable()
    found = stages(Kind(sys.argv[1]) if len(sys.argv) > 1 else Kind.REGISTRATION)
    for name, took in [*found.items(), ("together", sum(found.values()))]:
        print(f"{name:10}{took:8.2f} us {1e6 / took:12,.0f} rows/s")


if __name__ == "__main__":
    main()
