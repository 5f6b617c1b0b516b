"""What is wrong with a catalogue entry: parts that S 17 asks for, and contradictions within it or with the law."""

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Final, NamedTuple

from registry.norms.entries import (
    IDENTIFIERS,
    CatalogueEntry,
    Condition,
    Crossing,
    DataItem,
    DataSource,
    HomeField,
    Nature,
    NegativeCategory,
    Polarity,
    Precision,
    ValueType,
)


class Fault(NamedTuple):
    """One thing wrong: where in the entry, what was expected, and whether something is missing there (S 17)."""

    place: str
    expected: str
    incomplete: bool = False


_DAYS: Final = frozenset({ValueType.DAY, ValueType.MONTH})
_MADE_FROM: Final[Mapping[Precision, frozenset[ValueType]]] = {
    Precision.EXACT_CODE: frozenset({ValueType.CODE, ValueType.CODES}),
    Precision.DIVISION: frozenset({ValueType.CODE}),
    Precision.SECTION: frozenset({ValueType.CODE}),
    Precision.BAND: frozenset({ValueType.MONEY, ValueType.INTEGER}),
    Precision.MONTH: _DAYS,
    Precision.QUARTER: _DAYS,
    Precision.YEAR: _DAYS,
    Precision.FIVE_YEARS: _DAYS,
    Precision.CITY: frozenset({ValueType.REGION}),
    Precision.PROVINCE: frozenset({ValueType.REGION}),
    Precision.FLAG: frozenset({ValueType.FLAG}),
    Precision.TOKEN: frozenset({ValueType.DOCUMENT_NUMBER}),
}
"""From what each precision can be made: no name, text or digest is among it, and so none ever crosses; of a document's
number its keyed token does."""
_ORDER: Final = tuple(Precision)
_SINGLING_OUT: Final = frozenset(_MADE_FROM) - {Precision.EXACT_CODE, Precision.FLAG, Precision.TOKEN}
"""Precisions of what an enterprise can be found by: days, amounts, places and industries, however coarse.

A token tells nothing without its key.
"""
_RARE: Final = _SINGLING_OUT | {Precision.EXACT_CODE}
_CODED: Final = frozenset({ValueType.CODE, ValueType.CODES})


def faults(
    entry: CatalogueEntry, negative: Mapping[int, NegativeCategory], sources: Mapping[str, DataSource]
) -> Iterator[Fault]:
    """Everything wrong with an entry that already has the fields its group of kinds shares."""
    if not sources.keys() >= set(entry.sources):
        yield Fault("sources", "systems that the catalogue describes (S 17)", incomplete=True)
    yield from _fields(entry)
    for item in entry.items:
        yield from _item(entry, item)
    yield from _rare(entry)
    yield from _law(entry)
    yield from _evidence(entry, negative)


def _fields(entry: CatalogueEntry) -> Iterator[Fault]:
    names = [field.name for field in entry.fields]
    if len(set(names)) < len(names):
        yield Fault("fields", "every field once")
    if len(entry.field_names) != len(entry.items):
        yield Fault("items", "every field once")
    for field in entry.fields:
        if (field.codes is None) == (field.type in _CODED):
            yield Fault(f"fields.{field.name}", "a code list for codes, and for nothing else")
        if field.otherwise is not None and entry.home_field(field.otherwise) is None:
            yield Fault(f"fields.{field.name}.otherwise", "a field of this entry")
        if field.within is not None and not _holds_code(entry, field):
            yield Fault(f"fields.{field.name}.within", "a stored code of this entry, and one code in each")
    for place, named, types in (
        ("key", entry.key, frozenset(ValueType) - {ValueType.CODES, ValueType.MONEY}),
        ("generated", entry.generated, _DAYS),
        ("disclosure.until", (entry.disclosure.until,) if entry.disclosure.until else (), frozenset({ValueType.DAY})),
    ):
        if any(not _is_stored(entry, name, types) for name in named):
            yield Fault(place, "stored fields of this entry, of a type that fits")
    if any(not field.required for field in entry.fields if field.name in entry.key):
        yield Fault("key", "required fields")


def _holds_code(entry: CatalogueEntry, field: HomeField) -> bool:
    one = frozenset({ValueType.CODE})
    return field.within is not None and field.type in one and _is_stored(entry, field.within, one)


