"""How a simulated network begins: founded anew, or as a copy of one that was closed."""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from registry.parties import PartyId
from tests.fakes.databases import make_database
from tests.fakes.members import Part
from tests.fakes.network import Network, running
from tests.fakes.world import START


def found(parts: Sequence[Part], folder: Path, urls: Mapping[PartyId, str] | None = None) -> None:
    """Make a network in which everybody is pinned or admitted, knows everybody, and has two operators."""
    for part in parts:
        make_database((urls or {}).get(part.party, f"sqlite:///{folder / part.party}.db"))
    with running(parts, folder, urls=urls) as network:
        authorities = [one for one in network.members.values() if one.part.party_class.is_authority]
        for member in network.members.values():
            for authority in authorities:
                member.pin(authority.card)
            member.employ()
        for authority in authorities:
            authority.adopt()
        for member in network.members.values():
            if not member.part.party_class.is_authority:
                (its,) = [one for one in authorities if one.part.jurisdiction is member.part.jurisdiction]
                its.admit(member.card)
        network.hear()


@contextmanager
def founded(
    parts: Sequence[Part], folder: Path, seed: int = 0, urls: Mapping[PartyId, str] | None = None
) -> Iterator[Network]:
    """Make a network, and open it."""
    found(parts, folder, urls)
    with running(parts, folder, seed=seed, urls=urls) as network:
        yield network


@contextmanager
def copied(source: Path, parts: Sequence[Part], folder: Path, at: datetime = START, seed: int = 0) -> Iterator[Network]:
    """Open a copy of the closed network in a folder: it goes on from there, by another chance for every seed."""
    for file in source.glob("*.db"):
        shutil.copy(file, folder)
    with running(parts, folder, at=at, seed=seed) as network:
        yield network
