"""Serving: whether a record is shown at an instant, and every reason why not (S 14, 16, 31, 36, 59, 61, 66, 70).

Withheld looks like absent to whoever does not hold the record; the subject and the regulator see the reasons.
"""

from collections.abc import Collection, Mapping
from datetime import date, datetime
from typing import Final, Protocol

from agreements.refusal import Refusal
from node.domain.dates import shanghai_day
from node.domain.records import Coming, Kind, Withheld
from node.domain.severity import graded_end, is_graded
from node.domain.subjects import SubjectKind
from registry.norms.calendar import anniversary
from registry.norms.catalogue import Nature, Polarity, Publicity
from registry.norms.law import Law
from registry.norms.overlay import Severity

_REFUSALS: Final[Mapping[Withheld, Refusal]] = {
    Withheld.DELETED: Refusal.RECORD_DELETED,
    Withheld.EXPIRED: Refusal.DISCLOSURE_PERIOD_EXPIRED,
    Withheld.LAPSED: Refusal.BASIC_INFO_LAPSED,
    Withheld.OUT_OF_CATALOGUE: Refusal.NOT_IN_CATALOGUE,
    Withheld.UNFOUNDED: Refusal.NEGATIVE_CATEGORY_NOT_LISTED,
    Withheld.SEVERITY_UNKNOWN: Refusal.PROVENANCE_MISSING,
    Withheld.CONSENT_ENDED: Refusal.CONSENT_WITHDRAWN,
    Withheld.REVOCATION_PENDING: Refusal.REVOCATION_PENDING,
    Withheld.SUSPENDED: Refusal.RECORD_SUSPENDED,
    Withheld.REPAIRED: Refusal.RECORD_REPAIRED,
    Withheld.OPTED_OUT: Refusal.SUBJECT_OPT_OUT,
    Withheld.GOVERNMENT_ONLY: Refusal.GOVERNMENT_ONLY,
    Withheld.REORGANISED: Refusal.REORGANISATION_PAST_INFO,
    Withheld.NATURAL_PERSON: Refusal.NATURAL_PERSON_SUBJECT,
}


class Shieldable(Protocol):
    """What of a record decides whether it is shown: a `HomeRecord` has it, and so has less than a whole one."""

    @property
    def kind(self) -> Kind:
        """See `HomeRecord`, here and below."""

    @property
    def subject_kind(self) -> SubjectKind:
        """Whom it is about."""

    @property
    def publicity(self) -> Publicity:
        """Who may see it at all."""

    @property
    def disclose_until(self) -> date | None:
        """The first day on which it is withheld."""

    @property
    def nature(self) -> Nature:
        """Whether it is public information."""

    @property
    def polarity(self) -> Polarity:
        """What it says of its subject."""

    @property
    def generated_at(self) -> date:
        """From which day its disclosure is counted."""

    @property
    def severity(self) -> Severity | None:
        """How grave the breach was, where it says so."""

    @property
    def states(self) -> Collection[Withheld]:
        """What withholds it already."""

    @property
    def coming(self) -> Collection[Coming]:
        """What will withhold it from a day on."""


def withheld(record: Shieldable, at: datetime, law: Law) -> frozenset[Withheld]:
    """Every reason why `record` is not shown at `at` (aware); empty when it is shown.

    `law` is the one in force, whichever the record was admitted under: what falls out of the catalogue is withheld
    (S 16), and so is what a narrower law no longer discloses. The reasons are independent: when a suspension ends, a
    disclosure period that ran out meanwhile still withholds.
    """
    reasons, entry = set(record.states), law.catalogue.entry(record.kind.value)
    reasons |= {one.state for one in record.coming if shanghai_day(at) >= one.on}
    if record.disclose_until is not None and shanghai_day(at) >= record.disclose_until:
        lapses = entry is not None and entry.disclosure.years is None
        reasons.add(Withheld.LAPSED if lapses else Withheld.EXPIRED)
    if entry is None:
        reasons.add(Withheld.OUT_OF_CATALOGUE)
    elif entry.disclosure.years is not None:
        years = min(entry.disclosure.years, law.rules.disclosure_years.value)
        reasons |= {Withheld.EXPIRED} if shanghai_day(at) >= anniversary(record.generated_at, years) else set()
    if law.severities and is_graded(record):
        reasons |= _graded(record, at, law)
    if record.publicity is Publicity.GOVERNMENT_ONLY:
        reasons.add(Withheld.GOVERNMENT_ONLY)
    if record.subject_kind is SubjectKind.NATURAL_PERSON_LINKED:
        reasons.add(Withheld.NATURAL_PERSON)
    return frozenset(reasons)


def _graded(record: Shieldable, at: datetime, law: Law) -> frozenset[Withheld]:
    """A record that was admitted before the law graded may not say how grave the breach was: nobody guesses it."""
    if record.severity is None:
        return frozenset({Withheld.SEVERITY_UNKNOWN})
    end = graded_end(record.generated_at, record.severity, law.severities)
    return frozenset({Withheld.EXPIRED} if end is not None and shanghai_day(at) >= end else ())


def is_visible(record: Shieldable, at: datetime, law: Law) -> bool:
    """Whether `record` may be shown at `at` under an agreement that covers it."""
    return not withheld(record, at, law)


def strongest(reasons: Collection[Withheld]) -> Refusal | None:
    """The reason that is told to the subject and the regulator first; None when nothing withholds."""
    return next((_REFUSALS[reason] for reason in in_order(reasons)), None)


def in_order(reasons: Collection[Withheld]) -> list[Withheld]:
    """The reasons, strongest first."""
    return [reason for reason in Withheld if reason in reasons]


def refusal_of(reason: Withheld) -> Refusal:
    """The code of a reason, with its article and words."""
    return _REFUSALS[reason]
