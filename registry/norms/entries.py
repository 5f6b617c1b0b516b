"""What one entry of the catalogue holds (S 17): the fields home keeps, those that may cross, and under what law."""

from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, Final

from msgspec import Meta, Struct

from registry.norms.code_lists import BandTableName, CodeListName
from registry.parties import PartyClass, PartyName

Text = Annotated[str, Meta(min_length=1)]
NonEmpty = Meta(min_length=1)
FieldName = Annotated[str, Meta(pattern=r"\A[a-z][a-z_]*\Z")]
SourceCode = Annotated[str, Meta(pattern=r"\A[A-Z][A-Z0-9-]{1,31}\Z")]

IDENTIFIERS: Final = "identifiers"
"""In place of a field: the identifiers of the subject themselves."""
PROVISO: Final = 0
"""The negative category of what the national basic catalogue lists beyond the closed list (S 18)."""


class Precision(StrEnum):
    """How exactly a wire field tells what the home record knows; within a scale, finer ones come first.

    TOKEN: not at all, but for the home node, which alone can say which document's number a keyed token stands for.
    """

    EXACT_CODE = "CODE"
    BAND = "BAND"
    MONTH = "MONTH"
    QUARTER = "QUARTER"
    YEAR = "YEAR"
    FIVE_YEARS = "FIVE_YEARS"
    CITY = "CITY"
    PROVINCE = "PROVINCE"
    DIVISION = "DIVISION"
    SECTION = "SECTION"
    FLAG = "FLAG"
    TOKEN = "TOKEN"  # noqa: S105 - the name of a precision, no password


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


class Crossing(StrEnum):
    """Whether records of a kind may leave home (S 14, 35, 50).

    OFF: only where an agreement names the kind on purpose, no draft offers it. CONSENT: only with the subject's word
    for the recipient, query by query.
    """

    YES = "YES"
    OFF = "OFF"
    CONSENT = "CONSENT"
    NEVER = "NEVER"


class Condition(StrEnum):
    """A rule of the regulation that a row has to pass beyond having its fields; `node.domain.conditions` decides."""

    GENERAL_PROCEDURE = "GENERAL_PROCEDURE"
    UNIT_CRIME = "UNIT_CRIME"
    ARREARS_THRESHOLD = "ARREARS_THRESHOLD"
    LISTED_CATEGORY = "LISTED_CATEGORY"
    NOT_CORRECTED = "NOT_CORRECTED"
    CONSEQUENCES_STATED = "CONSEQUENCES_STATED"
    SYMBOL_OF_SCALE = "SYMBOL_OF_SCALE"
    ATTESTED = "ATTESTED"


class ValueType(StrEnum):
    """What a home field holds, and so how its column is read.

    TEXT: a name or address without a mark of a natural person. FREE_TEXT: also without excluded categories (S 3).
    DOCUMENT_NUMBER: of a decision, case, licence or contract. REFERENCE: the number of another record. DIGEST: the
    SHA-256 of a document that stays with the provider. MONTH: year and month. REGION: HK, MO or GB/T 2260.
    """

    TEXT = "text"
    FREE_TEXT = "free_text"
    DOCUMENT_NUMBER = "document_number"
    REFERENCE = "reference"
    DIGEST = "digest"
    CODE = "code"
    CODES = "codes"
    DAY = "day"
    MONTH = "month"
    MONEY = "money"
    INTEGER = "integer"
    FLAG = "flag"
    REGION = "region"


class Derivation(StrEnum):
    """How a field without a column of its own follows from the rest of the row."""

    HAS_LEI = "HAS_LEI"


