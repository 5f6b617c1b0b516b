"""Measure everything in one run: `python -m bench`, or a first impression with `python -m bench --quick`."""

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from time import perf_counter

from rich.console import Console

from bench.databases import STORES, Place, places
from bench.evidence import measure_evidence
from bench.growth import measure_growth
from bench.imports import measure_imports
from bench.journal import measure_journal
from bench.network import Network, founded
from bench.notices import measure_notices
from bench.pseudonyms import measure_pseudonyms
from bench.pushes import Pusher, measure_pushes
from bench.queries import measure_queries
from bench.records import Supply
from bench.results import LATEST, QUICK, STANDARD, Effort, Row, show, write
from bench.withheld import measure_withheld
from bench.workshop import Workshop

ALONE = ("imports", "journal", "pseudonyms")
TOGETHER = ("queries", "withheld", "evidence", "pushes", "notices", "growth")


class Bench:
    """One run: what is measured, how much of it, and the terminal that is told how far it is."""

    def __init__(self, effort: Effort, only: Sequence[str], console: Console) -> None:
        self._effort = effort
        self._only = only
        self._console = console
        self._began = perf_counter()

    def measure(self, place: Place) -> Iterator[Row]:
        """Measure what is wanted on one kind of database."""
        workshop, effort = Workshop.of(place), self._effort
        if self._begins("imports", place):
            yield from measure_imports(workshop, effort)
        if self._begins("journal", place):
            yield from measure_journal(workshop, effort)
        if place.store == "sqlite" and self._begins("pseudonyms", place):
            yield from measure_pseudonyms(workshop, effort)
        if set(self._only) & set(TOGETHER):
            self._tell(place, "four nodes agree")
            with founded(place) as network:
                yield from self._exchange(network)

    def _exchange(self, network: Network) -> Iterator[Row]:
        place, effort = network.place, self._effort
        if self._begins("queries", place):
            yield from measure_queries(network, effort)
        if self._begins("withheld", place):
            yield from measure_withheld(network, effort)
        if self._begins("evidence", place):
            yield from measure_evidence(network, effort)
        if self._begins("growth", place):
            yield from measure_growth(network, effort)
        if {"pushes", "notices"} & set(self._only):
            yield from self._propagation(network)

    def _propagation(self, network: Network) -> Iterator[Row]:
        network.bank.serve()
        with network.keys(network.home) as home:
            pusher = Pusher.of(network, home, Supply())
            if self._begins("pushes", network.place):
                yield from measure_pushes(network, pusher, self._effort)
            if self._begins("notices", network.place):
                pusher.load(self._effort.noticed)
                pusher.push()
                yield from measure_notices(network, pusher, self._effort)
        network.bank.stop()

    def _begins(self, name: str, place: Place) -> bool:
        if name in self._only:
            self._tell(place, name)
        return name in self._only

    def _tell(self, place: Place, what: str) -> None:
        minutes, seconds = divmod(int(perf_counter() - self._began), 60)
        self._console.print(f"[dim]{minutes:2}:{seconds:02}[/]  {place.store}: {what} ...")


def main() -> None:
    """Run every benchmark, show the table, and write bench/latest.json."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure Creditport beside its ceilings.")
    parser.add_argument("--quick", action="store_true", help="fewer rounds of fewer items: a first impression")
    parser.add_argument("--only", nargs="+", choices=(*ALONE, *TOGETHER), help="measure only these; nothing is written")
    parser.add_argument("--store", nargs="+", choices=STORES, default=STORES, help="on these databases")
    options = parser.parse_args()
    effort, console = QUICK if options.quick else STANDARD, Console(highlight=False)
    bench = Bench(effort, options.only or (*ALONE, *TOGETHER), console)
    rows: list[Row] = []
    try:
        with tempfile.TemporaryDirectory(prefix="creditport-bench-") as name, places(Path(name), options.store) as made:
            for place in made:
                for row in bench.measure(place):
                    rows.append(row)
                    console.print(f"[dim]       {row.name}: {row.ratio:.2f}[/]")
    finally:
        # What was measured before something ended the run is worth seeing.
        show(rows, console)
    console.print(f"\n[dim]medians of {effort.rounds} rounds, ours and ceiling in turns[/]")
    if options.only is None and tuple(options.store) == STORES:
        write(rows)
        console.print(f"[dim]written to {LATEST}[/]")


if __name__ == "__main__":
    main()
