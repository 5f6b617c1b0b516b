"""A large file through the program itself: `python -m bench.large [ROWS] [sqlite|postgresql]`.

`creditport records import` runs on one core, as a user would have it run; a million rows if nothing else is said. For
each tenth of the file its rate is told by the clock and by its own processor time, which other work on the machine
disturbs less, by looking into the database from outside; at the end also its largest memory as the system counted it.
"""

import csv
import os
import resource
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Callable
from contextlib import closing
from datetime import date
from itertools import pairwise
from pathlib import Path
from time import perf_counter, sleep

import psycopg

from bench.databases import Place, places
from deploy.demo.network import Member, free_port
from node.domain.sample import sample_enterprises

ROWS = 1_000_000
TODAY = date(2026, 11, 23)
_STORED = "SELECT value FROM counters WHERE name = 'subjects'"
_LOOK_EVERY = 0.1


def write_file(path: Path, rows: int) -> None:
    """A CSV file of so many invented registrations."""
    made = sample_enterprises(7, rows, TODAY)
    with path.open("w", encoding="utf-8", newline="") as file:
        first = next(iter(made))
        writer = csv.DictWriter(file, list(first))
        writer.writeheader()
        writer.writerow(first)
        writer.writerows(made)


def found(place: Place, folder: Path) -> tuple[Member, Callable[[], int]]:
    """A node that is an authority, since an authority has a law in force at once; and how many rows it has stored."""
    node, url = Member("sz-authority", folder / "node", free_port(), "bench"), place.url()
    words = [
        "init", "--party", node.party, "--class", "CREDIT_DEPT", "--jurisdiction", "CN-SZ",
        "--name-zh", "甲", "--name-en", "A", "--listen", f"127.0.0.1:{node.port}",
    ]  # fmt: skip
    node.run(*words, *(("--database", url) if place.store == "postgresql" else ()))
    node.run("operator", "add", node.operator, "--role", "records")

    def stored() -> int:
        if place.store == "postgresql":
            with psycopg.connect(url) as served:
                rows = served.execute(_STORED.encode()).fetchall()
        else:
            with closing(sqlite3.connect(f"file:{node.folder / 'node.sqlite'}?mode=ro", uri=True)) as file:
                rows = file.execute(_STORED).fetchall()
        return int(rows[0][0])

    return node, stored


def processor_seconds(process: int) -> float:
    """What a running process, and nobody else, has had of the processor."""
    after_name = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(after_name[11]) + int(after_name[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Tell the rate of each tenth, the whole, and the largest memory."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else ROWS
    store = sys.argv[2] if sys.argv[2:] else "sqlite"
    with tempfile.TemporaryDirectory() as name, places(Path(name), [store]) as (place,):
        file = Path(name) / "registrations.csv"
        write_file(file, rows)
        node, stored = found(place, Path(name))
        one_core = [shutil.which("taskset") or "taskset", "-c", str(max(os.sched_getaffinity(0)))]
        began, seen = perf_counter(), [(0.0, 0.0, 0)]
        running = node.begin(
            "records", "import", str(file), "--kind", "101", "--source", "SZ-CREDIT", "--json", before=one_core
        )
        while running.poll() is None:
            used = processor_seconds(running.pid)
            count = stored()
            if count >= seen[-1][2] + rows / 10:
                seen.append((perf_counter() - began, used, count))
            sleep(_LOOK_EVERY)
        took = perf_counter() - began
        running.communicate()
        assert running.returncode == 0
    for (start, used_before, before), (end, used_after, after) in pairwise(seen):
        new = after - before
        print(
            f"to {after:>10,}  {new / (end - start):>9,.0f} a second {new / (used_after - used_before):>9,.0f} of CPU"
        )
    largest = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"all {rows:>9,}  {rows / took:>9,.0f} a second {rows / used:>9,.0f} of CPU; {largest:,.0f} MiB at most")


if __name__ == "__main__":
    main()
