from dataclasses import replace
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from agreements.permission import (
    EvaluationQuestion,
    Granted,
    Item,
    Question,
    Usage,
    decide_agreement,
    decide_evaluation,
    decide_item,
    decide_push,
    decide_query,
    decide_replacement,
)
from agreements.refusal import Refusal, Refused, refuse
from agreements.terms import Direction, ExportPath, Manner
from registry.norms.catalogue import Crossing, Nature, Precision, Publicity
from registry.parties import PartyClass, PartyId
from registry.snapshot import Standing
from tests.unit.agreements.world import (
    AGENCY,
    ASK,
    BANK,
    CATALOGUE,
    DIGEST,
    END,
    FACTS,
    FILED_AT,
    HK,
    IN_FORCE,
    ITEM,
    MIDDLE,
    NOON,
    PSEUDONYM,
    QUESTION,
    RULES,
    START,
    TERMS,
    authorised,
    both_signed,
    ended,
    filed,
    folded,
    opened,
    reason,
)


def with_terms(**changed: Any) -> Any:
    return replace(IN_FORCE, terms=msgspec.structs.replace(TERMS, **changed))


def catalogue_with(kind: str, **changed: Any) -> Any:
    entry = msgspec.structs.replace(CATALOGUE.entries[kind], **changed)
    return msgspec.structs.replace(CATALOGUE, entries=CATALOGUE.entries | {kind: entry})


def test_a_lawful_query_is_granted_the_asked_fields_in_the_agreed_precision() -> None:
    assert decide_query(QUESTION, ITEM, FACTS, NOON) == Granted(
        fields={"101": {"capital_band": Precision.BAND, "established": Precision.YEAR}}
    )


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"registry_fresh": False}, "REGISTRY_STALE"),
        ({"peer": Standing.REVOKED}, "PEER_SUSPENDED"),
        ({"peer": Standing.UNKNOWN}, "PEER_UNKNOWN"),
        ({"agreement": None}, "AGREEMENT_MISSING"),
        ({"home": HK}, "AGREEMENT_MISSING"),
        ({"agreement": folded(both_signed())}, "AGREEMENT_NOT_FILED"),
        ({"agreement": folded(both_signed(), filed(), ended(AGENCY, NOON))}, "AGREEMENT_EXPIRED"),
        ({"agreement": with_terms(export_path=ExportPath.GBA_SC_HK)}, "EXPORT_PATH_MISSING"),
        ({"agreement": with_terms(manner=(Manner.PUSH,))}, "AGREEMENT_SCOPE"),
        ({"peer_class": None}, "PARTY_NOT_ELIGIBLE"),
        ({"peer_class": PartyClass.STATE_ORGAN}, "PARTY_NOT_ELIGIBLE"),
        ({"peer_class": PartyClass.RECEIVABLES}, "PARTY_NOT_ELIGIBLE"),
        ({"catalogue": msgspec.structs.replace(CATALOGUE, entries={})}, "NOT_IN_CATALOGUE"),
        ({"catalogue": catalogue_with("101", items=CATALOGUE.entries["201"].items)}, "NOT_IN_CATALOGUE"),
        (
            {"catalogue": catalogue_with("101", sharing_scope=frozenset({PartyClass.INSURANCE}))},
            "PUBLIC_INFO_SCOPE",
        ),
        ({"catalogue": catalogue_with("101", publicity=Publicity.GOVERNMENT_ONLY)}, "GOVERNMENT_ONLY"),
        ({"usage": Usage(queries_today=10)}, "RISK_LIMIT"),
    ],
)
def test_each_fact_that_does_not_hold_refuses_with_its_reason(changed: dict[str, Any], expected: str) -> None:
    assert reason(decide_query(QUESTION, ITEM, replace(FACTS, **changed), NOON)) == expected


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"peer": HK}, "AGREEMENT_MISSING"),
        ({"agreement": bytes(32)}, "AGREEMENT_MISSING"),
        ({"epoch": 2}, "AGREEMENT_SCOPE"),
        ({"asked": {}}, "AGREEMENT_SCOPE"),
        ({"asked": {"101": frozenset()}}, "AGREEMENT_SCOPE"),
        ({"asked": {"101": frozenset({"capital_band", "region"})}}, "AGREEMENT_SCOPE"),
        ({"asked": {"999": frozenset({"region"})}}, "NOT_IN_CATALOGUE"),
        ({"batch_size": 2}, "BATCH_NOT_PERMITTED"),
        ({"batch": True, "batch_size": 51}, "BATCH_LIMIT"),
        ({"purpose": "CROSS_BORDER_TRADE"}, "PURPOSE_MISMATCH"),
    ],
)
def test_each_question_beyond_the_agreement_is_refused(changed: dict[str, Any], expected: str) -> None:
    assert reason(decide_query(replace(QUESTION, **changed), ITEM, FACTS, NOON)) == expected


