"""Corrections: what a record looks like as a row, and which changes of that row it takes."""

from datetime import date

import pytest
from msgspec.structs import replace

from agreements.refusal import Refusal
from node.domain.columns import standard_columns
from node.domain.correction import columns_of, correct
from node.domain.identifiers import Problem
from node.domain.intake import Admitted, Rejected
from node.domain.money import Money
from node.domain.records import HomeRecord, Kind, decode_content, encode_content
from node.domain.subjects import SubjectKind
from node.domain.vocabulary import load_vocabulary
from tests.unit.node.domain.given import USCC, intake, penalised, registered

LEI = "9845TESTNODESHZHK005"
BOTH = pytest.mark.parametrize("record", [registered().record, penalised().record], ids=["registration", "penalty"])


def corrected(record: HomeRecord, **changes: str) -> Admitted:
    answer = correct(record, changes, intake(record.kind))
    assert isinstance(answer, Admitted), answer
    return answer


def refused(record: HomeRecord, **changes: str) -> tuple[Refusal, Problem]:
    answer = correct(record, changes, intake(record.kind))
    assert isinstance(answer, Rejected), answer
    return answer.reason, answer.problem


def out_of_the_store(record: HomeRecord) -> HomeRecord:
    content = decode_content(record.kind, encode_content(record.content))
    return replace(record, content=content, content_digest=b"", source_key=b"")


def test_a_registration_is_written_as_a_standard_row() -> None:
    columns = columns_of(registered(capital="231.5万港币", region_code="440000", lei=LEI).record)

    assert tuple(columns) == standard_columns(Kind.REGISTRATION)
    assert (columns["uscc"], columns["lei"], columns["uscc_check_attested"]) == (USCC, LEI, "")
    assert (columns["capital"], columns["region_code"]) == ("2315000.00 HKD", "44")
    assert (columns["established_on"], columns["valid_until"]) == ("1998-06-18", "")


def test_a_penalty_is_written_as_a_standard_row() -> None:
    columns = columns_of(penalised(performed="", amount="0.5元").record)

    assert tuple(columns) == standard_columns(Kind.PENALTY)
    assert (columns["penalty_types"], columns["amount"]) == ("FINE;WARNING", "0.50 CNY")
    assert (columns["procedure"], columns["performed"], columns["small_impact"]) == ("GENERAL", "", "true")
    assert columns["legal_form"] == columns["decision_no"]


def test_a_waived_check_character_stays_attested() -> None:
    record = registered(uscc=USCC[:-1] + "P", uscc_check_attested="是").record

    assert columns_of(record)["uscc_check_attested"] == "true"
    assert corrected(record, address="别处").record.content.identifiers[0].check_waived


def test_a_dummy_business_registration_goes_back_into_its_column() -> None:
    record = registered(uscc="", hk_brn="LP000123", entity_type="HK_PRIVATE").record

    assert columns_of(record)["hk_brn"] == "LP000123"


def test_an_end_without_end_stays_open() -> None:
    assert columns_of(registered(valid_until="2099-12-31").record)["valid_until"] == ""


def test_the_day_of_generation_is_written_whatever_the_row_said() -> None:
    assert columns_of(penalised(generated_on="2024-01-31").record)["generated_on"] == "2024-01-31"
    assert columns_of(penalised(generated_on="").record)["generated_on"] == "2024-03-05"
    assert columns_of(penalised(generated_on="2025-01-01").record)["generated_on"] == "2024-03-05"


@pytest.mark.parametrize(
    ("entity_type", "kind"),
    [("BRANCH", SubjectKind.UNINCORPORATED), ("LIMITED", SubjectKind.LEGAL_PERSON), ("", SubjectKind.LEGAL_PERSON)],
)
def test_a_penalty_keeps_the_kind_of_its_subject(entity_type: str, kind: SubjectKind) -> None:
    record = penalised(entity_type=entity_type).record

    assert corrected(record, amount="1元").record.subject_kind is kind


def test_a_penalty_known_by_a_business_registration_alone_can_be_corrected() -> None:
    record = penalised(uscc="", hk_brn="12345678", entity_type="HK_PRIVATE").record

    assert corrected(record, amount="1元").record.subject_kind is SubjectKind.LEGAL_PERSON


