from datetime import UTC, date, datetime, time

import pytest

from registry.errors import BadPack
from registry.norms.calendar import load_calendar
from registry.norms.catalogue import Crossing, Nature, load_catalogue
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
    with pytest.raises(ValueError, match="CN-MAINLAND"):
        RULES.filing_clock.due(date(2026, 4, 30), load_calendar("HK"))


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


def test_what_is_warned_of_are_kinds_of_other_than_public_information() -> None:
    entries = [load_catalogue().entries[kind] for kind in sorted(RULES.adverse_warning_kinds.value)]

    assert [(one.code, one.nature, one.crosses) for one in entries] == [
        ("SZ-2026-501", Nature.OTHER, Crossing.CONSENT),
        ("SZ-2026-502", Nature.OTHER, Crossing.CONSENT),
    ]


def test_the_purposes_abroad_are_the_tagged_purposes_of_the_code_list() -> None:
    assert RULES.purposes_abroad.value == load_code_list(CodeListName.PURPOSES).tagged("ABROAD")


@pytest.mark.parametrize(
    ("written", "instead", "place"),
    [
        ("version = 1", "version = 0", "$.version"),
        ('article = "29"', "", "$.batch_query_classes"),
        ('article = "29"', 'article = "29"\nnote = 1', "$.batch_query_classes"),
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
        ("[adverse_warning_kinds]", "[warning_kinds]", "$"),
        ('["501", "502"]', '["501", "CREDIT"]', "$.adverse_warning_kinds.value[1]"),
        ('article = "23.2 (of', 'articles = "23.2 (of', "$.adverse_warning_kinds"),
        ('  "INSURANCE",\n]\narticle = "6, 4"', '  "STATE_ORGAN",\n]\narticle = "6, 4"', "record_recipients.value"),
    ],
)
def test_a_missing_unknown_or_unfit_key_is_refused_with_its_place(written: str, instead: str, place: str) -> None:
    assert written in TEXT
    with pytest.raises(BadPack) as failure:
        read_rule_pack(TEXT.replace(written, instead), "changed")

    assert failure.value.place == place


@pytest.mark.parametrize(
    ("written", "instead", "place"),
    [
        ('article = "34.2"\n', "", "clocks.REGIME_FILE"),
        ('en = "A peer is reviewed each year"\n', "", "clocks.PEER_REVIEW"),
        ('law = { unit = "YEAR", length = 1 }', 'law = { unit = "DECADE", length = 1 }', "clocks.PEER_REVIEW.law.unit"),
        ('law = { unit = "YEAR", length = 1 }', 'law = { unit = "YEAR" }', "clocks.PEER_REVIEW.law"),
        ("length = 7 }\nlaw", "length = 8 }\nlaw", "clocks.REORG_ANNOTATE"),
        ('strict = { unit = "SAME_DAY" }\non_breach', "on_breach", "clocks.D11_UNVERIF"),
        ("confirmed_by_person = true\n", "", "clocks.RESUME"),
        ("at_least = true", "at_most = true", "clocks.LOG_KEEP"),
        ('direction = "LENIENT"', 'direction = "LAX"', "clocks.D0_WINDOW.direction"),
        ('["regime.effective"]', '["regime.efective"]', "clocks.REGIME_FILE.start"),
        ('["repair.fed_back"]', '["repair.decided", "repair.feedback"]', "clocks.REPAIR_FEEDBACK.end"),
        ('["repair.fed_back"]', "[]", "clocks.REPAIR_FEEDBACK.end"),
        ('["repair.fed_back"]', '["fed back"]', "clocks.REPAIR_FEEDBACK.end[0]"),
        ('within = "D9_CAP"', 'within = "D99_CAP"', "clocks.D6_PROVIDER.extension.within"),
        ("length = 5, start_counts", "length = 4, start_counts", "clocks.DISCLOSURE.strict"),
        ("[clocks.PEER_DELETE]", "[clocks.PEER]", "clocks"),
        ("[clocks.PEER_DELETE]", "[clocks.peer]", "key in $.clocks"),
        ('  "agreement.signed",', '  "agreement",', "$.events[0]"),
    ],
)
def test_a_clock_that_does_not_hold_together_is_refused_by_name(written: str, instead: str, place: str) -> None:
    assert written in TEXT
    with pytest.raises(BadPack) as failure:
        read_rule_pack(TEXT.replace(written, instead), "changed")

    assert failure.value.place == place


def test_the_pack_lists_no_event_that_no_clock_knows() -> None:
    known = {event for clock in RULES.clocks.values() for event in (*clock.start, *clock.end)}

    assert sorted(RULES.events) == sorted(known)


def test_where_the_draft_sets_a_period_the_node_keeps_it_or_a_shorter_one() -> None:
    by_law = {code: clock.law for code, clock in RULES.clocks.items() if clock.law is not None}
    shorter = {code for code, law in by_law.items() if RULES.clocks[code].strict != law}

    assert shorter == {"D1_NOTIFY", "DISCLOSURE"}
    assert len(by_law) == 21


def test_where_the_draft_is_silent_the_article_says_so() -> None:
    silent = [clock.article for clock in RULES.clocks.values() if clock.law is None and not clock.confirmed_by_person]

    assert all("product limit" in article or "by agreement" in article for article in silent)


def test_a_day_is_best_done_with_by_six_in_the_evening() -> None:
    due = RULES.filing_clock.due(date(2026, 4, 30), load_calendar())

    assert RULES.close_of_business.value == time(18)
    assert RULES.target(due) == datetime(2026, 5, 11, 10, tzinfo=UTC)


def test_the_next_calendar_is_asked_for_sixty_days_before_the_last_announced_day() -> None:
    assert RULES.calendar_alarm(load_calendar(), date(2026, 10, 31)) is None

    alarm = RULES.calendar_alarm(load_calendar(), date(2026, 11, 1))
    assert alarm is not None
    assert alarm.official_until == date(2026, 12, 31)


def test_a_pack_that_is_not_shipped_is_refused() -> None:
    with pytest.raises(BadPack, match="not among the shipped packs"):
        load_rule_pack("SZ-2099")
