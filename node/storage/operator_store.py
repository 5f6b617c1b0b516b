"""Operators and the acts they signed; the generation number of cached facts."""


# ruff: noqa: D102 - each method keeps the promise of its port and says only what is added to it

from typing import Any, Final

from node.operations.rows import ActRow, OperatorRow
from node.storage.moments import (
    from_milliseconds,
    from_milliseconds_or_none,
    to_milliseconds,
    to_milliseconds_or_none,
)
from node.storage.transaction import Transaction

_READ: Final = "SELECT value FROM counters WHERE name = 'generation'"
_MOVE: Final = "UPDATE counters SET value = value + 1 WHERE name = 'generation'"

_ADD: Final = """
INSERT INTO operators (name, key_id, public, roles, added_at, retired_at)
VALUES (:name, :key_id, :public, :roles, :added_at, :retired_at)
ON CONFLICT (name) DO NOTHING"""
_ALL: Final = "SELECT name, key_id, public, roles, added_at, retired_at FROM operators"
_BY_NAME: Final = f"{_ALL} ORDER BY name"
_FIND: Final = f"{_ALL} WHERE name = :name"
_RECORD_ACT: Final = """
INSERT INTO operator_acts (digest, operator, raw, at) VALUES (:digest, :operator, :raw, :at)
ON CONFLICT (digest) DO NOTHING"""


class SqlGeneration:
    """See `node.operations.ports.Generation`."""

    __slots__ = ("_transaction",)

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def read(self) -> int:
        ((value,),) = self._transaction.rows(_READ)
        return int(value)

    def move(self) -> None:
        self._transaction.run(_MOVE)


class SqlOperators:
    """See `node.operations.ports.Operators`."""

    __slots__ = ("_transaction",)

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def add(self, operator: OperatorRow) -> bool:
        values = {
            "name": operator.name,
            "key_id": operator.key_id,
            "public": operator.public,
            "roles": " ".join(sorted(operator.roles)),
            "added_at": to_milliseconds(operator.added_at),
            "retired_at": to_milliseconds_or_none(operator.retired_at),
        }
        return self._transaction.run(_ADD, values) == 1

    def find(self, name: str) -> OperatorRow | None:
        row = self._transaction.row(_FIND, {"name": name})
        return None if row is None else _operator_from_row(row)

    def all(self) -> list[OperatorRow]:
        return [_operator_from_row(row) for row in self._transaction.rows(_BY_NAME)]

    def record_act(self, act: ActRow) -> None:
        values = {
            "digest": act.digest,
            "operator": act.operator,
            "raw": act.raw,
            "at": to_milliseconds(act.at),
        }
        self._transaction.run(_RECORD_ACT, values)


def _operator_from_row(row: Any) -> OperatorRow:
    name, key_id, public, roles, added_at, retired_at = row
    return OperatorRow(
        name=name,
        key_id=key_id,
        public=public,
        roles=frozenset(roles.split()),
        added_at=from_milliseconds(added_at),
        retired_at=from_milliseconds_or_none(retired_at),
    )
