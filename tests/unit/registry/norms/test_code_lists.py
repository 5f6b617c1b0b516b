import re

import pytest

from registry.errors import BadPack
from registry.norms.code_lists import (
    BandTableName,
    CodeListName,
    load_band_table,
    load_code_list,
    read_band_table,
    read_code_list,
)
from registry.norms.packs import shipped_names

LIST = 'id = "X"\nversion = 1\nsource = "s"\n[codes]\n'
TABLE = 'id = "X"\nversion = 1\nunit = "CNY"\nsource = "s"\nbands = [{bands}]\n'


def table(*bands: tuple[str, int]) -> str:
    return TABLE.format(bands=", ".join(f'{{ code = "{code}", floor = {floor} }}' for code, floor in bands))


@pytest.mark.parametrize("name", CodeListName)
def test_every_shipped_list_has_codes_with_a_chinese_meaning(name: CodeListName) -> None:
    found = load_code_list(name)

    assert found.reference.endswith("@1")
    assert all(meaning.zh for meaning in found.codes.values())


def test_every_shipped_file_is_named_and_every_name_is_shipped() -> None:
    assert set(shipped_names("codes")) == {*CodeListName, *BandTableName}


def test_codes_outside_a_list_are_not_in_it() -> None:
    statuses = load_code_list(CodeListName.STATUSES)

    assert "ACTIVE" in statuses
    assert "active" not in statuses
    assert statuses.all() == {"ACTIVE", "SUSPENDED", "REVOKED", "DEREGISTERED", "LIQUIDATION"}


def test_natural_persons_in_business_are_marked() -> None:
    types = load_code_list(CodeListName.ENTITY_TYPES)

    assert types.tagged("NATURAL_PERSON") == {
        *("INDIVIDUAL_BUSINESS", "HK_SOLE_PROPRIETOR", "MO_SOLE_MERCHANT", "SOLE_PROPRIETOR")
    }
    assert not types.tagged("NATURAL_PERSON") & types.tagged("UNINCORPORATED")


def test_past_information_may_not_be_used_adversely_for_four_purposes() -> None:
    assert load_code_list(CodeListName.PURPOSES).tagged("NO_ADVERSE_USE") == {
        *("ADMIN_PERMIT", "PUBLIC_RESOURCE_TRADING", "GOV_PROCUREMENT", "TENDER")
    }


BASES = [
    CodeListName.DELETION_BASES, CodeListName.CORRECTION_BASES, CodeListName.WITHHOLDING_BASES,
    CodeListName.RELEASE_BASES,
]  # fmt: skip


@pytest.mark.parametrize("name", BASES)
def test_every_basis_is_told_in_both_languages_and_names_its_article(name: CodeListName) -> None:
    bases = load_code_list(name).codes.values()

    assert all(basis.en for basis in bases)
    assert all(re.fullmatch(r"S [1-9]\d?", basis.article) for basis in bases)


def test_a_deletion_and_a_correction_rest_on_these_articles() -> None:
    deletions, corrections = (
        {code: basis.article for code, basis in load_code_list(name).codes.items()}
        for name in (CodeListName.DELETION_BASES, CodeListName.CORRECTION_BASES)
    )

    assert deletions == {
        "REVOKED": "S 36",
        "UNVERIFIABLE": "S 41",
        "SUBJECT_REQUEST": "S 59",
        "COURT_NOTICE": "S 72",
        "EXPIRED": "S 31",
        "REPAIRED": "S 66",
        "CONSENT_ENDED": "S 35",
        "AGREEMENT_ENDED": "S 34",
        "FALLEN_OUT_OF_CATALOGUE": "S 16",
        "EXCLUDED_CATEGORY_FOUND": "S 3",
        "ERRONEOUS_SUBJECT": "S 39",
    }
    assert corrections == {"DISPUTE": "S 39", "OWN_ERROR": "S 39", "PROVIDER_UPDATE": "S 19", "COURT_NOTICE": "S 72"}