def _is_stored(entry: CatalogueEntry, name: str, types: frozenset[ValueType]) -> bool:
    field = entry.home_field(name)
    return field is not None and field.stored and field.type in types


def _item(entry: CatalogueEntry, item: DataItem) -> Iterator[Fault]:
    place, source = f"items.{item.name}", entry.home_field(item.made_from)
    if source is None or not source.stored:
        yield Fault(f"{place}.from", "a stored field of this entry", incomplete=True)
        return
    if any(source.type not in _MADE_FROM[precision] for precision in item.precisions):
        yield Fault(f"{place}.precisions", f"precisions that a {source.type} can be told in")
    if any(_ORDER.index(finer) >= _ORDER.index(coarser) for finer, coarser in pairwise(item.precisions)):
        yield Fault(f"{place}.precisions", "the finest first, each once")
    if not _has_words(item, source):
        yield Fault(place, "the code list or band table that its values are from")
    if item.many != (source.type is ValueType.CODES):
        yield Fault(f"{place}.many", "true for codes, and for nothing else")


def _has_words(item: DataItem, source: HomeField) -> bool:
    if source.type in _CODED:
        return item.codes is source.codes and item.bands is None
    if source.type is ValueType.REGION:
        return item.codes is not None and item.bands is None
    return item.codes is None and (item.bands is not None) == (Precision.BAND in item.precisions)


def _rare(entry: CatalogueEntry) -> Iterator[Fault]:
    """What can single out an enterprise is named, whatever else is; flags and lists of codes are never (S 14, 23)."""
    may_be = {item.name for item in entry.items if not item.many and _RARE.issuperset(item.precisions)}
    if len(set(entry.rare)) < len(entry.rare) or not may_be.issuperset(entry.rare):
        yield Fault("rare", "wire fields of this entry with one code, day, band or region, each once")
    must_be = {item.name for item in entry.items if not _SINGLING_OUT.isdisjoint(item.precisions)}
    if not must_be.issubset(entry.rare):
        yield Fault("rare", "every day, band, region and industry among the wire fields", incomplete=True)


def _law(entry: CatalogueEntry) -> Iterator[Fault]:
    adverse = entry.polarity is Polarity.ADVERSE
    if adverse != (entry.negative_category is not None):
        yield Fault("negative_category", "a category of S 18 for adverse kinds, and only those")
    if adverse and Condition.ATTESTED in entry.conditions:
        yield Fault("polarity", "anything but adverse for what its subject declares (S 20)")
    if adverse and entry.disclosure.years is None:
        yield Fault("disclosure.years", "at most five years for adverse kinds (S 31)", incomplete=True)
    if entry.disclosure.years is None and entry.disclosure.until is None:
        yield Fault("disclosure", "a period in years or the field of its end (S 17)", incomplete=True)
    if entry.nature is Nature.PUBLIC:
        if entry.legal_form is None:
            yield Fault("legal_form", "where public information says its legal form (S 3)", incomplete=True)
        elif not _states_form(entry, entry.legal_form):
            yield Fault("legal_form", f"a field that is never empty, or {IDENTIFIERS}")
    elif entry.crosses not in {Crossing.CONSENT, Crossing.NEVER}:
        yield Fault("crosses", f"{Crossing.CONSENT} for what is not public information (S 35)")


def _states_form(entry: CatalogueEntry, name: str) -> bool:
    """Whether a field always says something: required, or with a required one standing in for it."""
    if name == IDENTIFIERS:
        return True
    field = entry.home_field(name)
    while field is not None and not field.required and field.otherwise is not None:
        field = entry.home_field(field.otherwise)
    return field is not None and field.required


def _evidence(entry: CatalogueEntry, negative: Mapping[int, NegativeCategory]) -> Iterator[Fault]:
    """A category's evidence is among the fields that a provider is asked for (S 18)."""
    if entry.negative_category is None:
        return
    category = negative.get(entry.negative_category)
    if category is None:
        yield Fault("negative_category", "a category that the catalogue describes", incomplete=True)
        return
    for name in category.evidence:
        if entry.home_field(name) is None:
            yield Fault("fields", f"the evidence {name} that its category needs (S 18)", incomplete=True)
    if not category.admitted and entry.crosses is not Crossing.NEVER:
        yield Fault("crosses", f"{Crossing.NEVER} for what is not admitted")
