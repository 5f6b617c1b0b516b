"""What was charged against an agreement's quotas, and which requests and nonces were used."""

# ruff: noqa: D102 - each method keeps the promise of its port and says only what is added to it

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from node.storage.moments import to_milliseconds
from node.storage.transaction import Transaction

_CHARGED: Final = """
WITH {texts wanted} SELECT c.period, c.amount FROM wanted CROSS JOIN charges c
WHERE c.agreement_no = :agreement_no AND c.period = wanted.key"""
_CHARGE: Final = """
INSERT INTO charges (agreement_no, period, amount) VALUES (:agreement_no, :period, :amount)
ON CONFLICT (agreement_no, period) DO UPDATE SET amount = charges.amount + excluded.amount"""
_EVALUATED: Final = "SELECT 1 FROM evaluations WHERE request = :request"
_REMEMBER: Final = "INSERT INTO evaluations (request, at) VALUES (:request, :at) ON CONFLICT (request) DO NOTHING"
_USED: Final = """
WITH {blobs wanted} SELECT n.nonce, n.request FROM wanted CROSS JOIN nonces n WHERE n.nonce = wanted.key"""
_USE: Final = """
INSERT INTO nonces (nonce, request, expires_at) VALUES (:nonce, :request, :expires_at)
ON CONFLICT (nonce) DO NOTHING"""


class SqlUsage:
    """See `node.operations.ports.Usage`."""

    __slots__ = ("_transaction",)

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def charged(self, agreement_no: int, windows: Sequence[str]) -> dict[str, int]:
        values = {"agreement_no": agreement_no, "wanted": self._transaction.keys(windows)}
        return dict.fromkeys(windows, 0) | dict(self._transaction.rows(_CHARGED, values))

    def charge(self, agreement_no: int, amounts: Mapping[str, int]) -> None:
        values = [
            {"agreement_no": agreement_no, "period": window, "amount": amount} for window, amount in amounts.items()
        ]
        self._transaction.run_many(_CHARGE, values)

    def evaluated(self, request: bytes) -> bool:
        return self._transaction.row(_EVALUATED, {"request": request}) is not None

    def remember_evaluation(self, request: bytes, at: datetime) -> None:
        self._transaction.run(_REMEMBER, {"request": request, "at": to_milliseconds(at)})

    def use_nonces(self, nonces: Mapping[bytes, bytes], expires_at: datetime) -> dict[bytes, bytes]:
        """Written first: who used a nonce before is looked up only if one was used."""
        end = to_milliseconds(expires_at)
        rows = [{"nonce": nonce, "request": request, "expires_at": end} for nonce, request in nonces.items()]
        if self._transaction.run_many(_USE, rows) == len(rows):
            return {}
        stored = self._transaction.rows(_USED, {"wanted": self._transaction.keys(list(nonces))})
        return {nonce: request for nonce, request in stored if request != nonces[nonce]}
