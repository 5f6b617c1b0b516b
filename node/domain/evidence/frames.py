"""Frames in a bundle: sent ones with their ledger rows and receipts, and received ones.

What is remembered of a frame is what is still open: that its receipt is to come, and which batch is to prove that its
copies are gone.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from agreements.terms import Manner
from crypto import envelope
from crypto.errors import BadSignature, CryptoError
from crypto.frame import KIND, FrameHeader
from crypto.keys import Purpose
from node.domain.evidence.agreed import Ground, judge_frame
from node.domain.evidence.findings import Step, Wrong
from node.domain.evidence.lines import FrameLine, ReceivedLine
from node.domain.evidence.opened import Opened
from node.domain.journal import Act
from node.domain.receipts import CopyReceipt, Receipt

_SAME_TIME: Final = timedelta(seconds=60)
"""By how much the time in a header and that of its entry may differ: they are taken in one transaction."""
_FACTS: Final = ("authorisation", "body", "count", "frame", "purpose", "request", "root")
_DISCLOSURES: Final = {Act.PUSH: "PUSH", Act.QUERY: "ANSWER", Act.BATCH: "ANSWER"}
DISCLOSING: Final = frozenset(_DISCLOSURES)
RECEIPT_GRACE: Final = timedelta(hours=24)
"""How long a frame may be without a receipt before that is a finding; the law sets no time."""


@dataclass(frozen=True, slots=True)
class _Open:
    """A frame whose receipt is to come."""

    header: bytes
    time: datetime
    recipient: str
    place: str


@dataclass(frozen=True, slots=True)
class _Gone:
    """A copy that the ledger says is gone, by a receipt that is to come: of its own frame, or of a notice."""

    alias: str
    frame: str
    recipient: str
    place: str


class FramesCheck:
    """Judges frames as they come, and keeps what is open."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._open: dict[bytes, _Open] = {}
        self._sequences: dict[str, int] = {}
        self._closing: dict[bytes, list[_Gone]] = defaultdict(list)

    def sent(self, entry: Opened, line: FrameLine) -> FrameHeader | None:
        """Judge a frame that this node sent, by the entry that it stands behind."""
        place = f"frame of {entry.place}"
        self._ground.tally.checked(Step.FRAMES)
        opened = self._read(line.header, self._ground.node, place)
        if opened is None:
            return None
        header, digest = opened
        if not _is_as_journalled(header, entry):
            self._found(Wrong.FRAME_NOT_AS_JOURNALLED, place, "as its journal entry says", "otherwise")
        judge_frame(self._ground, header, place)
        self._judge_sender(entry, header, place)
        self._number(header, place)
        self._copies(header, line, place)
        if line.refused is None and not line.cancelled:
            self._await(header, digest, f"frame {header.frame} ({entry.place})")
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

    def proves(self, batch: bytes, holder: str, receipts: Sequence[CopyReceipt]) -> None:
        """Let a holder's batch of copy receipts prove the rows that the ledger says it closed."""
        awaited = self._closing.pop(batch, ())
        gone = {(one.alias, one.frame) for one in receipts if one.stage.is_last and one.is_sound} if awaited else set()
        for copy in awaited:
            if copy.recipient != holder or not gone & {(copy.alias, None), (copy.alias, copy.frame)}:
                self._unproven(copy.place, "a receipt about another copy")

    def finish(self, now: datetime) -> None:
        """Say what stayed open for too long."""
        for frame in self._open.values():
            if now - frame.time > RECEIPT_GRACE:
                expected = f"a receipt of {frame.recipient} within {RECEIPT_GRACE.total_seconds() / 3600:.0f} hours"
                self._ground.tally.found(Step.RECEIPTS, Wrong.RECEIPT_MISSING, frame.place, expected, "none")
        for awaited in self._closing.values():
            for copy in awaited:
                self._unproven(copy.place, "no such batch of receipts")

    def _read(self, raw: str, sender: str, place: str) -> tuple[FrameHeader, bytes] | None:
        try:
            keys = self._ground.trust.keys(sender, Purpose.FRAME)
            header, digest = envelope.open_document(raw.encode(), KIND, FrameHeader, keys)
            if header.sender != sender:
                raise BadSignature("of another sender")
        except CryptoError as failure:
            self._found(Wrong.FRAME_BROKEN, place, f"a header signed by {sender}", type(failure).__name__)
            return None
        return header, digest

    def _judge_sender(self, entry: Opened, header: FrameHeader, place: str) -> None:
        """What only the sender's journal tells: whether it pushed of itself, and by how new a registry (rule 10)."""
        agreement = self._ground.agreements.get(header.agreement)
        if agreement is None:
            return
        if entry.detail.get("outcome") == "PUSHED" and Manner.PUSH not in agreement.terms.manner:
            self._found(Wrong.FRAME_OUTSIDE_AGREEMENT, place, "a manner agreed", header.mode)
        for party in sorted(agreement.terms.parties):
            if not self._ground.trust.is_heard(party, header.time):
                expected, got = f"{party} admitted by a log heard within the hour", "an older log"
                self._found(Wrong.FRAME_PARTY_NOT_ADMITTED, place, expected, got)

    def _await(self, header: FrameHeader, digest: bytes, place: str) -> None:
        name = bytes.fromhex(header.frame)
        if name in self._open:
            self._found(Wrong.FRAME_NOT_AS_JOURNALLED, place, "a name of its own", "that of a frame before")
        self._open[name] = _Open(digest, header.time, header.recipient, place)

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
                gone = _Gone(copy.alias, header.frame, header.recipient, place)
                self._closing[bytes.fromhex(copy.closed_by)].append(gone)

    def _unproven(self, place: str, got: str) -> None:
        expected = "a receipt that the copy is gone"
        self._ground.tally.found(Step.COPIES, Wrong.COPY_CLOSED_UNPROVEN, place, expected, got)

    def _found(self, wrong: Wrong, place: str, expected: str, got: str) -> None:
        self._ground.tally.found(Step.FRAMES, wrong, place, expected, got)


def _is_as_journalled(header: FrameHeader, entry: Opened) -> bool:
    """Whether a header says what the entry before it commits to; that the header names this entry is the link back."""
    said, facts = entry.detail, (getattr(header, one) for one in _FACTS)
    return (
        tuple(map(said.get, _FACTS)) == tuple(facts)
        and said.get("sequence") == header.push_sequence
        and _DISCLOSURES.get(entry.act) == header.mode
        and (entry.leaf.hex(), entry.agreement) == (header.journal_leaf, header.agreement)
        and entry.counterparty == header.recipient
        and abs(entry.at - header.time) <= _SAME_TIME
    )
