"""Enterprise identifiers: published forms, accepted spellings, and codes that stand for a person."""

import pytest
from stdnum.cn import uscc as oracle

from node.domain.identifiers import (
    Identifier,
    Problem,
    Scheme,
    canonical_text,
    guess_scheme,
    parse_identifier,
    possible_schemes,
)

ENTERPRISES = (
    "91440300MA5TERT15Q",
    "91440300MA5TERT23K",
    "51440300MJ9TERT4XK",
    "91440300MA5R102090",
    "91440300MA5R104440",
)
REJECTED_BY_THE_ORACLE = ("N2440300MF9TERT539", "Y1440300MF9TERT61Y", "A1440300MB9TERT75Q")
INDIVIDUAL_BUSINESS = "92440300MA5TERT31B"
ISSUED_WITH_A_WRONG_CHECK = "91350211M0000XUF46"


def accepted(scheme: Scheme, text: str) -> Identifier:
    found = parse_identifier(scheme, text)
    assert isinstance(found, Identifier)
    return found


@pytest.mark.parametrize("code", [*ENTERPRISES, *REJECTED_BY_THE_ORACLE])
def test_a_valid_unified_code_is_itself_and_without_doubt(code: str) -> None:
    identifier = accepted(Scheme.CN_USCC, code)

    assert identifier.value == code
    assert not identifier.doubtful
    assert not identifier.natural_person_linked


@pytest.mark.parametrize("code", ENTERPRISES)
def test_the_oracle_agrees_on_codes_that_begin_with_digits(code: str) -> None:
    assert oracle.is_valid(code)
    assert not oracle.is_valid(code[:-1] + ("1" if code[-1] == "0" else "0"))
    assert isinstance(parse_identifier(Scheme.CN_USCC, code[:-1] + ("1" if code[-1] == "0" else "0")), Problem)


@pytest.mark.parametrize("code", REJECTED_BY_THE_ORACLE)
def test_codes_that_begin_with_a_letter_are_valid_though_the_oracle_refuses_them(code: str) -> None:
    assert not oracle.is_valid(code)
    assert accepted(Scheme.CN_USCC, code).value == code


def test_the_oracle_does_not_look_at_department_and_type() -> None:
    unknown_type = "99440300MA5TERT15"
    code = unknown_type + oracle.calc_check_digit(unknown_type)

    assert oracle.is_valid(code)
    assert parse_identifier(Scheme.CN_USCC, code) == Problem(
        "CN-USCC", "a registering department and organisation type of GB 32100", "99"
    )


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


@pytest.mark.parametrize("spoiler", ["\u200b", "\ufeff", "\u2060", "①", "é"])
def test_invisible_and_ornamental_characters_are_refused_not_removed(spoiler: str) -> None:
    code = ENTERPRISES[0]

    assert isinstance(parse_identifier(Scheme.CN_USCC, code[:4] + spoiler + code[4:]), Problem)


@pytest.mark.parametrize(
    "spelling",
    [
        "91440300ma5tert15q",
        " 91440300-MA5TERT15-Q ",
        "９１４４０３００ＭＡ５ＴＥＲＴ１５Ｑ",
        "91440300　MA5TERT15Q",
    ],
)
def test_one_code_in_four_spellings_is_one_identifier(spelling: str) -> None:
    assert accepted(Scheme.CN_USCC, spelling) == accepted(Scheme.CN_USCC, ENTERPRISES[0])


def test_an_individual_business_is_known_as_a_person() -> None:
    assert accepted(Scheme.CN_USCC, INDIVIDUAL_BUSINESS).natural_person_linked


def test_a_failing_check_character_needs_an_attestation_and_stays_marked() -> None:
    waived = parse_identifier(Scheme.CN_USCC, ISSUED_WITH_A_WRONG_CHECK, waive_check=True)

    assert isinstance(parse_identifier(Scheme.CN_USCC, ISSUED_WITH_A_WRONG_CHECK), Problem)
    assert isinstance(waived, Identifier)
    assert waived.check_waived
    assert waived.value == ISSUED_WITH_A_WRONG_CHECK


def test_a_waiver_that_was_not_needed_leaves_no_mark() -> None:
    identifier = parse_identifier(Scheme.CN_USCC, ENTERPRISES[0], waive_check=True)

    assert isinstance(identifier, Identifier)
    assert not identifier.check_waived


def test_a_waiver_does_not_excuse_another_shape() -> None:
    assert isinstance(parse_identifier(Scheme.CN_USCC, "91350211M0000XUF4", waive_check=True), Problem)


def test_a_wrong_inner_check_is_a_doubt_and_no_more() -> None:
    body = "91440300MA5TERT14"

    assert accepted(Scheme.CN_USCC, body + oracle.calc_check_digit(body)).doubtful


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


def test_a_macau_number_that_begins_with_nought_is_a_person() -> None:
    assert accepted(Scheme.MO_TIN, "00000001").natural_person_linked
    assert not accepted(Scheme.MO_TIN, "80000001").natural_person_linked


def test_a_scheme_is_guessed_only_when_one_fits() -> None:
    assert guess_scheme(ENTERPRISES[0]) is Scheme.CN_USCC
    assert guess_scheme("9845TESTNODESHZHK005") is Scheme.LEI
    assert guess_scheme("12345678") is Scheme.HK_BRN
    assert guess_scheme("80000001") is None
    assert possible_schemes("80000001") == (Scheme.HK_BRN, Scheme.MO_TIN)
    assert guess_scheme("not a code") is None


def test_an_unknown_scheme_is_a_problem() -> None:
    assert parse_identifier("FR-SIREN", "123456789") == Problem(
        "scheme", "one of the known identifier schemes", "another word"
    )


def test_neither_identifier_nor_problem_shows_the_code() -> None:
    code = ENTERPRISES[0]

    assert code not in repr(accepted(Scheme.CN_USCC, code))
    assert code[4:12] not in repr(parse_identifier(Scheme.CN_USCC, code[:-1] + "P"))


def test_what_is_not_ascii_has_no_canonical_text() -> None:
    assert canonical_text("ß") is None
    assert canonical_text("ａ b—c") == "ABC"
