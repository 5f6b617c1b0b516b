"""Attestations: an admitted institution's word, whole, in time, and by the key that it has now."""

from collections.abc import Callable
from dataclasses import replace as replaced
from datetime import timedelta
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from agreements.attestation import (
    KIND,
    MOST,
    Attestation,
    Declared,
    OpenedAttestation,
    Waived,
    WaiverReason,
    open_attestation,
    sign_attestation,
)
from agreements.consent import SubjectName
from agreements.errors import WrongKey
from crypto import envelope
from crypto.canonical import canonical
from crypto.keys import Purpose
from registry.parties import Jurisdiction, PartyClass
from registry.snapshot import Snapshot, Standing, Turn
from tests.unit.agreements.world import AGENCY, BANK, NOON, RULES, SNAPSHOT, key_of, listing, reason, snapshot_of

FIRM, ODD = (SubjectName(scheme="CN-USCC", value=code) for code in ("91440300MA5TERT15Q", "91350211M0000XUF46"))
FIRM_KEY = key_of("firm", Purpose.SUBJECT).public.raw.hex()
ATTESTATION = Attestation(
    attested_at=NOON - timedelta(days=1),
    declarations=tuple(Declared(content=digit * 64, key=FIRM_KEY, subject=FIRM) for digit in "ab"),
    expires_at=NOON + timedelta(days=89),
    identifiers=(Waived(reason=WaiverReason.ISSUED_SO, subject=ODD),),
    issuer=AGENCY,
    suite=1,
)
SIGNED = sign_attestation(ATTESTATION, key_of(AGENCY))
NOT_RELIED_ON = {"SIGNATURE_INVALID", "MALFORMED", "UNKNOWN_FIELD", "ATTESTATION_MISSING"}
"""The last where the change makes another name of the issuer's."""


def opened(raw: bytes = SIGNED, snapshot: Snapshot = SNAPSHOT, **later: float) -> str:
    return reason(open_attestation(raw, snapshot, NOON + timedelta(**later), RULES.reference))


def signed(by: str = AGENCY, **changed: Any) -> bytes:
    return sign_attestation(replace(ATTESTATION, **changed), key_of(by))


def test_an_attestation_of_an_admitted_institution_is_opened_with_the_name_of_its_document() -> None:
    found = open_attestation(SIGNED, SNAPSHOT, NOON, RULES.reference)

    assert isinstance(found, OpenedAttestation)
    assert (found.attestation, found.digest) == (ATTESTATION, envelope.parse(SIGNED, KIND).digest)


@given(st.integers(0, len(SIGNED) - 1), st.integers(1, 255))
def test_whatever_byte_is_changed_nobody_relies_on_it(place: int, by: int) -> None:
    changed = SIGNED[:place] + bytes([SIGNED[place] ^ by]) + SIGNED[place + 1 :]

    assert opened(changed) in NOT_RELIED_ON


@given(st.integers(0, len(SIGNED) - 1))
def test_a_part_of_an_attestation_is_none(length: int) -> None:
    assert opened(SIGNED[:length]) == "MALFORMED"


def test_a_payload_that_differs_in_any_place_is_not_what_was_signed() -> None:
    payload = canonical(ATTESTATION)
    for place in range(len(payload)):
        changed = payload[:place] + bytes([payload[place] ^ 1]) + payload[place + 1 :]
        forged = envelope.sign(KIND, changed, [key_of(BANK)])
        theirs = SIGNED.replace(envelope_payload(SIGNED), envelope_payload(forged))

        assert theirs != SIGNED
        assert opened(theirs) in NOT_RELIED_ON


def envelope_payload(raw: bytes) -> bytes:
    """The base64 text of an envelope's payload."""
    return raw.split(b'"payload":"')[1].split(b'"')[0]


def test_another_institution_s_signature_under_an_issuer_s_name_is_refused() -> None:
    assert opened(signed(by=BANK)) == "SIGNATURE_INVALID"


def test_a_key_for_frames_signs_no_attestation() -> None:
    raw = envelope.sign(KIND, canonical(ATTESTATION), [key_of(AGENCY, Purpose.FRAME)])

    assert opened(raw) == "SIGNATURE_INVALID"
    with pytest.raises(WrongKey):
        sign_attestation(ATTESTATION, key_of(AGENCY, Purpose.FRAME))


def test_an_issuer_that_nobody_listed_is_nobody() -> None:
    assert opened(signed(by="stranger", issuer="stranger")) == "ATTESTATION_MISSING"


def test_an_issuer_whose_admission_ended_is_believed_no_more() -> None:
    revoked = listing(AGENCY, Jurisdiction.CN_SZ, PartyClass.MUNI_CREDIT_AGENCY, standing=Standing.REVOKED)

    assert opened(snapshot=snapshot_of(revoked)) == "ATTESTATION_MISSING"


def test_an_issuer_is_not_believed_about_a_day_before_it_was_admitted() -> None:
    known = SNAPSHOT.listings[AGENCY]
    late = replaced(known, turns=(Turn(at=NOON - timedelta(hours=1), standing=Standing.ADMITTED),))

    assert opened(snapshot=snapshot_of(late)) == "ATTESTATION_MISSING"
    assert opened(signed(attested_at=NOON), snapshot=snapshot_of(late)) == "OpenedAttestation"


def test_a_key_that_was_replaced_attests_nothing_whatever_day_it_writes() -> None:
    known = SNAPSHOT.listings[AGENCY]
    another = key_of("another").public
    renewed = replaced(known.card, keys=MappingProxyType({another.key_id: another}))
    snapshot = snapshot_of(replaced(known, card=renewed, superseded=(known.card,)))

    assert snapshot.keys_of(AGENCY).keys() > renewed.keys.keys()
    assert opened(snapshot=snapshot) == "SIGNATURE_INVALID"


def test_an_attestation_is_good_from_its_first_second_to_before_its_last() -> None:
    assert opened(days=-1) == opened(days=89, seconds=-1) == "OpenedAttestation"
    assert opened(days=-1, seconds=-1) == opened(days=89) == "ATTESTATION_MISSING"


@pytest.mark.parametrize(
    "change",
    [
        lambda one: {"declarations": one.declarations[::-1]},
        lambda one: {"declarations": one.declarations + one.declarations[-1:]},
        lambda one: {"identifiers": one.identifiers * 2},
        lambda _: {"declarations": (), "identifiers": ()},
    ],
    ids=["another order", "one twice", "a code twice", "nothing"],
)
def test_an_attestation_says_something_and_each_thing_once_in_order(
    change: Callable[[Attestation], dict[str, Any]],
) -> None:
    assert opened(signed(**change(ATTESTATION))) == "MALFORMED"


def test_no_representation_shows_whom_it_is_about() -> None:
    assert FIRM.value not in repr(ATTESTATION) + repr(ATTESTATION.declarations) + repr(ATTESTATION.identifiers)


def test_an_attestation_covers_three_thousand_declarations_within_its_mebibyte() -> None:
    long = SubjectName(scheme="HK-BRN-DUMMY", value="CN-USCC-91440300MA5TERT15Q")
    many = tuple(Declared(content=f"{number:064x}", key=FIRM_KEY, subject=long) for number in range(MOST))

    assert opened(signed(declarations=many, identifiers=())) == "OpenedAttestation"
