"""Times as they are stored: whole milliseconds since 1970 in UTC, finer parts dropped; days as ISO text."""

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Final

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)


def to_milliseconds(moment: datetime) -> int:
    """Milliseconds of an aware time."""
    return (moment - _EPOCH) // _MILLISECOND


def from_milliseconds(milliseconds: int) -> datetime:
    """The aware time in UTC."""
    return _EPOCH + timedelta(milliseconds=milliseconds)


def to_milliseconds_or_none(moment: datetime | None) -> int | None:
    """As `to_milliseconds`, where there may be no time."""
    return None if moment is None else to_milliseconds(moment)


def from_milliseconds_or_none(milliseconds: int | None) -> datetime | None:
    """As `from_milliseconds`, where there may be no time."""
    return None if milliseconds is None else from_milliseconds(milliseconds)


@lru_cache(20_000)
def day_or_none(day: date | None) -> str | None:
    """A day as ISO text, where there may be none; the days of an import's records come again and again."""
    return None if day is None else day.isoformat()
