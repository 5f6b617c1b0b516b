"""One row being read into facts: every value is asked for, and the first thing wrong is the answer."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from agreements.refusal import Refusal
from node.domain.dates import parse_date
from node.domain.identifiers import Problem
from node.domain.money import Money, parse_money
from node.domain.screening import person_marked, screen_free_text

OPEN_ENDED: Final = date(2099, 12, 31)
"""Registers write this day, or a later one, for "without end"."""

LONGEST_NAME: Final = 200
LONGEST_TEXT: Final = 400
_LONGEST_FREE_TEXT: Final = 8000
_CODE: Final = re.compile(r"(?!(?:[A-Z_-]*[0-9]){5})[A-Z0-9][A-Z0-9+_-]{0,23}")
_SEPARATOR: Final = re.compile(r"[;；、|]")
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_INTEGER: Final = re.compile(r"[0-9]{1,9}")
_MONTH: Final = re.compile(r"(\d{4})(?:[-/.年](\d{1,2})月?|(\d{2}))")
_INDUSTRY: Final = re.compile(r"([A-T]?)([0-9]{2})[0-9]{0,2}")
_DISTRICT: Final = re.compile(r"[0-9]{6}")
_PROVINCE: Final = re.compile(r"[0-9]{2}(?:00)?(?:00)?")
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

    A reader asks for everything in one go and answers with `finding` if there is one. The parsing methods take a text
    that is not empty and answer None for a wrong one, after noting what was wrong.
    """

    __slots__ = ("finding", "values")

    def __init__(self, values: Mapping[str, str]) -> None:
        self.values = values
        self.finding: Finding | None = None

    def note(self, reason: Refusal, field: str, expected: str, got: str) -> None:
        """Keep this finding unless an earlier one is kept already."""
        if self.finding is None:
            self.finding = Finding(reason, Problem(field, expected, got))

    def raw(self, field: str) -> str:
        """The value without surrounding white space; empty when the column is missing."""
        return self.values.get(field, "").strip()

    def lacks(self, field: str) -> None:
        """Note that the row leaves its source or basis open (S 3, 18)."""
        self.note(Refusal.PROVENANCE_MISSING, field, "a value", "none")

    def name(self, field: str) -> str | None:
        """The name in a column, None when it is empty."""
        value = self.values.get(field, "").strip()
        if value and (len(value) > LONGEST_NAME or person_marked(value)):
            return self._unmarked(field, value, LONGEST_NAME)
        return value or None

    def text(self, field: str, value: str) -> str | None:
        """A name or address: no identity number, telephone or mail address of a person in it."""
        return self._unmarked(field, value, LONGEST_TEXT)

    def number(self, field: str, value: str) -> str | None:
        """The number of a document."""
        return self._unmarked(field, value, LONGEST_NAME)

    def free_text(self, field: str, value: str) -> str | None:
        """Free text: neither excluded categories (S 3) nor marks of natural persons in it."""
        if len(value) > _LONGEST_FREE_TEXT:
            self._too_long(field, value, _LONGEST_FREE_TEXT)
            return None
        found = screen_free_text(value)
        if found is None:
            return value
        self.note(found, field, "text without excluded or personal information", "such information")
        return None

    def code(self, field: str, value: str, allowed: frozenset[str]) -> str | None:
        """One code of a list."""
        if value in allowed:
            return value
        self.note(Refusal.MALFORMED, field, "a code of the list", _described(value))
        return None

    def division(self, field: str, value: str, divisions: Mapping[str, str]) -> str | None:
        """The division of an industrial class in two to four digits, with or without its section's letter.

        `divisions` are the codes by their two digits: 3912, C3912, 391 and C39 are all in C39.
        """
        found = _INDUSTRY.fullmatch(value.upper())
        code = None if found is None else divisions.get(found[2])
        if found is not None and code is not None and found[1] in {"", code[0]}:
            return code
        self.note(Refusal.MALFORMED, field, "a class of GB/T 4754, such as C3912 or 3912", _described(value))
        return None

    def codes(self, field: str, value: str, allowed: frozenset[str]) -> tuple[str, ...]:
        """Several codes of a list, separated by `;`, `、` or `|`; sorted, each once."""
        found = {part.strip() for part in _SEPARATOR.split(value)} - {""}
        for stranger in sorted(found - allowed)[:1]:
            self.note(Refusal.MALFORMED, field, "codes of the list", _described(stranger))
        return tuple(sorted(found))

    def day(self, field: str, value: str, latest: date) -> date | None:
        """A date between 1840 and `latest`."""
        day = parse_date(value)
        if day is None:
            self.note(Refusal.MALFORMED, field, "a date, year first", f"{len(value)} characters of another shape")
        elif day > latest:
            self.note(Refusal.MALFORMED, field, "a date that is not in the future", "a later date")
        return day

    def end(self, field: str, value: str) -> date | None:
        """A day that may lie ahead; None for the one that registers write for "without end"."""
        day = self.day(field, value, date.max)
        return None if day is None or day >= OPEN_ENDED else day

    def month(self, field: str, value: str, latest: date) -> str | None:
        """A month as `2026-03`, out of `2026-03`, `2026年3月`, `202603` or any day in it."""
        found = _MONTH.fullmatch(value)
        text = value if found is None else f"{found[1]}-{(found[2] or found[3]).zfill(2)}-01"
        day = self.day(field, text, latest)
        return None if day is None else day.isoformat()[:7]

    def money(self, field: str, value: str) -> Money | None:
        """An amount with its currency, yuan when none is named."""
        money = parse_money(value)
        if money is None:
            self.note(Refusal.MALFORMED, field, "an amount and a known currency", f"{len(value)} other characters")
        return money

    def integer(self, field: str, value: str) -> int | None:
        """A whole number from 0 to 999,999,999."""
        if _INTEGER.fullmatch(value):
            return int(value)
        self.note(Refusal.MALFORMED, field, "a whole number", f"{len(value)} other characters")
        return None

    def flag(self, field: str, value: str) -> bool | None:
        """A yes or no."""
        if value not in _TRUTH:
            self.note(Refusal.MALFORMED, field, "true or false", _described(value))
        return _TRUTH.get(value)

    def digest(self, field: str, value: str) -> str | None:
        """The SHA-256 of a document, in hexadecimal."""
        if _DIGEST.fullmatch(value.lower()):
            return value.lower()
        self.note(Refusal.MALFORMED, field, "64 hexadecimal digits", f"{len(value)} other characters")
        return None

    def region(self, field: str, value: str, regions: frozenset[str]) -> str | None:
        """The region as home keeps it: six digits stay, but a code that names only a province is cut to two."""
        code = value.upper()
        if code in regions or (_DISTRICT.fullmatch(code) and code[:4] in regions):
            return code
        if _PROVINCE.fullmatch(code) and code[:2] in regions:
            return code[:2]
        self.note(Refusal.MALFORMED, field, "HK, MO, or a listed region of GB/T 2260", "another code")
        return None

    def _unmarked(self, field: str, value: str, limit: int) -> str | None:
        if len(value) > limit:
            self._too_long(field, value, limit)
            return None
        if person_marked(value):
            self.note(Refusal.SECRET_OR_PRIVACY, field, "no mark of a natural person", "a mark of a natural person")
            return None
        return value

    def _too_long(self, field: str, value: str, limit: int) -> None:
        self.note(Refusal.MALFORMED, field, f"at most {limit} characters", f"{len(value)} characters")


def _described(value: str) -> str:
    """A code may be repeated in an answer; anything else is only measured.

    Five digits make an identifier, a date or an amount that slipped in from another column: no code has as many.
    """
    return value if _CODE.fullmatch(value) else f"{len(value)} characters that are no code"
