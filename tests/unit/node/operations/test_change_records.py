"""Changing home records: who may, on what basis, who is told, and what stays away for good."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from crypto.keys import Purpose, SigningKey
from node.domain.correction import correct
from node.domain.intake import Admitted
from node.domain.notices import notice_due
from node.domain.operators import Role, SigningOperator
from node.domain.records import Kind
from node.operations.change_records import (
    Changed,
    CorrectRecord,
    DeleteRecord,
    NotChanged,
    correct_record,
    delete_record,
)
from node.operations.operators import add_operator
from node.operations.retry_notices import retry_notices
from node.operations.rows import NoticeRow, OperatorRow
from node.operations.stored_records import record_from_row
from registry.norms.calendar import Calendar
from tests.fakes.exchange import OTHERS, REGISTRATIONS, answer, intake, load, question
from tests.fakes.members import LAW, Member
from tests.fakes.world import BANK, World


def number_of(world: World, place: int) -> int:
    """The record of one of the other enterprises, which have nothing but a registration."""
    rows = world.agency.read(lambda work: work.records.page("101", 0, 100))
    return rows[1 + place].record_no


def corrected(world: World, record_no: int, basis: str = "OWN_ERROR", **changes: str) -> Changed | NotChanged:
    agency = world.agency
    row = agency.read(lambda work: work.records.find(record_no))
    assert row is not None
    admitted = correct(record_from_row(row), changes, intake(agency, Kind(row.kind)))
    assert isinstance(admitted, Admitted), admitted
    command = CorrectRecord(record_no=record_no, admitted=admitted, basis=basis, document="note 12")
    return agency.write(lambda work: correct_record(work, command, agency.operator, LAW, agency.context))


def deleted(
    world: World, record_no: int, basis: str = "REVOKED", second: SigningOperator | None = None
) -> Changed | NotChanged:
    agency = world.agency
    command = DeleteRecord(record_no=record_no, basis=basis, document="decision 31")
    operators = (agency.operator, second or agency.second)
    return agency.write(lambda work: delete_record(work, command, operators, LAW, agency.context))


def notices(world: World) -> list[NoticeRow]:
    return list(world.agency.read(lambda work: work.notices.page(0, 100, only_open=False)))


def told(outcome: object) -> str:
    assert isinstance(outcome, NotChanged), outcome
    return outcome.why


def employed(member: Member, name: str, *roles: Role) -> SigningOperator:
    operator = SigningOperator(name=name, key=SigningKey(Purpose.OPERATOR, name.encode().ljust(32, b"\x00")))
    row = OperatorRow(
        name=name, key_id=operator.key.key_id, public=operator.key.public.raw,
        roles=frozenset(role.value for role in roles), added_at=member.clock(),
    )  # fmt: skip
    assert member.write(lambda work: add_operator(work, row, member.context))
    return operator


def test_a_record_that_nobody_was_shown_is_changed_without_a_notice(world: World) -> None:
    assert corrected(world, number_of(world, 0), status="REVOKED") == Changed(version=2, notices=0)
    assert notices(world) == []


def test_whoever_was_shown_a_record_is_told_of_its_correction_and_deletion(world: World) -> None:
    answer(world, question(world, OTHERS[0]))
    record = number_of(world, 0)

    assert corrected(world, record, status="REVOKED") == Changed(version=2, notices=1)
    assert deleted(world, record) == Changed(version=3, notices=1)
    assert [(one.peer, one.effect, one.version, one.basis) for one in notices(world)] == [
        (BANK, "REPLACE", 2, "OWN_ERROR"),
        (BANK, "DELETE", 3, "REVOKED"),
    ]


def test_the_journal_names_both_orders_of_a_deletion_and_nothing_of_the_record(world: World) -> None:
    record = number_of(world, 0)
    deleted(world, record)

    written = world.agency.journal()[-1]
    first, second = str(written.detail["orders"]).split()
    kept = world.agency.read(lambda work: work.changes.deletion(record))
    assert written.told == ("record.changed", "")
    assert kept is not None
    assert (kept.first_order.hex(), kept.second_order.hex()) == (first, second)
    assert "decision 31" not in str(written.detail)


def test_a_deletion_takes_two_persons(world: World) -> None:
    record = number_of(world, 0)
    clerk = employed(world.agency, "carol", Role.RECORDS)

    assert "two different operators" in told(deleted(world, record, second=world.agency.operator))
    assert "role approvals" in told(deleted(world, record, second=clerk))
    assert "not an operator" in told(deleted(world, record, second=replace(clerk, name="dave")))


@pytest.mark.parametrize("basis", ["", "NONE", "OWN_ERROR", "revoked"])
def test_a_deletion_without_a_coded_basis_is_refused(world: World, basis: str) -> None:
    """S 79."""
    assert "DELETION_WITHOUT_BASIS (S 79)" in told(deleted(world, number_of(world, 0), basis))


def test_a_deletion_may_rest_on_any_of_the_coded_bases(world: World) -> None:
    """S 41, 59, 66, 72."""
    for place, basis in enumerate(("UNVERIFIABLE", "SUBJECT_REQUEST", "REPAIRED", "COURT_NOTICE")):
        record = number_of(world, place)

        assert deleted(world, record, basis) == Changed(version=2, notices=0)
        kept = world.agency.read(lambda work, one=record: work.changes.deletion(one))  # type: ignore[misc]  # a lambda's default has no type
        assert kept is not None
        assert (kept.basis, kept.document) == (basis, "decision 31")


def test_a_correction_needs_a_basis_of_its_own(world: World) -> None:
    assert "must be one of" in told(corrected(world, number_of(world, 0), "REVOKED", status="REVOKED"))


def test_what_is_not_there_or_was_deleted_is_not_changed(world: World) -> None:
    record = number_of(world, 0)
    deleted(world, record)

    assert "no record 999" in told(deleted(world, 999))
    assert "does not come back" in told(deleted(world, record))


def test_a_refused_change_leaves_nothing_behind(world: World) -> None:
    answer(world, question(world, OTHERS[0]))
    entries = len(world.agency.journal())

    deleted(world, number_of(world, 0), "NONE")
    deleted(world, number_of(world, 0), second=world.agency.operator)

    assert notices(world) == []
    assert len(world.agency.journal()) == entries


def test_a_deleted_row_does_not_come_back_with_a_file(world: World) -> None:
    deleted(world, number_of(world, 0))

    again = load(world, Kind.REGISTRATION, *REGISTRATIONS)

    assert again == {"unchanged": len(REGISTRATIONS) - 1, "rejected": 1}


def test_a_content_that_was_corrected_does_not_come_back_with_a_file(world: World) -> None:
    corrected(world, number_of(world, 0), status="REVOKED")

    assert load(world, Kind.REGISTRATION, *REGISTRATIONS)["rejected"] == 1
    corrected(world, number_of(world, 0), status=REGISTRATIONS[1]["status"])
    assert load(world, Kind.REGISTRATION, *REGISTRATIONS)["rejected"] == 0


def test_a_file_may_bring_back_what_an_earlier_file_said(world: World) -> None:
    """A status goes to and fro; only a correction says that something was wrong."""
    revoked = REGISTRATIONS[1] | {"status": "REVOKED"}

    assert load(world, Kind.REGISTRATION, revoked)["updated"] == 1
    assert load(world, Kind.REGISTRATION, REGISTRATIONS[1])["updated"] == 1


def test_a_change_is_to_be_applied_within_three_working_days() -> None:
    """S 36, counted from the day after, in Shenzhen: 3 days from Friday 18 September 2026 end on the 22nd."""
    friday = datetime.fromisoformat("2026-09-18T04:00:00+00:00")

    due = notice_due(LAW.rules.notice_clock, LAW.calendar, friday)
    assert due == datetime.fromisoformat("2026-09-22T16:00:00+00:00")


def test_telling_holders_does_not_wait_for_a_calendar() -> None:
    without = replace(LAW, calendar=Calendar(jurisdiction=LAW.calendar.jurisdiction, packs={}))
    friday = datetime.fromisoformat("2026-09-18T04:00:00+00:00")

    due = notice_due(without.rules.notice_clock, without.calendar, friday)
    assert due == datetime.fromisoformat("2026-09-21T16:00:00+00:00")


def test_a_person_may_have_a_holder_told_at_once(world: World) -> None:
    agency = world.agency
    answer(world, question(world, OTHERS[0]))
    deleted(world, number_of(world, 0))

    def retried() -> object:
        return agency.write(lambda work: retry_notices(work, BANK, agency.operator, agency.context))

    def due() -> int:
        return len(agency.read(lambda work: work.outbox.due(world.clock() + timedelta(days=1), 100)))

    before = due()
    assert retried() == 1
    assert due() == before + 1
    world.tell(agency, world.bank)
    assert retried() == 1, "the last batch is told again, so that a holder that lost its place can say so"
