"""Where the time of an import goes before storage: `python -m bench.reading [KIND]`, one core, rows a second by stage.

Each portion of rows is timed by itself many times and its fastest time counts, so that a busy machine hardly disturbs
the result.
"""

import csv
import gc
import io
import sys
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from time import perf_counter_ns
from typing import TypeVar

from agreements.refusal import Refused
from bench.records import HOME
from node.domain.intake import Intake, open_intake
from node.domain.mapping import standard_mapping
from node.domain.portion import admit_all
from node.domain.records import Kind
from node.domain.rows import Format, Sheet, read_sheets
from node.domain.sample import sample_enterprises
from node.domain.sample_records import sample_records
from node.operations.stored_records import Envelopes, rows_from_lot
from registry.norms.law import shipped_law

T = TypeVar("T")
TODAY = date(2026, 11, 23)
ROWS, TURNS = 1_000, 40


def stages(kind: Kind) -> dict[str, float]:
    """Microseconds a row takes in each stage, once the texts that repeat have been met."""
    rows = _sample(kind)
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    raw = text.getvalue().encode()
    by, mapping = _intake(kind), standard_mapping(kind)
    decoded = [one for one in read_sheets(io.BytesIO(raw), Format.CSV) if isinstance(one, Sheet)]
    portions = [one for one in map(mapping.apply_all, decoded) if isinstance(one, Sheet)]
    lots, envelopes = [admit_all(portion, by).lot for portion in portions], Envelopes(by.shared)
    assert sum(len(lot.rows) for lot in lots) == ROWS
    return {
        "decode": _fastest_steps(lambda: read_sheets(io.BytesIO(raw), Format.CSV)),
        "map": _fastest(mapping.apply_all, decoded),
        "admit": _fastest(lambda sheet: admit_all(sheet, by), portions),
        "encode": _fastest(lambda lot: rows_from_lot(lot, kind, envelopes), lots),
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


def _fastest(act: Callable[[T], object], portions: Sequence[T]) -> float:
    best = [sys.maxsize] * len(portions)
    for _ in range(TURNS):
        for place, portion in enumerate(portions):
            began = perf_counter_ns()
            act(portion)
            best[place] = min(best[place], perf_counter_ns() - began)
    return sum(best) / ROWS / 1_000


def _fastest_steps(begin: Callable[[], Iterable[object]]) -> float:
    best = dict[int, int]()
    for _ in range(TURNS):
        steps, place = iter(begin()), 0
        while True:
            began = perf_counter_ns()
            if next(steps, None) is None:
                break
            best[place] = min(best.get(place, sys.maxsize), perf_counter_ns() - began)
            place += 1
    return sum(best.values()) / ROWS / 1_000


def main() -> None:
    """Tell the stages of one kind, registrations unless another is named."""
    gc.disable()
    found = stages(Kind(sys.argv[1]) if len(sys.argv) > 1 else Kind.REGISTRATION)
    for name, took in [*found.items(), ("together", sum(found.values()))]:
        print(f"{name:10}{took:8.2f} us {1e6 / took:12,.0f} rows/s")


if __name__ == "__main__":
    main()
