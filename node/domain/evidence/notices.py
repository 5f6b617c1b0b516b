"""Notices in a bundle: one chain for each holder, each due when the law says, each followed in time (S 36, 42)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final

from crypto import envelope
from crypto.errors import BadSignature, CryptoError
from crypto.keys import Purpose
from node.domain.evidence.agreed import Ground
from node.domain.evidence.findings import Step, Wrong
from node.domain.evidence.lines import NoticesLine, ToldLine
from node.domain.evidence.opened import Opened
from node.domain.notices import KIND, Notice, NoticeBatch, notice_due
from node.domain.receipts import CopyReceipt, CopyStage
from registry.errors import CalendarUnavailable
from registry.norms.calendar import shanghai_day

_SAME_TIME: Final = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class _Due:
    """By when the law wants something done; where a provisional calendar says so, the official one may say later."""

    end: datetime
    is_certain: bool


@dataclass(frozen=True, slots=True)
class _Open:
    """A notice that nobody is known to have followed yet."""

    alias: str
    due: _Due
    place: str


@dataclass(slots=True)
class _Change:
    """Notices that a change queued and that were not sent yet, as far as the journal was read."""

    due: _Due
    place: str
    waiting: int


class NoticesCheck:
    """Judges batches of notices as they come, and keeps those that are open.

    `whole` says that every entry is opened: only then does a stream show all of its batches.
    """

    def __init__(self, ground: Ground, *, whole: bool) -> None:
        self._ground = ground
        self._whole = whole
        self._chains: dict[str, tuple[int, str | None]] = {}
        self._open: dict[tuple[str, bytes], _Open] = {}
        self._changes: dict[tuple[datetime, str], _Change] = {}

    def changed(self, entry: Opened) -> None:
        """Note how many notices a change queued: its entry says so, and each of them names its time."""
        count, effect = entry.detail.get("notices"), entry.detail.get("effect")
        if isinstance(count, int) and isinstance(effect, str) and count > 0:
            change = _Change(self._due(entry.at), entry.place, 0)
            self._changes.setdefault((entry.at, effect), change).waiting += count

    def sent(self, entry: Opened, line: NoticesLine) -> NoticeBatch | None:
        """Judge a batch that this node sent."""
        place = f"notices of {entry.place}"
        opened = self._read(line.raw, self._ground.node, entry.counterparty, place)
        if opened is None:
            return None
        batch, digest = opened
        over = sha256(b"".join(bytes.fromhex(one.notice) for one in batch.notices)).hexdigest()
        said = tuple(entry.detail.get(one) for one in ("first", "count", "notices"))
        if said != (batch.first, len(batch.notices), over) or batch.journal_leaf != entry.leaf.hex():
            self._found(Wrong.NOTICE_BROKEN, place, "the batch that its journal entry says", "another")
        self._follow(batch, digest, place)
        for number, one in enumerate(batch.notices, batch.first):
            self._judge(one, entry, f"notice {number} to {batch.holder} ({entry.place})")
        return batch

    def told(self, entry: Opened, line: ToldLine) -> NoticeBatch | None:
        """Judge a batch that this node was told."""
        place = f"notices of {entry.place}"
        opened = self._read(line.raw, entry.counterparty, self._ground.node, place)
        if opened is None:
            return None
        batch, digest = opened
        said = tuple(entry.detail.get(one) for one in ("batch", "first", "count"))
        if said != (digest.hex(), batch.first, len(batch.notices)):
            self._found(Wrong.NOTICE_BROKEN, place, "the batch that its journal entry says", "another")
        return batch

    def answered(self, receipt: CopyReceipt, holder: str) -> None:
        """Close a notice by the first receipt that says it was followed, of the copy that it is about."""
        if receipt.notice is None or receipt.stage is CopyStage.RECEIVED:
            return
        name = (holder, bytes.fromhex(receipt.notice))
        notice = self._open.get(name)
        if notice is None or notice.alias != receipt.alias:
            return
        del self._open[name]
        self._by(notice.due, receipt.at, Wrong.NOTICE_LATE, notice.place, receipt.at.isoformat())

    def finish(self, now: datetime) -> None:
        """Say which notices are past due, and which of those that a change queued were not even sent by then."""
        for change in () if self._ground.tally.hindrance else self._changes.values():
            self._by(change.due, now, Wrong.NOTICE_MISSING, change.place, f"{change.waiting} notices not sent")
        for notice in self._open.values():
            self._by(notice.due, now, Wrong.NOTICE_UNANSWERED, notice.place, "no receipt")

    def _judge(self, notice: Notice, entry: Opened, place: str) -> None:
        self._ground.tally.checked(Step.NOTICES)
        due = self._due(notice.occurred_at)
        self._by(due, notice.due, Wrong.NOTICE_WRONGLY_DUE, place, f"due {notice.due.isoformat()}")
        if notice.occurred_at > entry.at + _SAME_TIME:
            self._found(Wrong.NOTICE_WRONGLY_DUE, place, "a change before the notice of it", "a later one")
        self._open[entry.counterparty, bytes.fromhex(notice.notice)] = _Open(notice.alias, due, place)
        change = self._changes.get((notice.occurred_at, notice.effect.value))
        if change is not None:
            change.waiting -= 1
            if not change.waiting:
                del self._changes[notice.occurred_at, notice.effect.value]

    def _due(self, occurred_at: datetime) -> _Due:
        """By when the law wants a change followed; a node that lacks the calendar asks for it earlier, never later."""
        clock, calendar = self._ground.norms.rules.notice_clock, self._ground.norms.calendar
        try:
            due = clock.due(shanghai_day(occurred_at), calendar)
        except CalendarUnavailable:
            return _Due(notice_due(clock, calendar, occurred_at), is_certain=False)
        return _Due(due.end, is_certain=not due.provisional)

    def _by(self, due: _Due, at: datetime, wrong: Wrong, place: str, got: str) -> None:
        """Find what was later than it had to be, unless an official calendar might still allow it."""
        if at <= due.end:
            return
        if due.is_certain:
            self._found(wrong, place, f"by {due.end.isoformat()}", got)
        else:
            self._ground.tally.hindered(f"only an official calendar can say whether {place} was due")

    def _follow(self, batch: NoticeBatch, digest: bytes, place: str) -> None:
        """Each batch begins where the one before ended, and names it."""
        expected, previous = self._chains.get(batch.holder, (1, None))
        self._chains[batch.holder] = (batch.first + len(batch.notices), digest.hex())
        if self._whole and (batch.first, batch.previous) != (expected, previous):
            self._found(Wrong.NOTICE_BROKEN, place, f"number {expected}, behind the batch before", str(batch.first))

    def _read(self, raw: str, home: str, holder: str, place: str) -> tuple[NoticeBatch, bytes] | None:
        try:
            keys = self._ground.trust.keys(home, Purpose.DOCUMENT)
            batch, digest = envelope.open_document(raw.encode(), KIND, NoticeBatch, keys)
            if (batch.home, batch.holder) != (home, holder):
                raise BadSignature("of another home, or to another holder")
        except CryptoError as failure:
            self._found(Wrong.NOTICE_BROKEN, place, f"notices signed by {home}", type(failure).__name__)
            return None
        return batch, digest

    def _found(self, wrong: Wrong, place: str, expected: str, got: str) -> None:
        self._ground.tally.found(Step.NOTICES, wrong, place, expected, got)
