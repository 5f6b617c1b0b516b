"""What free text must not contain: excluded categories (S 3) and marks of natural persons (S 14, 24).

A screening says only that something was found and where; the finding itself is never repeated.
"""

import re
import tomllib
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Final

from agreements.refusal import Refusal

_RESIDENT_ID: Final = re.compile(r"(?<![0-9A-Za-z])[1-8]\d{16}[0-9Xx](?![0-9A-Za-z])")
_RESIDENT_WEIGHTS: Final = tuple(pow(2, 17 - place, 11) for place in range(17))
_HONG_KONG_ID: Final = re.compile(r"(?<![0-9A-Za-z])([A-Za-z]{1,2})(\d{6})[(（]([0-9Aa])[)）]")
_MOBILE: Final = re.compile(r"(?<!\d)1[3-9]\d{9}(?!\d)")
_EMAIL: Final = re.compile(r"[\w.+-]+@[\w-]+\.[\w.]+")
# One cheap look decides for nearly all text that no mark can be in it.
_LONG_NUMBER: Final = re.compile(r"\d{11}")
_SUSPICIOUS: Final = re.compile(r"[@0-9](?:(?<=@)|[0-9]{5})")
_LATIN: Final = re.compile(r"[A-Za-z]{3}")


def person_marked(text: str) -> bool:
    """Whether an identity number, mobile number or e-mail address stands in the text.

    Resident identity numbers (GB 11643) and Hong Kong identity cards count only with a right check character,
    so that an enterprise's own numbers are not taken for them.
    """
    if _SUSPICIOUS.search(text) is None:
        return False
    if "@" in text and _EMAIL.search(text) is not None:
        return True
    if ("(" in text or "（" in text) and any(_is_hong_kong_id(*one.groups()) for one in _HONG_KONG_ID.finditer(text)):
        return True
    return _LONG_NUMBER.search(text) is not None and (
        _MOBILE.search(text) is not None or any(_is_resident_id(found.group()) for found in _RESIDENT_ID.finditer(text))
    )


def screen_free_text(text: str) -> Refusal | None:
    """Why this free text may not be kept at all; None when nothing was found."""
    if _names_excluded(text):
        return Refusal.EXCLUDED_CATEGORY
    return Refusal.SECRET_OR_PRIVACY if person_marked(text) else None


def _is_resident_id(number: str) -> bool:
    try:
        date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return False
    total = sum(int(digit) * weight for digit, weight in zip(number[:17], _RESIDENT_WEIGHTS, strict=True))
    return "10X98765432"[total % 11] == number[17].upper()


def _is_hong_kong_id(letters: str, digits: str, check: str) -> bool:
    padded = [36 if letter == " " else int(letter, 36) for letter in letters.rjust(2)]
    total = sum(value * weight for value, weight in zip([*padded, *map(int, digits)], range(9, 1, -1), strict=True))
    return (total + int(check, 16)) % 11 == 0


def _names_excluded(text: str) -> bool:
    chinese, english = _excluded_terms()
    return chinese.search(text) is not None or (
        _LATIN.search(text) is not None and english.search(text.lower()) is not None
    )


@cache
def _excluded_terms() -> tuple[re.Pattern[str], re.Pattern[str]]:
    table = tomllib.loads((files("node.domain") / "data" / "excluded_terms.toml").read_text("utf-8"))
    chinese, english = ("|".join(map(re.escape, table[language])) for language in ("zh", "en"))
    return re.compile(chinese), re.compile(rf"\b(?:{english})")
