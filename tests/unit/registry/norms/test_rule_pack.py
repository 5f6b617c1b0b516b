from datetime import date

import pytest

from registry.errors import BadPack
from registry.norms.calendar import Calendar, load_calendar, read_calendar_pack
from registry.norms.code_lists import CodeListName, load_code_list
from registry.norms.packs import shipped
from registry.norms.rule_pack import load_rule_pack, read_rule_pack
from registry.parties import Jurisdiction, PartyClass

RULES = load_rule_pack()
TEXT = shipped("rules", "SZ-DRAFT-82")


def test_an_agreement_is_filed_within_five_working_days() -> None:
    due = RULES.filing_clock.due(date(2026, 4, 30), load_calendar())

    assert due.day == date(2026, 5, 11)
    assert RULES.filing_clock.article == "34.1"


def test_a_clock_does_not_run_by_another_calendar() -> None:
    other = 'jurisdiction = "HK"\nyear = 2026\nversion = 1\nstatus = "OFFICIAL"\nsource = "s"\n[changed]\n'

    with pytest.raises(ValueError, match="CN-MAINLAND"):
        RULES.filing_clock.due(date(2026, 4, 30), Calendar.of([read_calendar_pack(other)]))


def test_an_agreement_with_a_shenzhen_party_needs_the_receipt_of_shenzhen() -> None:
    assert RULES.required_filings([Jurisdiction.HK, Jurisdiction.CN_SZ]) == {Jurisdiction.CN_SZ}
    assert RULES.required_filings([Jurisdiction.HK, Jurisdiction.MO]) == frozenset()


def test_each_required_filing_rests_on_an_article() -> None:
    assert RULES.filing_article(Jurisdiction.CN_SZ) == "34.1"
    assert RULES.filing_article(Jurisdiction.HK) is None


def test_the_default_pack_holds_the_numbers_of_the_draft() -> None:
    assert RULES.reference == "SZ-DRAFT-82@1"
    assert (RULES.disclosure_years.value, RULES.disclosure_years.article) == (5, "31")
    assert RULES.consent_max_months.value == 12
    assert (RULES.retention.default_days, RULES.retention.max_days) == (90, 90)
    assert RULES.batch_query_classes.value == {PartyClass.FIN_INST, PartyClass.STATE_ORGAN}


def test_authorities_and_state_organs_are_not_party_to_agreements() -> None:
    outside = frozenset(PartyClass) - RULES.agreement_parties.value

    assert outside == {PartyClass.CREDIT_DEPT, PartyClass.STATE_ORGAN}


def test_collecting_consulting_and_training_receive_no_records() -> None:
    refused = RULES.agreement_parties.value - RULES.record_recipients.value

    assert refused == {PartyClass.RECEIVABLES, PartyClass.CONSULTING, PartyClass.TRAINING}


def test_the_purposes_abroad_are_the_tagged_purposes_of_the_code_list() -> None:
    assert RULES.purposes_abroad.value == load_code_list(CodeListName.PURPOSES).tagged("ABROAD")


@pytest.mark.parametrize(
    ("written", "instead", "place"),
    [
        ("version = 1", "version = 0", "$.version"),
        ('article = "31"', "", "$.disclosure_years"),
        ('article = "31"', 'article = "31"\nnote = 1', "$.disclosure_years"),
        ("max_days = 90", "max_days = 0", "$.retention.max_days"),
        ("[clocks.AGR_FILE]", "[clocks.OTHER]", "clocks"),
        ("max_days = 90", "max_days = 89", "retention.default_days"),
        ('["FIN_INST", "STATE', '["ANYBODY", "STATE', "$.batch_query_classes.value[0]"),
        (
            'when_any_party_in = ["CN-SZ"]',
            'when_any_party_in = ["US"]',
            "$.filings[0].when_any_party_in[0]",
        ),
        ("[retention]", "[retained]", "$"),
        ('  "INSURANCE",\n]\narticle = "6, 4"', '  "STATE_ORGAN",\n]\narticle = "6, 4"', "record_recipients.value"),
    ],
)
def test_a_missing_unknown_or_unfit_key_is_refused_with_its_place(written: str, instead: str, place: str) -> None:
    assert written in TEXT
    with pytest.raises(BadPack) as failure:
        read_rule_pack(TEXT.replace(written, instead), "changed")

    assert failure.value.place == place


def test_a_pack_that_is_not_shipped_is_refused() -> None:
    with pytest.raises(BadPack, match="not among the shipped packs"):
        load_rule_pack("SZ-2099")
