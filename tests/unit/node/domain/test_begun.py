"""Which clocks a change, a batch of notices and a signature begin, with whom, from when, and what ends them."""

from datetime import UTC, date, datetime, timedelta

import pytest

from node.domain.begun import begun_by_changes, begun_by_notices, begun_by_signing
from node.domain.clocks import About, Counting, LegalClock
from node.domain.notices import Change, Effect, Holding, Notice, Planned, plan
from registry.norms.calendar import load_calendar
from registry.norms.clocks import Timeliness
from registry.norms.code_lists import CodeListName, load_code_list
from registry.norms.rule_pack import load_rule_pack
from registry.parties import PartyId

RULES = load_rule_pack()
COUNTING = Counting(rules=RULES, mainland=load_calendar(), lists={name: load_code_list(name) for name in CodeListName})
NOON = datetime(2026, 11, 23, 4, tzinfo=UTC)
TODAY = date(2026, 11, 23)
BANK, BUREAU = PartyId("hk-bank"), PartyId("mo-bureau")


CORRECTIONS, DELETIONS = CodeListName.CORRECTION_BASES, CodeListName.DELETION_BASES
WITHHOLDINGS, RELEASES = CodeListName.WITHHOLDING_BASES, CodeListName.RELEASE_BASES


def change(
    record_no: int = 7, effect: Effect = Effect.REPLACE, basis: str = "OWN_ERROR", ago: int = 0,
    bases: CodeListName | None = None,
) -> Change:  # fmt: skip
    return Change(
        bases=bases or (DELETIONS if effect is Effect.DELETE else CORRECTIONS),
        record_no=record_no, record_version=3, effect=effect, basis=basis, document="", occurred_at=NOON, due_at=NOON,
        received_on=TODAY - timedelta(days=ago) if ago else None,
    )  # fmt: skip


def begun(*changes: Change, holders: tuple[PartyId, ...] = (BANK,)) -> list[LegalClock]:
    holdings = [
        Holding(record_no=one.record_no, agreement_no=1, holder=holder, alias=b"", wire_version=1)
        for one in changes
        for holder in holders
    ]
    planned: list[Planned] = plan({one.record_no: one for one in changes}, holdings)
    last = {holder: 100 + place for place, holder in enumerate(holders)}
    return begun_by_changes(changes, planned, last, COUNTING)


def codes(clocks: list[LegalClock]) -> dict[str, bool]:
    """Whether each is met already."""
    return {one.code: one.met_at is not None for one in clocks}


def test_telling_each_holder_of_a_correction_is_a_clock_that_awaits_its_last_notice() -> None:
    clocks = begun(change(), holders=(BANK, BUREAU))

    assert [(one.code, one.subject.peer, one.awaits, one.due_on) for one in clocks] == [
        ("D10_CORR_NOTIFY", BANK, 100, date(2026, 11, 24)),
        ("D10_CORR_NOTIFY", BUREAU, 101, date(2026, 11, 24)),
    ]
    assert {one.subject.name for one in clocks} == {"7@3"}


def test_ten_thousand_updates_of_one_file_are_one_clock_for_each_holder() -> None:
    clocks = begun(*(change(number, basis="PROVIDER_UPDATE") for number in range(10_000, 0, -1)))

    assert [(one.subject.name, one.subject.count, one.subject.peer) for one in clocks] == [("1@3", 10_000, BANK)]


@pytest.mark.parametrize(
    ("basis", "expected"),
    [
        ("REVOKED", {"REVOKE_WITHHOLD": True, "REVOKE_DELETE": True, "REVOKE_NOTIFY": False}),
        ("SUBJECT_REQUEST", {"OPT_WITHHOLD": True, "OPT_DELETE": True, "OPT_NOTIFY": False}),
        ("COURT_NOTICE", {"REORG_COURT": True, "REORG_COURT_DELETE": True, "REORG_COURT_NOTIFY": False}),
        ("UNVERIFIABLE", {"D11_UNVERIF": True, "D10_CORR_NOTIFY": False}),
        ("REPAIRED", {"REPAIR_EFFECT": False}),
        ("ERRONEOUS_SUBJECT", {"D10_CORR_NOTIFY": False}),
    ],
)
def test_a_deletion_ends_its_own_clocks_at_once_and_leaves_telling_holders(
    basis: str, expected: dict[str, bool]
) -> None:
    assert codes(begun(change(effect=Effect.DELETE, basis=basis))) == expected


def test_nobody_is_told_of_what_nobody_holds() -> None:
    assert codes(begun(change(), holders=())) == {}
    assert codes(begun(change(effect=Effect.DELETE, basis="REVOKED"), holders=())) == {
        "REVOKE_WITHHOLD": True,
        "REVOKE_DELETE": True,
    }
    assert codes(begun(change(effect=Effect.DELETE, basis="REPAIRED"), holders=())) == {"REPAIR_EFFECT": True}


