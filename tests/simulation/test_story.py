"""Stories in calm weather: push, correct, delete, and copies that end; every stage is receipted."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from node.operations.change_records import Changed
from tests.fakes.founding import founded
from tests.fakes.network import Network
from tests.fakes.propagation import (
    EVERYBODY,
    HOLDERS,
    HOME,
    address,
    agree,
    copies,
    corrected,
    deleted,
    differences,
    enterprise,
    load,
    push,
    records,
)


@pytest.fixture
def network(tmp_path: Path) -> Iterator[Network]:
    with founded(EVERYBODY, tmp_path, seed=1) as opened:
        yield opened


def stages(network: Network) -> list[tuple[str, str, str]]:
    rows = network.members[HOME].read(lambda work: work.notices.page(0, 1_000, only_open=False))
    return [(row.peer, row.effect, row.stage) for row in rows]


def test_push_correct_delete(network: Network) -> None:
    agreements = {holder: agree(network, HOME, holder) for holder in HOLDERS}
    load(network, HOME, [enterprise(number) for number in range(12)])
    for holder in HOLDERS:
        push(network, HOME, agreements[holder])
    network.settle()
    assert [len(copies(network, holder)) for holder in HOLDERS] == [12, 12, 12]
    assert differences(network, HOME, HOLDERS) == []

    assert corrected(network, HOME, 3, {"status": "REVOKED", "address": address(3, 1)}) == Changed(version=2, notices=3)
    assert deleted(network, HOME, 5) == Changed(version=2, notices=3)
    network.settle()

    assert [len(copies(network, holder)) for holder in HOLDERS] == [11, 11, 11]
    assert differences(network, HOME, HOLDERS) == []
    assert sorted(stages(network)) == sorted(
        (holder, effect, "DELETED") for holder in HOLDERS for effect in ("REPLACE", "DELETE")
    )


def test_copies_end_when_the_agreed_time_is_over_and_home_has_their_receipts(network: Network) -> None:
    """S 35: nobody asks for it; and it is the holder's word, not the passing of time, that closes home's ledger."""
    holder = HOLDERS[0]
    agreement = agree(network, HOME, holder, retention_days=30)
    load(network, HOME, [enterprise(number) for number in range(3)])
    push(network, HOME, agreement)
    network.settle()
    begun = network.clock()

    network.wait(days=29)
    network.end_copies(holder)
    assert (len(copies(network, holder)), held_by_others(network)) == (3, 3)

    network.wait(days=1)
    network.end_copies(holder)
    assert network.clock() >= begun + timedelta(days=30)
    assert (copies(network, holder), held_by_others(network)) == ([], 3)

    network.erase(holder)
    network.settle()
    assert held_by_others(network) == 0


def held_by_others(network: Network) -> int:
    """How many records somebody holds a copy of, as home knows."""
    numbers = [row.record_no for row in records(network, HOME)]
    return len(network.members[HOME].read(lambda work: work.ledger.holdings(numbers)))
