"""Resolving a document token at home: by the key alone, under the agreement it was made for."""

import pytest

from crypto.document_token import document_tokens
from node.domain.document_numbers import canonical_number
from node.domain.records import Kind
from node.operations.find_documents import find_documents, kinds_with_tokens
from tests.fakes.exchange import PENALTIES, SHOWN, answer, index, load, question
from tests.fakes.members import LAW
from tests.fakes.reading import renditions
from tests.fakes.world import World
from tests.unit.node.domain.given import PENALTY

AGREEMENT = "0a" * 16


def crossed(world: World, epoch: int = 1) -> object:
    """The token that the bank received of a penalty."""
    _, made = renditions(world, answer(world, question(world, SHOWN, epoch=epoch)))
    (penalty,) = [one for one in made if one.header.kind == "201"]
    return penalty.values()["document_token"]


def found(world: World, token: object, agreement: str = AGREEMENT) -> list[int]:
    agency = world.agency
    (agreed,) = agency.known().agreements.values()
    kinds = kinds_with_tokens(agreed, LAW.catalogue)
    tokens = document_tokens(agency.context.keys.pseudonym_seed, agreement)
    return agency.read(lambda work: [row.record_no for row in find_documents(work, str(token), kinds, tokens)])


def test_the_provider_finds_the_record_whose_document_a_token_stands_for(world: World) -> None:
    token = crossed(world)
    penalties = world.agency.read(lambda work: work.records.page(Kind.PENALTY.value, 0, 100))

    (record,) = found(world, token)

    assert [row.record_no for row in penalties if "〔2024〕77号".encode() in row.content] == [record]


def test_the_same_document_has_the_same_token_in_every_answer_under_an_agreement(world: World) -> None:
    first = crossed(world)
    world.wait(days=100)
    index(world)

    assert crossed(world, epoch=2) == first


def test_a_token_of_another_agreement_stands_for_nothing(world: World) -> None:
    assert found(world, crossed(world), agreement="0b" * 16) == []
    assert found(world, "00" * 16) == []


def test_two_records_of_one_document_are_both_found(world: World) -> None:
    token = crossed(world)
    load(world, Kind.PENALTY, PENALTY | {"uscc": "", "hk_cr": "4000001"})

    assert len(found(world, token)) == 2


def test_only_kinds_of_which_tokens_are_agreed_are_looked_through(world: World) -> None:
    (agreed,) = world.agency.known().agreements.values()

    assert list(kinds_with_tokens(agreed, LAW.catalogue)) == [Kind.PENALTY]


@pytest.mark.parametrize(
    "spelt",
    [
        "深市监罚(2024)77号",
        "深市监罚（2024）77号",
        "深市监罚【２０２４】７７号",
        " 深市监罚 〔2024〕 77 号 ",
        "深市监罚[2024]77号",
    ],
)
def test_a_number_is_one_however_its_brackets_widths_and_spaces_are_typed(spelt: str) -> None:
    assert canonical_number(spelt) == canonical_number(PENALTIES[0]["decision_no"])


def test_other_numbers_stay_others() -> None:
    numbers = [
        "深市监罚[2024]77号",
        "深市监罚[2024]7号",
        "深市监罚[2024]7-7号",
        "深市监罚[2024]778号",
        "粤市监罚[2024]77号",
    ]

    assert len({canonical_number(number) for number in numbers}) == len(numbers)