def test_a_document_that_lay_for_a_week_makes_the_deletion_late_and_the_telling_too() -> None:
    clocks = {one.code: one for one in begun(change(effect=Effect.DELETE, basis="REVOKED", ago=7))}

    assert {code: one.standing for code, one in clocks.items() if one.met_at} == {
        "REVOKE_WITHHOLD": Timeliness.LATE,
        "REVOKE_DELETE": Timeliness.BREACH,
    }
    assert clocks["REVOKE_NOTIFY"].due_on == date(2026, 11, 17)


def test_a_decision_to_correct_is_of_the_day_of_the_change_whenever_its_document_came() -> None:
    (clock,) = begun(change(ago=30))

    assert clock.start.on == TODAY


@pytest.mark.parametrize(
    ("basis", "expected"),
    [
        ("REVIEW_ACCEPTED", {"SUSPEND": True, "SUSPEND_NOTIFY": False}),
        ("SUBJECT_OPT_OUT", {"OPT_WITHHOLD": True, "OPT_NOTIFY": False}),
        ("REPAIR_DECIDED", {"REPAIR_EFFECT": False}),
        ("REVOCATION_NOTICE", {"REVOKE_WITHHOLD": True, "REVOKE_DELETE": False, "REVOKE_NOTIFY": False}),
        ("LAW_CHANGED", {"D10_CORR_NOTIFY": False}),
    ],
)
def test_withholding_ends_its_own_clock_at_once_and_leaves_telling_holders(
    basis: str, expected: dict[str, bool]
) -> None:
    assert codes(begun(change(basis=basis, bases=WITHHOLDINGS))) == expected


def test_a_revoked_act_has_its_record_deleted_within_three_working_days_though_it_is_only_withheld_yet() -> None:
    """S 36: from the day on which the notice came; the clock is about the record, so that the deletion finds it."""
    (clock,) = [
        one
        for one in begun(change(basis="REVOCATION_NOTICE", bases=WITHHOLDINGS, ago=3))
        if one.code == "REVOKE_DELETE"
    ]

    assert (clock.subject.about, clock.subject.name) == (About.RECORD, "7")
    assert (clock.start.on, clock.due_on) == (date(2026, 11, 20), date(2026, 11, 25))


def test_resuming_a_suspended_record_is_told_within_a_working_day() -> None:
    assert codes(begun(change(basis="FINAL_DOCUMENT", bases=RELEASES))) == {"RESUME_NOTIFY": False}


@pytest.mark.parametrize("name", [DELETIONS, CORRECTIONS, WITHHOLDINGS, RELEASES])
def test_on_every_basis_holders_are_told_by_a_clock(name: CodeListName) -> None:
    effect = Effect.DELETE if name is DELETIONS else Effect.REPLACE
    for basis, meaning in load_code_list(name).codes.items():
        assert set(meaning.events) <= set(RULES.events)
        clocks = begun(change(effect=effect, basis=basis, bases=name))
        assert [one.awaits for one in clocks if not one.met_at and one.subject.peer] == [100], basis


def notice(occurred_at: datetime) -> Notice:
    return Notice(
        alias="0a" * 16, basis="0b" * 32, due=NOON, effect=Effect.DELETE, notice="0c" * 16, occurred_at=occurred_at,
        version=2,
    )  # fmt: skip


def test_a_holder_that_takes_a_batch_in_time_has_followed_it() -> None:
    clocks = begun_by_notices(BANK, 5, [notice(NOON), notice(NOON - timedelta(days=3))], COUNTING, NOON)

    assert {one.code: (one.start.on, one.standing) for one in clocks} == {
        "PEER_APPLY": (TODAY, Timeliness.IN_TIME),
        "PEER_DELETE": (date(2026, 11, 20), Timeliness.IN_TIME),
    }
    assert {(one.subject.about, one.subject.name, one.subject.count) for one in clocks} == {(About.NOTICES, "5", 2)}


def test_a_batch_that_travelled_for_a_week_is_followed_late() -> None:
    clocks = begun_by_notices(BANK, 5, [notice(NOON - timedelta(days=8))], COUNTING, NOON)

    assert {one.code: one.standing for one in clocks}["PEER_DELETE"] is Timeliness.LATE


@pytest.mark.parametrize("moment", [datetime(9999, 12, 31, 23, tzinfo=UTC), datetime(1, 1, 1, tzinfo=UTC)])
def test_a_home_with_a_wild_clock_does_not_keep_its_notices_from_being_taken(moment: datetime) -> None:
    assert len(begun_by_notices(BANK, 5, [notice(moment)], COUNTING, NOON)) == 2


def test_filing_is_timed_from_the_stated_day_but_not_from_one_behind_the_last_signature() -> None:
    stated, ahead = (
        begun_by_signing(b"\x0a" * 32, day, COUNTING, NOON) for day in (date(2026, 11, 20), date(2026, 12, 20))
    )

    assert [(one.code, one.start.on, one.due_on) for one in stated] == [
        ("AGR_FILE", date(2026, 11, 20), date(2026, 11, 27))
    ]
    assert [one.start.on for one in ahead] == [TODAY]
