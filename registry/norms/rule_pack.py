"""A rule pack: the numbers and lists of one regulation, each with the article it rests on (rule 8)."""

import tomllib
from collections.abc import Collection
from datetime import date, datetime, time
from enum import StrEnum
from functools import cache
from typing import Annotated, Final, Generic, TypeVar

from msgspec import Meta, Struct, ValidationError, convert

from registry.errors import BadPack
from registry.norms.calendar import Calendar, Coverage, Due, coverage_ends
from registry.norms.clocks import Article, Clock, Code, Event, Positive
from registry.norms.packs import read_pack, shipped
from registry.parties import Jurisdiction, PartyClass

DEFAULT_RULE_PACK: Final = "SZ-DRAFT-82"

T = TypeVar("T")
KindCode = Annotated[str, Meta(pattern=r"\A[1-9][0-9]{2}\Z")]
"""A record kind as catalogues number it."""


class Ground(StrEnum):
    """What is granted or done without a coded basis of its own, and rests on articles that the rule pack names."""

    QUERY = "QUERY"
    BATCH = "BATCH"
    EVALUATE = "EVALUATE"
    PUSH = "PUSH"
    REPLACE = "REPLACE"
    IMPORT = "IMPORT"
    ATTEST = "ATTEST"
    CHANGE = "CHANGE"


class Ruled(Struct, Generic[T], frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A value and the article that sets it."""

    value: T
    article: Article


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
    `arrears_thresholds` say from how many whole yuan arrears of a type are relatively large; a type without one is
    never large (S 18(8)). `adverse_warning_kinds` are asked for only under a consent whose subject was warned (S 23).
    `events` are all that a clock may start or end with, and `views` where a breach may be shown; `grounds` say on which
    articles rests what is granted.
    """

    id: str
    version: Positive
    title: str
    title_en: str
    effective_from: date
    calendar_alarm_days: Ruled[Positive]
    close_of_business: Ruled[time]
    events: tuple[Event, ...]
    views: tuple[Code, ...]
    grounds: dict[Ground, Article]
    clocks: dict[Code, Clock]
    filings: tuple[Filing, ...]
    retention: Retention
    consent_max_months: Ruled[Positive]
    adverse_warning_kinds: Ruled[frozenset[KindCode]]
    agreement_max_months: Ruled[Positive]
    disclosure_years: Ruled[Positive]
    arrears_thresholds: Ruled[dict[str, Positive]]
    negative_categories: Ruled[Positive]
    agreement_parties: Ruled[frozenset[PartyClass]]
    record_recipients: Ruled[frozenset[PartyClass]]
    purposes_abroad: Ruled[frozenset[str]]
    batch_query_classes: Ruled[frozenset[PartyClass]]

    @property
    def reference(self) -> str:
        """`<id>@<version>`, as documents name it."""
        return f"{self.id}@{self.version}"

    def ground(self, ground: Ground) -> str:
        """The articles on which something rests that is granted or done, as refusals name theirs: "S 28, 35"."""
        return f"S {self.grounds[ground]}"

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
        """Within what time a holder deletes or replaces a copy, from the change it was told of (S 36, 42)."""
        return self.clocks["PEER_DELETE"]

    def target(self, due: Due) -> datetime:
        """Until when an act is best done: the close of business of its last day (Civil Code 203)."""
        return due.at(self.close_of_business.value)

    def calendar_alarm(self, calendar: Calendar, today: date) -> Coverage | None:
        """What is covered, when so little is left that somebody must install the next year's official pack.

        Raises:
            CalendarUnavailable: not even today is covered.
        """
        coverage = coverage_ends(calendar, today)
        return coverage if coverage.is_unannounced_within(self.calendar_alarm_days.value) else None


def read_rule_pack(text: str, name: str = "rule pack") -> RulePack:
    """The rule pack in TOML `text`.

    Raises:
        BadPack: see `read_pack`; also without a clock or a ground that the product needs, with a clock that starts or
            ends with an event, breaks into a view or is extended within a clock that the pack does not list, with two
            terms of disclosure, with a default above its maximum, or with recipients of records outside
            agreement_parties.
    """
    try:
        pack = read_pack(text, RulePack, name)
    except BadPack as failure:
        raise _named(failure, text) from None
    for needed in ("AGR_FILE", "DISCLOSURE", "PEER_DELETE"):
        if needed not in pack.clocks:
            raise BadPack(name, "clocks", f"a clock {needed}")
    if lacking := set(Ground) - pack.grounds.keys():
        raise BadPack(name, "grounds", ", ".join(sorted(lacking)))
    for code, clock in pack.clocks.items():
        if (complaint := _unfit(clock, pack)) is not None:
            raise BadPack(name, f"clocks.{code}.{complaint[0]}", complaint[1])
    if (bound := pack.clocks["DISCLOSURE"].strict) is None or bound.length != pack.disclosure_years.value:
        raise BadPack(name, "clocks.DISCLOSURE.strict", "the years of disclosure_years")
    if pack.retention.default_days > pack.retention.max_days:
        raise BadPack(name, "retention.default_days", "no more than max_days")
    if not pack.record_recipients.value <= pack.agreement_parties.value:
        raise BadPack(name, "record_recipients.value", "classes of agreement_parties only")
    return pack


def _unfit(clock: Clock, pack: RulePack) -> tuple[str, str] | None:
    """Where a clock does not fit the lists of its pack, and what was expected there."""
    for key, events in (("start", clock.start), ("end", clock.end)):
        if not set(events) <= set(pack.events):
            return key, "events that the pack lists"
    if clock.extension is not None and clock.extension.within not in {None, *pack.clocks}:
        return "extension.within", "a clock of this pack"
    return None


def _named(failure: BadPack, text: str) -> BadPack:
    """The same failure with the name of the clock it is in, which the place of a table's value does not tell."""
    inside, _, rest = failure.place.partition("$.clocks[...]")
    if inside or "$.clocks[...]" not in failure.place:
        return failure
    for code, clock in tomllib.loads(text)["clocks"].items():
        try:
            convert(clock, Clock, strict=True)
        except ValidationError:
            return type(failure)(failure.pack, f"clocks.{code}{rest}", failure.expected)
    return failure


@cache
def load_rule_pack(name: str = DEFAULT_RULE_PACK) -> RulePack:
    """The shipped rule pack of that name; BadPack when there is none."""
    return read_rule_pack(shipped("rules", name), name)
