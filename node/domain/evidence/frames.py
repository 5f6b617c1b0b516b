"""Frames in a bundle: sent ones with their ledger rows and receipts, and received ones.

What is remembered of a frame is what is still open: that its receipt is to come, and which batch is to prove that its
copies are gone.
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from crypto import envelope
from crypto.errors import BadSignature, CryptoError
from crypto.frame import KIND, FrameHeader
from crypto.keys import Purpose
from node.domain.evidence.agreed import Ground, judge_frame
from node.domain.evidence.findings import Step, Wrong
from node.domain.evidence.lines import FrameLine, ReceivedLine
from node.domain.evidence.opened import Opened
from node.domain.receipts import CopyReceipt, Receipt

RECEIPT_GRACE: Final = timedelta(hours=24)
"""How long a frame may be without a receipt before that is a finding; the law sets no time."""


@dataclass(frozen=True, slots=True)
class _Open:
    """A frame whose receipt is to come."""

    header: bytes
    time: datetime
    recipient: str
    place: str


class FramesCheck:
    """Judges frames as they come, and keeps what is open."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._open: dict[bytes, _Open] = {}
        self._sequences: dict[str, int] = {}
        self._closing: dict[bytes, dict[bytes, str]] = defaultdict(dict)

    def sent(self, entry: Opened, line: FrameLine) -> FrameHeader | None:
        """Judge a frame that this node sent, by the entry that it stands behind."""
        place = f"frame of {entry.place}"
        self._ground.tally.checked(Step.FRAMES)
        opened = self._read(line.header, self._ground.node, place)
        if opened is None:
            return None
        header, digest = opened
        said = tuple(entry.detail.get(one) for one in ("frame", "body", "root", "count"))
        shown = (header.frame, header.body, header.root, header.count)
        if said != shown or header.journal_leaf != entry.leaf.hex() or header.agreement != entry.agreement:
            self._found(Wrong.FRAME_NOT_AS_JOURNALLED, place, "as its journal entry says", "otherwise")
        judge_frame(self._ground, header, place)
        self._number(header, place)
        self._copies(header, line, place)
        if line.refused is None and not line.cancelled:
            name = bytes.fromhex(header.frame)
            self._open[name] = _Open(digest, header.time, header.recipient, f"frame {header.frame} ({entry.place})")
        return header

    def received(self, entry: Opened, line: ReceivedLine) -> FrameHeader | None:
        """Judge a frame that this node took in."""
        place = f"frame of {entry.place}"
        self._ground.tally.checked(Step.FRAMES)
        opened = self._read(line.header, entry.counterparty, place)
        if opened is None:
            return None
        header, _ = opened
        said = (entry.detail.get("frame"), entry.detail.get("count"), entry.agreement, self._ground.node)
        if said != (header.frame, header.count, header.agreement, header.recipient):
            self._found(Wrong.FRAME_NOT_AS_JOURNALLED, place, "as its journal entry says", "otherwise")
        judge_frame(self._ground, header, place)
        return header

    def receipted(self, receipt: Receipt, holder: str, place: str) -> None:
        """Close a frame by its receipt; a receipt of what was never sent changes nothing."""
        name = bytes.fromhex(receipt.frame)
        frame = self._open.get(name)
        if frame is None or frame.recipient != holder:
            return
        del self._open[name]
        if frame.header.hex() != receipt.header:
            expected = "the header of the frame that was sent"
            self._ground.tally.found(Step.RECEIPTS, Wrong.RECEIPT_CONTRADICTS, place, expected, "another")

    def proves(self, batch: bytes, receipts: tuple[CopyReceipt, ...]) -> None:
        """Let a batch of copy receipts prove the rows that the ledger says it closed."""
        awaited = self._closing.pop(batch, None)
        if awaited is None:
            return
        gone = {bytes.fromhex(one.alias) for one in receipts if one.stage.is_last}
        for alias, place in awaited.items():
            if alias not in gone:
                self._unproven(place, "a receipt about another copy")

    def finish(self, now: datetime) -> None:
        """Say what stayed open for too long."""
        for frame in self._open.values():
            if now - frame.time > RECEIPT_GRACE:
                expected = f"a receipt of {frame.recipient} within {RECEIPT_GRACE.total_seconds() / 3600:.0f} hours"
                self._ground.tally.found(Step.RECEIPTS, Wrong.RECEIPT_MISSING, frame.place, expected, "none")
        for awaited in self._closing.values():
            for place in awaited.values():
                self._unproven(place, "no such batch of receipts")

    def _read(self, raw: str, sender: str, place: str) -> tuple[FrameHeader, bytes] | None:
        try:
            signed = envelope.parse(raw.encode(), KIND)
            if not envelope.verified_signers(signed, self._ground.trust.keys(sender, Purpose.FRAME)):
                raise BadSignature("not by a listed frame key")
            header = envelope.read_payload(signed, FrameHeader)
            if header.sender != sender:
                raise BadSignature("of another sender")
        except CryptoError as failure:
            self._found(Wrong.FRAME_BROKEN, place, f"a header signed by {sender}", type(failure).__name__)
            return None
        return header, signed.digest

    def _number(self, header: FrameHeader, place: str) -> None:
        """Pushes of an agreement are numbered without a gap; home's own journal has every one."""
        if header.push_sequence is None:
            return
        expected = self._sequences.get(header.agreement, 0) + 1
        self._sequences[header.agreement] = header.push_sequence
        if header.push_sequence != expected:
            self._found(Wrong.FRAME_NUMBER_MISSING, place, f"number {expected}", str(header.push_sequence))

    def _copies(self, header: FrameHeader, line: FrameLine, place: str) -> None:
        tally = self._ground.tally
        tally.checked(Step.COPIES, len(line.copies))
        if len(line.copies) != header.count:
            expected, got = f"{header.count} copies", str(len(line.copies))
            tally.found(Step.COPIES, Wrong.COPIES_MISCOUNTED, place, expected, got)
        for copy in line.copies:
            if copy.closed_by is not None:
                self._closing[bytes.fromhex(copy.closed_by)][bytes.fromhex(copy.alias)] = place

    def _unproven(self, place: str, got: str) -> None:
        expected = "a receipt that the copy is gone"
        self._ground.tally.found(Step.COPIES, Wrong.COPY_CLOSED_UNPROVEN, place, expected, got)

    def _found(self, wrong: Wrong, place: str, expected: str, got: str) -> None:
        self._ground.tally.found(Step.FRAMES, wrong, place, expected, got)
