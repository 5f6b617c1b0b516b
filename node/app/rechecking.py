"""Rechecking: looks at home records again when the law is another one, and lets acts that withhold begin and end."""

from collections.abc import Callable
from dataclasses import dataclass

import structlog

from node.app.opening import Node
from node.operations.recheck_records import PORTION, next_portion, take_portion
from node.operations.withhold_records import advance_withholdings
from registry.norms.calendar import shanghai_day

log = structlog.get_logger("recheck")


@dataclass(frozen=True, slots=True)
class Rechecking:
    """What the recheck loop does, so many records at a time; `stops` says that the node ends."""

    node: Node
    stops: Callable[[], bool]
    portion: int = PORTION

    def look(self) -> None:
        """Do all that is due by now, a portion in a transaction, until there is nothing left or the node ends."""
        while not self.stops() and self._advance():
            pass
        while not self.stops() and self._recheck():
            pass

    def _advance(self) -> int:
        node = self.node
        with node.store.read() as work:
            if not work.withholdings.due(shanghai_day(node.clock()), 1):
                return 0
        with node.store.write() as work:
            return advance_withholdings(work, node.facts(work).law, node.context)

    def _recheck(self) -> bool:
        node = self.node
        with node.store.read() as work:
            portion = next_portion(work, node.facts(work), node.clock(), self.portion)
        if portion is None:
            return False
        with node.store.write() as work:
            if not take_portion(work, portion, node.facts(work), node.context):
                return True
        if portion.is_last:
            log.info("records were looked at by the law in force", through=portion.through)
        return True
