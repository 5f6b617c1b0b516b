"""Names: when two are one, when rows contradict, and which rows may be joined by them."""

import pytest

from node.domain.intake import Case, Rejected
from node.domain.joining import Unjoined, is_without_identifier, join, names_of
from node.domain.naming import Claim, claim_of, contradicts, folded
from node.domain.records import Content, encode_content
from node.domain.rows import Row
from tests.unit.node.domain.given import PENALTY, USCC, registered

NAMELESS = Row(7, PENALTY | {"uscc": ""})


def content(**changes: str) -> Content:
    return registered(**changes).record.content


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("深圳示例(集团)有限公司", "深圳示例（集团）有限公司"),
        ("深圳示例有限公 司", "深圳示例有限公司"),
        ("ＡＢＣ科技", "abc科技"),
        ("Sample Co.,Ltd", "SAMPLE CO., LTD"),
    ],
)
def test_width_spaces_and_capitals_make_no_other_name(one: str, other: str) -> None:
    assert folded(one) == folded(other)


@pytest.mark.parametrize(("one", "other"), [("电子公司", "電子公司"), ("Sample Ltd", "Sample Limited"), ("甲", "乙")])
def test_what_would_have_to_be_guessed_stays_another_name(one: str, other: str) -> None:
    assert folded(one) != folded(other)


def test_a_claim_contradicts_when_it_agrees_with_none() -> None:
    known = [Claim("甲公司", "A Ltd"), Claim("乙公司")]

    assert contradicts(Claim("丙公司"), known)
    assert not contradicts(Claim("乙公司", "B Ltd"), known)
    assert not contradicts(Claim("甲公司", "A Limited"), known)


def test_names_in_different_languages_and_no_names_contradict_nothing() -> None:
    assert not contradicts(Claim("甲公司"), [Claim(None, "A Ltd")])
    assert not contradicts(Claim(), [Claim("甲公司")])
    assert not contradicts(Claim("甲公司"), [])


def test_a_content_that_cannot_be_read_claims_nothing() -> None:
    assert claim_of(b"damaged").names == ()
    assert claim_of(encode_content(content())).name_zh == "深圳市示例科技有限公司"
    assert "示例" not in repr(claim_of(encode_content(content())))


def test_a_row_without_a_code_gets_the_identity_of_the_only_enterprise_of_its_name() -> None:
    joined = join(NAMELESS, [content()], ordered=True)

    assert is_without_identifier(NAMELESS)
    assert isinstance(joined, Row)
    assert (joined.number, joined.values["uscc"], joined.values["entity_type"]) == (7, USCC, "LIMITED")


def test_an_attested_check_goes_along_with_the_code() -> None:
    early = content(uscc="91350211M0000XUF46", uscc_check_attested="true")

    joined = join(NAMELESS, [early], ordered=True)

    assert isinstance(joined, Row)
    assert joined.values["uscc_check_attested"] == "true"


@pytest.mark.parametrize(
    ("found", "ordered", "why"),
    [
        (0, True, Unjoined.UNKNOWN),
        (2, True, Unjoined.SEVERAL),
        (1, False, Unjoined.OFFERED),
        (0, False, Unjoined.UNKNOWN),
    ],
)
def test_nothing_is_joined_by_guessing(found: int, ordered: bool, why: Unjoined) -> None:
    answer = join(NAMELESS, [content()] * found, ordered=ordered)

    assert isinstance(answer, Rejected)
    assert (answer.row, answer.case, answer.problem.got) == (7, Case.UNJOINED, why.value)


def test_a_row_without_code_and_name_says_so() -> None:
    answer = join(Row(7, {"facts": "x"}), [], ordered=True)

    assert names_of(Row(7, {"facts": "x"})) == ()
    assert isinstance(answer, Rejected)
    assert answer.problem.got == Unjoined.NO_NAME.value
