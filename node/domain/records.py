"""Home records: what a node keeps about an enterprise, with the identity that never leaves it."""

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from hashlib import sha256
from typing import Final

import msgspec

from node.domain.identifiers import Identifier
from node.domain.money import Money
from node.domain.subjects import SubjectKind
from registry.norms.catalogue import Nature, Polarity, Publicity
from registry.norms.overlay import Severity
from registry.parties import PartyId


class Kind(StrEnum):
    """The record kinds that this version exchanges, by their catalogue number."""

    REGISTRATION = "101"
    PENALTY = "201"


class Withheld(StrEnum):
    """Why a record is not shown, strongest first. Several hold at once; each ends on its own."""

    DELETED = "DELETED"
    EXPIRED = "EXPIRED"
    LAPSED = "LAPSED"
    OUT_OF_CATALOGUE = "OUT_OF_CATALOGUE"
    SEVERITY_UNKNOWN = "SEVERITY_UNKNOWN"
    CONSENT_ENDED = "CONSENT_ENDED"
    REVOCATION_PENDING = "REVOCATION_PENDING"
    SUSPENDED = "SUSPENDED"
    REPAIRED = "REPAIRED"
    OPTED_OUT = "OPTED_OUT"
    GOVERNMENT_ONLY = "GOVERNMENT_ONLY"
    NATURAL_PERSON = "NATURAL_PERSON"


class _Content(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Content hides itself: no log line, message or trace shows it by accident."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}(...)"


class RegistrationContent(_Content, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An enterprise's registration (kind 101) in full, for home only.

    `region_code` is HK, MO or four to six digits of GB/T 2260; `valid_until` is the last valid day, None when
    open.
    """

    identifiers: tuple[Identifier, ...]
    name_zh: str | None
    name_en: str | None
    entity_type_code: str | None
    established_on: date | None
    capital: Money | None
    industry_section: str | None
    region_code: str | None
    address: str | None
    status_code: str | None
    valid_until: date | None
    has_lei: bool


class PenaltyContent(_Content, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """An administrative penalty of the general procedure (kind 201, S 18(1)) in full, for home only.

    The three exception facts are what the provider stated; at least one of them is False in an admitted
    record. `severity` is that of the determining document, None where it says none; then it is not written either,
    so that what was written before there was one still reads and digests as it did.
    """

    identifiers: tuple[Identifier, ...]
    name_zh: str | None
    name_en: str | None
    decision_no: str
    facts: str | None
    legal_basis_code: str | None
    penalty_types: tuple[str, ...]
    amount: Money | None
    decided_on: date
    authority_name: str
    authority_class: str
    authority_level: str
    performed: bool | None
    minor_circumstances: bool
    small_impact: bool
    liability_borne: bool
    legal_form_ref: str
    severity: Severity | None = None


Content = RegistrationContent | PenaltyContent

_ENCODER: Final = msgspec.json.Encoder(order="sorted")
_DECODERS: Final[dict[Kind, msgspec.json.Decoder[RegistrationContent] | msgspec.json.Decoder[PenaltyContent]]] = {
    Kind.REGISTRATION: msgspec.json.Decoder(RegistrationContent),
    Kind.PENALTY: msgspec.json.Decoder(PenaltyContent),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueItem:
    """The catalogue entry a record was admitted under (S 16, 17)."""

    catalogue: str
    version: int
    item: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeRecord:
    """One version of a record at its home node. Its representation hides content and keys.

    `negative_category` is the item of the closed list that an adverse record falls under (S 18).
    `disclose_until` is the first day, in Shenzhen, on which the record is withheld; None while there is no
    such day. `source_key` names the row at its source, `content_digest` what it said: the same key with
    another digest is a new version, with the same digest nothing new. Both are for home only, since a short
    content can be guessed from them.
    """

    kind: Kind
    version: int
    subject_kind: SubjectKind
    nature: Nature
    polarity: Polarity
    negative_category: int | None
    content: Content = field(repr=False)
    provider: PartyId
    source_system: str
    catalogue: CatalogueItem
    generated_at: date
    reported_at: date
    disclose_until: date | None
    publicity: Publicity
    content_digest: bytes = field(repr=False)
    source_key: bytes = field(repr=False)
    states: frozenset[Withheld] = frozenset()

    @property
    def severity(self) -> Severity | None:
        """How grave the breach was, where the record says so."""
        return self.content.severity if isinstance(self.content, PenaltyContent) else None


def encode_content(content: Content) -> bytes:
    """The canonical JSON of a content: sorted keys, no spaces, dates as ISO text."""
    return _ENCODER.encode(content)


def decode_content(kind: Kind, raw: bytes) -> Content:
    """Read what `encode_content` wrote; msgspec.DecodeError when the stored bytes are damaged."""
    return _DECODERS[kind].decode(raw)


def digest_content(kind: Kind, generated_at: date, raw: bytes) -> bytes:
    """The SHA-256 digest of what a row said: kind, day of generation and encoded content."""
    label = f"creditport/content/v1\x00{kind.value}\x00{generated_at.isoformat()}\x00"
    return sha256(label.encode() + raw).digest()


def source_key(kind: Kind, identifier: Identifier, document_no: str) -> bytes:
    """The stable name of a row at its source: SHA-256 of kind, first identifier and document number."""
    parts = (kind.value, identifier.scheme.value, identifier.value, document_no)
    framed = b"".join(len(part).to_bytes(4) + part for part in (text.encode() for text in parts))
    return sha256(b"creditport/source/v1\x00" + framed).digest()