def test_withholding_and_releasing_rest_on_these_articles() -> None:
    withheld, released = (
        {code: basis.article for code, basis in load_code_list(name).codes.items()}
        for name in (CodeListName.WITHHOLDING_BASES, CodeListName.RELEASE_BASES)
    )

    assert withheld == {
        "REVIEW_ACCEPTED": "S 61",
        "SUIT_ACCEPTED": "S 61",
        "SUBJECT_OPT_OUT": "S 59",
        "REVOCATION_NOTICE": "S 36",
        "REPAIR_DECIDED": "S 66",
        "OTHER_REPAIR_DECIDED": "S 67",
        "REORGANISATION_PLAN": "S 70",
        "LAW_CHANGED": "S 16",
    }
    assert released == {
        "FINAL_DOCUMENT": "S 61",
        "REVOCATION_WITHDRAWN": "S 36",
        "OPT_OUT_WITHDRAWN": "S 59",
        "REPAIR_CANCELLED": "S 66",
        "RATED_ANEW": "S 70",
        "ENTERED_IN_ERROR": "S 39",
        "PERIOD_ENDED": "S 59",
        "LAW_ADMITS": "S 16",
    }


def test_only_an_opt_out_and_a_repair_may_end_by_time() -> None:
    """S 61: a suspension ends when a person has the final document, and never by itself."""
    bases = load_code_list(CodeListName.WITHHOLDING_BASES)

    assert {tag for code in bases.tagged("MAY_END") for tag in bases.codes[code].tags} - {"MAY_END", "NOT_ADVERSE"} == {
        "OPTED_OUT", "REPAIRED",
    }  # fmt: skip


def test_a_code_that_is_no_legal_basis_names_no_article() -> None:
    assert not any(status.article for status in load_code_list(CodeListName.STATUSES).codes.values())


def test_every_city_lies_in_a_listed_province() -> None:
    regions = load_code_list(CodeListName.REGIONS)
    cities = {code for code in regions.codes if re.fullmatch(r"\d{4}", code)}

    assert {city[:2] for city in cities} <= regions.all()
    assert {"HK", "MO", "44", "4403"} <= regions.all()
    assert all(re.fullmatch(r"HK|MO|\d{2}|\d{4}", code) for code in regions.codes)


@pytest.mark.parametrize(
    ("amount", "band"),
    [(0, "C0"), (99_999, "C0"), (100_000, "C1"), (1_000_000, "C3"), (999_999_999, "C7"), (10**12, "C8")],
)
def test_an_amount_lies_in_the_band_whose_floor_it_reaches(amount: int, band: str) -> None:
    assert load_band_table(BandTableName.CAPITAL).code_of(amount) == band


def test_a_negative_amount_is_in_no_band() -> None:
    with pytest.raises(ValueError, match="0 or more"):
        load_band_table(BandTableName.AMOUNT).code_of(-1)


def test_band_codes_and_floors_come_in_order() -> None:
    bands = load_band_table(BandTableName.AMOUNT)

    assert bands.codes == ("A0", "A1", "A2", "A3", "A4", "A5", "A6")
    assert bands.floors == tuple(sorted(bands.floors))
    assert bands.reference == "AMOUNT-BANDS@1"


@pytest.mark.parametrize(
    "text",
    [
        table(),
        table(("A0", 1)),
        table(("A0", 0), ("A1", 5), ("A2", 5)),
        table(("A0", 0), ("A1", 9), ("A2", 5)),
        table(("A0", 0), ("A0", 5)),
        table(("1000-2000", 0)),
    ],
)
def test_bands_that_leave_a_gap_or_overlap_are_refused(text: str) -> None:
    with pytest.raises(BadPack, match="bands"):
        read_band_table(text)


def test_an_empty_code_list_is_refused() -> None:
    with pytest.raises(BadPack, match="codes"):
        read_code_list(LIST)


def test_a_code_without_a_meaning_is_refused() -> None:
    with pytest.raises(BadPack, match="a field `zh`"):
        read_code_list(LIST + 'A = { en = "a" }\n')
