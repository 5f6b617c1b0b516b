"""Months as the law counts them (Civil Code 202: the corresponding day, or the last of the month)."""

from calendar import monthrange
from datetime import MAXYEAR, datetime
from typing import Final

_MONTHS_OF_A_YEAR: Final = 12


def add_months(at: datetime, months: int) -> datetime:
    """The same time of day `months` later; the last day of the month if it has no such day.

    Where the calendar ends before, its last instant: the time may be a peer's, and nothing is later than that.
    """
    years, month = divmod(at.month - 1 + months, _MONTHS_OF_A_YEAR)
    year = at.year + years
    if year > MAXYEAR:
        return datetime.max.replace(tzinfo=at.tzinfo)
    return at.replace(year=year, month=month + 1, day=min(at.day, monthrange(year, month + 1)[1]))
