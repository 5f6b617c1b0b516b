"""Keys, each for one purpose, and signatures (Ed25519, RFC 8032).

Signatures are verified by libsodium (PyNaCl) only: it refuses the crafted signatures of the identity key that
OpenSSL accepts, and one verifier everywhere means that all parties agree on what is signed.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from functools import lru_cache
from hashlib import sha256
from typing import Final, NewType

from cryptography.hazmat.primitives.asymmetric import ec, x25519
from nacl.bindings import (
    crypto_core_ed25519_is_valid_point,
    crypto_sign,
    crypto_sign_open,
    crypto_sign_seed_keypair,
)
from nacl.exceptions import BadSignatureError
from voprf import ristretto

from crypto.errors import BadKey, BadSignature, Malformed

KeyId = NewType("KeyId", str)
"""The name of a public key: 32 lower-case hex digits over purpose, algorithm and key."""

Random = Callable[[int], bytes]
"""A source of `n` unpredictable bytes, passed in; `os.urandom` outside tests."""

KEY_SIZE: Final = 32
SIGNATURE_SIZE: Final = 64


class Purpose(StrEnum):
    """What a key may be used for; a key is never used for two of them."""

    DOCUMENT = "document"
    FRAME = "frame"
    JOURNAL = "journal"
    REGISTRY = "registry"
    OPERATOR = "operator"
    SEAL = "seal"
    TLS = "tls"
    PSEUDONYM = "pseudonym"
    SUBJECT = "subject"


class Algorithm(StrEnum):
    """What a key is mathematically."""

    ED25519 = "ed25519"
    X25519 = "x25519"
    P256 = "p256"
    RISTRETTO255 = "ristretto255"


class Suite(IntEnum):
    """The set of algorithms that signed bytes name by number.

    ONE = Ed25519, SHA-256, HPKE (X25519, HKDF-SHA256, ChaCha20-Poly1305), VOPRF over ristretto255-SHA512.
    """

    ONE = 1


ALGORITHM_OF: Final = {
    Purpose.DOCUMENT: Algorithm.ED25519,
    Purpose.FRAME: Algorithm.ED25519,
    Purpose.JOURNAL: Algorithm.ED25519,
    Purpose.REGISTRY: Algorithm.ED25519,
    Purpose.OPERATOR: Algorithm.ED25519,
    Purpose.SEAL: Algorithm.X25519,
    Purpose.TLS: Algorithm.P256,
    Purpose.PSEUDONYM: Algorithm.RISTRETTO255,
    Purpose.SUBJECT: Algorithm.ED25519,
}
"""Suite one's algorithm for every purpose."""


_SUITES: Final = {suite.value: suite for suite in Suite}


def known_suite(number: int) -> Suite:
    """The suite of that number; Malformed when this version does not know it."""
    suite = _SUITES.get(number)
    if suite is None:
        raise Malformed("an unknown suite")
    return suite


@lru_cache(maxsize=4096)
def key_id(purpose: Purpose, algorithm: Algorithm, public: bytes) -> KeyId:
    """H("creditport/key/v1" || u8 len || purpose || u8 len || algorithm || public)[:16], in hex."""
    name, kind = purpose.encode(), algorithm.encode()
    preimage = b"creditport/key/v1%c%b%c%b%b" % (len(name), name, len(kind), kind, public)
    return KeyId(sha256(preimage).hexdigest()[:32])


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A public key and the one purpose it serves."""

    purpose: Purpose
    algorithm: Algorithm
    raw: bytes

    @property
    def key_id(self) -> KeyId:
        """The name under which documents and the registry refer to this key."""
        return key_id(self.purpose, self.algorithm, self.raw)


@dataclass(frozen=True, slots=True, repr=False)
class SigningKey:
    """An Ed25519 key pair from its 32-byte seed; never shows the seed.

    Raises:
        BadKey: the seed is not 32 bytes, or the purpose is not one of signing.
    """

    purpose: Purpose
    seed: bytes
    public: PublicKey = field(init=False, compare=False)
    _expanded: bytes = field(init=False, compare=False)

    def __post_init__(self) -> None:
        if ALGORITHM_OF[self.purpose] is not Algorithm.ED25519:
            raise BadKey("this purpose does not sign")
        if len(self.seed) != KEY_SIZE:
            raise BadKey(f"a seed is {KEY_SIZE} bytes")
        raw, expanded = crypto_sign_seed_keypair(self.seed)
        object.__setattr__(self, "public", PublicKey(self.purpose, Algorithm.ED25519, raw))
        object.__setattr__(self, "_expanded", expanded)

    def __repr__(self) -> str:
        return f"SigningKey({self.purpose}, {self.key_id})"

    @property
    def key_id(self) -> KeyId:
        """The name of the public half."""
        return self.public.key_id

    def sign(self, message: bytes) -> bytes:
        """The 64-byte signature over `message`; domain separation is the caller's construction."""
        return crypto_sign(message, self._expanded)[:SIGNATURE_SIZE]


