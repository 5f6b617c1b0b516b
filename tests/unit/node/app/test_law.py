"""Which law a node applies: packs that cannot be used keep it closed, and say why."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from node.app import opening
from node.app.opening import settings_of
from node.config import Config, ConfigError, Folder, Identity, Network
from node.domain.records import Kind
from registry.norms.catalogue import read_catalogue
from registry.norms.law import Law, shipped_law
from registry.norms.packs import shipped
from registry.parties import Jurisdiction, PartyClass, PartyId
from tests.fakes.members import Part

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
OWN = Part(
    party=PartyId("sz-agency"), party_class=PartyClass.MUNI_CREDIT_AGENCY, jurisdiction=Jurisdiction.CN_SZ
).card(datetime(2026, 11, 23, 4, tzinfo=UTC))  # fmt: skip


def test_a_node_with_an_incomplete_catalogue_entry_stays_closed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """S 17: CATALOGUE_ENTRY_INCOMPLETE, and where."""
    text = shipped("catalogue", "SZ-2026").replace('legal_form = "identifiers"\n', "")

    def incomplete(_: Jurisdiction) -> Law:
        read_catalogue(text)
        raise AssertionError("an entry without its legal form was read")

    monkeypatch.setattr(opening, "shipped_law", incomplete)

    with pytest.raises(ConfigError, match=r"CATALOGUE_ENTRY_INCOMPLETE: .*entries\.101\.legal_form"):
        settings_of(Folder(tmp_path), CONFIG, OWN)


def test_the_shipped_law_lists_every_kind() -> None:
    assert shipped_law().catalogue.reference == "SZ-2026@2"
    assert set(shipped_law().catalogue.entries) == {kind.value for kind in Kind}
