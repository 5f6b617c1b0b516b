"""The keystore: every secret of a node, with its history, in one encrypted file.

This module turns secrets into bytes and back; where the file lies is not its affair. The key is Argon2id
(RFC 9106) of the passphrase; the secrets are sealed with AES-256-GCM, with everything else in the file as
additional data.

Two small values tell the user what is wrong. `checksum` is over the rest of the file and shows accidental
damage before a passphrase is tried. `check` is one half of the Argon2id output, hashed; the other half is the
cipher key. It shows a wrong passphrase. It gives an attacker nothing: guessing against it costs one Argon2id
per guess, exactly what guessing against the GCM tag costs, and the two halves are independent.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from hmac import compare_digest
from typing import Final, Literal

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from crypto.canonical import Base64, Hex16, Hex32, canonical, from_base64, read, to_base64
from crypto.errors import BadKey, DamagedKeystore, Malformed, WrongPassphrase
from crypto.keys import Algorithm, KeyId, Purpose, Random, SealKey, SigningKey

FORMAT: Final = "creditport-keystore/v1"
SALT_SIZE: Final = 16
NONCE_SIZE: Final = 12
MOST_PASSES: Final = 16
MOST_LANES: Final = 16
MOST_MEMORY: Final = 1024 * 1024
LARGEST: Final = 1 << 20
"""The longest keystore file that is read, in bytes."""


class KeyState(StrEnum):
    """Where a key is in its life."""

    ACTIVE = "active"
    RETIRED = "retired"
    COMPROMISED = "compromised"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyEntry:
    """One secret and what it is; its form is the algorithm's (seed, scalar, or PKCS #8 for P-256)."""

    purpose: Purpose
    algorithm: Algorithm
    key_id: KeyId
    secret: bytes = field(repr=False)
    public: bytes = field(repr=False)
    created_at: datetime
    retired_at: datetime | None = None
    state: KeyState = KeyState.ACTIVE

    def signing_key(self) -> SigningKey:
        """The key pair of a signing purpose; BadKey otherwise."""
        return SigningKey(self.purpose, self.secret)

    def seal_key(self) -> SealKey:
        """The key pair to which others seal; BadKey when this entry is not one."""
        if self.algorithm is not Algorithm.X25519:
            raise BadKey("not a seal key")
        return SealKey(self.secret)


@dataclass(frozen=True, slots=True)
class Secrets:
    """Every key a node ever had, oldest first; retired ones still open and verify what was made with them."""

    entries: tuple[KeyEntry, ...] = ()

    def current(self, purpose: Purpose) -> KeyEntry:
        """The newest active key of `purpose`; BadKey when there is none."""
        for entry in reversed(self.entries):
            if entry.purpose is purpose and entry.state is KeyState.ACTIVE:
                return entry
        raise BadKey(f"no active {purpose} key")

    def history(self, purpose: Purpose) -> tuple[KeyEntry, ...]:
        """Every key of `purpose`, oldest first."""
        return tuple(entry for entry in self.entries if entry.purpose is purpose)

    def adding(self, entry: KeyEntry) -> "Secrets":
        """With one more key; BadKey when it is there already."""
        if any(known.key_id == entry.key_id for known in self.entries):
            raise BadKey("this key is in the keystore already")
        return Secrets((*self.entries, entry))

    def retiring(self, key_id: KeyId, at: datetime, state: KeyState = KeyState.RETIRED) -> "Secrets":
        """With one key taken out of use at `at`, retired or compromised; BadKey when it is not there."""
        if all(entry.key_id != key_id for entry in self.entries):
            raise BadKey("no such key in the keystore")
        changed = (
            replace(entry, retired_at=entry.retired_at or at, state=state) if entry.key_id == key_id else entry
            for entry in self.entries
        )
        return Secrets(tuple(changed))

    def __iter__(self) -> Iterator[KeyEntry]:
        return iter(self.entries)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """What opening costs: Argon2id passes (1 to 16), memory in KiB (up to 1 GiB), and lanes (1 to 16).

    Bounded, so that a planted file cannot make its opener work for hours or fill its memory.

    Raises:
        BadKey: out of bounds, or less than the 8 KiB a lane that Argon2id needs.
    """

    passes: int = 3
    memory: int = 64 * 1024
    lanes: int = 4

    def __post_init__(self) -> None:
        bounded = 1 <= self.passes <= MOST_PASSES and 1 <= self.lanes <= MOST_LANES
        if not bounded or not 8 * self.lanes <= self.memory <= MOST_MEMORY:
            raise BadKey("keystore parameters out of bounds")


STANDARD: Final = Parameters()
"""RFC 9106's second recommendation: 3 passes over 64 MiB in 4 lanes, about 0.2 s."""
LIGHT: Final = Parameters(passes=1, memory=64, lanes=1)
"""For tests, which open keystores by the hundred; protects nothing."""


