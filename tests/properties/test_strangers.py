"""Laws of the way from pseudonyms to records: it leads to those of the very name and to nothing of a neighbour's."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.operations.ports import Store
from node.operations.record_rows import RecordRow
from node.storage.engine import create, open_store
from node.storage.store import SqlStore
from tests.contracts.examples import NOON, digest, record
from tests.fakes.memory import MemoryStore

NAMES = st.binary(min_size=1, max_size=2)
"""So short that many are neighbours, and the same ones are asked for."""
INDEXES = st.dictionaries(NAMES, st.integers(0, 3), max_size=12)
"""By name, which of four subjects it leads to."""
DAYS = st.dates(date(2031, 11, 21), date(2031, 11, 24))
"""About the end of all penalties here."""


@pytest.fixture(scope="module", params=["memory", "sqlite"])
def stocked(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """Four subjects: one with records of two kinds, one with one of each kind alone, one with none left."""
    store: Store = MemoryStore()
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('strangers') / 'node.db'}"
        create(url)
        store = open_store(url)
    one, *others = (("HK-CR", str(number)) for number in range(4))
    rows = [record("a", one), record("b", one, kind="201"), record("c", others[0]), record("d", others[1], kind="201")]
    with store.write() as work:
        work.agreements.number(digest("agreement"))
        work.records.add([*rows, record("e", others[2])], NOON)
        work.commit()
    yield store
    if isinstance(store, SqlStore):
        store.close()


@settings(max_examples=60)
@given(indexed=INDEXES, asked=st.lists(NAMES, max_size=8), kinds=st.sets(st.sampled_from(["101", "201"])), over=DAYS)
def test_names_lead_to_their_own_records_that_are_not_over_and_to_no_others(
    stocked: Store, indexed: dict[bytes, int], asked: list[bytes], kinds: set[str], over: date
) -> None:
    with stocked.write() as work:
        number, rows = work.agreements.number(digest("agreement")), work.records.page(None, 0, 10)
        subjects = sorted({row.subject_no for row in rows})
        index = {name: subjects[place] for name, place in indexed.items()}
        work.pseudonyms.add(number, 1, [(name, subject, 7) for name, subject in index.items()], 7)

        found = work.pseudonyms.records(number, 1, asked, sorted(kinds), over)

    expected: dict[bytes, list[tuple[int, RecordRow]]] = defaultdict(list)
    for name in dict.fromkeys(asked):
        for row in rows:
            is_on = row.disclose_until is None or row.disclose_until > over
            if row.subject_no == index.get(name) and row.kind in kinds and is_on:
                expected[name].append((7, row))
    assert {name: list(one) for name, one in found.items()} == expected
