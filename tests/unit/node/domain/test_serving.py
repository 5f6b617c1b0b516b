"""Serving: every reason for withholding holds on its own, and the strongest is told first."""

from dataclasses import replace
from datetime import datetime, time, timedelta, timezone

import pytest
from msgspec import structs

from agreements.refusal import NUMBER, Refusal
from node.domain.records import Coming, HomeRecord, Withheld
from node.domain.serving import in_order, is_visible, refusal_of, strongest, withheld
from node.domain.subjects import SubjectKind
from registry.norms.calendar import anniversary, months_later
from registry.norms.catalogue import Publicity
from registry.norms.law import shipped_law
from registry.norms.overlay import read_overlay
from registry.norms.packs import shipped
from registry.norms.rule_pack import Ruled
from tests.unit.node.domain.given import penalised, registered

SHENZHEN = timezone(timedelta(hours=8))
NOON = datetime(2026, 11, 23, 12, tzinfo=SHENZHEN)
LAW = shipped_law()
NO_CATALOGUE = replace(LAW, catalogue=structs.replace(LAW.catalogue, id="NONE", entries={}))


def reasons(record: HomeRecord, at: datetime = NOON) -> frozenset[Withheld]:
    return withheld(record, at, LAW)


def test_a_fresh_record_is_visible() -> None:
    assert is_visible(penalised().record, NOON, LAW)
    assert is_visible(registered().record, NOON, LAW)


def test_the_fifth_anniversary_is_the_first_day_withheld_in_shenzhen() -> None:
    record = penalised(decided_on="2021-11-23").record

    assert reasons(record, datetime(2026, 11, 22, 23, 59, 59, tzinfo=SHENZHEN)) == frozenset()
    assert reasons(record, datetime(2026, 11, 23, 0, 0, tzinfo=SHENZHEN)) == {Withheld.EXPIRED}


def test_a_registration_past_its_validity_has_lapsed() -> None:
    assert reasons(registered(valid_until="2026-11-22").record) == {Withheld.LAPSED}


def test_a_kind_that_fell_out_of_the_catalogue_is_withheld() -> None:
    assert withheld(penalised().record, NOON, NO_CATALOGUE) == {Withheld.OUT_OF_CATALOGUE}
    assert not is_visible(penalised().record, NOON, NO_CATALOGUE)


def test_a_natural_person_and_government_only_information_are_never_shown() -> None:
    record = structs.replace(
        registered().record,
        subject_kind=SubjectKind.NATURAL_PERSON_LINKED,
        publicity=Publicity.GOVERNMENT_ONLY,
    )

    assert reasons(record) == {Withheld.NATURAL_PERSON, Withheld.GOVERNMENT_ONLY}


def test_an_expiry_that_passed_during_a_suspension_still_withholds_when_it_ends() -> None:
    suspended = structs.replace(penalised(decided_on="2020-01-01").record, states=frozenset({Withheld.SUSPENDED}))

    assert reasons(suspended) == {Withheld.SUSPENDED, Withheld.EXPIRED}
    assert reasons(structs.replace(suspended, states=frozenset())) == {Withheld.EXPIRED}


@pytest.mark.parametrize(
    ("held", "told"),
    [
        (frozenset(), None),
        (frozenset(Withheld), Refusal.RECORD_DELETED),
        (frozenset({Withheld.SUSPENDED, Withheld.EXPIRED}), Refusal.DISCLOSURE_PERIOD_EXPIRED),
        (frozenset({Withheld.REPAIRED, Withheld.SUSPENDED}), Refusal.RECORD_SUSPENDED),
        (frozenset({Withheld.OPTED_OUT, Withheld.GOVERNMENT_ONLY}), Refusal.SUBJECT_OPT_OUT),
    ],
)
def test_the_strongest_reason_is_told_first(held: frozenset[Withheld], told: Refusal | None) -> None:
    assert strongest(held) is told


