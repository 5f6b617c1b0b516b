from base64 import b64encode
from hashlib import sha256

import pytest
from msgspec.structs import replace

from crypto import envelope
from crypto.canonical import canonical, to_base64
from crypto.errors import BadSignature, Malformed, UnknownField
from crypto.keys import Algorithm, Purpose, SigningKey, key_id
from registry.errors import BadCard, BadFingerprint
from registry.parties import (
    CARD_KIND,
    LARGEST_CARD,
    CardKey,
    PartyCard,
    PartyClass,
    fingerprint,
    issue_card,
    parse_fingerprint,
    read_card,
)
from tests.unit.registry.cast import AGENCY, BANK, SHENZHEN

SIGNER = BANK.signing(Purpose.DOCUMENT)


def signed(card: PartyCard, key: SigningKey = SIGNER) -> bytes:
    return envelope.sign(CARD_KIND, card, [key])


def with_key(card: PartyCard, purpose: Purpose, **changes: object) -> PartyCard:
    keys = tuple(replace(key, **changes) if key.purpose is purpose else key for key in card.keys)
    return replace(card, keys=keys)


def test_a_card_is_read_back_with_usable_keys_and_its_certificate_digest() -> None:
    listed = BANK.card()

    assert listed.card == BANK.draft()
    assert listed.key(Purpose.DOCUMENT) == SIGNER.public
    assert set(listed.keys) == {key.key_id for key in listed.card.keys}
    assert listed.certificate_sha256 == sha256(b"0certificate " + BANK._seed(Purpose.TLS)).digest()


def test_only_an_authority_lists_a_registry_key() -> None:
    assert SHENZHEN.card().card.registry_vkey is not None
    assert BANK.card().card.registry_vkey is None
    with pytest.raises(KeyError):
        BANK.card().key(Purpose.REGISTRY)


def test_the_card_of_an_authority_without_a_registry_key_is_refused() -> None:
    card = replace(BANK.draft(), party_class=PartyClass.CREDIT_DEPT)

    with pytest.raises(BadCard, match="keys: expected one key each for document frame journal registry seal"):
        issue_card(card, SIGNER)


def test_a_registry_key_on_an_institutions_card_is_refused() -> None:
    card = replace(SHENZHEN.draft(), party_class=PartyClass.MUNI_CREDIT_AGENCY)

    with pytest.raises(BadCard, match="keys"):
        issue_card(card, SHENZHEN.signing(Purpose.DOCUMENT))


def test_two_keys_for_one_purpose_are_refused() -> None:
    card = BANK.draft()

    with pytest.raises(BadCard, match="keys"):
        read_card(signed(replace(card, keys=(*card.keys, card.keys[0]))))


def test_a_card_signed_by_another_key_is_refused() -> None:
    with pytest.raises(BadSignature):
        read_card(signed(BANK.draft(), AGENCY.signing(Purpose.DOCUMENT)))


def test_a_card_signed_by_its_frame_key_is_refused() -> None:
    with pytest.raises(BadSignature):
        read_card(signed(BANK.draft(), BANK.signing(Purpose.FRAME)))


def test_a_wrong_key_id_is_refused() -> None:
    with pytest.raises(BadCard, match=r"keys\.frame\.key_id"):
        read_card(signed(with_key(BANK.draft(), Purpose.FRAME, key_id="00" * 16)))


def test_the_identity_point_is_refused_as_a_key() -> None:
    weak = b"\x01" + bytes(31)
    card = with_key(
        BANK.draft(),
        Purpose.FRAME,
        public=to_base64(weak),
        key_id=key_id(Purpose.FRAME, Algorithm.ED25519, weak),
    )

    with pytest.raises(BadCard, match=r"keys\.frame: expected a usable ed25519 key"):
        read_card(signed(card))


def test_a_key_of_the_wrong_algorithm_is_refused() -> None:
    with pytest.raises(BadCard, match=r"keys\.seal: expected a usable x25519 key"):
        read_card(signed(with_key(BANK.draft(), Purpose.SEAL, algorithm=Algorithm.ED25519)))


def test_a_journal_key_under_another_partys_name_is_refused() -> None:
    with pytest.raises(BadCard, match="journal_vkey"):
        read_card(signed(replace(BANK.draft(), journal_vkey=AGENCY.draft().journal_vkey)))


def test_a_registry_verifier_without_a_registry_key_is_refused() -> None:
    with pytest.raises(BadCard, match="registry_vkey: expected none"):
        read_card(signed(replace(BANK.draft(), registry_vkey=SHENZHEN.draft().registry_vkey)))


