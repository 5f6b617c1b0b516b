"""Which parties signed a document, and what it means when its bytes or signatures are bad."""

from collections.abc import Callable, Iterable, Mapping
from typing import Final

import msgspec

from agreements.errors import WrongKey
from agreements.refusal import Refusal
from crypto import envelope
from crypto.envelope import Signed
from crypto.errors import BadSignature, CryptoError, UnknownField
from crypto.keys import KeyId, PublicKey, Purpose, SigningKey
from registry.parties import PartyId

KeysOf = Callable[[PartyId], Mapping[KeyId, PublicKey]]
"""Every key the registry lists or listed for a party; empty for a party it does not know."""

UNREADABLE: Final = CryptoError
"""What reading outsiders' bytes can raise; `reason_of` turns each into a code."""


ILLEGIBLE: Final = frozenset({Refusal.MALFORMED, Refusal.UNKNOWN_FIELD, Refusal.OVERSIZED})
"""The codes of bytes that are no document of the kind at all; other codes are about what was read."""


def reason_of(failure: CryptoError) -> Refusal:
    """The code for bytes that could not be read or did not verify."""
    if isinstance(failure, UnknownField):
        return Refusal.UNKNOWN_FIELD
    if isinstance(failure, BadSignature):
        return Refusal.SIGNATURE_INVALID
    return Refusal.MALFORMED


def document_keys(keys: Mapping[KeyId, PublicKey]) -> Mapping[KeyId, PublicKey]:
    """Only the keys that may sign documents: a frame or journal key never signs an agreement."""
    return {name: key for name, key in keys.items() if key.purpose is Purpose.DOCUMENT}


def signers(signed: Signed, parties: Iterable[PartyId], keys_of: KeysOf) -> frozenset[PartyId]:
    """Which of `parties` signed.

    Raises:
        BadSignature: a signature that claims a key of theirs does not verify.
    """
    return frozenset(party for party in parties if envelope.verified_signers(signed, document_keys(keys_of(party))))


def sign_document(kind: str, payload: msgspec.Struct, key: SigningKey) -> bytes:
    """The signed document of `kind`; WrongKey unless `key` is a document key."""
    return envelope.sign(kind, payload, [document_key(key)])


def document_key(key: SigningKey) -> SigningKey:
    """`key` itself; WrongKey unless it is a document key."""
    if key.purpose is not Purpose.DOCUMENT:
        message = "documents are signed with document keys"
        raise WrongKey(message)
    return key
