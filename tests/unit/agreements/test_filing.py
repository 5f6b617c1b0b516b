from datetime import UTC, date, datetime

import pytest

from agreements.documents import propose
from agreements.filing import FilingReceipt, Submission, due_from, file, filing_due
from agreements.refusal import Refused
from registry.norms.calendar import Calendar
from registry.norms.calendar_pack import read_calendar_pack
from registry.norms.packs import shipped
from registry.parties import Jurisdiction, PartyClass
from registry.snapshot import Standing
from tests.unit.agreements.world import (
    AGENCY,
    BANK,
    CALENDAR,
    DIGEST,
    END,
    FILED_AT,
    HK,
    LISTINGS,
    NOON,
    RULES,
    SNAPSHOT,
    SZ,
    TERMS,
    both_signed,
    desk,
    key_of,
    listing,
    reason,
    snapshot_of,
    terms_with,
)

SUBMITTED = Submission(document=both_signed(), filed_by=AGENCY, receipt_no="SZ-2026-1")


def receipt(at: datetime) -> FilingReceipt:
    decided = file(SUBMITTED, at, desk())
    assert isinstance(decided, FilingReceipt)
    return decided


def test_five_working_days_from_30_april_2026_end_on_11_may() -> None:
    assert filing_due(TERMS, CALENDAR, RULES).day == date(2026, 5, 11)


def test_the_warning_clock_runs_from_the_day_it_is_given() -> None:
    assert due_from(date(2026, 2, 13), CALENDAR, RULES).day == date(2026, 2, 27)


def test_a_receipt_says_what_was_filed_by_whom_and_in_time() -> None:
    given = receipt(FILED_AT)

    assert (given.agreement, given.authority, given.filed_by) == (DIGEST.hex(), SZ, AGENCY)
    assert (given.due_on, given.late, given.provisional) == (date(2026, 5, 11), False, False)
    assert given.calendar_packs == ("CN-MAINLAND-2026@1",)


def test_lateness_begins_at_midnight_in_shenzhen_and_refuses_nothing() -> None:
    assert not receipt(datetime(2026, 5, 11, 15, 59, 59, tzinfo=UTC)).late
    assert receipt(datetime(2026, 5, 11, 16, tzinfo=UTC)).late


def test_one_signature_is_not_enough_to_file() -> None:
    proposed = Submission(document=propose(TERMS, key_of(AGENCY)), filed_by=AGENCY, receipt_no="SZ-1")

    decided = file(proposed, FILED_AT, desk())

    assert isinstance(decided, Refused)
    assert (decided.reason, decided.detail) == (
        "SIGNATURE_INVALID",
        "signatures: expected both parties, got 1 of 2",
    )


def test_unreadable_terms_are_refused() -> None:
    assert reason(file(Submission(document=b"{", filed_by=AGENCY, receipt_no="1"), NOON, desk())) == "MALFORMED"


def test_unsound_terms_are_refused_for_their_first_problem() -> None:
    document = both_signed(terms_with(onward_transfer=True))

    decided = file(Submission(document=document, filed_by=AGENCY, receipt_no="1"), NOON, desk())

    assert reason(decided) == "ONWARD_TRANSFER_FORBIDDEN"


def test_only_the_party_under_this_authority_files() -> None:
    by_the_bank = Submission(document=both_signed(), filed_by=BANK, receipt_no="1")
    by_an_outsider = Submission(document=both_signed(), filed_by=HK, receipt_no="1")

    assert reason(file(by_the_bank, FILED_AT, desk())) == "PARTY_NOT_ELIGIBLE"
    assert reason(file(by_an_outsider, FILED_AT, desk(authority=HK))) == "PARTY_NOT_ELIGIBLE"
    assert isinstance(file(by_the_bank, FILED_AT, desk(authority=HK)), FilingReceipt)


def test_a_revoked_party_files_nothing() -> None:
    revoked = listing(BANK, Jurisdiction.HK, PartyClass.FIN_INST, standing=Standing.REVOKED)
    snapshot = snapshot_of(*LISTINGS[:3], revoked)

    assert reason(file(SUBMITTED, FILED_AT, desk(snapshot=snapshot))) == "PEER_UNKNOWN"


@pytest.mark.parametrize(
    ("at", "expected"),
    [(datetime(2026, 4, 29, 15, 59, 59, tzinfo=UTC), "MALFORMED"), (END, "AGREEMENT_EXPIRED")],
)
def test_a_day_of_signing_to_come_and_a_term_run_out_are_refused(at: datetime, expected: str) -> None:
    assert reason(file(SUBMITTED, at, desk())) == expected


def test_without_a_calendar_nothing_is_guessed() -> None:
    only_2027 = Calendar.of([read_calendar_pack(shipped("calendars", "CN-MAINLAND-2027"))])

    assert reason(file(SUBMITTED, FILED_AT, desk(calendar=only_2027))) == "CALENDAR_UNAVAILABLE"


def test_an_authority_that_the_registry_does_not_list_files_for_nobody() -> None:
    assert SNAPSHOT.party(AGENCY) is not None
    without = snapshot_of(*LISTINGS[1:])

    assert reason(file(SUBMITTED, FILED_AT, desk(snapshot=without))) == "PARTY_NOT_ELIGIBLE"
