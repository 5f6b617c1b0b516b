"""De-identification: what leaves home, and what a receiver lets in."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agreements.refusal import Refusal
from crypto.commitment import Value
from node.domain.deidentified import check_deidentified, check_ending, check_precision
from node.domain.errors import NotRenderable
from node.domain.records import Kind
from node.domain.rendition import renderable, untold_through, valid_until
from node.domain.vocabulary import load_vocabulary
from registry.norms.catalogue import Precision, load_catalogue
from tests.fakes.forms import render
from tests.unit.node.domain.given import TOKENS, penalised, registered

FINE = {
    "entity_type_code": Precision.EXACT_CODE,
    "established": Precision.YEAR,
    "capital_band": Precision.BAND,
    "industry_section": Precision.SECTION,
    "industry_division": Precision.DIVISION,
    "region": Precision.CITY,
    "status_code": Precision.EXACT_CODE,
    "has_lei": Precision.FLAG,
}
PUNISHED = {
    "penalty_types": Precision.EXACT_CODE,
    "amount_band": Precision.BAND,
    "decision": Precision.MONTH,
    "authority_class": Precision.EXACT_CODE,
    "authority_level": Precision.EXACT_CODE,
    "legal_basis_code": Precision.EXACT_CODE,
    "performed": Precision.FLAG,
    "document_token": Precision.TOKEN,
}
WORDS = load_vocabulary()


def test_a_registration_leaves_in_codes_bands_and_years() -> None:
    assert render(registered(industry_division="3912").record.content, FINE, WORDS) == {
        "entity_type_code": "LIMITED",
        "established": 1998,
        "capital_band": "C2",
        "industry_section": "C",
        "industry_division": "C39",
        "region": "4403",
        "status_code": "ACTIVE",
        "has_lei": False,
    }


def test_a_penalty_leaves_in_codes_bands_and_months() -> None:
    assert render(penalised().record.content, PUNISHED, WORDS, TOKENS) == {
        "penalty_types": ("FINE", "WARNING"),
        "amount_band": "A1",
        "decision": "2024-03",
        "authority_class": "MARKET_REG",
        "authority_level": "CITY",
        "legal_basis_code": "REGISTRATION",
        "performed": True,
        "document_token": TOKENS.token("201", "document_token", "深市监罚[2024]77号"),
    }


def test_coarser_precisions_say_less() -> None:
    coarse = {"established": Precision.FIVE_YEARS, "region": Precision.PROVINCE}

    assert render(registered().record.content, coarse, WORDS) == {"established": "1995-1999", "region": "44"}
    assert render(registered(region_code="HK").record.content, coarse, WORDS)["region"] == "HK"
    assert render(penalised().record.content, {"decision": Precision.YEAR}, WORDS) == {"decision": 2024}


def test_what_home_does_not_know_is_null() -> None:
    blank = registered(
        entity_type="",
        capital="",
        industry_section="",
        region_code="",
        status="",
        established_on="",
        generated_on="2020-01-01",
    )
    rendered = render(blank.record.content, FINE, WORDS)

    assert {name for name, value in rendered.items() if value is not None} == {"has_lei"}
    assert render(blank.record.content, {"established": Precision.FIVE_YEARS}, WORDS) == {"established": None}
    assert check_deidentified("101", rendered, WORDS, "SZ-DRAFT-82") is None


def test_an_amount_in_another_currency_falls_into_the_band_of_its_worth() -> None:
    assert render(registered(capital="12.5万美元").record.content, {"capital_band": Precision.BAND}, WORDS) == {
        "capital_band": "C2"
    }


@pytest.mark.parametrize(
    "granted",
    [{"name_zh": Precision.EXACT_CODE}, {"established": Precision.MONTH}, {"address": Precision.CITY}],
)
def test_what_is_not_in_the_table_has_no_way_out(granted: dict[str, Precision]) -> None:
    with pytest.raises(NotRenderable):
        render(registered().record.content, granted, WORDS)


def test_everything_the_catalogue_offers_has_a_form_and_nothing_else_has() -> None:
    assert {kind.value for kind in Kind} == load_catalogue().entries.keys()
    for kind in Kind:
        entry = load_catalogue().entries[kind.value]
        assert renderable(kind) == {(item.name, how) for item in entry.items for how in item.precisions}


def test_without_the_key_of_the_agreement_no_token_has_a_form() -> None:
    with pytest.raises(NotRenderable):
        render(penalised().record.content, {"document_token": Precision.TOKEN}, WORDS)


def test_a_copy_is_valid_until_the_first_of_the_month() -> None:
    assert valid_until(penalised().record.disclose_until) == date(2029, 3, 1)
    assert valid_until(penalised().record.disclose_until, Precision.YEAR) == date(2029, 1, 1)
    assert valid_until(None) is None


@given(st.dates(date(2020, 1, 1), date(2032, 12, 31)), st.dates(date(2025, 1, 1), date(2030, 12, 31)))
def test_nothing_is_told_any_more_of_what_ends_this_month_and_only_of_that(ends: date, today: date) -> None:
    """However coarsely its end is told: of what ends later nobody can say it without knowing how coarsely."""
    by_month, by_year = valid_until(ends), valid_until(ends, Precision.YEAR)

    assert by_month is not None
    assert by_year is not None
    assert (ends > untold_through(today)) is (by_month > today)
    assert ends > untold_through(today) or by_year <= today


def test_a_receiver_lets_in_what_home_renders() -> None:
    assert check_deidentified("101", render(registered().record.content, FINE, WORDS), WORDS, "SZ-DRAFT-82") is None
    assert (
        check_deidentified("201", render(penalised().record.content, PUNISHED, WORDS, TOKENS), WORDS, "SZ-DRAFT-82")
        is None
    )


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [
        ("101", "name_zh", None),
        ("101", "entity_type_code", "深圳市示例科技有限公司"),
        ("101", "entity_type_code", "INDIVIDUAL_BUSINESS"),
        ("101", "established", "1998-06-18"),
        ("101", "established", "1996-2000"),
        ("101", "established", "1995-2000"),
        ("101", "established", 19980618),
        ("101", "established", True),
        ("101", "established", ("1998",)),
        ("101", "capital_band", "500000"),
        ("101", "industry_section", "C39"),
        ("101", "industry_division", "C3912"),
        ("101", "industry_division", "39"),
        ("101", "industry_division", "A39"),
        ("101", "region", "440300"),
        ("101", "status_code", "active"),
        ("101", "has_lei", 1),
        ("201", "decision", "2024-03-05"),
        ("201", "decision", "2024-13"),
        ("201", "decision", 1234),
        ("201", "decision", False),
        ("201", "penalty_types", ("WARNING", "FINE")),
        ("201", "penalty_types", ("FINE", "FINE")),
        ("201", "penalty_types", ("FINE", "罚款二万元")),
        ("201", "penalty_types", "FINE"),
        ("201", "amount_band", 23456),
        ("201", "authority_class", "深圳市市场监督管理局"),
        ("201", "authority_level", ""),
        ("201", "legal_basis_code", "REGISTRATION "),
        ("201", "performed", "true"),
        ("201", "document_token", "深市监罚〔2024〕77号"),
        ("201", "document_token", "2024077"),
        ("201", "document_token", "0a" * 15),
        ("201", "document_token", "0A" * 16),
        ("201", "document_token", "0a" * 16 + "\n"),
        ("201", "document_token", "0a" * 32),
        ("201", "document_token", 77),
        ("101", "document_token", "0a" * 16),
        ("999", "performed", True),
    ],
)
def test_a_receiver_refuses_anything_finer_or_foreign(kind: str, name: str, value: Value) -> None:
    refused = check_deidentified(kind, {name: value}, WORDS, "SZ-DRAFT-82")

    assert refused is not None
    assert refused.reason is Refusal.NOT_DEIDENTIFIED
    assert value is None or str(value) not in refused.detail or str(value) == ""


@pytest.mark.parametrize("value", [1998, "1995-1999", None])
def test_a_receiver_takes_what_was_agreed_and_what_is_coarser_or_left_out(value: Value) -> None:
    granted = {"established": Precision.YEAR}

    assert check_precision("101", {"established": value}, granted, WORDS, "SZ-DRAFT-82") is None


@pytest.mark.parametrize(
    ("kind", "name", "agreed", "finer"),
    [
        ("101", "established", Precision.FIVE_YEARS, 1998),
        ("101", "region", Precision.PROVINCE, "4403"),
        ("201", "decision", Precision.YEAR, "2024-03"),
        ("502", "month", Precision.QUARTER, "2024-03"),
    ],
)
def test_a_receiver_refuses_what_is_finer_than_was_agreed(
    kind: str, name: str, agreed: Precision, finer: Value
) -> None:
    assert check_deidentified(kind, {name: finer}, WORDS, "SZ-DRAFT-82") is None

    refused = check_precision(kind, {name: finer}, {name: agreed}, WORDS, "SZ-DRAFT-82")

    assert refused is not None
    assert refused.reason is Refusal.NOT_DEIDENTIFIED


def test_a_receiver_refuses_an_end_that_tells_the_day() -> None:
    days = [date(2029, 1, 1), date(2029, 3, 1), None, date(2029, 3, 5)]

    assert [check_ending(day, "SZ-DRAFT-82") is None for day in days] == [True, True, True, False]
