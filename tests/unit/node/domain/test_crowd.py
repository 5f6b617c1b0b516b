"""Crowds: how a record's rare values become coarser, step by step, and when that is enough."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import pytest
from msgspec import structs

from node.domain.crowd import END, Ladder, cell_of, cells_of, first_crowded, ladder_of
from node.domain.records import Kind
from node.domain.vocabulary import load_vocabulary, vocabulary_of
from registry.norms.catalogue import Precision
from registry.norms.code_lists import BandTableName
from registry.norms.law import Law, shipped_law
from tests.unit.node.domain.given import penalised, registered

LAW = shipped_law()
WORDS = load_vocabulary()
FINE = {
    "established": Precision.YEAR,
    "capital_band": Precision.BAND,
    "region": Precision.CITY,
    "status_code": Precision.EXACT_CODE,
}


def told(ladder: Ladder, step: int) -> dict[str, str]:
    """What is told of the rare fields after a step, and of the end."""
    found = {name: "-" if how is None else how.value for name, how in ladder.steps[step].told.items()}
    return found | {"until": ladder.steps[step].ending.value}


def finest(**changes: str) -> str:
    admitted = registered(**changes)
    return admitted.cell.finest


def test_what_is_rare_is_first_generalised_and_then_given_up_in_the_order_of_the_catalogue() -> None:
    ladder = ladder_of("101", FINE, WORDS)

    region, established, capital = "region", "established", "capital_band"
    assert [told(ladder, step) for step in range(ladder.last + 1)] == [
        {"until": "MONTH", region: "CITY", established: "YEAR", capital: "BAND"},
        {"until": "YEAR", region: "CITY", established: "YEAR", capital: "BAND"},
        {"until": "YEAR", region: "CITY", established: "FIVE_YEARS", capital: "BAND"},
        {"until": "YEAR", region: "PROVINCE", established: "FIVE_YEARS", capital: "BAND"},
        {"until": "YEAR", region: "PROVINCE", established: "-", capital: "BAND"},
        {"until": "YEAR", region: "PROVINCE", established: "-", capital: "-"},
        {"until": "YEAR", region: "-", established: "-", capital: "-"},
    ]


def test_what_is_not_rare_is_told_as_it_is_granted_after_every_step() -> None:
    ladder = ladder_of("101", FINE, WORDS)

    assert [step.of(FINE)["status_code"] for step in ladder.steps] == [Precision.EXACT_CODE] * len(ladder.steps)


def test_a_coarser_grant_begins_further_down() -> None:
    ladder = ladder_of("101", {"region": Precision.PROVINCE}, WORDS)

    assert [told(ladder, step) for step in range(3)] == [
        {"until": "MONTH", "region": "PROVINCE"},
        {"until": "YEAR", "region": "PROVINCE"},
        {"until": "YEAR", "region": "-"},
    ]
    assert ladder.digest != ladder_of("101", {"region": Precision.CITY}, WORDS).digest


def test_a_grant_without_anything_rare_tells_when_it_ends_by_the_month_or_the_year() -> None:
    ladder = ladder_of("101", {"has_lei": Precision.FLAG}, WORDS)

    assert [told(ladder, step) for step in range(ladder.last + 1)] == [{"until": "MONTH"}, {"until": "YEAR"}]


def test_grants_that_are_alike_in_what_is_rare_share_a_ladder() -> None:
    more = FINE | {"has_lei": Precision.FLAG}

    assert ladder_of("101", FINE, WORDS).digest == ladder_of("101", more, WORDS).digest


def test_a_key_has_the_coarsest_first_and_each_step_drops_its_last_part() -> None:
    ladder, cell = ladder_of("101", FINE, WORDS), finest(valid_until="2031-05-09")

    assert ladder.key(cell).split(END) == ["2031-01-01", "44", "C2", "1995-1999", "4403", "1998", "2031-05-01", ""]
    assert ladder.prefixes(cell)[0] == ladder.key(cell)
    assert ladder.prefixes(cell)[ladder.last] == f"2031-01-01{END}"


def test_a_cell_holds_nothing_finer_than_the_catalogue_has_it() -> None:
    admitted = penalised()
    ends, decided = ["2029-01-01", "2029-03-01"], ["2024", "2024-03"]

    assert admitted.cell.finest.split(END) == [*ends, *decided, "CITY", "MARKET_REG", "A1"]
    assert repr(admitted.cell) == "Cell(...)"


def test_what_home_does_not_know_is_a_value_like_others() -> None:
    ladder = ladder_of("101", FINE, WORDS)
    known, unknown = finest(), finest(capital="", region_code="44")

    assert ladder.prefixes(known)[2] != ladder.prefixes(unknown)[2]
    assert [one[-1] for one in (ladder.prefixes(known), ladder.prefixes(unknown))] == [END, END]


def test_a_record_out_of_the_store_has_the_cell_that_its_row_had() -> None:
    admitted = penalised()

    assert cell_of(admitted.record.content, admitted.record.disclose_until, LAW) == admitted.cell


def test_a_kind_that_the_catalogue_leaves_out_has_no_cell() -> None:
    catalogue = structs.replace(LAW.catalogue, entries={"101": LAW.catalogue.entries["101"]})

    assert cell_of(penalised().record.content, date(2029, 3, 5), replace(LAW, catalogue=catalogue)) is None


def _with_other_order() -> Law:
    entry = structs.replace(LAW.catalogue.entries["201"], rare=tuple(reversed(LAW.catalogue.entries["201"].rare)))
    return replace(LAW, catalogue=structs.replace(LAW.catalogue, entries={**LAW.catalogue.entries, "201": entry}))


def _with_other_bands() -> Law:
    table = LAW.codes.bands[BandTableName.AMOUNT]
    moved = structs.replace(table, bands=(*table.bands[:-1], structs.replace(table.bands[-1], floor=10**12)))
    return replace(LAW, codes=replace(LAW.codes, bands={**LAW.codes.bands, BandTableName.AMOUNT: moved}))


@pytest.mark.parametrize("law", [_with_other_order(), _with_other_bands()], ids=["another order", "other bands"])
def test_cells_of_another_catalogue_or_other_bands_are_never_mixed(law: Law) -> None:
    before, after = (cells_of(Kind.PENALTY, vocabulary_of(one)).shape for one in (LAW, law))

    assert before != after


class _Recorded:
    """Knows which prefixes have enough enterprises, and notes what it was asked."""

    def __init__(self, enough: Sequence[str], asked: list[list[str]]) -> None:
        self.enough = frozenset(enough)
        self.asked = asked

    def __call__(self, prefixes: Sequence[str]) -> frozenset[str]:
        self.asked.append(list(prefixes))
        return self.enough & frozenset(prefixes)


@pytest.mark.parametrize("step", range(7))
def test_the_first_step_with_enough_enterprises_is_taken(step: int) -> None:
    ladder, cell, asked = ladder_of("101", FINE, WORDS), finest(), list[list[str]]()

    assert first_crowded(ladder, [cell], _Recorded(ladder.prefixes(cell)[step:], asked)) == [step]
    assert len(asked) <= 4


def test_the_last_step_is_taken_where_even_that_has_too_few() -> None:
    ladder = ladder_of("101", FINE, WORDS)

    assert first_crowded(ladder, [finest()], _Recorded([], [])) == [ladder.last]


def test_nobody_is_asked_about_no_records() -> None:
    ladder, asked = ladder_of("101", FINE, WORDS), list[list[str]]()

    assert first_crowded(ladder, [], _Recorded([], asked)) == []
    assert asked == []


def test_many_records_are_asked_about_together_and_those_alike_once() -> None:
    ladder, asked = ladder_of("101", FINE, WORDS), list[list[str]]()
    one, other = finest(), finest(region_code="310100")

    steps = first_crowded(ladder, [one, other, one], _Recorded(ladder.prefixes(one), asked))

    assert steps == [0, ladder.last, 0]
    assert asked[0] == [ladder.key(one), ladder.key(other)]
