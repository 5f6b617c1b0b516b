import re

import pytest

from registry.errors import BadPack
from registry.norms.catalogue import Precision, Publicity, load_catalogue, read_catalogue
from registry.norms.packs import shipped
from registry.parties import PartyClass

CATALOGUE = load_catalogue()
TEXT = shipped("catalogue", "SZ-2026")


def test_the_catalogue_lists_registrations_and_penalties() -> None:
    assert CATALOGUE.reference == "SZ-2026@1"
    assert sorted(CATALOGUE.entries) == ["101", "201"]
    assert CATALOGUE.entry("403") is None


def test_registrations_cross_with_these_fields_only() -> None:
    entry = CATALOGUE.entry("101")

    assert entry is not None
    assert entry.field_names == {
        *("entity_type_code", "established", "capital_band", "industry_section"),
        *("region", "status_code", "has_lei"),
    }
    assert entry.disclosure.years is None


def test_penalties_cross_with_these_fields_only_and_for_five_years() -> None:
    entry = CATALOGUE.entry("201")

    assert entry is not None
    assert entry.field_names == {
        *("penalty_types", "amount_band", "decision", "authority_class"),
        *("authority_level", "legal_basis_code", "performed"),
    }
    assert (entry.disclosure.years, entry.publicity) == (5, Publicity.BY_QUERY)


def test_a_field_crosses_only_in_a_listed_precision() -> None:
    assert CATALOGUE.allows("101", "region", Precision.CITY)
    assert not CATALOGUE.allows("101", "region", Precision.EXACT_CODE)
    assert not CATALOGUE.allows("101", "name_zh", Precision.EXACT_CODE)
    assert not CATALOGUE.allows("999", "region", Precision.CITY)


@pytest.mark.parametrize("kind", ["101", "201"])
def test_classes_without_need_are_outside_the_sharing_scope(kind: str) -> None:
    entry = CATALOGUE.entry(kind)

    assert entry is not None
    assert not entry.sharing_scope & {PartyClass.CONSULTING, PartyClass.TRAINING, PartyClass.RECEIVABLES}


@pytest.mark.parametrize(
    "line",
    [
        'code = "SZ-2026-101"\n',
        'publicity = "ACTIVE"\n',
        'source = "Registration authority of the enterprise\'s home"\n',
        'format = "creditport/rendition/v1"\n',
        'disclosure = { article = "31(1)" }\n',
        'norms_ref = "SZ-SHARING-NORMS-2026"\n',
    ],
)
def test_an_entry_that_lacks_what_the_regulation_asks_is_refused(line: str) -> None:
    assert line in TEXT
    with pytest.raises(BadPack, match=r"at \$\.entries\[\.\.\.\]: Object missing required field"):
        read_catalogue(TEXT.replace(line, ""))


@pytest.mark.parametrize(
    ("written", "instead", "place"),
    [
        ('name = "has_lei"', 'name = "region"', "entries.101.items"),
        ("negative_category = 1\n", "", "entries.201.negative_category"),
        ('polarity = "BASIC"', 'polarity = "BASIC"\nnegative_category = 1', "entries.101.negative_category"),
        (", years = 5", "", "entries.201.disclosure.years"),
        ('"STATE_ORGAN"', '"TRAINING"', "entries.101.sharing_scope"),
    ],
)
def test_an_entry_that_contradicts_itself_or_the_regulation_is_refused(written: str, instead: str, place: str) -> None:
    assert written in TEXT
    with pytest.raises(BadPack) as failure:
        read_catalogue(TEXT.replace(written, instead))

    assert failure.value.place == place


def test_more_than_five_years_of_disclosure_is_refused() -> None:
    with pytest.raises(BadPack, match=r"disclosure\.years"):
        read_catalogue(TEXT.replace("years = 5", "years = 6"))


def test_a_catalogue_without_entries_is_refused() -> None:
    with pytest.raises(BadPack, match="entries"):
        read_catalogue('id = "X"\nversion = 1\npublished = 2026-01-01\n[entries]\n')


@pytest.mark.parametrize("part", ["nature", "identification", "items", "sharing_scope"])
def test_an_entry_without_one_of_its_parts_is_refused(part: str) -> None:
    without = re.sub(rf"^{part} = (?:\[\n.*?^\]|[^\n]*)\n", "", TEXT, flags=re.DOTALL | re.MULTILINE)

    assert without != TEXT
    with pytest.raises(BadPack, match=f"missing required field `{part}`"):
        read_catalogue(without)
