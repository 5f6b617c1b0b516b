"""Sealing against RFC 9180: base mode, X25519 + HKDF-SHA256 + ChaCha20-Poly1305."""

from typing import Any

import pytest
from cryptography.hazmat.bindings._rust import openssl

from crypto import sealing
from crypto.keys import SealKey
from tests.conformance.official import load, needs_vectors
from tests.vectors.fixed import hpke_seal

SUITE = {"mode": 0, "kem_id": 32, "kdf_id": 1, "aead_id": 3}
GROUPS = [
    group
    for group in load("hpke/rfc9180-x25519-hkdf-sha256.json")
    if all(int(group[name]) == value for name, value in SUITE.items())
]
"""Single-shot sealing uses sequence number 0, so the first encryption of a group applies."""


def parts(group: dict[str, Any], *names: str) -> list[bytes]:
    return [bytes.fromhex(group[name]) for name in names]


@needs_vectors
def test_our_suite_has_its_vectors() -> None:
    assert len(GROUPS) == 1


@needs_vectors
@pytest.mark.parametrize("group", GROUPS)
def test_the_official_sealed_text_opens_with_our_suite(group: dict[str, Any]) -> None:
    secret, public, enc, info = parts(group, "skRm", "pkRm", "enc", "info")
    text, aad, sealed = parts(group["encryptions"][0], "pt", "aad", "ct")
    key = SealKey(secret)

    # The public interface has no additional data, which every official text carries.
    opened = openssl.hpke._decrypt_with_aad(sealing._hpke, enc + sealed, key.handle, info, aad)

    assert key.public.raw == public
    assert opened == text


@needs_vectors
@pytest.mark.parametrize("group", GROUPS)
def test_the_independent_sender_seals_as_the_vectors_do(group: dict[str, Any]) -> None:
    ephemeral, public, enc, info = parts(group, "skEm", "pkRm", "enc", "info")
    text, aad, sealed = parts(group["encryptions"][0], "pt", "aad", "ct")

    assert hpke_seal(ephemeral, public, text, info, aad) == enc + sealed


@needs_vectors
@pytest.mark.parametrize("group", GROUPS)
def test_what_the_checked_sender_seals_our_recipient_opens(group: dict[str, Any]) -> None:
    ephemeral, secret, public, info = parts(group, "skEm", "skRm", "pkRm", "info")

    assert sealing.unseal(SealKey(secret), hpke_seal(ephemeral, public, b"text", info), info) == b"text"
