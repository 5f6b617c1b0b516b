"""Receipts: the signed proof that a holder received a frame, or did what a notice says (docs/protocol/receipt.md)."""

from enum import StrEnum

import msgspec

from crypto.canonical import Hex16, Hex32
from registry.parties import Instant, PartyName

KIND = "receipt-batch"


class Stage(StrEnum):
    """How far a frame has come at the holder."""

    RECEIVED = "RECEIVED"


class Receipt(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One frame received: its id, the digest of its signed header, and the holder's journal leaf."""

    at: Instant
    frame: Hex16
    header: Hex32
    journal_leaf: Hex32
    stage: Stage


class ReceiptBatch(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Receipts from one holder to one home, signed once with the holder's document key."""

    holder: PartyName
    home: PartyName
    issued_at: Instant
    receipts: tuple[Receipt, ...]
    suite: int


MOST_RECEIPTS = 1_000
"""Receipts in one batch."""

COPY_KIND = "copy-receipt-batch"


class CopyStage(StrEnum):
    """How far a change has come at the holder."""

    RECEIVED = "RECEIVED"
    """The notice is stored."""
    APPLIED = "APPLIED"
    """The void copies are in no table any more."""
    DELETED = "DELETED"
    """They are in no file of the database any more."""
    NOT_HELD = "NOT_HELD"
    """There was no such copy; one that comes late is refused."""

    @property
    def rank(self) -> int:
        """How late the stage is; a change never goes back to an earlier one."""
        return _RANKS[self]

    @property
    def is_last(self) -> bool:
        """Whether nothing more is to come."""
        return _RANKS[self] == LAST_RANK


LAST_RANK = 3
_RANKS = {CopyStage.RECEIVED: 1, CopyStage.APPLIED: 2, CopyStage.DELETED: LAST_RANK, CopyStage.NOT_HELD: LAST_RANK}


class CopyReceipt(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What became of the copies of one alias: after a notice, or, in one frame, because their time was over.

    Either `notice` or `frame` is named; a frame only with the stage DELETED.
    """

    alias: Hex16
    at: Instant
    frame: Hex16 | None
    journal_leaf: Hex32
    notice: Hex16 | None
    stage: CopyStage

    @property
    def is_sound(self) -> bool:
        """Whether it names one thing, in a stage which that can have."""
        if self.frame is None:
            return self.notice is not None
        return self.notice is None and self.stage is CopyStage.DELETED


class CopyReceiptBatch(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Receipts about copies from one holder to one home, signed once with the holder's document key."""

    holder: PartyName
    home: PartyName
    issued_at: Instant
    receipts: tuple[CopyReceipt, ...]
    suite: int
