"""Measure everything in one run: `python -m bench`, or `python -m bench --quick`."""

import argparse
import tempfile
from pathlib import Path

from rich.console import Console

from bench.exchange import measure_exchange
from bench.local import measure_local
from bench.network import founded
from bench.results import LATEST, QUICK, STANDARD, Row, show, write


def main() -> None:
    """Run every benchmark, show the table, and write bench/latest.json."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure Creditport beside its ceilings.")
    parser.add_argument("--quick", action="store_true", help="fewer rounds of fewer items: a first impression")
    parser.add_argument("--only", choices=["exchange", "local"], help="measure only these")
    options = parser.parse_args()
    effort, console = QUICK if options.quick else STANDARD, Console(highlight=False)
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="creditport-bench-") as name:
        folder = Path(name)
        if options.only != "exchange":
            with console.status("what a node does by itself ..."):
                rows += measure_local(effort, folder)
        if options.only != "local":
            with console.status("four nodes agree ..."), founded(folder) as network:
                rows += measure_exchange(network, effort, folder)
    show(rows, console)
    write(rows)
    console.print(f"\n[dim]medians of {effort.rounds} rounds, ours and ceiling in turns; written to {LATEST}[/]")


if __name__ == "__main__":
    main()
