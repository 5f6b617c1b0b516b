"""What a countersigner and an authority verify of terms before they sign (S 13-17, 33-35)."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise
from typing import Final

from agreements.months import add_months
from agreements.refusal import Refusal
from agreements.terms import PROVEN_EXPORT_PATHS, Direction, KindTerms, Terms
from crypto.errors import BadKey
from crypto.keys import Algorithm, Purpose, Suite, register_key
from registry.norms.calendar import shanghai_day
from registry.norms.catalogue import Catalogue, CatalogueEntry, Crossing, Publicity
from registry.norms.rule_pack import RulePack
from registry.parties import Jurisdiction, PartyCard

_ABROAD: Final = frozenset({Jurisdiction.HK, Jurisdiction.MO})
_PERSONAL: Final = re.compile(r"[0-9]{5}|@")
"""A telephone or identity number, or a mail address: contacts are roles, never persons (S 23)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing wrong with terms: `field` was to be `expected` and is `got`, in codes and counts."""

    field: str
    expected: str
    got: str
    reason: Refusal = Refusal.MALFORMED

    @property
    def detail(self) -> str:
        """The same in one line, for a refusal."""
        return f"{self.field}: expected {self.expected}, got {self.got}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """Terms with everything they are judged by."""

    terms: Terms
    provider: PartyCard
    recipient: PartyCard
    rules: RulePack
    catalogue: Catalogue


def check_terms(
    terms: Terms, provider: PartyCard, recipient: PartyCard, rules: RulePack, catalogue: Catalogue
) -> tuple[Problem, ...]:
    """Everything wrong with terms under this law and catalogue; empty when they may be signed and filed.

    Whether the parties are admitted at the time is for the registry to say, and not looked at here.
    """
    case = _Case(terms=terms, provider=provider, recipient=recipient, rules=rules, catalogue=catalogue)
    checks = (_parties, _law, _scope, _limits, _order, _time, _epochs, _texts)
    return tuple(chain.from_iterable(check(case) for check in checks))


def fitting_direction(provider: Jurisdiction, recipient: Jurisdiction) -> Direction | None:
    """The direction between two places; None between Hong Kong and Macau, out of this regulation's reach."""
    if provider is recipient:
        return Direction.LOCAL
    if provider is Jurisdiction.CN_SZ and recipient in _ABROAD:
        return Direction.SOUTHBOUND
    if provider in _ABROAD and recipient is Jurisdiction.CN_SZ:
        return Direction.NORTHBOUND
    return None


def _parties(case: _Case) -> Iterator[Problem]:
    terms, provider, recipient = case.terms, case.provider, case.recipient
    if terms.provider == terms.recipient:
        yield Problem(field="recipient", expected="another party than the provider", got="the same")
    for role, named, card in (
        ("provider", terms.provider, provider),
        ("recipient", terms.recipient, recipient),
    ):
        if named != card.party:
            yield Problem(field=role, expected="the party of its card", got="another")
        if card.party_class not in case.rules.agreement_parties.value:
            yield Problem(
                field=role,
                expected="a class that may share by agreement",
                got=card.party_class,
                reason=Refusal.PARTY_NOT_ELIGIBLE,
            )
    fitting = fitting_direction(provider.jurisdiction, recipient.jurisdiction)
    if terms.direction is not fitting:
        yield Problem(
            field="direction",
            expected=fitting or "none",
            got=terms.direction,
            reason=Refusal.OUT_OF_TERRITORY,
        )
    if recipient.party_class not in case.rules.record_recipients.value:
        yield Problem(
            field="recipient",
            expected="a class that may receive records",
            got=recipient.party_class,
            reason=Refusal.PARTY_NOT_ELIGIBLE,
        )


def _law(case: _Case) -> Iterator[Problem]:
    terms, catalogue = case.terms, case.catalogue.reference
    if terms.suite not in set(Suite):
        yield Problem(field="suite", expected="a known suite", got=str(terms.suite), reason=Refusal.SCHEMA_VERSION)
    if terms.rule_pack != case.rules.reference:
        reason = Refusal.SCHEMA_VERSION
        yield Problem(field="rule_pack", expected=case.rules.reference, got=terms.rule_pack, reason=reason)
    if terms.calendar != case.rules.filing_clock.calendar:
        expected, reason = case.rules.filing_clock.calendar, Refusal.CALENDAR_UNAVAILABLE
        yield Problem(field="calendar", expected=expected, got=terms.calendar, reason=reason)
    if terms.catalogue != catalogue:
        reason = Refusal.CATALOGUE_VERSION_UNKNOWN
        yield Problem(field="catalogue", expected=catalogue, got=terms.catalogue, reason=reason)
    if terms.onward_transfer:
        reason = Refusal.ONWARD_TRANSFER_FORBIDDEN
        yield Problem(field="onward_transfer", expected="false", got="true", reason=reason)
    if terms.direction is not Direction.LOCAL and terms.export_path not in PROVEN_EXPORT_PATHS:
        expected = " or ".join(sorted(PROVEN_EXPORT_PATHS))
        reason = Refusal.EXPORT_PATH_MISSING
        yield Problem(field="export_path", expected=expected, got=terms.export_path, reason=reason)


