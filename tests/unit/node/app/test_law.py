"""Which law a node applies: packs that cannot be used keep it closed, and say why."""

import pytest

from node.app import opening
from node.app.opening import load_law
from node.config import Config, ConfigError, Identity, Network
from registry.norms.catalogue import read_catalogue
from registry.norms.packs import shipped
from registry.parties import Jurisdiction, PartyClass, PartyId

CONFIG = Config(
    identity=Identity(
        party=PartyId("sz-agency"),
        name_zh="机构",
        name_en="Agency",
        jurisdiction=Jurisdiction.CN_SZ,
        party_class=PartyClass.MUNI_CREDIT_AGENCY,
    ),
    network=Network(listen="127.0.0.1:7443", endpoint="127.0.0.1:7443"),
)


def test_a_node_with_an_incomplete_catalogue_entry_stays_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """S 17: CATALOGUE_ENTRY_INCOMPLETE, and where."""
    text = shipped("catalogue", "SZ-2026").replace('legal_form = "identifiers"\n', "")
    monkeypatch.setattr(opening, "load_catalogue", lambda _: read_catalogue(text))

    with pytest.raises(ConfigError, match=r"CATALOGUE_ENTRY_INCOMPLETE: .*entries\.101\.legal_form"):
        load_law(CONFIG)


def test_the_shipped_law_lists_every_kind() -> None:
    assert load_law(CONFIG).catalogue.reference == "SZ-2026@2"
