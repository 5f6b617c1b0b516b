"""What a regulator's inspection is given from the stores: its order, and the signed documents of many entries."""

from datetime import datetime

from node.operations.silent_row import SilentRow
from registry.parties import PartyId


class InspectionRow(SilentRow, frozen=True, kw_only=True):
    """An authority's signed order to be shown evidence. `leaf` is the leaf hash of the journal entry about it."""

    digest: bytes
    authority: PartyId
    raw: bytes
    leaf: bytes
    at: datetime


class CopyExhibit(SilentRow, frozen=True, kw_only=True):
    """A ledger row of a frame: which record it shows, by its alias, and the batch whose receipt closed the row.

    `closed_by` is the document digest of that batch; None as long as there is none.
    """

    alias: bytes
    closed_by: bytes | None


class FrameExhibit(SilentRow, frozen=True, kw_only=True):
    """A frame sent: its signed header, what became of it, and its ledger rows, oldest first.

    `refused` is the recipient's reason for not taking it; a cancelled one was not known to have arrived when a record
    in it changed.
    """

    header: bytes
    refused: str | None
    is_cancelled: bool
    copies: tuple[CopyExhibit, ...]
