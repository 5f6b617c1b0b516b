"""Identifiers of enterprises: how each scheme is written, and which of them stand for a natural person.

Everything that an identifier decides is in its canonical text, so that two spellings of one code are one
subject and have one pseudonym. Schemes: unified social credit code (GB 32100), Hong Kong business
registration and company numbers, Macau taxpayer and commercial registration numbers, LEI (ISO 17442).
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files
from itertools import compress, repeat
from operator import eq, ne
from typing import Final

import msgspec

from node.domain.check_digits import (
    ALPHABET,
    lei_is_consistent,
    organisation_check,
    organisation_checks,
    unified_check,
    unified_checks,
)


class Scheme(StrEnum):
    """The register that gave an identifier."""

    CN_USCC = "CN-USCC"
    HK_BRN = "HK-BRN"
    HK_BRN_DUMMY = "HK-BRN-DUMMY"
    HK_CR = "HK-CR"
    MO_TIN = "MO-TIN"
    MO_CR = "MO-CR"
    LEI = "LEI"


_UNIFIED: Final = Scheme.CN_USCC


class Remark(StrEnum):
    """What is odd about an identifier that is accepted all the same; whoever reports what was accepted says it."""

    CHECK_ATTESTED = "CHECK_ATTESTED"
    ORGANISATION_CHECK = "ORGANISATION_CHECK"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a value: where, what was expected, and what *kind* of thing was got.

    `got` describes; it never repeats the value.
    """

    field: str
    expected: str
    got: str


class Identifier(msgspec.Struct, frozen=True, eq=False, gc=False):
    """One enterprise identifier in canonical text. Two are equal when scheme and value are.

    `check_waived` records that a provider attested a code whose check character does not fit: early codes
    exist that were issued so (GB 32100). The representation hides the value.
    """

    scheme: Scheme
    value: str
    check_waived: bool = False

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Identifier):
            return NotImplemented
        return self.scheme is other.scheme and self.value == other.value

    def __hash__(self) -> int:
        return hash((self.scheme, self.value))

    def __repr__(self) -> str:
        return f"Identifier(scheme={self.scheme!r})"

    @property
    def natural_person_linked(self) -> bool:
        """Whether the code stands for one natural person in business; such a subject never crosses (S 14)."""
        if self.scheme is _UNIFIED:
            return self.value[:2] in _unified_codes().natural_person
        return self.scheme is Scheme.MO_TIN and self.value[0] == "0"

    @property
    def remarks(self) -> tuple[Remark, ...]:
        """What a caller should be told about this identifier, though nothing of it is refused.

        The organisation code inside a unified code has a check of its own (GB 11714), which some issued codes fail.
        """
        if self.scheme is not _UNIFIED:
            return ()
        attested = (Remark.CHECK_ATTESTED,) if self.check_waived else ()
        is_odd = organisation_check(self.value[_ORGANISATION]) != self.value[_ORGANISATION.stop]
        return (*attested, Remark.ORGANISATION_CHECK) if is_odd else attested


@dataclass(frozen=True, slots=True)
class _UnifiedCodes:
    """The first two characters that a code may have, those of natural persons, and all others."""

    heads: frozenset[str]
    natural_person: frozenset[str]
    enterprise: frozenset[str]


