"""The tests of the tests: whatever is broken on purpose is noticed, and what is searched for is found where it is."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from registry.parties import PartyId
from tests.fakes.network import Network
from tests.fakes.propagation import HOLDERS, HOME, address, corrected, deleted
from tests.simulation.held import Secrets, files, needles, remains, tables, troubles
from tests.simulation.templates import PUSHED, Template, prepared


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Template:
    return prepared(tmp_path_factory.mktemp("held"))


@pytest.fixture
def network(template: Template, tmp_path: Path) -> Iterator[Network]:
    """Everything is told: one record was corrected, another deleted."""
    with template.copied(tmp_path) as opened:
        corrected(opened, HOME, 1, {"status": "REVOKED", "address": address(0, 1)})
        deleted(opened, HOME, 2)
        opened.settle()
        yield opened


def damage(network: Network, party: PartyId, statement: str) -> None:
    with closing(sqlite3.connect(network.members[party].database)) as connection, connection:
        assert connection.execute(statement).rowcount


def test_nothing_is_wrong_with_a_network_that_nobody_damaged(network: Network) -> None:
    assert troubles(network, HOME, HOLDERS) == []


@pytest.mark.parametrize(
    ("party", "statement", "noticed"),
    [
        (HOME, "UPDATE notices SET stage = 'APPLIED' WHERE number = 1", "stands at APPLIED"),
        (HOME, "DELETE FROM notices WHERE sequence = 1 AND peer = 'hk-bank-a'", "is numbered"),
        (HOME, "UPDATE notices SET sequence = 9 WHERE sequence = 2 AND peer = 'hk-bank-a'", "is numbered [1, 9]"),
        (HOME, "UPDATE disclosures SET closed_at = NULL WHERE record_no = 2", "still has version 1 of record 2"),
        (HOME, "UPDATE disclosures SET closed_at = 1 WHERE record_no = 3", "that is not open in the ledger"),
        (HOME, "UPDATE journal_entries SET detail = x'00' WHERE place = 3", "the journal of sz-agency"),
        (HOME, "UPDATE sent_frames SET body = x'00'", "home keeps the body of frame"),
        (PUSHED, "DELETE FROM copies WHERE alias = (SELECT min(alias) FROM copies)", "who has no copy"),
        (PUSHED, "UPDATE copies SET wire_version = 1 WHERE wire_version = 2", "holds version 1 of record 1, not 2"),
        (PUSHED, "UPDATE copies SET alias = x'00' WHERE alias = (SELECT min(alias) FROM copies)", "never showed"),
        (PUSHED, "DELETE FROM received_notices WHERE sequence = 2", "was told 1 notices"),
    ],
)  # fmt: skip
def test_what_is_damaged_is_noticed(network: Network, party: PartyId, statement: str, noticed: str) -> None:
    damage(network, party, statement)

    assert any(noticed in trouble for trouble in troubles(network, HOME, HOLDERS))


def test_a_copy_of_a_deleted_record_is_noticed(template: Template, tmp_path: Path) -> None:
    with template.copied(tmp_path) as network:
        deleted(network, HOME, 2)
        found = troubles(network, HOME, HOLDERS)

    assert f"{PUSHED} holds a copy of a deleted record" in found


def test_a_copy_that_says_what_home_does_not_say_any_more_is_noticed(template: Template, tmp_path: Path) -> None:
    with template.copied(tmp_path) as network:
        corrected(network, HOME, 1, {"status": "REVOKED"})
        found = troubles(network, HOME, HOLDERS)

    assert f"{PUSHED} holds another version than home has now" in found


def test_the_search_finds_all_that_is_gone_later_where_it_was(template: Template, tmp_path: Path) -> None:
    with template.copied(tmp_path) as network:
        members, secrets = list(network.members.values()), Secrets()
        secrets.look(network, HOME, HOLDERS)
        before = remains(members, secrets.ever)
        corrected(network, HOME, 1, {"status": "REVOKED", "address": address(0, 1)})
        midway = remains(members, {address(0, 0)})
        network.settle()
        gone = secrets.gone(network, HOME, HOLDERS)
        behind = remains(members, gone)

    assert {value for value in gone if " " in value} == {address(0, 0)}
    assert len(gone) > len(HOLDERS)
    assert gone <= {line.split(" is in ")[0] for line in before}
    places = {"file sz-agency.db", "file hk-bank-a.db", "table records of sz-agency.db", "table copies of hk-bank-a.db"}
    assert places <= {line.split(" is in ")[1] for line in before}
    assert midway
    assert behind == []


def test_a_value_across_two_pages_is_found_in_its_table_though_not_in_its_file(tmp_path: Path) -> None:
    value = address(77_777, 1)

    def place(at: int) -> tuple[bool, bool]:
        path = tmp_path / f"{at}.db"
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute("CREATE TABLE one (content BLOB)")
            connection.execute("INSERT INTO one VALUES (?)", ((b"\1" * at + value.encode()).ljust(9_000, b"\1"),))
        (needle,) = needles(value)
        in_file, in_table = (any(needle in found for _, found in places) for places in (files(path), tables(path)))
        return in_file, in_table

    assert {place(at) for at in range(0, 1_000, 20)} == {(True, True), (False, True)}
