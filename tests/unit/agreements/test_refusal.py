from pathlib import Path

import pytest

from agreements.refusal import NUMBER, Refusal, explain, refuse

PAGE = Path(__file__).parents[3] / "docs" / "protocol" / "refusals.md"


def test_the_published_page_lists_every_code_with_its_number_and_words() -> None:
    rows = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    listed = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows[1:]]

    assert listed == [
        [str(NUMBER[code]), f"`{code}`", explain(code).article, explain(code).en, explain(code).zh] for code in Refusal
    ]


def test_numbers_are_unique_and_grouped_by_hundreds() -> None:
    assert len(set(NUMBER.values())) == len(Refusal)
    assert NUMBER[Refusal.EXCLUDED_CATEGORY] == 101
    assert NUMBER[Refusal.AGREEMENT_NOT_FILED] == 403
    assert NUMBER[Refusal.DELETION_WITHOUT_BASIS] == 901
    assert NUMBER[Refusal.SCALE_UNKNOWN] == 1203


@pytest.mark.parametrize("code", Refusal)
def test_every_code_rests_on_an_article_and_is_said_in_both_languages(code: Refusal) -> None:
    said = explain(code)

    assert said.article.startswith("S ")
    assert said.en.endswith(".")
    assert said.zh.endswith("。")


def test_a_refusal_names_code_article_and_rule_pack() -> None:
    refused = refuse(Refusal.AGREEMENT_SCOPE, "SZ-DRAFT-82@1", "fields: expected only those agreed")

    assert (refused.reason, refused.article, refused.rule_pack) == (
        "AGREEMENT_SCOPE",
        "S 34",
        "SZ-DRAFT-82@1",
    )
