"""Self-declarations: what a subject signed is read under the key that it names, whole, or not at all (S 20, 26)."""

from datetime import date
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from agreements.consent import SubjectName
from agreements.declaration import (
    KIND,
    LARGEST,
    OpenedDeclaration,
    SelfDeclaration,
    open_declaration,
    sign_declaration,
)
from agreements.errors import WrongKey
from crypto import envelope
from crypto.canonical import canonical
from crypto.errors import Malformed
from crypto.keys import Purpose
from tests.unit.agreements.world import RULES, key_of, reason

FIRM = SubjectName(scheme="CN-USCC", value="91440300MA5TERT15Q")
KEY, ANOTHER = key_of("firm", Purpose.SUBJECT), key_of("another firm", Purpose.SUBJECT)
DECLARATION = SelfDeclaration(
    consent_until=date(2027, 5, 30),
    declaration_no="2026-7",
    declared_on=date(2026, 5, 30),
    key=KEY.public.raw.hex(),
    statement="本企业已通过质量管理体系认证。\nCertified to ISO 9001.",
    subject=FIRM,
    suite=1,
    topic_code="QUALIFICATION",
)
SIGNED = sign_declaration(DECLARATION, KEY)


def opened(raw: bytes = SIGNED) -> str:
    return reason(open_declaration(raw, RULES.reference))


def forced(**changed: Any) -> bytes:
    """What a program of somebody's own would sign."""
    return envelope.sign(KIND, canonical(replace(DECLARATION, **changed)), [KEY])


def test_what_a_subject_signed_is_opened_under_the_name_that_anybody_can_reckon() -> None:
    found = open_declaration(SIGNED, RULES.reference)

    assert found == OpenedDeclaration(declaration=DECLARATION, digest=sha256(SIGNED).hexdigest())


@given(st.integers(0, len(SIGNED) - 1), st.integers(1, 255))
def test_whatever_byte_is_changed_it_is_no_declaration_of_anybody(place: int, by: int) -> None:
    changed = SIGNED[:place] + bytes([SIGNED[place] ^ by]) + SIGNED[place + 1 :]

    assert opened(changed) in {"SIGNATURE_INVALID", "MALFORMED", "UNKNOWN_FIELD"}


def test_a_payload_that_differs_in_any_bit_is_not_what_was_signed() -> None:
    payload = canonical(DECLARATION)
    for place in range(len(payload)):
        changed = payload[:place] + bytes([payload[place] ^ 1]) + payload[place + 1 :]
        theirs = envelope.sign(KIND, changed, [KEY])
        text = SIGNED.replace(_payload(SIGNED), _payload(theirs))

        assert opened(text) in {"SIGNATURE_INVALID", "MALFORMED", "UNKNOWN_FIELD"}


def _payload(raw: bytes) -> bytes:
    return raw.split(b'"payload":"')[1].split(b'"')[0]


def test_another_key_than_the_one_it_names_signs_nothing_in_its_place() -> None:
    assert opened(envelope.sign(KIND, canonical(DECLARATION), [ANOTHER])) == "SIGNATURE_INVALID"
    assert opened(envelope.add_signature(SIGNED, ANOTHER)) == "SIGNATURE_INVALID"
    with pytest.raises(WrongKey):
        sign_declaration(DECLARATION, ANOTHER)


def test_a_key_of_another_purpose_signs_no_declaration() -> None:
    institution = key_of("firm", Purpose.DOCUMENT)
    claimed = replace(DECLARATION, key=institution.public.raw.hex())

    assert opened(envelope.sign(KIND, canonical(claimed), [institution])) == "SIGNATURE_INVALID"
    with pytest.raises(WrongKey):
        sign_declaration(claimed, institution)


@pytest.mark.parametrize("key", ["00" * 32, "01" + "00" * 31, "ff" * 32])
def test_a_key_under_which_anything_verifies_is_none(key: str) -> None:
    assert opened(forced(key=key)) == "SIGNATURE_INVALID"


@pytest.mark.parametrize(
    "text", ["", " spaced", "back\x08space", "revers\u202eed", "zero\u200bwidth", "line\u2028", "next\x85line"]
)
def test_what_nobody_could_read_in_full_is_neither_signed_nor_opened(text: str) -> None:
    assert opened(forced(statement=text)) == opened(forced(declaration_no=text)) == "MALFORMED"
    if text:
        with pytest.raises(Malformed):
            sign_declaration(replace(DECLARATION, statement=text), KEY)


def test_a_document_of_another_kind_suite_or_size_is_refused() -> None:
    consent = envelope.sign("consent", canonical(DECLARATION), [KEY])

    assert opened(consent) == opened(forced(suite=2)) == opened(b"") == "MALFORMED"
    assert opened(SIGNED + b" " * LARGEST) == "OVERSIZED"


def test_a_declaration_without_words_is_one_on_a_topic() -> None:
    assert opened(sign_declaration(replace(DECLARATION, statement=None), KEY)) == "OpenedDeclaration"


def test_no_representation_shows_who_says_what() -> None:
    shown = repr(DECLARATION) + repr(open_declaration(SIGNED, RULES.reference))

    assert FIRM.value not in shown
    assert "ISO" not in shown
