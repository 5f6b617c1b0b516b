"""The short-lived, signed authorisation that goes with one query about one subject (S 28, 30, 32).

The requester vouches that it holds the subject's written consent: the authorisation commits to the consent
document with a salt that stays at home, so that it can be shown later and tells nothing before.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Annotated, Final

import msgspec

from agreements.consent import AttestedConsent, Use, check_consent
from agreements.refusal import Fault, Refusal, Refused, refuse
from agreements.signatures import reason_of, sign_document
from agreements.terms import Code
from crypto import envelope
from crypto.canonical import Hex16, Hex32
from crypto.errors import CryptoError
from crypto.keys import KeyId, PublicKey, Random, SigningKey, Suite
from registry.freshness import TOLERANCE
from registry.norms.rule_pack import RulePack
from registry.parties import Instant, PartyId, PartyName

KIND: Final = "authorisation"
LIFETIME: Final = timedelta(minutes=10)
"""The longest time from issue to expiry."""
LARGEST: Final = 4096
"""The longest authorisation that is read, in bytes."""
_SALT_SIZE: Final = 16
_NONCE_SIZE: Final = 16


class Authorisation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`requester` may ask about `pseudonym` under the agreement of this digest, for this purpose and kinds.

    Good in [valid_from, expires_at), at most ten minutes, and once: `nonce` is remembered until then.
    """

    agreement: Hex32
    consent_commitment: Hex32
    epoch: Annotated[int, msgspec.Meta(ge=1, le=0xFFFFFFFF)]
    expires_at: Instant
    kinds: Annotated[tuple[str, ...], msgspec.Meta(min_length=1, max_length=64)]
    nonce: Hex16
    pseudonym: Hex16
    purpose: Code
    requester: PartyName
    suite: int
    valid_from: Instant


class OpenedAuthorisation(msgspec.Struct, frozen=True, kw_only=True):
    """An authorisation whose signature verified, and its document's digest (named in the answer's frame)."""

    authorisation: Authorisation
    digest: bytes


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """What a requester wants to ask: `agreement` is the digest of the terms, `agreement_id` the stable id."""

    agreement: bytes
    agreement_id: str
    epoch: int
    pseudonym: bytes
    requester: PartyId
    purpose: str
    kinds: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuer:
    """What it takes to issue: the requester's document key, randomness, and the rules for consents."""

    key: SigningKey = field(repr=False)
    random: Random = field(repr=False)
    rules: RulePack


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorised:
    """The signed authorisation, and the salt that opens its commitment; keep it with the consent."""

    raw: bytes = field(repr=False)
    digest: bytes
    salt: bytes = field(repr=False)


def consent_commitment(consent_digest: bytes, salt: bytes) -> bytes:
    """H("creditport/consent/v1" || 16-byte salt || 32-byte digest of the consent document)."""
    return sha256(b"creditport/consent/v1" + salt + consent_digest).digest()


def authorise(ask: Ask, attested: AttestedConsent, at: datetime, issuer: Issuer) -> Authorised | Refused:
    """Issue an authorisation at `at`, a UTC time of whole seconds, if the consent carries it.

    It ends after ten minutes, or with the consent if that is earlier.
    """
    use = Use(agreement=ask.agreement_id, kinds=ask.kinds, purpose=ask.purpose)
    refused = check_consent(attested.consent, use, at, issuer.rules)
    if refused is not None:
        return refused
    salt = issuer.random(_SALT_SIZE)
    authorisation = Authorisation(
        agreement=ask.agreement.hex(),
        consent_commitment=consent_commitment(attested.digest, salt).hex(),
        epoch=ask.epoch,
        expires_at=min(at + LIFETIME, attested.consent.valid_until or at),
        kinds=tuple(sorted(ask.kinds)),
        nonce=issuer.random(_NONCE_SIZE).hex(),
        pseudonym=ask.pseudonym.hex(),
        purpose=ask.purpose,
        requester=ask.requester,
        suite=Suite.ONE,
        valid_from=at,
    )
    raw = sign_document(KIND, authorisation, issuer.key)
    return Authorised(raw=raw, digest=envelope.parse(raw, KIND).digest, salt=salt)


def open_authorisation(
    raw: bytes, keys: Mapping[KeyId, PublicKey], rule_pack: str
) -> OpenedAuthorisation | Refused | None:
    """Verify and read one authorisation; None when none was presented (`raw` is empty).

    `keys` are the requester's document keys (`signatures.document_keys`), picked once for a whole batch.
    Whether the authorisation fits the question is for `permission` to say.
    """
    if not raw:
        return None
    if len(raw) > LARGEST:
        return refuse(Refusal.OVERSIZED, rule_pack, f"authorisation: expected at most {LARGEST} bytes")
    try:
        authorisation, digest = envelope.open_document(raw, KIND, Authorisation, keys, limit=LARGEST)
    except CryptoError as failure:
        return refuse(reason_of(failure), rule_pack, "authorisation: expected readable and signed")
    return OpenedAuthorisation(authorisation=authorisation, digest=digest)


def misfit(authorisation: Authorisation, ask: Ask, at: datetime) -> Fault | None:
    """Why a verified authorisation does not carry what is asked at `at`; None when it does.

    It is made for exactly this agreement, epoch, pseudonym and requester, short-lived and in its time
    (S 24), for this purpose (S 32) and at least these kinds (S 35). Clocks may differ by a minute, so one
    from the near future passes; none passes after its end.
    """
    if not _is_made_for(authorisation, ask):
        return Refusal.SIGNATURE_INVALID, "authorisation: expected made for this question"
    if authorisation.expires_at - authorisation.valid_from > LIFETIME:
        return Refusal.CONSENT_LIFELONG, "authorisation: expected at most ten minutes"
    if not authorisation.valid_from - TOLERANCE <= at < authorisation.expires_at:
        return Refusal.CONSENT_EXPIRED, "authorisation: expected valid now"
    if authorisation.purpose != ask.purpose:
        return Refusal.PURPOSE_MISMATCH, "purpose: expected the authorised one"
    if not ask.kinds <= set(authorisation.kinds):
        return Refusal.CONSENT_SCOPE_EXCEEDED, "kinds: expected only those authorised"
    return None


def _is_made_for(authorisation: Authorisation, ask: Ask) -> bool:
    return (
        authorisation.pseudonym == ask.pseudonym.hex()
        and authorisation.agreement == ask.agreement.hex()
        and authorisation.epoch == ask.epoch
        and authorisation.requester == ask.requester
    )
