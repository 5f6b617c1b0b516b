"""Receipts: the signed proof that a holder received a frame (docs/protocol/receipt.md)."""

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
