"""Pseudonyms from worker processes, and what becomes of the workers."""

import multiprocessing
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from crypto import pseudonym
from crypto.errors import BadKey, Malformed
from crypto.pseudonym_pool import PseudonymPool
from tests.fakes.orphans import ended_with_parent
from tests.vectors.fixed import FixedRandom

SEED = FixedRandom("pool")(32)
INPUTS = [pseudonym.subject_input("uscc", str(number)) for number in range(pseudonym.MOST_ELEMENTS + 3)]


@pytest.fixture(scope="module", params=[0, 2], ids=["inline", "two workers"])
def pool(request: pytest.FixtureRequest) -> Iterator[PseudonymPool]:
    with PseudonymPool(SEED, request.param) as made:
        yield made


def test_own_pseudonyms_come_in_order_across_chunks(pool: PseudonymPool) -> None:
    assert pool.own("agreement", 1, INPUTS) == pseudonym.own_pseudonyms(SEED, "agreement", 1, INPUTS)


def test_every_chunk_has_its_own_proof(pool: PseudonymPool) -> None:
    halves = [
        pseudonym.blind(INPUTS[: pseudonym.MOST_ELEMENTS]),
        pseudonym.blind(INPUTS[pseudonym.MOST_ELEMENTS :]),
    ]
    key = pseudonym.public_key(SEED, "agreement", 1)

    evaluations = pool.evaluate("agreement", 1, [*halves[0].blinded, *halves[1].blinded])

    found = [half.finalize(*one, key) for half, one in zip(halves, evaluations, strict=True)]
    assert found[0] + found[1] == pool.own("agreement", 1, INPUTS)


def test_a_bad_element_is_refused_and_the_pool_goes_on(pool: PseudonymPool) -> None:
    with pytest.raises(Malformed):
        pool.evaluate("agreement", 1, [bytes(32)])
    assert len(pool.own("agreement", 1, INPUTS[:1])) == 1


def test_nothing_asked_is_nothing_answered(pool: PseudonymPool) -> None:
    assert pool.evaluate("agreement", 1, []) == []
    assert pool.own("agreement", 1, []) == []


def test_the_seed_is_not_shown(pool: PseudonymPool) -> None:
    assert repr(pool) == "PseudonymPool(...)"


def test_all_workers_run_before_the_constructor_returns() -> None:
    before = {child.pid for child in multiprocessing.active_children()}
    with PseudonymPool(SEED, 2):
        assert len({child.pid for child in multiprocessing.active_children()} - before) == 2
    assert {child.pid for child in multiprocessing.active_children()} == before


def test_closing_twice_changes_nothing() -> None:
    pool = PseudonymPool(SEED, 1)
    pool.close()
    pool.close()

    with pytest.raises(RuntimeError):
        pool.own("agreement", 1, INPUTS[:1])


@pytest.mark.parametrize("workers", [0, 1])
def test_a_short_seed_starts_no_worker(workers: int) -> None:
    with pytest.raises(BadKey):
        PseudonymPool(bytes(31), workers)


def test_workers_end_when_their_parent_is_killed(tmp_path: Path) -> None:
    assert ended_with_parent(PseudonymPool, "bytes(32), 2", tmp_path) == [True, True]


def test_workers_that_were_killed_are_replaced() -> None:
    with PseudonymPool(SEED, 1) as pool:
        assert pool._executor is not None
        (worker,) = pool._executor._processes
        os.kill(worker, signal.SIGKILL)

        assert pool.own("agreement", 1, INPUTS[:1]) == pseudonym.own_pseudonyms(SEED, "agreement", 1, INPUTS[:1])
