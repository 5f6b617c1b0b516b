"""A rule pack: the numbers and lists of one regulation, each with the article it rests on (rule 8)."""

from collections.abc import Collection
from datetime import date
from enum import StrEnum
from functools import cache
from typing import Annotated, Final, Generic, TypeVar

from msgspec import Meta, Struct

from registry.errors import BadPack
from registry.norms.calendar import Calendar, Due
from registry.norms.packs import read_pack, shipped
from registry.parties import Jurisdiction, PartyClass

DEFAULT_RULE_PACK: Final = "SZ-DRAFT-82"

T = TypeVar("T")
Positive = Annotated[int, Meta(ge=1)]
Article = Annotated[str, Meta(min_length=1)]
"""Where a value comes from: `34.1` is article 34 paragraph 1 of the regulation the pack stands for."""


class Ruled(Struct, Generic[T], frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A value and the article that sets it."""

    value: T
    article: Article


class Unit(StrEnum):
    """What a clock counts."""

    WORKING_DAY = "WORKING_DAY"


class Clock(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A period that the law sets: `length` units after the day of `start`, by `calendar`."""

    article: Article
    start: str
    end: str
    length: Positive
    unit: Unit
    calendar: str

    def due(self, start: date, calendar: Calendar) -> Due:
        """The last day of this clock when it starts on `start`.

        Raises:
            CalendarUnavailable: see `Calendar.add_working_days`.
            ValueError: the calendar is of another jurisdiction.
        """
        if calendar.jurisdiction != self.calendar:
            raise ValueError(f"this clock runs by {self.calendar}")
        return calendar.add_working_days(start, self.length)


class Filing(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An agreement with a party in any of `when_any_party_in` needs the receipt of `authority_of`."""

    authority_of: Jurisdiction
    when_any_party_in: frozenset[Jurisdiction]
    article: Article


class Retention(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many days a recipient keeps a copy, unless the agreement says less."""

    default_days: Positive
    max_days: Positive
    article: Article


class RulePack(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The law as this product applies it; every decision records `reference` and the article.

    `agreement_parties` may be party to a sharing agreement, `record_recipients` may be shown records at all unless the
    catalogue says less; `negative_categories` is how many items the closed list of adverse information has.
    """

    id: str
    version: Positive
    title: str
    title_en: str
    effective_from: date
    clocks: dict[str, Clock]
    filings: tuple[Filing, ...]
    retention: Retention
    consent_max_months: Ruled[Positive]
    agreement_max_months: Ruled[Positive]
    disclosure_years: Ruled[Positive]
    negative_categories: Ruled[Positive]
    agreement_parties: Ruled[frozenset[PartyClass]]
    record_recipients: Ruled[frozenset[PartyClass]]
    purposes_abroad: Ruled[frozenset[str]]
    batch_query_classes: Ruled[frozenset[PartyClass]]

    @property
    def reference(self) -> str:
        """`<id>@<version>`, as documents name it."""
        return f"{self.id}@{self.version}"

    def required_filings(self, jurisdictions: Collection[Jurisdiction]) -> frozenset[Jurisdiction]:
        """Whose authorities' receipts an agreement between parties of these jurisdictions needs."""
        present = frozenset(jurisdictions)
        return frozenset(one.authority_of for one in self.filings if one.when_any_party_in & present)

    def filing_article(self, authority_of: Jurisdiction) -> str | None:
        """The article that demands the receipt of this jurisdiction's authority, if any does."""
        return next((one.article for one in self.filings if one.authority_of is authority_of), None)

    @property
    def filing_clock(self) -> Clock:
        """Within what time an agreement is filed, from the signing date it states (S 34)."""
        return self.clocks["AGR_FILE"]

    @property
    def notice_clock(self) -> Clock:
        """Within what time a holder applies a change that it was told of (S 36, 42)."""
        return self.clocks["NOTICE_APPLY"]


def read_rule_pack(text: str, name: str = "rule pack") -> RulePack:
    """The rule pack in TOML `text`.

    Raises:
        BadPack: see `read_pack`; also without AGR_FILE or NOTICE_APPLY, with a default above its maximum, or with
            recipients of records who may be party to no agreement.
    """
    pack = read_pack(text, RulePack, name)
    for needed in ("AGR_FILE", "NOTICE_APPLY"):
        if needed not in pack.clocks:
            raise BadPack(name, "clocks", f"a clock {needed}")
    if pack.retention.default_days > pack.retention.max_days:
        raise BadPack(name, "retention.default_days", "no more than max_days")
    if not pack.record_recipients.value <= pack.agreement_parties.value:
        raise BadPack(name, "record_recipients.value", "classes of agreement_parties only")
    return pack


@cache
def load_rule_pack(name: str = DEFAULT_RULE_PACK) -> RulePack:
    """The shipped rule pack of that name; BadPack when there is none."""
    return read_rule_pack(shipped("rules", name), name)
