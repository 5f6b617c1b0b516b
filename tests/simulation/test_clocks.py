"""A correction that a holder cannot be told of: its clock is missed, twice, and ends when the receipt comes."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from node.app.timekeeping import Timekeeping
from node.domain.clocks import LegalClock
from node.domain.journal import Act
from registry.norms.clocks import Timeliness
from registry.parties import PartyId
from tests.fakes.founding import founded
from tests.fakes.network import Network
from tests.fakes.propagation import (
    AGENCY,
    AUTHORITIES,
    BANKS,
    HOME,
    agree,
    code,
    consent,
    corrected,
    deleted,
    enterprise,
    load,
    push,
)
from tests.fakes.serving import node_of

BANK = BANKS[0].party
"""Home of the records here, in Hong Kong: it counts by two calendars."""
CHANGED_AT = datetime(2026, 9, 30, 4, tzinfo=UTC)
"""A Wednesday. Behind it Hong Kong rests for one day, the mainland for seven."""
OCTOBER_3, OCTOBER_9, OCTOBER_12 = (datetime(2026, 10, day, 4, tzinfo=UTC) for day in (3, 9, 12))


@pytest.fixture
def network(tmp_path: Path) -> Iterator[Network]:
    """A bank that pushed three records to the agency."""
    with founded((*AUTHORITIES, AGENCY, BANKS[0]), tmp_path) as network:
        network.clock.at = CHANGED_AT
        network.hear()
        agreement = agree(network, BANK, HOME)
        load(network, BANK, [enterprise(number) for number in range(3)])
        consent(network, HOME, agreement, [code(number) for number in range(3)])
        push(network, BANK, agreement)
        network.settle()
        network.clock.at = CHANGED_AT
        yield network


class Watch:
    """The clocks loop of one member, as its serving process has it."""

    def __init__(self, network: Network, party: PartyId) -> None:
        self.network, self.member = network, network.members[party]
        self.counted = Counter[tuple[str, str]]()
        self.loop = Timekeeping(node_of(self.member), lambda *what: self.counted.update([what]), lambda: False)

    def look(self, at: datetime) -> None:
        self.network.clock.at = at
        self.network.hear()
        with capture_logs() as self.logs:
            self.loop.look()

    def warned(self) -> list[str]:
        return [line["standing"] for line in self.logs if line["event"] == "a clock was missed"]

    def clocks(self) -> list[LegalClock]:
        return list(self.member.read(lambda work: work.clock_book.page(0, 100)))

    def telling(self) -> LegalClock:
        return next(one for one in self.clocks() if one.code == "D10_CORR_NOTIFY")

    def journal(self) -> list[dict[str, Any]]:
        return [one.detail for one in self.member.journal() if one.entry.act is Act.CLOCK]


def test_a_holder_that_is_not_reached_makes_home_late_then_in_breach_until_its_receipt_comes(network: Network) -> None:
    home = Watch(network, BANK)
    network.weather.down.add(HOME)
    corrected(network, BANK, 1, {"status": "REVOKED"})
    network.run(BANK)
    home.look(CHANGED_AT)
    told = home.telling()
    assert (told.due_on, told.outer_on, told.met_at) == (date(2026, 10, 2), date(2026, 10, 8), None)
    assert (home.journal(), home.warned()) == ([], [])

    for at in (OCTOBER_3, OCTOBER_3, OCTOBER_9, OCTOBER_9, OCTOBER_12):
        home.look(at)
    assert home.telling().standing is Timeliness.BREACH
    assert home.counted == {("D10_CORR_NOTIFY", "LATE"): 1, ("D10_CORR_NOTIFY", "BREACH"): 1}
    assert [one["outcome"] for one in home.journal()] == ["LATE", "BREACH"]

    network.settle()
    ended = home.telling()
    assert (ended.met_by, ended.standing) == ("notices.dispatched", Timeliness.BREACH)
    assert ended.met_at is not None
    assert ended.met_at >= OCTOBER_12
    assert [one["outcome"] for one in home.journal()] == ["LATE", "BREACH", "MET"]


def test_a_node_that_stood_still_past_both_bounds_writes_down_the_breach_alone(network: Network) -> None:
    home = Watch(network, BANK)
    network.weather.down.add(HOME)
    corrected(network, BANK, 1, {"status": "REVOKED"})

    home.look(OCTOBER_9)

    assert home.warned() == ["BREACH"]
    assert [(one["outcome"], one["clock"], one["name"]) for one in home.journal()] == [
        ("BREACH", "D10_CORR_NOTIFY", "1@2")
    ]


def test_a_receipt_that_travelled_for_days_still_proves_that_the_holder_was_told_in_time(network: Network) -> None:
    home = Watch(network, BANK)
    corrected(network, BANK, 1, {"status": "REVOKED"})
    network.run(BANK)
    home.look(OCTOBER_3)
    assert home.telling().standing is Timeliness.LATE

    network.run(HOME)

    ended = home.telling()
    assert (ended.standing, ended.met_at) == (Timeliness.IN_TIME, CHANGED_AT)
    assert [one["outcome"] for one in home.journal()] == ["LATE", "MET"]


def test_the_holder_notes_by_itself_that_it_followed_late(network: Network) -> None:
    holder = Watch(network, HOME)
    network.weather.down.add(HOME)
    deleted(network, BANK, 1)
    network.clock.at = OCTOBER_12
    network.hear()
    network.settle()

    (clock,) = [one for one in holder.clocks() if one.code == "PEER_DELETE"]
    assert (clock.due_on, clock.standing, clock.met_by) == (date(2026, 10, 10), Timeliness.LATE, "notice.applied")
    assert [one["outcome"] for one in holder.journal()] == ["LATE"]


def test_a_change_that_every_holder_follows_at_once_leaves_no_word_in_the_journal(network: Network) -> None:
    home, holder = Watch(network, BANK), Watch(network, HOME)
    corrected(network, BANK, 1, {"status": "REVOKED"})
    deleted(network, BANK, 2)
    network.settle()
    home.look(OCTOBER_12)
    holder.look(OCTOBER_12)

    assert {one.code for one in home.clocks()} == {
        *("D10_CORR_NOTIFY", "REVOKE_WITHHOLD", "REVOKE_DELETE", "REVOKE_NOTIFY"),
    }
    assert {one.code for one in holder.clocks()} == {"AGR_FILE", "PEER_APPLY", "PEER_DELETE"}
    assert {one.standing for one in (*home.clocks(), *holder.clocks())} == {Timeliness.IN_TIME}
    assert all(one.met_at for one in (*home.clocks(), *holder.clocks()))
    assert (home.journal(), holder.journal()) == ([], [])


def test_the_loop_counts_again_once_a_day_and_asks_for_the_next_calendar(network: Network) -> None:
    home = Watch(network, BANK)
    home.look(datetime(2026, 11, 20, 4, tzinfo=UTC))
    asked = [line["calendar"] for line in home.logs if line["event"] == "the next year's calendar is missing"]
    home.look(datetime(2026, 11, 20, 5, tzinfo=UTC))

    assert asked == ["CN-MAINLAND", "HK"]
    assert home.logs == []
