"""What a benchmark says: rows of our number beside its ceiling, both from the same run, and their ratio.

A machine's speed drifts by a factor of two between runs, so that only the ratio can be compared. Ours and the ceiling
take turns, round by round; the ratio is the median of the rounds' ratios.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from time import perf_counter

from rich.console import Console
from rich.table import Table

LATEST = Path(__file__).parent / "latest.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One measurement. `ratio` is ours by ceiling; below 1 means slower where `unit` is a rate."""

    name: str
    store: str
    ours: float
    ceiling: float
    ratio: float
    unit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """How much is measured: rounds, and items in one round of each kind of work."""

    rounds: int
    queries: int
    batches: int
    rows: int
    entries: int
    elements: int
    subjects: int
    pushed: int
    singles: int
    noticed: int
    grown: int
    guessed: int


STANDARD = Effort(
    rounds=5, queries=2_000, batches=100, rows=50_000, entries=10_000, elements=4_000, subjects=4_000, pushed=10_000,
    singles=200, noticed=5_000, grown=1_000_000,
    guessed=10_000,
)  # fmt: skip
QUICK = Effort(
    rounds=3, queries=640, batches=32, rows=10_000, entries=2_000, elements=1_000, subjects=1_000, pushed=3_000,
    singles=60, noticed=1_500, grown=100_000,
    guessed=1_000,
)  # fmt: skip


def row(name: str, store: str, unit: str, ours: Sequence[float], ceilings: Sequence[float]) -> Row:
    """The medians of both, and the median of the ratios of each round."""
    ratios = [one / ceiling for one, ceiling in zip(ours, ceilings, strict=True)]
    return Row(
        name=name, store=store, unit=unit, ours=median(ours), ceiling=median(ceilings), ratio=median(ratios)
    )  # fmt: skip


def rate(count: int, act: Callable[[], object]) -> float:
    """Do something about `count` items once, and give items a second."""
    began = perf_counter()
    act()
    return count / (perf_counter() - began)


def write(rows: Sequence[Row], path: Path = LATEST) -> None:
    """Write the rows for programs."""
    path.write_text(json.dumps([asdict(one) for one in rows], indent=2) + "\n", encoding="utf-8")


def show(rows: Sequence[Row], console: Console) -> None:
    """Show the rows to a person."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("what", "store", "ours", "ceiling", "ratio", "unit"):
        table.add_column(heading, justify="left" if heading in {"what", "store", "unit"} else "right")
    for one in rows:
        table.add_row(one.name, one.store, *_numbers(one), one.unit)
    console.print(table)


def _numbers(one: Row) -> Iterator[str]:
    for number in (one.ours, one.ceiling):
        yield f"{number:,.0f}" if number >= 100 else f"{number:.1f}" if number >= 1 else f"{number:.3f}"
    yield f"{one.ratio:.2f}"
