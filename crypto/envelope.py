"""Signed documents: a canonical JSON payload with its type, signed as DSSE v1 (secure-systems-lab/dsse).

The bytes are verified first and understood afterwards; what was signed is never serialised again.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Annotated, Final, Protocol, TypeVar

import msgspec

from crypto.canonical import DEFAULT_LIMIT, Hex16, canonical, decode_with, read
from crypto.errors import BadSignature, Malformed
from crypto.keys import SIGNATURE_SIZE, KeyId, PublicKey, SigningKey, known_suite
from crypto.keys import verify as verify_signature

MOST_SIGNATURES: Final = 8


class Suited(Protocol):
    """A payload that names the suite it was signed under, as every payload does."""

    @property
    def suite(self) -> int:
        """The number of a known suite."""


P = TypeVar("P", bound=Suited)


class _Signature(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    keyid: Hex16
    sig: Annotated[bytes, msgspec.Meta(min_length=SIGNATURE_SIZE, max_length=SIGNATURE_SIZE)]


class _Envelope(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """In the order of canonical JSON; msgspec reads and writes bytes as standard base64."""

    payload: bytes
    payloadType: str  # noqa: N815 - the name DSSE gives it
    signatures: Annotated[tuple[_Signature, ...], msgspec.Meta(min_length=1, max_length=MOST_SIGNATURES)]


_decoder = msgspec.json.Decoder(_Envelope)
_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """A parsed, still unverified document; `digest` is its name, independent of who signed it."""

    payload_type: str
    payload: bytes = field(repr=False)
    signatures: Mapping[KeyId, bytes] = field(repr=False)
    digest: bytes
    raw: bytes = field(repr=False)


def payload_type(kind: str) -> str:
    """The media type of documents of `kind`."""
    return f"application/vnd.creditport.{kind}.v1+json"


def pae(kind_of_payload: str, payload: bytes) -> bytes:
    """DSSE v1 pre-authentication encoding of a payload type and a payload."""
    kind = kind_of_payload.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def digest(kind_of_payload: str, payload: bytes) -> bytes:
    """The 32-byte name of a document: H("creditport/document/v1" || pae)."""
    return sha256(b"creditport/document/v1" + pae(kind_of_payload, payload)).digest()


def sign(kind: str, payload: msgspec.Struct | bytes, keys: Iterable[SigningKey]) -> bytes:
    """The signed document of `kind`; a Struct is written canonically, bytes are taken as they are.

    Raises:
        Malformed: no key, more than eight, or one key twice.
    """
    body = payload if isinstance(payload, bytes) else canonical(payload)
    to_sign = pae(payload_type(kind), body)
    signatures = [_Signature(keyid=key.key_id, sig=key.sign(to_sign)) for key in keys]
    return _write(payload_type(kind), body, signatures)


def add_signature(raw: bytes, key: SigningKey, *, limit: int = DEFAULT_LIMIT) -> bytes:
    """The same document with one more signature; the digest does not change.

    The caller has opened and understood the document before it lets anyone sign it.
    """
    envelope = _read(raw, limit)
    added = _Signature(keyid=key.key_id, sig=key.sign(pae(envelope.payloadType, envelope.payload)))
    return _write(envelope.payloadType, envelope.payload, [*envelope.signatures, added])


def parse(raw: bytes, kind: str, limit: int = DEFAULT_LIMIT) -> Signed:
    """The document in `raw`, which must be the canonical bytes of one of `kind`; nothing is verified yet."""
    return parse_any(raw, (kind,), limit)


def parse_any(raw: bytes, kinds: Collection[str], limit: int = DEFAULT_LIMIT) -> Signed:
    """The document in `raw`, of one of several kinds; its `payload_type` says of which."""
    envelope = _read(raw, limit)
    if envelope.payloadType not in map(payload_type, kinds):
        raise Malformed(f"not a document of kind {' or '.join(kinds)}")
    return Signed(
        payload_type=envelope.payloadType,
        payload=envelope.payload,
        signatures={KeyId(one.keyid): one.sig for one in envelope.signatures},
        digest=digest(envelope.payloadType, envelope.payload),
        raw=raw,
    )


def verified_signers(signed: Signed, keys: Mapping[KeyId, PublicKey]) -> frozenset[KeyId]:
    """Which of `keys` signed the document.

    A signature by a key outside `keys` proves nothing and is passed over.

    Raises:
        BadSignature: a signature that claims one of `keys` does not verify.
    """
    message = pae(signed.payload_type, signed.payload)
    claimed = signed.signatures.keys() & keys.keys()
    for name in claimed:
        if keys[name].key_id != name:
            raise BadSignature("a key is listed under another key's name")
        verify_signature(keys[name], message, signed.signatures[name])
    return frozenset(claimed)


def verify(signed: Signed, keys: Mapping[KeyId, PublicKey], require: Collection[KeyId]) -> None:
    """Accept the document if every required key signed it; requiring none proves nothing and is refused."""
    if not require or not verified_signers(signed, keys).issuperset(require):
        raise BadSignature("a required signature is missing")


def open_document(
    raw: bytes,
    kind: str,
    struct_type: type[P],
    keys: Mapping[KeyId, PublicKey],
    require: Collection[KeyId] | None = None,
    *,
    limit: int = DEFAULT_LIMIT,
) -> tuple[P, bytes]:
    """Parse the envelope, verify the bytes, and only then read the payload strictly.

    Returns the payload and the document's digest. Of the keys those of `require` must have signed; None: one of them.

    Raises:
        Malformed, UnknownField: the envelope or the payload is not canonical, or names an unknown suite.
        BadSignature: a required signature is missing or any by a known key is false.
    """
    signed = parse(raw, kind, limit)
    if require is not None:
        verify(signed, keys, require)
    elif not verified_signers(signed, keys):
        raise BadSignature("not signed by any of the keys")
    return read_payload(signed, struct_type), signed.digest


def read_payload(signed: Signed, struct_type: type[P]) -> P:
    """The payload of a document whose signatures the caller has judged; strict, of a known suite."""
    payload = read(signed.payload, struct_type, limit=len(signed.payload))
    known_suite(payload.suite)
    return payload


def _read(raw: bytes, limit: int) -> _Envelope:
    if len(raw) > limit:
        raise Malformed(f"longer than {limit} bytes")
    envelope = decode_with(_decoder, raw)
    names = [one.keyid for one in envelope.signatures]
    if names != sorted(set(names)) or _encode(envelope) != raw:
        raise Malformed("a document not in canonical form")
    return envelope


def _write(kind_of_payload: str, payload: bytes, signatures: list[_Signature]) -> bytes:
    names = {one.keyid for one in signatures}
    if len(names) != len(signatures) or not 1 <= len(names) <= MOST_SIGNATURES:
        raise Malformed(f"a document carries 1 to {MOST_SIGNATURES} signatures by different keys")
    ordered = tuple(sorted(signatures, key=lambda one: one.keyid))
    return _encode(_Envelope(payload=payload, payloadType=kind_of_payload, signatures=ordered))
