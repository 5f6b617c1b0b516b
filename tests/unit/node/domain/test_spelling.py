"""One code, however it is typed, is one identifier and one pseudonym's input: at intake, when asked, when blinded."""

import ast
from collections.abc import Callable, Iterator, Mapping
from functools import cache, partial
from pathlib import Path

import pytest

from crypto.pseudonym import subject_input
from node.cli.references import read_subjects
from node.domain.identifiers import Identifier, Problem, Scheme, canonical_text, parse_identifier
from node.operations.stored_records import row_from_admitted
from tests.unit.node.domain.given import registered

ROOT = Path(__file__).parents[4]
ROOMS = ("agreements", "crypto", "node", "registry")
CODES = {
    "uscc": (Scheme.CN_USCC, "91440300MA5TERT15Q"),
    "hk_brn": (Scheme.HK_BRN_DUMMY, "C0012345"),
    "hk_cr": (Scheme.HK_CR, "LF7266467"),
    "mo_tin": (Scheme.MO_TIN, "80000001"),
    "mo_cr": (Scheme.MO_CR, "12345SO"),
    "lei": (Scheme.LEI, "9845TESTNODESHZHK005"),
}
FULL_WIDTH = {ordinal: ordinal + 0xFEE0 for ordinal in range(0x21, 0x7F)}


def inserted(sign: str, code: str) -> str:
    return code[:3] + sign + code[3:]


SPELLINGS: dict[str, Callable[[str], str]] = {
    "as it is": lambda code: code,
    "small": str.lower,
    "full-width": lambda code: code.translate(FULL_WIDTH),
    "small full-width": lambda code: code.lower().translate(FULL_WIDTH),
    "half of it full-width": lambda code: code[:4] + code[4:].translate(FULL_WIDTH),
    "in groups": lambda code: " ".join(code[at : at + 4] for at in range(0, len(code), 4)),
    "in groups with hyphens": lambda code: "-".join(code[at : at + 4] for at in range(0, len(code), 4)),
    "white space around": lambda code: f" \t\u3000\u00a0{code}\r\n",
    **{
        f"U+{ord(sign):04X} inside": partial(inserted, sign)
        for sign in "\t\u00a0\u2003\u2009\u202f\u205f\u3000\u2010\u2011\u2012\u2013\u2014\u2015\u2212\uff0d"
    },
}
SPOILERS = {
    "zero-width space": "\u200b", "zero-width joiner": "\u200d", "byte-order mark": "\ufeff", "word joiner": "\u2060",
    "soft hyphen": "\u00ad", "variation selector": "\ufe0f", "right-to-left mark": "\u200f", "circled digit": "①",
    "superscript": "²", "Arabic digit": "٣", "mathematical digit": "𝟏", "accent": "é", "Cyrillic letter": "А",
    "Greek letter": "Α", "Kelvin": "\u212a", "long s": "ſ", "ligature": "ﬀ", "full stop": ".", "line feed": "\n",
    "NUL": "\x00", "macron": "\u00af",
}  # fmt: skip


def blinded(identifier: Identifier) -> bytes:
    return subject_input(identifier.scheme.value, identifier.value)


@pytest.mark.parametrize("column", CODES)
@pytest.mark.parametrize("spelling", SPELLINGS)
def test_every_tolerated_spelling_gives_the_same_pseudonym_input_on_both_sides(column: str, spelling: str) -> None:
    scheme, code = CODES[column]
    typed = SPELLINGS[spelling](code)
    stored = row_from_admitted(registered(**({"uscc": "", "entity_type": "LIMITED"} | {column: typed})))
    (asked,) = read_subjects([f"{scheme}:{typed}"], None)

    assert [subject_input(*one) for one in stored.identifiers] == [blinded(asked)]
    assert blinded(asked) == b"sub/v1" + scheme.value.encode() + b"\x00" + code.encode()


@pytest.mark.parametrize("column", CODES)
@pytest.mark.parametrize("spoiler", SPOILERS)
def test_invisible_and_ornamental_characters_are_refused_not_removed(column: str, spoiler: str) -> None:
    scheme, code = CODES[column]
    sign = SPOILERS[spoiler]

    assert isinstance(parse_identifier(scheme, code[:4] + sign + code[4:]), Problem)
    assert isinstance(parse_identifier(scheme, code[:4] + sign + code[5:]), Problem)


def test_what_is_not_ascii_has_no_canonical_text() -> None:
    assert canonical_text("ß") is None
    assert canonical_text("ａ b—c") == "ABC"


@cache
def called_in() -> Mapping[str, set[str]]:
    """The names of what each module of the product calls."""
    found = {}
    for file in (file for room in ROOMS for file in (ROOT / room).rglob("*.py")):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        called = (one.func for one in ast.walk(tree) if isinstance(one, ast.Call))
        found[file.relative_to(ROOT).as_posix()] = {one.id for one in called if isinstance(one, ast.Name)}
    return found


def calls(name: str) -> Iterator[str]:
    """The modules of the product that call a function or class of this name."""
    return (module for module, called in called_in().items() if name in called)


def test_nothing_else_makes_identifiers_or_canonical_text() -> None:
    """So that nobody can arrive at a pseudonym from a text that was folded otherwise, or not at all."""
    assert set(calls("Identifier")) == set(calls("canonical_text")) == {"node/domain/identifiers.py"}
    assert set(calls("parse_identifier")) == {
        *("node/domain/identifiers.py", "node/domain/identification.py", "node/cli/references.py")
    }
    assert set(calls("subject_input")) == {"node/app/asking.py", "node/operations/build_index.py"}