_SHAPES: Final = {
    Scheme.CN_USCC: re.compile(r"[0-9A-HJ-NP-RTUWXY]{2}[0-9]{6}[0-9A-HJ-NP-RTUWXY]{10}"),
    Scheme.HK_BRN: re.compile(r"[0-9]{8}"),
    # A letter prefix filled with zeros to eight characters, for entities without a business registration.
    Scheme.HK_BRN_DUMMY: re.compile(r"(?=.{8}\Z)[A-Z]{1,3}[0-9]+"),
    # Seven digits; F before them marks a company incorporated elsewhere, LF a limited partnership fund.
    Scheme.HK_CR: re.compile(r"(?:L?F)?[0-9]{7}"),
    Scheme.MO_TIN: re.compile(r"[08][0-9]{7}"),
    # No published form: a number and, mostly, the letters of the kind of merchant.
    Scheme.MO_CR: re.compile(r"[0-9]{1,7}[A-Z]{0,3}"),
    Scheme.LEI: re.compile(r"[0-9A-Z]{18}[0-9]{2}"),
}
_UNIFIED_SHAPE: Final = _SHAPES[_UNIFIED]
_UNIFIED_SIZE: Final = 18
_UNIFIED_ALPHABET: Final = ALPHABET.encode()
_REGION: Final = slice(2, 8)
_ORGANISATION: Final = slice(8, 16)
"""Where an organisation code stands in a unified one; its check character is the next."""
_EXPECTED: Final = {
    Scheme.CN_USCC: "18 characters of GB 32100 with a six-digit region",
    Scheme.HK_BRN: "the 8 digits of a business registration number",
    Scheme.HK_BRN_DUMMY: "1 to 3 letters and digits, 8 characters together",
    Scheme.HK_CR: "7 digits, with F or LF before them where the register has it",
    Scheme.MO_TIN: "8 digits beginning with 8 or 0",
    Scheme.MO_CR: "1 to 7 digits and up to 3 letters",
    Scheme.LEI: "18 letters or digits and 2 digits",
}
_GUESSABLE: Final = tuple(scheme for scheme in Scheme if scheme is not Scheme.MO_CR)
_SPACES: Final = "\t \u00a0\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))
_HYPHENS: Final = "-\u2010\u2011\u2012\u2013\u2014\u2015\u2212\uff0d"
# Only full-width forms are mapped: a circled or superscript digit is no way to write a code.
_SPELLING: Final = {0xFF01 + step: chr(0x21 + step) for step in range(94)} | dict.fromkeys(map(ord, _SPACES + _HYPHENS))


def canonical_text(text: str) -> str | None:
    """The canonical spelling: ASCII capitals and digits without spaces or hyphens; None when there is none.

    Every identifier that is not written so already passes here, and only here: what is loaded, asked about, consented
    to and blinded is this text, so that two sides that typed one code differently arrive at one pseudonym. Small
    letters are raised, full-width letters and digits are mapped, visible spaces and hyphens of any width are left out,
    and so is white space around. Whatever else is not ASCII, zero-width characters above all, has no canonical
    spelling: two codes that look alike must not become one, nor one code two.
    """
    plain = text if text.isascii() and text.isalnum() else text.translate(_SPELLING).strip()
    return plain.upper() if plain.isascii() else None


def parse_identifier(scheme: Scheme | str, text: str, *, waive_check: bool = False) -> Identifier | Problem:
    """Read one identifier strictly, or say what is wrong with it without repeating it.

    `waive_check` is a provider's attestation that a unified code was issued with a check character that does
    not fit; it waives that check only, and is kept on the identifier when it was needed.
    """
    try:
        known = scheme if isinstance(scheme, Scheme) else Scheme(scheme)
    except ValueError:
        return Problem("scheme", "one of the known identifier schemes", "another word")
    shape, value = _SHAPES[known], text
    if shape.fullmatch(text) is None:  # else it is canonical: shapes have nothing but ASCII capitals and digits
        canonical = canonical_text(text)
        if canonical is None:
            return Problem(known.value, _EXPECTED[known], "a character outside ASCII")
        if shape.fullmatch(canonical) is None:
            return Problem(known.value, _EXPECTED[known], f"{len(canonical)} characters of another shape")
        value = canonical
    if known is _UNIFIED:
        return _unified(value, waive_check=waive_check)
    if known is Scheme.LEI and not lei_is_consistent(value):
        return Problem(known.value, "check digits of ISO 7064 mod 97-10", "other check digits")
    return Identifier(known, value)


