"""Withheld at home: the holder's copy is gone, in no file of either side, and comes back only in a higher version."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from node.domain.evidence.findings import Wrong
from node.domain.records import Kind, Withheld
from node.operations.change_records import Changed
from registry.norms.calendar import shanghai_day
from registry.norms.shelf import Pack, open_pack, shipped_shelf
from tests.fakes.evidence import cards, checked, fetched, wrongs
from tests.fakes.founding import copied, founded
from tests.fakes.network import Network
from tests.fakes.propagation import (
    AGENCY,
    AUTHORITIES,
    BANKS,
    HK,
    HOME,
    SZ,
    Copy,
    agree,
    by_alias,
    copies,
    differences,
    enterprise,
    load,
    penalty,
    push,
    released,
    withheld,
)

BANK = BANKS[0].party
PARTS = (*AUTHORITIES, AGENCY, BANKS[0])
(CATALOGUE,) = shipped_shelf().referred("catalogue/SZ-2026")


def another(version: int, until: str | None = None) -> Pack:
    """The catalogue in a higher version, without what follows `until`."""
    text = CATALOGUE.raw.decode().replace(f"version = {CATALOGUE.version}", f"version = {version}", 1)
    return open_pack(text[: None if until is None else text.index(until)].encode(), "another")


WITHOUT_PENALTIES = another(3, "[entries.201]")
AS_BEFORE = another(4)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, bytes]:
    """Four registrations and two penalties were pushed to the bank."""
    folder = tmp_path_factory.mktemp("standings")
    with founded(PARTS, folder) as network:
        agreement = agree(network, HOME, BANK)
        load(network, HOME, [enterprise(number) for number in range(4)])
        load(network, HOME, [penalty(number) for number in range(2)], Kind.PENALTY)
        push(network, HOME, agreement)
        network.settle()
        network.recheck(HOME)
    return folder, agreement


@pytest.fixture
def network(template: tuple[Path, bytes], tmp_path: Path) -> Iterator[Network]:
    with copied(template[0], PARTS, tmp_path) as network:
        for party in (HOME, SZ):
            network.shelve(party, WITHOUT_PENALTIES, AS_BEFORE)
        yield network


def adopts(network: Network, pack: Pack) -> None:
    """The authority adopts a pack for tomorrow, and tomorrow has come."""
    network.members[SZ].adopt(pack, start=shanghai_day(network.clock() + timedelta(days=1)))
    network.wait(days=1)
    network.recheck(HOME)


def held(network: Network, kind: str) -> list[Copy]:
    known = by_alias(network, HOME)
    return [copy for copy in copies(network, BANK) if known[copy.alias].kind == kind]


def left(network: Network, gone: list[Copy]) -> list[str]:
    """Which salts of copies that should be gone are in a file of either side."""
    files = [path for party in (HOME, BANK) for path in network.folder.glob(f"{party}.db*")]
    assert files
    salts = [salt.encode() for copy in gone for salt in copy.salts]
    assert salts
    return [path.name for path in files for salt in salts if salt in path.read_bytes()]


def test_what_falls_out_of_the_catalogue_is_gone_at_its_holder_and_comes_back_in_a_higher_version(
    network: Network, template: tuple[Path, bytes]
) -> None:
    """S 16, 17."""
    gone, stay = held(network, "201"), held(network, "101")
    assert (len(gone), len(stay)) == (2, 4)
    assert left(network, gone) != [], "the search finds what is there"

    adopts(network, WITHOUT_PENALTIES)
    network.settle()

    assert (held(network, "201"), held(network, "101")) == ([], stay)
    assert left(network, gone) == []
    notices = network.members[HOME].read(lambda work: work.notices.page(0, 10, only_open=False))
    assert [(one.effect, one.basis, one.stage) for one in notices] == [("REPLACE", "LAW_CHANGED", "DELETED")] * 2
    assert push(network, HOME, template[1]) > 0
    network.settle()
    assert held(network, "201") == [], "what is withheld looks like absent"

    adopts(network, AS_BEFORE)
    push(network, HOME, template[1])
    network.settle()

    assert [copy.version for copy in held(network, "201")] == [copy.version + 2 for copy in gone]
    assert differences(network, HOME, [BANK]) == []


def test_an_inspector_finds_nothing_wrong_where_holders_were_told_and_sees_where_they_were_not(
    network: Network,
) -> None:
    """The entry of a look says how many notices it queued, like that of any change."""
    (copy, *_) = held(network, "101")
    withheld(network, HOME, by_alias(network, HOME)[copy.alias].record_no, Withheld.SUSPENDED, "SUIT_ACCEPTED")
    network.settle()
    assert checked(fetched(network, SZ, HOME), cards(network, SZ, HK)).findings == ()

    adopts(network, WITHOUT_PENALTIES)
    network.wait(days=5)

    assert wrongs(checked(fetched(network, SZ, HOME), cards(network, SZ, HK))) == [Wrong.NOTICE_MISSING]


def test_a_suspended_record_is_gone_at_its_holder_and_one_that_is_still_held_when_it_is_lifted_is_replaced(
    network: Network,
) -> None:
    """S 61: the holder that was down meanwhile learns both at once, in their order."""
    first, second = (by_alias(network, HOME)[copy.alias].record_no for copy in held(network, "101")[:2])
    withheld(network, HOME, first, Withheld.SUSPENDED, "SUIT_ACCEPTED")
    network.weather.down.add(BANK)
    withheld(network, HOME, second, Withheld.SUSPENDED, "REVIEW_ACCEPTED")
    assert isinstance(released(network, HOME, second, Withheld.SUSPENDED, "FINAL_DOCUMENT"), Changed)

    network.settle()

    known = by_alias(network, HOME)
    versions = {known[copy.alias].record_no: copy.version for copy in held(network, "101")}
    assert first not in versions
    assert versions[second] == 3
    assert differences(network, HOME, [BANK]) == []


def test_a_state_whose_day_comes_takes_the_copy_away_on_that_day(network: Network) -> None:
    """S 66."""
    (copy, *_) = held(network, "201")
    number = by_alias(network, HOME)[copy.alias].record_no
    tomorrow = shanghai_day(network.clock()) + timedelta(days=1)
    withheld(network, HOME, number, Withheld.REPAIRED, "REPAIR_DECIDED", start=tomorrow)
    network.recheck(HOME)
    network.settle()
    assert copy in held(network, "201")

    network.wait(days=1)
    network.recheck(HOME)
    network.settle()

    assert copy.alias not in {one.alias for one in held(network, "201")}
    assert left(network, [copy]) == []
