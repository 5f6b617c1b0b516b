import re

import pytest

from registry.errors import BadPack, IncompleteEntry
from registry.norms.catalogue import (
    CatalogueEntry,
    Condition,
    Crossing,
    Nature,
    Precision,
    Publicity,
    ValueType,
    load_catalogue,
    read_catalogue,
)
from registry.norms.code_lists import CodeListName, load_code_list
from registry.norms.entries import PROVISO
from registry.norms.law import check_catalogue
from registry.norms.packs import shipped
from registry.norms.rule_pack import load_rule_pack
from registry.parties import PartyClass

CATALOGUE = load_catalogue()
TEXT = shipped("catalogue", "SZ-2026")


def test_the_catalogue_lists_every_kind_of_the_regulation() -> None:
    assert CATALOGUE.reference == "SZ-2026@2"
    assert sorted(CATALOGUE.entries) == [
        *("101", "102", "103", "201", "202", "203", "204", "205", "206", "207", "208", "209", "210", "211", "221"),
        *("222", "231", "301", "302", "303", "304", "311", "401", "402", "403", "501", "502", "503", "601"),
    ]
    assert CATALOGUE.entry("999") is None


@pytest.mark.parametrize("entry", CATALOGUE.entries.values(), ids=CATALOGUE.entries)
def test_an_entry_has_all_parts_that_the_regulation_asks_for_in_both_languages(entry: CatalogueEntry) -> None:
    assert all((entry.code, entry.identification, entry.fields, entry.items, entry.format, entry.sources))
    assert entry.section in load_code_list(CodeListName.REPORT_SECTIONS)
    assert all(re.search(r"[\u4e00-\u9fff]", field.zh) and field.en.isascii() for field in entry.fields)
    assert entry.disclosure.years == 5 or entry.disclosure.until is not None


def test_two_kinds_never_cross_one_only_on_purpose_and_what_is_not_public_with_consent() -> None:
    crossing = {kind: entry.crosses for kind, entry in CATALOGUE.entries.items() if entry.crosses is not Crossing.YES}

    assert crossing == {
        **dict.fromkeys(("209", "403"), Crossing.NEVER),
        "203": Crossing.OFF,
        **dict.fromkeys(("402", "501", "502", "503"), Crossing.CONSENT),
    }


def test_at_least_five_enterprises_must_look_alike() -> None:
    assert CATALOGUE.deidentification.profile == "CP-DEID-3"
    assert CATALOGUE.deidentification.k == 5
    assert CATALOGUE.deidentification.article.startswith("14, 17, 23")


def test_every_category_of_the_closed_list_is_met_by_a_kind_that_states_its_evidence() -> None:
    met = {entry.negative_category for entry in CATALOGUE.entries.values()}

    assert set(CATALOGUE.negative) == set(range(12))
    assert set(CATALOGUE.negative) - met == {PROVISO}
    other = CATALOGUE.entries["211"]
    assert all(other.home_field(name) for name in CATALOGUE.negative[PROVISO].evidence)


def test_public_information_comes_from_the_municipal_system_or_what_its_entry_lists_and_other_does_not() -> None:
    """S 8; of what is not public, S 21 knows an institution's own business and what is open to everybody."""
    for entry in CATALOGUE.entries.values():
        assert CATALOGUE.is_source(entry, "SZ-CREDIT") is (entry.nature is Nature.PUBLIC)
        assert tuple(CATALOGUE.sources_of(entry))[-len(entry.sources) :] == entry.sources
    assert {tuple(one.sources) for one in CATALOGUE.entries.values() if one.nature is Nature.OTHER} == {
        ("OWN-BUSINESS", "PUBLICATION"),
        ("SUBJECT",),
    }


def test_every_source_is_used_rests_on_an_article_and_is_said_in_both_languages() -> None:
    used = {code for entry in CATALOGUE.entries.values() for code in CATALOGUE.sources_of(entry)}

    assert used == CATALOGUE.sources.keys()
    assert all(re.search(r"[\u4e00-\u9fff]", one.zh) and one.en.isascii() for one in CATALOGUE.sources.values())
    assert all(re.match(r"\d", one.article) for one in CATALOGUE.sources.values())


