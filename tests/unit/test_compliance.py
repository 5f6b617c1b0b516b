"""The page of compliance keeps its word: it is what the table gives, and whatever the table names is there."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from docs.write_compliance import LAST_ARTICLE, PAGE, ROOT, TABLE, Rule, read_table, write_page
from registry.errors import BadPack
from tests.named import is_place, is_test, names_of_tests

TEXT = TABLE.read_text(encoding="utf-8")
COMPLIANCE = read_table(TEXT)
CODE = [
    path
    for room in ("crypto", "registry", "agreements", "node", "deploy", "proto/creditport")
    for path in (ROOT / room).rglob("*")
    if path.suffix in {".py", ".toml", ".proto"}
]
ONE = r"\d+(?:\.\d+)?(?:\(\d+\))?"
CITED = re.compile(rf"(?:\bS |^article = \")({ONE}(?:(?:, |-| to ){ONE})*)", re.MULTILINE)
NUMBER = re.compile(r"(\d+)(?:\.\d+)?(?:\(\d+\))?(?:(?:-| to )(\d+))?")


def test_the_page_is_the_one_that_the_table_gives() -> None:
    """`make docs` writes it anew."""
    assert PAGE.read_text(encoding="utf-8") == write_page(COMPLIANCE)


def test_every_article_is_there_and_most_of_them_bind() -> None:
    assert sorted(COMPLIANCE.articles) == list(range(1, LAST_ARTICLE + 1))
    assert Counter(one.binds for one in COMPLIANCE.articles.values()) == {"yes": 49, "partly": 21, "no": 12}


@pytest.mark.parametrize("number", range(1, LAST_ARTICLE + 1))
def test_an_article_that_binds_has_a_rule_and_one_that_does_not_says_why(number: int) -> None:
    article = COMPLIANCE.articles[number]

    assert bool(article.rules) is (article.binds != "no")
    assert (article.because is None) is (article.binds == "yes")


def test_every_rule_is_enforced_and_tested_or_open_for_a_listed_reason() -> None:
    unclear = [rule.en for rule in COMPLIANCE.rules if not is_clear(rule)]
    reasons = {rule.open for rule in COMPLIANCE.rules} - {""}

    assert unclear == []
    assert reasons == set(COMPLIANCE.open)


def is_clear(rule: Rule) -> bool:
    return not (rule.enforced or rule.tests) if rule.open else bool(rule.enforced and rule.tests)


def lost(rules: tuple[Rule, ...]) -> list[str]:
    """The places and tests that rules name and that are not there."""
    places = [place for rule in rules for place in rule.enforced if not is_place(place)]
    return places + [test for rule in rules for test in rule.tests if not is_test(test)]


def test_every_place_and_every_test_that_a_rule_names_is_there() -> None:
    assert lost(COMPLIANCE.rules) == []


@pytest.mark.parametrize(
    "place",
    [
        "agreements.permission.decide_nothing",
        "agreements.permissions.decide_query",
        "agreements.permission",
        "agreements.permission.Facts.notices_due",
        "agreements.permission.decide_item.opened",
        "agreements.permission.Refused",
        "registry/data/rules/SZ-DRAFT-82.toml: clocks.NEVER",
        "registry/data/rules/SZ-DRAFT-82.toml: retention.max_days.more",
        "registry/data/rules/SZ-DRAFT-83.toml: clocks.AGR_FILE",
        "proto/creditport/v1/exchange.proto: QueryNothing",
        "README.md: Creditport",
    ],
)
def test_a_place_that_is_gone_is_noticed(place: str) -> None:
    rule = Rule(
        zh="虚构", en="made up", enforced=(place,), tests=("tests/unit/test_docs.py::test_the_readme_stays_short",)
    )

    assert lost((rule,)) == [place]


@pytest.mark.parametrize(
    "test",
    [
        "tests/unit/test_docs.py::test_that_nobody_wrote",
        "tests/unit/test_doc.py::test_the_readme_stays_short",
        "tests/unit/test_docs.py::TestNothing::test_the_readme_stays_short",
        "tests/unit/test_docs.py::without_code",
        "tests/unit/test_docs.py",
        "docs/write_compliance.py::write_page",
    ],
)
def test_a_test_that_is_gone_is_noticed(test: str) -> None:
    rule = Rule(zh="虚构", en="made up", enforced=("agreements.permission.decide_query",), tests=(test,))

    assert lost((rule,)) == [test]


def test_places_of_every_sort_are_found() -> None:
    places = (
        "agreements.permission.decide_query",
        "agreements.permission.Facts.notices_overdue",
        "registry.parties.PartyClass.is_authority",
        "registry.parties.CARD_KIND",
        "node.operations.ports.UnitOfWork",
        "registry/data/rules/SZ-DRAFT-82.toml: clocks.AGR_FILE",
        "registry/data/rules/SZ-DRAFT-82.toml: filings.authority_of",
        "proto/creditport/v1/exchange.proto: BatchQuery",
    )

    assert [place for place in places if not is_place(place)] == []


def test_tests_are_found_with_parameters_in_classes_and_not_inside_of_others(tmp_path: Path) -> None:
    file = tmp_path / "test_made_up.py"
    file.write_text(
        "import pytest\n"
        "raise SystemExit('whoever imports this ends')\n"
        "class TestOne:\n"
        "    async def test_method(self): ...\n"
        "@pytest.mark.parametrize('n', [1])\n"
        "def test_parameters(n):\n"
        "    def test_within(): ...\n"
        "def helper(): ...\n",
        encoding="utf-8",
    )

    assert names_of_tests(file) == {"TestOne::test_method", "test_parameters"}


def cited(path: Path) -> Iterator[int]:
    """The articles that a file of the code cites."""
    for citation in CITED.findall(path.read_text(encoding="utf-8")):
        for first, last in NUMBER.findall(citation):
            yield from range(int(first), int(last or first) + 1)


def test_every_article_that_the_code_cites_has_a_row() -> None:
    """A refusal, a finding, a legal basis or a docstring leads to a rule."""
    where = {number: str(path.relative_to(ROOT)) for path in CODE for number in cited(path)}
    lead = {number for number, article in COMPLIANCE.articles.items() if article.rules}

    assert {34, 36, 79} <= where.keys()
    assert {number: path for number, path in where.items() if number not in lead} == {}


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("(S 18(1)).", {18}),
        ("S 34, 36-38, 42)", {34, 36, 37, 38, 42}),
        ("S 63 to 65)", {63, 64, 65}),
        ('"S 9"', {9}),
        ('article = "39.1, 43(4) (silent: 12 days)"', {39, 43}),
        ("LEGAL_BASES 3", set()),
    ],
)
def test_citations_are_read_one_by_one_in_lists_and_in_ranges(tmp_path: Path, text: str, numbers: set[int]) -> None:
    file = tmp_path / "cites.py"
    file.write_text(text, encoding="utf-8")

    assert set(cited(file)) == numbers


def test_a_row_that_would_break_the_table_is_refused() -> None:
    for broken in ("a | b", ""):
        with pytest.raises(BadPack):
            read_table(TEXT.replace(f'en = "{COMPLIANCE.articles[1].en}"', f'en = "{broken}"'))


def test_an_open_rule_says_so_in_its_row() -> None:
    open_rule = next(rule for rule in COMPLIANCE.rules if rule.open)
    (row,) = [line for line in write_page(COMPLIANCE).splitlines() if f"<br>{open_rule.en} |" in line]

    assert f"*open*: {COMPLIANCE.open[open_rule.open].en}" in row