@dataclass(frozen=True, slots=True, repr=False)
class SealKey:
    """An X25519 key pair to which frame bodies are sealed; never shows the secret.

    Raises:
        BadKey: the secret is not 32 bytes.
    """

    secret: bytes
    public: PublicKey = field(init=False, compare=False)
    handle: x25519.X25519PrivateKey = field(init=False, compare=False)

    def __post_init__(self) -> None:
        if len(self.secret) != KEY_SIZE:
            raise BadKey(f"a seal key is {KEY_SIZE} bytes")
        handle = x25519.X25519PrivateKey.from_private_bytes(self.secret)
        raw = handle.public_key().public_bytes_raw()
        object.__setattr__(self, "public", PublicKey(Purpose.SEAL, Algorithm.X25519, raw))
        object.__setattr__(self, "handle", handle)

    def __repr__(self) -> str:
        return f"SealKey({self.key_id})"

    @property
    def key_id(self) -> KeyId:
        """The name of the public half."""
        return self.public.key_id


def generate(purpose: Purpose, random: Random) -> SigningKey:
    """A fresh signing key for `purpose`."""
    return SigningKey(purpose, random(KEY_SIZE))


def generate_seal_key(random: Random) -> SealKey:
    """A fresh key to which others may seal."""
    return SealKey(random(KEY_SIZE))


def verify(public: PublicKey, message: bytes, signature: bytes) -> None:
    """Accept `signature` over `message` by `public`, or raise BadSignature.

    A signature is not a unique name of anything: never deduplicate by it.
    """
    if public.algorithm is Algorithm.ED25519 and len(public.raw) == KEY_SIZE and len(signature) == SIGNATURE_SIZE:
        try:
            crypto_sign_open(signature + message, public.raw)
        except BadSignatureError:
            pass
        else:
            return
    raise BadSignature("the signature does not verify")


def register_key(purpose: Purpose, algorithm: Algorithm, raw: bytes) -> PublicKey:
    """A public key fit to be listed in the registry.

    Raises:
        BadKey: the algorithm does not serve the purpose, or the point is malformed, of small order,
            outside the prime-order group, or the identity.
    """
    if ALGORITHM_OF[purpose] is not algorithm:
        raise BadKey(f"a {purpose} key is {ALGORITHM_OF[purpose]}")
    if not _VALID_POINT[algorithm](raw):
        raise BadKey(f"not a usable {algorithm} public key")
    return PublicKey(purpose, algorithm, raw)


def _valid_ed25519(raw: bytes) -> bool:
    return len(raw) == KEY_SIZE and crypto_core_ed25519_is_valid_point(raw)


def _valid_x25519(raw: bytes) -> bool:
    """A low-order point gives every partner the same, all-zero, shared secret."""
    probe = x25519.X25519PrivateKey.from_private_bytes(bytes(range(KEY_SIZE)))
    try:
        probe.exchange(x25519.X25519PublicKey.from_public_bytes(raw))
    except ValueError:
        return False
    return True


def _valid_p256(raw: bytes) -> bool:
    """Uncompressed form only (0x04 || x || y), so that one key has one name."""
    try:
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), raw)
    except ValueError:
        return False
    return raw[0] == 4  # noqa: PLR2004 - the SEC 1 tag of an uncompressed point


def _valid_ristretto255(raw: bytes) -> bool:
    try:
        ristretto.PublicKey.deserialize(raw)
    except ValueError:
        return False
    return True


_VALID_POINT: Final[dict[Algorithm, Callable[[bytes], bool]]] = {
    Algorithm.ED25519: _valid_ed25519,
    Algorithm.X25519: _valid_x25519,
    Algorithm.P256: _valid_p256,
    Algorithm.RISTRETTO255: _valid_ristretto255,
}