def test_an_authority_without_its_registry_verifier_is_refused() -> None:
    raw = signed(replace(SHENZHEN.draft(), registry_vkey=None), SHENZHEN.signing(Purpose.DOCUMENT))

    with pytest.raises(BadCard, match="registry_vkey: expected the registry key"):
        read_card(raw)


@pytest.mark.parametrize(
    "endpoint",
    [
        "node.example.org",
        "node.example.org:0",
        "node:65536",
        "Node:1",
        "a b:1",
        "-a:1",
        "http://a:1",
        "a:1\n",
        ":1",
    ],
)
def test_an_endpoint_of_another_shape_is_refused(endpoint: str) -> None:
    with pytest.raises(BadCard, match="endpoint"):
        read_card(signed(replace(BANK.draft(), endpoint=endpoint)))


@pytest.mark.parametrize("endpoint", ["127.0.0.1:50051", "[::1]:443", "localhost:65535", "n-1.example.hk:1"])
def test_names_and_addresses_are_endpoints(endpoint: str) -> None:
    assert read_card(signed(replace(BANK.draft(), endpoint=endpoint))).card.endpoint == endpoint


@pytest.mark.parametrize("name", [" Bank", "Bank\u202eknab", "Ba\u200bnk", "Bank\n"])
def test_a_name_that_could_look_like_another_is_refused(name: str) -> None:
    with pytest.raises(BadCard, match="name_en"):
        read_card(signed(replace(BANK.draft(), name_en=name)))


def test_a_card_without_a_certificate_is_refused() -> None:
    with pytest.raises(BadCard, match="tls_certificate"):
        read_card(signed(replace(BANK.draft(), tls_certificate="")))


@pytest.mark.parametrize("party", ["ab", "1bank", "Bank", "bank-", "bank\n", "b" * 33, "银行-bank"])
def test_a_party_id_of_another_shape_is_refused(party: str) -> None:
    with pytest.raises(Malformed):
        read_card(signed(replace(BANK.draft(), party=party)))


def test_an_unknown_suite_is_refused() -> None:
    with pytest.raises(Malformed):
        read_card(signed(replace(BANK.draft(), suite=2)))


def test_a_serial_below_one_is_refused() -> None:
    with pytest.raises(Malformed):
        read_card(signed(replace(BANK.draft(), serial=0)))


def test_an_unknown_field_is_refused() -> None:
    payload = canonical(BANK.draft())[:-1] + b',"zzz":1}'

    with pytest.raises(UnknownField):
        read_card(envelope.sign(CARD_KIND, payload, [SIGNER]))


def test_a_card_longer_than_the_limit_is_refused() -> None:
    with pytest.raises(Malformed, match=str(LARGEST_CARD)):
        read_card(signed(replace(BANK.draft(), tls_certificate=b64encode(bytes(LARGEST_CARD)).decode())))


def test_a_document_of_another_kind_is_not_a_card() -> None:
    with pytest.raises(Malformed):
        read_card(envelope.sign("consent", BANK.draft(), [SIGNER]))


def test_the_card_key_of_a_public_key_carries_its_id() -> None:
    key = next(key for key in BANK.draft().keys if key.purpose is Purpose.DOCUMENT)

    assert key == CardKey(
        purpose=Purpose.DOCUMENT,
        algorithm=Algorithm.ED25519,
        key_id=SIGNER.key_id,
        public=to_base64(SIGNER.public.raw),
    )


def test_the_representation_of_a_listed_card_shows_no_signed_bytes() -> None:
    shown = repr(BANK.card())

    assert "payloadType" not in shown
    assert "PublicKey" not in shown


def test_an_error_shows_no_card_content() -> None:
    with pytest.raises(BadCard) as failure:
        read_card(signed(replace(BANK.draft(), name_en=" secret")))

    assert "secret" not in str(failure.value)


def test_a_fingerprint_is_sixteen_groups_of_four_and_reads_back() -> None:
    digest = BANK.card().digest
    text = fingerprint(digest)

    assert [len(group) for group in text.split("-")] == [4] * 16
    assert parse_fingerprint(text) == digest
    assert parse_fingerprint(f"  {text.upper().replace('-', ' ')}\n") == digest


@pytest.mark.parametrize("text", ["", "12", "g" * 64, "0" * 65, "０" * 64])
def test_text_that_is_no_fingerprint_is_refused(text: str) -> None:
    with pytest.raises(BadFingerprint):
        parse_fingerprint(text)
