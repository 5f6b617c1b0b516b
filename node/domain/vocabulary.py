"""The words a node may use in records and on the wire: catalogue, code lists and bands, ready for fast questions."""

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from registry.norms.catalogue import Catalogue
from registry.norms.code_lists import BandTable, BandTableName, CodeList, CodeListName
from registry.norms.law import Law, shipped_law

_NATURAL_PERSON: Final = "NATURAL_PERSON"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bands:
    """Amounts in whole units (yuan, days): `codes[i]` covers `floors[i]` up to the next floor, ascending from 0."""

    table: str
    codes: tuple[str, ...]
    floors: tuple[int, ...]

    def code_of(self, amount: int) -> str:
        """The code of the band in which `amount` (0 or more) lies."""
        return self.codes[bisect_right(self.floors, amount) - 1]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Vocabulary:
    """Every code that a record of this node may use; an unlisted code is neither admitted nor rendered.

    `unincorporated` and `natural_person` say which entity types stand for an organisation without legal
    personality, and which for one natural person in business.
    """

    catalogue: Catalogue
    entity_types: frozenset[str]
    unincorporated: frozenset[str]
    natural_person: frozenset[str]
    lists: Mapping[CodeListName, CodeList] = field(repr=False)
    words: Mapping[CodeListName, frozenset[str]] = field(repr=False)
    tables: Mapping[BandTableName, Bands] = field(repr=False)

    def codes(self, name: CodeListName) -> frozenset[str]:
        """The codes of a list; of regions HK, MO, provinces in two digits and cities in four."""
        return self.words[name]

    def crossing_codes(self, name: CodeListName) -> frozenset[str]:
        """The codes of a list that may stand in a rendition: none for a natural person (S 14)."""
        words = self.words[name]
        return words - self.natural_person if name is CodeListName.ENTITY_TYPES else words

    def tagged(self, name: CodeListName, tag: str) -> frozenset[str]:
        """The codes of a list that belong to a group."""
        return self.lists[name].tagged(tag)

    def bands(self, name: BandTableName) -> Bands:
        """A band table."""
        return self.tables[name]


@lru_cache(maxsize=8)
def vocabulary_of(law: Law) -> Vocabulary:
    """The words of the law in force; read once for as long as it is."""
    entity_types = law.codes.lists[CodeListName.ENTITY_TYPES]
    return Vocabulary(
        catalogue=law.catalogue,
        entity_types=entity_types.all(),
        unincorporated=entity_types.tagged("UNINCORPORATED"),
        natural_person=entity_types.tagged(_NATURAL_PERSON),
        lists=law.codes.lists,
        words={name: found.all() for name, found in law.codes.lists.items()},
        tables={name: _bands(found) for name, found in law.codes.bands.items()},
    )


def load_vocabulary() -> Vocabulary:
    """The vocabulary of the shipped law."""
    return vocabulary_of(shipped_law())


def _bands(table: BandTable) -> Bands:
    return Bands(table=table.reference, codes=table.codes, floors=table.floors)
