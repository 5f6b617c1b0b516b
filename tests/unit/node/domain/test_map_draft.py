"""Drafted mappings: what headings offer is found, what is doubtful is marked, and what is missing is named."""

import pytest

from node.domain.columns import needed_columns, standard_columns
from node.domain.intake import Admitted, admit
from node.domain.map_draft import draft_mapping
from node.domain.mapping import read_mapping
from node.domain.records import Kind
from node.domain.rows import Row
from tests.unit.node.domain.given import intake
from tests.unit.node.domain.sampled import ADMITTED, sampled

FINES = {
    "行政相对人名称": "深圳市示例科技有限公司",
    "社会信用代码": "91440300MA5TERT15Q",
    "处罚决定书文号": "深罚〔2024〕1号",
    "处罚类别": "罚款、警告",
    "罚款金额（元）": "2000",
    "处罚决定日期": "2024/3/5",
    "处罚机关": "示例市市场监督管理局",
    "联系人": "某人",
}


def test_chinese_headings_are_found_guesses_are_marked_and_strangers_are_named() -> None:
    text = draft_mapping(Kind.PENALTY, list(FINES), "fines")
    mapping = read_mapping(text)

    assert {column.target: column.sources for column in mapping.columns} == {
        "uscc": ("社会信用代码",),
        "name_zh": ("行政相对人名称",),
        "decision_no": ("处罚决定书文号",),
        "penalty_types": ("处罚类别",),
        "amount": ("罚款金额（元）",),
        "decided_on": ("处罚决定日期",),
        "authority_name": ("处罚机关",),
    }
    assert '[columns.amount]  # a guess: look whether it is this\nfrom = ["罚款金额（元）"]' in text
    assert "[columns.decision_no]\n" in text
    assert '#   "联系人"' in text
    assert '\n# source = ""  # NEEDED, here or with the import: SZ-CREDIT or AUTHORITY\n' in text
    assert "import: OWN-BUSINESS or PUBLICATION:<which>\n" in draft_mapping(Kind.MARKET_GRADE, ["uscc"], "grades")


@pytest.mark.parametrize("column", ["authority_class", "procedure", "minor_circumstances", "liability_borne"])
def test_what_a_record_needs_and_no_heading_says_is_named(column: str) -> None:
    text = draft_mapping(Kind.PENALTY, list(FINES), "fines")

    assert f"# [columns.{column}]" in text


def test_by_what_an_enterprise_is_known_is_asked_for_where_no_heading_says_it() -> None:
    """A file without codes loads nothing, and whoever completes a draft would not learn why."""
    nameless = draft_mapping(Kind.PENALTY, ["处罚类别"], "fines")

    assert "# NEEDED, and no heading says it: 主体代码, a code: one of uscc, hk_brn, hk_cr," in nameless
    assert "# [columns.uscc]" in nameless
    assert "# [columns.name_zh]" in nameless
    assert "主体" not in draft_mapping(Kind.PENALTY, list(FINES), "fines").partition("[columns")[0]


def test_a_drafted_mapping_changes_the_words_of_the_list_into_codes() -> None:
    row = read_mapping(draft_mapping(Kind.PENALTY, list(FINES), "fines")).apply(Row(2, FINES))

    assert isinstance(row, Row)
    assert (row.values["penalty_types"], row.values["decided_on"]) == ("FINE;WARNING", "2024-03-05")


@pytest.mark.parametrize("kind", [kind for kind in ADMITTED if kind is not Kind.PENALTY])
def test_a_file_with_our_own_header_is_mapped_whole(kind: Kind) -> None:
    (row,) = sampled(kind)
    mapping = read_mapping(draft_mapping(kind, list(row), "own"))
    mapped = mapping.apply(Row(2, row))

    assert [column.target for column in mapping.columns] == list(standard_columns(kind))
    assert isinstance(mapped, Row)
    assert isinstance(admit(mapped, intake(kind)), Admitted)


@pytest.mark.parametrize("heading", ["处罚日期", "处罚决定日期", "处罚时间"])
def test_the_day_of_a_penalty_is_found_however_short_its_heading(heading: str) -> None:
    text = draft_mapping(Kind.PENALTY, ["行政相对人名称", "统一社会信用代码", "罚款金额", heading], "fines")

    assert {column.target: column.sources for column in read_mapping(text).columns}["decided_on"] == (heading,)
    assert "[columns.decided_on]\n" in text


@pytest.mark.parametrize("heading", ["行业代码", "国民经济行业代码", "行业大类"])
def test_a_code_of_an_industry_is_found_and_read_as_its_division(heading: str) -> None:
    headings = ["统一社会信用代码", "企业名称", "成立日期", heading]
    texts = ["91440300MA5TERT15Q", "深圳市示例科技有限公司", "1998-06-18", "3912"]
    mapped = read_mapping(draft_mapping(Kind.REGISTRATION, headings, "own")).apply(
        Row(2, dict(zip(headings, texts, strict=True)))
    )

    assert isinstance(mapped, Row)
    answer = admit(mapped, intake(Kind.REGISTRATION))
    assert isinstance(answer, Admitted), answer
    assert (answer.record.content["industry_division"], answer.record.content["industry_section"]) == ("C39", "C")


def test_english_headings_are_found() -> None:
    headings = ["Company Number", "Company name in English", "Date of Incorporation", "Company Type"]
    found = read_mapping(draft_mapping(Kind.REGISTRATION, headings, "companies")).columns

    assert {column.target: column.sources[0] for column in found} == dict(
        zip(("hk_cr", "name_en", "established_on", "entity_type"), headings, strict=True)
    )


@pytest.mark.parametrize("heading", ['"quoted"', "back\\slash", "line\nfeed", "", "[columns.uscc]", "\x7f"])
def test_any_heading_gives_a_mapping_that_can_be_read(heading: str) -> None:
    assert read_mapping(draft_mapping(Kind.PENALTY, [heading, "统一社会信用代码"], 'a "name"')).id == 'a "name"'


def test_evidence_and_consents_are_needed() -> None:
    assert {"procedure", "small_impact"} <= needed_columns(Kind.PENALTY)
    assert {"consent", "consent_until"} <= needed_columns(Kind.CREDIT_FACILITY)
    assert "attestation" in needed_columns(Kind.SELF_DECLARATION)
    assert needed_columns(Kind.REGISTRATION) == frozenset()
