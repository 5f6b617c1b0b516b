"""Home answers queries: one leaf each, nothing before it is written, and the same request the same answer."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from unittest.mock import patch

import pytest

from agreements.agreement import State, state_at
from agreements.termination import Ending
from crypto.envelope import parse
from node.domain.identifiers import Scheme
from node.domain.records import Kind
from node.operations.answer_queries import answer_queries, day_window
from node.operations.asked import Answered, AskedItem, QueryAsked, RefusedAnswer
from node.operations.keep_agreements import terminate_agreement
from node.operations.ports import UnitOfWork
from node.operations.rows import DisclosureRow
from node.storage.errors import DiskFull
from registry.parties import PartyId
from tests.fakes.exchange import (
    ABSENT,
    ALL_FIELDS,
    OTHERS,
    PERSON,
    QUOTAS,
    SHOWN,
    SHOWN_ABROAD,
    WITHHELD,
    answer,
    answers,
    consent,
    done,
    identifier,
    index,
    load,
    question,
    reasons,
)
from tests.fakes.reading import renditions
from tests.fakes.stores import FullStore
from tests.fakes.world import AGENCY, BANK, HK, World
from tests.unit.node.domain.given import REGISTRATION

STRANGER = PartyId("stranger")


def charges(world: World) -> list[tuple[object, ...]]:
    """Every row of what was charged."""
    with closing(sqlite3.connect(world.agency.database)) as connection:
        return connection.execute("SELECT * FROM charges").fetchall()


def charged(world: World) -> int:
    """What this day's queries were charged."""
    window = day_window(world.clock())

    def read(work: UnitOfWork) -> int:
        number = work.agreements.number(world.agreement().digest)
        return work.usage.charged(number, [window])[window]

    return world.agency.read(read)


def held(world: World) -> list[DisclosureRow]:
    """Every row of the ledger."""
    return world.agency.read(
        lambda work: [row for one in work.records.page(None, 0, 100) for row in work.ledger.of_record(one.record_no)]
    )


def entries(world: World) -> int:
    return len(world.agency.journal())


def test_a_lawful_query_is_answered_with_one_frame_that_the_bank_can_open(world: World) -> None:
    asked = question(world, SHOWN)

    header, shown = renditions(world, answer(world, asked))

    assert (header.sender, header.recipient, header.mode) == (AGENCY, BANK, "ANSWER")
    assert header.request == asked.digest.hex()
    assert header.filings == world.agreement().filing_set.hex()
    assert header.authorisation == parse(asked.items[0].authorisation, "authorisation").digest.hex()
    assert sorted(one.header.kind for one in shown) == ["101", "201"]


def test_a_frame_names_the_leaf_of_the_entry_that_commits_to_its_body(world: World) -> None:
    header, _ = renditions(world, answer(world, question(world, SHOWN)))

    written = world.agency.journal()[-1]
    assert header.journal_leaf == written.leaf.hex()
    assert written.told == ("query", "ANSWERED")
    assert (written.detail["body"], written.detail["root"]) == (header.body, header.root)
    assert written.detail["frame"] == header.frame


def test_the_same_request_bytes_get_the_same_frame_and_leave_no_second_entry_or_charge(world: World) -> None:
    asked = question(world, SHOWN)
    first = answer(world, asked)
    before = (entries(world), charged(world))

    assert answer(world, asked) == first
    assert (entries(world), charged(world)) == before


def test_the_same_request_twice_at_once_is_one_request(world: World) -> None:
    asked = question(world, SHOWN)
    before = entries(world)

    first, second = answers(world, asked, asked)

    assert first == second
    assert (entries(world), charged(world)) == (before + 1, 1)


@pytest.mark.parametrize("stranger_last", [True, False])
@pytest.mark.parametrize("answered_before", [True, False])
def test_a_request_is_its_askers_own_even_when_another_sends_the_same_bytes(
    world: World, answered_before: bool, stranger_last: bool
) -> None:
    asked = question(world, SHOWN)
    if answered_before:
        answer(world, asked)
    together = [asked, replace(asked, peer=STRANGER)]

    got = answers(world, *(together if stranger_last else together[::-1]))

    expected = ["Answered", "PEER_UNKNOWN"]
    assert reasons(got) == (expected if stranger_last else expected[::-1])


def test_an_authorisation_is_good_for_one_request_only(world: World) -> None:
    asked = question(world, SHOWN)
    answer(world, asked)

    again = answers(world, replace(asked, digest=bytes(32)))

    assert reasons(again) == ["REPLAYED"]
    assert charged(world) == 1


