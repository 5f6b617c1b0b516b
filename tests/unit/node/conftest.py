"""Networks to start from: made once, copied for every test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.exchange import set_up
from tests.fakes.world import World, copied, founded


@pytest.fixture(scope="session")
def admitted_network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("admitted")
    with founded(folder):
        pass
    return folder


@pytest.fixture(scope="session")
def ready_network(admitted_network: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ready")
    with copied(admitted_network, folder) as world:
        set_up(world)
    return folder


@pytest.fixture
def admitted(admitted_network: Path, tmp_path: Path) -> Iterator[World]:
    """Everybody is admitted and knows everybody; nothing is agreed yet."""
    with copied(admitted_network, tmp_path, seed=2) as world:
        yield world


@pytest.fixture
def world(ready_network: Path, tmp_path: Path) -> Iterator[World]:
    """An agreement is in force, records are loaded and indexed, consents attested; nobody has asked yet."""
    with copied(ready_network, tmp_path, seed=3) as ready:
        yield ready