class HomeField(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One thing that home keeps of a kind, or asks a provider for; titled in both languages.

    `column` is its heading in a file, the name itself if empty. A day is not later than today unless it may lie
    `ahead`; 2099-12-31 and later is there without end. `otherwise` names the field whose value stands in for an empty
    one. A code that is `within` another field's begins with that field's letter, and gives it when it is empty: the
    division of an industry its section. A field that is not `stored` is asked for and judged, and not kept. A field
    `added_in` a later version is left out of stored content while it is empty, so that what was stored before reads,
    and digests, as it did.
    """

    name: FieldName
    type: ValueType
    zh: Text
    en: Text
    column: FieldName | None = None
    codes: CodeListName | None = None
    required: bool = False
    ahead: bool = False
    stored: bool = True
    otherwise: FieldName | None = None
    within: FieldName | None = None
    derived: Derivation | None = None
    added_in: Annotated[int, Meta(ge=1)] = 1

    @property
    def heading(self) -> str:
        """The heading of its column."""
        return self.column or self.name


class DataItem(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"made_from": "from"}):
    """One wire field and the precisions that an agreement may choose from, finest first; no other form leaves home.

    `made_from` is the home field. `codes` or `bands` are the only words it may use; `many` when it lists several.
    """

    name: FieldName
    made_from: FieldName
    precisions: Annotated[tuple[Precision, ...], NonEmpty]
    codes: CodeListName | None = None
    bands: BandTableName | None = None
    many: bool = False


class Deidentification(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How rare a rendition may be (S 14, 17, 23).

    `profile` names the catalogue's wire fields, precisions and orders, as agreements and rendition headers name them.
    The rare values of a rendition are true of at least `k` enterprises at home, or are made coarser.
    """

    profile: Annotated[str, Meta(pattern=r"\A[A-Z0-9-]{1,32}\Z")]
    k: Annotated[int, Meta(ge=2)]
    article: Text


class Disclosure(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long it is disclosed (S 31): `years` from its generation, through the day in the field `until`, or both.

    With both, the earlier end counts.
    """

    article: Text
    years: Annotated[int, Meta(ge=1)] | None = None
    until: FieldName | None = None


class CatalogueEntry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One record kind with everything that S 17 asks of a catalogue entry.

    `identification` names the identifier schemes of its subjects, `code` the item, `section` its place in a report;
    `norms_ref` the published operating norms without which public information is not shared (S 33). `key` names the
    fields that tell a record from others of its subject, `generated` those whose earliest day is that of generation
    (S 31), `legal_form` the one that says in which legal form public information was confirmed (S 3). In a kind whose
    records are `named`, the subject's name is stated. `providers` may report the kind without being registered (S 8).
    `sources` are the systems that its records come from, beside the municipal one where they are public (S 8, 17, 21).
    `rare` names the wire fields that can single out an enterprise together, in the order in which they are given up
    where they would.
    """

    code: Text
    name_zh: Text
    name_en: Text
    nature: Nature
    polarity: Polarity
    negative_category: Annotated[int, Meta(ge=PROVISO, le=11)] | None = None
    section: Text
    crosses: Crossing
    identification: Annotated[tuple[Text, ...], NonEmpty]
    key: tuple[FieldName, ...] = ()
    generated: Annotated[tuple[FieldName, ...], NonEmpty]
    legal_form: FieldName | None = None
    conditions: tuple[Condition, ...] = ()
    named: bool = False
    fields: Annotated[tuple[HomeField, ...], NonEmpty]
    items: Annotated[tuple[DataItem, ...], NonEmpty]
    rare: tuple[FieldName, ...] = ()
    format: Text
    sources: Annotated[tuple[SourceCode, ...], NonEmpty]
    publicity: Publicity
    disclosure: Disclosure
    sharing_scope: Annotated[frozenset[PartyClass], NonEmpty]
    norms_ref: Text
    providers: frozenset[PartyName] = frozenset()

    def precisions(self, name: str) -> frozenset[Precision]:
        """In which precisions the wire field may cross; none for a field that is not in the entry."""
        return frozenset(choice for item in self.items if item.name == name for choice in item.precisions)

    @property
    def field_names(self) -> frozenset[str]:
        """The wire fields of this kind."""
        return frozenset(item.name for item in self.items)

    @property
    def rare_items(self) -> tuple[DataItem, ...]:
        """The items that `rare` names, in its order."""
        by_name = {item.name: item for item in self.items}
        return tuple(by_name[name] for name in self.rare)

    def home_field(self, name: str) -> HomeField | None:
        """The home field of that name."""
        return next((field for field in self.fields if field.name == name), None)

    @property
    def columns(self) -> Iterator[HomeField]:
        """The home fields that a file has columns for."""
        return (field for field in self.fields if field.derived is None)


class DataSource(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A system that records come from, titled in both languages (S 8, 17, 21).

    The `base` is the platform of all public information: good for every kind of it. One that is `named` stands for
    many, and whoever loads from it says from which.
    """

    zh: Text
    en: Text
    article: Text
    base: bool = False
    named: bool = False

    def written(self, code: str) -> str:
        """How an import names it."""
        return f"{code}:<which>" if self.named else code


class SharedFields(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Fields that groups of kinds have in addition: adverse ones, those with a period in years, those with consent."""

    adverse: tuple[HomeField, ...] = ()
    period: tuple[HomeField, ...] = ()
    consent: tuple[HomeField, ...] = ()

    def of(self, entry: CatalogueEntry) -> tuple[HomeField, ...]:
        """Those that this entry has."""
        return (
            *(self.adverse if entry.polarity is Polarity.ADVERSE else ()),
            *(self.period if entry.disclosure.years is not None else ()),
            *(self.consent if entry.crosses is Crossing.CONSENT else ()),
        )


class NegativeCategory(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One item of the closed list (S 18): the fields a provider must state, and the rule beyond them.

    What is not `admitted` is listed by the regulation, and is about natural persons only.
    """

    zh: Text
    en: Text
    article: Text
    evidence: tuple[FieldName, ...]
    condition: Condition | None = None
    admitted: bool = True
