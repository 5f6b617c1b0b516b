"""The receiver's own look at a rendition: nothing in it but listed fields with coarse values (S 23, 24).

It shares no code with the making of renditions, so that a provider's mistake is not repeated here.
"""

import re
from collections.abc import Callable, Mapping
from typing import Final

from agreements.refusal import Refusal, Refused, refuse
from crypto.commitment import Value
from node.domain.vocabulary import Vocabulary
from registry.norms.catalogue import Precision

_Check = Callable[[Value, Vocabulary], bool]

_YEARS: Final = range(1840, 2101)
_MONTH: Final = re.compile(r"([0-9]{4})-(?:0[1-9]|1[0-2])")
_FIVE_YEARS: Final = re.compile(r"([0-9]{4})-([0-9]{4})")


def check_deidentified(
    kind: str, values: Mapping[str, Value], vocabulary: Vocabulary, rule_pack: str
) -> Refused | None:
    """Refuse (NOT_DEIDENTIFIED) a rendition that holds anything but this kind's fields in their coarse forms.

    Every value must be null, a code of its list, or a year, month, band or region; there is no field in which
    text could pass. The answer names the field, never its value; a stranger among the fields is not even
    named.
    """
    checks = _CHECKS.get(kind, {})
    for name, value in values.items():
        check = checks.get(name)
        if check is None:
            return refuse(Refusal.NOT_DEIDENTIFIED, rule_pack, "field: one of the kind's wire fields, got another")
        if value is not None and not check(value, vocabulary):
            return refuse(Refusal.NOT_DEIDENTIFIED, rule_pack, f"{name}: a listed or coarse value, got another")
    return None


def check_precision(values: Mapping[str, Value], granted: Mapping[str, Precision], rule_pack: str) -> Refused | None:
    """Refuse (NOT_DEIDENTIFIED) a value that tells more exactly, or otherwise, than its agreed precision."""
    for name, value in values.items():
        form = _FORMS.get(granted[name]) if name in granted else None
        if form is not None and value is not None and not form(value):
            return refuse(Refusal.NOT_DEIDENTIFIED, rule_pack, f"{name}: expected the agreed precision, got another")
    return None


def _is_year(value: Value) -> bool:
    return type(value) is int and value in _YEARS


def _is_establishment(value: Value, _: Vocabulary) -> bool:
    if not isinstance(value, str):
        return _is_year(value)
    found = _FIVE_YEARS.fullmatch(value)
    if found is None:
        return False
    first, last = map(int, found.groups())
    return first in _YEARS and first % 5 == 0 and last == first + 4


def _is_decision(value: Value, _: Vocabulary) -> bool:
    if not isinstance(value, str):
        return _is_year(value)
    found = _MONTH.fullmatch(value)
    return found is not None and int(found[1]) in _YEARS


def _is_flag(value: Value, _: Vocabulary) -> bool:
    return isinstance(value, bool)


def _are_penalty_types(value: Value, words: Vocabulary) -> bool:
    return isinstance(value, tuple) and value == tuple(sorted(set(value) & words.penalty_types))


def _is_region(digits: int) -> Callable[[Value], bool]:
    return lambda value: value in ("HK", "MO") or (isinstance(value, str) and value.isdigit() and len(value) == digits)


_FORMS: Final[Mapping[Precision, Callable[[Value], bool]]] = {
    Precision.YEAR: _is_year,
    Precision.FIVE_YEARS: lambda value: isinstance(value, str) and _FIVE_YEARS.fullmatch(value) is not None,
    Precision.MONTH: lambda value: isinstance(value, str) and _MONTH.fullmatch(value) is not None,
    Precision.CITY: _is_region(4),
    Precision.PROVINCE: _is_region(2),
}
"""How a value looks at a precision that a finer value would not have; codes, bands and flags have one form only."""

_CHECKS: Final[Mapping[str, Mapping[str, _Check]]] = {
    "101": {
        "entity_type_code": lambda value, words: value in words.entity_types - words.natural_person,
        "established": _is_establishment,
        "capital_band": lambda value, words: value in words.capital_bands.codes,
        "industry_section": lambda value, words: value in words.industry_sections,
        "region": lambda value, words: value in words.regions,
        "status_code": lambda value, words: value in words.statuses,
        "has_lei": _is_flag,
    },
    "201": {
        "penalty_types": _are_penalty_types,
        "amount_band": lambda value, words: value in words.amount_bands.codes,
        "decision": _is_decision,
        "authority_class": lambda value, words: value in words.authority_classes,
        "authority_level": lambda value, words: value in words.authority_levels,
        "legal_basis_code": lambda value, words: value in words.legal_bases,
        "performed": _is_flag,
    },
}
