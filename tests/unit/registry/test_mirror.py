from datetime import datetime

import pytest

from crypto.merkle import leaf_hash
from registry.log import issue_head
from registry.mirror import Mirror, Setback, advance
from registry.parties import PartyId
from tests.unit.registry.cast import (
    AGENCY,
    DAY,
    HONG_KONG,
    MINUTE,
    NOON,
    SHENZHEN,
    Authority,
    setback,
)


@pytest.fixture
def office() -> Authority:
    office = Authority(SHENZHEN)
    office.admits(AGENCY.card())
    return office


def test_a_new_mirror_takes_the_whole_log(office: Authority) -> None:
    mirror = office.seen_by()

    assert [one.read.raw for one in mirror.statements] == office.log
    assert mirror.head is not None
    assert mirror.frontier.root() == mirror.head.root


def test_an_empty_log_has_a_head_too() -> None:
    mirror = Authority(SHENZHEN).seen_by()

    assert mirror.head is not None
    assert mirror.head.size == 0


def test_a_statement_is_known_from_the_first_head_that_covers_it(office: Authority) -> None:
    first = office.seen_by(at=NOON)
    office.revokes(AGENCY.party)
    second = office.seen_by(first, at=NOON + MINUTE)
    third = office.seen_by(second, at=NOON + DAY)

    assert [one.known_at for one in third.statements] == [NOON, NOON + MINUTE]


def test_an_effect_never_precedes_the_head_that_covers_it() -> None:
    office = Authority(SHENZHEN)
    office.admits(AGENCY.card(), effective_at=NOON - DAY)
    office.revokes(AGENCY.party, effective_at=NOON + DAY)
    mirror = office.seen_by(at=NOON)

    assert [one.works_from for one in mirror.statements] == [NOON, NOON + DAY]


def test_an_idle_head_only_moves_the_time(office: Authority) -> None:
    mirror = office.seen_by()
    later = office.seen_by(mirror, at=NOON + MINUTE)

    assert later.statements == mirror.statements
    assert later.head is not None
    assert later.head.time == NOON + MINUTE


def test_an_older_head_of_the_same_size_is_stale(office: Authority) -> None:
    outcome = setback(advance(office.seen_by(), office.head(NOON - MINUTE), []))

    assert (outcome.setback, outcome.field) == (Setback.STALE, "time")
    assert outcome.expected == "2026-03-02T12:00:00Z or later"


def test_an_older_head_of_a_larger_log_is_stale(office: Authority) -> None:
    mirror = office.seen_by()
    office.revokes(AGENCY.party)

    assert setback(advance(mirror, office.head(NOON - MINUTE), office.log[1:])).setback is Setback.STALE


def test_an_honest_older_head_from_a_peer_is_stale(office: Authority) -> None:
    old = office.head(NOON - DAY, size=0)

    assert setback(advance(office.seen_by(), old, [])).setback is Setback.STALE


def test_a_newer_head_of_a_smaller_log_is_a_rollback(office: Authority) -> None:
    outcome = setback(advance(office.seen_by(), office.head(NOON + MINUTE, size=0), []))

    assert (outcome.setback, outcome.expected, outcome.got) == (Setback.ROLLBACK, "1 or more", "0")


@pytest.mark.parametrize("time", [NOON - DAY, NOON, NOON + DAY])
def test_another_root_for_a_size_already_seen_is_a_fork(office: Authority, time: datetime) -> None:
    mirror = office.seen_by()
    rival = Authority(SHENZHEN)
    rival.revokes(AGENCY.party)

    assert setback(advance(mirror, rival.head(time), [])).setback is Setback.FORK


def test_a_history_rewritten_below_a_larger_head_is_a_fork(office: Authority) -> None:
    mirror = office.seen_by()
    rival = Authority(SHENZHEN)
    rival.revokes(PartyId("sz-somebody"))
    rival.revokes(AGENCY.party)

    assert setback(advance(mirror, rival.head(NOON + DAY), rival.log[1:])).setback is Setback.FORK


@pytest.mark.parametrize("sent", [0, 2])
def test_fewer_or_more_statements_than_the_head_covers_are_incomplete(office: Authority, sent: int) -> None:
    outcome = setback(advance(Mirror(authority=office.card), office.head(), office.log * sent))

    assert (outcome.setback, outcome.expected, outcome.got) == (Setback.INCOMPLETE, "1", str(sent))


def test_a_statement_at_another_position_is_malformed(office: Authority) -> None:
    repeated = [office.log[0], office.log[0]]
    size_two = issue_head(2, leaf_hash(b""), SHENZHEN.note_key(), NOON)

    outcome = setback(advance(Mirror(authority=office.card), size_two, repeated))

    assert (outcome.setback, outcome.field) == (Setback.MALFORMED, "statements.number")
    assert (outcome.expected, outcome.got) == ("1", "0")


def test_a_damaged_statement_is_malformed(office: Authority) -> None:
    outcome = setback(advance(Mirror(authority=office.card), office.head(), [office.log[0][:-1]]))

    assert (outcome.setback, outcome.field, outcome.got) == (Setback.MALFORMED, "statements", "Malformed")


def test_a_head_of_another_authority_is_malformed(office: Authority) -> None:
    outcome = setback(advance(office.seen_by(), Authority(HONG_KONG).head(), []))

    assert (outcome.setback, outcome.field, outcome.got) == (Setback.MALFORMED, "head", "BadSignature")
