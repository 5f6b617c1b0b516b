"""Every kind of record: taken in, written as a row again, told to others in coarse forms, and looked at by them."""

from datetime import date

import pytest

from node.domain.columns import standard_columns
from node.domain.correction import columns_of, correct
from node.domain.deidentified import check_deidentified, check_precision
from node.domain.intake import Admitted, Rejected, admit
from node.domain.records import Content, Kind, decode_content
from node.domain.rendition import renderable
from node.domain.rows import Row
from node.domain.vocabulary import load_vocabulary
from registry.norms.catalogue import Crossing, Precision, load_catalogue
from tests.fakes.forms import render
from tests.unit.node.domain.given import TOKENS, intake
from tests.unit.node.domain.sampled import ADMITTED, sampled

WORDS = load_vocabulary()
ENTRIES = load_catalogue().entries


def admitted(kind: Kind, **changes: str) -> Admitted:
    (row,) = sampled(kind)
    answer = admit(Row(2, row | changes), intake(kind))
    assert isinstance(answer, Admitted), answer
    return answer


def shown(content: Content, **granted: Precision) -> dict[str, object]:
    return dict(render(content, granted, WORDS, TOKENS))


@pytest.mark.parametrize("kind", ADMITTED)
def test_every_kind_is_taken_in_and_comes_back_from_storage_and_as_a_row(kind: Kind) -> None:
    for number, row in enumerate(sampled(kind, seed=3, count=40)):
        answer = admit(Row(number, row), intake(kind))
        assert isinstance(answer, Admitted), answer
        assert decode_content(kind, answer.encoded) == answer.record.content
        columns = columns_of(answer.record)
        assert tuple(columns) == standard_columns(kind)
        assert admit(Row(number, columns), intake(kind)) == answer


@pytest.mark.parametrize("kind", ADMITTED)
def test_every_wire_field_of_every_kind_passes_the_receivers_own_check(kind: Kind) -> None:
    for number, row in enumerate(sampled(kind, seed=4, count=40)):
        answer = admit(Row(number, row), intake(kind))
        assert isinstance(answer, Admitted), answer
        for name, precision in renderable(kind):
            values = render(answer.record.content, {name: precision}, WORDS, TOKENS)
            assert check_deidentified(kind.value, values, WORDS, "SZ-DRAFT-82") is None
            assert check_precision(kind.value, values, {name: precision}, WORDS, "SZ-DRAFT-82") is None


@pytest.mark.parametrize("kind", ADMITTED)
def test_a_receiver_refuses_the_home_form_of_every_wire_field(kind: Kind) -> None:
    content = admitted(kind).record.content
    for item in ENTRIES[kind.value].items:
        for value in ("深圳市示例科技有限公司", "2026-03-05", 12_345_678, content.identifiers[0].value, ("FINE", "x")):
            assert check_deidentified(kind.value, {item.name: value}, WORDS, "SZ-DRAFT-82") is not None


@pytest.mark.parametrize("kind", [kind for kind in ADMITTED if ENTRIES[kind.value].key])
def test_the_number_of_a_record_is_never_corrected(kind: Kind) -> None:
    record = admitted(kind).record
    field = ENTRIES[kind.value].home_field(ENTRIES[kind.value].key[0])
    assert field is not None

    answer = correct(record, {field.heading: "another number"}, intake(kind))

    assert isinstance(answer, Rejected)
    assert (answer.problem.field, answer.problem.got) == (field.heading, "another number")


def test_what_crosses_of_arrears() -> None:
    content = admitted(
        Kind.ARREARS, arrears_type="TAX", amount="3,000,000元", determined_on="2025-11-02", settled="否",
        authority_class="TAX", authority_level="CITY",
    ).record.content  # fmt: skip

    assert shown(
        content, arrears_type=Precision.EXACT_CODE, amount_band=Precision.BAND, determined=Precision.MONTH,
        settled=Precision.FLAG,
    ) == {"arrears_type": "TAX", "amount_band": "A5", "determined": "2025-11", "settled": False}  # fmt: skip