def _scope(case: _Case) -> Iterator[Problem]:
    """Purposes, kinds, fields and precisions; what is in no catalogue is not shared (S 14-17)."""
    terms = case.terms
    if terms.direction is not Direction.LOCAL:
        for purpose in terms.purposes:
            if purpose not in case.rules.purposes_abroad.value:
                reason = Refusal.PURPOSE_NOT_ALLOWED_ABROAD
                yield Problem(field="purposes", expected="allowed abroad", got=purpose, reason=reason)
    for kind in terms.kinds:
        entry = case.catalogue.entry(kind.kind)
        if entry is None:
            reason = Refusal.NOT_IN_CATALOGUE
            yield Problem(field="kinds", expected="listed in the catalogue", got=kind.kind, reason=reason)
        else:
            yield from _kind(case, kind, entry)


def _kind(case: _Case, kind: KindTerms, entry: CatalogueEntry) -> Iterator[Problem]:
    place = f"kinds.{kind.kind}"
    if entry.nature not in case.terms.natures:
        yield Problem(field="natures", expected=f"{entry.nature} among them", got=" ".join(case.terms.natures))
    if entry.publicity is Publicity.GOVERNMENT_ONLY:
        reason = Refusal.GOVERNMENT_ONLY
        yield Problem(field=place, expected="shared beyond government", got=entry.publicity, reason=reason)
    elif entry.crosses is Crossing.NEVER:
        reason = Refusal.NATURAL_PERSON_SUBJECT
        yield Problem(field=place, expected="about enterprises", got=entry.crosses, reason=reason)
    if case.recipient.party_class not in entry.sharing_scope:
        yield Problem(
            field=place,
            expected="a recipient in the sharing scope",
            got=case.recipient.party_class,
            reason=Refusal.PUBLIC_INFO_SCOPE,
        )
    for name, precision in kind.precisions.items():
        allowed = entry.precisions(name)
        if precision not in allowed:
            yield Problem(
                field=f"{place}.{name}",
                expected=" or ".join(sorted(allowed)) or "a field of the catalogue entry",
                got=precision,
                reason=Refusal.AGREEMENT_SCOPE,
            )


def _limits(case: _Case) -> Iterator[Problem]:
    terms, most = case.terms, case.rules.retention.max_days
    if terms.retention_days > most:
        yield Problem(field="retention_days", expected=f"at most {most}", got=str(terms.retention_days))
    if terms.quotas.elements_per_epoch > terms.quotas.elements_lifetime:
        yield Problem(
            field="quotas.elements_per_epoch",
            expected=f"at most {terms.quotas.elements_lifetime}",
            got=str(terms.quotas.elements_per_epoch),
        )


def _order(case: _Case) -> Iterator[Problem]:
    """Every list is sorted without repetition: there is one way to write the same terms."""
    terms = case.terms
    lists: dict[str, Sequence[str]] = {
        "kinds": [kind.kind for kind in terms.kinds],
        "natures": terms.natures,
        "purposes": terms.purposes,
        "manner": terms.manner,
    }
    for kind in terms.kinds:
        lists[f"kinds.{kind.kind}.fields"] = [field.name for field in kind.fields]
    for place, values in lists.items():
        if any(later <= earlier for earlier, later in pairwise(values)):
            yield Problem(field=place, expected="sorted, each once", got="another order")


def _time(case: _Case) -> Iterator[Problem]:
    terms, most = case.terms, case.rules.agreement_max_months.value
    if terms.effective_from >= terms.expires_at:
        yield Problem(field="expires_at", expected="later than effective_from", got="not later")
    elif terms.expires_at > add_months(terms.effective_from, most):
        yield Problem(field="expires_at", expected=f"at most {most} months after effective_from", got="later")
    if shanghai_day(terms.effective_from) < terms.stated_signing_date:
        yield Problem(field="effective_from", expected="not before the stated day of signing", got="earlier")


def _epochs(case: _Case) -> Iterator[Problem]:
    """Epochs follow one another without a gap over the whole validity, each with a usable key of its own."""
    epochs = case.terms.epochs
    if epochs[0].starts > case.terms.effective_from or epochs[-1].ends < case.terms.expires_at:
        yield Problem(field="epochs", expected="to cover the whole validity", got="less")
    if any(epoch.starts >= epoch.ends for epoch in epochs):
        yield Problem(field="epochs", expected="each to end after it starts", got="an empty one")
    if any(earlier.ends != later.starts or earlier.number + 1 != later.number for earlier, later in pairwise(epochs)):
        yield Problem(field="epochs", expected="contiguous in time and number", got="a gap or overlap")
    if len({epoch.public_key for epoch in epochs}) != len(epochs):
        yield Problem(field="epochs", expected="a key of its own for each", got="one key twice")
    if not all(_is_usable(epoch.public_key) for epoch in epochs):
        yield Problem(field="epochs", expected="ristretto255 public keys", got="another value")


def _texts(case: _Case) -> Iterator[Problem]:
    """Titles and contacts are read by people: no invisible characters, and no natural person (S 14, 23)."""
    terms = case.terms
    for place, texts in (("title", (terms.title,)), ("liability_contacts", terms.liability_contacts)):
        if not all(text.isprintable() and text == text.strip() for text in texts):
            yield Problem(field=place, expected="printable text without outer spaces", got="other characters")
        if any(_PERSONAL.search(text) for text in texts):
            yield Problem(
                field=place,
                expected="roles, no natural person",
                got="a number or address",
                reason=Refusal.SECRET_OR_PRIVACY,
            )


def _is_usable(public_key: str) -> bool:
    try:
        register_key(Purpose.PSEUDONYM, Algorithm.RISTRETTO255, bytes.fromhex(public_key))
    except BadKey:
        return False
    return True
