"""What is wrong with a row is said in Chinese too: for every phrase that the code has, and for every row it rejects."""

import re
from collections.abc import Iterator
from io import BytesIO

import pytest

from node.domain.identifiers import Problem, Scheme, parse_identifier
from node.domain.intake import Rejected, admit
from node.domain.joining import Unjoined
from node.domain.mapping import read_mapping
from node.domain.problem_words import GAP, in_chinese, problem_words, title_in_chinese, told_in_chinese
from node.domain.records import Kind
from node.domain.rows import BadRow, Format, Row, read_rows
from tests.phrases import PROBLEM, Phrases, module_of, modules_in
from tests.unit.node.domain.given import PENALTY, intake
from tests.unit.node.domain.sampled import ADMITTED, sampled

CHINESE = re.compile(r"[\u4e00-\u9fff]")
CODE = re.compile(r"[A-Z0-9+_-]{1,24}")
TELLING = modules_in("node/domain", "node/operations")
"""The rooms that say what is wrong with a row."""


@pytest.fixture(scope="module")
def said() -> Phrases:
    return Phrases.of(TELLING, "expected", "got")


def test_every_phrase_of_the_code_has_its_chinese(said: Phrases) -> None:
    missing = {phrase: place for phrase, place in said.found.items() if phrase not in problem_words().phrases}

    missing.pop(GAP)  # a code that is repeated, and nothing else
    assert missing == {}


def test_every_phrase_of_the_code_was_found(said: Phrases) -> None:
    assert said.lost == set()


def test_no_chinese_is_left_of_a_phrase_that_nobody_says_any_more(said: Phrases) -> None:
    assert problem_words().phrases.keys() - said.found.keys() == set()


def test_nobody_else_makes_a_problem() -> None:
    knowing = modules_in("node", word="Problem")
    making = {one.name for one in knowing if any(PROBLEM in one.called(call.func) for call in one.calls)}

    assert len(making) > 10
    assert making - {one.name for one in TELLING} == set()


def test_both_languages_carry_over_the_same() -> None:
    filled = {one.replace(GAP, "42"): chinese.replace(GAP, "42") for one, chinese in problem_words().phrases.items()}

    assert {english: in_chinese(english) for english in filled} == filled
    assert [english for english, chinese in filled.items() if not CHINESE.search(chinese)] == []
    assert [one for one, chinese in problem_words().phrases.items() if one.count(GAP) != chinese.count(GAP)] == []


def test_every_place_that_is_named_has_a_title_in_chinese() -> None:
    named = Phrases.of(TELLING, "field").found.keys() - {GAP}
    titles = {place: {title_in_chinese(place, kind) for kind in Kind} for place in named}

    assert [place for place, found in titles.items() if not any(map(CHINESE.search, found))] == []
    assert problem_words().fields.keys() <= named


def test_a_problem_is_one_clause_with_the_title_of_its_column() -> None:
    typed = parse_identifier(Scheme.CN_USCC, "9144")
    assert isinstance(typed, Problem)

    assert told_in_chinese(Problem("uscc", typed.expected, typed.got), Kind.PENALTY) == (
        "统一社会信用代码应为 18 位统一社会信用代码（GB 32100），其中行政区划码为 6 位数字，实为不合格式的 4 个字符"
    )
    assert told_in_chinese(Problem("row", "7 columns", "5 columns")) == "整行应为 7 列，实为 5 列"
    assert told_in_chinese(Problem("procedure", "GENERAL", "SUMMARY"), Kind.PENALTY) == (
        "处罚程序应为普通程序（GENERAL），实为 SUMMARY"
    )


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        ("7 other characters", "不合格式的 7 个字符"),
        ("7 characters that are no code", "非代码的 7 个字符"),
        ("7 characters", "7 个字符"),
        ("the column {0} {}", "取自 {0} {} 列的值"),
        ("the column two\nlines", "取自 two\nlines 列的值"),
        ("N11, NX, or the kind of its category", "N11、NX，或者按其类别另选信息种类"),
        (Unjoined.SEVERAL.value, "空缺，且本节点有多家企业为此名称"),
    ],
)
def test_what_differs_from_row_to_row_is_carried_over(english: str, chinese: str) -> None:
    assert in_chinese(english) == chinese


@pytest.mark.parametrize("phrase", ["A1", "91", "words that nobody has put into Chinese", ""])
def test_what_has_no_chinese_stays_as_it_is(phrase: str) -> None:
    assert in_chinese(phrase) == phrase


# Rows that are indeed rejected.

DAMAGE = (
    "", "x", "ZZ9", "2999-01-01", "1.5.2", "true", "false", "SUMMARY", "-1", "13800138000", "负责人患病", "长" * 9000,
    "92440300MA5TERT15Q", "91440300MA5TERT15P", "\u200b91440300MA5TERT15Q", "OTHER", "UNSPECIFIED", "STATE_SECRET",
)  # fmt: skip
"""What stands in a column by mistake: nothing, another column's text, a wrong code, a person's data, a day to come."""


def damaged(kind: Kind) -> Iterator[Rejected]:
    (row,) = sampled(kind)
    by = intake(kind)
    for column in (*row, "hk_brn", "hk_cr", "mo_tin", "mo_cr", "lei", "data_class", "uscc_check_attested"):
        for text in DAMAGE:
            answer = admit(Row(2, row | {column: text}), by)
            if isinstance(answer, Rejected):
                yield answer


