"""Amounts as registers write them, kept exactly, and brought to yuan only to find their band."""

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Final

import msgspec

_LARGEST: Final = 2**53 - 1
_AMOUNT: Final = re.compile(
    r"(?P<whole>\d{1,3}(?:,\d{3})+|\d{1,15})(?:\.(?P<part>\d{1,6})0*)?"
    r"(?P<unit>[万萬亿億]{0,2})(?P<currency>[^\d.,]{0,8})"
)
_TEN_THOUSAND: Final = 4
_HUNDRED_MILLION: Final = 8
_UNITS: Final = {
    "": 0,
    "万": _TEN_THOUSAND,
    "萬": _TEN_THOUSAND,
    "亿": _HUNDRED_MILLION,
    "億": _HUNDRED_MILLION,
    "万亿": _TEN_THOUSAND + _HUNDRED_MILLION,
    "萬億": _TEN_THOUSAND + _HUNDRED_MILLION,
}
_CLEANED: Final = {0xFF01 + step: chr(0x21 + step) for step in range(94)} | dict.fromkeys(map(ord, "()（） \t\u3000"))


class Money(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An amount in hundredths of its currency (ISO 4217), never negative. Its representation hides it."""

    amount: int
    currency: str

    def __repr__(self) -> str:
        return "Money(...)"


def parse_money(text: str) -> Money | None:
    """Read `50（万元）`, `231万港币`, `12.5万美元`, `30(万元人民币)`, `1,000,000`, `500000 CNY` or `3亿元`.

    Brackets, spaces and full-width forms are ignored; no currency means yuan. None when it is no such amount,
    is finer than a hundredth, or too large to be written as an exact number.
    """
    found = _AMOUNT.fullmatch(text.translate(_CLEANED))
    if found is None:
        return None
    power, currency = _UNITS.get(found["unit"]), _currency(found["currency"])
    if power is None or currency is None:
        return None
    part = (found["part"] or "").rstrip("0")
    shift = power + 2 - len(part)
    if shift < 0:
        return None
    hundredths = int(found["whole"].replace(",", "") + part) * 10**shift
    return Money(hundredths, currency) if hundredths <= _LARGEST else None


def in_yuan(money: Money) -> int:
    """The amount in whole yuan at the coarse fixed rates, rounded down: fit for a band, for nothing else."""
    return money.amount * _currencies()[0][money.currency] // 10_000


def _currency(name: str) -> str | None:
    rates, names = _currencies()
    code = names.get(name, name.upper())
    return code if code in rates else None


@cache
def _currencies() -> tuple[Mapping[str, int], Mapping[str, str]]:
    table = tomllib.loads((files("node.domain") / "data" / "currencies.toml").read_text("utf-8"))
    return table["rates"], table["names"]
