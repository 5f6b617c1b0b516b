"""Unified codes and LEIs against a library of other people's: the same verdict, except for listed differences."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stdnum import lei as lei_oracle
from stdnum.cn import uscc as uscc_oracle
from stdnum.iso7064 import mod_97_10

from node.cli.references import read_subjects
from node.domain.check_digits import (
    ALPHABET,
    organisation_check,
    organisation_checks,
    unified_check,
    unified_checks,
)
from node.domain.identifiers import Identifier, Scheme, canonical_text, parse_identifier, plain_unified, unified_remarks
from tests.unit.node.domain.test_unified_codes import PAIRS

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
TOLERATED = " -\t\u00a0\u2009\u3000\u2010\u2013\u2014\u2212\uff0d"
ORNAMENTS = "\u200b\ufeff\u00af①²٣𝟏ſﬀé._"
FULL_WIDTH = {ordinal: ordinal + 0xFEE0 for ordinal in range(0x21, 0x7F)}
WIDE_LETTERS = frozenset((LETTERS + LETTERS.lower()).translate(FULL_WIDTH))
FORMS: tuple[Callable[[str], str], ...] = (
    str,
    str.lower,
    lambda letter: letter.translate(FULL_WIDTH),
    lambda letter: letter.lower().translate(FULL_WIDTH),
)
SIGNS = "0123456789" + LETTERS + LETTERS.lower() + "０９ＡＺａ" + TOLERATED + ORNAMENTS


@dataclass(frozen=True)
class Difference:
    """Texts on which the two verdicts may differ: `ours` is our verdict, the oracle's is the other one."""

    why: str
    ours: bool
    examples: tuple[str, ...]
    applies: Callable[[str], bool]


def plain(text: str) -> str:
    return canonical_text(text) or ""


def has_no_canonical_text(text: str) -> bool:
    return canonical_text(text) is None


USCC = (
    Difference(
        "departments A, G, J, N and Y: the oracle wants eight digits in front",
        ours=True,
        examples=("N2440300MF9TERT539", "Y1440300MF9TERT61Y", "A1440300MB9TERT75Q"),
        applies=lambda text: plain(text)[:1].isalpha(),
    ),
    Difference(
        "the oracle folds full-width digits, and not full-width letters",
        ours=True,
        examples=("91440300ＭA5TERT15Q",),
        applies=lambda text: not WIDE_LETTERS.isdisjoint(text),
    ),
    Difference(
        "the oracle leaves out spaces, and not tabs between characters",
        ours=True,
        examples=("91440300\tMA5TERT15Q",),
        applies=lambda text: "\t" in text,
    ),
    Difference(
        "the oracle does not look at department and type",
        ours=False,
        examples=("88440300MA5TERT154",),
        applies=lambda text: plain(text)[:2] not in PAIRS,
    ),
    Difference(
        "the oracle reads other digits, ligatures and more signs as hyphens; two codes must not look alike",
        ours=False,
        examples=("91440300\u00afMA5TERT15Q",),
        applies=has_no_canonical_text,
    ),
)
LEI = (
    Difference(
        "the oracle does not look at the length",
        ours=False,
        examples=("98", "9845TESTNODESHZHK0041"),
        applies=lambda text: len(plain(text)) != 20,
    ),
    Difference(
        "the two check digits are digits (ISO 17442)",
        ours=False,
        examples=("9845TESTNODESHZHK02Z",),
        applies=lambda text: not plain(text)[18:].isdigit(),
    ),
    Difference(
        "the oracle folds full-width digits, and not full-width letters",
        ours=True,
        examples=("9845ＴESTNODESHZHK005",),
        applies=lambda text: not WIDE_LETTERS.isdisjoint(text),
    ),
    Difference(
        "the oracle leaves out spaces, and not tabs between characters",
        ours=True,
        examples=("9845\tTESTNODESHZHK005",),
        applies=lambda text: "\t" in text,
    ),
    Difference(
        "the oracle reads any digit, and a long s as an S; two codes must not look alike",
        ours=False,
        examples=("9845TEſTNODESHZHK005",),
        applies=has_no_canonical_text,
    ),
)
ORACLES = {Scheme.CN_USCC: (uscc_oracle.is_valid, USCC), Scheme.LEI: (lei_oracle.is_valid, LEI)}
EXAMPLES = [
    (scheme, one, text) for scheme, (_, differences) in ORACLES.items() for one in differences for text in one.examples
]


def unified(pair: str, region: str, organisation: str) -> str:
    body = pair + region + organisation + organisation_check(organisation)
    return body + unified_check(body)


USCCS = st.builds(
    unified,
    st.sampled_from(sorted(PAIRS)),
    st.text("0123456789", min_size=6, max_size=6),
    st.text(ALPHABET, min_size=8, max_size=8),
)
LEIS = st.text("0123456789" + LETTERS, min_size=18, max_size=18).map(
    lambda body: body + mod_97_10.calc_check_digits(body)
)
VALID = {Scheme.CN_USCC: USCCS, Scheme.LEI: LEIS}


