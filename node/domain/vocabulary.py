"""The words a node may use in records and on the wire: catalogue, code lists and bands, ready for fast questions."""

from bisect import bisect_right
from dataclasses import dataclass
from functools import cache
from typing import Final

from registry.norms.catalogue import DEFAULT_CATALOGUE, Catalogue, load_catalogue
from registry.norms.code_lists import BandTableName, CodeListName, load_band_table, load_code_list

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

    def codes(self, name: CodeListName) -> frozenset[str]:
        """The codes of a list; of regions HK, MO, provinces in two digits and cities in four."""
        return _codes(name)

    def crossing_codes(self, name: CodeListName) -> frozenset[str]:
        """The codes of a list that may stand in a rendition: none for a natural person (S 14)."""
        return _codes(name) - self.natural_person if name is CodeListName.ENTITY_TYPES else _codes(name)

    def tagged(self, name: CodeListName, tag: str) -> frozenset[str]:
        """The codes of a list that belong to a group."""
        return load_code_list(name).tagged(tag)

    def bands(self, name: BandTableName) -> Bands:
        """A band table."""
        return _bands(name)


@cache
def load_vocabulary(catalogue: str = DEFAULT_CATALOGUE) -> Vocabulary:
    """The vocabulary of a shipped catalogue, with the shipped code lists and band tables."""
    entity_types = load_code_list(CodeListName.ENTITY_TYPES)
    return Vocabulary(
        catalogue=load_catalogue(catalogue),
        entity_types=entity_types.all(),
        unincorporated=entity_types.tagged("UNINCORPORATED"),
        natural_person=entity_types.tagged(_NATURAL_PERSON),
    )


@cache
def _codes(name: CodeListName) -> frozenset[str]:
    return load_code_list(name).all()


@cache
def _bands(name: BandTableName) -> Bands:
    table = load_band_table(name)
    return Bands(table=table.reference, codes=table.codes, floors=table.floors)
