"""The words a node may use in records and on the wire: code lists and bands, ready for fast questions."""

from bisect import bisect_right
from dataclasses import dataclass
from functools import lru_cache

from registry.norms.code_lists import BandTable, BandTableName, CodeListName
from registry.norms.law import Codes, shipped_law


@dataclass(frozen=True, slots=True, kw_only=True)
class Bands:
    """Amounts in whole yuan: `codes[i]` covers `floors[i]` up to the next floor; floors ascend from 0."""

    table: str
    codes: tuple[str, ...]
    floors: tuple[int, ...]

    def code_of(self, yuan: int) -> str:
        """The code of the band in which `yuan` (0 or more) lies."""
        return self.codes[bisect_right(self.floors, yuan) - 1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """Every code that a record of this node may use; an unlisted code is neither admitted nor rendered.

    `unincorporated` and `natural_person` say which entity types stand for an organisation without legal
    personality, and which for one natural person in business. `regions` are HK, MO, provinces in two digits
    and cities in four.
    """

    entity_types: frozenset[str]
    unincorporated: frozenset[str]
    natural_person: frozenset[str]
    statuses: frozenset[str]
    industry_sections: frozenset[str]
    regions: frozenset[str]
    penalty_types: frozenset[str]
    legal_bases: frozenset[str]
    authority_classes: frozenset[str]
    authority_levels: frozenset[str]
    capital_bands: Bands
    amount_bands: Bands


@lru_cache(maxsize=8)
def vocabulary_of(codes: Codes) -> Vocabulary:
    """The vocabulary of the code lists and band tables in force; read once for as long as they are."""
    lists = {name: found.all() for name, found in codes.lists.items()}
    entity_types = codes.lists[CodeListName.ENTITY_TYPES]
    return Vocabulary(
        entity_types=entity_types.all(),
        unincorporated=entity_types.tagged("UNINCORPORATED"),
        natural_person=entity_types.tagged("NATURAL_PERSON"),
        statuses=lists[CodeListName.STATUSES],
        industry_sections=lists[CodeListName.INDUSTRY_SECTIONS],
        regions=lists[CodeListName.REGIONS],
        penalty_types=lists[CodeListName.PENALTY_TYPES],
        legal_bases=lists[CodeListName.LEGAL_BASES],
        authority_classes=lists[CodeListName.AUTHORITY_CLASSES],
        authority_levels=lists[CodeListName.AUTHORITY_LEVELS],
        capital_bands=_bands(codes.bands[BandTableName.CAPITAL]),
        amount_bands=_bands(codes.bands[BandTableName.AMOUNT]),
    )


def load_vocabulary() -> Vocabulary:
    """The vocabulary of the shipped code lists and band tables."""
    return vocabulary_of(shipped_law().codes)


def _bands(table: BandTable) -> Bands:
    return Bands(table=table.reference, codes=table.codes, floors=table.floors)
