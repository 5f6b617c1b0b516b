# ruff: noqa: INP001 - a program beside the page that it writes, not a package
"""Writes compliance.md from compliance.toml: each article, its rules, where each is enforced, and by which test.

`make docs` writes the page; a test fails when the page is not the one that the table gives, and when a place or a
test that the table names is gone.
"""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

from registry.norms.packs import read_pack

ROOT: Final = Path(__file__).parents[1]
TABLE: Final = ROOT / "docs" / "compliance.toml"
PAGE: Final = ROOT / "docs" / "compliance.md"
LAST_ARTICLE: Final = 82

_HEAD: Final = """\
# Compliance, article by article · 逐条合规对照

Each article of the draft Shenzhen social credit regulation, what it asks of a node in our own words, where that is
enforced, and the tests that fail when it no longer is. What nothing enforces yet says *open*. `make docs` writes this
page from [compliance.toml](compliance.toml): change that, never this.

本页逐条列出《深圳经济特区社会信用条例（草案）》对节点的要求（以本产品自己的表述）、落实之处，
以及失效时即告失败的测试。尚未落实的标为 *open*。本页由 `make docs` 根据 [compliance.toml](compliance.toml)
生成，请勿直接修改。
""".splitlines()

_Line = Annotated[str, Meta(min_length=1, max_length=240, pattern=r"\A[^|\n]+\Z")]


class Said(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One line in each language."""

    zh: _Line
    en: _Line


class Rule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an article asks, in our words: either enforced somewhere and tested, or open for a listed reason.

    `enforced` names places: `module.name` of the code, `file.toml: key.path`, or `file.proto: Name`.
    """

    zh: _Line
    en: _Line
    enforced: tuple[str, ...] = ()
    tests: tuple[str, ...] = ()
    open: str = ""


class Article(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One article: what it is about, whether it binds a node, and why not, or why in part only."""

    zh: _Line
    en: _Line
    binds: Literal["yes", "partly", "no"]
    because: Said | None = None
    rules: tuple[Rule, ...] = ()


class Part(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A chapter or section, by its first article."""

    zh: _Line
    en: _Line
    first: int


class Compliance(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole table: parts in order, why rules are open, and the articles by number."""

    parts: tuple[Part, ...]
    open: dict[str, Said]
    articles: dict[int, Article]

    @property
    def rules(self) -> tuple[Rule, ...]:
        """Every rule, in the order of the articles."""
        return tuple(rule for _, article in sorted(self.articles.items()) for rule in article.rules)


def read_table(text: str) -> Compliance:
    """The table in TOML `text`; BadPack names the place that does not fit."""
    return read_pack(text, Compliance, TABLE.name)


def file_of(place: str) -> str:
    """The file in which a place is, relative to the root, whether or not it is there."""
    file, colon, _ = place.partition(": ")
    if colon:
        return file
    words = place.split(".")
    modules = ("/".join(words[:end]) for end in range(len(words) - 1, 0, -1))
    found = (file for module in modules for file in (f"{module}.py", f"{module}/__init__.py") if (ROOT / file).exists())
    return next(found, "/".join(words[:-1]) + ".py")


def write_page(table: Compliance) -> str:
    """The page in Markdown; the same table always gives the same page."""
    ends = [*(part.first for part in table.parts), LAST_ARTICLE + 1]
    spans = zip(table.parts, pairwise(ends), strict=True)
    return "\n".join([*_head(table), *(line for part, span in spans for line in _part(table, part, range(*span)))])


def _head(table: Compliance) -> Iterator[str]:
    binds = [article.binds for article in table.articles.values()]
    left = sum(bool(rule.open) for rule in table.rules)
    yield from (*_HEAD, "")
    yield "| | |"
    yield "|---|---|"
    yield f"| articles that bind · 适用的条文 | {binds.count('yes')} |"
    yield f"| articles that bind in part · 部分适用的条文 | {binds.count('partly')} |"
    yield f"| articles that do not bind a node · 不适用于节点的条文 | {binds.count('no')} |"
    yield f"| rules enforced and tested · 已落实并经测试的规则 | {len(table.rules) - left} |"
    yield f"| rules *open* · 未落实的规则 | {left} |"


def _part(table: Compliance, part: Part, numbers: range) -> Iterator[str]:
    yield from ("", f"## {part.en} · {part.zh}", "", "| article | rule | enforced in | test |", "|---|---|---|---|")
    for number in numbers:
        article = table.articles[number]
        heads = [_title(number, article), *[f"S {number}"] * (len(article.rules) - 1)]
        for head, rule in zip(heads, article.rules, strict=True) if article.rules else ():
            yield _row(head, f"{rule.zh}<br>{rule.en}", *_shown(rule, table))
        if not article.rules:
            yield _row(heads[0], "-", "-", "-")
    if numbers.stop > LAST_ARTICLE:
        yield ""


def _title(number: int, article: Article) -> str:
    title = f"**S {number}** {article.zh}<br>{article.en}"
    if article.because is None:
        return title
    zh, en = ("部分适用", "binds in part") if article.binds == "partly" else ("不适用", "does not bind")
    return f"{title}<br>*{zh}：{article.because.zh}<br>{en}: {article.because.en}*"


def _shown(rule: Rule, table: Compliance) -> tuple[str, str]:
    if rule.open:
        why = table.open[rule.open]
        return f"*open*：{why.zh}<br>*open*: {why.en}", "-"
    places = (f"[`{place}`](../{file_of(place)})" for place in rule.enforced)
    tests = (f"[`{test}`](../{test.partition('::')[0]})" for test in rule.tests)
    return "<br>".join(places), "<br>".join(tests)


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    PAGE.write_text(write_page(read_table(TABLE.read_text(encoding="utf-8"))), encoding="utf-8")
