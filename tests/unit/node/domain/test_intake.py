"""Intake: what becomes a home record, and what is refused with which reason."""

from dataclasses import replace
from datetime import date

import pytest
from msgspec import structs

from agreements.refusal import Refusal, Refused
from node.domain.intake import Admitted, Intake, Rejected, admit, open_intake
from node.domain.money import Money
from node.domain.records import (
    Kind,
    decode_content,
    digest_content,
    encode_content,
)
from node.domain.rows import Row
from node.domain.subjects import SubjectKind
from registry.norms.calendar import months_later
from registry.norms.catalogue import Polarity, Publicity
from registry.norms.law import shipped_law
from registry.norms.overlay import Severity, read_overlay
from registry.norms.packs import shipped
from registry.parties import PartyId
from tests.unit.node.domain.given import PENALTY, TODAY, USCC, penalise, penalised, register, registered


def reason(answer: object) -> tuple[Refusal, str]:
    assert isinstance(answer, Rejected)
    return answer.reason, answer.problem.field


def test_a_registration_is_admitted_under_its_catalogue_entry() -> None:
    admitted = registered()
    record, content = admitted.record, admitted.record.content

    assert (record.kind, record.version, record.polarity, record.negative_category) == (
        "101",
        1,
        Polarity.BASIC,
        None,
    )
    assert (record.catalogue.catalogue, record.catalogue.item) == ("SZ-2026", "SZ-2026-101")
    assert (record.publicity, record.source_system) == (Publicity.ACTIVE, "SZ-CREDIT")
    assert (record.generated_at, record.reported_at, record.disclose_until) == (
        date(1998, 6, 18),
        TODAY,
        None,
    )
    assert content["capital"] == Money(500_000_00, "CNY")
    assert [one.value for one in admitted.subject.identifiers] == [USCC]
    assert admitted.subject.kind is SubjectKind.LEGAL_PERSON


def test_a_penalty_is_admitted_as_category_one_for_five_years() -> None:
    record = penalised().record

    assert record.content["penalty_types"] == ("FINE", "WARNING")
    assert record.content["legal_form_ref"] == record.content["decision_no"]
    assert (record.polarity, record.negative_category) == (Polarity.ADVERSE, 1)
    assert record.disclose_until == date(2029, 3, 5)


def test_generation_is_the_earliest_day_present() -> None:
    assert penalised(generated_on="2024-02-29").record.disclose_until == date(2029, 2, 28)
    assert penalised(generated_on="2025-01-01").record.generated_at == date(2024, 3, 5)


def test_a_registration_with_an_end_is_withheld_from_the_day_after() -> None:
    assert registered(valid_until="2027-01-31").record.disclose_until == date(2027, 2, 1)
    assert registered(valid_until="2099-12-31").record.disclose_until is None


def test_the_same_row_gives_the_same_key_and_digest_and_a_change_gives_another_digest() -> None:
    first, again, moved = registered().record, registered().record, registered(address="别处").record

    assert (first.source_key, first.content_digest) == (again.source_key, again.content_digest)
    assert first.source_key == moved.source_key
    assert first.content_digest != moved.content_digest


def test_another_decision_has_another_key_and_another_day_another_digest() -> None:
    assert penalised().record.source_key != penalised(decision_no="78").record.source_key
    assert penalised().record.content_digest != penalised(generated_on="2024-01-01").record.content_digest


def test_content_survives_storage() -> None:
    for record in (registered(lei="9845TESTNODESHZHK005").record, penalised().record):
        raw = encode_content(record.content)
        assert decode_content(record.kind, raw) == record.content
        assert digest_content(record.kind, record.generated_at, raw) == record.content_digest


def test_what_a_register_leaves_out_is_null() -> None:
    content = registered(
        entity_type="", capital="", industry_section="", region_code="", address="", status=""
    ).record.content

    assert [content[name] for name in ("entity_type_code", "capital", "region_code", "status_code")] == [None] * 4


@pytest.mark.parametrize(
    ("code", "kept"),
    [
        ("440300", "440300"),
        ("440305", "440305"),
        ("4403", "4403"),
        ("440000", "44"),
        ("44", "44"),
        ("hk", "HK"),
    ],
)
def test_a_region_is_kept_as_far_as_it_is_listed(code: str, kept: str) -> None:
    assert registered(region_code=code).record.content["region_code"] == kept


def test_an_unincorporated_organisation_is_told_from_a_legal_person() -> None:
    assert registered(entity_type="PARTNERSHIP").record.subject_kind is SubjectKind.UNINCORPORATED