@st.composite
def mutated(draw: st.DrawFn, valid: st.SearchStrategy[str]) -> str:
    """A valid code with one character changed, added or left out, or two neighbours changed over."""
    code = draw(valid)
    place, sign = draw(st.integers(0, len(code) - 1)), draw(st.sampled_from(SIGNS))
    before, after = code[:place], code[place + 1 :]
    return draw(
        st.sampled_from(
            [
                before + sign + after,
                before + sign + code[place:],
                before + after,
                before + after[:1] + code[place] + after[1:],
            ]
        )
    )


@st.composite
def respelled(draw: st.DrawFn, valid: st.SearchStrategy[str]) -> str:
    """A valid code as people type it: small or capital, full-width or not, with spaces and hyphens anywhere."""
    code = draw(valid)
    forms = [st.sampled_from(FORMS), st.sampled_from(["", "", *TOLERATED])]
    drawn = draw(st.lists(st.tuples(*forms), min_size=len(code), max_size=len(code)))
    return "".join(form(letter) + gap for letter, (form, gap) in zip(code, drawn, strict=True))


def texts(scheme: Scheme) -> st.SearchStrategy[str]:
    valid = VALID[scheme]
    return st.text(SIGNS, max_size=24) | valid | mutated(valid) | respelled(valid)


def accepts(scheme: Scheme, text: str) -> bool:
    return isinstance(parse_identifier(scheme, text), Identifier)


@pytest.mark.parametrize(
    ("scheme", "difference", "text"),
    EXAMPLES,
    ids=[f"{scheme}-{one.why}-{text!a}" for scheme, one, text in EXAMPLES],
)
def test_each_difference_from_the_oracle_is_there(scheme: Scheme, difference: Difference, text: str) -> None:
    judge, _ = ORACLES[scheme]

    assert difference.applies(text)
    assert accepts(scheme, text) is difference.ours
    assert judge(text) is not difference.ours


@pytest.mark.parametrize("scheme", ORACLES)
@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_our_verdict_is_the_oracles_except_for_the_listed_differences(scheme: Scheme, data: st.DataObject) -> None:
    judge, differences = ORACLES[scheme]
    text = data.draw(texts(scheme))
    ours = accepts(scheme, text)

    assert ours == judge(text) or any(one.ours is ours and one.applies(text) for one in differences)


@pytest.mark.parametrize("scheme", ORACLES)
@given(data=st.data())
def test_a_code_as_people_type_it_is_the_same_code_and_has_one_canonical_text(
    scheme: Scheme, data: st.DataObject
) -> None:
    text = data.draw(respelled(VALID[scheme]))
    found = parse_identifier(scheme, text)

    assert isinstance(found, Identifier)
    assert canonical_text(text) == found.value == canonical_text(found.value)
    assert read_subjects([f"{scheme}:{text}", f"{scheme}:{found.value}"], None) == [found]


@given(st.lists(st.one_of(VALID[Scheme.CN_USCC], texts(Scheme.CN_USCC), st.just("")), max_size=8))
def test_a_column_of_unified_codes_is_read_as_each_of_them_is_where_that_is_an_enterprises(column: list[str]) -> None:
    each = [parse_identifier(Scheme.CN_USCC, text) for text in column]
    plain = [
        one if isinstance(one, Identifier) and not one.natural_person_linked and one.value == text else None
        for one, text in zip(each, column, strict=True)
    ]

    assert plain_unified(column) == plain
    assert unified_remarks(plain) == [() if one is None else one.remarks for one in plain]


@given(st.lists(st.text(ALPHABET, min_size=18, max_size=18), min_size=1, max_size=50))
def test_check_characters_of_many_codes_are_those_of_each(codes: list[str]) -> None:
    columns = ["".join(column) for column in zip(*codes, strict=True)]

    assert unified_checks(columns[:17]) == "".join(unified_check(code[:17]) for code in codes)
    assert organisation_checks(columns[8:16]) == "".join(organisation_check(code[8:16]) for code in codes)


@given(st.sampled_from(Scheme), st.text(SIGNS, max_size=24))
def test_whatever_is_read_is_written_in_one_way_and_read_back(scheme: Scheme, text: str) -> None:
    found = parse_identifier(scheme, text)

    if isinstance(found, Identifier):
        assert read_subjects([f"{found.scheme}:{found.value}"], None) == [found]


@pytest.mark.parametrize("scheme", ORACLES)
@given(data=st.data())
def test_one_changed_character_is_never_taken_for_the_same_code(scheme: Scheme, data: st.DataObject) -> None:
    code = data.draw(VALID[scheme])
    place = data.draw(st.integers(0, len(code) - 1))
    # Under mod 97-10 a letter counts as two digits: a digit in its place moves all before it, and 1 in 97 still fits.
    signs = ALPHABET if scheme is Scheme.CN_USCC else LETTERS if code[place].isalpha() else "0123456789"
    other = data.draw(st.sampled_from(signs.replace(code[place], "")))

    assert not accepts(scheme, code[:place] + other + code[place + 1 :])