def test_what_is_not_yours_and_what_does_not_exist_get_the_same_answer() -> None:
    theirs = decide_agreement(replace(QUESTION, peer=HK), FACTS, NOON)
    nowhere = decide_agreement(replace(QUESTION, peer=HK), replace(FACTS, agreement=None), NOON)

    assert theirs == nowhere


def test_the_agreement_is_not_filed_until_it_takes_effect_and_expired_at_its_end() -> None:
    early = replace(FACTS, agreement=folded(both_signed(), filed(at=START - timedelta(hours=1))))
    second = timedelta(seconds=1)

    assert reason(decide_agreement(QUESTION, early, START - second)) == "AGREEMENT_NOT_FILED"
    assert reason(decide_agreement(QUESTION, early, START)) == "Granted"
    assert reason(decide_agreement(QUESTION, FACTS, FILED_AT - second)) == "AGREEMENT_NOT_FILED"
    assert reason(decide_agreement(QUESTION, FACTS, END)) == "AGREEMENT_EXPIRED"


def test_after_the_turn_of_the_epoch_the_old_one_is_refused() -> None:
    assert reason(decide_agreement(QUESTION, FACTS, MIDDLE)) == "AGREEMENT_SCOPE"
    assert reason(decide_agreement(replace(QUESTION, epoch=2), FACTS, MIDDLE)) == "Granted"


def test_batches_are_for_the_classes_the_law_names() -> None:
    batch = replace(QUESTION, batch=True, batch_size=50)
    insurer = replace(FACTS, peer_class=PartyClass.INSURANCE)

    assert reason(decide_agreement(batch, FACTS, NOON)) == "Granted"
    assert reason(decide_agreement(batch, insurer, NOON)) == "BATCH_NOT_PERMITTED"


def test_a_query_without_an_authorisation_is_refused() -> None:
    bare = Item(pseudonym=PSEUDONYM, authorisation=None)

    assert reason(decide_query(QUESTION, bare, FACTS, NOON)) == "AUTHORISATION_MISSING"


def test_a_refused_authorisation_is_passed_on_as_it_is() -> None:
    forged = refuse(Refusal.SIGNATURE_INVALID, RULES.reference)

    assert decide_query(QUESTION, Item(pseudonym=PSEUDONYM, authorisation=forged), FACTS, NOON) is forged


def test_an_authorisation_for_another_subject_is_refused() -> None:
    other = Item(pseudonym=bytes(16), authorisation=ITEM.authorisation)

    assert reason(decide_query(QUESTION, other, FACTS, NOON)) == "SIGNATURE_INVALID"


def test_an_item_without_an_agreement_is_refused() -> None:
    assert reason(decide_item(QUESTION, ITEM, replace(FACTS, agreement=None), NOON)) == "AGREEMENT_MISSING"


def test_a_purpose_that_is_authorised_must_also_be_agreed_and_allowed_abroad() -> None:
    narrow = replace(FACTS, agreement=with_terms(purposes=("CROSS_BORDER_TRADE",)))
    purposes = msgspec.structs.replace(RULES.purposes_abroad, value=frozenset({"CROSS_BORDER_TRADE"}))
    strict = replace(FACTS, rules=msgspec.structs.replace(RULES, purposes_abroad=purposes))
    local = replace(strict, agreement=with_terms(direction=Direction.LOCAL))

    assert reason(decide_item(QUESTION, ITEM, narrow, NOON)) == "PURPOSE_MISMATCH"
    assert reason(decide_item(QUESTION, ITEM, strict, NOON)) == "PURPOSE_NOT_ALLOWED_ABROAD"
    assert decide_item(QUESTION, ITEM, local, NOON) is None


def test_the_daily_quota_ends_inside_a_message() -> None:
    nearly = replace(FACTS, usage=Usage(queries_today=9))

    assert decide_item(QUESTION, ITEM, nearly, NOON) is None
    assert reason(decide_item(QUESTION, msgspec.structs.replace(ITEM, place=1), nearly, NOON)) == "RISK_LIMIT"


def test_kinds_beyond_the_authorisation_are_refused() -> None:
    wider = replace(QUESTION, asked={"201": frozenset({"decision"})})

    assert reason(decide_query(wider, ITEM, FACTS, NOON)) == "CONSENT_SCOPE_EXCEEDED"
    both = Item(
        pseudonym=PSEUDONYM,
        authorisation=opened(authorised(msgspec.structs.replace(ASK, kinds=frozenset({"101", "201"}))).raw),
    )
    assert reason(decide_query(wider, both, FACTS, NOON)) == "Granted"