def untold(problem: Problem) -> list[str]:
    told = (problem.expected, problem.got)
    return [one for one in told if not CHINESE.search(in_chinese(one)) and not CODE.fullmatch(one)]


@pytest.mark.parametrize("kind", ADMITTED)
def test_a_damaged_row_of_any_kind_is_rejected_in_chinese_too(kind: Kind) -> None:
    problems = {one.problem for one in damaged(kind)}

    assert len({(one.expected, one.got) for one in problems}) > 20
    assert [one for one in problems if untold(one) or not CHINESE.search(title_in_chinese(one.field, kind))] == []


FILES = {
    "no header": (b"a,a\n1,2\n", Format.CSV),
    "shifted columns": (b"a,b\n1\n", Format.CSV),
    "an open quote": (b'a,b\n"1,2\n', Format.CSV),
    "an empty line in a quote": (b'a,b\n"1\n\n', Format.CSV),
    "another encoding": ("名称,b\n".encode() + b"\xff\xff,2\n" + "甲,乙\n".encode() * 9, Format.CSV),
    "a line too long": (b'{"a": "' + b"x" * 2**20 + b'"}\n', Format.JSON_LINES),
    "no object": (b"[1]\n", Format.JSON_LINES),
    "a nested object": (b'{"a": {"b": 1}}\n', Format.JSON_LINES),
}


@pytest.mark.parametrize(("raw", "form"), FILES.values(), ids=FILES)
def test_a_row_that_cannot_be_read_is_named_in_chinese_too(raw: bytes, form: Format) -> None:
    bad = [one.problem for one in read_rows(BytesIO(raw), form) if isinstance(one, BadRow)]

    assert bad
    assert [one for one in bad if untold(one) or not CHINESE.search(title_in_chinese(one.field))] == []


def test_a_row_that_does_not_fit_its_mapping_is_named_in_chinese_too() -> None:
    mapping = read_mapping(
        'id = "m"\nkind = "201"\n[columns.uscc]\nfrom = ["a", "b"]\n'
        '[columns.decided_on]\nfrom = ["day"]\ndate = "DMY"\n'
        '[columns.procedure]\nfrom = ["how"]\ntable = "t"\n[tables.t]\n"一般" = "GENERAL"\n'
    )
    sound = {"a": "1", "b": "2", "day": "5.3.2024", "how": "一般"}
    rows = [PENALTY, sound | {"day": "2024"}, sound | {"how": "简易"}]
    bad = [mapping.apply(Row(2, row)) for row in rows]

    assert [told_in_chinese(one.problem, Kind.PENALTY) for one in bad if isinstance(one, BadRow)] == [
        "统一社会信用代码应为取自 a + b 列的值，实为文件中无此列",
        "处罚决定日期应为按 DMY 顺序书写的日期（Y 年、M 月、D 日），实为不合格式的 4 个字符",
        "处罚程序应为映射对照表所列的文本，实为表外的 2 个字符",
    ]


# How phrases are found.

SOURCE = """
from node.domain.identifiers import Problem
from enum import StrEnum

_TABLE = {{1: "in a table"}}
_WORD = "in a constant"

class Why(StrEnum):
    ONE = "in an enum"

class Reading:
    def note(self, field: str, expected: str, got: str) -> Problem:
        return Problem(field, expected, got)

def through(expected: str) -> Problem:
    return Problem("f", expected, "-")

def answer(value: str) -> str:
    return value if value else "in an answer"

def told(why: Why, count: int, ready: bool, reading: Reading) -> object:
    local = "in a name"
    return {said}
"""


def found_in(said: str) -> Phrases:
    return Phrases.of([module_of("some.module", SOURCE.format(said=said))], "expected", "got")


@pytest.mark.parametrize(
    ("said", "phrase"),
    [
        ('Problem("f", "plain", "-")', "plain"),
        ('Problem("f", "-", got="by keyword")', "by keyword"),
        ('Problem("f", f"{count} of {count}", "-")', "{} of {}"),
        ('Problem("f", "{} later".format(count), "-")', "{} later"),
        ('Problem("f", "this" if ready else "that", "-")', "that"),
        ('Problem("f", _TABLE[count], "-")', "in a table"),
        ('Problem("f", _WORD, "-")', "in a constant"),
        ('Problem("f", why.value, "-")', "in an enum"),
        ('Problem("f", local, "-")', "in a name"),
        ('Problem("f", answer(local), "-")', "in an answer"),
        ('through("handed on")', "handed on"),
        ('reading.note("f", "-", "to a method")', "to a method"),
        ('replace(Problem("f", "-", "-"), got="put in later")', "put in later"),
    ],
)
def test_a_phrase_is_found_wherever_it_is_written(said: str, phrase: str) -> None:
    found = found_in(said)

    assert phrase in found.found
    assert found.lost == set()


@pytest.mark.parametrize(
    "said",
    [
        'Problem("f", elsewhere(), "-")', "Problem(*local)", "Problem(**local)", 'Problem("f", local + "-", "-")',
        'partial(Problem, "f")', "map(through, local)", "partial(reading.note, local)", 'Problem("f", why.name, "-")',
    ],
)  # fmt: skip
def test_a_phrase_that_cannot_be_followed_is_told(said: str) -> None:
    assert len(found_in(said).lost) >= 1
