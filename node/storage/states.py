"""The states of a record in one column: those that withhold it now, then those to come, each with its day.

`SUSPENDED @2026-12-01:OPTED_OUT` is suspended, and opted out from that day on. With an `@` first it is shown.
"""

from collections.abc import Iterable
from datetime import date

_NONE = frozenset[str]()


def text_from_states(withheld: Iterable[str], coming: Iterable[tuple[str, date]]) -> str:
    """The column: sorted, so that the same states are the same text."""
    return " ".join([*sorted(withheld), *sorted(f"@{on.isoformat()}:{state}" for state, on in coming)])


def states_from_text(text: str) -> tuple[frozenset[str], tuple[tuple[str, date], ...]]:
    """What withholds a record now, and what will from a day on."""
    if not text:
        return _NONE, ()
    words = text.split()
    now = frozenset(word for word in words if word[0] != "@")
    parts = (word[1:].split(":") for word in words if word[0] == "@")
    return now, tuple((state, date.fromisoformat(on)) for on, state in parts)
