from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec.structs import replace

from agreements.consent import ConsentType, Use, attest, check_consent, open_consent
from agreements.months import add_months
from agreements.refusal import Refused
from crypto import envelope
from registry.norms.rule_pack import Ruled
from tests.unit.agreements.world import (
    AGREEMENT_ID,
    BANK,
    CONSENT,
    HK,
    NOON,
    PURPOSE,
    RULES,
    SNAPSHOT,
    START,
    attested,
    key_of,
    reason,
)

USE = Use(agreement=AGREEMENT_ID, kinds=frozenset({"101"}), purpose=PURPOSE)


def verdict(at: datetime = NOON, use: Use = USE, **changed: Any) -> str:
    return reason(check_consent(replace(CONSENT, **changed), use, at, RULES))


def test_a_sound_consent_carries_its_use() -> None:
    assert verdict() == "NoneType"


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"valid_until": None}, "CONSENT_LIFELONG"),
        ({"valid_until": datetime(2027, 5, 1, 0, 0, 1, tzinfo=UTC)}, "CONSENT_LIFELONG"),
        ({"standalone": False}, "CONSENT_BUNDLED"),
        ({"service_not_conditioned": False}, "CONSENT_BUNDLED"),
        ({"valid_until": NOON}, "CONSENT_EXPIRED"),
        ({"attested_at": datetime(2026, 6, 2, tzinfo=UTC)}, "ATTESTATION_MISSING"),
        ({"type": ConsentType.SHARE}, "CONSENT_SCOPE_EXCEEDED"),
        ({"agreement": "0b" * 16}, "CONSENT_SCOPE_EXCEEDED"),
        ({"kinds": ("201",)}, "CONSENT_SCOPE_EXCEEDED"),
        ({"purposes": ("CROSS_BORDER_TRADE",)}, "PURPOSE_MISMATCH"),
    ],
)
def test_each_flaw_of_a_consent_refuses_with_its_reason(changed: dict[str, Any], expected: str) -> None:
    assert verdict(**changed) == expected


GRAVE = Use(agreement=AGREEMENT_ID, kinds=frozenset({"101", "502"}), purpose=PURPOSE)


@pytest.mark.parametrize("kind", sorted(RULES.adverse_warning_kinds.value))
def test_what_may_count_against_a_subject_is_asked_for_only_if_it_was_warned(kind: str) -> None:
    """S 23 names income, deposits, securities, property and tax; 501 and 502 say the same of a business."""
    use = Use(agreement=AGREEMENT_ID, kinds=frozenset({kind}), purpose=PURPOSE)
    unwarned = replace(CONSENT, kinds=("101", "501", "502"), adverse_warning=False)

    refused = check_consent(unwarned, use, NOON, RULES)

    assert isinstance(refused, Refused)
    assert (refused.reason, refused.article) == ("ADVERSE_WARNING_MISSING", "S 23")
    assert refused.detail == f"adverse_warning: expected true for {kind}, got false"
    assert check_consent(replace(unwarned, adverse_warning=True), use, NOON, RULES) is None


def test_one_grave_kind_among_others_needs_the_warning() -> None:
    assert verdict(use=GRAVE, kinds=("101", "502"), adverse_warning=False) == "ADVERSE_WARNING_MISSING"


def test_for_what_needs_no_warning_an_unwarned_consent_stays_good() -> None:
    assert verdict(kinds=("101", "502"), adverse_warning=False) == "NoneType"


def test_which_kinds_need_the_warning_is_for_the_rule_pack_to_say() -> None:
    none = replace(RULES, adverse_warning_kinds=Ruled(value=frozenset(), article="23"))
    consent = replace(CONSENT, kinds=("101", "502"), adverse_warning=False)

    assert check_consent(consent, GRAVE, NOON, none) is None


def test_a_consent_is_good_from_its_first_second_to_before_its_last() -> None:
    assert verdict(at=START) == "NoneType"
    assert verdict(at=datetime(2027, 5, 1, tzinfo=UTC)) == "CONSENT_EXPIRED"


def test_using_a_consent_for_no_kind_at_all_is_outside_it() -> None:
    assert verdict(use=Use(agreement=AGREEMENT_ID, kinds=frozenset(), purpose=PURPOSE)) == ("CONSENT_SCOPE_EXCEEDED")


def test_a_consent_opens_for_the_institution_that_attested_it() -> None:
    assert attested().consent == CONSENT


def test_a_consent_attested_by_another_than_it_names_is_refused() -> None:
    by_another = attest(CONSENT, key_of(HK))

    assert reason(open_consent(by_another, SNAPSHOT.keys_of, "P@1")) == "SIGNATURE_INVALID"


def test_a_consent_with_an_unknown_suite_or_other_bytes_is_refused() -> None:
    unknown_suite = envelope.sign("consent", replace(CONSENT, suite=2), [key_of(BANK)])

    assert reason(open_consent(unknown_suite, SNAPSHOT.keys_of, "P@1")) == "MALFORMED"
    assert reason(open_consent(b"", SNAPSHOT.keys_of, "P@1")) == "MALFORMED"


def test_neither_a_consent_nor_its_subject_shows_who_it_is() -> None:
    assert CONSENT.subject.value not in repr(CONSENT) + repr(CONSENT.subject) + repr(attested())


@pytest.mark.parametrize(
    ("day", "months", "expected"),
    [
        ((2026, 1, 31), 1, (2026, 2, 28)),
        ((2026, 11, 5), 14, (2028, 1, 5)),
        ((2024, 2, 29), 12, (2025, 2, 28)),
    ],
)
def test_months_end_on_the_same_day_or_the_last_there_is(
    day: tuple[int, int, int], months: int, expected: tuple[int, int, int]
) -> None:
    assert add_months(datetime(*day, 8, tzinfo=UTC), months) == datetime(*expected, 8, tzinfo=UTC)
