"""Attestations: an admitted institution's signed word for what no node can check itself (S 20, 26).

Two things rest on such a word: whose the key is under which a subject signed a self-declaration, and that a unified
code whose check character does not fit was issued so. The document names subjects, and of their declarations digests
only. It stays with the institutions that make and use it, and crosses no boundary.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final, TypeVar

import msgspec

from agreements.consent import SubjectName
from agreements.refusal import Fault, Refusal, Refused, refuse
from agreements.signatures import document_keys, reason_of, sign_document
from crypto import envelope
from crypto.canonical import Hex32
from crypto.errors import BadSignature, CryptoError
from crypto.keys import SigningKey
from registry.parties import Instant, PartyName
from registry.snapshot import Listing, Snapshot, Standing, standing

KIND: Final = "attestation"
MOST: Final = 3_000
"""Declarations, and waivers, in one document at most; a document is of one mebibyte at most."""


class WaiverReason(StrEnum):
    """Why a code is right although its check character does not fit."""

    ISSUED_SO = "ISSUED_SO"
    CONFIRMED_BY_REGISTER = "CONFIRMED_BY_REGISTER"


class Declared(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A self-declaration: whose it is, what its row says, and the key that the issuer knows to be the subject's.

    `content` is the digest of the row (`node.domain.records.digest_content`), in which that of the signed document
    stands; `key` is the public key, 32 bytes in hex.
    """

    content: Hex32
    key: Hex32
    subject: SubjectName


class Waived(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A unified code whose check character does not fit, and why it is right."""

    reason: WaiverReason
    subject: SubjectName


T = TypeVar("T", Declared, Waived)


class Attestation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an institution attests; good in [attested_at, expires_at). Both lists ascend, and one says something."""

    attested_at: Instant
    declarations: Annotated[tuple[Declared, ...], msgspec.Meta(max_length=MOST)]
    expires_at: Instant
    identifiers: Annotated[tuple[Waived, ...], msgspec.Meta(max_length=MOST)]
    issuer: PartyName
    suite: int

    def __repr__(self) -> str:
        return f"Attestation({self.issuer})"


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedAttestation:
    """An attestation that verified, and its document's digest."""

    attestation: Attestation
    digest: bytes


def in_order(attested: Sequence[T]) -> tuple[T, ...]:
    """The same, ascending and each once, as a document has them."""
    return tuple(sorted(set(attested), key=_place))


def sign_attestation(attestation: Attestation, key: SigningKey) -> bytes:
    """The attestation signed by its issuer's document key."""
    return sign_document(KIND, attestation, key)


def open_attestation(raw: bytes, snapshot: Snapshot, at: datetime, rule_pack: str) -> OpenedAttestation | Refused:
    """Read an attestation and say whether it may be relied on at `at`.

    Its issuer has to be admitted, now and when it attested, and the signature has to be by a document key of the
    issuer's newest card: a key that was replaced may have been replaced because somebody took it, and who has it can
    write any day into a document. Refused with SIGNATURE_INVALID, MALFORMED or UNKNOWN_FIELD when the document is none,
    and with ATTESTATION_MISSING when it is nobody's word any more.
    """
    try:
        signed = envelope.parse(raw, KIND)
        attestation = envelope.read_payload(signed, Attestation)
        listing = snapshot.party(attestation.issuer)
        if listing is not None and not envelope.verified_signers(signed, document_keys(listing.card.keys)):
            raise BadSignature("not signed by whom it names")
    except CryptoError as failure:
        return refuse(reason_of(failure), rule_pack, "attestation: expected readable and signed by its issuer")
    fault = _flaw(attestation) or _not_good(attestation, listing, at)
    if fault is not None:
        return refuse(fault[0], rule_pack, fault[1])
    return OpenedAttestation(attestation=attestation, digest=signed.digest)


def _flaw(attestation: Attestation) -> Fault | None:
    if not attestation.declarations and not attestation.identifiers:
        return Refusal.MALFORMED, "attestation: expected something that is attested, got nothing"
    ordered = in_order(attestation.declarations), in_order(attestation.identifiers)
    if ordered != (attestation.declarations, attestation.identifiers):
        return Refusal.MALFORMED, "attestation: expected ascending lists, each entry once"
    return None


def _not_good(attestation: Attestation, listing: Listing | None, at: datetime) -> Fault | None:
    if listing is None or not listing.is_active:
        return Refusal.ATTESTATION_MISSING, "issuer: expected an admitted party, got another"
    if standing(listing, attestation.attested_at) is not Standing.ADMITTED:
        return Refusal.ATTESTATION_MISSING, "issuer: expected a party that was admitted when it attested"
    if not attestation.attested_at <= at < attestation.expires_at:
        return Refusal.ATTESTATION_MISSING, "expires_at: expected an attestation in force"
    return None


def _place(one: Declared | Waived) -> tuple[str, ...]:
    rest = (one.content, one.key) if isinstance(one, Declared) else (one.reason.value,)
    return one.subject.scheme, one.subject.value, *rest
