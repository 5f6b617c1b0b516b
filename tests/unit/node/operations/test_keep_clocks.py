"""Clocks at a node: filing is timed from signature to receipt, days are counted again, no act waits for a calendar."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from node.app.timekeeping import Timekeeping
from node.domain.clocks import About, LegalClock
from node.domain.journal import Act
from node.operations.change_records import Changed, DeleteRecord, delete_record
from node.operations.keep_clocks import (
    PORTION,
    CalendarAlarm,
    begin_clocks,
    calendar_alarms,
    end_filing,
    end_lapsed,
    lapsing,
    mark_missed,
    recount_clocks,
)
from node.storage.errors import DiskFull
from registry.norms.calendar import Calendar, load_calendar
from registry.norms.clocks import Timeliness
from registry.norms.law import Law
from tests.contracts.test_clocks import clock
from tests.fakes.exchange import signed
from tests.fakes.founding import founded
from tests.fakes.members import LAW, Member
from tests.fakes.network import Network
from tests.fakes.propagation import (
    AGENCY,
    AUTHORITIES,
    BANKS,
    HOME,
    agree,
    deleted,
    enterprise,
    load,
)
from tests.fakes.serving import node_of
from tests.fakes.stores import FullStore
from tests.fakes.world import World
from tests.unit.node.operations.test_keep_agreements import ending, receive

BANK = BANKS[0].party
MAIN = load_calendar()
WITHOUT_2027 = replace(LAW, calendar=Calendar.of([MAIN.packs[2026]]))
LAST_OF_2026 = datetime(2026, 12, 31, 4, tzinfo=UTC)
START = (date.min, 0)


@pytest.fixture
def network(tmp_path: Path) -> Iterator[Network]:
    """Two authorities, an agency with one record, and a bank."""
    with founded((*AUTHORITIES, AGENCY, BANKS[0]), tmp_path) as network:
        load(network, HOME, [enterprise(1)])
        yield network


def clocks(member: Member) -> list[LegalClock]:
    return list(member.read(lambda work: work.clock_book.page(0, 10_000)))


def journal(member: Member) -> list[dict[str, Any]]:
    return [one.detail for one in member.journal() if one.entry.act is Act.CLOCK]


def begun(member: Member, *some: LegalClock) -> None:
    def act(work: Any) -> None:
        begin_clocks(work, some, member.context)
        work.commit()

    member.write(act)


def recounted(member: Member, law: Law) -> object:
    return member.write(lambda work: recount_clocks(work, START, law, member.context))


def test_filing_is_timed_at_the_party_that_files_and_ended_by_the_receipt(network: Network) -> None:
    agency, bank = network.members[HOME], network.members[BANK]

    digest = agree(network, HOME, BANK)

    (filing,) = clocks(agency)
    assert (filing.code, filing.subject.about, filing.subject.name) == ("AGR_FILE", About.AGREEMENT, digest.hex())
    assert (filing.due_on, filing.met_by, filing.standing) == (date(2026, 6, 8), "filing.receipt", Timeliness.IN_TIME)
    assert clocks(bank) == []


def test_documents_that_come_again_begin_and_end_nothing_anew(network: Network) -> None:
    network.weather.history.clear()
    agree(network, HOME, BANK)
    before = clocks(network.members[HOME])
    network.clock.forward(days=1)
    network.hear()

    network.weather.repeat()

    assert clocks(network.members[HOME]) == before


def test_a_filing_that_is_forgotten_is_written_down_as_missed_and_as_met_by_the_time_on_the_receipt(
    network: Network,
) -> None:
    agency = network.members[HOME]
    begun(agency, replace(clock("0a" * 32, code="AGR_FILE", peer=""), subject=_agreement(), outer_on=None))
    now = datetime(2026, 11, 25, 4, tzinfo=UTC)
    network.clock.at = now

    def end(work: Any) -> None:
        end_filing(work, b"\x0a" * 32, now - timedelta(days=5), agency.context)
        work.commit()

    agency.write(lambda work: mark_missed(work, agency.context))
    agency.write(end)

    assert [(one["outcome"], one["standing"]) for one in journal(agency)] == [("LATE", "LATE"), ("MET", "IN_TIME")]
    assert {one.entry.agreement for one in agency.journal() if one.entry.act is Act.CLOCK} == {"0a" * 32}


def test_filing_an_agreement_that_was_ended_before_its_day_lapses_and_was_never_missed(admitted: World) -> None:
    agency, agreement = admitted.agency, signed(admitted)
    receive(agency, admitted.bank.party, ending(agreement, admitted.bank))
    admitted.wait(days=30)
    noted = Counter[str]()

    Timekeeping(node_of(agency), lambda code, _: noted.update([code]), lambda: False).look()

    (filing,) = clocks(agency)
    assert (filing.met_by, filing.standing, filing.has_lapsed) == ("agreement.over", Timeliness.IN_TIME, True)
    assert (journal(agency), noted) == ([], Counter())
    assert agency.read(lambda work: lapsing(work, agency.facts(work), admitted.clock())) == []


def test_filing_that_was_missed_while_the_agreement_lived_stays_missed_when_its_term_is_over(admitted: World) -> None:
    agency = admitted.agency
    signed(admitted)
    admitted.wait(days=30)
    lapse(agency)
    agency.write(lambda work: mark_missed(work, agency.context))
    running = clocks(agency)
    admitted.wait(days=400)

    lapse(agency)

    (filing,) = clocks(agency)
    assert [one.met_at for one in running] == [None], "as long as it lives it can still be filed"
    assert (filing.has_lapsed, filing.standing) == (True, Timeliness.BREACH)
    assert [one["outcome"] for one in journal(agency)] == ["BREACH", "LAPSED"]


def lapse(member: Member) -> None:
    member.write(lambda work: end_lapsed(work, member.facts(work), member.context))


def _agreement() -> Any:
    return replace(clock("x").subject, about=About.AGREEMENT, name="0a" * 32, peer="")


def test_a_deletion_does_not_wait_for_a_calendar_and_its_clock_is_counted_again_when_that_comes(
    network: Network,
) -> None:
    agency = network.members[HOME]
    network.clock.at = LAST_OF_2026
    command = DeleteRecord(record_no=1, basis="REVOKED", document="decision 31")
    operators = (agency.operator, agency.second)

    done = agency.write(lambda work: delete_record(work, command, operators, WITHOUT_2027, agency.context))

    assert isinstance(done, Changed)
    (uncounted,) = [one for one in clocks(agency) if one.code == "REVOKE_DELETE"]
    assert (uncounted.due_on, uncounted.provisional, uncounted.packs) == (date(2027, 1, 3), True, ())


def test_a_day_counted_again_is_kept_if_it_is_earlier_and_both_are_written_down_once(network: Network) -> None:
    agency = network.members[HOME]
    network.clock.at = LAST_OF_2026
    naive = replace(
        clock("1@2", code="REVOKE_NOTIFY"),
        start=replace(clock("x").start, on=date(2026, 12, 31)), due_on=date(2027, 1, 1), outer_on=None, packs=(),
    )  # fmt: skip
    begun(agency, naive)

    assert [recounted(agency, law) for law in (WITHOUT_2027, LAW, LAW)] == [None, None, None]

    (kept,) = clocks(agency)
    assert (kept.due_on, kept.packs) == (date(2027, 1, 1), (MAIN.packs[2027].id,))
    assert [(one["outcome"], one["previous"], one["computed"], one["due"]) for one in journal(agency)] == [
        ("RECOUNTED", "2027-01-01", "2027-01-02", "2027-01-01")
    ]


def test_more_clocks_than_a_portion_are_all_noted_and_all_counted_again(network: Network) -> None:
    agency = network.members[HOME]
    begun(agency, *(clock(f"{number}", code="OPT_NOTIFY", outer=None) for number in range(PORTION + 1)))
    network.clock.at = datetime(2026, 11, 30, 4, tzinfo=UTC)

    place = recounted(agency, LAW)
    noted = [len(agency.write(lambda work: mark_missed(work, agency.context))) for _ in range(3)]

    assert place is not None
    assert noted == [PORTION, 1, 0]
    assert [one["outcome"] for one in journal(agency)].count("LATE") == PORTION + 1


def test_what_cannot_be_written_whole_is_noted_another_time(network: Network) -> None:
    agency = network.members[HOME]
    begun(agency, clock("1@2", outer=None))
    network.clock.at = datetime(2026, 11, 30, 4, tzinfo=UTC)

    with pytest.raises(DiskFull), FullStore(agency.store).write() as work:
        mark_missed(work, agency.context)

    assert (clocks(agency)[0].standing, journal(agency)) == (Timeliness.IN_TIME, [])


def test_a_document_from_the_future_is_behind_no_change(network: Network) -> None:
    agency = network.members[HOME]
    tomorrow = date(2026, 6, 3)
    command = DeleteRecord(record_no=1, basis="REVOKED", document="decision 31", received_on=tomorrow)

    done = agency.write(
        lambda work: delete_record(work, command, (agency.operator, agency.second), LAW, agency.context)
    )

    assert not isinstance(done, Changed)
    assert isinstance(deleted(network, HOME, 1), Changed)


def test_the_next_year_is_asked_for_sixty_days_before_and_louder_when_there_is_none_at_all() -> None:
    official = CalendarAlarm(jurisdiction="CN-MAINLAND", official_until=date(2026, 12, 31))

    assert calendar_alarms(LAW, date(2026, 10, 31)) == []
    assert calendar_alarms(LAW, date(2026, 11, 1)) == [official]
    assert calendar_alarms(replace(LAW, local=load_calendar("HK")), date(2026, 11, 1))[0] == official
    assert calendar_alarms(WITHOUT_2027, date(2027, 1, 1)) == [
        CalendarAlarm(jurisdiction="CN-MAINLAND", official_until=None)
    ]
