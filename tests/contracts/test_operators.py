"""The port Operators."""

from node.operations.ports import Store
from node.operations.rows import OperatorRow
from tests.contracts.examples import NOON, digest, minutes

ALICE = OperatorRow(
    name="alice",
    key_id="0" * 32,
    public=digest("alice"),
    roles=frozenset({"records", "agreements"}),
    added_at=NOON,
    retired_at=minutes(5),
)
BOB = OperatorRow(name="bob", key_id="1" * 32, public=digest("bob"), roles=frozenset(), added_at=NOON)


def test_operators_come_back_as_they_were_added_and_by_name(store: Store) -> None:
    with store.write() as work:
        added = [work.operators.add(BOB), work.operators.add(ALICE)]

        assert added == [True, True]
        assert work.operators.all() == [ALICE, BOB]
        assert work.operators.find("alice") == ALICE
        assert work.operators.find("carol") is None


def test_a_name_is_taken_once(store: Store) -> None:
    namesake = OperatorRow(name="bob", key_id="2" * 32, public=b"", roles=frozenset({"all"}), added_at=NOON)
    with store.write() as work:
        work.operators.add(BOB)

        assert not work.operators.add(namesake)
        assert work.operators.find("bob") == BOB