def test_an_authorisation_twice_inside_one_message_is_good_once(world: World) -> None:
    asked = question(world, SHOWN, batch=True)

    given = answer(world, replace(asked, items=asked.items * 2))

    assert [(place, one.refused.reason) for place, one in given.refused_items] == [(1, "REPLAYED")]
    assert renditions(world, given)[0].count == 2


def test_an_authorisation_in_two_messages_answered_together_is_good_once(world: World) -> None:
    asked = question(world, SHOWN)

    given = answers(world, asked, replace(asked, digest=bytes(32)))

    assert reasons(given) == ["Answered", "REPLAYED"]


def test_queries_answered_together_each_get_their_own_frame(world: World) -> None:
    subjects = (SHOWN, WITHHELD, *OTHERS)
    asked = [question(world, one) for one in subjects]

    given = answers(world, *asked)

    headers = [renditions(world, one)[0] for one in given]
    assert [header.request for header in headers] == [one.digest.hex() for one in asked]
    assert [header.count for header in headers] == [2, 0, 1, 1, 1, 1]


def test_the_quota_of_a_day_ends_inside_a_batch(world: World) -> None:
    for _ in range(QUOTAS.queries_per_day - 2):
        answer(world, question(world, ABSENT))

    given = answer(world, question(world, SHOWN, *OTHERS[:3], batch=True))

    assert [(place, one.refused.reason) for place, one in given.refused_items] == [(2, "RISK_LIMIT"), (3, "RISK_LIMIT")]
    assert charged(world) == QUOTAS.queries_per_day


def test_the_quota_of_a_day_ends_among_queries_answered_together(world: World) -> None:
    asked = [question(world, ABSENT) for _ in range(QUOTAS.queries_per_day + 2)]

    given = answers(world, *asked)

    assert reasons(given) == ["Answered"] * QUOTAS.queries_per_day + ["RISK_LIMIT"] * 2


def test_a_new_day_has_a_new_quota(world: World) -> None:
    for _ in range(QUOTAS.queries_per_day):
        answer(world, question(world, ABSENT))
    world.wait(days=1)

    assert reasons(answers(world, question(world, SHOWN))) == ["Answered"]


def test_a_refused_authorisation_is_not_used_up(world: World) -> None:
    asked = question(world, SHOWN)
    wrong = replace(asked, purpose="CROSS_BORDER_TRADE", digest=bytes(32))

    assert reasons(answers(world, wrong)) == ["PURPOSE_MISMATCH"]
    assert reasons(answers(world, asked)) == ["Answered"]


def _unauthorised(_: World, asked: QueryAsked) -> QueryAsked:
    return replace(asked, items=(AskedItem(pseudonym=asked.items[0].pseudonym, authorisation=b""),))


def _for_another_subject(world: World, asked: QueryAsked) -> QueryAsked:
    other = question(world, OTHERS[0])
    return replace(asked, items=(replace(asked.items[0], pseudonym=other.items[0].pseudonym),))


def _garbled(_: World, asked: QueryAsked) -> QueryAsked:
    return replace(asked, items=(replace(asked.items[0], authorisation=asked.items[0].authorisation[:-1]),))


REFUSED = {
    "AUTHORISATION_MISSING": _unauthorised,
    "SIGNATURE_INVALID": _for_another_subject,
    "MALFORMED": _garbled,
    "AGREEMENT_MISSING": lambda _, asked: replace(asked, agreement=bytes(32)),
    "PEER_UNKNOWN": lambda _, asked: replace(asked, peer=STRANGER),
    "PURPOSE_MISMATCH": lambda _, asked: replace(asked, purpose="CROSS_BORDER_TRADE"),
    "NOT_IN_CATALOGUE": lambda _, asked: replace(asked, asked={"999": frozenset({"status_code"})}),
    "BATCH_LIMIT": lambda _, asked: replace(asked, items=asked.items * 6, batch=True),
    "BATCH_NOT_PERMITTED": lambda _, asked: replace(asked, items=asked.items * 2),
}


@pytest.mark.parametrize(("reason", "alter"), REFUSED.items(), ids=REFUSED)
def test_what_may_not_be_asked_is_refused_with_its_reason_and_shows_charges_and_uses_nothing(
    world: World, reason: str, alter: object
) -> None:
    asked = question(world, SHOWN)
    before = entries(world)
    assert callable(alter)
    wrong: QueryAsked = replace(alter(world, asked), digest=bytes(32))

    (given,) = answers(world, wrong)

    written = world.agency.journal()[before:]
    assert isinstance(given, RefusedAnswer)
    assert (given.refused.reason, given.refused.rule_pack) == (reason, "SZ-DRAFT-82@1")
    assert given.leaf == written[0].leaf
    assert {one.told[1] for one in written} == {reason}
    assert charges(world) == []
    assert reasons(answers(world, asked)) == ["Answered"]


