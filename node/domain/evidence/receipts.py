"""Receipts in a bundle: whose key signed them, whether it counted then, and what they close."""

from datetime import datetime

from crypto import envelope
from crypto.errors import BadSignature, CryptoError
from crypto.keys import Purpose
from node.domain.evidence.agreed import Ground
from node.domain.evidence.findings import Step, Wrong
from node.domain.evidence.frames import FramesCheck
from node.domain.evidence.lines import ReceiptsLine
from node.domain.evidence.notices import NoticesCheck
from node.domain.evidence.opened import Opened
from node.domain.receipts import COPY_KIND, KIND, CopyReceiptBatch, ReceiptBatch


class ReceiptsCheck:
    """Judges batches of receipts, and lets each receipt close what it is of."""

    def __init__(self, ground: Ground, frames: FramesCheck, notices: NoticesCheck) -> None:
        self._ground = ground
        self._frames = frames
        self._notices = notices

    def taken(self, entry: Opened, line: ReceiptsLine, at: datetime) -> ReceiptBatch | CopyReceiptBatch | None:
        """Judge a batch by the entry that says it was taken, no earlier than `at`, the newest time in the journal."""
        place = f"receipts of {entry.place}"
        opened = self._read(entry, line.raw, at, place)
        if opened is None:
            return None
        batch, digest = opened
        self._ground.tally.checked(Step.RECEIPTS, len(batch.receipts))
        said = (entry.detail.get("batch"), entry.detail.get("count"))
        if said != (digest.hex(), len(batch.receipts)):
            self._found(Wrong.RECEIPT_CONTRADICTS, place, "the batch that the entry names", "another")
        if isinstance(batch, ReceiptBatch):
            for one in batch.receipts:
                self._frames.receipted(one, entry.counterparty, place)
        else:
            self._frames.proves(digest, entry.counterparty, batch.receipts)
            for copy in batch.receipts:
                self._notices.answered(copy, entry.counterparty)
        return batch

    def _read(
        self, entry: Opened, raw: str, at: datetime, place: str
    ) -> tuple[ReceiptBatch | CopyReceiptBatch, bytes] | None:
        holder, trust = entry.counterparty, self._ground.trust
        try:
            signed = envelope.parse_any(raw.encode(), (KIND, COPY_KIND))
            signers = envelope.verified_signers(signed, trust.keys(holder, Purpose.DOCUMENT))
            if not signers:
                raise BadSignature("not by a listed document key")
            batch: ReceiptBatch | CopyReceiptBatch
            if signed.payload_type == envelope.payload_type(KIND):
                batch = envelope.read_payload(signed, ReceiptBatch)
            else:
                batch = envelope.read_payload(signed, CopyReceiptBatch)
            if (batch.holder, batch.home) != (holder, self._ground.node):
                raise BadSignature("of another holder, or to another home")
        except CryptoError as failure:
            self._found(Wrong.RECEIPT_BROKEN, place, f"receipts signed by {holder}", type(failure).__name__)
            return None
        if all(trust.is_compromised(holder, key, at) for key in signers):
            got = "one revoked as compromised before the receipts were taken"
            self._found(Wrong.RECEIPT_KEY_REVOKED, place, f"a key of {holder} that counts", got)
        return batch, signed.digest

    def _found(self, wrong: Wrong, place: str, expected: str, got: str) -> None:
        self._ground.tally.found(Step.RECEIPTS, wrong, place, expected, got)
