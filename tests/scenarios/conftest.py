"""One network of real processes for all scenarios of a test run."""

import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from deploy.demo.network import found_network, free_port, mirrored
from node.domain.columns import standard_columns
from node.domain.dates import shanghai_day
from node.domain.records import Kind
from tests.scenarios.cast import FINANCING, TRADE, WHO, Actor, World, make_home, write_rows


@pytest.fixture(scope="session")
def world() -> Iterator[World]:
    """A founded network, its institutions admitted, the provider's records loaded; nothing agreed yet."""
    with tempfile.TemporaryDirectory(prefix="creditport-scenarios-") as name:
        folder = Path(name)
        actors = [Actor(party, folder / party, free_port(), passphrase=f"passphrase of {party}") for party in WHO]
        try:
            yield _begun(folder, actors)
        finally:
            for actor in actors:
                actor.stop()


def _begun(folder: Path, actors: list[Actor]) -> World:
    sz_authority, hk_authority, agency, bank, rival = actors
    found_network((sz_authority, hk_authority), (agency, bank, rival), WHO)
    for authority, institution in ((sz_authority, agency), (hk_authority, bank), (hk_authority, rival)):
        authority.run("party", "admit", str(institution.card), "--fingerprint", institution.fingerprint())
    mirrored(actors)
    home = make_home(shanghai_day(datetime.now(UTC)))
    enterprises = write_rows(folder / "enterprises.csv", standard_columns(Kind.REGISTRATION), home.enterprises)
    penalties = write_rows(folder / "penalties.csv", standard_columns(Kind.PENALTY), home.penalties)
    for file, kind in ((enterprises, "101"), (penalties, "201")):
        agency.run("records", "import", str(file), "--kind", kind, "--source", "SZ-CREDIT")
    example = agency.run("agreement", "example", "--recipient", bank.party).stdout
    return World(folder, sz_authority, hk_authority, agency, bank, rival, home, example)


@pytest.fixture(scope="session")
def agreement(world: World) -> str:
    """An agreement in force without the field legal_basis_code; its digest. Twenty customers consented."""
    digest = world.file(world.sign("main agreement", struck=["legal_basis_code"]))
    world.attest(digest, world.home.codes[:20], FINANCING, TRADE)
    return digest
