"""Invented enterprises for trials, demonstrations and measurements; the same for the same seed.

Codes are valid in form and invented in substance: no code repeats within 10 million rows of one seed.
"""

import random
import tomllib
from collections.abc import Iterator
from datetime import date, timedelta
from functools import cache
from importlib.resources import files
from typing import Final

import msgspec

from node.domain.check_digits import ALPHABET, organisation_check, unified_check
from node.domain.columns import standard_columns
from node.domain.records import Kind

_BASE: Final = len(ALPHABET)
_SERIALS: Final = _BASE**6
_STRIDE: Final = 7_368_787  # a prime that divides neither 31^6 nor 10^7: stepping by it meets every number once
_SHORT_SERIALS: Final = 10_000_000
_CAPITALS: Final = (3, 10, 30, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 50_000, 200_000)


class _Origin(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A register that invented enterprises come from, and how it writes codes and names."""

    weight: int
    code: str
    organisation: str
    entity_types: tuple[str, ...]
    suffix_zh: str
    suffix_en: str


class _Words(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    zh: tuple[str, ...]
    en: tuple[str, ...]
    trades: tuple[tuple[str, str, str], ...]
    regions: tuple[tuple[str, str], ...]
    statuses: tuple[str, ...]
    origins: tuple[_Origin, ...]


def sample_enterprises(seed: int, count: int, today: date) -> Iterator[dict[str, str]]:
    """Yield `count` rows of a standard registration file, every one of them admissible on `today`."""
    words, chance = _words(), random.Random(seed)  # noqa: S311 - invented data, repeatable on purpose
    start = chance.randrange(_SERIALS)
    weights = [origin.weight for origin in words.origins]
    empty = dict.fromkeys(standard_columns(Kind.REGISTRATION), "")
    for number in range(count):
        origin = chance.choices(words.origins, weights)[0]
        yield empty | _enterprise(origin, start + number * _STRIDE, words, chance, today)


def _enterprise(origin: _Origin, serial: int, words: _Words, chance: random.Random, today: date) -> dict[str, str]:
    pick = chance.choice
    region, place = pick(words.regions) if origin.organisation else (origin.code, "")
    trade_zh, trade_en, division = pick(words.trades)
    row = {
        "name_zh": f"{place}{pick(words.zh)}{pick(words.zh)}{pick(words.zh)}{trade_zh}{origin.suffix_zh}",
        "name_en": f"{pick(words.en)} {pick(words.en)} {trade_en} {origin.suffix_en}",
        "entity_type": pick(origin.entity_types),
        "established_on": (today - timedelta(days=chance.randrange(30, 12_000))).isoformat(),
        "capital": f"{pick(_CAPITALS)}万",
        "industry_section": division[:1],
        "industry_division": division,
        "region_code": region,
        "address": f"{place}{pick(words.zh)}{pick(words.zh)}路{chance.randrange(1, 400)}号",
        "status": pick(words.statuses),
    }
    return row | _codes(origin, region, serial)


def _codes(origin: _Origin, region: str, serial: int) -> dict[str, str]:
    if not origin.organisation:
        short = f"{serial % _SHORT_SERIALS:07d}"
        return {"hk_cr": short, "hk_brn": f"1{short}"} if origin.code == "HK" else {"mo_tin": f"8{short}"}
    organisation = origin.organisation + _digits(serial % _SERIALS)
    body = origin.code + region + organisation + organisation_check(organisation)
    return {"uscc": body + unified_check(body)}


def _digits(serial: int) -> str:
    text = ""
    for _ in range(6):
        serial, digit = divmod(serial, _BASE)
        text += ALPHABET[digit]
    return text


@cache
def _words() -> _Words:
    table = tomllib.loads((files("node.domain") / "data" / "sample_enterprises.toml").read_text("utf-8"))
    return msgspec.convert(table, _Words)
