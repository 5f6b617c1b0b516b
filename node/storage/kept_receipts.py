"""Signed receipts: each batch is kept once, and whatever rests on it names it by its digest."""

from hashlib import sha256
from typing import Final

from crypto import envelope
from node.domain.receipts import COPY_KIND, KIND
from node.storage.transaction import Transaction

_KNOWN: Final = "SELECT 1 FROM receipts WHERE raw_digest = :raw_digest"
_KEEP: Final = """
INSERT INTO receipts (raw_digest, digest, raw) VALUES (:raw_digest, :digest, :raw)
ON CONFLICT (raw_digest) DO NOTHING"""


def keep_receipt(transaction: Transaction, raw: bytes) -> bytes:
    """Keep a signed batch of receipts; gives the SHA-256 of its bytes, which names it in the table `receipts`.

    It is read only when it is new: one batch is kept again for everything that it speaks of.

    Raises:
        Malformed: it is no batch of receipts. Whoever keeps one has verified it, so that is a bug.
    """
    raw_digest = sha256(raw).digest()
    if transaction.row(_KNOWN, {"raw_digest": raw_digest}) is None:
        digest = envelope.parse_any(raw, (KIND, COPY_KIND), len(raw)).digest
        transaction.run(_KEEP, {"raw_digest": raw_digest, "digest": digest, "raw": raw})
    return raw_digest
