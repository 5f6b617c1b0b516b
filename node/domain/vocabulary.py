"""The words a node may use in records and on the wire: code lists and bands, ready for fast questions."""

from bisect import bisect_right
from dataclasses import dataclass
from functools import cache

from registry.norms.code_lists import BandTableName, CodeListName, load_band_table, load_code_list


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


@cache
def load_vocabulary() -> Vocabulary:
    """The vocabulary of the shipped code lists and band tables."""
    entity_types = load_code_list(CodeListName.ENTITY_TYPES)
    return Vocabulary(
        entity_types=entity_types.all(),
        unincorporated=entity_types.tagged("UNINCORPORATED"),
        natural_person=entity_types.tagged("NATURAL_PERSON"),
        statuses=_codes(CodeListName.STATUSES),
        industry_sections=_codes(CodeListName.INDUSTRY_SECTIONS),
        regions=_codes(CodeListName.REGIONS),
        penalty_types=_codes(CodeListName.PENALTY_TYPES),
        legal_bases=_codes(CodeListName.LEGAL_BASES),
        authority_classes=_codes(CodeListName.AUTHORITY_CLASSES),
        authority_levels=_codes(CodeListName.AUTHORITY_LEVELS),
        capital_bands=_bands(BandTableName.CAPITAL),
        amount_bands=_bands(BandTableName.AMOUNT),
    )


def _codes(name: CodeListName) -> frozenset[str]:
    return load_code_list(name).all()


def _bands(name: BandTableName) -> Bands:
    table = load_band_table(name)
    return Bands(table=table.reference, codes=table.codes, floors=table.floors)