@pytest.mark.parametrize(
    ("written", "known"),
    [
        ("OWN-BUSINESS", True),
        ("PUBLICATION:annual report of the exchange", True),
        ("PUBLICATION", False),
        ("PUBLICATION:", False),
        ("PUBLICATION: ", False),
        ("OWN-BUSINESS:ours", False),
        ("OWN-BUSINESS:", False),
        ("own-business", False),
        ("SZ-CREDIT", False),
        ("", False),
        (":", False),
    ],
)
def test_a_source_is_written_as_its_code_and_of_a_publication_as_which(written: str, *, known: bool) -> None:
    assert CATALOGUE.is_source(CATALOGUE.entries["502"], written) is known


def test_a_penalty_has_to_pass_the_rule_of_its_category() -> None:
    assert CATALOGUE.conditions(CATALOGUE.entries["201"]) == (Condition.GENERAL_PROCEDURE,)
    assert CATALOGUE.conditions(CATALOGUE.entries["231"]) == (Condition.NOT_CORRECTED,)


def test_no_name_or_text_can_be_told_in_any_precision_and_a_number_as_a_token_only() -> None:
    told = {(field.type, how) for entry in CATALOGUE.entries.values() for item in entry.items
            if (field := entry.home_field(item.made_from)) for how in item.precisions}  # fmt: skip

    assert not {kind for kind, _ in told} & {ValueType.TEXT, ValueType.FREE_TEXT, ValueType.REFERENCE, ValueType.DIGEST}
    assert {how for kind, how in told if kind is ValueType.DOCUMENT_NUMBER} == {Precision.TOKEN}


def test_the_numbers_that_an_institution_gives_itself_do_not_cross_even_as_tokens() -> None:
    tokens = {kind for kind, entry in CATALOGUE.entries.items() if entry.precisions("document_token")}

    assert tokens.isdisjoint({"101", "311", "401", "402", "403", "501", "502", "503", "209"})
    assert tokens >= {"102", "201", "205", "221", "301", "601"}


def test_registrations_cross_with_these_fields_only() -> None:
    entry = CATALOGUE.entry("101")

    assert entry is not None
    assert entry.field_names == {
        *("entity_type_code", "established", "capital_band", "industry_section", "industry_division"),
        *("region", "status_code", "has_lei"),
    }
    assert entry.disclosure.years is None


def test_penalties_cross_with_these_fields_only_and_for_five_years() -> None:
    entry = CATALOGUE.entry("201")

    assert entry is not None
    assert entry.field_names == {
        *("penalty_types", "amount_band", "decision", "authority_class"),
        *("authority_level", "legal_basis_code", "performed", "document_token"),
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
        'sources = ["REGISTRAR", "LEI-REGISTER"]\n',
        'format = "creditport/rendition/v1"\n',
        'disclosure = { article = "31(1)", until = "valid_until" }\n',
        'norms_ref = "SZ-SHARING-NORMS-2026"\n',
    ],
)
def test_an_entry_that_lacks_what_the_regulation_asks_is_refused(line: str) -> None:
    assert line in TEXT
    with pytest.raises(IncompleteEntry, match=r"at \$\.entries\[\.\.\.\]: a field"):
        read_catalogue(TEXT.replace(line, ""))