def test_every_identifier_of_a_row_leads_to_its_subject() -> None:
    subject = registered(lei="9845TESTNODESHZHK005", hk_cr="1234567").subject

    assert [one.scheme for one in subject.identifiers] == ["CN-USCC", "HK-CR", "LEI"]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"uscc": "91440300MA5TERT15P"}, (Refusal.SUBJECT_ID_INVALID, "uscc")),
        ({"uscc": ""}, (Refusal.SUBJECT_ID_INVALID, "identifiers")),
        ({"hk_brn": "1234"}, (Refusal.SUBJECT_ID_INVALID, "hk_brn")),
        ({"uscc": "92440300MA5TERT31B"}, (Refusal.NATURAL_PERSON_SUBJECT, "identifiers")),
        ({"uscc": "", "mo_tin": "00000001"}, (Refusal.NATURAL_PERSON_SUBJECT, "identifiers")),
        ({"entity_type": "HK_SOLE_PROPRIETOR"}, (Refusal.NATURAL_PERSON_SUBJECT, "identifiers")),
        (
            {"uscc": "", "hk_brn": "12345678", "entity_type": ""},
            (Refusal.NATURAL_PERSON_SUBJECT, "entity_type"),
        ),
        (
            {"uscc": "", "lei": "9845TESTNODESHZHK005", "entity_type": ""},
            (Refusal.NATURAL_PERSON_SUBJECT, "entity_type"),
        ),
        ({"name_zh": "", "name_en": ""}, (Refusal.PROVENANCE_MISSING, "name_zh")),
        ({"established_on": ""}, (Refusal.PROVENANCE_MISSING, "generated_on")),
        ({"established_on": "2026-11-24"}, (Refusal.MALFORMED, "established_on")),
        ({"established_on": "18/06/1998"}, (Refusal.MALFORMED, "established_on")),
        ({"entity_type": "有限责任公司"}, (Refusal.MALFORMED, "entity_type")),
        ({"capital": "much"}, (Refusal.MALFORMED, "capital")),
        ({"region_code": "990000"}, (Refusal.MALFORMED, "region_code")),
        ({"status": "GONE"}, (Refusal.MALFORMED, "status")),
        ({"address": "x" * 401}, (Refusal.MALFORMED, "address")),
        ({"address": "联系电话13800138000"}, (Refusal.SECRET_OR_PRIVACY, "address")),
        ({"name_en": "a.person@example.com"}, (Refusal.SECRET_OR_PRIVACY, "name_en")),
        ({"uscc_check_attested": "perhaps"}, (Refusal.MALFORMED, "uscc_check_attested")),
    ],
)
def test_a_registration_is_refused_with_its_reason(changes: dict[str, str], expected: tuple[Refusal, str]) -> None:
    assert reason(register(**changes)) == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"procedure": "SUMMARY"}, (Refusal.SUMMARY_PROCEDURE_PENALTY, "procedure")),
        ({"procedure": ""}, (Refusal.PROVENANCE_MISSING, "procedure")),
        ({"procedure": "ORAL"}, (Refusal.MALFORMED, "procedure")),
        ({"minor_circumstances": "true"}, (Refusal.MINOR_PENALTY_EXEMPT, "minor_circumstances")),
        ({"liability_borne": ""}, (Refusal.MINOR_PENALTY_EXEMPT, "minor_circumstances")),
        ({"decision_no": ""}, (Refusal.PROVENANCE_MISSING, "decision_no")),
        ({"penalty_types": ""}, (Refusal.PROVENANCE_MISSING, "penalty_types")),
        ({"penalty_types": "FINE;STARE"}, (Refusal.MALFORMED, "penalty_types")),
        ({"decided_on": ""}, (Refusal.PROVENANCE_MISSING, "decided_on")),
        ({"authority_class": ""}, (Refusal.PROVENANCE_MISSING, "authority_class")),
        ({"facts": "负责人患病期间"}, (Refusal.EXCLUDED_CATEGORY, "facts")),
        ({"facts": "Blood type of an employee published"}, (Refusal.EXCLUDED_CATEGORY, "facts")),
        ({"facts": "当事人身份证11010519491231002X"}, (Refusal.SECRET_OR_PRIVACY, "facts")),
        ({"facts": "holder of A123456(3)"}, (Refusal.SECRET_OR_PRIVACY, "facts")),
        ({"performed": "maybe"}, (Refusal.MALFORMED, "performed")),
    ],
)
def test_a_penalty_is_refused_with_its_reason(changes: dict[str, str], expected: tuple[Refusal, str]) -> None:
    assert reason(penalise(**changes)) == expected


@pytest.mark.parametrize(
    "facts",
    [
        "未经许可经营，货值9144030061883922元",
        "号码11010519491231002Y",
        "日期不符11010519491331002X",
        "编号A123456(4)",
    ],
)
def test_numbers_without_a_right_check_character_are_no_mark_of_a_person(facts: str) -> None:
    assert penalised(facts=facts).record.content["facts"] == facts


