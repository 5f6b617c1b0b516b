"""Which records are withheld: by the law in force, looked at anew when it changes, and by acts."""

# ruff: noqa: S608 - statements are put together from constants of this file only
# ruff: noqa: D102 - each method keeps the promise of its port and says only what is added to it

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, Final

from node.operations.standing_rows import RecheckRow, StandingRow, WithholdingRow
from node.storage.moments import (
    day_or_none,
    from_milliseconds,
    from_milliseconds_or_none,
    to_milliseconds,
    to_milliseconds_or_none,
)
from node.storage.record_facts import number_facts
from node.storage.states import text_from_states
from node.storage.transaction import Transaction

_STAND: Final = """
UPDATE records SET version = :version, withheld = :withheld, disclose_until = :disclose_until, facts_no = :facts_no,
stored_at = coalesce(:stored_at, stored_at) WHERE number = :number AND deleted_at IS NULL"""
_ADMITTED: Final = "DELETE FROM fallen_records WHERE record_no = :record_no"
_FALL: Final = "INSERT INTO fallen_records (record_no, reason, field) VALUES (:record_no, :reason, :field)"
_FALLEN: Final = """
WITH {numbers wanted} SELECT f.record_no, f.reason, f.field FROM wanted CROSS JOIN fallen_records f
WHERE f.record_no = wanted.key"""
_TALLY: Final = """
SELECT f.reason, count(*) FROM fallen_records f CROSS JOIN records r
WHERE r.number = f.record_no AND r.deleted_at IS NULL GROUP BY f.reason ORDER BY f.reason"""

_BEGIN: Final = """
INSERT INTO rechecks (measure, packs, through, again, checked, fallen, narrowed, restored, begun_at)
VALUES (:measure, :packs, 0, :no, 0, 0, 0, 0, :begun_at)"""
_NEWEST: Final = """
SELECT number, measure, packs, through, again, checked, fallen, narrowed, restored, begun_at, done_at
FROM rechecks ORDER BY number DESC LIMIT 1"""
_GO_ON: Final = """
UPDATE rechecks SET through = :through, again = :again, checked = :checked, fallen = :fallen,
narrowed = :narrowed, restored = :restored, done_at = :done_at WHERE number = :number"""
_ONCE_MORE: Final = """
UPDATE rechecks SET again = :yes, done_at = NULL WHERE number = (SELECT max(number) FROM rechecks)"""

_COLUMNS: Final = """
record_no, state, basis, document, received_on, starts_on, ends_on, signed_order, at, begun, ended_at, end_basis,
end_document, end_orders"""
_ADD: Final = f"""
INSERT INTO withholdings ({_COLUMNS}, next_on)
VALUES (:record_no, :state, :basis, :document, :received_on, :starts_on, :ends_on, :signed_order, :at, :begun,
:ended_at, :end_basis, :end_document, :end_orders, :next_on)"""
_OF_RECORD: Final = f"SELECT number, {_COLUMNS} FROM withholdings WHERE record_no = :record_no ORDER BY number"
_DUE: Final = f"""
SELECT number, {_COLUMNS} FROM withholdings w WHERE next_on <= :today
AND NOT EXISTS (SELECT 1 FROM withholdings o WHERE o.record_no = w.record_no AND o.next_on <= :today
AND o.number < w.number) ORDER BY next_on, number LIMIT :limit"""
_BEGUN: Final = "UPDATE withholdings SET begun = :yes, next_on = ends_on WHERE number = :number"
_END: Final = """
UPDATE withholdings SET next_on = NULL, ended_at = :ended_at, end_basis = :end_basis, end_document = :end_document,
end_orders = :end_orders WHERE number = :number"""


class SqlStandings:
    """See `node.operations.ports.Standings`."""

    __slots__ = ("_transaction",)

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def put(self, rows: Sequence[StandingRow]) -> None:
        numbers = number_facts(self._transaction, [row.facts for row in rows])
        self._transaction.run_many(_STAND, [_values(row, numbers[row.facts]) for row in rows])
        self._transaction.run_many(_ADMITTED, [{"record_no": row.record_no} for row in rows])
        fallen = [(row.record_no, *row.fell) for row in rows if row.fell is not None]
        names = ("record_no", "reason", "field")
        self._transaction.run_many(_FALL, [dict(zip(names, one, strict=True)) for one in fallen])

    def fallen(self, records: Sequence[int]) -> dict[int, tuple[str, str]]:
        rows = self._transaction.rows(_FALLEN, {"wanted": self._transaction.keys(records)})
        return {record_no: (reason, field) for record_no, reason, field in rows}

    def tally(self) -> dict[str, int]:
        return dict(self._transaction.rows(_TALLY))