@pytest.mark.parametrize(
    ("written", "instead", "place"),
    [
        ('from = "capital"', 'from = "address"', "entries.101.items.capital_band.precisions"),
        (
            'precisions = ["CITY", "PROVINCE"]',
            'precisions = ["PROVINCE", "CITY"]',
            "entries.101.items.region.precisions",
        ),
        ('bands = "capital-bands", ', "", "entries.101.items.capital_band"),
        ('codes = "statuses", precisions', 'codes = "regions", precisions', "entries.101.items.status_code"),
        ('codes = "penalty-types", many = true', 'codes = "penalty-types"', "entries.201.items.penalty_types.many"),
        ('name = "capital", type = "money"', 'name = "capital", type = "code"', "entries.101.fields.capital"),
        ('key = ["licence_no"]', 'key = ["licence_name"]', "entries.102.key"),
        ('generated = ["established_on"]', 'generated = ["capital"]', "entries.101.generated"),
        ('legal_form = "licence_no"', 'legal_form = "content"', "entries.102.legal_form"),
        ('otherwise = "decision_no"', 'otherwise = "facts"', "entries.201.legal_form"),
        ('crosses = "CONSENT"', 'crosses = "YES"', "entries.402.crosses"),
        ('crosses = "NEVER"', 'crosses = "OFF"', "entries.209.crosses"),
        ('name = "has_lei"', 'name = "region"', "entries.101.items"),
        ("negative_category = 1\n", "", "entries.201.negative_category"),
        ('rare = ["established", "industry_division"', 'rare = ["has_lei", "industry_division"', "entries.101.rare"),
        ('rare = ["established", "industry_division"', 'rare = ["region", "industry_division"', "entries.101.rare"),
        ('rare = ["established", "industry_division"', 'rare = ["address", "industry_division"', "entries.101.rare"),
        ('rare = ["decision", ', 'rare = ["penalty_types", "decision", ', "entries.201.rare"),
        ('polarity = "BASIC"', 'polarity = "BASIC"\nnegative_category = 1', "entries.101.negative_category"),
    ],
)
def test_an_entry_that_contradicts_itself_is_refused(written: str, instead: str, place: str) -> None:
    assert written in TEXT
    with pytest.raises(BadPack) as failure:
        read_catalogue(TEXT.replace(written, instead))

    assert failure.value.place == place


@pytest.mark.parametrize(
    ("written", "instead", "place"),
    [
        ('article = "31(2)", years = 5', 'article = "31(2)"', "entries.103.disclosure.years"),
        ('article = "31(1)", until = "valid_until"', 'article = "31(1)"', "entries.101.disclosure"),
        ('legal_form = "identifiers"\n', "", "entries.101.legal_form"),
        ('name = "small_impact"', 'name = "little_impact"', "entries.201.fields"),
        ('rare = ["established", ', "rare = [", "entries.101.rare"),
        ('"industry_section"]', "]", "entries.101.rare"),
        ('"amount_band"]', "]", "entries.201.rare"),
        ("[sources.COURT]", "[sources.COURTS]", "entries.203.sources"),
        ("[negative.2]", "[negative.22]", "entries.202.negative_category"),
        ('from = "has_lei"', 'from = "lei"', "entries.101.items.has_lei.from"),
        ('from = "penalty_types"', 'from = "procedure"', "entries.201.items.penalty_types.from"),
    ],
)
def test_an_entry_that_lacks_a_part_or_its_evidence_is_incomplete(written: str, instead: str, place: str) -> None:
    assert written in TEXT
    with pytest.raises(IncompleteEntry) as failure:
        read_catalogue(TEXT.replace(written, instead))

    assert failure.value.place == place


@pytest.mark.parametrize(
    ("written", "instead", "place"),
    [
        ("years = 5", "years = 6", "disclosure.years"),
        ('"STATE_ORGAN"', '"TRAINING"', "sharing_scope"),
    ],
)
def test_an_entry_beyond_the_rule_pack_is_refused(written: str, instead: str, place: str) -> None:
    """How long and to whom is for the rules to bound (S 17, 18, 31)."""
    catalogue = read_catalogue(TEXT.replace(written, instead))
    with pytest.raises(BadPack) as failure:
        check_catalogue(catalogue, load_rule_pack())

    assert failure.value.place.endswith(place)


def test_a_catalogue_without_entries_is_refused() -> None:
    with pytest.raises(BadPack, match="entries"):
        read_catalogue(TEXT[: TEXT.index("[shared]")] + "[sources]\n[entries]\n")


@pytest.mark.parametrize("part", ["nature", "identification", "items", "sharing_scope"])
def test_an_entry_without_one_of_its_parts_is_refused(part: str) -> None:
    without = re.sub(rf"^{part} = (?:\[\n.*?^\]|[^\n]*)\n", "", TEXT, flags=re.DOTALL | re.MULTILINE)

    assert without != TEXT
    with pytest.raises(BadPack, match=f"a field `{part}`"):
        read_catalogue(without)
