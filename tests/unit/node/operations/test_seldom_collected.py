"""Bulk work with few searches for cycles."""

import gc

import pytest

from node.operations.seldom_collected import seldom_collected

OFTEN = gc.get_threshold()


class Ring:
    """It is in a cycle of its own, which only a search finds."""

    def __init__(self) -> None:
        self.itself = self


def fails() -> None:
    with seldom_collected():
        with seldom_collected():
            assert gc.get_threshold() > OFTEN
        assert gc.get_threshold() > OFTEN
        raise LookupError


def test_cycles_are_looked_for_as_often_as_before_when_the_work_is_over_however_it_ends() -> None:
    with pytest.raises(LookupError):
        fails()

    assert gc.get_threshold() == OFTEN


def test_the_last_of_two_that_overlap_puts_back_what_the_first_one_found() -> None:
    first, second = seldom_collected(), seldom_collected()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    still = gc.get_threshold()
    second.__exit__(None, None, None)

    assert still > OFTEN
    assert gc.get_threshold() == OFTEN


def test_where_nobody_looks_for_them_nobody_begins_to() -> None:
    gc.set_threshold(0)
    try:
        with seldom_collected():
            assert gc.get_threshold()[0] == 0
    finally:
        gc.set_threshold(*OFTEN)


def test_they_do_not_become_ever_more_while_it_goes_on() -> None:
    found: list[int] = []

    def note(phase: str, info: dict[str, int]) -> None:
        if phase == "stop":
            found.append(info["collected"])

    gc.callbacks.append(note)
    try:
        with seldom_collected():
            for _ in range(400_000):
                Ring()
    finally:
        gc.callbacks.remove(note)

    assert 0 < len(found) < len(range(0, 400_000, 10_000))
    assert sum(found) > 100_000
