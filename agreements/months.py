"""Months as the law counts them (Civil Code 202: the corresponding day, or the last of the month)."""

from calendar import monthrange
from datetime import date
from typing import Final, TypeVar

Day = TypeVar("Day", bound=date)
"""A day, or a moment."""

_MONTHS_OF_A_YEAR: Final = 12


def add_months(at: Day, months: int) -> Day:
    """The same day and time `months` later; the last day of the month if it has no such day."""
    years, month = divmod(at.month - 1 + months, _MONTHS_OF_A_YEAR)
    year = at.year + years
    return at.replace(year=year, month=month + 1, day=min(at.day, monthrange(year, month + 1)[1]))