def test_what_crosses_of_a_credit_facility() -> None:
    content = admitted(Kind.CREDIT_FACILITY, balance="600万", days_overdue="45", month="2026年8月").record.content

    assert content["month"] == "2026-08"
    assert shown(content, balance_band=Precision.BAND, overdue_bucket=Precision.BAND, month=Precision.QUARTER) == {
        "balance_band": "B4",
        "overdue_bucket": "D2",
        "month": "2026-Q3",
    }


def test_a_licence_without_end_has_no_end_to_tell() -> None:
    record = admitted(Kind.LICENCE, valid_until="2099-12-31").record

    assert record.disclose_until is None
    assert shown(record.content, valid_until=Precision.MONTH) == {"valid_until": None}


def test_a_region_that_is_known_by_province_only_is_null_at_the_precision_of_cities() -> None:
    """The agreed precision is the only one that a receiver lets in."""
    content = admitted(Kind.LITIGATION, region_code="440000").record.content

    assert render(content, {"region": Precision.CITY}, WORDS) == {"region": None}
    assert render(content, {"region": Precision.PROVINCE}, WORDS) == {"region": "44"}


def test_litigation_is_neutral_and_shown_no_longer_than_negative_information() -> None:
    record = admitted(Kind.LITIGATION, filed_on="2024-01-10", closed_on="2025-03-01").record

    assert (record.polarity, record.generated_at, record.disclose_until) == (
        "NEUTRAL",
        date(2024, 1, 10),
        date(2029, 1, 10),
    )


@pytest.mark.parametrize(
    ("changes", "until"),
    [
        ({}, date(2029, 3, 5)),
        ({"disclose_until": "2027-06-30"}, date(2027, 7, 1)),
        ({"disclose_until": "2031-01-01"}, date(2029, 3, 5)),
        ({"min_publicity_until": "2026-12-31"}, date(2027, 1, 1)),
        ({"min_publicity_until": "2025-01-01", "disclose_until": "2027-06-30"}, date(2027, 7, 1)),
    ],
)
def test_the_provider_may_end_disclosure_earlier_and_never_later(changes: dict[str, str], until: date) -> None:
    assert admitted(Kind.PENALTY, decided_on="2024-03-05", **changes).record.disclose_until == until


def test_joint_measures_and_grades_end_with_their_own_last_day() -> None:
    assert admitted(Kind.SERIOUS_LIST, listed_on="2025-01-01", punish_until="2026-12-31").record.disclose_until == date(
        2027, 1, 1
    )
    graded = admitted(Kind.PUBLIC_GRADE, rated_on="2026-01-01", valid_until="2027-01-31").record
    assert graded.disclose_until == date(2027, 2, 1)


def test_what_rests_on_consent_ends_with_it() -> None:
    record = admitted(Kind.TRADE_PERFORMANCE, consented_on="2026-11-01", consent_until="2027-02-28").record

    assert record.disclose_until == date(2027, 3, 1)


def test_a_month_is_generated_on_its_first_day() -> None:
    assert admitted(Kind.TRADE_PERFORMANCE, period="2026-03").record.generated_at == date(2026, 3, 1)


def test_the_proviso_is_category_zero_and_other_law_category_eleven() -> None:
    proviso = {"category_code": "NX", "basic_catalogue": "全国公共信用信息基础目录2026", "basic_item": "12"}

    assert admitted(Kind.OTHER_ADVERSE, **proviso).record.negative_category == 0
    assert admitted(Kind.OTHER_ADVERSE).record.negative_category == 11


def test_only_kinds_that_never_cross_are_closed_to_every_agreement_party() -> None:
    closed = {kind for kind, entry in ENTRIES.items() if entry.sharing_scope == {"STATE_ORGAN"}}

    assert closed == {kind for kind, entry in ENTRIES.items() if entry.crosses is Crossing.NEVER}


def test_an_intake_that_has_read_rows_shows_nothing_of_them() -> None:
    by = intake(Kind.ARREARS)
    for number, row in enumerate(sampled(Kind.ARREARS, count=20)):
        admit(Row(number, row | {"amount": "987654元"}), by)

    shown_of_it = repr(by) + repr(by.plan) + repr(by.common)
    assert "987654" not in shown_of_it
    assert "98765400" not in shown_of_it
