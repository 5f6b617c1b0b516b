"""A subject's consent, as the institution that obtained it attests it (S 21, 24, 25, 28, 32, 35).

It is a signed document that names the subject, so it stays with whoever attested it. What travels with a
query is an authorisation (`agreements.authorisation`), which holds only a salted commitment to it.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final

import msgspec

from agreements.months import add_months
from agreements.refusal import Fault, Refusal, Refused, refuse
from agreements.signatures import KeysOf, document_keys, reason_of, sign_document
from agreements.terms import Code
from crypto import envelope
from crypto.canonical import Hex16, Hex32
from crypto.errors import BadSignature, CryptoError
from crypto.keys import SigningKey
from registry.norms.rule_pack import RulePack
from registry.parties import Instant, PartyName

KIND: Final = "consent"
_Text = Annotated[str, msgspec.Meta(max_length=500)]


class ConsentType(StrEnum):
    """What the subject consents to."""

    QUERY = "QUERY"
    SHARE = "SHARE"
    COLLECT = "COLLECT"


class Form(StrEnum):
    """How the consent was given; both are written forms (S 28)."""

    WRITTEN = "WRITTEN"
    E_SIGNATURE = "E_SIGNATURE"


class SubjectName(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An enterprise by an identifier in canonical form; never shows it."""

    scheme: Annotated[str, msgspec.Meta(pattern=r"\A[A-Z][A-Z-]{1,31}\Z")]
    value: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]

    def __repr__(self) -> str:
        return f"SubjectName({self.scheme})"


class Consent(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a subject agreed to, attested by the institution it agreed with.

    `agreement` is the stable id of the agreement. `valid_until` is null only where somebody asks for a
    consent without an end, which is refused. `evidence` is the digest of the signed paper or file.
    """

    consent: Hex16
    attested_by: PartyName
    subject: SubjectName
    type: ConsentType
    agreement: Hex16
    kinds: Annotated[tuple[str, ...], msgspec.Meta(min_length=1, max_length=64)]
    purposes: Annotated[tuple[Code, ...], msgspec.Meta(min_length=1, max_length=32)]
    method: _Text
    conditions: _Text
    valid_from: Instant
    valid_until: Instant | None
    standalone: bool
    service_not_conditioned: bool
    adverse_warning: bool
    form: Form
    evidence: Hex32
    attested_at: Instant
    suite: int

    def __repr__(self) -> str:
        return f"Consent({self.consent})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """What somebody wants to do on the strength of a consent; `agreement` is the stable id."""

    agreement: str
    kinds: frozenset[str]
    purpose: str
    type: ConsentType = ConsentType.QUERY


@dataclass(frozen=True, slots=True, kw_only=True)
class AttestedConsent:
    """A consent whose attestation verified, and its document's digest."""

    consent: Consent
    digest: bytes


def attest(consent: Consent, key: SigningKey) -> bytes:
    """The consent signed by the attesting institution's document key."""
    return sign_document(KIND, consent, key)


def open_consent(raw: bytes, keys_of: KeysOf, rule_pack: str) -> AttestedConsent | Refused:
    """Read a consent and verify that the institution that it names attested it."""
    try:
        signed = envelope.parse(raw, KIND)
        consent = envelope.read_payload(signed, Consent)
        if not envelope.verified_signers(signed, document_keys(keys_of(consent.attested_by))):
            raise BadSignature("not signed by whom it names")
    except CryptoError as failure:
        return refuse(reason_of(failure), rule_pack, "consent: expected readable and attested")
    return AttestedConsent(consent=consent, digest=signed.digest)


def check_consent(consent: Consent, use: Use, at: datetime, rules: RulePack) -> Refused | None:
    """Say whether a consent carries this use at `at`; None when it does.

    A consent needs a near end (S 24), may not be tied to anything (S 25), is good only within its time, and
    only for the agreement, kinds and purposes that the subject agreed to (S 32, 35). For what may count against the
    subject it is good only if the subject was warned (S 23); for other kinds it stays good without.
    """
    fault = (
        _flaw(consent, rules)
        or _out_of_time(consent, at)
        or _out_of_scope(consent, use)
        or _unwarned(consent, use, rules)
    )
    return None if fault is None else refuse(fault[0], rules.reference, fault[1])


def _flaw(consent: Consent, rules: RulePack) -> Fault | None:
    """What makes it no consent at all, whatever it is used for."""
    most = rules.consent_max_months.value
    if consent.valid_until is None or consent.valid_until > add_months(consent.valid_from, most):
        return Refusal.CONSENT_LIFELONG, f"valid_until: expected at most {most} months after valid_from"
    if not consent.standalone:
        return Refusal.CONSENT_BUNDLED, "standalone: expected true, got false"
    if not consent.service_not_conditioned:
        return Refusal.CONSENT_BUNDLED, "service_not_conditioned: expected true, got false"
    return None


def _out_of_time(consent: Consent, at: datetime) -> Fault | None:
    if at < consent.attested_at:
        return Refusal.ATTESTATION_MISSING, "attested_at: expected no later than the use"
    if consent.valid_until is None or not consent.valid_from <= at < consent.valid_until:
        return Refusal.CONSENT_EXPIRED, "valid_until: expected a time to come"
    return None


def _out_of_scope(consent: Consent, use: Use) -> Fault | None:
    if consent.type is not use.type:
        return Refusal.CONSENT_SCOPE_EXCEEDED, f"type: expected {use.type}, got {consent.type}"
    if consent.agreement != use.agreement:
        return Refusal.CONSENT_SCOPE_EXCEEDED, "agreement: expected this one, got another"
    if not use.kinds or not use.kinds <= set(consent.kinds):
        return Refusal.CONSENT_SCOPE_EXCEEDED, "kinds: expected only those agreed to"
    if use.purpose not in consent.purposes:
        return Refusal.PURPOSE_MISMATCH, "purpose: expected one agreed to"
    return None


def _unwarned(consent: Consent, use: Use, rules: RulePack) -> Fault | None:
    grave = use.kinds & rules.adverse_warning_kinds.value
    if consent.adverse_warning or not grave:
        return None
    return Refusal.ADVERSE_WARNING_MISSING, f"adverse_warning: expected true for {', '.join(sorted(grave))}, got false"
