"""One story in calm weather: push, correct, delete; every holder follows, and every stage is receipted."""

from collections.abc import Iterator
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
