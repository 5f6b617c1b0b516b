"""Laws of imports: no row is lost, and what was imported once changes nothing when it comes again."""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import cycle
from typing import cast
from unittest.mock import patch

from hypothesis import example, given, settings
from hypothesis import strategies as st

from node.domain.context import Context, NodeKeys
from node.domain.intake import Rejected
from node.domain.naming import Claim, contradicts, folded
from node.domain.operators import SignedAct
from node.domain.records import Kind
from node.domain.rows import Header, Row, Sheet
from node.operations.import_records import Import, Progress, import_rows
from registry.parties import PartyId
from tests.fakes.members import LAW
from tests.fakes.memory.store import MemoryStore
from tests.unit.node.domain.given import PENALTY, REGISTRATION, intake

AT = datetime(2026, 11, 23, 12, tzinfo=UTC)
NAMES = st.sampled_from(["甲公司", "乙公司", "甲 公司", ""])
CLAIMS = st.builds(
    lambda code, name, english, status: (
        REGISTRATION | {"uscc": "", "hk_cr": code, "name_zh": name, "name_en": english, "status": status}
    ),
    st.sampled_from(["0000001", "0000002", "12"]),
    NAMES,
    NAMES,
    st.sampled_from(["ACTIVE", "REVOKED"]),
)
FINES = st.builds(
    lambda code, name, number, amount: (
        PENALTY | {"uscc": "", "hk_cr": code, "name_zh": name, "name_en": "", "decision_no": number, "amount": amount}
    ),
    st.sampled_from(["0000001", "0000003", ""]),
    NAMES,
    st.sampled_from(["1号", "2号"]),
    st.sampled_from(["1元", "2元"]),
)


def numbered(rows: list[dict[str, str]]) -> list[Row]:
    return [Row(number, row) for number, row in enumerate(rows, start=2)]


def in_sheets(rows: list[Row], sizes: list[int]) -> Iterator[Row | Sheet]:
    """The same rows, so many of them in each sheet in turn; where the size is 0, one alone."""
    sizing, start = cycle(sizes or [0]), 0
    while start < len(rows):
        size = next(sizing)
        together = rows[start : start + max(size, 1)]
        header = Header(tuple(together[0].values))
        columns = tuple(zip(*[one.values.values() for one in together], strict=True))
        yield Sheet(together[0].number, header, columns) if size else together[0]
        start += len(together)


def taken(store: MemoryStore, kind: Kind, rows: Iterable[Row | Sheet], *, join_by_name: bool) -> Progress:
    """The last progress of an import in batches of two rows."""
    context = Context(node=PartyId("sz-credit"), now=lambda: AT, random=bytes, keys=cast("NodeKeys", None))
    order = SignedAct(operator="alice", digest=b"", raw=b"")
    ordered = Import(intake=intake(kind), order=order, law=LAW, join_by_name=join_by_name)
    rejects: list[Rejected] = []
    progress = Progress(rows=0, outcomes=Counter(), rejects=())
    with patch("node.operations.import_records.BATCH", 2):
        for progress in import_rows(rows, ordered, store, context):
            rejects += progress.rejects
    return Progress(rows=progress.rows, outcomes=progress.outcomes, rejects=tuple(rejects))


@settings(max_examples=60, deadline=None)
@given(st.lists(CLAIMS, max_size=7), st.lists(FINES, max_size=7), st.booleans())
def test_every_row_is_loaded_or_named_and_the_same_files_again_change_nothing(
    claims: list[dict[str, str]], fines: list[dict[str, str]], join_by_name: bool
) -> None:
    store, runs = MemoryStore(), []
    for _ in range(2):
        files = ((Kind.REGISTRATION, claims), (Kind.PENALTY, fines))
        runs.append([taken(store, kind, numbered(rows), join_by_name=join_by_name) for kind, rows in files])

    for first, again in zip(*runs, strict=True):
        assert first.rows == first.outcomes["new"] + first.outcomes["unchanged"] + len(first.rejects)
        assert (again.outcomes["new"], again.outcomes["updated"]) == (0, 0)
        assert again.rejects == first.rejects


@settings(max_examples=20, deadline=None)
@given(st.lists(CLAIMS, max_size=7), st.lists(FINES, max_size=7), st.lists(st.integers(0, 5), max_size=4))
def test_rows_that_come_in_sheets_become_what_they_become_alone(
    claims: list[dict[str, str]], fines: list[dict[str, str]], sizes: list[int]
) -> None:
    alone, sheets = MemoryStore(), MemoryStore()

    for kind, rows in ((Kind.REGISTRATION, numbered(claims)), (Kind.PENALTY, numbered(fines))):
        expected = taken(alone, kind, rows, join_by_name=True)
        assert taken(sheets, kind, in_sheets(rows, sizes), join_by_name=True) == expected

    with alone.read() as one, sheets.read() as other:
        assert other.records.page(None, 0, 100) == one.records.page(None, 0, 100)


@example("U\u00af", "")  # a macron that stands alone is a space and a mark, which joins the letter without it
@given(st.text(max_size=20), st.text(max_size=20))
def test_folding_a_name_twice_is_folding_it_once_and_a_name_never_contradicts_itself(one: str, other: str) -> None:
    assert folded(folded(one)) == folded(one)
    assert not contradicts(Claim(one, other), [Claim(one, other)])
    assert contradicts(Claim(one), [Claim(other)]) == contradicts(Claim(other), [Claim(one)])