class SqlRechecks:
    """See `node.operations.ports.Rechecks`."""

    __slots__ = ("_transaction",)

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def newest(self) -> RecheckRow | None:
        row: Any = self._transaction.row(_NEWEST)
        if row is None:
            return None
        number, measure, packs, through, again, checked, fallen, narrowed, restored, begun_at, done_at = row
        return RecheckRow(
            number=number,
            measure=measure,
            packs=packs,
            through=through,
            again=bool(again),
            checked=checked,
            fallen=fallen,
            narrowed=narrowed,
            restored=restored,
            begun_at=from_milliseconds(begun_at),
            done_at=from_milliseconds_or_none(done_at),
        )

    def begin(self, measure: bytes, packs: str, at: datetime) -> None:
        values = {"measure": measure, "packs": packs, "no": False, "begun_at": to_milliseconds(at)}
        self._transaction.run(_BEGIN, values)

    def put(self, row: RecheckRow) -> None:
        values = {
            "number": row.number,
            "through": row.through,
            "again": row.again,
            "checked": row.checked,
            "fallen": row.fallen,
            "narrowed": row.narrowed,
            "restored": row.restored,
            "done_at": to_milliseconds_or_none(row.done_at),
        }
        self._transaction.run(_GO_ON, values)

    def once_more(self) -> None:
        self._transaction.run(_ONCE_MORE, {"yes": True})


class SqlWithholdings:
    """See `node.operations.ports.Withholdings`."""

    __slots__ = ("_transaction",)

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def add(self, row: WithholdingRow) -> None:
        values = {
            "record_no": row.record_no,
            "state": row.state,
            "basis": row.basis,
            "document": row.document,
            "received_on": day_or_none(row.received_on),
            "starts_on": row.starts_on.isoformat(),
            "ends_on": day_or_none(row.ends_on),
            "signed_order": row.order,
            "at": to_milliseconds(row.at),
            "begun": row.begun,
            "next_on": day_or_none(row.ends_on if row.begun else row.starts_on),
        }
        self._transaction.run(_ADD, values | _ending(row))

    def of_record(self, record_no: int) -> list[WithholdingRow]:
        return [_withholding(row) for row in self._transaction.rows(_OF_RECORD, {"record_no": record_no})]

    def due(self, today: date, limit: int) -> list[WithholdingRow]:
        values = {"today": today.isoformat(), "limit": limit}
        return [_withholding(row) for row in self._transaction.rows(_DUE, values)]

    def begun(self, number: int) -> None:
        self._transaction.run(_BEGUN, {"number": number, "yes": True})

    def end(self, row: WithholdingRow) -> None:
        self._transaction.run(_END, _ending(row) | {"number": row.number})


def _values(row: StandingRow, facts_no: int) -> dict[str, object]:
    return {
        "number": row.record_no,
        "version": row.version,
        "withheld": text_from_states(row.withheld, row.coming),
        "disclose_until": day_or_none(row.disclose_until),
        "facts_no": facts_no,
        "stored_at": to_milliseconds_or_none(row.moved_at),
    }


def _ending(row: WithholdingRow) -> dict[str, object]:
    return {
        "ended_at": to_milliseconds_or_none(row.ended_at),
        "end_basis": row.end_basis,
        "end_document": row.end_document,
        "end_orders": row.end_orders,
    }


def _withholding(row: Any) -> WithholdingRow:
    (number, record_no, state, basis, document, received_on, starts_on, ends_on, order, at, begun, ended_at,
     end_basis, end_document, end_orders) = row  # fmt: skip
    return WithholdingRow(
        number=number,
        record_no=record_no,
        state=state,
        basis=basis,
        document=document,
        received_on=None if received_on is None else date.fromisoformat(received_on),
        starts_on=date.fromisoformat(starts_on),
        ends_on=None if ends_on is None else date.fromisoformat(ends_on),
        order=order,
        at=from_milliseconds(at),
        begun=bool(begun),
        ended_at=from_milliseconds_or_none(ended_at),
        end_basis=end_basis,
        end_document=end_document,
        end_orders=end_orders,
    )
