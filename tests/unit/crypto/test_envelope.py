"""Signed documents."""

from datetime import UTC, datetime

import msgspec
import pytest

from crypto import envelope
from crypto.canonical import canonical
from crypto.errors import BadSignature, Malformed, UnknownField
from crypto.keys import KeyId, Purpose
from tests.vectors.fixed import signing_key
from tests.vectors.make import Greeting

FIRST, SECOND = signing_key(Purpose.DOCUMENT, "first"), signing_key(Purpose.OPERATOR, "second")
KEYS = {key.key_id: key.public for key in (FIRST, SECOND)}
GREETING = Greeting(suite=1, text="信用", when=datetime(2026, 11, 23, tzinfo=UTC))
RAW = envelope.sign("greeting", GREETING, [FIRST])


class Unsuited(msgspec.Struct, frozen=True):
    suite: int


def test_a_signed_document_opens() -> None:
    opened, digest = envelope.open_document(RAW, "greeting", Greeting, KEYS, [FIRST.key_id])

    assert opened == GREETING
    assert digest == envelope.digest(envelope.payload_type("greeting"), canonical(GREETING))


def test_the_pre_authentication_encoding_is_that_of_dsse() -> None:
    assert envelope.pae("http://example.com/HelloWorld", b"hello world") == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )


def test_the_envelope_is_itself_canonical_json() -> None:
    both = envelope.add_signature(RAW, SECOND)

    assert canonical(msgspec.json.decode(both)) == both


def test_a_second_signature_does_not_rename_a_document() -> None:
    both = envelope.add_signature(RAW, SECOND)

    assert envelope.parse(both, "greeting").digest == envelope.parse(RAW, "greeting").digest
    assert both == envelope.sign("greeting", GREETING, [SECOND, FIRST])
    envelope.open_document(both, "greeting", Greeting, KEYS, list(KEYS))


def test_a_missing_required_signature_is_refused() -> None:
    with pytest.raises(BadSignature):
        envelope.open_document(RAW, "greeting", Greeting, KEYS, [FIRST.key_id, SECOND.key_id])


def test_a_required_signer_that_is_not_known_is_refused() -> None:
    with pytest.raises(BadSignature):
        envelope.open_document(RAW, "greeting", Greeting, {}, [FIRST.key_id])


def test_requiring_nobody_is_refused() -> None:
    with pytest.raises(BadSignature):
        envelope.open_document(RAW, "greeting", Greeting, KEYS, [])


def test_a_key_listed_under_another_name_is_refused() -> None:
    with pytest.raises(BadSignature):
        envelope.verify(envelope.parse(RAW, "greeting"), {FIRST.key_id: SECOND.public}, [FIRST.key_id])


def test_a_false_signature_by_a_known_key_spoils_the_document() -> None:
    other = envelope.sign("greeting", msgspec.structs.replace(GREETING, text="x"), [SECOND])
    stolen = envelope.parse(other, "greeting").signatures[SECOND.key_id]
    document = msgspec.json.decode(envelope.add_signature(RAW, SECOND))
    for one in document["signatures"]:
        if one["keyid"] == SECOND.key_id:
            one["sig"] = msgspec.json.decode(msgspec.json.encode(stolen))
    signed = envelope.parse(canonical(document), "greeting")

    with pytest.raises(BadSignature):
        envelope.verify(signed, KEYS, [FIRST.key_id])
    envelope.verify(signed, {FIRST.key_id: FIRST.public}, [FIRST.key_id])


def test_the_verified_signers_are_those_known() -> None:
    both = envelope.parse(envelope.add_signature(RAW, SECOND), "greeting")

    assert envelope.verified_signers(both, {SECOND.key_id: SECOND.public}) == {SECOND.key_id}


def test_a_document_of_another_kind_is_refused() -> None:
    with pytest.raises(Malformed):
        envelope.parse(RAW, "farewell")


def test_a_signature_does_not_carry_over_to_another_kind() -> None:
    renamed = RAW.replace(b"creditport.greeting", b"creditport.farewell")

    with pytest.raises(BadSignature):
        envelope.open_document(renamed, "farewell", Greeting, KEYS, [FIRST.key_id])


def test_one_key_signs_once() -> None:
    with pytest.raises(Malformed):
        envelope.add_signature(RAW, FIRST)
    with pytest.raises(Malformed):
        envelope.sign("greeting", GREETING, [FIRST, FIRST])


@pytest.mark.parametrize("count", [0, 9])
def test_a_document_carries_one_to_eight_signatures(count: int) -> None:
    with pytest.raises(Malformed):
        envelope.sign("greeting", GREETING, [signing_key(Purpose.OPERATOR, str(n)) for n in range(count)])


def test_signatures_in_another_order_are_refused() -> None:
    document = msgspec.json.decode(envelope.add_signature(RAW, SECOND))
    document["signatures"].reverse()

    with pytest.raises(Malformed):
        envelope.parse(canonical(document), "greeting")


def test_a_repeated_signature_is_refused() -> None:
    document = msgspec.json.decode(RAW)
    document["signatures"] *= 2

    with pytest.raises(Malformed):
        envelope.parse(canonical(document), "greeting")


def test_a_nested_unknown_field_is_refused() -> None:
    document = msgspec.json.decode(RAW)
    document["signatures"][0]["zz"] = 1

    with pytest.raises(UnknownField):
        envelope.parse(canonical(document), "greeting")


def test_a_short_signature_is_refused() -> None:
    document = msgspec.json.decode(RAW)
    document["signatures"][0]["sig"] = "AAAA"

    with pytest.raises(Malformed):
        envelope.parse(canonical(document), "greeting")


def test_the_payload_is_read_only_after_its_signature() -> None:
    raw = envelope.sign("greeting", b"not even JSON", [SECOND])

    with pytest.raises(BadSignature):
        envelope.open_document(raw, "greeting", Greeting, KEYS, [FIRST.key_id])
    with pytest.raises(Malformed):
        envelope.open_document(raw, "greeting", Greeting, KEYS, [SECOND.key_id])


def test_an_unknown_suite_is_refused() -> None:
    raw = envelope.sign("greeting", Unsuited(suite=9), [FIRST])

    with pytest.raises(Malformed):
        envelope.open_document(raw, "greeting", Unsuited, KEYS, [FIRST.key_id])


def test_a_document_above_the_limit_is_refused() -> None:
    with pytest.raises(Malformed):
        envelope.parse(RAW, "greeting", limit=len(RAW) - 1)
    assert envelope.parse(RAW, "greeting", limit=len(RAW)).raw == RAW


def test_the_content_is_not_shown() -> None:
    shown = repr(envelope.parse(RAW, "greeting"))

    assert "信用" not in shown
    assert canonical(GREETING).decode() not in shown
    assert repr(RAW) not in shown


def test_signers_are_named_by_key_id() -> None:
    assert set(envelope.parse(RAW, "greeting").signatures) == {KeyId(FIRST.key_id)}
