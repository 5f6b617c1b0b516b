"""A process that is killed in the middle of a unit leaves the state before it; after it, the state after."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from node.operations.ports import Store
from node.storage.engine import open_store
from tests.contracts.examples import NOON, entry, job, record

_PROGRAM = """
import sys
from node.storage.engine import open_store
from tests.contracts.examples import NOON, entry, job, record

store = open_store(sys.argv[1])
with store.write() as work:
    work.generation.move()
    work.records.add([record(f"r{place}", content="x" * 5_000) for place in range(5_000)], NOON)
    work.journal.add([entry("entry")])
    work.outbox.add(job("job"), NOON)
    if sys.argv[2] == "after":
        work.commit()
    print("now", flush=True)
    sys.stdin.read()
"""


def _kill(url: str, moment: str) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", _PROGRAM, url, moment],
        cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with process:
        assert process.stdout is not None
        said = process.stdout.readline()
        process.kill()
    assert (said, process.returncode) == (b"now\n", -signal.SIGKILL)


def _state(store: Store) -> tuple[int, int, int, int]:
    with store.read() as work:
        return (
            work.generation.read(),
            work.records.count().get("101", 0),
            len(work.journal.unsequenced(10)),
            len(work.outbox.due(NOON, 10)),
        )


@pytest.mark.parametrize(("moment", "expected"), [("before", (1, 1, 1, 1)), ("after", (2, 5_001, 2, 2))])
def test_a_killed_process_leaves_a_unit_wholly_or_not_at_all(url: str, moment: str, expected: tuple[int, ...]) -> None:
    store = open_store(url)
    with store.write() as work:
        work.generation.move()
        work.records.add([record("earlier")], NOON)
        work.journal.add([entry("earlier")])
        work.outbox.add(job("earlier"), NOON)
        work.commit()
    store.close()

    _kill(url, moment)

    store = open_store(url)
    assert _state(store) == expected
    with store.write() as work:
        work.generation.move()
        work.commit()
    store.close()