def plain_unified(texts: Sequence[str]) -> list[Identifier | None]:
    """The identifier that `parse_identifier` reads from each text that is an enterprise's unified code, spelt as it is.

    It says in few steps what most rows of a file need to know, and leaves everything odd to whoever asks for it again.
    """
    enterprise = _unified_codes().enterprise
    codes = [*filter(None, texts)]
    if not _are_written_as_codes(codes):
        codes = [text for text in codes if _UNIFIED_SHAPE.fullmatch(text)]
    if not {code[:2] for code in codes} <= enterprise:
        codes = [code for code in codes if code[:2] in enterprise]
    if codes:
        *body, check = _columns(codes)
        expected = unified_checks(body)
        if check != expected:
            codes = [*compress(codes, map(eq, check, expected))]
    return [*map(dict(zip(codes, map(Identifier, repeat(_UNIFIED), codes), strict=True)).get, texts)]


def unified_remarks(found: Sequence[Identifier | None]) -> list[tuple[Remark, ...]]:
    """The remarks on each of many unified codes whose check characters fit; none on None."""
    codes = [one.value for one in found if one is not None]
    if not codes:
        return [()] * len(found)
    columns = _columns(codes)
    check, expected = columns[_ORGANISATION.stop], organisation_checks(columns[_ORGANISATION])
    if check == expected:
        return [()] * len(found)
    odd = {*compress(codes, map(ne, check, expected))}
    return [(Remark.ORGANISATION_CHECK,) if one is not None and one.value in odd else () for one in found]


def _are_written_as_codes(texts: Sequence[str]) -> bool:
    """Whether all have the shape of a unified code: looked at together, which is some ten times as fast."""
    together = "".join(texts)
    return (
        {*map(len, texts)} == {_UNIFIED_SIZE}
        and together.isascii()
        and not together.encode().translate(None, _UNIFIED_ALPHABET)
        and all(column.isdigit() for column in _columns(texts)[_REGION])
    )


def _columns(codes: Sequence[str]) -> list[str]:
    """What unified codes have at each place."""
    together = "".join(codes)
    return [together[place::_UNIFIED_SIZE] for place in range(_UNIFIED_SIZE)]


def _unified(value: str, *, waive_check: bool) -> Identifier | Problem:
    if value[:2] not in _unified_codes().heads:
        return Problem(Scheme.CN_USCC.value, "a registering department and organisation type of GB 32100", value[:2])
    fits = unified_check(value[:17]) == value[17]
    if not fits and not waive_check:
        return Problem(Scheme.CN_USCC.value, "the check character of GB 32100", "another check character")
    return Identifier(_UNIFIED, value, not fits)


def likely_schemes(text: str, *, waive_check: bool = False) -> tuple[Scheme, ...]:
    """Every scheme that whoever typed this text can have meant, in the order of `Scheme`.

    Where it is a code of none of them, those whose codes are written like it: one letter of it may be wrong.
    Macau commercial registration numbers are left out: their form is not published and would fit too much.
    """
    plain = canonical_text(text) or ""
    fitting = tuple(
        scheme
        for scheme in _GUESSABLE
        if isinstance(parse_identifier(scheme, text, waive_check=waive_check), Identifier)
    )
    return fitting or tuple(scheme for scheme in _GUESSABLE if _SHAPES[scheme].fullmatch(plain) is not None)


@cache
def _unified_codes() -> _UnifiedCodes:
    table = tomllib.loads((files("node.domain") / "data" / "unified_codes.toml").read_text("utf-8"))
    types = table["types"] | {
        department: table["types"].get(department, "") + more for department, more in table["published"].items()
    }
    heads, natural_person = _pairs(types), _pairs(table["natural_person"])
    return _UnifiedCodes(heads=heads, natural_person=natural_person, enterprise=heads - natural_person)


def _pairs(types: Mapping[str, str]) -> frozenset[str]:
    return frozenset(department + one for department, each in types.items() for one in each)
