"""The receiver's own look at a rendition: nothing in it but listed fields with coarse values (S 23, 24).

It shares no code with the making of renditions, so that a provider's mistake is not repeated here; only the published
catalogue and its code lists are the same for both.
"""

import re
from collections.abc import Callable, Mapping
from datetime import date
from functools import cache
from typing import Final

from agreements.refusal import Refusal, Refused, refuse
from crypto.commitment import Value
from node.domain.vocabulary import Vocabulary
from registry.norms.catalogue import DataItem, Precision

_Check = Callable[[Value], bool]

_YEARS: Final = range(1840, 2101)
_SPECIAL_REGIONS: Final = ("HK", "MO")
_MONTH: Final = re.compile(r"([0-9]{4})-(?:0[1-9]|1[0-2])")
_QUARTER: Final = re.compile(r"([0-9]{4})-Q[1-4]")
_FIVE_YEARS: Final = re.compile(r"([0-9]{4})-([0-9]{4})")
_TOKEN: Final = re.compile(r"[0-9a-f]{32}")


def check_deidentified(
    kind: str, values: Mapping[str, Value], vocabulary: Vocabulary, rule_pack: str
) -> Refused | None:
    """Refuse (NOT_DEIDENTIFIED) a rendition that holds anything but this kind's fields in their coarse forms.

    Every value must be null, a code of its list, a year, month, band or region, or a token of 32 hexadecimal digits;
    there is no field in which text could pass. The answer names the field, never its value; a stranger among the
    fields is not even named.
    """
    checks = _checks(kind, vocabulary)
    for name, value in values.items():
        check = checks.get(name)
        if check is None:
            return refuse(Refusal.NOT_DEIDENTIFIED, rule_pack, "field: one of the kind's wire fields, got another")
        if value is not None and not check(value):
            return refuse(Refusal.NOT_DEIDENTIFIED, rule_pack, f"{name}: a listed or coarse value, got another")
    return None


def check_precision(
    kind: str, values: Mapping[str, Value], granted: Mapping[str, Precision], vocabulary: Vocabulary, rule_pack: str
) -> Refused | None:
    """Refuse (NOT_DEIDENTIFIED) a value that tells more exactly, or otherwise, than its agreed precision.

    Home may tell it in a coarser one of the field's precisions, or as null, where it would be true of too few.
    """
    scales = _scales(kind, vocabulary)
    for name, value in values.items():
        scale = scales.get(name, ())
        if value is None or granted.get(name) not in scale:
            continue
        forms = [_FORMS.get(one) for one in scale[scale.index(granted[name]) :]]
        if not any(form is None or form(value) for form in forms):
            return refuse(Refusal.NOT_DEIDENTIFIED, rule_pack, f"{name}: expected the agreed precision, got another")
    return None


def check_ending(valid_until: date | None, rule_pack: str) -> Refused | None:
    """Refuse (NOT_DEIDENTIFIED) an end of validity that tells a day: it is rounded down to a month or a year."""
    if valid_until is None or valid_until.day == 1:
        return None
    return refuse(Refusal.NOT_DEIDENTIFIED, rule_pack, "valid_until: expected the first of a month, got another day")


@cache
def _scales(kind: str, vocabulary: Vocabulary) -> Mapping[str, tuple[Precision, ...]]:
    """The precisions of each wire field of a kind, finest first."""
    entry = vocabulary.catalogue.entry(kind)
    return {} if entry is None else {item.name: item.precisions for item in entry.items}


@cache
def _checks(kind: str, vocabulary: Vocabulary) -> Mapping[str, _Check]:
    """A check for each wire field of a kind; none for a kind that the catalogue does not list."""
    entry = vocabulary.catalogue.entry(kind)
    return {} if entry is None else {item.name: _check(item, vocabulary) for item in entry.items}


def _check(item: DataItem, words: Vocabulary) -> _Check:
    if item.many:
        return _are_listed(item, words)
    if item.bands is not None:
        return _is_one_of(frozenset(words.bands(item.bands).codes))
    if item.codes is not None:
        listed = words.crossing_codes(item.codes)
        longest = 4 if Precision.CITY in item.precisions else 2
        is_region = {Precision.CITY, Precision.PROVINCE} & set(item.precisions)
        return _is_one_of(frozenset(one for one in listed if not is_region or len(one) <= longest))
    forms = tuple(_FORMS[precision] for precision in item.precisions)
    return lambda value: any(form(value) for form in forms)


def _is_one_of(listed: frozenset[str]) -> _Check:
    return lambda value: isinstance(value, str) and value in listed


def _are_listed(item: DataItem, words: Vocabulary) -> _Check:
    listed = frozenset() if item.codes is None else words.crossing_codes(item.codes)
    return lambda value: isinstance(value, tuple) and value == tuple(sorted(set(value) & listed))


def _is_year(value: Value) -> bool:
    return type(value) is int and value in _YEARS


def _are_five_years(value: Value) -> bool:
    found = _FIVE_YEARS.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        return False
    first, last = map(int, found.groups())
    return first in _YEARS and first % 5 == 0 and last == first + 4


def _is_within_a_year(shape: re.Pattern[str]) -> _Check:
    def check(value: Value) -> bool:
        found = shape.fullmatch(value) if isinstance(value, str) else None
        return found is not None and int(found[1]) in _YEARS

    return check


def _is_region(digits: int) -> _Check:
    def check(value: Value) -> bool:
        return value in _SPECIAL_REGIONS or (isinstance(value, str) and value.isdigit() and len(value) == digits)

    return check


_FORMS: Final[Mapping[Precision, _Check]] = {
    Precision.YEAR: _is_year,
    Precision.FIVE_YEARS: _are_five_years,
    Precision.MONTH: _is_within_a_year(_MONTH),
    Precision.QUARTER: _is_within_a_year(_QUARTER),
    Precision.CITY: _is_region(4),
    Precision.PROVINCE: _is_region(2),
    Precision.FLAG: lambda value: isinstance(value, bool),
    Precision.TOKEN: lambda value: isinstance(value, str) and _TOKEN.fullmatch(value) is not None,
}
"""How a value looks at a precision that another would not have; codes and bands are looked up in their lists."""
