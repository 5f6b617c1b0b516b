"""Founding a node on either database: all of it, or nothing to be seen."""

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from crypto.keystore import STANDARD
from node.app.errors import NotPinned
from node.app.founding import Pin, found
from node.app.opening import opened
from node.config import SQLITE_IN_FOLDER, Config, ConfigError, Folder, Identity, Network, read_config
from node.storage.errors import AlreadyInitialised
from registry.parties import Jurisdiction, PartyClass, PartyId
from tests.contracts.postgresql import PostgresqlServer
from tests.fakes.members import Part

PASSPHRASE = "correct horse"


@pytest.fixture
def bare_url(postgresql_server: PostgresqlServer) -> Iterator[str]:
    with postgresql_server.database("template0") as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def config(request: pytest.FixtureRequest) -> Config:
    identity = Identity(
        party=PartyId("hk-authority"),
        name_zh="香港示範機關",
        name_en="Hong Kong Demo Authority",
        jurisdiction=Jurisdiction.HK,
        party_class=PartyClass.CREDIT_DEPT,
    )
    url = SQLITE_IN_FOLDER if request.param == "sqlite" else request.getfixturevalue("bare_url")
    return Config(identity=identity, network=Network(listen="127.0.0.1:7443", endpoint="127.0.0.1:7443"), database=url)


def _tables(config: Config) -> list[str]:
    if config.database == SQLITE_IN_FOLDER:
        return []
    with closing(psycopg.connect(config.database, autocommit=True)) as connection:
        return [row[0] for row in connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")]


def test_a_node_is_founded_with_its_database_and_opened_again(tmp_path: Path, config: Config) -> None:
    folder = Folder(tmp_path / "node")
    card = found(folder, config, PASSPHRASE, [])

    with opened(folder, PASSPHRASE) as node, node.store.read() as work:
        assert node.config == config
        assert work.registries.pins() == {card.card.party: card.raw}
    locked = json.loads(folder.keystore.read_bytes())["header"]["kdf"]
    assert locked == {"algorithm": "argon2id"} | asdict(STANDARD)
    assert (folder.path / "node.sqlite").exists() == (config.database == SQLITE_IN_FOLDER)


def test_an_authority_is_founded_with_the_law_of_its_place_in_force(tmp_path: Path, config: Config) -> None:
    found(Folder(tmp_path / "node"), config, PASSPHRASE, [])

    with opened(Folder(tmp_path / "node")) as node, node.store.read() as work:
        facts = node.facts(work)
    assert facts.lacking is None
    assert facts.law.packs[-2:] == ("rules/HK@1", "rules/SZ-DRAFT-82@1")


def test_a_configuration_that_chose_its_packs_is_read_if_it_chose_these(tmp_path: Path, config: Config) -> None:
    """Authorities choose now; what former versions wrote into every node.toml does no harm, another choice would."""
    folder = Folder(tmp_path / "node")
    found(folder, config, PASSPHRASE, [])
    text = folder.config.read_text("utf-8")

    folder.config.write_text(text + '\n[law]\nrule_pack = "SZ-DRAFT-82"\ncatalogue = "SZ-2026"\n', "utf-8")
    assert read_config(folder) == config
    folder.config.write_text(text + '\n[law]\nrule_pack = "MINE"\ncatalogue = "SZ-2026"\n', "utf-8")
    with pytest.raises(ConfigError, match="law"):
        read_config(folder)


def test_a_founding_that_fails_leaves_neither_folder_nor_tables(tmp_path: Path, config: Config) -> None:
    part = Part(party=PartyId("mo-authority"), party_class=PartyClass.CREDIT_DEPT, jurisdiction=Jurisdiction.MO)
    another = Pin(card=part.card(datetime(2026, 11, 2, tzinfo=UTC)), digest=bytes(32))

    with pytest.raises(NotPinned, match="not the one given"):
        found(Folder(tmp_path / "node"), config, PASSPHRASE, [another])

    assert list(tmp_path.iterdir()) == []
    assert _tables(config) == []


def test_a_second_founding_on_one_database_leaves_the_first_node_as_it_is(tmp_path: Path, bare_url: str) -> None:
    identity = Identity(
        party=PartyId("hk-bank"),
        name_zh="香港示範銀行",
        name_en="Hong Kong Demo Bank",
        jurisdiction=Jurisdiction.HK,
        party_class=PartyClass.FIN_INST,
    )
    network = Network(listen="127.0.0.1:7443", endpoint="127.0.0.1:7443")
    config = Config(identity=identity, network=network, database=bare_url)
    found(Folder(tmp_path / "first"), config, PASSPHRASE, [])
    before = _tables(config)

    with pytest.raises(AlreadyInitialised):
        found(Folder(tmp_path / "second"), config, PASSPHRASE, [])

    assert not (tmp_path / "second").exists()
    assert _tables(config) == before
