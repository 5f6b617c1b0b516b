"""Legal clocks: what has to be done by when, and what was."""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple, Protocol

from node.domain.clocks import About, LegalClock
from registry.parties import PartyId


class ClockTally(NamedTuple):
    """How many clocks run, how many of those are past their day, end today, and end until the end of a span."""

    running: int
    missed: int
    today: int
    soon: int


class Clocks(Protocol):
    """Clocks begun and ended, in the transactions of the acts themselves."""

    def add(self, clocks: Sequence[LegalClock]) -> None:
        """Begin clocks; one with the code and subject of another that is there changes nothing."""

    def put(self, clocks: Sequence[LegalClock]) -> None:
        """Keep the days, packs, standing and end of clocks that are there, by number."""

    def of(self, about: About, name: str) -> Sequence[LegalClock]:
        """Give clocks about one thing that still run, in the order of their numbers."""

    def awaiting(self, peer: PartyId, through: int) -> Sequence[LegalClock]:
        """Give running clocks that await a notice to this peer with this number or a lower one."""

    def overdue(self, today: date, limit: int) -> Sequence[LegalClock]:
        """Give running clocks past a bound on that day, whose standing does not say so yet; earliest due day first."""


class ClockBook(Protocol):
    """Clocks looked up."""

    def running(self, after: tuple[date, int], limit: int) -> Sequence[LegalClock]:
        """Give running clocks by due day, then number, behind this day and number."""

    def page(self, after: int, limit: int, missed_on: date | None = None) -> Sequence[LegalClock]:
        """Give clocks in ascending number; with a day, those that were missed, or are by that day."""

    def tally(self, today: date, until: date) -> ClockTally:
        """Count running clocks; `soon` are those that end after `today` and not after `until`."""
