"""Notices in a bundle: one chain for each holder, each due when the law says, each followed in time (S 36, 42)."""

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from crypto import envelope
from crypto.errors import BadSignature, CryptoError
from crypto.keys import Purpose
from node.domain.evidence.agreed import Ground
from node.domain.evidence.findings import Step, Wrong
from node.domain.evidence.lines import NoticesLine, ToldLine
from node.domain.evidence.opened import Opened
from node.domain.notices import KIND, Notice, NoticeBatch, notice_due
from node.domain.receipts import CopyReceipt, CopyStage


@dataclass(frozen=True, slots=True)
class _Open:
    """A notice that nobody is known to have followed yet."""

    alias: str
    due: datetime
    place: str


class NoticesCheck:
    """Judges batches of notices as they come, and keeps those that are open.

    `whole` says that every entry is opened: only then does a stream show all of its batches.
    """

    def __init__(self, ground: Ground, *, whole: bool) -> None:
        self._ground = ground
        self._whole = whole
        self._chains: dict[str, tuple[int, str | None]] = {}
        self._open: dict[tuple[str, bytes], _Open] = {}

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
            self._judge(one, batch, f"notice {number} to {batch.holder} ({entry.place})")
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
        """Close a notice by the first receipt that says it was followed."""
        if receipt.notice is None or receipt.stage is CopyStage.RECEIVED:
            return
        notice = self._open.pop((holder, bytes.fromhex(receipt.notice)), None)
        if notice is not None and receipt.at > notice.due:
            got = receipt.at.isoformat()
            self._found(Wrong.NOTICE_LATE, notice.place, f"followed by {notice.due.isoformat()}", got)

    def finish(self, now: datetime) -> None:
        """Say which notices are past due."""
        for notice in self._open.values():
            if now > notice.due:
                expected = f"a receipt by {notice.due.isoformat()}"
                self._found(Wrong.NOTICE_UNANSWERED, notice.place, expected, "none")

    def _judge(self, notice: Notice, batch: NoticeBatch, place: str) -> None:
        self._ground.tally.checked(Step.NOTICES)
        norms = self._ground.norms
        due = notice_due(norms.rules.notice_clock, norms.calendar, notice.occurred_at)
        if notice.due != due:
            self._found(Wrong.NOTICE_WRONGLY_DUE, place, due.isoformat(), notice.due.isoformat())
        self._open[batch.holder, bytes.fromhex(notice.notice)] = _Open(notice.alias, min(due, notice.due), place)

    def _follow(self, batch: NoticeBatch, digest: bytes, place: str) -> None:
        """Each batch begins where the one before ended, and names it."""
        expected, previous = self._chains.get(batch.holder, (1, None))
        self._chains[batch.holder] = (batch.first + len(batch.notices), digest.hex())
        if self._whole and (batch.first, batch.previous) != (expected, previous):
            self._found(Wrong.NOTICE_BROKEN, place, f"number {expected}, behind the batch before", str(batch.first))

    def _read(self, raw: str, home: str, holder: str, place: str) -> tuple[NoticeBatch, bytes] | None:
        try:
            signed = envelope.parse(raw.encode(), KIND)
            if not envelope.verified_signers(signed, self._ground.trust.keys(home, Purpose.DOCUMENT)):
                raise BadSignature("not by a listed document key")
            batch = envelope.read_payload(signed, NoticeBatch)
            if (batch.home, batch.holder) != (home, holder):
                raise BadSignature("of another home, or to another holder")
        except CryptoError as failure:
            self._found(Wrong.NOTICE_BROKEN, place, f"notices signed by {home}", type(failure).__name__)
            return None
        return batch, signed.digest

    def _found(self, wrong: Wrong, place: str, expected: str, got: str) -> None:
        self._ground.tally.found(Step.NOTICES, wrong, place, expected, got)
