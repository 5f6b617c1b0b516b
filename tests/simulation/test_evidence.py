"""An inspector checks what nodes show: honest nodes have nothing to fear, and every trick has its name."""

from collections.abc import Iterator

import pytest

from registry.parties import PartyId
from tests.fakes.evidence import cards, checked, fetched
from tests.fakes.founding import founded
from tests.fakes.network import Network
from tests.fakes.propagation import (
    EVERYBODY,
    HK,
    HOLDERS,
    HOME,
    SZ,
    address,
    agree,
    ask,
    code,
    consent,
    corrected,
    deleted,
    enterprise,
    load,
    push,
)


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    with founded(EVERYBODY, tmp_path_factory.mktemp("evidence"), seed=1) as opened:
        play(opened)
        yield opened


def play(network: Network) -> None:
    first, second, _ = HOLDERS
    agreements = {holder: agree(network, HOME, holder) for holder in (first, second)}
    load(network, HOME, [enterprise(number) for number in range(6)])
    push(network, HOME, agreements[first])
    consent(network, second, agreements[second], [code(0), code(1)])
    ask(network, second, agreements[second], [code(0), code(1)])
    network.settle()
    corrected(network, HOME, 1, {"status": "REVOKED", "address": address(1, 1)})
    deleted(network, HOME, 2)
    network.settle()


@pytest.mark.parametrize("node", [HOME, *HOLDERS])
def test_an_honest_node_is_clean(network: Network, node: PartyId) -> None:
    report = checked(fetched(network, SZ if node == HOME else HK, node), cards(network, SZ, HK))

    assert report.findings == ()
    assert report.is_clean
