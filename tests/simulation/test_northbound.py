"""Southbound and northbound between the same two parties: each under an agreement of its own, with nothing in common.

The agency in Shenzhen and the bank in Hong Kong both keep records of Hong Kong companies, of three of them both. Each
is home of its own records, and holds copies of the other's.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from random import Random

import pytest

from agreements.refusal import Refusal
from agreements.terms import Direction
from node.operations.change_records import Changed
from node.operations.push_records import Wanted
from registry.parties import Jurisdiction
from tests.fakes.founding import copied, founded
from tests.fakes.network import Fate
from tests.fakes.propagation import (
    HK,
    HOME,
    SZ,
    agree,
    ask,
    code,
    consent,
    copies,
    load,
    push,
    records,
    result_of,
)
from tests.simulation.held import Secrets, remains, rows
from tests.simulation.two_ways import (
    BANK,
    BOTH_KNOW,
    COMPANIES,
    MISSING,
    NORTHBOUND,
    PARTS,
    REGIONS,
    REGISTERS,
    SOUTHBOUND,
    WAYS,
    Neighbours,
    Way,
    end,
    frame,
    names,
    notices,
    place,
    questions,
    reasons,
    record,
    row,
    salts,
    streams,
)


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Mapping[Way, bytes]]:
    """Both agreements are in force, all consents attested; each home has pushed what it has."""
    folder = tmp_path_factory.mktemp("northbound")
    with founded(PARTS, folder) as network:
        agreements = {way: agree(network, way.home, way.holder) for way in WAYS}
        for way in WAYS:
            load(network, way.home, [row(way.home, company) for company in REGISTERS[way.home]])
            consent(network, way.holder, agreements[way], [code(company) for company in COMPANIES])
            push(network, way.home, agreements[way])
        network.settle()
    return folder, agreements


@pytest.fixture
def both(begun: tuple[Path, Mapping[Way, bytes]], tmp_path: Path) -> Iterator[Neighbours]:
    folder, agreements = begun
    with copied(folder, PARTS, tmp_path, seed=1) as network:
        yield Neighbours(network, agreements)


def test_the_party_in_shenzhen_filed_both_agreements_there(both: Neighbours) -> None:
    known = both.network.members[HOME].known().agreements
    filed = {way: known[both.agreements[way]] for way in WAYS}
    receipts = {way: filed[way].filings[Jurisdiction.CN_SZ].receipt for way in WAYS}

    assert {way: one.terms.direction for way, one in filed.items()} == {
        SOUTHBOUND: Direction.SOUTHBOUND, NORTHBOUND: Direction.NORTHBOUND,
    }  # fmt: skip
    assert {(one.authority, one.filed_by) for one in receipts.values()} == {(SZ, HOME)}
    assert {len(one.filings) for one in filed.values()} == {1}
    assert rows(both.network.members[HK].database, "SELECT 1 FROM agreement_documents") == []


def test_each_holds_what_the_other_has_under_the_agreement_of_its_direction(both: Neighbours) -> None:
    for way in WAYS:
        held = both.held(way)
        under = rows(both.network.members[way.holder].database, "SELECT DISTINCT agreement FROM copies")

        assert sorted(held) == sorted(REGISTERS[way.home])
        assert {values["region"] for values in held.values()} == {REGIONS[way.home][:4]}
        assert under == [(both.agreements[way],)]
    assert both.troubles() == []


def test_who_is_asked_answers_from_its_own_records_alone(both: Neighbours) -> None:
    load(both.network, HOME, [row(HOME, 9)])
    load(both.network, BANK, [row(BANK, 10)])

    for way, own in ((SOUTHBOUND, 9), (NORTHBOUND, 10)):
        before = len(copies(both.network, way.holder))
        answered = [both.ask(way, company) for company in (own, 19 - own)]
        new = copies(both.network, way.holder)[before:]

        assert [(len(one["frames"]), one["refused"]) for one in answered] == [(1, []), (1, [])]
        assert [one.values["region"] for one in new] == [REGIONS[way.home][:4]]


def test_corrections_of_the_same_company_go_each_to_the_other_side_and_change_no_record_there(
    both: Neighbours,
) -> None:
    company, *_ = BOTH_KNOW
    before = {way: both.held(way) for way in WAYS}
    said = [both.correct(SOUTHBOUND, company, 1), both.correct(NORTHBOUND, company, 2)]
    both.network.settle()

    assert said == [Changed(version=2, notices=1)] * 2
    assert [both.held(way)[company]["status_code"] for way in WAYS] == ["LIQUIDATION", "SUSPENDED"]
    assert [streams(both, way) for way in WAYS] == [[(1, "REPLACE", "DELETED")]] * 2
    for way in WAYS:
        assert both.held(way) == before[way] | {company: both.held(way)[company]}
        assert {row.record_no for row in records(both.network, way.home) if row.version > 1} == {
            record(way.home, company)
        }
    assert both.troubles() == []


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_a_deletion_in_one_direction_leaves_the_same_company_in_the_other(both: Neighbours, way: Way) -> None:
    company, *_ = BOTH_KNOW
    members, secrets = both.network.members.values(), Secrets()
    secrets.look(both.network, way.home, [way.holder])
    before = {one: both.held(one) for one in WAYS}
    their_records = records(both.network, way.holder)
    address_there = place(way.holder, company, 0)

    both.delete(way, company)
    gone = secrets.gone(both.network, way.home, [way.holder])
    still_there = remains(members, gone)
    both.network.settle()
    gone |= secrets.gone(both.network, way.home, [way.holder])

    assert both.held(way) == {one: values for one, values in before[way].items() if one != company}
    assert both.held(way.back) == before[way.back]
    assert records(both.network, way.holder) == their_records
    assert place(way.home, company, 0) in gone
    assert still_there
    assert remains(members, gone) == []
    assert remains(members, {address_there})
    assert streams(both, way.back) == []
    assert both.troubles() == []


def test_nothing_names_the_same_company_in_both_directions(both: Neighbours) -> None:
    for company in BOTH_KNOW:
        assert all(len(both.ask(way, company)["frames"]) == 1 for way in WAYS)
    for table, column in (("aliases", "alias"), ("pseudonyms", "pseudonym"), ("renditions", "commitment")):
        south, north = (names(both, way, table, column) for way in WAYS)

        assert len(south) == len(north) == len(REGISTERS[HOME])
        assert south.isdisjoint(north)
    south, north = ({one.alias for one in copies(both.network, way.holder)} for way in WAYS)
    assert south == names(both, SOUTHBOUND, "aliases", "alias")
    assert south.isdisjoint(north)
    assert salts(both, SOUTHBOUND).isdisjoint(salts(both, NORTHBOUND))
    query = "SELECT value, pseudonym FROM known_pseudonyms"
    known = [rows(both.network.members[way.holder].database, query) for way in WAYS]
    assert [sorted(value for value, _ in one) for one in known] == [[code(one).value for one in BOTH_KNOW]] * 2
    assert {name for _, name in known[0]}.isdisjoint(name for _, name in known[1])


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_questions_under_the_agreement_of_the_other_direction_are_refused(both: Neighbours, way: Way) -> None:
    home = both.network.gateways[way.home]
    asked = [questions(way, both.agreements[one]) for one in WAYS]
    evaluations = home.charge_evaluations([evaluation for evaluation, _ in asked])
    answers = home.answer_queries([query for _, query in asked])

    own, other = WAYS.index(way), WAYS.index(way.back)
    assert reasons(evaluations)[other] == reasons(answers)[other] == MISSING
    assert (reasons(evaluations)[own], reasons(answers)[own]) == ("", Refusal.AUTHORISATION_MISSING.value)


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_who_orders_under_the_agreement_of_the_other_direction_sends_and_gets_nothing(
    both: Neighbours, way: Way
) -> None:
    network, agreement = both.network, both.agreements[way]
    held = [copies(network, one.holder) for one in WAYS]
    asked = ask(network, way.home, agreement, [code(BOTH_KNOW[0])])
    pushed = push(network, way.holder, agreement)
    network.settle()

    assert [one["reason"] for one in result_of(network, way.home, asked)["refused"]] == [MISSING]
    assert result_of(network, way.holder, pushed)["reason"] == MISSING
    assert [copies(network, one.holder) for one in WAYS] == held


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_frames_and_notices_under_the_agreement_of_the_other_direction_change_nothing(
    both: Neighbours, way: Way
) -> None:
    holder, held = both.network.gateways[way.holder], copies(both.network, way.holder)
    told = {one: (frame(both, way, one), notices(both, way, one)) for one in WAYS}

    shown, ended = told[way.back]
    refused = [*holder.receive_frames(way.home, [shown]), holder.receive_notices(way.home, ended, None)]
    unchanged = copies(both.network, way.holder)
    shown, ended = told[way]
    taken = [*holder.receive_frames(way.home, [shown]), holder.receive_notices(way.home, ended, None)]

    assert reasons(refused) == [MISSING] * 2
    assert unchanged == held
    assert reasons(taken) == ["", ""]
    assert copies(both.network, way.holder) == held[1:]


@pytest.mark.parametrize("ended", WAYS, ids=str)
def test_the_end_of_one_agreement_is_not_the_end_of_the_other(both: Neighbours, ended: Way) -> None:
    company, other, *_ = BOTH_KNOW
    end(both, ended)
    both.network.settle()
    for way in WAYS:
        both.correct(way, company)
        both.delete(way, other)
    both.network.settle()
    refused = {way: [one["reason"] for one in both.ask(way, BOTH_KNOW[2])["refused"]] for way in WAYS}
    both.network.settle()

    kept = {way: set(REGISTERS[way.home]) - {other} for way in WAYS}
    kept[ended] -= {company}
    assert {way: set(both.held(way)) for way in WAYS} == kept
    assert refused == {ended: [Refusal.AGREEMENT_EXPIRED.value], ended.back: []}
    assert both.troubles() == []


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_who_is_behind_in_one_direction_is_refused_in_that_direction_alone(both: Neighbours, way: Way) -> None:
    company, other, another = BOTH_KNOW
    both.correct(way, company)
    both.network.wait(days=6)
    late = both.ask(way, other)
    meanwhile = both.ask(way.back, another)
    both.network.settle()
    caught_up = both.ask(way, other)

    assert [one["reason"] for one in late["refused"]] == [Refusal.NOTICE_BACKLOG.value]
    assert [(len(one["frames"]), one["refused"]) for one in (meanwhile, caught_up)] == [(1, []), (1, [])]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_in_any_weather_both_directions_end_as_their_homes_say(both: Neighbours, seed: int) -> None:
    network, chance = both.network, Random(seed)
    network.weather.chance, network.weather.calm = chance, False
    for turn in range(1, 13):
        for way in WAYS:
            busy(both, way, turn, chance)
        network.run()
        if chance.random() < 0.3:
            network.restart(chance.choice((HOME, BANK)))
        network.weather.blow()
        network.wait(minutes=20)
    network.settle()
    assert both.troubles() == []

    network.weather.repeat()
    network.settle()
    assert both.troubles() == []
    assert all(network.weather.seen[fate] for fate in Fate)
    assert all(len(streams(both, way)) > 3 for way in WAYS)


def busy(both: Neighbours, way: Way, turn: int, chance: Random) -> None:
    """A home changes what it has of some company, and pushes; its holder asks."""
    company = chance.choice(REGISTERS[way.home])
    if records(both.network, way.home)[record(way.home, company) - 1].deleted_at is None:
        both.delete(way, company) if turn % 4 == 0 else both.correct(way, company, turn)
    if turn % 3 == 0:
        push(both.network, way.home, both.agreements[way], Wanted(again=True))
    ask(both.network, way.holder, both.agreements[way], [code(chance.choice(REGISTERS[way.home]))])
