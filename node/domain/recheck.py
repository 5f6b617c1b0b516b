"""A home record looked at again: whether the law in force would admit it, and how long it is shown (S 16-18, 31).

A record is the row that it came from, and that row passes intake once more. So there is no second set of rules that
could say something else than the first.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from agreements.refusal import Refusal, Refused
from node.domain.correction import columns_of
from node.domain.intake import Intake, Rejected, admit
from node.domain.records import HomeRecord, Withheld
from node.domain.rows import Row
from registry.norms.catalogue import Nature, Polarity, Publicity

BY_LAW: Final = frozenset(
    {Withheld.OUT_OF_CATALOGUE, Withheld.UNFOUNDED, Withheld.SEVERITY_UNKNOWN, Withheld.CONSENT_ENDED}
)
"""The states that the law in force sets and lifts, and no person."""

_STATES: Final[Mapping[Refusal, Withheld]] = {
    Refusal.NOT_IN_CATALOGUE: Withheld.OUT_OF_CATALOGUE,
    Refusal.CATALOGUE_VERSION_UNKNOWN: Withheld.OUT_OF_CATALOGUE,
    Refusal.CONSENT_EXPIRED: Withheld.CONSENT_ENDED,
    Refusal.CONSENT_LIFELONG: Withheld.CONSENT_ENDED,
    Refusal.CONSENT_MISSING: Withheld.CONSENT_ENDED,
    Refusal.ADVERSE_WARNING_MISSING: Withheld.CONSENT_ENDED,
}
_SEVERITY: Final = (Refusal.PROVENANCE_MISSING, "severity")
_ROW: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Fallen:
    """That the law in force does not admit a record: the state that follows, the reason, and the field (or "kind")."""

    state: Withheld
    reason: Refusal
    field: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What the law in force makes of a record. Where it fell, everything else stays as it was."""

    fallen: Fallen | None
    disclose_until: date | None
    publicity: Publicity
    nature: Nature
    polarity: Polarity
    negative_category: int | None


def judge(record: HomeRecord, intake: Intake | Refused) -> Judged:
    """Look at a record again by the law that `intake` was opened with, for its kind, provider and source.

    A shorter period acts at once. A longer one does not: the earlier end is kept, since the record was made known to be
    shown no longer than until then.
    """
    if isinstance(intake, Refused):
        return _unchanged(record, _fallen(intake.reason, "kind"))
    answer = admit(Row(_ROW, columns_of(record)), intake)
    if isinstance(answer, Rejected):
        return _unchanged(record, _fallen(answer.reason, answer.problem.field))
    again = answer.record
    return Judged(
        fallen=None,
        disclose_until=earlier(record.disclose_until, again.disclose_until),
        publicity=again.publicity,
        nature=again.nature,
        polarity=again.polarity,
        negative_category=again.negative_category,
    )


def earlier(one: date | None, other: date | None) -> date | None:
    """The earlier of two ends, of which None is the latest."""
    if one is None or other is None:
        return other if one is None else one
    return min(one, other)


def _fallen(reason: Refusal, field: str) -> Fallen:
    state = Withheld.SEVERITY_UNKNOWN if (reason, field) == _SEVERITY else _STATES.get(reason, Withheld.UNFOUNDED)
    return Fallen(state=state, reason=reason, field=field)


def _unchanged(record: HomeRecord, fallen: Fallen) -> Judged:
    return Judged(
        fallen=fallen,
        disclose_until=record.disclose_until,
        publicity=record.publicity,
        nature=record.nature,
        polarity=record.polarity,
        negative_category=record.negative_category,
    )
