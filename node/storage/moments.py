"""Times as they are stored: whole milliseconds since 1970 in UTC. Finer parts are dropped, not rounded."""

from datetime import UTC, datetime, timedelta
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
