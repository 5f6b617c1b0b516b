"""The recheck loop: portion after portion until there is nothing left, or the node ends; then it goes on from there."""

from collections.abc import Callable, Iterator
from itertools import chain, repeat
from pathlib import Path

import pytest

from node.app.rechecking import Rechecking
from node.operations.standing_rows import RecheckRow
from tests.fakes.founding import founded
from tests.fakes.network import Network
from tests.fakes.propagation import AGENCY, AUTHORITIES, HOME, enterprise, load
from tests.fakes.serving import node_of


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    """A home with five records."""
    folder: Path = tmp_path_factory.mktemp("rechecking")
    with founded((*AUTHORITIES, AGENCY), folder) as network:
        load(network, HOME, [enterprise(number) for number in range(5)])
        yield network


def after(calls: int) -> Callable[[], bool]:
    """A node that ends when it was asked so often whether it does."""
    answers = chain(repeat(False, calls), repeat(True))
    return lambda: next(answers)


def look(network: Network) -> RecheckRow:
    found = network.members[HOME].read(lambda work: work.rechecks.newest())
    assert found is not None
    return found


def test_a_node_that_ends_leaves_the_rest_for_the_next_time_and_goes_on_there(network: Network) -> None:
    node = node_of(network.members[HOME])
    Rechecking(node, after(4), portion=2).look()
    begun = look(network)

    Rechecking(node, lambda: False, portion=2).look()

    done = look(network)
    assert (begun.checked, begun.done_at) == (4, None)
    assert (done.number, done.checked, done.done_at) == (begun.number, 5, network.clock())
    entries = [one.detail["checked"] for one in network.members[HOME].journal() if "checked" in one.detail]
    assert entries == [2, 2, 1]
