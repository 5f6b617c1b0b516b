"""Copies of other parties' records, what may not be held again, and what may still lie in the files."""

# ruff: noqa: D102 - each method keeps the promise of its port and says only what is added to it

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from node.operations.rows import ErasureRow, FloorRow, HeldRow
from node.storage.moments import from_milliseconds, to_milliseconds
from node.storage.transaction import Transaction
from registry.parties import PartyId

_HELD: Final = """
WITH {blobs wanted}
SELECT c.number, f.frame, f.sender, c.alias, c.wire_version, c.rendition, c.keep_until
FROM wanted CROSS JOIN copies c CROSS JOIN received_frames f
WHERE c.alias = wanted.key AND c.agreement = :agreement AND f.number = c.frame_no ORDER BY c.number"""
_ENDED: Final = """
SELECT c.number, f.frame, f.sender, c.alias, c.wire_version, c.rendition, c.keep_until
FROM copies c JOIN received_frames f ON f.number = c.frame_no
WHERE c.keep_until <= :at ORDER BY c.keep_until, c.number LIMIT :limit"""
_FLOORS: Final = """
WITH {blobs wanted} SELECT o.alias, o.version, o.deleted FROM wanted CROSS JOIN floors o
WHERE o.agreement = :agreement AND o.alias = wanted.key"""
_RAISE: Final = """
INSERT INTO floors (agreement, alias, version, deleted) VALUES (:agreement, :alias, :version, :deleted)
ON CONFLICT (agreement, alias) DO UPDATE SET version = excluded.version, deleted = excluded.deleted"""
_DESTROY: Final = "WITH {numbers wanted} DELETE FROM copies WHERE number IN (SELECT key FROM wanted)"

_ADD: Final = """
INSERT INTO erasures (home, alias, notice, frame, at) VALUES (:home, :alias, :notice, :frame, :at)"""
_NEWEST: Final = "SELECT coalesce(max(number), 0) FROM erasures"
_THROUGH: Final = """
SELECT number, home, alias, notice, frame FROM erasures WHERE number <= :number ORDER BY number LIMIT :limit"""
_DONE: Final = "WITH {numbers wanted} DELETE FROM erasures WHERE number IN (SELECT key FROM wanted)"
_FORGET_BODIES: Final = """
UPDATE sent_frames SET body = NULL WHERE body IS NOT NULL AND request IS NOT NULL AND sent_at < :before"""


class SqlCopies:
    """See `node.operations.ports.Copies`."""

    __slots__ = ("_transaction",)

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def held(self, agreement: bytes, aliases: Sequence[bytes]) -> list[HeldRow]:
        values = {"wanted": self._transaction.keys(aliases), "agreement": agreement}
        return [_held_from_row(row) for row in self._transaction.rows(_HELD, values)]

    def floors(self, agreement: bytes, aliases: Sequence[bytes]) -> dict[bytes, FloorRow]:
        values = {"wanted": self._transaction.keys(aliases), "agreement": agreement}
        return {
            alias: FloorRow(agreement=agreement, alias=alias, version=version, deleted=bool(deleted))
            for alias, version, deleted in self._transaction.rows(_FLOORS, values)
        }

    def raise_floors(self, floors: Sequence[FloorRow]) -> None:
        names = ("agreement", "alias", "version", "deleted")
        self._transaction.run_many(_RAISE, [{name: getattr(one, name) for name in names} for one in floors])

    def destroy(self, copies: Sequence[int]) -> None:
        if copies:
            self._transaction.run(_DESTROY, {"wanted": self._transaction.keys(copies)})

    def ended(self, at: datetime, limit: int) -> list[HeldRow]:
        rows = self._transaction.rows(_ENDED, {"at": to_milliseconds(at), "limit": limit})
        return [_held_from_row(row) for row in rows]


class SqlErasures:
    """See `node.operations.ports.Erasures`."""

    __slots__ = ("_transaction",)

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def add(self, erasures: Sequence[ErasureRow], at: datetime) -> None:
        moment = to_milliseconds(at)
        values = [
            {"home": one.home, "alias": one.alias, "notice": one.notice, "frame": one.frame, "at": moment}
            for one in erasures
        ]
        self._transaction.run_many(_ADD, values)

    def newest(self) -> int:
        ((number,),) = self._transaction.rows(_NEWEST)
        return int(number)

    def through(self, number: int, limit: int) -> list[ErasureRow]:
        return [
            ErasureRow(number=number, home=home, alias=alias, notice=notice, frame=frame)
            for number, home, alias, notice, frame in self._transaction.rows(
                _THROUGH, {"number": number, "limit": limit}
            )
        ]

    def done(self, erasures: Sequence[int]) -> None:
        if erasures:
            self._transaction.run(_DONE, {"wanted": self._transaction.keys(erasures)})

    def forget_bodies(self, before: datetime) -> int:
        return self._transaction.run(_FORGET_BODIES, {"before": to_milliseconds(before)})


def _held_from_row(row: Any) -> HeldRow:
    number, frame, home, alias, wire_version, rendition, keep_until = row
    return HeldRow(
        number=number,
        frame=frame,
        home=PartyId(home),
        alias=alias,
        wire_version=wire_version,
        rendition=rendition,
        keep_until=from_milliseconds(keep_until),
    )
