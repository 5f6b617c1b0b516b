"""Invented records of every kind but registrations, about enterprises of any file; the same for the same seed."""

import random
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Final, NamedTuple

import msgspec

from node.domain.columns import IDENTITY_COLUMNS, standard_columns
from node.domain.records import Kind, shipped_entry
from registry.norms.catalogue import HomeField, ValueType
from registry.norms.code_lists import CodeListName, load_code_list

_AMOUNTS: Final = (150_000, 300_000, 800_000, 2_000_000, 12_000_000, 60_000_000)
_YEARS_BACK: Final = 8
_MONTHS_BACK: Final = 24
_CONSENT_DAYS: Final = 360


class _Together(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    columns: tuple[str, ...]
    choices: tuple[tuple[str, ...], ...]


class _Words(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    together: tuple[_Together, ...]
    texts: dict[str, tuple[str, ...]]


class _Row(NamedTuple):
    """What the columns of one row are invented from."""

    kind: Kind
    number: int
    day: date
    today: date
    chance: random.Random


def sample_records(
    kind: Kind, seed: int, enterprises: Sequence[Mapping[str, str]], count: int, today: date
) -> Iterator[dict[str, str]]:
    """Yield `count` rows of a standard file of `kind` about these enterprises, every one of them admissible on `today`.

    Days lie in the last eight years, so that about three in eight are past a period of five.
    """
    words, chance = _words(), random.Random(f"{kind.value}/{seed}")  # noqa: S311 - invented data, repeatable on purpose
    fields = tuple(shipped_entry(kind).columns)
    columns = standard_columns(kind)
    for number in range(count):
        day = today - timedelta(days=chance.randrange(1, _YEARS_BACK * 365))
        row = _Row(kind, number, day, today, chance)
        about = chance.choice(enterprises)
        own = {name: about.get(name, "") for name in IDENTITY_COLUMNS}
        made = {field.heading: _invented(field, row, words) for field in fields}
        yield dict.fromkeys(columns, "") | own | made | _together(made, words, chance)


def _together(made: Mapping[str, str], words: _Words, chance: random.Random) -> dict[str, str]:
    """The values of columns that belong together, where the kind has them all."""
    found: dict[str, str] = {}
    for one in words.together:
        choice = chance.choice(one.choices)
        if made.keys() >= set(one.columns):
            found |= dict(zip(one.columns, choice, strict=True))
    return found


def _invented(field: HomeField, row: _Row, words: _Words) -> str:
    choices = words.texts.get(field.heading)
    if choices is not None and field.codes is not CodeListName.LEGAL_BASES:
        return row.chance.choice(choices)
    return _INVENTORS[field.type](field, row)


def _day(field: HomeField, row: _Row) -> str:
    if field.name == "consented_on":
        return (row.today - timedelta(days=1 + row.number % 30)).isoformat()
    if field.name == "consent_until":
        return (row.today + timedelta(days=_CONSENT_DAYS - 60 - row.number % 200)).isoformat()
    if field.ahead:
        return (row.day + timedelta(days=365 * row.chance.randrange(2, 10))).isoformat()
    return row.day.isoformat()


def _month(_: HomeField, row: _Row) -> str:
    return (row.today - timedelta(days=31 * row.chance.randrange(1, _MONTHS_BACK))).isoformat()[:7]


def _number(_: HomeField, row: _Row) -> str:
    return f"示例〔{row.day.year}〕{row.kind.value}-{row.number:07d}号"


def _code(field: HomeField, row: _Row) -> str:
    return "" if field.codes is None else row.chance.choice(_codes(field.codes))


_INVENTORS: Final[Mapping[ValueType, Callable[[HomeField, _Row], str]]] = {
    ValueType.TEXT: lambda field, _: f"示例{field.zh}",
    ValueType.FREE_TEXT: lambda field, _: f"示例{field.zh}",
    ValueType.DOCUMENT_NUMBER: _number,
    ValueType.REFERENCE: _number,
    ValueType.DIGEST: lambda field, row: sha256(f"{field.name}/{row.number}".encode()).hexdigest(),
    ValueType.CODE: _code,
    ValueType.CODES: _code,
    ValueType.DAY: _day,
    ValueType.MONTH: _month,
    ValueType.MONEY: lambda _, row: f"{row.chance.choice(_AMOUNTS)}元",
    ValueType.INTEGER: lambda _, row: str(row.chance.randrange(1, 200)),
    ValueType.FLAG: lambda _, row: row.chance.choice(("true", "true", "false")),
    ValueType.REGION: lambda _, row: row.chance.choice(("440300", "440100", "HK", "MO")),
}


@cache
def _codes(name: CodeListName) -> tuple[str, ...]:
    return tuple(sorted(load_code_list(name).all()))


@cache
def _words() -> _Words:
    table = tomllib.loads((files("node.domain") / "data" / "sample_words.toml").read_text("utf-8"))
    return msgspec.convert(table, _Words)