OF_ACTS = {
    Withheld.SUSPENDED: Refusal.RECORD_SUSPENDED,
    Withheld.REPAIRED: Refusal.RECORD_REPAIRED,
    Withheld.OPTED_OUT: Refusal.SUBJECT_OPT_OUT,
    Withheld.REVOCATION_PENDING: Refusal.REVOCATION_PENDING,
    Withheld.DELETED: Refusal.RECORD_DELETED,
}


@pytest.mark.parametrize(("state", "told"), OF_ACTS.items())
def test_each_state_of_an_act_withholds_and_has_its_code(state: Withheld, told: Refusal) -> None:
    record = structs.replace(registered().record, states=frozenset({state}))

    assert not is_visible(record, NOON, LAW)
    assert strongest(reasons(record)) is told


def test_a_period_that_ended_and_a_validity_that_lapsed_have_codes_of_their_own() -> None:
    assert strongest(reasons(penalised(decided_on="2020-01-01").record)) is Refusal.DISCLOSURE_PERIOD_EXPIRED
    assert strongest(reasons(registered(valid_until="2026-11-22").record)) is Refusal.BASIC_INFO_LAPSED


def test_the_codes_of_what_is_withheld_are_those_of_a_state_but_one() -> None:
    """Who is off a list is told why by intake."""
    group = {code for code, number in NUMBER.items() if 600 < number < 700}

    assert group - {refusal_of(state) for state in Withheld} == {Refusal.LIST_CONDITION_CEASED}


def test_a_state_to_come_withholds_from_the_first_second_of_its_day_in_shenzhen() -> None:
    coming = (Coming(Withheld.SUSPENDED, NOON.date() + timedelta(days=1)),)
    record = structs.replace(registered().record, coming=coming)
    midnight = datetime(2026, 11, 24, tzinfo=SHENZHEN)

    assert reasons(record, midnight - timedelta(seconds=1)) == frozenset()
    assert reasons(record, midnight) == {Withheld.SUSPENDED}


def test_the_order_is_the_one_of_the_law_and_leaves_nothing_out() -> None:
    expected = [
        "DELETED", "EXPIRED", "LAPSED", "OUT_OF_CATALOGUE", "UNFOUNDED", "SEVERITY_UNKNOWN", "CONSENT_ENDED",
        "REVOCATION_PENDING", "SUSPENDED", "REPAIRED", "OPTED_OUT", "GOVERNMENT_ONLY", "REORGANISED",
        "NATURAL_PERSON",
    ]  # fmt: skip

    assert in_order(frozenset(Withheld)) == expected


def test_every_reason_has_a_code() -> None:
    assert len({strongest({reason}) for reason in Withheld}) == len(Withheld)


GRADING = replace(LAW, severities=read_overlay(shipped("rules", "CN-NDRC-2026")).severities)


def test_a_record_admitted_before_the_law_graded_is_withheld_until_somebody_says_how_grave_it_was() -> None:
    assert withheld(penalised().record, NOON, GRADING) == {Withheld.SEVERITY_UNKNOWN}
    assert strongest({Withheld.SEVERITY_UNKNOWN}) is Refusal.PROVENANCE_MISSING
    assert is_visible(registered().record, NOON, GRADING), "only adverse public records are graded"


def test_a_record_that_says_it_is_withheld_once_its_severity_has_had_its_time() -> None:
    """The law in force decides, though the record was admitted for five years."""
    record = penalised(severity="GENERAL").record
    first = datetime.combine(months_later(record.generated_at, 12), time(), SHENZHEN)

    assert withheld(record, first - timedelta(seconds=1), GRADING) == frozenset()
    assert withheld(record, first, GRADING) == {Withheld.EXPIRED}
    assert is_visible(record, first, LAW)


def test_a_shorter_period_of_the_law_in_force_withholds_what_was_admitted_for_longer() -> None:
    rules = structs.replace(LAW.rules, disclosure_years=Ruled(value=2, article="x"))
    record = penalised().record
    first = datetime.combine(anniversary(record.generated_at, 2), time(), SHENZHEN)

    assert withheld(record, first - timedelta(seconds=1), replace(LAW, rules=rules)) == frozenset()
    assert withheld(record, first, replace(LAW, rules=rules)) == {Withheld.EXPIRED}