def test_an_enterprise_may_be_named_for_what_it_does() -> None:
    assert registered(name_zh="深圳基因疾病研究有限公司").record.kind is Kind.REGISTRATION


def test_an_attested_code_with_a_wrong_check_character_is_admitted_and_marked() -> None:
    admitted = registered(uscc="91350211M0000XUF46", uscc_check_attested="true")

    assert admitted.subject.identifiers[0].check_waived


def test_an_answer_repeats_codes_only() -> None:
    unknown, text = register(status="GONE"), register(status="somewhere quiet")

    assert isinstance(unknown, Rejected)
    assert isinstance(text, Rejected)
    assert unknown.problem.got == "GONE"
    assert text.problem.got == "15 characters that are no code"


@pytest.mark.parametrize("slipped", [USCC, "19980618", "1998-06-18", "500000", "1234567"])
def test_an_answer_does_not_repeat_a_value_that_slipped_in_from_another_column(slipped: str) -> None:
    """An identifier, a date and an amount look like codes, too."""
    answer = register(status=slipped)

    assert isinstance(answer, Rejected)
    assert answer.problem.got == f"{len(slipped)} characters that are no code"


def test_nothing_admitted_shows_its_content() -> None:
    admitted = (penalised(), registered())
    shown = repr(admitted) + repr([one.record.content for one in admitted])

    assert all(secret not in shown for secret in (USCC, "示例", "Sample", "77", "23,456", "2345600"))


def test_a_kind_outside_the_catalogue_is_refused() -> None:
    full = shipped_law()
    empty = replace(full, catalogue=structs.replace(full.catalogue, id="NONE", entries={}))
    unlisted = open_intake(Kind.PENALTY, empty, provider=PartyId("sz-credit"), source_system="x", today=TODAY)

    assert isinstance(unlisted, Refused)
    assert (unlisted.reason, unlisted.rule_pack) == (Refusal.NOT_IN_CATALOGUE, "SZ-DRAFT-82@1")


def graded(**changes: str) -> Admitted | Rejected:
    """A penalty taken in under a law that grades adverse public records."""
    law = replace(shipped_law(), severities=read_overlay(shipped("rules", "CN-NDRC-2026")).severities)
    opened = open_intake(Kind.PENALTY, law, provider=PartyId("sz-credit"), source_system="x", today=TODAY)
    assert isinstance(opened, Intake)
    return admit(Row(2, PENALTY | changes), opened)


@pytest.mark.parametrize(("severity", "until"), [("MINOR", (3, 0)), ("GENERAL", (0, 1)), ("SERIOUS", (0, 3))])
def test_a_graded_penalty_is_shown_for_as_long_as_its_severity_says(severity: str, until: tuple[int, int]) -> None:
    """S 31 and the national rule: three months, one year or three, whichever comes before the five years."""
    admitted = graded(severity=severity)
    months, years = until

    assert isinstance(admitted, Admitted)
    record = admitted.record
    assert record.disclose_until == months_later(record.generated_at, months + 12 * years)
    assert record.severity is Severity(severity)


def test_a_penalty_that_does_not_say_how_grave_it_was_is_refused_under_a_law_that_grades() -> None:
    refused = graded()

    assert isinstance(refused, Rejected)
    assert (refused.reason, refused.problem.field) == (Refusal.PROVENANCE_MISSING, "severity")
    assert isinstance(penalise(), Admitted), "nothing is asked where the law does not grade"
    assert reason(graded(severity="GRAVE")) == (Refusal.MALFORMED, "severity")


def test_a_severity_changes_nothing_where_the_law_does_not_grade() -> None:
    plain, stated = penalised().record, penalised(severity="MINOR").record

    assert stated.disclose_until == plain.disclose_until
    assert stated.severity is Severity.MINOR


def test_a_penalty_without_a_severity_is_written_as_it_was_before_there_was_one() -> None:
    """Contents that were stored before keep their digest, so that the same row is still nothing new."""
    content = penalised().record.content

    assert b"severity" not in encode_content(content)
    assert b'"severity":"MINOR"' in encode_content(penalised(severity="MINOR").record.content)
    assert decode_content(Kind.PENALTY, encode_content(content)) == content


def test_months_end_with_the_month_where_it_is_shorter() -> None:
    assert months_later(date(2025, 11, 30), 3) == date(2026, 2, 28)
    assert months_later(date(2023, 11, 29), 3) == date(2024, 2, 29)
    assert months_later(date(2026, 1, 1), 36) == date(2029, 1, 1)
