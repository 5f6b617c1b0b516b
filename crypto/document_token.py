"""Tokens that stand for the numbers of documents: keyed, so that only home can say which number one stands for.

Numbers of decisions, cases, licences and certificates are printed on public websites and are easily enumerated, so no
plain or salted hash of one may cross. The key derives from home's seed, one for each agreement, under a label of its
own: tokens of two agreements cannot be joined, and neither holder can try numbers.
"""

from hashlib import sha256
from typing import Final

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from crypto.errors import BadKey, Malformed
from crypto.pseudonym import SEED_SIZE

TOKEN_SIZE: Final = 16
"""Bytes of a token, written as twice as many lower-case hexadecimal digits."""

_KEY_SIZE: Final = 32
_LABEL: Final = b"creditport/document-token/v1"


class DocumentTokens:
    """Home's tokens under one agreement; the key is in no representation and never leaves home."""

    __slots__ = ("_inner", "_outer")

    def __init__(self, key: bytes) -> None:
        """Hash both padded keys (RFC 2104) once: a library's HMAC of so short a text costs ten times the hashing."""
        padded = key.ljust(sha256().block_size, b"\0")
        self._inner = sha256(bytes(byte ^ 0x36 for byte in padded))
        self._outer = sha256(bytes(byte ^ 0x5C for byte in padded))

    def __repr__(self) -> str:
        return "DocumentTokens(...)"

    def token(self, kind: str, item: str, number: str) -> str:
        """The token of a document's canonical number, 32 hex digits; the same number under the same names, the same.

        HMAC-SHA256 over kind, wire field and number, each behind its u32 length in bytes, cut to 16 bytes.

        Raises:
            Malformed: there is no number to stand for.
        """
        if not number:
            raise Malformed("a document token stands for a number")
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(_framed(kind, item, number))
        outer.update(inner.digest())
        return outer.digest()[:TOKEN_SIZE].hex()


def document_tokens(seed: bytes, agreement_id: str) -> DocumentTokens:
    """The tokens under an agreement: HKDF-SHA256(seed, no salt, label || u32 len || agreement id), 32 bytes (RFC 5869).

    `agreement_id` is the stable id over later versions of the terms, so that an amendment changes no token.
    """
    if len(seed) != SEED_SIZE:
        raise BadKey(f"a pseudonym seed is {SEED_SIZE} bytes")
    info = _LABEL + _framed(agreement_id)
    return DocumentTokens(HKDF(algorithm=SHA256(), length=_KEY_SIZE, salt=None, info=info).derive(seed))


def _framed(*texts: str) -> bytes:
    parts = [text.encode() for text in texts]
    return b"".join(len(part).to_bytes(4) + part for part in parts)
