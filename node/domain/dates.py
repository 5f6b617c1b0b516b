"""Dates as registers write them."""

import re
from datetime import date, datetime, timedelta, timezone
from enum import StrEnum
from functools import lru_cache
from typing import Final

from registry.norms import calendar

SHANGHAI: Final = timezone(timedelta(hours=8), "Asia/Shanghai")
"""The time zone in which days begin for this regulation; China has had one fixed offset since 1991."""

_EARLIEST: Final = date(1840, 1, 1)
_SEPARATED: Final = re.compile(r"(\d{1,4})[-/.年](\d{1,2})[-/.月](\d{1,4})日?(?:[ T]\d{1,2}:\d{2}(?::\d{2})?)?")
_COMPACT: Final = re.compile(r"(\d{4})(\d{2})(\d{2})")


class DateOrder(StrEnum):
    """The order in which day, month and year are written; only a mapping may say other than year first."""

    YMD = "YMD"
    DMY = "DMY"
    MDY = "MDY"


def parse_date(text: str, order: DateOrder = DateOrder.YMD) -> date | None:
    """Read `2024-03-05`, `2024/3/5`, `2024.3.5`, `2024年3月5日` or `20240305`; a time of day is cut off.

    None when it is no date, or lies before 1840. The order is never guessed.
    """
    try:
        if order is DateOrder.YMD and text[4:5] == "-" == text[7:8]:  # the usual form, and not an ISO week
            return _plausible(date.fromisoformat(text))
    except ValueError:
        pass
    found = _SEPARATED.fullmatch(text) or (_COMPACT.fullmatch(text) if order is DateOrder.YMD else None)
    if found is None:
        return None
    named = dict(zip(order.value, map(int, found.groups()), strict=True))
    try:
        return _plausible(date(named["Y"], named["M"], named["D"]))
    except ValueError:
        return None


def _plausible(day: date) -> date | None:
    return day if day >= _EARLIEST else None


@lru_cache(maxsize=16)
def shanghai_day(at: datetime) -> date:
    """The calendar day in Shenzhen at the instant `at` (aware); kept, since bulk work asks for the same ones."""
    return calendar.shanghai_day(at)
