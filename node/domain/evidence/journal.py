"""The journal in a bundle: every entry in its place, the documents it speaks of behind it, the signed checkpoint."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from crypto.checkpoint import open_checkpoint
from crypto.errors import CryptoError
from crypto.merkle import Frontier, leaf_hash
from node.domain.evidence.agreed import Ground
from node.domain.evidence.awaited import MISSING, awaited_behind
from node.domain.evidence.claims import Claims, LeafClaim
from node.domain.evidence.findings import Step, Wrong
from node.domain.evidence.frames import DISCLOSING, FramesCheck
from node.domain.evidence.lines import (
    Attachment,
    CheckpointLine,
    EntryLine,
    FrameLine,
    LeafLine,
    NoticesLine,
    OrderLine,
    ReceiptsLine,
    ReceivedLine,
    ToldLine,
)
from node.domain.evidence.named_law import NamedLawCheck
from node.domain.evidence.notices import NoticesCheck
from node.domain.evidence.opened import Opened, open_entry
from node.domain.evidence.orders import InspectionOrder
from node.domain.evidence.receipts import ReceiptsCheck
from node.domain.evidence.signed import read_order
from node.domain.journal import NO_AGREEMENT, Act, journal_origin
from node.domain.receipts import CopyReceipt, Receipt
from registry.parties import PartyId

_OF_FRAMES: Final = ("body", "count", "frame", "root")
PORTION: Final = 1_024
"""Leaves that are added to the tree together."""


@dataclass(frozen=True, slots=True)
class _Standing:
    """The entry that was read last, where a document must follow it, and which."""

    entry: Opened
    awaited: type[Attachment]


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalShown:
    """What the journal came to: its size, the time of its last entry, and the orders it holds by their digest."""

    size: int
    newest: datetime | None
    orders: dict[str, InspectionOrder] = field(default_factory=dict)


class JournalCheck:
    """Takes in entries, leaves and the documents behind them, in order."""

    def __init__(self, ground: Ground, claims: Claims, *, whole: bool) -> None:
        self._ground = ground
        self._claims = claims
        self._frontier = Frontier()
        self._leaves: list[bytes] = []
        self._standing: _Standing | None = None
        self._newest: datetime | None = None
        self._orders: dict[str, InspectionOrder] = {}
        self._whole = whole
        self.closed = False
        """Whether the checkpoint was read, behind which nothing may come."""
        self._law = NamedLawCheck(ground)
        self.frames = FramesCheck(ground)
        self.notices = NoticesCheck(ground, whole=whole)
        self._receipts = ReceiptsCheck(ground, self.frames, self.notices)

    @property
    def size(self) -> int:
        """Entries and leaves so far."""
        return self._frontier.size + len(self._leaves)

    def entry(self, line: EntryLine) -> None:
        """Take the next entry."""
        self._settle()
        index = self.size
        self._ground.tally.checked(Step.JOURNAL)
        try:
            opened = open_entry(line, index)
        except CryptoError as failure:
            place, got = f"journal entry {index}", type(failure).__name__
            self._found(Wrong.ENTRY_BROKEN, place, "an entry, with the detail it commits to", got)
            self._add(leaf_hash(line.entry.encode()))
            return
        self._add(opened.leaf)
        if opened.entry.node != self._ground.node:
            self._found(Wrong.ENTRY_BROKEN, opened.place, f"an entry of {self._ground.node}", "another node's")
        self._passed(opened.at)
        awaited = awaited_behind(opened)
        if awaited is not None:
            self._standing = _Standing(opened, awaited)
        self._law.judge(opened)
        act = _NOTED.get(opened.act)
        if act is not None:
            act(self, opened)

    def leaf(self, line: LeafLine) -> None:
        """Take an entry that is outside the scope; where that is everything, nothing is."""
        self._settle()
        self._ground.tally.checked(Step.JOURNAL)
        if self._whole:
            place, expected = f"journal entry {self.size}", "opened, as everything is in the scope"
            self._ground.tally.found(Step.ORDER, Wrong.ORDER_BROKEN, place, expected, "a bare leaf")
        self._add(bytes.fromhex(line.leaf))

    def attached(self, line: Attachment) -> bool:
        """Take a document; False where the entry before it speaks of none such."""
        standing = self._standing
        if standing is None or standing.awaited is not type(line):
            return False
        self._standing = None
        if self._ground.knows(standing.entry.counterparty):
            self._judge(standing.entry, line)
        return True

    def checkpoint(self, line: CheckpointLine) -> None:
        """Take the checkpoint, and hold it against everything before."""
        self._settle()
        self._grow()
        self.closed = True
        node, place = self._ground.node, "checkpoint"
        try:
            signed = open_checkpoint(line.note.encode(), self._ground.trust.journal_verifiers(node)).checkpoint
        except CryptoError as failure:
            expected = f"signed by the journal key of {node}"
            self._found(Wrong.CHECKPOINT_BROKEN, place, expected, type(failure).__name__)
            return
        if signed.origin != journal_origin(PartyId(node)):
            self._found(Wrong.CHECKPOINT_BROKEN, place, f"of the journal of {node}", "of another journal")
        elif (signed.size, signed.root) != (self._frontier.size, self._frontier.root()):
            expected = f"{signed.size} entries with the root that is signed"
            got = f"{self._frontier.size} entries" + (
                " with another root" if signed.size == self._frontier.size else ""
            )
            self._found(Wrong.JOURNAL_NOT_AS_SIGNED, place, expected, got)
        self._claims.head(node, signed.size, signed.root, "its own checkpoint")

    def finish(self) -> JournalShown:
        """Say what is still open, and give what the journal came to."""
        self._settle()
        if not self.closed:
            self._found(Wrong.CHECKPOINT_BROKEN, "checkpoint", "one behind the last entry", "none")
        self._claims.newest = self._newest
        if self._newest is not None:
            self.frames.finish(self._newest)
            self.notices.finish(self._newest)
        return JournalShown(size=self.size, newest=self._newest, orders=self._orders)

    def _judge(self, entry: Opened, line: Attachment) -> None:
        match line:
            case FrameLine():
                self.frames.sent(entry, line)
            case ReceivedLine():
                header = self.frames.received(entry, line)
                if header is not None:
                    by, facts = f"frame {header.frame}", {one: getattr(header, one) for one in _OF_FRAMES}
                    self._claim(entry, header.journal_leaf, LeafClaim(header.time, "", by, DISCLOSING, facts))
            case ReceiptsLine():
                batch = self._receipts.taken(entry, line, self._newest or entry.at)
                for one in () if batch is None else batch.receipts:
                    self._claim(entry, one.journal_leaf, _of_receipt(one, f"a receipt in {entry.place}"))
            case NoticesLine():
                self.notices.sent(entry, line)
            case ToldLine():
                told = self.notices.told(entry, line)
                if told is not None:
                    by, facts = f"notices from number {told.first} on", {"first": told.first}
                    acts = frozenset({Act.NOTICES})
                    self._claim(entry, told.journal_leaf, LeafClaim(told.issued_at, "", by, acts, facts))
            case OrderLine():
                self._ordered(entry, line)

    def _ordered(self, entry: Opened, line: OrderLine) -> None:
        named = read_order(self._ground, entry, line)
        if named is not None:
            digest, order = named
            self._orders[digest] = order
            self._passed(order.issued_at)

    def _claim(self, entry: Opened, leaf: str, claim: LeafClaim) -> None:
        """Note that the entry's counterparty signed for a leaf of its own journal, under the entry's agreement."""
        agreement = "" if entry.agreement == NO_AGREEMENT else entry.agreement
        by = f"{claim.by} shown by {self._ground.node}"
        self._claims.leaf(entry.counterparty, bytes.fromhex(leaf), replace(claim, agreement=agreement, by=by))

    def _passed(self, at: datetime) -> None:
        """Note that it was this late, by the node's clock or by that of an authority."""
        if self._newest is None or at > self._newest:
            self._newest = at

    def _learned(self, entry: Opened) -> None:
        self._ground.learned(str(entry.detail.get("receipt", entry.detail.get("document"))))

    def _changed(self, entry: Opened) -> None:
        self.notices.changed(entry)

    def _fork(self, entry: Opened) -> None:
        """Two signed heads of one size are proof against whoever signed them, wherever they were kept."""
        if not self._ground.knows(entry.counterparty):
            return
        peer, notes = entry.counterparty, [entry.detail.get("held"), entry.detail.get("shown")]
        verifiers = self._ground.trust.journal_verifiers(peer)
        try:
            heads = [open_checkpoint(str(note).encode(), verifiers).checkpoint for note in notes]
        except CryptoError:
            self._found(Wrong.ENTRY_BROKEN, entry.place, f"two heads signed by {peer}", "others")
            return
        if heads[0].size == heads[1].size and heads[0].root != heads[1].root:
            expected = f"one journal of {peer} with {heads[0].size} entries"
            self._found(Wrong.JOURNAL_FORKED, entry.place, expected, "two")

    def _settle(self) -> None:
        """Say what the entry before should have been followed by, and was not."""
        standing, self._standing = self._standing, None
        if standing is not None:
            step, wrong = MISSING[standing.awaited]
            place = standing.entry.place
            self._ground.tally.found(step, wrong, place, "the document it speaks of", "none")

    def _add(self, leaf: bytes) -> None:
        self._leaves.append(leaf)
        if len(self._leaves) >= PORTION:
            self._grow()

    def _grow(self) -> None:
        self._frontier = self._frontier.extend(self._leaves)
        self._leaves = []

    def _found(self, wrong: Wrong, place: str, expected: str, got: str) -> None:
        self._ground.tally.found(Step.JOURNAL, wrong, place, expected, got)


def _of_receipt(receipt: Receipt | CopyReceipt, by: str) -> LeafClaim:
    """What a holder says by a receipt of its own journal: of a frame, that it took that in."""
    if isinstance(receipt, CopyReceipt):
        return LeafClaim(receipt.at, "", by)
    facts = {"frame": receipt.frame, "outcome": "RECEIVED"}
    return LeafClaim(receipt.at, "", by, frozenset({Act.FRAME_RECEIVED}), facts)


_NOTED: Final[dict[Act, Callable[[JournalCheck, Opened], None]]] = {
    Act.AGREEMENT: JournalCheck._learned,  # noqa: SLF001 - its own table
    Act.FILING: JournalCheck._learned,  # noqa: SLF001 - as above
    Act.CHANGE: JournalCheck._changed,  # noqa: SLF001 - as above
    Act.RECHECK: JournalCheck._changed,  # noqa: SLF001 - as above
    Act.FORK: JournalCheck._fork,  # noqa: SLF001 - as above
}
"""What is remembered of an entry that has no document behind it."""
