"""Code lists and band tables: the only words and steps that a wire field may use."""

from bisect import bisect_right
from enum import StrEnum
from functools import cache
from itertools import pairwise
from typing import Annotated

from msgspec import Meta, Struct

from registry.errors import BadPack
from registry.norms.clocks import Event
from registry.norms.packs import read_pack, shipped

Text = Annotated[str, Meta(min_length=1)]
Positive = Annotated[int, Meta(ge=1)]
BandCode = Annotated[str, Meta(pattern=r"\A[A-Z][0-9]{1,2}\Z")]


class CodeListName(StrEnum):
    """The code lists that are shipped."""

    ENTITY_TYPES = "entity-types"
    STATUSES = "statuses"
    INDUSTRY_DIVISIONS = "industry-divisions"
    INDUSTRY_SECTIONS = "industry-sections"
    REGIONS = "regions"
    PENALTY_TYPES = "penalty-types"
    LEGAL_BASES = "legal-bases"
    AUTHORITY_CLASSES = "authority-classes"
    AUTHORITY_LEVELS = "authority-levels"
    PURPOSES = "purposes"
    DELETION_BASES = "deletion-bases"
    CORRECTION_BASES = "correction-bases"
    WITHHOLDING_BASES = "withholding-bases"
    RELEASE_BASES = "release-bases"
    ABNORMAL_REASONS = "abnormal-reasons"
    ADMINISTRATIVE_PROCEDURES = "administrative-procedures"
    ARREARS_TYPES = "arrears-types"
    BAN_SCOPES = "ban-scopes"
    BENEFIT_TYPES = "benefit-types"
    CASE_CAUSES = "case-causes"
    CHANGE_REASONS = "change-reasons"
    COMMITMENT_TYPES = "commitment-types"
    CONDUCT_CODES = "conduct-codes"
    COURT_LEVELS = "court-levels"
    DATA_CLASSES = "data-classes"
    DECLARATION_TOPICS = "declaration-topics"
    DISHONESTY_TYPES = "dishonesty-types"
    FACILITY_TYPES = "facility-types"
    GRADE_SCALES = "grade-scales"
    GRADE_SYMBOLS = "grade-symbols"
    HONOUR_TITLES = "honour-titles"
    LENDER_CLASSES = "lender-classes"
    LICENCE_CATEGORIES = "licence-categories"
    NEGATIVE_CATEGORIES = "negative-categories"
    OFFENCE_CLASSES = "offence-classes"
    OUTCOME_CLASSES = "outcome-classes"
    PARTY_ROLES = "party-roles"
    PERFORMANCE_STATUSES = "performance-statuses"
    POSITIVE_LISTS = "positive-lists"
    PROCEDURES = "procedures"
    RATER_CLASSES = "rater-classes"
    RATING_BASES = "rating-bases"
    REORGANISATION_STAGES = "reorganisation-stages"
    REPORT_SECTIONS = "report-sections"
    RISK_CLASSES = "risk-classes"
    SERIOUS_GROUPS = "serious-groups"
    SERIOUS_LISTS = "serious-lists"
    SEVERITIES = "severities"
    UNLAWFUL_MEANS = "unlawful-means"


class BandTableName(StrEnum):
    """The band tables that are shipped."""

    CAPITAL = "capital-bands"
    AMOUNT = "amount-bands"
    BALANCE = "balance-bands"
    COUNT = "count-bands"
    DAYS_LATE = "days-late-bands"
    OVERDUE_BUCKETS = "overdue-buckets"
    TERM = "term-bands"


class Code(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a code means, in both languages (English may be missing), and which groups it belongs to.

    `article` is the one that a legal basis rests on, as in "S 36"; empty for a code that is none. `events` are what has
    happened where something is done on that basis, in the words by which a rule pack's clocks start.
    """

    zh: Text
    en: str = ""
    tags: frozenset[Text] = frozenset()
    article: str = ""
    events: tuple[Event, ...] = ()


class CodeList(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A closed list of codes in one version."""

    id: Text
    version: Positive
    source: Text
    codes: dict[Text, Code]

    @property
    def reference(self) -> str:
        """`<id>@<version>`."""
        return f"{self.id}@{self.version}"

    def __contains__(self, code: object) -> bool:
        return code in self.codes

    def all(self) -> frozenset[str]:
        """Every code."""
        return frozenset(self.codes)

    def tagged(self, tag: str) -> frozenset[str]:
        """Every code of a group, for example UNINCORPORATED entity types."""
        return frozenset(code for code, meaning in self.codes.items() if tag in meaning.tags)


class Band(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One band: from `floor` whole units up to the next floor."""

    code: BandCode
    floor: Annotated[int, Meta(ge=0)]


class BandTable(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Bands that cover every amount from 0, in whole units: of a currency (ISO 4217), DAY or COUNT."""

    id: Text
    version: Positive
    unit: Annotated[str, Meta(pattern=r"\A(?:[A-Z]{3}|COUNT)\Z")]
    source: Text
    bands: Annotated[tuple[Band, ...], Meta(min_length=1)]

    @property
    def reference(self) -> str:
        """`<id>@<version>`."""
        return f"{self.id}@{self.version}"

    @property
    def codes(self) -> tuple[str, ...]:
        """The band codes, ascending."""
        return tuple(band.code for band in self.bands)

    @property
    def floors(self) -> tuple[int, ...]:
        """The amounts at which the bands begin, ascending from 0."""
        return tuple(band.floor for band in self.bands)

    def code_of(self, amount: int) -> str:
        """The code of the band in which `amount` lies; ValueError when it is negative."""
        if amount < 0:
            raise ValueError("an amount is 0 or more")
        return self.bands[bisect_right(self.floors, amount) - 1].code


def read_code_list(text: str, name: str = "code list") -> CodeList:
    """The code list in TOML `text`; BadPack when it does not fit or is empty."""
    found = read_pack(text, CodeList, name)
    if not found.codes:
        raise BadPack(name, "codes", "at least one code")
    return found


def read_band_table(text: str, name: str = "band table") -> BandTable:
    """The band table in TOML `text`; BadPack unless its bands cover every amount from 0, each once."""
    table = read_pack(text, BandTable, name)
    floors = table.floors
    if floors[0] or any(above <= below for below, above in pairwise(floors)):
        raise BadPack(name, "bands", "floors that ascend from 0")
    if len(set(table.codes)) != len(table.codes):
        raise BadPack(name, "bands", "every code once")
    return table


@cache
def load_code_list(name: CodeListName) -> CodeList:
    """A shipped code list."""
    return read_code_list(shipped("codes", name), name)


@cache
def load_band_table(name: BandTableName) -> BandTable:
    """A shipped band table."""
    return read_band_table(shipped("codes", name), name)
