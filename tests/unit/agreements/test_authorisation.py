from datetime import datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from agreements.authorisation import (
    LIFETIME,
    Authorised,
    authorise,
    consent_commitment,
    misfit,
    open_authorisation,
)
from agreements.refusal import Refusal
from crypto import envelope
from tests.unit.agreements.world import (
    ASK,
    BANK_KEYS,
    CONSENT,
    HK,
    ISSUER,
    NOON,
    PSEUDONYM,
    attested,
    authorised,
    key_of,
    opened,
    reason,
)


def misfit_of(at: datetime = NOON, ask: Any = ASK, **changed: Any) -> Refusal | None:
    authorisation = replace(opened(authorised().raw).authorisation, **changed)
    fault = misfit(authorisation, ask, at)
    return None if fault is None else fault[0]


def test_an_authorisation_commits_to_the_consent_without_telling_it() -> None:
    made = authorised()
    authorisation = opened(made.raw).authorisation

    assert authorisation.consent_commitment == consent_commitment(attested().digest, made.salt).hex()
    assert CONSENT.consent.encode() not in made.raw
    assert made.digest == opened(made.raw).digest


def test_an_authorisation_lives_ten_minutes_and_no_longer_than_the_consent() -> None:
    short = attested(replace(CONSENT, valid_until=NOON + timedelta(minutes=1)))
    made = authorise(ASK, short, NOON, ISSUER)
    assert isinstance(made, Authorised)

    assert opened(authorised().raw).authorisation.expires_at == NOON + LIFETIME
    assert opened(made.raw).authorisation.expires_at == NOON + timedelta(minutes=1)


def test_without_a_consent_that_carries_it_nothing_is_authorised() -> None:
    assert reason(authorise(replace(ASK, purpose="OTHER"), attested(), NOON, ISSUER)) == "PURPOSE_MISMATCH"


def test_a_consent_that_names_a_grave_kind_without_a_warning_authorises_no_question_about_it() -> None:
    """Whoever attested it: an older program, or a node that did not ask itself."""
    unwarned = attested(replace(CONSENT, kinds=("101", "502"), adverse_warning=False))
    grave = replace(ASK, kinds=frozenset({"502"}))

    assert reason(authorise(grave, unwarned, NOON, ISSUER)) == "ADVERSE_WARNING_MISSING"
    assert isinstance(authorise(ASK, unwarned, NOON, ISSUER), Authorised)


def test_nothing_presented_opens_as_none() -> None:
    assert open_authorisation(b"", BANK_KEYS, "P@1") is None


def test_a_forged_or_foreign_signature_is_refused() -> None:
    payload = envelope.parse(authorised().raw, "authorisation").payload
    foreign = envelope.sign("authorisation", payload, [key_of(HK)])

    assert reason(open_authorisation(foreign, BANK_KEYS, "P@1")) == "SIGNATURE_INVALID"
    assert reason(open_authorisation(b"{}", BANK_KEYS, "P@1")) == "MALFORMED"
    assert reason(open_authorisation(b" " * 4097, BANK_KEYS, "P@1")) == "OVERSIZED"


def test_an_authorisation_made_for_the_question_fits_it() -> None:
    assert misfit_of() is None


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"pseudonym": "ff" * 16}, Refusal.SIGNATURE_INVALID),
        ({"agreement": "ff" * 32}, Refusal.SIGNATURE_INVALID),
        ({"epoch": 2}, Refusal.SIGNATURE_INVALID),
        ({"requester": HK}, Refusal.SIGNATURE_INVALID),
        ({"expires_at": NOON + LIFETIME + timedelta(seconds=1)}, Refusal.CONSENT_LIFELONG),
        ({"purpose": "CROSS_BORDER_TRADE"}, Refusal.PURPOSE_MISMATCH),
        ({"kinds": ("201",)}, Refusal.CONSENT_SCOPE_EXCEEDED),
    ],
)
def test_each_difference_from_the_question_is_a_misfit(changed: dict[str, Any], expected: Refusal) -> None:
    assert misfit_of(**changed) is expected


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (NOON - timedelta(seconds=61), Refusal.CONSENT_EXPIRED),
        (NOON - timedelta(seconds=60), None),
        (NOON + LIFETIME - timedelta(seconds=1), None),
        (NOON + LIFETIME, Refusal.CONSENT_EXPIRED),
    ],
)
def test_it_passes_a_minute_early_for_slow_clocks_and_never_late(at: datetime, expected: Refusal | None) -> None:
    assert misfit_of(at) is expected


def test_salt_and_document_are_not_shown() -> None:
    made = authorised()

    assert "raw" not in repr(made)
    assert repr(made.salt) not in repr(made)
    assert PSEUDONYM.hex() not in repr(made)
