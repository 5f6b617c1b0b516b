"""What an inspection leaves here, and the signed documents that it is shown."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from node.operations.inspection_rows import FrameExhibit, InspectionRow
from registry.parties import PartyId


class Inspections(Protocol):
    """Orders of authorities that were carried out, or begun."""

    def add(self, row: InspectionRow) -> None:
        """Keep an order, in the transaction that journals it; one that is kept already stays as it is."""

    def find(self, digest: bytes) -> InspectionRow | None:
        """Give an order by its document digest."""


class Exhibits(Protocol):
    """The signed documents that journal entries speak of.

    Read only, and made for the entries of a whole page: each method asks once for all, and what is not known is simply
    not among what it gives.
    """

    def frames(self, frames: Sequence[bytes]) -> Mapping[bytes, FrameExhibit]:
        """Give frames sent, by their ids; their bodies may be gone long since."""

    def received(self, frames: Sequence[bytes]) -> Mapping[tuple[PartyId, bytes], bytes]:
        """Give the signed headers of frames received, by (sender, id); two senders may have used one id."""

    def receipts(self, batches: Sequence[bytes]) -> Mapping[bytes, bytes]:
        """Give signed batches of receipts as they came, by document digest.

        That is independent of who signed: of several with one digest, the first that came.
        """

    def notices(self, firsts: Sequence[tuple[PartyId, int]]) -> Mapping[tuple[PartyId, int], bytes]:
        """Give this node's own signed batches of notices, by (holder, number of the first notice)."""

    def told(self, firsts: Sequence[tuple[PartyId, int]]) -> Mapping[tuple[PartyId, int], bytes]:
        """Give the signed batches of notices that were taken in, by (home, number of the first notice)."""