def evaluation(elements: int, usage: Usage, peer: PartyId = BANK) -> str:
    question = EvaluationQuestion(peer=peer, agreement=DIGEST, epoch=1, elements=elements)
    return reason(decide_evaluation(question, replace(FACTS, usage=usage), NOON))


@pytest.mark.parametrize(
    ("elements", "usage", "expected"),
    [
        (1000, Usage(), "NoneType"),
        (1001, Usage(), "RISK_LIMIT"),
        (1, Usage(elements_epoch=999), "NoneType"),
        (2, Usage(elements_epoch=999), "RISK_LIMIT"),
        (500, Usage(elements_lifetime=1000), "NoneType"),
        (501, Usage(elements_lifetime=1000), "RISK_LIMIT"),
        (0, Usage(), "MALFORMED"),
        (-5, Usage(), "MALFORMED"),
    ],
)
def test_elements_are_charged_against_both_quotas_before_they_are_evaluated(
    elements: int, usage: Usage, expected: str
) -> None:
    assert evaluation(elements, usage) == expected


def test_an_evaluation_needs_an_agreement_in_force_with_the_asker() -> None:
    assert evaluation(1, Usage(), HK) == "AGREEMENT_MISSING"


def test_no_refusal_repeats_what_the_asker_wrote() -> None:
    strange = Question(
        peer=BANK,
        agreement=DIGEST,
        epoch=1,
        purpose="SECRET TEXT",
        asked={"101": frozenset({"SECRET FIELD"})},
    )
    refused = decide_query(strange, ITEM, FACTS, NOON)

    assert isinstance(refused, Refused)
    assert "SECRET" not in refused.detail


PUSHED = with_terms(manner=(Manner.PULL, Manner.PUSH))


def pushing(kinds: str = "101 201", at: Any = NOON, **facts: Any) -> str:
    known = replace(FACTS, **({"agreement": PUSHED} | facts))
    return reason(decide_push(BANK, DIGEST, frozenset(kinds.split()), known, at))


def test_a_push_shows_every_agreed_field_of_the_kinds_that_are_wanted() -> None:
    granted = decide_push(BANK, DIGEST, frozenset({"101"}), replace(FACTS, agreement=PUSHED), NOON)

    assert granted == Granted(fields={"101": PUSHED.terms.precisions["101"]})


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"agreement": IN_FORCE}, "AGREEMENT_SCOPE"),
        ({"agreement": None}, "AGREEMENT_MISSING"),
        ({"peer": Standing.REVOKED}, "PEER_SUSPENDED"),
        ({"registry_fresh": False}, "REGISTRY_STALE"),
        ({"peer_class": PartyClass.CREDIT_DEPT}, "PARTY_NOT_ELIGIBLE"),
        ({"notices_overdue": True}, "NOTICE_BACKLOG"),
        ({"catalogue": catalogue_with("101", nature=Nature.OTHER)}, "CONSENT_MISSING"),
        ({"catalogue": catalogue_with("101", publicity=Publicity.GOVERNMENT_ONLY)}, "GOVERNMENT_ONLY"),
        ({"catalogue": catalogue_with("101", crosses=Crossing.NEVER)}, "NATURAL_PERSON_SUBJECT"),
    ],
)
def test_a_push_needs_what_a_query_needs_and_no_subject_s_word(facts: dict[str, Any], expected: str) -> None:
    assert pushing(**facts) == expected


def test_a_push_ends_with_the_agreement_and_takes_no_kind_that_is_not_agreed() -> None:
    assert pushing(at=END) == "AGREEMENT_EXPIRED"
    assert pushing("999") == "NOT_IN_CATALOGUE"


def test_a_correction_is_passed_on_in_whatever_manner_the_error_was_shown() -> None:
    """S 42; but never without an agreement in force."""
    kinds = frozenset({"201"})

    assert isinstance(decide_replacement(BANK, DIGEST, kinds, FACTS, NOON), Granted)
    assert reason(decide_replacement(BANK, DIGEST, kinds, FACTS, END)) == "AGREEMENT_EXPIRED"
    assert reason(decide_replacement(BANK, DIGEST, kinds, replace(FACTS, agreement=None), NOON)) == "AGREEMENT_MISSING"


def test_whoever_leaves_changes_unapplied_is_shown_nothing_more() -> None:
    """S 42: the duty to follow comes before the right to ask."""
    assert reason(decide_query(QUESTION, ITEM, replace(FACTS, notices_overdue=True), NOON)) == "NOTICE_BACKLOG"
