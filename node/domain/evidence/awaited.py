"""Which document must stand behind which entry, and what it is when it is not there."""

from collections.abc import Callable
from typing import Final

from node.domain.evidence.findings import Step, Wrong
from node.domain.evidence.lines import (
    Attachment,
    FrameLine,
    NoticesLine,
    OrderLine,
    ReceiptsLine,
    ReceivedLine,
    ToldLine,
)
from node.domain.evidence.opened import Opened
from node.domain.journal import Act

MISSING: Final[dict[type, tuple[Step, Wrong]]] = {
    FrameLine: (Step.FRAMES, Wrong.FRAME_MISSING),
    ReceivedLine: (Step.FRAMES, Wrong.FRAME_MISSING),
    ReceiptsLine: (Step.RECEIPTS, Wrong.RECEIPT_MISSING),
    NoticesLine: (Step.NOTICES, Wrong.NOTICE_MISSING),
    ToldLine: (Step.NOTICES, Wrong.NOTICE_MISSING),
    OrderLine: (Step.ORDER, Wrong.ORDER_MISSING),
}


def awaited_behind(entry: Opened) -> type[Attachment] | None:
    """Which document must stand behind an entry; None where it speaks of none."""
    rule = _AWAITED.get(entry.act)
    return None if rule is None or not rule[0](entry) else rule[1]


_Rule = tuple[Callable[[Opened], bool], type[Attachment]]


def _holds(name: str) -> Callable[[Opened], bool]:
    return lambda entry: entry.detail.get(name) is not None


def _has_matched(entry: Opened) -> bool:
    return entry.detail.get("matched") != 0


def _was_kept(entry: Opened) -> bool:
    return entry.detail.get("outcome") == "RECEIVED"


def _always(_: Opened) -> bool:
    return True


_AWAITED: Final[dict[Act, _Rule]] = {
    Act.QUERY: (_holds("body"), FrameLine),
    Act.BATCH: (_holds("body"), FrameLine),
    Act.PUSH: (_holds("body"), FrameLine),
    Act.FRAME_RECEIVED: (_was_kept, ReceivedLine),
    Act.RECEIPT: (_has_matched, ReceiptsLine),
    Act.NOTICES: (_always, NoticesLine),
    Act.NOTICES_TAKEN: (_always, ToldLine),
    Act.INSPECTION: (_always, OrderLine),
}
