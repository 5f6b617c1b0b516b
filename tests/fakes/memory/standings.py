"""The ports Standings, Rechecks and Withholdings."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime

from msgspec.structs import replace as changed

from node.operations.standing_rows import RecheckRow, StandingRow, WithholdingRow
from tests.fakes.memory.state import Part


class MemoryStandings(Part):
    def put(self, rows: Sequence[StandingRow]) -> None:
        state = self._changing
        for row in rows:
            state.fallen.pop(row.record_no, None)
            if row.fell is not None:
                state.fallen[row.record_no] = row.fell
            old = state.records[row.record_no]
            if not old.is_current:
                continue
            new = changed(
                old.row,
                version=row.version,
                withheld=row.withheld,
                coming=tuple(sorted(row.coming, key=lambda one: (one[1], one[0]))),
                disclose_until=row.disclose_until,
                facts=row.facts,
                stored_at=row.moved_at or old.row.stored_at,
            )
            state.records[row.record_no] = replace(old, row=new)

    def fallen(self, records: Sequence[int]) -> dict[int, tuple[str, str]]:
        return {number: why for number, why in self._seen.fallen.items() if number in records}

    def tally(self) -> dict[str, int]:
        state = self._seen
        reasons = [reason for number, (reason, _) in state.fallen.items() if state.records[number].is_current]
        return dict(sorted(Counter(reasons).items()))


class MemoryRechecks(Part):
    def newest(self) -> RecheckRow | None:
        found = self._seen.rechecks
        return found[found.last] if found else None

    def begin(self, measure: bytes, packs: str, at: datetime) -> None:
        looks = self._changing.rechecks
        row = RecheckRow(
            number=looks.next, measure=measure, packs=packs, through=0, again=False, checked=0, fallen=0, narrowed=0,
            restored=0, begun_at=at, done_at=None,
        )  # fmt: skip
        looks.add(row)

    def put(self, row: RecheckRow) -> None:
        self._changing.rechecks[row.number] = row

    def once_more(self) -> None:
        looks = self._changing.rechecks
        if looks:
            looks[looks.last] = changed(looks[looks.last], again=True, done_at=None)


class MemoryWithholdings(Part):
    def add(self, row: WithholdingRow) -> None:
        acts = self._changing.withholdings
        acts.add(changed(row, number=acts.next))

    def of_record(self, record_no: int) -> list[WithholdingRow]:
        return [row for row in self._seen.withholdings.values() if row.record_no == record_no]

    def due(self, today: date, limit: int) -> list[WithholdingRow]:
        due: dict[int, WithholdingRow] = {}
        for row in self._seen.withholdings.values():
            day = _next_day(row)
            if day is not None and day <= today:
                due.setdefault(row.record_no, row)
        return sorted(due.values(), key=lambda row: (_next_day(row), row.number))[:limit]

    def begun(self, number: int) -> None:
        acts = self._changing.withholdings
        acts[number] = changed(acts[number], begun=True)

    def end(self, row: WithholdingRow) -> None:
        acts = self._changing.withholdings
        old = acts[row.number]
        acts[row.number] = changed(
            old, ended_at=row.ended_at, end_basis=row.end_basis, end_document=row.end_document,
            end_orders=row.end_orders,
        )  # fmt: skip


def _next_day(row: WithholdingRow) -> date | None:
    if row.ended_at is not None:
        return None
    return row.ends_on if row.begun else row.starts_on