def test_fields_outside_the_grant_and_a_past_epoch_are_out_of_scope(world: World) -> None:
    asked = question(world, SHOWN)

    beyond = replace(asked, asked={"201": frozenset({"decision_no"})}, digest=bytes(32))
    elsewhen = replace(asked, epoch=2, digest=bytes(31) + b"\x01")

    assert reasons(answers(world, beyond, elsewhen)) == ["AGREEMENT_SCOPE"] * 2


def test_another_admitted_partys_agreement_looks_as_if_there_were_none(world: World) -> None:
    asked = replace(question(world, SHOWN), peer=HK)

    assert reasons(answers(world, asked)) == reasons(answers(world, replace(asked, agreement=bytes(32))))


def test_an_authorisation_that_ran_out_is_refused(world: World) -> None:
    asked = question(world, SHOWN)
    world.wait(minutes=10)

    assert reasons(answers(world, asked)) == ["CONSENT_EXPIRED"]


def test_after_the_end_of_the_agreement_nothing_is_answered(world: World) -> None:
    asked, agency = question(world, SHOWN), world.agency
    agency.write(
        lambda work: done(terminate_agreement(work, world.agreement(), Ending.END_OF_COOPERATION, agency.office(work)))
    )

    assert state_at(world.agreement(), world.clock()) is State.TERMINATED
    assert reasons(answers(world, asked)) == ["AGREEMENT_EXPIRED"]


def test_an_answer_given_before_the_end_is_not_given_again_after_it(world: World) -> None:
    asked, agency = question(world, SHOWN), world.agency
    answer(world, asked)
    agency.write(
        lambda work: done(terminate_agreement(work, world.agreement(), Ending.END_OF_COOPERATION, agency.office(work)))
    )

    assert reasons(answers(world, asked)) == ["AGREEMENT_EXPIRED"]


def test_the_same_request_gets_its_frame_again_only_while_its_authorisation_may_be_good(world: World) -> None:
    asked = question(world, SHOWN)
    first = answer(world, asked)
    world.wait(minutes=10)
    again = answer(world, asked)
    world.wait(minutes=1)

    assert again == first
    assert reasons(answers(world, asked)) == ["CONSENT_EXPIRED"]


def test_a_new_epoch_is_not_answered_before_its_index_is_complete(world: World) -> None:
    world.wait(days=100)
    asked = question(world, SHOWN, epoch=2)

    assert reasons(answers(world, asked)) == ["NOT_READY"]


def test_a_stale_registry_stops_disclosure(world: World) -> None:
    world.forward(minutes=62)

    assert reasons(answers(world, question(world, SHOWN))) == ["REGISTRY_STALE"]


def test_each_query_leaves_one_leaf_of_one_length_whatever_the_outcome(world: World) -> None:
    asked = question(world, OTHERS[1])
    outcomes = [
        question(world, SHOWN),
        question(world, WITHHELD),
        question(world, ABSENT),
        question(world, OTHERS[0], asked={"101": frozenset({"region"})}),
        asked,
        replace(asked, digest=bytes(32)),
        replace(_unauthorised(world, asked), digest=bytes(31) + b"\x01"),
        replace(asked, asked={"101": frozenset({"address"})}, digest=bytes(31) + b"\x02"),
    ]
    before = entries(world)

    given = [reason for one in outcomes for reason in reasons(answers(world, one))]

    written = world.agency.journal()[before:]
    assert given == ["Answered"] * 5 + ["REPLAYED", "AUTHORISATION_MISSING", "AGREEMENT_SCOPE"]
    assert len(written) == len(outcomes)
    assert {one.entry.act.value for one in written} == {"query"}
    assert len({len(one.raw) for one in written}) == 1


