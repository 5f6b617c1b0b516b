"""Acts that withhold a record: who orders them, on what basis, for how long, and who is told (S 36, 59, 61, 66, 70)."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from agreements.refusal import Refusal
from node.domain.clocks import About
from node.domain.journal import Act
from node.domain.operators import Role, SigningOperator
from node.domain.records import Kind, Withheld
from node.domain.serving import strongest, withheld
from node.operations.change_records import Changed, NotChanged
from node.operations.record_rows import RecordRow
from node.operations.rows import NoticeRow
from node.operations.standing_rows import WithholdingRow
from node.operations.stored_records import record_from_row
from node.operations.withhold_records import (
    ReleaseRecord,
    WithholdRecord,
    advance_withholdings,
    release_record,
    withhold_record,
)
from registry.norms.calendar import shanghai_day
from tests.fakes.exchange import REGISTRATIONS, SHOWN, answer, load, question
from tests.fakes.members import LAW
from tests.fakes.reading import renditions
from tests.fakes.world import BANK, World
from tests.unit.node.domain.sampled import sampled
from tests.unit.node.operations.test_change_records import deleted, employed

SUSPENDED, OPTED_OUT = Withheld.SUSPENDED, Withheld.OPTED_OUT
REPAIRED, REVOCATION_PENDING = Withheld.REPAIRED, Withheld.REVOCATION_PENDING
BASES = {
    SUSPENDED: ("SUIT_ACCEPTED", "FINAL_DOCUMENT"),
    OPTED_OUT: ("SUBJECT_OPT_OUT", "OPT_OUT_WITHDRAWN"),
    REPAIRED: ("REPAIR_DECIDED", "REPAIR_CANCELLED"),
    REVOCATION_PENDING: ("REVOCATION_NOTICE", "REVOCATION_WITHDRAWN"),
    Withheld.REORGANISED: ("REORGANISATION_PLAN", "RATED_ANEW"),
}


def record(world: World, kind: str = "201") -> RecordRow:
    """Of the enterprise that is asked about: its penalty that is still shown, or its registration."""
    return world.agency.read(lambda work: work.records.page(kind, 0, 1))[0]


def today(world: World, days: int = 0) -> date:
    return shanghai_day(world.clock()) + timedelta(days=days)


def withhold(
    world: World, state: Withheld = SUSPENDED, kind: str = "201", basis: str | None = None,
    start: date | None = None, end: date | None = None, received: date | None = None,
) -> Changed | NotChanged:  # fmt: skip
    agency = world.agency
    command = WithholdRecord(
        record_no=record(world, kind).record_no, state=state, basis=basis or BASES[state][0], document="case 8",
        starts_on=start, ends_on=end, received_on=received,
    )  # fmt: skip
    return agency.write(lambda work: withhold_record(work, command, agency.operator, LAW, agency.context))


def release(
    world: World, state: Withheld = SUSPENDED, kind: str = "201", by: tuple[SigningOperator, ...] | None = None
) -> Changed | NotChanged:
    agency = world.agency
    command = ReleaseRecord(
        record_no=record(world, kind).record_no, state=state, basis=BASES[state][1], document="judgment 9"
    )  # fmt: skip
    operators = (agency.operator, agency.second) if by is None else by
    return agency.write(lambda work: release_record(work, command, operators, LAW, agency.context))


def advanced(world: World) -> int:
    return world.agency.write(lambda work: advance_withholdings(work, LAW, world.agency.context))


def reasons(world: World, kind: str = "201") -> frozenset[Withheld]:
    return withheld(record_from_row(record(world, kind)), world.clock(), LAW)


def notices(world: World) -> list[NoticeRow]:
    return list(world.agency.read(lambda work: work.notices.page(0, 100, only_open=False)))


def acts(world: World, kind: str = "201") -> list[WithholdingRow]:
    return list(world.agency.read(lambda work: work.withholdings.of_record(record(world, kind).record_no)))


def shown(world: World) -> list[str]:
    """The kinds that an answer about the enterprise shows."""
    _, found = renditions(world, answer(world, question(world, SHOWN)))
    return sorted(one.header.kind for one in found)


def why(outcome: object) -> str:
    assert isinstance(outcome, NotChanged), outcome
    return outcome.why


@pytest.mark.parametrize(
    ("state", "refusal"),
    [
        (SUSPENDED, Refusal.RECORD_SUSPENDED),
        (OPTED_OUT, Refusal.SUBJECT_OPT_OUT),
        (REPAIRED, Refusal.RECORD_REPAIRED),
        (REVOCATION_PENDING, Refusal.REVOCATION_PENDING),
    ],
)
def test_an_act_withholds_a_record_at_once_and_its_holder_is_told(
    world: World, state: Withheld, refusal: Refusal
) -> None:
    assert "101" in shown(world)

    assert withhold(world, state, kind="101") == Changed(version=2, notices=1)

    assert "101" not in shown(world)
    assert strongest(reasons(world, "101")) is refusal
    (told,) = notices(world)
    assert (told.peer, told.effect, told.version, told.basis) == (BANK, "REPLACE", 2, BASES[state][0])


def test_lifting_it_shows_the_record_again_in_a_higher_version(world: World) -> None:
    shown(world)
    withhold(world)

    assert release(world) == Changed(version=3, notices=1)

    assert shown(world) == ["101", "201"]
    assert [(one.version, one.basis) for one in notices(world)] == [(2, "SUIT_ACCEPTED"), (3, "FINAL_DOCUMENT")]


def test_states_are_a_set_and_each_ends_on_its_own(world: World) -> None:
    withhold(world, SUSPENDED)
    withhold(world, REPAIRED)
    withhold(world, REVOCATION_PENDING)
    assert reasons(world) == {SUSPENDED, REPAIRED, REVOCATION_PENDING}
    assert strongest(reasons(world)) is Refusal.REVOCATION_PENDING

    release(world, SUSPENDED)

    assert reasons(world) == {REPAIRED, REVOCATION_PENDING}
    assert shown(world) == ["101"]


def test_a_state_that_comes_acts_on_its_day_by_itself_and_holders_are_told_on_that_day(world: World) -> None:
    shown(world)
    assert withhold(world, REPAIRED, start=today(world, 1)) == Changed(version=1, notices=0)
    assert (shown(world), advanced(world)) == (["101", "201"], 0)

    world.wait(days=1)

    assert shown(world) == ["101"], "before any loop has looked"
    assert advanced(world) == 1
    assert (record(world).version, sorted(record(world).withheld)) == (2, ["REPAIRED"])
    assert [(one.version, one.basis) for one in notices(world)] == [(2, "REPAIR_DECIDED")]
    assert advanced(world) == 0


def test_an_opt_out_with_an_end_is_over_on_its_day(world: World) -> None:
    """S 59."""
    shown(world)
    withhold(world, OPTED_OUT, kind="101", end=today(world, 2))
    world.wait(days=1)
    assert (advanced(world), shown(world)) == (0, ["201"])

    world.wait(days=1)

    assert advanced(world) == 1
    assert shown(world) == ["101", "201"]
    assert [one.basis for one in notices(world)] == ["SUBJECT_OPT_OUT", "PERIOD_ENDED"]
    assert [(one.ended_at, one.end_basis) for one in acts(world, "101")] == [(world.clock(), "PERIOD_ENDED")]


@pytest.mark.parametrize("state", [SUSPENDED, REVOCATION_PENDING])
def test_a_suspension_never_ends_by_time(world: World, state: Withheld) -> None:
    """S 36, 61."""
    assert "does not end by time" in why(withhold(world, state, end=today(world, 30)))


@pytest.mark.parametrize("state", [SUSPENDED, REVOCATION_PENDING])
def test_lifting_a_suspension_takes_two_persons(world: World, state: Withheld) -> None:
    agency = world.agency
    withhold(world, state)
    clerk = employed(agency, "carol", Role.RECORDS)

    assert "two different operators" in why(release(world, state, by=(agency.operator,)))
    assert "two different operators" in why(release(world, state, by=(agency.operator, agency.operator)))
    assert "role approvals" in why(release(world, state, by=(agency.operator, clerk)))
    assert reasons(world) == {state}


def test_lifting_what_the_subject_asked_for_takes_one_person(world: World) -> None:
    withhold(world, OPTED_OUT, kind="101")

    assert isinstance(release(world, OPTED_OUT, kind="101", by=(world.agency.operator,)), Changed)


def test_whoever_may_not_order_it_does_not_withhold(world: World) -> None:
    agency = world.agency
    number = record(world).record_no
    command = WithholdRecord(record_no=number, state=SUSPENDED, basis="SUIT_ACCEPTED", document="")
    buyer = employed(agency, "carol", Role.CONTRACTS)
    stranger = replace(buyer, name="dave")

    for operator, told in ((buyer, "role records"), (stranger, "not an operator")):
        refused = agency.write(lambda work, by=operator: withhold_record(work, command, by, LAW, agency.context))  # type: ignore[misc]  # a lambda's default has no type
        assert told in why(refused)
    assert (reasons(world), acts(world)) == (frozenset(), [])


def test_an_act_rests_on_a_basis_of_its_own_state(world: World) -> None:
    assert "REVIEW_ACCEPTED, SUIT_ACCEPTED" in why(withhold(world, SUSPENDED, basis="REPAIR_DECIDED"))
    assert "REVIEW_ACCEPTED, SUIT_ACCEPTED" in why(withhold(world, SUSPENDED, basis="LAW_CHANGED"))
    assert "no state that an act sets" in why(withhold(world, Withheld.EXPIRED, basis="SUIT_ACCEPTED"))


def test_adverse_information_is_not_withheld_because_its_subject_asks(world: World) -> None:
    """S 59 is about commendations, volunteering and donations."""
    assert "adverse information" in why(withhold(world, OPTED_OUT, kind="201"))


def test_an_evaluation_from_before_a_reorganisation_is_withheld_until_two_persons_lift_it(world: World) -> None:
    """S 70."""
    load(world, Kind.PUBLIC_GRADE, *sampled(Kind.PUBLIC_GRADE))

    assert isinstance(withhold(world, Withheld.REORGANISED, kind="401"), Changed)
    withholding = reasons(world, "401")
    alone = release(world, Withheld.REORGANISED, kind="401", by=(world.agency.operator,))
    assert withholding == {Withheld.REORGANISED}
    assert strongest(withholding) is Refusal.REORGANISATION_PAST_INFO
    assert "two different operators" in why(alone)
    assert isinstance(release(world, Withheld.REORGANISED, kind="401"), Changed)
    assert reasons(world, "401") == frozenset()


def test_a_reorganisation_withholds_nothing_but_evaluations(world: World) -> None:
    """S 70 is about evaluations: what else is known of the enterprise is shown on."""
    for kind in ("101", "201"):
        assert "only evaluations" in why(withhold(world, Withheld.REORGANISED, kind=kind))
    assert reasons(world) == frozenset()


def test_what_cannot_be_withheld_is_told_why(world: World) -> None:
    withhold(world)

    assert "already" in why(withhold(world))
    assert "come before it" in why(withhold(world, REPAIRED, received=today(world, 1)))
    assert "behind" in why(withhold(world, REPAIRED, start=today(world, 3), end=today(world, 3)))
    assert "is not in the state" in why(release(world, REPAIRED))
    number = record(world).record_no
    deleted(world, number)
    assert "does not come back" in why(withhold(world, REPAIRED))


def test_an_act_that_has_not_begun_is_lifted_without_a_word_to_anybody(world: World) -> None:
    shown(world)
    withhold(world, REPAIRED, start=today(world, 1))

    assert release(world, REPAIRED) == Changed(version=1, notices=0)

    world.wait(days=2)
    assert (advanced(world), reasons(world), notices(world)) == (0, frozenset(), [])


def test_a_file_does_not_bring_back_what_its_subject_opted_out_of(world: World) -> None:
    """S 59: neither the same row nor a newer one."""
    withhold(world, OPTED_OUT, kind="101")

    assert load(world, Kind.REGISTRATION, REGISTRATIONS[0])["unchanged"] == 1
    assert load(world, Kind.REGISTRATION, REGISTRATIONS[0] | {"address": "elsewhere"})["updated"] == 1

    assert (sorted(reasons(world, "101")), shown(world)) == ([OPTED_OUT], ["201"])


def test_a_deleted_record_is_not_deleted_twice_by_what_was_to_end_later(world: World) -> None:
    withhold(world, REPAIRED, end=today(world, 2))
    deleted(world, record(world).record_no)
    world.wait(days=2)

    assert advanced(world) == 1
    assert advanced(world) == 0
    assert acts(world)[0].end_basis == "RECORD_DELETED"
    assert record(world).withheld == {"DELETED"}


def test_the_notice_of_a_revocation_times_the_deletion_and_the_deletion_ends_it(world: World) -> None:
    """S 36: three working days from the day on which the written notice came."""
    number = record(world).record_no
    withhold(world, REVOCATION_PENDING, received=today(world, -1))

    def clocks() -> list[tuple[str, bool]]:
        found = world.agency.read(lambda work: work.clock_book.page(0, 100))
        return [(one.code, one.met_at is not None) for one in found if one.subject.about is About.RECORD]

    assert clocks() == [("REVOKE_DELETE", False)]
    deleted(world, number)
    assert clocks() == [("REVOKE_DELETE", True)]


def test_a_notice_that_was_taken_back_ends_the_clock_of_deleting_too(world: World) -> None:
    withhold(world, REVOCATION_PENDING)
    release(world, REVOCATION_PENDING)

    assert world.agency.read(lambda work: work.clocks.of(About.RECORD, str(record(world).record_no))) == []


def test_order_basis_and_document_are_kept_and_the_journal_names_the_orders(world: World) -> None:
    withhold(world)
    release(world)

    (kept,) = acts(world)
    assert (kept.state, kept.basis, kept.document) == ("SUSPENDED", "SUIT_ACCEPTED", "case 8")
    assert (kept.end_basis, kept.end_document) == ("FINAL_DOCUMENT", "judgment 9")
    written = [one.detail for one in world.agency.journal() if one.entry.act is Act.CHANGE]
    assert [(one["done"], one["state"]) for one in written] == [("WITHHELD", "SUSPENDED"), ("RELEASED", "SUSPENDED")]
    assert written[0]["orders"] == kept.order.hex()
    assert written[1]["orders"] == kept.end_orders
    assert len(kept.end_orders.split()) == 2
    assert "case 8" not in str(written)
