"""The catalogue: which record kinds exist, what of them may cross, how long and to whom (S 16, 17, 33)."""

from datetime import date
from enum import StrEnum
from functools import cache
from typing import Annotated, Final

from msgspec import Meta, Struct

from registry.errors import BadPack
from registry.norms.packs import read_pack, shipped
from registry.parties import PartyClass

DEFAULT_CATALOGUE: Final = "SZ-2026"

Text = Annotated[str, Meta(min_length=1)]
NonEmpty = Meta(min_length=1)


class Precision(StrEnum):
    """How exactly a wire field tells what the home record knows."""

    EXACT_CODE = "CODE"
    BAND = "BAND"
    YEAR = "YEAR"
    FIVE_YEARS = "FIVE_YEARS"
    MONTH = "MONTH"
    CITY = "CITY"
    PROVINCE = "PROVINCE"
    SECTION = "SECTION"
    FLAG = "FLAG"


class Nature(StrEnum):
    """Whether the information is public credit information (S 3)."""

    PUBLIC = "PUBLIC"
    OTHER = "OTHER"


class Polarity(StrEnum):
    """What the information says of its subject; the disclosure period depends on it (S 31)."""

    BASIC = "BASIC"
    FAVOURABLE = "FAVOURABLE"
    ADVERSE = "ADVERSE"
    NEUTRAL = "NEUTRAL"


class Publicity(StrEnum):
    """How the information may be seen (S 17, 27, 28)."""

    ACTIVE = "ACTIVE"
    BY_QUERY = "BY_QUERY"
    GOVERNMENT_ONLY = "GOVERNMENT_ONLY"


class DataItem(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One wire field and the precisions that an agreement may choose from; no other form leaves home."""

    name: Annotated[str, Meta(pattern=r"\A[a-z][a-z_]*\Z")]
    precisions: Annotated[tuple[Precision, ...], NonEmpty]


class Disclosure(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long it is disclosed: `years` from its generation, or, without, as long as it is valid (S 31)."""

    article: Text
    years: Annotated[int, Meta(ge=1)] | None = None


class CatalogueEntry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One record kind with everything that S 17 asks of a catalogue entry.

    `identification` names the identifier schemes of its subjects, `code` the item; `norms_ref` the published
    operating norms without which public information is not shared (S 33).
    """

    code: Text
    name_zh: Text
    name_en: Text
    nature: Nature
    polarity: Polarity
    negative_category: Annotated[int, Meta(ge=1)] | None = None
    identification: Annotated[tuple[Text, ...], NonEmpty]
    items: Annotated[tuple[DataItem, ...], NonEmpty]
    format: Text
    source: Text
    publicity: Publicity
    disclosure: Disclosure
    sharing_scope: Annotated[frozenset[PartyClass], NonEmpty]
    norms_ref: Text

    def precisions(self, name: str) -> frozenset[Precision]:
        """In which precisions the wire field may cross; none for a field that is not in the entry."""
        return frozenset(choice for item in self.items if item.name == name for choice in item.precisions)

    @property
    def field_names(self) -> frozenset[str]:
        """The wire fields of this kind."""
        return frozenset(item.name for item in self.items)


class Catalogue(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The published catalogue in one version: record kind code to entry."""

    id: Text
    version: Annotated[int, Meta(ge=1)]
    published: date
    entries: dict[str, CatalogueEntry]

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


def read_catalogue(text: str, name: str = "catalogue") -> Catalogue:
    """The catalogue in TOML `text`.

    Raises:
        BadPack: see `read_pack`; also when an entry contradicts itself. Whether it keeps within the rule pack it
            is used with is for `registry.norms.law.check_catalogue` to say.
    """
    catalogue = read_pack(text, Catalogue, name)
    if not catalogue.entries:
        raise BadPack(name, "entries", "at least one entry")
    for kind, entry in catalogue.entries.items():
        _check_entry(entry, name, f"entries.{kind}")
    return catalogue


@cache
def load_catalogue(name: str = DEFAULT_CATALOGUE) -> Catalogue:
    """The shipped catalogue of that name; BadPack when there is none."""
    return read_catalogue(shipped("catalogue", name), name)


def _check_entry(entry: CatalogueEntry, pack: str, place: str) -> None:
    adverse = entry.polarity is Polarity.ADVERSE
    if len(entry.field_names) != len(entry.items):
        raise BadPack(pack, f"{place}.items", "every field once")
    if adverse != (entry.negative_category is not None):
        raise BadPack(pack, f"{place}.negative_category", "a category of S 18 for adverse kinds, and only those")
    if adverse and entry.disclosure.years is None:
        raise BadPack(pack, f"{place}.disclosure.years", "an end of disclosure for adverse kinds (S 31)")