def test_the_type_that_stands_for_a_natural_person_is_refused_like_one() -> None:
    record = replace(penalised().record, subject_kind=SubjectKind.NATURAL_PERSON_LINKED)

    assert columns_of(record)["entity_type"] in load_vocabulary().natural_person
    assert refused(record, amount="1元")[0] is Refusal.NATURAL_PERSON_SUBJECT


def test_a_corrected_registration_differs_in_the_changed_columns_only() -> None:
    record = registered().record
    content = corrected(record, name_en="Sample Ltd.", capital="60万", entity_type="BRANCH").record.content

    assert (content.name_en, content["capital"], content["entity_type_code"]) == (
        "Sample Ltd.",
        Money(600_000_00, "CNY"),
        "BRANCH",
    )
    assert columns_of(record) | {"name_en": "Sample Ltd.", "capital": "600000.00 CNY", "entity_type": "BRANCH"} == (
        columns_of(corrected(record, name_en="Sample Ltd.", capital="60万", entity_type="BRANCH").record)
    )


def test_a_corrected_penalty_differs_in_the_changed_columns_only() -> None:
    record = penalised().record
    after = corrected(record, amount="100元", penalty_types="FINE", performed="false").record

    assert columns_of(record) | {"amount": "100.00 CNY", "penalty_types": "FINE", "performed": "false"} == (
        columns_of(after)
    )
    assert after.content_digest != record.content_digest


@BOTH
def test_a_correction_is_of_the_same_row_and_of_the_same_subject(record: HomeRecord) -> None:
    after = corrected(record, name_en="Other Name Ltd.")

    assert after.record.source_key == record.source_key
    assert after.subject.identifiers == record.content.identifiers
    assert after.subject.names == ("深圳市示例科技有限公司", "Other Name Ltd.")


@BOTH
def test_a_record_out_of_the_store_is_corrected_like_a_fresh_one(record: HomeRecord) -> None:
    assert corrected(out_of_the_store(record), name_en="X Ltd.") == corrected(record, name_en="X Ltd.")


def test_an_empty_text_clears_a_column() -> None:
    content = corrected(registered(valid_until="2027-01-31").record, address="", valid_until=" ").record.content

    assert (content["address"], content["valid_until"]) == (None, None)


def test_a_cleared_legal_form_is_the_decision_again() -> None:
    content = corrected(penalised(legal_form="判决书").record, legal_form="").record.content

    assert content["legal_form_ref"] == content["decision_no"]


def test_a_new_end_of_validity_is_a_new_end_of_disclosure() -> None:
    assert corrected(registered().record, valid_until="2027-01-31").record.disclose_until == date(2027, 2, 1)


def test_the_day_of_generation_stays_when_a_later_decision_day_is_put_right() -> None:
    after = corrected(penalised().record, decided_on="2025-03-05").record

    assert (after.generated_at, after.disclose_until) == (date(2024, 3, 5), date(2029, 3, 5))


def test_the_day_of_generation_changes_when_it_is_among_the_changes() -> None:
    moved = corrected(penalised().record, decided_on="2025-03-05", generated_on="2025-02-01").record
    cleared = corrected(penalised().record, decided_on="2025-03-05", generated_on="").record

    assert (moved.generated_at, moved.disclose_until) == (date(2025, 2, 1), date(2030, 2, 1))
    assert (cleared.generated_at, cleared.disclose_until) == (date(2025, 3, 5), date(2030, 3, 5))


def test_an_earlier_decision_day_makes_generation_earlier() -> None:
    after = corrected(penalised().record, decided_on="2023-03-05").record

    assert (after.generated_at, after.disclose_until) == (date(2023, 3, 5), date(2028, 3, 5))


def test_another_day_of_generation_alone_is_a_change() -> None:
    record = penalised().record
    after = corrected(record, generated_on="2024-01-31").record

    assert after.content == record.content
    assert after.content_digest != record.content_digest


