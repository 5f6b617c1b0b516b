"""Legal clocks: begun, ended, and found by their due day."""

# ruff: noqa: D102 - each method keeps the promise of its port and says only what is added to it

from collections.abc import Sequence
from datetime import date
from typing import Any, Final

from node.domain.clocks import About, LegalClock, Start, Subject
from node.operations.ports.clocks import ClockTally
from node.storage.moments import (
    day_or_none,
    from_milliseconds,
    from_milliseconds_or_none,
    to_milliseconds,
    to_milliseconds_or_none,
)
from node.storage.transaction import Transaction, Values
from registry.norms.clocks import Timeliness
from registry.parties import PartyId

_ADD: Final = """
INSERT INTO clocks (code, article, rule_pack, about, name, peer, count, event, started_on, due_on, outer_on, packs,
provisional, awaits, standing, opened_at, met_by, met_at)
VALUES (:code, :article, :rule_pack, :about, :name, :peer, :count, :event, :started_on, :due_on, :outer_on, :packs,
:provisional, :awaits, :standing, :opened_at, :met_by, :met_at)
ON CONFLICT (name, about, code, peer) DO NOTHING"""
_PUT: Final = """
UPDATE clocks SET due_on = :due_on, outer_on = :outer_on, packs = :packs, provisional = :provisional,
standing = :standing, met_by = :met_by, met_at = :met_at WHERE number = :number"""
_ALL: Final = """
SELECT number, code, article, rule_pack, about, name, peer, count, event, started_on, due_on, outer_on, packs,
provisional, awaits, standing, opened_at, met_by, met_at FROM clocks"""
_RUNNING: Final = f"{_ALL} WHERE met_at IS NULL"
_OF: Final = f"{_RUNNING} AND name = :name AND about = :about ORDER BY number"
_AWAITING: Final = f"{_RUNNING} AND peer = :peer AND awaits <= :through ORDER BY due_on, number"
_OVERDUE: Final = f"""{_RUNNING} AND due_on < :today
AND (standing = '{Timeliness.IN_TIME}' OR (standing = '{Timeliness.LATE}' AND outer_on < :today))
ORDER BY due_on, number LIMIT :limit"""
_BY_DAY: Final = f"{_RUNNING} AND (due_on, number) > (:day, :after) ORDER BY due_on, number LIMIT :limit"
_PAGE: Final = f"{_ALL} WHERE number > :after ORDER BY number LIMIT :limit"
_MISSED: Final = f"""{_ALL} WHERE number > :after
AND (standing <> '{Timeliness.IN_TIME}' OR (met_at IS NULL AND due_on < :today)) ORDER BY number LIMIT :limit"""
_TALLY: Final = """
SELECT count(*), coalesce(sum(CASE WHEN due_on < :today THEN 1 ELSE 0 END), 0),
coalesce(sum(CASE WHEN due_on = :today THEN 1 ELSE 0 END), 0),
coalesce(sum(CASE WHEN due_on > :today AND due_on <= :until THEN 1 ELSE 0 END), 0)
FROM clocks WHERE met_at IS NULL"""


class SqlClocks:
    """See `node.operations.ports.Clocks`."""

    __slots__ = ("_transaction",)

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def add(self, clocks: Sequence[LegalClock]) -> None:
        self._transaction.run_many(_ADD, [_row_from_clock(one) for one in clocks])

    def put(self, clocks: Sequence[LegalClock]) -> None:
        self._transaction.run_many(_PUT, [_kept_anew(one) | {"number": one.number} for one in clocks])

    def of(self, about: About, name: str) -> list[LegalClock]:
        return _read(self._transaction, _OF, {"about": about.value, "name": name})

    def awaiting(self, peer: PartyId, through: int) -> list[LegalClock]:
        return _read(self._transaction, _AWAITING, {"peer": peer, "through": through})

    def overdue(self, today: date, limit: int) -> list[LegalClock]:
        return _read(self._transaction, _OVERDUE, {"today": today.isoformat(), "limit": limit})


class SqlClockBook:
    """See `node.operations.ports.ClockBook`."""

    __slots__ = ("_transaction",)

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def running(self, after: tuple[date, int], limit: int) -> list[LegalClock]:
        day, number = after
        return _read(self._transaction, _BY_DAY, {"day": day.isoformat(), "after": number, "limit": limit})

    def page(self, after: int, limit: int, missed_on: date | None = None) -> list[LegalClock]:
        values: dict[str, object] = {"after": after, "limit": limit}
        if missed_on is None:
            return _read(self._transaction, _PAGE, values)
        return _read(self._transaction, _MISSED, values | {"today": missed_on.isoformat()})

    def tally(self, today: date, until: date) -> ClockTally:
        (counts,) = self._transaction.rows(_TALLY, {"today": today.isoformat(), "until": until.isoformat()})
        return ClockTally(*(int(count) for count in counts))


def _read(transaction: Transaction, text: str, values: Values) -> list[LegalClock]:
    return [_clock_from_row(row) for row in transaction.rows(text, values)]


def _kept_anew(clock: LegalClock) -> dict[str, object]:
    """The columns that a clock may change as long as it runs."""
    return {
        "due_on": clock.due_on.isoformat(),
        "outer_on": day_or_none(clock.outer_on),
        "packs": " ".join(clock.packs),
        "provisional": clock.provisional,
        "standing": clock.standing.value,
        "met_by": clock.met_by,
        "met_at": to_milliseconds_or_none(clock.met_at),
    }


def _row_from_clock(clock: LegalClock) -> dict[str, object]:
    return _kept_anew(clock) | {
        "code": clock.code,
        "article": clock.article,
        "rule_pack": clock.rule_pack,
        "about": clock.subject.about.value,
        "name": clock.subject.name,
        "peer": clock.subject.peer,
        "count": clock.subject.count,
        "event": clock.start.event,
        "started_on": clock.start.on.isoformat(),
        "awaits": clock.awaits,
        "opened_at": to_milliseconds(clock.opened_at),
    }


def _clock_from_row(row: Any) -> LegalClock:
    (number, code, article, rule_pack, about, name, peer, count, event, started_on, due_on, outer_on, packs,
     provisional, awaits, standing, opened_at, met_by, met_at) = row  # fmt: skip
    return LegalClock(
        number=number,
        code=code,
        article=article,
        rule_pack=rule_pack,
        subject=Subject(about=About(about), name=name, peer=peer, count=count),
        start=Start(event=event, on=date.fromisoformat(started_on)),
        due_on=date.fromisoformat(due_on),
        outer_on=None if outer_on is None else date.fromisoformat(outer_on),
        packs=tuple(packs.split()),
        provisional=bool(provisional),
        awaits=awaits,
        standing=Timeliness(standing),
        opened_at=from_milliseconds(opened_at),
        met_by=met_by,
        met_at=from_milliseconds_or_none(met_at),
    )
