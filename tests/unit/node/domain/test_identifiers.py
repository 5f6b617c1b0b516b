"""Enterprise identifiers: published forms, and codes that stand for a person."""

import pytest

from node.domain.identifiers import (
    Identifier,
    Problem,
    Remark,
    Scheme,
    likely_schemes,
    parse_identifier,
)

ENTERPRISES = (
    "91440300MA5TERT15Q",
    "91440300MA5TERT23K",
    "51440300MJ9TERT4XK",
    "91440300MA5R102090",
    "91440300MA5R104440",
)
OF_LETTER_DEPARTMENTS = ("N2440300MF9TERT539", "Y1440300MF9TERT61Y", "A1440300MB9TERT75Q")
INDIVIDUAL_BUSINESS = "92440300MA5TERT31B"


def accepted(scheme: Scheme, text: str) -> Identifier:
    found = parse_identifier(scheme, text)
    assert isinstance(found, Identifier)
    return found


@pytest.mark.parametrize("code", [*ENTERPRISES, *OF_LETTER_DEPARTMENTS])
def test_a_valid_unified_code_is_itself_and_without_doubt(code: str) -> None:
    identifier = accepted(Scheme.CN_USCC, code)

    assert identifier.value == code
    assert Remark.ORGANISATION_CHECK not in identifier.remarks
    assert not identifier.natural_person_linked


@pytest.mark.parametrize("letter", list("IOSVZ"))
def test_letters_outside_the_alphabet_are_refused_anywhere(letter: str) -> None:
    code = ENTERPRISES[0]

    assert all(
        isinstance(parse_identifier(Scheme.CN_USCC, code[:place] + letter + code[place + 1 :]), Problem)
        for place in range(18)
    )


@pytest.mark.parametrize("code", ["91440300MA5TERT15P", "91440300MA5TERT15", "91440300MA5TERT15QQ", ""])
def test_a_wrong_check_character_or_length_is_refused(code: str) -> None:
    assert isinstance(parse_identifier(Scheme.CN_USCC, code), Problem)


def test_an_individual_business_is_known_as_a_person() -> None:
    assert accepted(Scheme.CN_USCC, INDIVIDUAL_BUSINESS).natural_person_linked


@pytest.mark.parametrize("code", ["98", "9845TESTNODESHZHK0055", "9845TESTNODESHZHK006", "9845TESTNODESHZHK00A"])
def test_an_lei_of_another_length_or_check_is_refused(code: str) -> None:
    assert isinstance(parse_identifier(Scheme.LEI, code), Problem)


def test_an_lei_is_accepted() -> None:
    assert accepted(Scheme.LEI, "9845testnodeshzhk005").value == "9845TESTNODESHZHK005"


@pytest.mark.parametrize(
    ("scheme", "code"),
    [
        (Scheme.HK_BRN, "12345678"),
        (Scheme.HK_BRN_DUMMY, "C0012345"),
        (Scheme.HK_BRN_DUMMY, "F0001234"),
        (Scheme.HK_CR, "2902522"),
        (Scheme.HK_CR, "F0012345"),
        (Scheme.HK_CR, "LF7266467"),
        (Scheme.MO_TIN, "80000001"),
        (Scheme.MO_CR, "12345SO"),
    ],
)
def test_hong_kong_and_macau_numbers_are_accepted(scheme: Scheme, code: str) -> None:
    assert accepted(scheme, code).value == code


@pytest.mark.parametrize("code", ["1234567", "123456789", "12345678-000-01-11-1", "1234567A"])
def test_a_business_registration_number_is_eight_digits_and_not_its_certificate(code: str) -> None:
    assert isinstance(parse_identifier(Scheme.HK_BRN, code), Problem)


@pytest.mark.parametrize("code", ["10000001", "90000001", "8000001", "800000011", "8000000A"])
def test_a_macau_taxpayer_number_is_eight_digits_that_begin_with_8_or_0(code: str) -> None:
    assert isinstance(parse_identifier(Scheme.MO_TIN, code), Problem)


@pytest.mark.parametrize("code", ["12345678", "SO", "12345SOCI", "SO12345", ""])
def test_a_macau_commercial_registration_is_a_number_and_few_letters(code: str) -> None:
    assert isinstance(parse_identifier(Scheme.MO_CR, code), Problem)


@pytest.mark.parametrize("code", ["C001234", "C00123456", "ABCD1234", "12345678", "C", "0012345C", "CABCDEFG"])
def test_a_number_in_place_of_a_business_registration_is_letters_then_digits_eight_together(code: str) -> None:
    assert isinstance(parse_identifier(Scheme.HK_BRN_DUMMY, code), Problem)


@pytest.mark.parametrize("code", ["123456", "12345678", "L1234567", "FL1234567", "C1234567"])
def test_a_company_number_is_seven_digits_and_at_most_a_known_letter_before(code: str) -> None:
    assert isinstance(parse_identifier(Scheme.HK_CR, code), Problem)


def test_a_macau_number_that_begins_with_nought_is_a_person() -> None:
    assert accepted(Scheme.MO_TIN, "00000001").natural_person_linked
    assert not accepted(Scheme.MO_TIN, "80000001").natural_person_linked


def test_the_scheme_of_a_code_is_told_by_how_it_is_written() -> None:
    assert likely_schemes(ENTERPRISES[0]) == (Scheme.CN_USCC,)
    assert likely_schemes("9845TESTNODESHZHK005") == (Scheme.LEI,)
    assert likely_schemes("12345678") == (Scheme.HK_BRN,)
    assert likely_schemes("80000001") == (Scheme.HK_BRN, Scheme.MO_TIN)
    assert likely_schemes("not a code") == ()


def test_a_code_with_a_wrong_letter_is_still_told_by_how_it_is_written() -> None:
    assert likely_schemes("91440300MA5TERT15A") == (Scheme.CN_USCC,)
    assert likely_schemes("9845 TEST NODE SHZHK 006") == (Scheme.LEI,)


def test_an_unknown_scheme_is_a_problem() -> None:
    assert parse_identifier("FR-SIREN", "123456789") == Problem(
        "scheme", "one of the known identifier schemes", "another word"
    )


def test_neither_identifier_nor_problem_shows_the_code() -> None:
    code = ENTERPRISES[0]

    assert code not in repr(accepted(Scheme.CN_USCC, code))
    assert code[4:12] not in repr(parse_identifier(Scheme.CN_USCC, code[:-1] + "P"))
