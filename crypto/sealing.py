"""Sealing to one recipient: HPKE base mode, X25519 + HKDF-SHA256 + ChaCha20-Poly1305 (RFC 9180).

Base mode does not say who sealed; the signature over the frame header does. The binding goes into `info`, so
that a sealed body opens only under the names it was sealed for.
"""

from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from crypto.errors import BadKey, BadSeal
from crypto.keys import Algorithm, PublicKey, Purpose, SealKey

OVERHEAD: Final = 48
"""How much longer a sealed text is than its plaintext, in bytes."""

_LABEL: Final = b"creditport/seal/v1"
_hpke = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """Between whom, under what and as what a body is sealed."""

    sender: str
    recipient: str
    agreement: str
    """The agreement's digest, 64 hex digits."""
    frame: str
    """The frame's id, 32 hex digits."""
    suite: int

    def info(self) -> bytes:
        """Label, then sender, recipient, agreement digest, frame id and suite, each behind its u32 length."""
        parts = (
            self.sender.encode(),
            self.recipient.encode(),
            bytes.fromhex(self.agreement),
            bytes.fromhex(self.frame),
            self.suite.to_bytes(4, "big"),
        )
        return _LABEL + b"".join(len(part).to_bytes(4, "big") + part for part in parts)


def seal(public: PublicKey, plaintext: bytes, info: bytes) -> bytes:
    """`enc || ciphertext` that only the holder of `public`'s secret opens, and only under the same `info`.

    Raises:
        BadKey: `public` is not a seal key, or is a point of low order.
    """
    if public.purpose is Purpose.SEAL and public.algorithm is Algorithm.X25519:
        try:
            return _hpke.encrypt(plaintext, X25519PublicKey.from_public_bytes(public.raw), info)
        except ValueError:
            pass
    raise BadKey("not a key to seal to")


def unseal(key: SealKey, sealed: bytes, info: bytes) -> bytes:
    """The plaintext; BadSeal when the key, the binding or a single bit is not as it was when sealed."""
    try:
        return _hpke.decrypt(sealed, key.handle, info)
    except (InvalidTag, ValueError):
        message = "the seal does not open"
    raise BadSeal(message)
