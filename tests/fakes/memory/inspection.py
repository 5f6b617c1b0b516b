"""The ports Inspections and Exhibits."""

from collections.abc import Sequence

from node.operations.inspection_rows import CopyExhibit, FrameExhibit, InspectionRow
from registry.parties import PartyId
from tests.fakes.memory.renditions import Disclosures
from tests.fakes.memory.state import Part, SentFrame, add_once


class MemoryInspections(Part):
    def add(self, row: InspectionRow) -> None:
        add_once(self._changing.inspections, row.digest, row)

    def find(self, digest: bytes) -> InspectionRow | None:
        return self._seen.inspections.get(digest)


class MemoryExhibits(Disclosures):
    def frames(self, frames: Sequence[bytes]) -> dict[bytes, FrameExhibit]:
        sent = self._seen.sent_frames
        copies: dict[bytes, list[CopyExhibit]] = {frame: [] for frame in frames if frame in sent}
        for one in self._seen.disclosures.values():
            if one.row.frame in copies:
                shown = CopyExhibit(alias=self._alias_of(one).alias, closed_by=one.closed_by)
                copies[one.row.frame].append(shown)
        return {frame: _exhibit(sent[frame], shown) for frame, shown in copies.items()}

    def received(self, frames: Sequence[bytes]) -> dict[tuple[PartyId, bytes], bytes]:
        rows = self._seen.received_frames.values()
        return {(row.sender, row.frame): row.header for row in rows if row.frame in frames}

    def receipts(self, batches: Sequence[bytes]) -> dict[bytes, bytes]:
        """Of several with one digest, the first is the last to be put in."""
        kept = reversed(self._seen.receipts.items())
        return {digest: raw for raw, digest in kept if digest in batches}

    def notices(self, firsts: Sequence[tuple[PartyId, int]]) -> dict[tuple[PartyId, int], bytes]:
        return {key: batch.raw for key, batch in self._seen.batches.items() if key in firsts}

    def told(self, firsts: Sequence[tuple[PartyId, int]]) -> dict[tuple[PartyId, int], bytes]:
        return {key: raw for key, (_, raw) in self._seen.received_batches.items() if key in firsts}


def _exhibit(sent: SentFrame, copies: Sequence[CopyExhibit]) -> FrameExhibit:
    return FrameExhibit(
        header=sent.row.header,
        refused=sent.refused,
        is_cancelled=sent.cancelled_at is not None,
        copies=tuple(copies),
    )
