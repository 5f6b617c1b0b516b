"""How long an adverse public record is disclosed, by how grave the breach was, where the law grades it (S 31)."""

from collections.abc import Mapping
from datetime import date
from typing import Protocol

from registry.norms.calendar import months_later
from registry.norms.catalogue import Nature, Polarity
from registry.norms.overlay import Severity, SeverityBounds


class Gradable(Protocol):
    """What of a record, or of a catalogue entry, decides whether it is graded."""

    @property
    def nature(self) -> Nature:
        """Whether it is public information."""

    @property
    def polarity(self) -> Polarity:
        """What it says of its subject."""


def is_graded(one: Gradable) -> bool:
    """Whether a record has to say how grave the breach was: adverse public ones do."""
    return one.nature is Nature.PUBLIC and one.polarity is Polarity.ADVERSE


def graded_end(
    generated_at: date, severity: Severity | None, severities: Mapping[Severity, SeverityBounds]
) -> date | None:
    """The first day on which a record of that severity is withheld, None where the law does not grade.

    Counted from the day of generation, which is no later than that of the determining document.
    """
    if severity is None or severity not in severities:
        return None
    return months_later(generated_at, severities[severity].max_months)
