"""Serving: whether a record is shown at an instant, and every reason why not (S 14, 16, 31, 36, 59, 61, 66).

Withheld looks like absent to whoever does not hold the record; the subject and the regulator see the reasons.
"""

from collections.abc import Collection, Mapping
from datetime import date, datetime
from typing import Final, Protocol

from agreements.refusal import Refusal
from node.domain.dates import shanghai_day
from node.domain.records import Kind, Withheld
from node.domain.subjects import SubjectKind
from registry.norms.catalogue import Catalogue, Publicity

_REFUSALS: Final[Mapping[Withheld, Refusal]] = {
    Withheld.DELETED: Refusal.RECORD_DELETED,
    Withheld.EXPIRED: Refusal.DISCLOSURE_PERIOD_EXPIRED,
    Withheld.LAPSED: Refusal.BASIC_INFO_LAPSED,
    Withheld.OUT_OF_CATALOGUE: Refusal.NOT_IN_CATALOGUE,
    Withheld.CONSENT_ENDED: Refusal.CONSENT_WITHDRAWN,
    Withheld.REVOCATION_PENDING: Refusal.REVOCATION_PENDING,
    Withheld.SUSPENDED: Refusal.RECORD_SUSPENDED,
    Withheld.REPAIRED: Refusal.RECORD_REPAIRED,
    Withheld.OPTED_OUT: Refusal.SUBJECT_OPT_OUT,
    Withheld.GOVERNMENT_ONLY: Refusal.GOVERNMENT_ONLY,
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
    def states(self) -> Collection[Withheld]:
        """What withholds it already."""


def withheld(record: Shieldable, at: datetime, catalogue: Catalogue) -> frozenset[Withheld]:
    """Every reason why `record` is not shown at `at` (aware); empty when it is shown.

    `catalogue` is the one in force, whichever the record was admitted under. The reasons are independent:
    when a suspension ends, a disclosure period that ran out meanwhile still withholds.
    """
    reasons, entry = set(record.states), catalogue.entry(record.kind.value)
    if record.disclose_until is not None and shanghai_day(at) >= record.disclose_until:
        lapses = entry is not None and entry.disclosure.years is None
        reasons.add(Withheld.LAPSED if lapses else Withheld.EXPIRED)
    if entry is None:
        reasons.add(Withheld.OUT_OF_CATALOGUE)
    if record.publicity is Publicity.GOVERNMENT_ONLY:
        reasons.add(Withheld.GOVERNMENT_ONLY)
    if record.subject_kind is SubjectKind.NATURAL_PERSON_LINKED:
        reasons.add(Withheld.NATURAL_PERSON)
    return frozenset(reasons)


def is_visible(record: Shieldable, at: datetime, catalogue: Catalogue) -> bool:
    """Whether `record` may be shown at `at` under an agreement that covers it."""
    return not withheld(record, at, catalogue)


def strongest(reasons: Collection[Withheld]) -> Refusal | None:
    """The reason that is told to the subject and the regulator first; None when nothing withholds."""
    return next((_REFUSALS[reason] for reason in Withheld if reason in reasons), None)
