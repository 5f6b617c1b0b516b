"""Keys, their names, and signatures."""

import os

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from crypto import keys, pseudonym
from crypto.errors import BadKey, BadSignature, Malformed
from crypto.keys import Algorithm, PublicKey, Purpose, SealKey, SigningKey, Suite
from tests.vectors.fixed import FixedRandom, seal_key, signing_key

KEY = signing_key(Purpose.DOCUMENT, "unit")
IDENTITY = b"\x01" + bytes(31)


def test_a_signature_verifies() -> None:
    signature = KEY.sign(b"message")

    keys.verify(KEY.public, b"message", signature)

    assert len(signature) == keys.SIGNATURE_SIZE


@pytest.mark.parametrize("at", [0, 31, 32, 63])
def test_a_flipped_bit_in_a_signature_is_refused(at: int) -> None:
    signature = bytearray(KEY.sign(b"message"))
    signature[at] ^= 1

    with pytest.raises(BadSignature):
        keys.verify(KEY.public, b"message", bytes(signature))


def test_a_signature_over_another_message_is_refused() -> None:
    with pytest.raises(BadSignature):
        keys.verify(KEY.public, b"another", KEY.sign(b"message"))


@pytest.mark.parametrize("size", [0, 63, 65])
def test_a_signature_of_another_length_is_refused(size: int) -> None:
    with pytest.raises(BadSignature):
        keys.verify(KEY.public, b"message", bytes(size))


def test_a_seal_key_verifies_nothing() -> None:
    with pytest.raises(BadSignature):
        keys.verify(seal_key("unit").public, b"message", KEY.sign(b"message"))


def test_the_identity_key_forgery_that_openssl_accepts_is_refused() -> None:
    forgery = IDENTITY + bytes(32)
    Ed25519PublicKey.from_public_bytes(IDENTITY).verify(forgery, b"anything at all")

    with pytest.raises(BadSignature):
        keys.verify(PublicKey(Purpose.DOCUMENT, Algorithm.ED25519, IDENTITY), b"anything at all", forgery)


def test_the_identity_is_not_registered() -> None:
    with pytest.raises(BadKey):
        keys.register_key(Purpose.DOCUMENT, Algorithm.ED25519, IDENTITY)


def test_good_keys_of_every_algorithm_are_registered() -> None:
    point = ec.generate_private_key(ec.SECP256R1()).public_key()
    good = {
        Purpose.DOCUMENT: KEY.public.raw,
        Purpose.SEAL: seal_key("unit").public.raw,
        Purpose.TLS: point.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint),
        Purpose.PSEUDONYM: pseudonym.public_key(bytes(32), "a", 1),
    }

    for purpose, raw in good.items():
        assert keys.register_key(purpose, keys.ALGORITHM_OF[purpose], raw).raw == raw


@pytest.mark.parametrize(
    ("purpose", "raw"),
    [
        (Purpose.DOCUMENT, bytes(31)),
        (Purpose.DOCUMENT, bytes(32)),
        (Purpose.DOCUMENT, b"\xff" * 32),
        (Purpose.SEAL, bytes(32)),
        (Purpose.SEAL, b"\x01" + bytes(31)),
        (Purpose.SEAL, bytes(31)),
        (Purpose.TLS, b""),
        (Purpose.TLS, b"\x04" + bytes(64)),
        (Purpose.PSEUDONYM, bytes(32)),
        (Purpose.PSEUDONYM, b"\xff" * 32),
    ],
)
def test_weak_and_misshapen_points_are_not_registered(purpose: Purpose, raw: bytes) -> None:
    with pytest.raises(BadKey):
        keys.register_key(purpose, keys.ALGORITHM_OF[purpose], raw)


def test_a_compressed_point_is_not_registered() -> None:
    point = ec.generate_private_key(ec.SECP256R1()).public_key()

    with pytest.raises(BadKey):
        keys.register_key(Purpose.TLS, Algorithm.P256, point.public_bytes(Encoding.X962, PublicFormat.CompressedPoint))


def test_a_key_of_another_algorithm_is_not_registered() -> None:
    with pytest.raises(BadKey):
        keys.register_key(Purpose.DOCUMENT, Algorithm.X25519, seal_key("unit").public.raw)


def test_one_key_has_another_name_for_another_purpose() -> None:
    assert SigningKey(Purpose.FRAME, KEY.seed).key_id != KEY.key_id


def test_a_key_name_is_32_hex_digits() -> None:
    assert len(KEY.key_id) == 32
    assert bytes.fromhex(KEY.key_id) == bytes.fromhex(KEY.public.key_id)


@pytest.mark.parametrize("purpose", [Purpose.SEAL, Purpose.TLS, Purpose.PSEUDONYM])
def test_purposes_that_do_not_sign_have_no_signing_key(purpose: Purpose) -> None:
    with pytest.raises(BadKey):
        SigningKey(purpose, bytes(32))


def test_short_secrets_are_refused() -> None:
    with pytest.raises(BadKey):
        SigningKey(Purpose.DOCUMENT, bytes(31))
    with pytest.raises(BadKey):
        SealKey(bytes(31))


def test_secrets_are_not_shown() -> None:
    seal = seal_key("unit")

    assert KEY.seed.hex() not in repr(KEY)
    assert repr(KEY.seed) not in repr(KEY)
    assert repr(seal) == f"SealKey({seal.key_id})"
    assert repr(KEY) == f"SigningKey(document, {KEY.key_id})"


def test_generated_keys_come_from_the_given_randomness() -> None:
    assert keys.generate(Purpose.FRAME, FixedRandom("a")) == keys.generate(Purpose.FRAME, FixedRandom("a"))
    assert keys.generate_seal_key(os.urandom) != keys.generate_seal_key(os.urandom)


def test_only_suite_one_is_known() -> None:
    assert keys.known_suite(1) is Suite.ONE
    with pytest.raises(Malformed):
        keys.known_suite(2)
