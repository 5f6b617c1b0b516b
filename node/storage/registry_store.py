"""Pinned authorities, mirrors of their logs, and the journal checkpoints of peers that later ones must extend."""

# ruff: noqa: D102 - each method keeps the promise of its port and says only what is added to it

from collections.abc import Sequence
from typing import Final

from node.operations.rows import PeerHead, StoredMirror, StoredStatement
from node.storage.errors import OutOfOrder
from node.storage.moments import from_milliseconds, to_milliseconds
from node.storage.transaction import Transaction
from registry.parties import PartyId

_PINS: Final = "SELECT authority, card FROM pins ORDER BY authority"
_PIN: Final = """
INSERT INTO pins (authority, card) VALUES (:authority, :card)
ON CONFLICT (authority) DO UPDATE SET card = excluded.card"""
_STATEMENTS: Final = """
SELECT place, raw, covered_at FROM registry_statements WHERE authority = :authority ORDER BY place"""
_NEXT_PLACE: Final = "SELECT coalesce(max(place) + 1, 0) FROM registry_statements WHERE authority = :authority"
_APPEND: Final = """
INSERT INTO registry_statements (authority, place, raw, covered_at)
VALUES (:authority, :place, :raw, :covered_at)"""
_HEADS: Final = "SELECT authority, head FROM registry_heads ORDER BY authority"
_HEAD: Final = "SELECT head FROM registry_heads WHERE authority = :authority"
_SET_HEAD: Final = """
INSERT INTO registry_heads (authority, head) VALUES (:authority, :head)
ON CONFLICT (authority) DO UPDATE SET head = excluded.head"""

_PEER_HEAD: Final = "SELECT size, root, note, seen_at FROM peer_heads WHERE peer = :peer"
_SEE: Final = """
INSERT INTO peer_heads (peer, size, root, note, seen_at) VALUES (:peer, :size, :root, :note, :seen_at)
ON CONFLICT (peer) DO UPDATE
SET size = excluded.size, root = excluded.root, note = excluded.note, seen_at = excluded.seen_at"""


class SqlRegistries:
    """See `node.operations.ports.Registries`."""

    __slots__ = ("_transaction",)

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def pins(self) -> dict[PartyId, bytes]:
        return dict(self._transaction.rows(_PINS))

    def pin(self, authority: PartyId, card: bytes) -> None:
        self._transaction.run(_PIN, {"authority": authority, "card": card})

    def mirror(self, authority: PartyId) -> StoredMirror:
        of = {"authority": authority}
        statements = tuple(
            StoredStatement(number=place, raw=raw, covered_at=from_milliseconds(covered_at))
            for place, raw, covered_at in self._transaction.rows(_STATEMENTS, of)
        )
        head = self._transaction.row(_HEAD, of)
        return StoredMirror(statements=statements, head=None if head is None else head[0])

    def extend(self, authority: PartyId, statements: Sequence[StoredStatement], head: bytes) -> None:
        """Keep the promise of the port.

        Raises:
            OutOfOrder: a statement is not the next one of the stored log; nothing was appended.
        """
        ((start,),) = self._transaction.rows(_NEXT_PLACE, {"authority": authority})
        if any(one.number != place for place, one in enumerate(statements, start)):
            raise OutOfOrder("registry statement: expected the next place of the log, got another one")
        rows = [
            {
                "authority": authority,
                "place": one.number,
                "raw": one.raw,
                "covered_at": to_milliseconds(one.covered_at),
            }
            for one in statements
        ]
        self._transaction.run_many(_APPEND, rows)
        self._transaction.run(_SET_HEAD, {"authority": authority, "head": head})

    def heads(self) -> dict[PartyId, bytes]:
        return dict(self._transaction.rows(_HEADS))


class SqlPeers:
    """See `node.operations.ports.Peers`."""

    __slots__ = ("_transaction",)

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def head(self, peer: PartyId) -> PeerHead | None:
        row = self._transaction.row(_PEER_HEAD, {"peer": peer})
        if row is None:
            return None
        size, root, note, seen_at = row
        return PeerHead(size=size, root=root, note=note, seen_at=from_milliseconds(seen_at))

    def see(self, peer: PartyId, head: PeerHead) -> None:
        values = {
            "peer": peer,
            "size": head.size,
            "root": head.root,
            "note": head.note,
            "seen_at": to_milliseconds(head.seen_at),
        }
        self._transaction.run(_SEE, values)
