"""The industry of an enterprise: a division stands in its section, and a file may say it in any depth."""

import pytest

from agreements.refusal import Refusal
from node.domain.columns import standard_columns
from node.domain.correction import correct
from node.domain.intake import Admitted, Rejected, admit
from node.domain.records import Kind, encode_content
from node.domain.rows import Row
from registry.norms.code_lists import CodeListName, load_code_list
from tests.unit.node.domain.given import REGISTRATION, intake, registered

DIVISIONS = load_code_list(CodeListName.INDUSTRY_DIVISIONS).all()
SECTIONS = load_code_list(CodeListName.INDUSTRY_SECTIONS).all()


def refused(**changes: str) -> Rejected:
    answer = admit(Row(2, REGISTRATION | changes), intake(Kind.REGISTRATION))
    assert isinstance(answer, Rejected), answer
    return answer


def test_the_divisions_are_numbered_through_and_each_stands_in_a_section() -> None:
    assert sorted(code[1:] for code in DIVISIONS) == [f"{number:02d}" for number in range(1, 98)]
    assert {code[0] for code in DIVISIONS} == SECTIONS
    assert sorted(DIVISIONS) == sorted(DIVISIONS, key=lambda code: code[1:])


@pytest.mark.parametrize("text", ["C39", "c39", "39", "391", "3912", "C391", "C3912"])
def test_a_class_of_any_depth_is_its_division(text: str) -> None:
    assert registered(industry_division=text).record.content["industry_division"] == "C39"


def test_the_section_follows_from_the_division_when_only_that_is_given() -> None:
    content = registered(industry_section="", industry_division="I6510").record.content

    assert (content["industry_section"], content["industry_division"]) == ("I", "I65")


def test_a_division_outside_the_row_s_own_section_is_refused() -> None:
    answer = refused(industry_section="F", industry_division="C39")

    assert (answer.reason, answer.problem.field) == (Refusal.MALFORMED, "industry_division")


@pytest.mark.parametrize("text", ["98", "00", "A39", "C", "3", "39123", "3912X", "电子", "U39"])
def test_what_is_no_class_is_refused(text: str) -> None:
    assert refused(industry_division=text).problem.field == "industry_division"


def test_a_record_without_a_division_is_stored_as_it_was_before_there_were_any() -> None:
    assert b"industry_division" not in encode_content(registered().record.content)


def test_a_section_is_corrected_with_its_division_or_not_at_all() -> None:
    record, opened = registered(industry_division="C39").record, intake(Kind.REGISTRATION)

    both = correct(record, {"industry_section": "I", "industry_division": "65"}, opened)
    assert isinstance(both, Admitted), both
    assert (both.record.content["industry_section"], both.record.content["industry_division"]) == ("I", "I65")
    assert isinstance(correct(record, {"industry_section": "I"}, opened), Rejected)


@pytest.mark.parametrize("kind", [Kind.REGISTRATION, Kind.BAN])
def test_the_kinds_that_state_a_section_can_state_a_division(kind: Kind) -> None:
    columns = standard_columns(kind)

    assert columns.index("industry_division") == columns.index("industry_section") + 1
