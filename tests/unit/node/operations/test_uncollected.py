"""Bulk work without the search for cycles."""

import gc

import pytest

from node.operations.uncollected import uncollected


def fails() -> None:
    with uncollected():
        with uncollected():
            assert not gc.isenabled()
        assert not gc.isenabled()
        raise LookupError


def test_nobody_searches_for_cycles_until_the_work_is_done_however_it_ends() -> None:
    assert gc.isenabled()
    with pytest.raises(LookupError):
        fails()

    assert gc.isenabled()
