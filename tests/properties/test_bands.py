"""Laws of bands: every amount from 0 lies in one band, and in no other; a larger amount never lies in a lower one."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.norms.code_lists import BandTable, BandTableName, load_band_table, read_band_table

AMOUNTS = st.integers(0, 10**18)
FLOORS = st.sets(st.integers(1, 10**15), max_size=12).map(lambda floors: (0, *sorted(floors)))


def holding(table: BandTable, amount: int) -> list[str]:
    """The bands in which an amount lies, by what a band is: from its floor up to the next one."""
    ends = (*table.floors[1:], None)
    spans = zip(table.codes, table.floors, ends, strict=True)
    return [code for code, floor, end in spans if floor <= amount and (end is None or amount < end)]


def table_of(floors: tuple[int, ...]) -> BandTable:
    bands = ", ".join(f'{{ code = "B{place}", floor = {floor} }}' for place, floor in enumerate(floors))
    return read_band_table(f'id = "X"\nversion = 1\nunit = "CNY"\nsource = "s"\nbands = [{bands}]\n')


@given(FLOORS, AMOUNTS)
def test_every_amount_lies_in_exactly_one_band_of_any_table(floors: tuple[int, ...], amount: int) -> None:
    table = table_of(floors)

    assert holding(table, amount) == [table.code_of(amount)]


@given(FLOORS, AMOUNTS, AMOUNTS)
def test_a_larger_amount_never_lies_in_a_lower_band(floors: tuple[int, ...], one: int, other: int) -> None:
    table = table_of(floors)
    lower, higher = (table.codes.index(table.code_of(amount)) for amount in sorted((one, other)))

    assert lower <= higher


@pytest.mark.parametrize("name", BandTableName)
def test_shipped_bands_meet_without_a_gap_and_without_sharing_an_amount(name: BandTableName) -> None:
    table = load_band_table(name)
    edges = [edge for floor in table.floors[1:] for edge in (floor - 1, floor)]

    assert [holding(table, edge) for edge in (0, *edges)] == [[table.code_of(edge)] for edge in (0, *edges)]
    assert [table.codes.index(table.code_of(floor)) for floor in table.floors] == [*range(len(table.codes))]
    assert all(below < above for below, above in pairwise(table.floors))
