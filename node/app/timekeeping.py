"""Timekeeping: notes what was missed on its day, counts again when calendars changed, and asks for the next year's."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Final

import structlog

from node.app.opening import Node
from node.operations.keep_clocks import PORTION, calendar_alarms, end_lapsed, lapsing, mark_missed, recount_clocks
from registry.norms.calendar import shanghai_day

_START: Final = (date.min, 0)

log = structlog.get_logger("clocks")


@dataclass(slots=True)
class Timekeeping:
    """What the clocks loop does. `missed` counts a clock by its code and standing; `stops` says that the node ends."""

    node: Node
    missed: Callable[[str, str], None]
    stops: Callable[[], bool]
    _counted_on: date | None = field(default=None)

    def look(self) -> None:
        """Note what was missed by now; first, once a day and when the node begins, count again and look ahead."""
        today = shanghai_day(self.node.clock())
        if self._counted_on != today:
            self._recount()
            self._look_ahead(today)
            self._counted_on = today
        self._end_lapsed()
        while not self.stops():
            with self.node.store.write() as work:
                noted = mark_missed(work, self.node.context)
            for one in noted:
                self.missed(one.code, one.standing.value)
                log.warning(
                    "a clock was missed",
                    clock=one.code, standing=one.standing.value, due=one.due_on.isoformat(), peer=one.subject.peer,
                )  # fmt: skip
            if len(noted) < PORTION:
                return

    def _recount(self) -> None:
        after: tuple[date, int] | None = _START
        while after is not None and not self.stops():
            with self.node.store.write() as work:
                after = recount_clocks(work, after, self.node.facts(work).law, self.node.context)

    def _end_lapsed(self) -> None:
        """Before anything is noted as missed: what is over was missed only as long as it lived."""
        node = self.node
        with node.store.read() as work:
            if not lapsing(work, node.facts(work), node.clock()):
                return
        with node.store.write() as work:
            end_lapsed(work, node.facts(work), node.context)

    def _look_ahead(self, today: date) -> None:
        for alarm in calendar_alarms(self.node.law, today):
            until = None if alarm.official_until is None else alarm.official_until.isoformat()
            log.warning("the next year's calendar is missing", calendar=alarm.jurisdiction, official_until=until)
