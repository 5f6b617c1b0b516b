"""The catalogue: which record kinds exist, what of them may cross, how long and to whom (S 16, 17, 33)."""

from datetime import date
from functools import cache
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from registry.errors import BadPack, IncompleteEntry
from registry.norms.entries import (
    CatalogueEntry,
    Condition,
    Crossing,
    DataItem,
    DataSource,
    Deidentification,
    Derivation,
    Disclosure,
    HomeField,
    Nature,
    NegativeCategory,
    Polarity,
    Precision,
    Publicity,
    SharedFields,
    SourceCode,
    Text,
    ValueType,
)
from registry.norms.entry_checks import faults
from registry.norms.packs import read_pack, shipped

__all__ = [
    "DEFAULT_CATALOGUE",
    "Catalogue",
    "CatalogueEntry",
    "Condition",
    "Crossing",
    "DataItem",
    "DataSource",
    "Deidentification",
    "Derivation",
    "Disclosure",
    "HomeField",
    "Nature",
    "NegativeCategory",
    "Polarity",
    "Precision",
    "Publicity",
    "SharedFields",
    "ValueType",
    "load_catalogue",
    "read_catalogue",
]

DEFAULT_CATALOGUE: Final = "SZ-2026"


class Catalogue(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The published catalogue in one version: record kind code to entry.

    `sources` are the systems that records come from, by code; `negative` is the closed list of S 18 by number.
    """

    id: Text
    version: Annotated[int, Meta(ge=1)]
    published: date
    deidentification: Deidentification
    entries: dict[str, CatalogueEntry]
    sources: dict[SourceCode, DataSource]
    shared: SharedFields = SharedFields()
    negative: dict[int, NegativeCategory] = {}

    @property
    def reference(self) -> str:
        """`<id>@<version>`, as records and agreements name it."""
        return f"{self.id}@{self.version}"

    def entry(self, kind: str) -> CatalogueEntry | None:
        """The entry of a record kind, or None when it may not be aggregated or shared at all (S 16)."""
        return self.entries.get(kind)

    def allows(self, kind: str, name: str, precision: Precision) -> bool:
        """Whether a wire field of a kind may cross in that precision."""
        entry = self.entries.get(kind)
        return entry is not None and precision in entry.precisions(name)

    def sources_of(self, entry: CatalogueEntry) -> dict[str, DataSource]:
        """The systems that records of an entry come from, by code; also the base where it is public (S 8, 21)."""
        base = [code for code, one in self.sources.items() if one.base and entry.nature is Nature.PUBLIC]
        return {code: self.sources[code] for code in (*base, *entry.sources)}

    def is_source(self, entry: CatalogueEntry, written: str) -> bool:
        """Whether records of an entry come from what somebody wrote: `CODE`, or `CODE:which` of one that is named."""
        code, colon, which = written.partition(":")
        found = self.sources_of(entry).get(code)
        return found is not None and found.named is bool(colon) is bool(which.strip())

    def conditions(self, entry: CatalogueEntry) -> tuple[Condition, ...]:
        """Every rule that rows of this entry have to pass: those of its negative category, and its own."""
        category = None if entry.negative_category is None else self.negative.get(entry.negative_category)
        first = () if category is None or category.condition is None else (category.condition,)
        return (*first, *entry.conditions)


def read_catalogue(text: str, name: str = "catalogue") -> Catalogue:
    """The catalogue in TOML `text`, each entry with the fields that its group of kinds shares.

    Raises:
        IncompleteEntry: an entry lacks a part that S 17 asks for, or the evidence its category needs (S 18).
        BadPack: see `read_pack`; also when an entry contradicts itself. Whether it keeps within the rule pack it
            is used with is for `registry.norms.law.check_catalogue` to say.
    """
    try:
        catalogue = read_pack(text, Catalogue, name)
    except BadPack as failure:
        if failure.place.startswith("$.entries["):
            raise IncompleteEntry(name, failure.place, failure.expected) from None
        raise
    if not catalogue.entries:
        raise BadPack(name, "entries", "at least one entry")
    entries = {
        kind: msgspec.structs.replace(entry, fields=(*entry.fields, *catalogue.shared.of(entry)))
        for kind, entry in catalogue.entries.items()
    }
    for kind, entry in entries.items():
        for fault in faults(entry, catalogue.negative, catalogue.sources):
            error = IncompleteEntry if fault.incomplete else BadPack
            raise error(name, f"entries.{kind}.{fault.place}", fault.expected)
    return msgspec.structs.replace(catalogue, entries=entries)


@cache
def load_catalogue(name: str = DEFAULT_CATALOGUE) -> Catalogue:
    """The shipped catalogue of that name; BadPack when there is none."""
    return read_catalogue(shipped("catalogue", name), name)