@BOTH
@pytest.mark.parametrize("column", ["colour", "Address", "", "深圳市"])
def test_a_column_that_the_kind_does_not_have_is_refused_and_not_repeated(record: HomeRecord, column: str) -> None:
    assert refused(record, **{column: "x"}) == (
        Refusal.MALFORMED,
        Problem("changes", f"one of {', '.join(columns_of(record))}", "another column"),
    )


def test_a_column_of_the_other_kind_is_refused() -> None:
    assert refused(registered().record, amount="1元")[1].field == "changes"
    assert refused(penalised().record, capital="1元")[1].field == "changes"


@BOTH
def test_no_change_is_refused(record: HomeRecord) -> None:
    nothing_new = (Refusal.MALFORMED, Problem("changes", "a change", "the same record"))

    assert refused(record) == nothing_new
    assert refused(record, **columns_of(record)) == nothing_new
    assert refused(out_of_the_store(record), name_zh=" 深圳市示例科技有限公司 ") == nothing_new


def test_another_spelling_is_no_change() -> None:
    assert refused(registered().record, capital="500,000元", region_code="440300")[1].got == "the same record"
    assert refused(penalised().record, penalty_types="WARNING、FINE", performed="是")[1].got == "the same record"
    assert refused(penalised().record, uscc=USCC.lower(), uscc_check_attested="yes")[1].got == "the same record"


def test_another_entity_type_is_nothing_new_to_a_penalty() -> None:
    assert refused(penalised().record, entity_type="BRANCH")[1].got == "the same record"


@BOTH
@pytest.mark.parametrize(
    ("changes", "column"),
    [
        ({"uscc": "91110000600037341L"}, "uscc"),
        ({"lei": LEI}, "lei"),
        ({"uscc": "", "lei": LEI, "entity_type": "LIMITED"}, "uscc"),
        ({"hk_brn": "12345678", "name_en": "Other Ltd."}, "hk_brn"),
    ],
)
def test_other_identifiers_are_another_record(record: HomeRecord, changes: dict[str, str], column: str) -> None:
    reason, problem = refused(out_of_the_store(record), **changes)

    assert (reason, problem.field, problem.got) == (Refusal.SUBJECT_ID_INVALID, column, "other identifiers")
    assert "deleted and loaded anew" in problem.expected


def test_another_decision_number_is_another_record() -> None:
    reason, problem = refused(out_of_the_store(penalised().record), decision_no="深市监罚〔2024〕78号")

    assert (reason, problem.field, problem.got) == (Refusal.MALFORMED, "decision_no", "another number")
    assert "deleted and loaded anew" in problem.expected


@pytest.mark.parametrize(
    ("record", "changes", "expected"),
    [
        (registered().record, {"name_zh": "", "name_en": ""}, (Refusal.PROVENANCE_MISSING, "name_zh")),
        (registered().record, {"entity_type": "INDIVIDUAL_BUSINESS"}, (Refusal.NATURAL_PERSON_SUBJECT, "identifiers")),
        (registered().record, {"uscc": USCC[:-1] + "P"}, (Refusal.SUBJECT_ID_INVALID, "uscc")),
        (registered().record, {"address": "电话13800138000"}, (Refusal.SECRET_OR_PRIVACY, "address")),
        (registered().record, {"established_on": "2026-11-24"}, (Refusal.MALFORMED, "established_on")),
        (penalised().record, {"decision_no": ""}, (Refusal.PROVENANCE_MISSING, "decision_no")),
        (penalised().record, {"procedure": "SUMMARY"}, (Refusal.SUMMARY_PROCEDURE_PENALTY, "procedure")),
        (penalised().record, {"minor_circumstances": "true"}, (Refusal.MINOR_PENALTY_EXEMPT, "minor_circumstances")),
        (penalised().record, {"liability_borne": ""}, (Refusal.MINOR_PENALTY_EXEMPT, "minor_circumstances")),
        (penalised().record, {"penalty_types": "STARE"}, (Refusal.MALFORMED, "penalty_types")),
    ],
)
def test_a_correction_passes_every_rule_of_intake(
    record: HomeRecord, changes: dict[str, str], expected: tuple[Refusal, str]
) -> None:
    reason, problem = refused(record, **changes)

    assert (reason, problem.field) == expected
