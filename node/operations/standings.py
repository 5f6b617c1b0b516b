"""What takes part of a record's standing away or adds to it, leaving its version to whoever does so."""

from collections.abc import Collection, Sequence
from datetime import date, datetime

from node.domain.recheck import BY_LAW
from node.operations.ports import UnitOfWork
from node.operations.record_rows import RecordRow
from node.operations.standing_rows import StandingRow


def admit_again(work: UnitOfWork, records: Sequence[int]) -> None:
    """Lift what the law withheld of records that passed its rules with another content just now."""
    fallen = sorted(work.standings.fallen(records))
    if not fallen:
        return
    rows = work.changes.of_numbers(fallen).values()
    work.standings.put([standing_of(row, withheld=row.withheld - BY_LAW) for row in rows])


def standing_of(
    row: RecordRow,
    *,
    withheld: Collection[str],
    coming: Collection[tuple[str, date]] | None = None,
    fell: tuple[str, str] | None = None,
    moved_at: datetime | None = None,
) -> StandingRow:
    """A record with other states; the next version of it where it moved."""
    return StandingRow(
        record_no=row.record_no,
        version=row.version + (moved_at is not None),
        withheld=frozenset(str(state) for state in withheld),
        coming=tuple(row.coming if coming is None else coming),
        disclose_until=row.disclose_until,
        facts=row.facts,
        fell=fell,
        moved_at=moved_at,
    )
