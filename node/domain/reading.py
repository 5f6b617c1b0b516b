"""One row being read into facts: every value is asked for, and the first thing wrong is the answer."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final, TypeVar

from agreements.refusal import Refusal
from node.domain.dates import parse_date
from node.domain.identifiers import Problem
from node.domain.money import Money, parse_money
from node.domain.screening import person_marked, screen_free_text

T = TypeVar("T")

_LONGEST: Final = {"facts": 8000, "address": 400}
_LONGEST_OTHER: Final = 200
_CODE: Final = re.compile(r"(?!(?:[A-Z_-]*[0-9]){5})[A-Z0-9][A-Z0-9_-]{0,23}")
_SEPARATOR: Final = re.compile(r"[;；、|]")
_TRUTH: Final = {
    **dict.fromkeys(("true", "yes", "1", "是", "Y", "y", "TRUE", "True"), True),
    **dict.fromkeys(("false", "no", "0", "否", "N", "n", "FALSE", "False"), False),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """Why a row may not be admitted: the reason, and the field with what was expected and what was got."""

    reason: Refusal
    problem: Problem


class Reading:
    """The columns of one row, and the first finding made while reading them.

    Every question answers None (or nothing) for an empty or wrong value and notes what was wrong, so that the
    reader of a kind asks for everything in one go and answers with `finding` if there is one.
    """

    __slots__ = ("_values", "finding")

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = {name: text for name, value in values.items() if (text := value.strip())}
        self.finding: Finding | None = None

    def note(self, reason: Refusal, field: str, expected: str, got: str) -> None:
        """Keep this finding unless an earlier one is kept already."""
        if self.finding is None:
            self.finding = Finding(reason, Problem(field, expected, got))

    def raw(self, field: str) -> str:
        """The value without surrounding white space; empty when the column is missing."""
        return self._values.get(field, "")

    def text(self, field: str) -> str | None:
        """A name, number or address: no identity number, telephone or mail address of a person in it."""
        value = self._bounded(field)
        if value is not None and person_marked(value):
            self.note(Refusal.SECRET_OR_PRIVACY, field, "no mark of a natural person", "a mark of a natural person")
            return None
        return value

    def free_text(self, field: str) -> str | None:
        """Free text: neither excluded categories (S 3) nor marks of natural persons in it."""
        value = self._bounded(field)
        found = None if value is None else screen_free_text(value)
        if found is None:
            return value
        self.note(found, field, "text without excluded or personal information", "such information")
        return None

    def code(self, field: str, allowed: frozenset[str]) -> str | None:
        """One code of a list."""
        value = self.raw(field)
        if not value or value in allowed:
            return value or None
        self.note(Refusal.MALFORMED, field, "a code of the list", _described(value))
        return None

    def codes(self, field: str, allowed: frozenset[str]) -> tuple[str, ...]:
        """Several codes of a list, separated by `;`, `、` or `|`; sorted, each once."""
        found = {part.strip() for part in _SEPARATOR.split(self.raw(field))} - {""}
        for stranger in sorted(found - allowed)[:1]:
            self.note(Refusal.MALFORMED, field, "codes of the list", _described(stranger))
        return tuple(sorted(found))

    def day(self, field: str, latest: date) -> date | None:
        """A date between 1840 and `latest`."""
        value = self.raw(field)
        if not value:
            return None
        day = parse_date(value)
        if day is None:
            self.note(Refusal.MALFORMED, field, "a date, year first", f"{len(value)} characters of another shape")
        elif day > latest:
            self.note(Refusal.MALFORMED, field, "a date that is not in the future", "a later date")
        return day

    def money(self, field: str) -> Money | None:
        """An amount with its currency, yuan when none is named."""
        value = self.raw(field)
        money = parse_money(value) if value else None
        if value and money is None:
            self.note(Refusal.MALFORMED, field, "an amount and a known currency", f"{len(value)} other characters")
        return money

    def flag(self, field: str) -> bool | None:
        """A yes or no; None when it is not stated."""
        value = self.raw(field)
        if value and value not in _TRUTH:
            self.note(Refusal.MALFORMED, field, "true or false", _described(value))
        return _TRUTH.get(value)

    def need(self, field: str, value: T | None, otherwise: T) -> T:
        """The value, or `otherwise` after noting that the row leaves its source or basis open (S 3, 18)."""
        if value:
            return value
        self.note(Refusal.PROVENANCE_MISSING, field, "a value", "none")
        return otherwise

    def _bounded(self, field: str) -> str | None:
        value = self.raw(field)
        limit = _LONGEST.get(field, _LONGEST_OTHER)
        if len(value) > limit:
            self.note(Refusal.MALFORMED, field, f"at most {limit} characters", f"{len(value)} characters")
        return value or None


def _described(value: str) -> str:
    """A code may be repeated in an answer; anything else is only measured.

    Five digits make an identifier, a date or an amount that slipped in from another column: no code has as many.
    """
    return value if _CODE.fullmatch(value) else f"{len(value)} characters that are no code"
