"""Authorisations from worker processes are opened as they are here, and no worker's end is noticed."""

import multiprocessing
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from agreements.authorisation_pool import FEW, AuthorisationPool, Presented, open_all
from agreements.refusal import Refused
from tests.fakes.orphans import ended_with_parent
from tests.unit.agreements.world import BANK_KEYS, RULES, authorised

GOOD = authorised().raw
PRESENTED = [
    Presented((GOOD, b"", GOOD[:-1], b"{}", b" " * 5000), BANK_KEYS),
    Presented((), BANK_KEYS),
    Presented((GOOD,) * FEW, {}),
    Presented((GOOD,), BANK_KEYS),
]
PACK = RULES.reference


@pytest.fixture(scope="module", params=[0, 1, 2], ids=["inline", "one worker", "two workers"])
def pool(request: pytest.FixtureRequest) -> Iterator[AuthorisationPool]:
    made = AuthorisationPool(request.param)
    yield made
    made.close()


def test_every_opening_is_the_same_as_here(pool: AuthorisationPool) -> None:
    assert pool.open(PRESENTED, PACK) == open_all(PRESENTED, PACK)


def test_few_are_opened_here(pool: AuthorisationPool) -> None:
    few = [Presented((GOOD,), BANK_KEYS)]

    assert pool.open(few, PACK) == open_all(few, PACK)


def test_a_signature_by_a_stranger_is_refused_by_a_worker_too(pool: AuthorisationPool) -> None:
    opened = pool.open(PRESENTED, PACK)[2]

    assert {one.reason.value for one in opened if isinstance(one, Refused)} == {"SIGNATURE_INVALID"}
    assert len(opened) == FEW


def test_a_worker_that_was_killed_is_replaced() -> None:
    before = set(multiprocessing.active_children())
    pool = AuthorisationPool(1)
    (worker,) = set(multiprocessing.active_children()) - before
    assert worker.pid is not None
    os.kill(worker.pid, signal.SIGKILL)
    worker.join()

    assert [pool.open(PRESENTED, PACK) for _ in range(2)] == [open_all(PRESENTED, PACK)] * 2

    pool.close()
    pool.close()
    assert set(multiprocessing.active_children()) <= before
    assert pool.open(PRESENTED, PACK) == open_all(PRESENTED, PACK)


def test_workers_end_when_the_process_that_made_them_is_killed(tmp_path: Path) -> None:
    assert ended_with_parent(AuthorisationPool, "2", tmp_path) == [True, True]
