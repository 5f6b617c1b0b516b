"""Fixed randomness, fixed keys and a fixed HPKE sender: what makes the vector files reproducible."""

from datetime import UTC, datetime
from hashlib import sha256
from typing import Final

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from crypto.keys import Purpose, SealKey, SigningKey

NOON: Final = datetime(2026, 11, 23, 4, 0, 0, tzinfo=UTC)
SENDER, RECIPIENT = "sz-credit", "hk-bank"
AGREEMENT: Final = sha256(b"an agreement").hexdigest()

KEM_SUITE = b"KEM\x00\x20"
HPKE_SUITE = b"HPKE\x00\x20\x00\x01\x00\x03"


class FixedRandom:
    """The bytes that a name stands for: SHA-256 of the name and a counter, over and over."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._blocks = 0

    def __call__(self, size: int) -> bytes:
        out = b""
        while len(out) < size:
            out += sha256(f"{self._name} {self._blocks}".encode()).digest()
            self._blocks += 1
        return out[:size]


def signing_key(purpose: Purpose, name: str) -> SigningKey:
    return SigningKey(purpose, FixedRandom(f"{purpose} {name}")(32))


def seal_key(name: str) -> SealKey:
    return SealKey(FixedRandom(f"seal {name}")(32))


def hpke_seal(ephemeral: bytes, recipient: bytes, plaintext: bytes, info: bytes, aad: bytes = b"") -> bytes:
    """RFC 9180 base mode, single shot, suite (0x20, 1, 3), from a given ephemeral secret: an oracle apart."""
    secret = X25519PrivateKey.from_private_bytes(ephemeral)
    enc = secret.public_key().public_bytes_raw()
    shared_point = secret.exchange(X25519PublicKey.from_public_bytes(recipient))
    eae_prk = _extract(KEM_SUITE, b"", b"eae_prk", shared_point)
    shared = _expand(KEM_SUITE, eae_prk, b"shared_secret", enc + recipient, 32)
    context = b"\x00" + _extract(HPKE_SUITE, b"", b"psk_id_hash", b"") + _extract(HPKE_SUITE, b"", b"info_hash", info)
    prk = _extract(HPKE_SUITE, shared, b"secret", b"")
    key = _expand(HPKE_SUITE, prk, b"key", context, 32)
    nonce = _expand(HPKE_SUITE, prk, b"base_nonce", context, 12)
    return enc + ChaCha20Poly1305(key).encrypt(nonce, plaintext, aad)


def _extract(suite: bytes, salt: bytes, label: bytes, material: bytes) -> bytes:
    mac = HMAC(salt or bytes(32), SHA256())
    mac.update(b"HPKE-v1" + suite + label + material)
    return mac.finalize()


def _expand(suite: bytes, prk: bytes, label: bytes, info: bytes, length: int) -> bytes:
    labelled = length.to_bytes(2, "big") + b"HPKE-v1" + suite + label + info
    return HKDFExpand(algorithm=SHA256(), length=length, info=labelled).derive(prk)