class _Kdf(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    algorithm: Literal["argon2id"] = "argon2id"
    lanes: int
    memory: int
    passes: int


class _Header(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    check: Hex16
    format: Literal["creditport-keystore/v1"] = FORMAT
    kdf: _Kdf
    nonce: Base64
    salt: Base64


class _File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    checksum: Hex32
    ciphertext: Base64
    header: _Header


class _Entry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    algorithm: Algorithm
    created_at: datetime
    key_id: Hex16
    public: Base64
    purpose: Purpose
    retired_at: datetime | None
    secret: Base64
    state: KeyState

    def __repr__(self) -> str:
        return "_Entry(...)"


def entry_of(key: SigningKey | SealKey, created_at: datetime) -> KeyEntry:
    """A fresh active entry for a key pair."""
    return KeyEntry(
        purpose=key.public.purpose,
        algorithm=key.public.algorithm,
        key_id=key.key_id,
        secret=key.seed if isinstance(key, SigningKey) else key.secret,
        public=key.public.raw,
        created_at=created_at,
    )


def lock(secrets: Secrets, passphrase: str, parameters: Parameters, random: Random) -> bytes:
    """The keystore file for these secrets, with a fresh salt and nonce at every call."""
    kdf = _Kdf(lanes=parameters.lanes, memory=parameters.memory, passes=parameters.passes)
    salt, nonce = random(SALT_SIZE), random(NONCE_SIZE)
    key, check = _derive(passphrase, parameters, salt)
    header = _Header(check=check, kdf=kdf, nonce=to_base64(nonce), salt=to_base64(salt))
    plaintext = canonical([_entry_to_text(entry) for entry in secrets])
    ciphertext = to_base64(AESGCM(key).encrypt(nonce, plaintext, canonical(header)))
    return canonical(_File(checksum=_checksum(header, ciphertext), ciphertext=ciphertext, header=header))


def require_sound(raw: bytes) -> None:
    """See that a keystore file is what `lock` wrote, before anybody is asked for its passphrase.

    Raises:
        DamagedKeystore: it is not.
    """
    _sound(raw)


def unlock(raw: bytes, passphrase: str) -> Secrets:
    """The secrets in a keystore file.

    Raises:
        DamagedKeystore: the file is not what `lock` wrote, or asks for absurd work to open.
        WrongPassphrase: the file is sound, the passphrase is another.
    """
    file, parameters = _sound(raw)
    salt, nonce = from_base64(file.header.salt), from_base64(file.header.nonce)
    key, check = _derive(passphrase, parameters, salt)
    if not compare_digest(check, file.header.check):
        raise WrongPassphrase("the passphrase does not open this keystore")
    try:
        plaintext = AESGCM(key).decrypt(nonce, from_base64(file.ciphertext), canonical(file.header))
        entries = read(plaintext, tuple[_Entry, ...], limit=LARGEST)
        return Secrets(tuple(_entry_from_text(entry) for entry in entries))
    except (InvalidTag, ValueError, Malformed):
        raise DamagedKeystore("the keystore file has been altered") from None


def _sound(raw: bytes) -> tuple[_File, Parameters]:
    try:
        file = read(raw, _File, limit=LARGEST)
        salt = from_base64(file.header.salt)
        from_base64(file.header.nonce)
        from_base64(file.ciphertext)
        kdf = file.header.kdf
        parameters = Parameters(passes=kdf.passes, memory=kdf.memory, lanes=kdf.lanes)
    except (Malformed, BadKey):
        raise DamagedKeystore("not a keystore file") from None
    if file.checksum != _checksum(file.header, file.ciphertext) or len(salt) != SALT_SIZE:
        raise DamagedKeystore("the keystore file has changed since it was written")
    return file, parameters


def _derive(passphrase: str, cost: Parameters, salt: bytes) -> tuple[bytes, str]:
    """The cipher key, and the key check that the file shows."""
    derivation = Argon2id(salt=salt, length=64, iterations=cost.passes, lanes=cost.lanes, memory_cost=cost.memory)
    derived = derivation.derive(passphrase.encode())
    return derived[:32], sha256(b"creditport/keystore-check/v1" + derived[32:]).hexdigest()[:32]


def _checksum(header: _Header, ciphertext: str) -> str:
    return sha256(b"creditport/keystore-checksum/v1" + canonical([header, ciphertext])).hexdigest()


def _entry_to_text(entry: KeyEntry) -> _Entry:
    return _Entry(
        algorithm=entry.algorithm,
        created_at=entry.created_at,
        key_id=entry.key_id,
        public=to_base64(entry.public),
        purpose=entry.purpose,
        retired_at=entry.retired_at,
        secret=to_base64(entry.secret),
        state=entry.state,
    )


def _entry_from_text(entry: _Entry) -> KeyEntry:
    return KeyEntry(
        purpose=entry.purpose,
        algorithm=entry.algorithm,
        key_id=KeyId(entry.key_id),
        secret=from_base64(entry.secret),
        public=from_base64(entry.public),
        created_at=entry.created_at,
        retired_at=entry.retired_at,
        state=entry.state,
    )
