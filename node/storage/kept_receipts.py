"""Signed receipts: each batch is kept once, and whatever rests on it names it by its digest."""

from hashlib import sha256
from typing import Final

from node.storage.transaction import Transaction

_KEEP: Final = """
INSERT INTO receipts (raw_digest, raw) VALUES (:raw_digest, :raw) ON CONFLICT (raw_digest) DO NOTHING"""


def keep_receipt(transaction: Transaction, raw: bytes) -> bytes:
    """Keep a signed batch of receipts; gives the SHA-256 that names it in the table `receipts`."""
    digest = sha256(raw).digest()
    transaction.run(_KEEP, {"raw_digest": digest, "raw": raw})
    return digest
