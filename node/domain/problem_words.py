"""What is wrong with a row, in Chinese: the phrases of a `Problem` are English, and each has its Chinese in a table.

For whoever writes or shows rejects; nothing that decides about a row looks here.
"""

import re
import tomllib
from collections.abc import Mapping
from functools import cache, lru_cache
from importlib.resources import files
from typing import Final, NamedTuple

from node.domain.identification import IDENTIFIER_COLUMNS
from node.domain.identifiers import Problem
from node.domain.map_draft import common_title
from node.domain.records import Kind, shipped_entry

GAP: Final = "{}"
"""Where a template has a number, a code or a heading, which both languages have in common."""
_MOST_REMEMBERED: Final = 4_000
"""So many different phrases are looked up once; most files have a few dozen."""
_GREEDY: Final = "(.+)"


class ProblemWords(NamedTuple):
    """The Chinese of templates by their English, and that of places that are no columns, by name."""

    phrases: Mapping[str, str]
    fields: Mapping[str, str]


@cache
def problem_words() -> ProblemWords:
    """The shipped table."""
    table = tomllib.loads((files("node.domain") / "data" / "problems.toml").read_text("utf-8"))
    return ProblemWords(table["phrases"], table["fields"])


@lru_cache(maxsize=_MOST_REMEMBERED)
def in_chinese(phrase: str) -> str:
    """What `expected` or `got` of a `Problem` says, in Chinese; as it stands where the table has nothing for it.

    A code of a list is the same in both languages. Of templates that fit, the one that says most itself is taken:
    "7 other characters" is no number of characters.
    """
    whole = problem_words().phrases.get(phrase)
    if whole is not None:
        return whole
    for pattern, chinese in _templates():
        found = pattern.fullmatch(phrase)
        if found is not None:
            return chinese.format(*found.groups())
    return phrase


def told_in_chinese(problem: Problem, kind: Kind | None = None) -> str:
    """The whole problem in one clause; a column goes by its title among those of `kind`, or by its name."""
    expected, got = in_chinese(problem.expected), in_chinese(problem.got)
    where = _spaced(title_in_chinese(problem.field, kind), "应为")
    return f"{_spaced(where, expected)}，{_spaced('实为', got)}"


def title_in_chinese(field: str, kind: Kind | None = None) -> str:
    """What a place of a `Problem` is called: by the catalogue where it is a column of that kind; else by its name.

    A scheme of identifiers is called as the column of its codes.
    """
    known = () if kind is None else shipped_entry(kind).columns
    own = next((one.zh for one in known if field in {one.heading, one.name}), "")
    column = next((one for one, schemes in IDENTIFIER_COLUMNS.items() if field in schemes), field)
    return own or problem_words().fields.get(field) or common_title(column)[0] or field


def _spaced(before: str, after: str) -> str:
    """Both together, with a space where Chinese meets letters or digits of ASCII."""
    meets = (before[-1:].isascii() and before[-1:].isalnum(), after[:1].isascii() and after[:1].isalnum())
    return f"{before} {after}" if any(meets) else before + after


@cache
def _templates() -> tuple[tuple[re.Pattern[str], str], ...]:
    """The phrases with gaps as patterns, those that say most first."""
    gapped = [one for one in problem_words().phrases.items() if GAP in one[0]]
    gapped.sort(key=lambda one: -len(one[0].replace(GAP, "")))
    return tuple((_pattern(english), chinese) for english, chinese in gapped)


def _pattern(english: str) -> re.Pattern[str]:
    return re.compile(_GREEDY.join(map(re.escape, english.split(GAP))), re.DOTALL)