def test_a_natural_person_that_a_hostile_bank_asks_about_looks_like_nobody(world: World) -> None:
    """Its own program would not blind such a code, nor attest a consent for it; home took none in, and says nothing."""
    sole = identifier(Scheme.HK_BRN, "12345678")
    offered = [{"uscc": PERSON.value}, {"uscc": "", "hk_brn": sole.value, "entity_type": "HK_SOLE_PROPRIETOR"}]
    taken = [load(world, Kind.REGISTRATION, REGISTRATION | one) for one in offered]
    index(world)
    with patch("node.operations.attest_consents.refuse_persons", return_value=None):
        consent(world, [PERSON, sole])
    before = entries(world)

    person, proprietor, nobody = (
        renditions(world, answer(world, question(world, one))) for one in (PERSON, sole, ABSENT)
    )

    assert taken == [{"rejected": 1}] * 2
    assert [shown for _, shown in (person, proprietor, nobody)] == [[], [], []]
    assert person[0].count == proprietor[0].count == nobody[0].count == 0
    assert len({len(one.raw) for one in world.agency.journal()[before:]}) == 1


def test_a_batch_leaves_an_entry_for_itself_and_one_for_each_subject(world: World) -> None:
    before = entries(world)
    asked = question(world, SHOWN, ABSENT, OTHERS[0], batch=True)

    given = answer(world, replace(asked, items=(*asked.items, asked.items[0])))

    written = world.agency.journal()[before:]
    frame = renditions(world, given)[0].frame
    assert [one.told for one in written] == [
        ("batch", "ANSWERED"),
        *[("query", "ANSWERED")] * 3,
        ("query", "REPLAYED"),
    ]
    assert all(one.detail["frame"] == frame for one in written[:4])
    assert given.refused_items[0][1].leaf == written[-1].leaf


def test_a_batch_refused_whole_leaves_an_entry_for_each_subject_too(world: World) -> None:
    before = entries(world)
    asked = replace(question(world, SHOWN, ABSENT, batch=True), agreement=bytes(32))

    answers(world, asked)

    assert [one.told[0] for one in world.agency.journal()[before:]] == ["batch", "query", "query"]


def test_a_batch_given_again_names_the_same_refused_items(world: World) -> None:
    asked = question(world, SHOWN, batch=True)
    doubled = replace(asked, items=asked.items * 2)

    first = answer(world, doubled)

    again = answer(world, doubled)
    assert [(place, one.refused.reason, one.leaf) for place, one in again.refused_items] == [
        (place, one.refused.reason, one.leaf) for place, one in first.refused_items
    ]
    assert (again.header, again.body) == (first.header, first.body)


def test_a_batch_of_refused_items_only_is_an_empty_frame(world: World) -> None:
    asked = question(world, SHOWN, batch=True)
    unauthorised = replace(asked, items=_unauthorised(world, asked).items)

    given = answer(world, unauthorised)

    header, shown = renditions(world, given)
    assert (header.count, header.authorisation, shown) == (0, None, [])


def test_the_entry_tells_no_purpose_of_a_message_that_was_refused_whole(world: World) -> None:
    """A purpose outside the code list could be anything; only one that was agreed is written down."""
    answers(world, replace(question(world, SHOWN), agreement=bytes(32), purpose="ANYTHING"))

    assert world.agency.journal()[-1].detail["purpose"] is None


@pytest.mark.parametrize("batch", [False, True])
def test_a_message_that_asks_for_more_than_a_frame_holds_is_refused_alone(
    world: World, monkeypatch: pytest.MonkeyPatch, batch: bool
) -> None:
    too_much, small = question(world, OTHERS[0], batch=batch), question(world, ABSENT)
    monkeypatch.setattr("crypto.frame.BUCKETS", (256,))

    assert reasons(answers(world, too_much, small)) == ["OVERSIZED", "Answered"]
    assert reasons(answers(world, too_much)) == ["OVERSIZED"]
    assert charged(world) == 3
    assert held(world) == []


def test_nothing_is_answered_when_it_cannot_be_written_down(world: World) -> None:
    asked, agency = question(world, SHOWN), world.agency
    before = entries(world)

    with pytest.raises(DiskFull), FullStore(agency.store).write() as work:
        answer_queries(work, [asked], agency.desk(work))

    assert (entries(world), charged(world)) == (before, 0)
    assert isinstance(answer(world, asked), Answered)


def test_what_was_shown_stands_in_the_ledger(world: World) -> None:
    header, shown = renditions(world, answer(world, question(world, SHOWN_ABROAD)))

    holders = held(world)
    assert len(holders) == len(shown) == 2
    assert {row.frame.hex() for row in holders} == {header.frame}


def test_a_query_for_everything_granted_shows_exactly_that(world: World) -> None:
    _, shown = renditions(world, answer(world, question(world, SHOWN)))

    assert {one.header.kind: frozenset(one.values()) for one in shown} == ALL_FIELDS
