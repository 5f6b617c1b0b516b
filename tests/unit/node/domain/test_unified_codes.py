"""Unified codes: every department and type of the table, what an attested check excuses, and what is only remarked."""

from itertools import product

import pytest

from node.domain.check_digits import ALPHABET, organisation_check, unified_check
from node.domain.identifiers import Identifier, Problem, Remark, Scheme, parse_identifier

TABLE = {
    "1": "1239", "2": "19", "3": "123459", "4": "19", "5": "1239", "6": "129", "7": "129", "8": "19", "9": "123",
    "A": "19", "N": "1239", "Y": "1",
}  # fmt: skip
"""GB 32100-2015 with amendment XG1-2016."""
PUBLISHED = {"54", "55", "99", "G1", "J1"}
"""What registers issue beside it."""
PAIRS = {department + kind for department, kinds in TABLE.items() for kind in kinds} | PUBLISHED
ISSUED_WITH_A_WRONG_CHECK = "91350211M0000XUF46"
WRONG_INSIDE = "91440300MA5TERT14M"
"""Its last character is right, the 17th is not."""


def code_of(pair: str, region: str = "440300", organisation: str = "MA5TERT1") -> str:
    body = pair + region + organisation + organisation_check(organisation)
    return body + unified_check(body)


def accepted(code: str, *, waive_check: bool = False) -> Identifier:
    found = parse_identifier(Scheme.CN_USCC, code, waive_check=waive_check)
    assert isinstance(found, Identifier)
    return found


def wrongly_checked(code: str) -> str:
    return code[:-1] + ("1" if code[-1] == "0" else "0")


def test_the_departments_and_types_of_the_table_are_known_and_no_others() -> None:
    known = {
        pair
        for pair in map("".join, product(ALPHABET, repeat=2))
        if isinstance(parse_identifier(Scheme.CN_USCC, code_of(pair)), Identifier)
    }

    assert known == PAIRS
    assert {"21", "54", "55", "81", "G1", "J1"} <= known


@pytest.mark.parametrize("pair", sorted(PAIRS))
def test_a_code_of_every_department_and_type_is_read_and_only_individual_businesses_are_persons(pair: str) -> None:
    identifier = accepted(code_of(pair))

    assert identifier.value == code_of(pair)
    assert identifier.natural_person_linked == (pair == "92")
    assert identifier.remarks == ()


@pytest.mark.parametrize("pair", sorted(PAIRS))
def test_every_other_check_character_is_refused(pair: str) -> None:
    code = code_of(pair)
    others = [code[:-1] + letter for letter in ALPHABET if letter != code[-1]]

    assert all(isinstance(parse_identifier(Scheme.CN_USCC, other), Problem) for other in others)


@pytest.mark.parametrize("code", ["91440300MA5R102090", "91440300MA5R104440"])
def test_a_remainder_of_nought_is_written_nought(code: str) -> None:
    assert unified_check(code[:-1]) == "0"
    assert accepted(code).value == code


@pytest.mark.parametrize("place", range(2, 8))
def test_the_region_is_six_digits(place: int) -> None:
    region = "440300"[: place - 2] + "A" + "440300"[place - 1 :]

    assert isinstance(parse_identifier(Scheme.CN_USCC, code_of("91", region)), Problem)


def test_a_failing_check_character_needs_an_attestation_and_stays_marked() -> None:
    waived = accepted(ISSUED_WITH_A_WRONG_CHECK, waive_check=True)

    assert isinstance(parse_identifier(Scheme.CN_USCC, ISSUED_WITH_A_WRONG_CHECK), Problem)
    assert waived.value == ISSUED_WITH_A_WRONG_CHECK
    assert waived.check_waived
    assert Remark.CHECK_ATTESTED in waived.remarks


def test_a_waiver_that_was_not_needed_leaves_no_mark() -> None:
    identifier = accepted(code_of("91"), waive_check=True)

    assert not identifier.check_waived
    assert identifier.remarks == ()


def test_a_waiver_makes_no_other_subject_of_a_code() -> None:
    code = code_of("91")

    assert accepted(code, waive_check=True) == accepted(code)
    assert accepted(wrongly_checked(code), waive_check=True) != accepted(code)


@pytest.mark.parametrize(
    "code",
    [
        ISSUED_WITH_A_WRONG_CHECK[:-1],
        ISSUED_WITH_A_WRONG_CHECK + "6",
        wrongly_checked(code_of("88")),
        wrongly_checked(code_of("91", "44030A")),
        ISSUED_WITH_A_WRONG_CHECK.replace("X", "I"),
        ISSUED_WITH_A_WRONG_CHECK[:-1] + "Z",
        ISSUED_WITH_A_WRONG_CHECK[:9] + "\u200b" + ISSUED_WITH_A_WRONG_CHECK[9:],
    ],
    ids=["17 characters", "19 characters", "no such pair", "region", "letter I", "letter Z", "zero width"],
)
def test_a_waiver_excuses_nothing_but_the_check_character(code: str) -> None:
    assert isinstance(parse_identifier(Scheme.CN_USCC, code, waive_check=True), Problem)


def test_a_waiver_makes_no_enterprise_of_a_person() -> None:
    assert accepted(wrongly_checked(code_of("92")), waive_check=True).natural_person_linked


def test_a_waiver_is_for_unified_codes_alone() -> None:
    assert isinstance(parse_identifier(Scheme.LEI, "9845TESTNODESHZHK006", waive_check=True), Problem)


def test_a_wrong_inner_check_is_a_remark_and_no_more() -> None:
    identifier = accepted(WRONG_INSIDE)

    assert Remark.ORGANISATION_CHECK in identifier.remarks
    assert identifier.remarks == (Remark.ORGANISATION_CHECK,)
