"""How tests are shared out among processes: file by file, and the scenarios of one network to the same one.

What takes longest begins first, so that no process is left alone with it in the end. No property fails because a
machine is slow: neither for an example that takes long nor for one that is long in making. What tests write lies in
memory where there is room: they kill processes and no machines.
"""

import os
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from tests.thorough import THOROUGH

IN_MEMORY = Path("/dev/shm")  # noqa: S108 - pytest makes a folder of its own in it
ROOM = 4 << 30
"""Bytes; a whole run needs less than half of it."""

SCENARIOS = "tests/scenarios/"
LONG = (
    "tests/scenarios/test_shared.py", "tests/scenarios/test_readme.py", SCENARIOS,
    "tests/crash/test_killed_on_postgresql.py", "tests/simulation/test_race.py",
    "tests/simulation/test_evidence_histories.py", "tests/crash/", "tests/simulation/test_propagation.py",
    "tests/simulation/",
)  # fmt: skip
"""Where the long tests are, the longest first; scenarios with a network of their own wait for no others."""


def _in_memory() -> bool:
    if "TMPDIR" in os.environ or not os.access(IN_MEMORY, os.W_OK):
        return False
    free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return min(free, shutil.disk_usage(IN_MEMORY).free) > ROOM


if _in_memory():
    # Also for the processes that share the run, and for programs that tests start.
    os.environ["TMPDIR"] = tempfile.tempdir = str(IN_MEMORY)

settings.register_profile(
    "creditport", deadline=None, max_examples=200 if THOROUGH else 50, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("creditport")


def _place(nodeid: str) -> int:
    return next((place for place, start in enumerate(LONG) if nodeid.startswith(start)), len(LONG))


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest; files of one kind stay in the order that chance gave them."""
    items.sort(key=lambda item: _place(item.nodeid))


class ByFile(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    """Gives a whole file to one process, and all scenarios that share a network to the same one."""

    def _split_scope(self, nodeid: str) -> str:
        place = _place(nodeid)
        return SCENARIOS if LONG[place:] and LONG[place] == SCENARIOS else nodeid.partition("::")[0]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByFile | None:
    """Only for plain `-n`; another `--dist` is left to xdist."""
    if config.getoption("dist") != "load":
        return None
    config.option.loadscopereorder = False
    return ByFile(config, log)
