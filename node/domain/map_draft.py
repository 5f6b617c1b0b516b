"""Drafting a mapping: guesses from the headings of somebody's file, marked where a person has to look.

A heading that is one of our words is taken for it. One that contains a word of ours, or is contained in one, is a guess
and says so. What a record of the kind needs and no heading offers stands there as a comment to be filled in.
"""

import json
import tomllib
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Final, NamedTuple

from node.domain.columns import needed_columns, standard_columns
from node.domain.identification import IDENTIFIER_COLUMNS
from node.domain.records import Kind, shipped_entry
from registry.norms.catalogue import HomeField, ValueType, load_catalogue
from registry.norms.code_lists import CodeListName, load_code_list

_EXACT: Final = 1_000
_SHORTEST_WORD: Final = 2
_SHORTEST_LATIN: Final = 4
_NAMES: Final = ("name_zh", "name_en")


class _Guess(NamedTuple):
    """How well a heading fits one of our columns; better ones sort first."""

    score: int
    column: str
    heading: str


def draft_mapping(kind: Kind, headings: Sequence[str], name: str) -> str:
    """A mapping file, as TOML, for a file with these headings; it can be read as it is, and is to be looked through."""
    entry = shipped_entry(kind)
    fields = {field.heading: field for field in entry.columns}
    chosen = _choose(kind, headings, fields)
    sources = [one.written(code) for code, one in load_catalogue().sources_of(entry).items()]
    lines = [
        f"# Drafted from the headings of a file of kind {kind.value}: {entry.name_zh}, {entry.name_en}.",
        f"id = {_quoted(name)}",
        f'kind = "{kind.value}"',
        f'# source = ""  # NEEDED, here or with the import: {" or ".join(sources)}',
    ]
    lines += _identity(chosen)
    for column in standard_columns(kind):
        guess, field = chosen.get(column), fields.get(column)
        if guess is not None:
            lines += _column(guess, field)
        elif field is not None and column in needed_columns(kind):
            lines += _missing(f"{field.zh}, {field.en}", field.heading)
    for column in chosen:
        lines += _table(fields.get(column))
    unused = [heading for heading in headings if heading not in {guess.heading for guess in chosen.values()}]
    lines += ["", "# Not used, and dropped before anything looks at it:"] if unused else []
    lines += [f"#   {_quoted(heading)}" for heading in unused]
    return "\n".join(lines) + "\n"


def _choose(kind: Kind, headings: Sequence[str], fields: Mapping[str, HomeField]) -> dict[str, _Guess]:
    """The best heading for each of our columns; each heading once, and the surest guesses first."""
    guesses = [
        _Guess(score, column, heading)
        for column in standard_columns(kind)
        for heading in headings
        if (score := _score(heading, _words_of(column, fields.get(column)))) > 0
    ]
    chosen: dict[str, _Guess] = {}
    taken: set[str] = set()
    for guess in sorted(guesses, key=lambda one: -one.score):
        if guess.column not in chosen and guess.heading not in taken:
            chosen[guess.column] = guess
            taken.add(guess.heading)
    return chosen


def _words_of(column: str, field: HomeField | None) -> Iterator[str]:
    yield column
    yield from () if field is None else (field.name, field.zh, field.en)
    yield from _headings().get(column, ())


def _score(heading: str, words: Iterator[str]) -> int:
    """How well a heading fits any of the words: 0 not at all, `_EXACT` without a doubt."""
    folded, best = _folded(heading), 0
    for word in map(_folded, words):
        if folded == word:
            return _EXACT
        inner, outer = sorted((folded, word), key=len)
        if len(inner) >= (_SHORTEST_LATIN if inner.isascii() else _SHORTEST_WORD) and inner in outer:
            best = max(best, 100 * len(inner) // len(outer))
    return best


def _folded(text: str) -> str:
    return "".join(letter for letter in unicodedata.normalize("NFKC", text).casefold() if letter.isalnum())


def _column(guess: _Guess, field: HomeField | None) -> list[str]:
    doubt = "" if guess.score == _EXACT else "  # a guess: look whether it is this"
    lines = ["", f"[columns.{guess.column}]{doubt}", f"from = [{_quoted(guess.heading)}]"]
    if field is None:
        return lines
    if field.type is ValueType.DAY:
        lines.append('date = "YMD"  # or "DMY", "MDY": it is never guessed')
    if _has_table(field):
        lines.append(f'table = "{guess.column}"')
    if field.type is ValueType.CODES:
        lines.append('separator = "、"')
    return lines


def _missing(title: str, column: str) -> list[str]:
    """What no heading offers, and records need."""
    return ["", f"# NEEDED, and no heading says it: {title}", f"# [columns.{column}]", '# from = [""]']


def _identity(chosen: Mapping[str, _Guess]) -> list[str]:
    """What no heading says of whom a row is about: every kind needs one code, and a name in one language."""
    lines: list[str] = []
    if chosen.keys().isdisjoint(IDENTIFIER_COLUMNS):
        lines += _missing(f"主体代码, a code: one of {', '.join(IDENTIFIER_COLUMNS)}", "uscc")
    if chosen.keys().isdisjoint(_NAMES):
        lines += _missing(f"主体名称, a name: {' or '.join(_NAMES)}", "name_zh")
    return lines


def _table(field: HomeField | None) -> list[str]:
    """The words that stand for the codes of a list, to be completed with those of the file."""
    if field is None or field.codes is None or not _has_table(field):
        return []
    words: dict[str, str] = {}
    for code, meaning in load_code_list(field.codes).codes.items():
        for word in (code, meaning.zh, meaning.en):
            words.setdefault(word, code)
    rows = [f'{_quoted(word)} = "{code}"' for word, code in words.items() if word]
    return ["", f"[tables.{field.heading}]  # add the words of the file", *rows]


def _has_table(field: HomeField) -> bool:
    """Whether a file has words for the codes; regions and industries are numbers of any depth, which intake reads."""
    return field.codes is not None and field.codes not in {CodeListName.REGIONS, CodeListName.INDUSTRY_DIVISIONS}


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def common_title(column: str) -> tuple[str, str]:
    """The Chinese and English title of a column that every kind has; empty for one of a kind's own."""
    zh, en = _table_of_headings()["titles"].get(column, ("", ""))
    return zh, en


def _headings() -> Mapping[str, Sequence[str]]:
    return _table_of_headings()["words"]


@cache
def _table_of_headings() -> Mapping[str, Mapping[str, Sequence[str]]]:
    return tomllib.loads((files("node.domain") / "data" / "headings.toml").read_text("utf-8"))
