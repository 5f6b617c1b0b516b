"""A record looked at again by the law in force: it stays, falls for a reason, or is shown for a shorter time."""

from dataclasses import replace
from datetime import date

import pytest
from msgspec import structs

from agreements.refusal import Refusal, refuse
from node.domain.intake import Admitted, Intake, admit, open_intake
from node.domain.recheck import Fallen, earlier, judge
from node.domain.records import HomeRecord, Kind, Withheld
from node.domain.rows import Row
from registry.norms.law import Law, shipped_law
from registry.norms.overlay import read_overlay
from registry.norms.packs import shipped
from registry.norms.rule_pack import Ruled
from registry.parties import PartyId
from tests.unit.node.domain.given import TODAY, intake, penalised
from tests.unit.node.domain.sampled import ADMITTED, sampled

LAW = shipped_law()
GRADING = replace(LAW, severities=read_overlay(shipped("rules", "CN-NDRC-2026")).severities)


def by(law: Law, kind: Kind = Kind.PENALTY, today: date = TODAY) -> Intake:
    opened = open_intake(kind, law, provider=PartyId("sz-credit"), source_system="SZ-CREDIT", today=today)
    assert isinstance(opened, Intake)
    return opened


def sample(kind: Kind) -> HomeRecord:
    answer = admit(Row(2, sampled(kind)[0]), intake(kind))
    assert isinstance(answer, Admitted), answer
    return answer.record


@pytest.mark.parametrize("kind", ADMITTED)
def test_by_the_law_that_admitted_it_a_record_of_any_kind_stays_as_it_is(kind: Kind) -> None:
    for number, row in enumerate(sampled(kind, seed=5, count=30)):
        answer = admit(Row(number, row), intake(kind))
        assert isinstance(answer, Admitted), answer
        judged, record = judge(answer.record, intake(kind)), answer.record

        assert judged.fallen is None
        assert (judged.disclose_until, judged.publicity, judged.nature, judged.polarity, judged.negative_category) == (
            record.disclose_until, record.publicity, record.nature, record.polarity, record.negative_category,
        )  # fmt: skip


@pytest.mark.parametrize(
    ("reason", "state"),
    [
        (Refusal.NOT_IN_CATALOGUE, Withheld.OUT_OF_CATALOGUE),
        (Refusal.CATALOGUE_VERSION_UNKNOWN, Withheld.OUT_OF_CATALOGUE),
        (Refusal.NATURAL_PERSON_SUBJECT, Withheld.UNFOUNDED),
        (Refusal.ADVERSE_WARNING_MISSING, Withheld.CONSENT_ENDED),
    ],
)
def test_a_kind_that_is_not_taken_in_any_more_falls_with_all_its_records(reason: Refusal, state: Withheld) -> None:
    record = penalised().record
    judged = judge(record, refuse(reason, "SZ-DRAFT-82"))

    assert judged.fallen == Fallen(state=state, reason=reason, field="kind")
    assert judged.disclose_until == record.disclose_until, "all else stays as it was"


def test_a_record_that_does_not_say_how_grave_the_breach_was_falls_where_the_law_grades() -> None:
    judged = judge(penalised().record, by(GRADING))

    assert judged.fallen == Fallen(
        state=Withheld.SEVERITY_UNKNOWN, reason=Refusal.PROVENANCE_MISSING, field="severity"
    )  # fmt: skip


def test_one_that_says_so_is_shown_for_as_long_as_its_severity_has_it() -> None:
    record = penalised(severity="GENERAL").record
    judged = judge(record, by(GRADING))

    assert judged.fallen is None
    assert judged.disclose_until == record.generated_at.replace(year=record.generated_at.year + 1)


def test_a_penalty_whose_exception_facts_are_missing_counts_as_exempt_now() -> None:
    """S 18(1): evidence that an earlier law did not ask for."""
    record = penalised().record
    silent = structs.replace(record, content=structs.replace(record.content, minor_circumstances=None))

    assert judge(silent, by(LAW)).fallen == Fallen(
        state=Withheld.UNFOUNDED, reason=Refusal.MINOR_PENALTY_EXEMPT, field="minor_circumstances"
    )


def test_an_enterprise_that_corrected_in_time_is_on_a_serious_list_no_more() -> None:
    """S 52."""
    record = sample(Kind.SERIOUS_LIST)
    corrected = structs.replace(record, content=structs.replace(record.content, corrected=True))

    assert judge(corrected, by(LAW, Kind.SERIOUS_LIST)).fallen == Fallen(
        state=Withheld.UNFOUNDED, reason=Refusal.LIST_CONDITION_CEASED, field="corrected"
    )


def test_a_consent_that_ended_withholds_what_rested_on_it() -> None:
    """S 35: no public information, and no consent any more."""
    record = sample(Kind.TRADE_PERFORMANCE)
    until = record.content["consent_until"]
    assert isinstance(until, date)

    fallen = judge(record, by(LAW, Kind.TRADE_PERFORMANCE, until.replace(year=until.year + 1))).fallen
    assert fallen == Fallen(state=Withheld.CONSENT_ENDED, reason=Refusal.CONSENT_EXPIRED, field="consent_until")


def test_a_shorter_period_counts_at_once_and_a_longer_one_gives_nothing_back() -> None:
    """S 31."""
    record = penalised().record
    rules = structs.replace(LAW.rules, disclosure_years=Ruled(value=2, article="x"))
    shorter = judge(record, by(replace(LAW, rules=rules))).disclose_until

    assert shorter == record.generated_at.replace(year=record.generated_at.year + 2)
    assert judge(structs.replace(record, disclose_until=shorter), by(LAW)).disclose_until == shorter


@pytest.mark.parametrize(
    ("one", "other", "kept"),
    [(None, None, None), (TODAY, None, TODAY), (None, TODAY, TODAY), (date.max, TODAY, TODAY)],
)
def test_no_end_is_the_latest_of_all(one: date | None, other: date | None, kept: date | None) -> None:
    assert earlier(one, other) == kept
