"""Copies end: their time of keeping passes, and what was destroyed leaves the database's files.

A copy is DELETED once no byte of it is left, which takes a compaction. `end_copies` takes what has run out from its
table; `erasing` and `erased` stand around a compaction, and say to each home what is gone.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from node.domain.journal import Act, Detail, EntryFacts
from node.domain.receipts import CopyReceipt, CopyStage
from node.operations.accept_frames import Recipient
from node.operations.ports import UnitOfWork
from node.operations.rows import ErasureRow, HeldRow
from node.operations.take_notices import queue_copy_receipts
from node.operations.write_down import write_down
from registry.parties import PartyId

PORTION: Final = 1_000
"""Copies or erasures in one transaction."""


def end_copies(work: UnitOfWork, recipient: Recipient) -> int:
    """Destroy copies whose agreed time of keeping has passed, a portion at a time; gives how many (S 31, 35)."""
    now = recipient.context.now()
    ended = work.copies.ended(now, PORTION)
    if not ended:
        return 0
    work.copies.destroy([one.number for one in ended])
    work.erasures.add(
        [ErasureRow(number=0, home=one.home, alias=one.alias, notice=None, frame=one.frame) for one in ended], now
    )
    for home, copies in _by_home(ended).items():
        detail: Detail = {"count": len(copies), "outcome": "ENDED"}
        _journal(work, home, Act.COPIES_ENDED, detail, recipient)
    work.commit()
    return len(ended)


def erasing(work: UnitOfWork) -> int:
    """Up to which erasure a compaction that begins now reaches; 0 when nothing waits for one."""
    return work.erasures.newest()


def erased(work: UnitOfWork, through: int, recipient: Recipient) -> int:
    """Note that everything up to `through` is in no file any more, and queue the receipts; a portion at a time."""
    gone = work.erasures.through(through, PORTION)
    if not gone:
        return 0
    by_home: dict[PartyId, list[ErasureRow]] = defaultdict(list)
    for one in gone:
        if one.home:
            by_home[PartyId(one.home)].append(one)
    for home, rows in by_home.items():
        detail: Detail = {"count": len(rows), "outcome": CopyStage.DELETED.value}
        leaf = _journal(work, home, Act.ERASED, detail, recipient)
        now = recipient.context.now()
        receipts = [
            CopyReceipt(
                alias=one.alias.hex(),
                at=now,
                frame=None if one.notice is not None else _hex(one.frame),
                journal_leaf=leaf.hex(),
                notice=_hex(one.notice),
                stage=CopyStage.DELETED,
            )
            for one in rows
        ]
        queue_copy_receipts(work, home, receipts, f"erased:{rows[0].number}", recipient)
        notices = [one.notice for one in rows if one.notice is not None]
        work.notices_taken.advance(home, notices, CopyStage.DELETED.value)
    work.erasures.done([one.number for one in gone])
    work.commit()
    return len(gone)


def _by_home(ended: Sequence[HeldRow]) -> dict[PartyId, list[HeldRow]]:
    grouped: dict[PartyId, list[HeldRow]] = defaultdict(list)
    for one in ended:
        grouped[one.home].append(one)
    return grouped


def _journal(work: UnitOfWork, home: PartyId, act: Act, detail: Detail, recipient: Recipient) -> bytes:
    entry = EntryFacts(act=act, detail=detail, counterparty=home)
    return write_down(work, entry, recipient.context)


def _hex(raw: bytes | None) -> str | None:
    return None if raw is None else raw.hex()
