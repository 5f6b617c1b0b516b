"""A holder is away for a week, and nobody waits for it; when it is back it is told everything, in order."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from agreements.refusal import Refusal
from node.operations.asked import AskedItem, QueryAsked, RefusedAnswer
from registry.parties import PartyId
from tests.fakes.exchange import EVERYTHING, PURPOSE
from tests.fakes.founding import copied, founded
from tests.fakes.network import Network
from tests.fakes.propagation import (
    EVERYBODY,
    HOLDERS,
    HOME,
    address,
    agree,
    ask,
    by_alias,
    code,
    consent,
    copies,
    corrected,
    deleted,
    enterprise,
    load,
    push,
    result_of,
)
from tests.simulation.held import ledger, rows, troubles
from tests.simulation.templates import Template

pytestmark = pytest.mark.no_cover  # what this runs is covered by others, and measuring it doubles its time

*THERE, AWAY = HOLDERS
LOADED = 12
ENDS = ("REVOKED", "SUSPENDED", "LIQUIDATION")


@dataclass(frozen=True, slots=True)
class Week:
    """What happened in a network in which the last holder was away for seven days, and the folder it lies in.

    `refusals` are what home said to pushes to it on those days, `found` is what was wrong at the others on any of them.
    """

    folder: Path
    agreements: Mapping[PartyId, bytes]
    ended_at: datetime
    refusals: list[str]
    found: list[str]


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Template:
    """A network in which every holder has everything."""
    folder = tmp_path_factory.mktemp("begun")
    with founded(EVERYBODY, folder, seed=1) as network:
        agreements = {holder: agree(network, HOME, holder) for holder in HOLDERS}
        load(network, HOME, [enterprise(number) for number in range(LOADED)])
        for holder in HOLDERS:
            consent(network, holder, agreements[holder], [code(number) for number in range(LOADED)])
            push(network, HOME, agreements[holder])
        network.settle()
        return Template(folder, agreements, network.clock.at)


@pytest.fixture(scope="module")
def week(begun: Template, tmp_path_factory: pytest.TempPathFactory) -> Week:
    folder = tmp_path_factory.mktemp("week")
    with begun.copied(folder, seed=2) as network:
        network.weather.down.add(AWAY)
        lived = Week(folder, begun.agreements, begun.at + timedelta(days=7), [], [])
        for day in range(7):
            busy(network, lived, day)
            network.wait(days=1)
        assert network.clock.at == lived.ended_at
    return lived


@pytest.fixture
def network(week: Week, tmp_path: Path) -> Iterator[Network]:
    """The network at the end of that week, when everybody is there again."""
    with copied(week.folder, EVERYBODY, tmp_path, week.ended_at, seed=3) as opened:
        yield opened


@pytest.fixture
def before(begun: Template, tmp_path: Path) -> Iterator[Network]:
    """The network before anybody was away."""
    with begun.copied(tmp_path, seed=4) as opened:
        yield opened


def busy(network: Network, week: Week, day: int) -> None:
    """Home corrects, deletes, loads and pushes, and the others are told at once.

    Records 1 to 7 are corrected each on its day, record 8 every day, record 9 on the first two, record 10 is corrected
    on the first day and deleted on the last, records 11 and 12 are deleted under way.
    """
    for record in (day + 1, 8, *{0: (9, 10), 1: (9,)}.get(day, ())):
        change(network, record, day)
    if day in {2, 5, 6}:
        deleted(network, HOME, {2: 11, 5: 12, 6: 10}[day])
    load(network, HOME, [enterprise(LOADED + day)])
    jobs = {holder: push(network, HOME, week.agreements[holder]) for holder in HOLDERS}
    bustle(network)
    week.found.extend(troubles(network, HOME, THERE))
    for holder in THERE:
        if len(held(network, holder)) != visible(network) or "taken" not in result_of(network, HOME, jobs[holder]):
            week.found.append(f"{holder} has {len(held(network, holder))} records on day {day}, and still waits")
    week.refusals.append(result_of(network, HOME, jobs[AWAY]).get("reason", "waits"))


def change(network: Network, record: int, day: int) -> None:
    corrected(network, HOME, record, {"status": ENDS[day % len(ENDS)], "address": address(record, day + 1)})


def bustle(network: Network) -> None:
    """Everybody does what can be done now, while the clock stands still."""
    at = network.clock.at
    for _ in range(6):
        network.run()
        network.erase()
        network.sequence()
    assert network.clock.at == at


def visible(network: Network) -> int:
    ((count,),) = rows(network.members[HOME].database, "SELECT count(*) FROM records WHERE deleted_at IS NULL")
    return int(count)


def held(network: Network, holder: PartyId) -> dict[int, Mapping[str, object]]:
    """What a holder has of each record."""
    known = by_alias(network, HOME)
    return {known[copy.alias].record_no: copy.values for copy in copies(network, holder)}


def test_the_others_have_everything_at_the_end_of_each_day_without_waiting(week: Week) -> None:
    assert week.found == []


def test_who_comes_back_is_told_everything_in_order_and_ends_as_home_says(network: Network) -> None:
    written = rows(network.members[HOME].database,
                   "SELECT notice, occurred_at FROM notices WHERE peer = ? ORDER BY number", AWAY)  # fmt: skip

    network.settle()

    told = rows(network.members[AWAY].database, "SELECT sequence, notice FROM received_notices ORDER BY number")
    assert len(written) == 7 + 7 + 2 + 1 + 3
    assert [at for _, at in written] == sorted(at for _, at in written)
    assert told == [(place, notice) for place, (notice, _) in enumerate(written, 1)]
    assert troubles(network, HOME, HOLDERS) == []


def test_what_who_comes_back_is_shown_is_never_stale(week: Week, network: Network) -> None:
    before = taken(network)
    void = cancelled(network)
    network.settle()
    push(network, HOME, week.agreements[AWAY])
    network.settle()

    new = taken(network) - before
    shown = [row for row in ledger(network, HOME) if row.frame in new]
    assert void
    assert not void & new
    assert shown
    assert [row for row in shown if row.version != row.now or row.deleted_at is not None] == []


def test_after_one_more_push_who_was_away_has_what_the_others_have(week: Week, network: Network) -> None:
    network.settle()
    push(network, HOME, week.agreements[AWAY])
    network.settle()

    assert len(held(network, AWAY)) == visible(network)
    assert held(network, AWAY) == held(network, THERE[0]) == held(network, THERE[1])


def test_a_push_that_waited_shows_what_home_says_when_the_holder_is_back(begun: Template, before: Network) -> None:
    corrected_one, deleted_one, same = (LOADED + number for number in (1, 2, 3))
    load(before, HOME, [enterprise(number - 1) for number in (corrected_one, deleted_one, same)])
    before.weather.down.add(AWAY)
    job = push(before, HOME, begun.agreements[AWAY])
    before.run(HOME)
    (made,) = waiting(before)
    change(before, corrected_one, 0)
    deleted(before, HOME, deleted_one)
    before.wait(days=1)
    before.settle()

    (rebuilt,) = {row.frame for row in ledger(before, HOME) if row.holder == AWAY and row.record_no == same} - {made}
    assert in_frame(before, made) == {corrected_one: 1, deleted_one: 1, same: 1}
    assert in_frame(before, rebuilt) == {corrected_one: 2, same: 1}
    assert made not in taken(before)
    assert rebuilt in taken(before)
    result = result_of(before, HOME, job)
    assert (result["frames"], result["taken"], result["cancelled"], result["refused"]) == (2, 1, 1, [])
    assert len(held(before, AWAY)) == visible(before)
    assert troubles(before, HOME, HOLDERS) == []


def test_who_comes_and_goes_while_home_goes_on_changing_is_shown_nothing_stale(week: Week, network: Network) -> None:
    stale, shown, known, made = [], 0, taken(network), len(cancelled(network))
    for turn in range(6):
        network.weather.down = {AWAY} if turn % 2 else set()
        network.run(HOME)
        new = [row for row in ledger(network, HOME) if row.frame in taken(network) - known]
        stale += [row for row in new if row.is_void]
        shown += len(new)
        known = taken(network)
        network.run(AWAY)
        change(network, 8, 10 + turn)
        push(network, HOME, week.agreements[AWAY])
        network.wait(minutes=11)
    network.settle()

    assert stale == []
    assert shown > 0
    assert len(cancelled(network)) > made
    assert len(held(network, AWAY)) == visible(network)
    assert troubles(network, HOME, HOLDERS) == []


def test_home_discloses_nothing_more_to_who_is_overdue_until_it_has_caught_up(week: Week, network: Network) -> None:
    asked = {holder: ask(network, holder, week.agreements[holder], [code(0)]) for holder in HOLDERS}
    for holder in HOLDERS:
        network.run(holder)
    said = {holder: reasons(network, holder, asked[holder]) for holder in HOLDERS}

    network.settle()
    again = ask(network, AWAY, week.agreements[AWAY], [code(0)])
    pushed = push(network, HOME, week.agreements[AWAY])
    network.settle()

    # The first change was on a Monday; it had to be applied by the end of Thursday.
    assert week.refusals == ["waits"] * 4 + [Refusal.NOTICE_BACKLOG.value] * 3
    assert said == {AWAY: [Refusal.NOTICE_BACKLOG.value], **{one: [] for one in THERE}}
    assert reasons(network, AWAY, again) == []
    assert result_of(network, HOME, pushed)["refused"] == []


def test_having_applied_everything_does_not_count_until_it_is_receipted(week: Week, network: Network) -> None:
    said = [word(week, network, AWAY)]
    for somebody in (HOME, AWAY):
        network.run(somebody)
        said.append(word(week, network, AWAY))
    told = rows(network.members[AWAY].database, "SELECT 1 FROM received_notices")

    # Whoever brings no authorisation is refused for that alone once the agreement's part is granted.
    granted = Refusal.AUTHORISATION_MISSING
    assert len(told) == 20
    assert said == [Refusal.NOTICE_BACKLOG, Refusal.NOTICE_BACKLOG, granted]
    assert [word(week, network, one) for one in THERE] == [granted, granted]


def word(week: Week, network: Network, holder: PartyId) -> Refusal:
    """What home says at this moment to a question of a holder that brings no authorisation."""
    asked = QueryAsked(
        peer=holder, digest=network.members[holder].context.random(32), agreement=week.agreements[holder], epoch=1,
        purpose=PURPOSE, asked={"101": frozenset(EVERYTHING["101"])},
        items=(AskedItem(pseudonym=bytes(16), authorisation=b""),), batch=False, checkpoint=b"",
    )  # fmt: skip
    (answer,) = network.gateways[HOME].answer_queries([asked])
    assert isinstance(answer, RefusedAnswer), answer
    return answer.refused.reason


def waiting(network: Network) -> list[bytes]:
    """Frames to who is away that have a body and no answer."""
    query = "SELECT frame FROM sent_frames WHERE recipient = ? AND body IS NOT NULL AND taken_at IS NULL"
    return [frame for (frame,) in rows(network.members[HOME].database, query, AWAY)]


def cancelled(network: Network) -> set[bytes]:
    """Frames to who is away that were taken back because a record in them changed."""
    query = "SELECT frame FROM sent_frames WHERE recipient = ? AND cancelled_at IS NOT NULL"
    return {frame for (frame,) in rows(network.members[HOME].database, query, AWAY)}


def in_frame(network: Network, frame: bytes) -> dict[int, int]:
    """Which version of each record a frame shows."""
    return {row.record_no: row.version for row in ledger(network, HOME) if row.frame == frame}


def taken(network: Network) -> set[bytes]:
    """The frames that who was away has taken in."""
    return {frame for (frame,) in rows(network.members[AWAY].database, "SELECT frame FROM received_frames")}


def reasons(network: Network, holder: PartyId, job: int) -> list[str]:
    """For which reasons a query was refused; it is over in any case."""
    return [one["reason"] for one in result_of(network, holder, job)["refused"]]
