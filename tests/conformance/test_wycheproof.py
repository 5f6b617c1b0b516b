"""The primitives in use, against Wycheproof: signatures as we verify them, and what HPKE stands on."""

from typing import Any

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from crypto import keys
from crypto.errors import BadKey, BadSignature
from crypto.keys import Algorithm, PublicKey, Purpose
from tests.conformance.official import needs_vectors, wycheproof

ED25519, X25519 = wycheproof("ed25519"), wycheproof("x25519")
CHACHA, HKDF_SHA256 = wycheproof("chacha20_poly1305"), wycheproof("hkdf_sha256")


def name(value: object) -> str | None:
    return f"{value['tcId']}" if isinstance(value, dict) and "tcId" in value else ""


def raw(test: dict[str, Any], *names: str) -> list[bytes]:
    return [bytes.fromhex(test[one]) for one in names]


def registers(purpose: Purpose, public: bytes) -> bool:
    try:
        keys.register_key(purpose, keys.ALGORITHM_OF[purpose], public)
    except BadKey:
        return False
    return True


@needs_vectors
def test_all_vectors_are_there() -> None:
    assert [len(one) for one in (ED25519, X25519, CHACHA, HKDF_SHA256)] == [151, 518, 325, 86]


@needs_vectors
@pytest.mark.parametrize(("group", "test"), ED25519, ids=name)
def test_ed25519(group: dict[str, Any], test: dict[str, Any]) -> None:
    public = bytes.fromhex(group["publicKey"]["pk"])
    message, signature = raw(test, "msg", "sig")
    try:
        keys.verify(PublicKey(Purpose.DOCUMENT, Algorithm.ED25519, public), message, signature)
    except BadSignature:
        found = "invalid"
    else:
        found = "valid"

    assert found == test["result"]
    assert registers(Purpose.DOCUMENT, public)


@needs_vectors
@pytest.mark.parametrize(("group", "test"), X25519, ids=name)
def test_x25519(group: dict[str, Any], test: dict[str, Any]) -> None:
    public, private, shared = raw(test, "public", "private", "shared")

    assert group["curve"] == "curve25519"
    assert registers(Purpose.SEAL, public) is any(shared)
    if any(shared):
        exchange = X25519PrivateKey.from_private_bytes(private).exchange
        assert exchange(X25519PublicKey.from_public_bytes(public)) == shared


@needs_vectors
@pytest.mark.parametrize(("group", "test"), CHACHA, ids=name)
def test_chacha20_poly1305(group: dict[str, Any], test: dict[str, Any]) -> None:
    key, nonce, aad, message, sealed, tag = raw(test, "key", "iv", "aad", "msg", "ct", "tag")
    try:
        opened: bytes | None = ChaCha20Poly1305(key).decrypt(nonce, sealed + tag, aad)
    except (InvalidTag, ValueError):
        opened = None

    assert group["tagSize"] == 128
    assert opened == (message if test["result"] == "valid" else None)


@needs_vectors
@pytest.mark.parametrize(("group", "test"), HKDF_SHA256, ids=name)
def test_hkdf_sha256(group: dict[str, Any], test: dict[str, Any]) -> None:
    material, salt, info, expected = raw(test, "ikm", "salt", "info", "okm")
    try:
        derived: bytes | None = HKDF(SHA256(), test["size"], salt, info).derive(material)
    except ValueError:
        derived = None

    assert group["type"] == "HkdfTest"
    assert derived == (expected if test["result"] == "valid" else None)
