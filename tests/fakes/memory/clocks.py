"""The ports Clocks and ClockBook."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date

from node.domain.clocks import About, LegalClock
from node.operations.ports import ClockTally
from registry.norms.clocks import Timeliness
from registry.parties import PartyId
from tests.fakes.memory.state import Part


class _Clocks(Part):
    def _running(self, wanted: Callable[[LegalClock], bool]) -> list[LegalClock]:
        found = [one for one in self._seen.clocks.values() if one.met_at is None and wanted(one)]
        return sorted(found, key=lambda one: (one.due_on, one.number))


class MemoryClocks(_Clocks):
    def add(self, clocks: Sequence[LegalClock]) -> None:
        table = self._changing.clocks
        for one in clocks:
            subject = one.subject
            key = (one.code, subject.about, subject.name, subject.peer)
            if all(key != (k.code, k.subject.about, k.subject.name, k.subject.peer) for k in table.values()):
                table.add(replace(one, number=table.next))

    def put(self, clocks: Sequence[LegalClock]) -> None:
        table = self._changing.clocks
        for one in clocks:
            table[one.number] = replace(
                table[one.number], due_on=one.due_on, outer_on=one.outer_on, packs=one.packs,
                provisional=one.provisional, standing=one.standing, met_by=one.met_by, met_at=one.met_at,
            )  # fmt: skip

    def of(self, about: About, name: str) -> list[LegalClock]:
        found = self._running(lambda one: (one.subject.about, one.subject.name) == (about, name))
        return sorted(found, key=lambda one: one.number)

    def awaiting(self, peer: PartyId, through: int) -> list[LegalClock]:
        return self._running(lambda one: one.subject.peer == peer and one.awaits is not None and one.awaits <= through)

    def overdue(self, today: date, limit: int) -> list[LegalClock]:
        return self._running(lambda one: one.missed_on(today) is not None)[:limit]


class MemoryClockBook(_Clocks):
    def running(self, after: tuple[date, int], limit: int) -> list[LegalClock]:
        return self._running(lambda one: (one.due_on, one.number) > after)[:limit]

    def page(self, after: int, limit: int, missed_on: date | None = None) -> list[LegalClock]:
        rows = self._seen.clocks.page(after, len(self._seen.clocks))
        missed = [one for _, one in rows if missed_on is None or one.standing_on(missed_on) is not Timeliness.IN_TIME]
        return missed[:limit]

    def tally(self, today: date, until: date) -> ClockTally:
        days = [one.due_on for one in self._running(lambda _: True)]
        return ClockTally(
            running=len(days),
            missed=sum(day < today for day in days),
            today=days.count(today),
            soon=sum(today < day <= until for day in days),
        )
