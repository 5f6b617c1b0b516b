"""What two parties agree: which fields of which kinds of record, for what, how, and until when (S 34, 35)."""

from collections.abc import Mapping
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Final

import msgspec

from crypto import envelope
from crypto.canonical import Hex16, Hex32, canonical
from registry.norms.catalogue import Nature, Precision
from registry.parties import Instant, PartyId, PartyName

KIND: Final = "agreement"
MOST_EPOCHS: Final = 1000
"""Epochs that one agreement may have."""

Code = Annotated[str, msgspec.Meta(pattern=r"\A[A-Z][A-Z0-9_]{1,63}\Z")]
"""A code of a code list, such as a purpose."""
PackId = Annotated[str, msgspec.Meta(pattern=r"\A[A-Za-z0-9][A-Za-z0-9@._-]{0,63}\Z")]
"""The name of a rule pack, catalogue version, calendar or de-identification profile."""
_Text = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
_Quota = Annotated[int, msgspec.Meta(ge=1, le=10**12)]
_Epoch = Annotated[int, msgspec.Meta(ge=1, le=0xFFFFFFFF)]


class Direction(StrEnum):
    """Which way records cross the boundary: out of the mainland, into it, or not at all."""

    SOUTHBOUND = "SOUTHBOUND"
    NORTHBOUND = "NORTHBOUND"
    LOCAL = "LOCAL"


class Manner(StrEnum):
    """How records reach the recipient; with HASH_VERIFY none do, only comparisons."""

    PULL = "PULL"
    PUSH = "PUSH"
    HASH_VERIFY = "HASH_VERIFY"


class ExportPath(StrEnum):
    """The lawful way by which data leave (S 15 and the national rules on data export)."""

    NO_PERSONAL_NO_IMPORTANT = "NO_PERSONAL_NO_IMPORTANT"
    BELOW_THRESHOLD = "BELOW_THRESHOLD"
    GBA_SC_HK = "GBA_SC_HK"
    GBA_SC_MO = "GBA_SC_MO"
    CN_SCC = "CN_SCC"
    CERTIFICATION = "CERTIFICATION"
    SECURITY_ASSESSMENT = "SECURITY_ASSESSMENT"


PROVEN_EXPORT_PATHS: Final = frozenset({ExportPath.NO_PERSONAL_NO_IMPORTANT})
"""The paths this version can prove: no wire field can hold personal or important data. The others rest on a
contract, certificate or assessment, whose evidence no document of this version carries."""


class _Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something inside a document, strict like the whole."""


class FieldTerms(_Part, frozen=True, kw_only=True):
    """One wire field and how exactly it may be shown."""

    name: Annotated[str, msgspec.Meta(pattern=r"\A[a-z][a-z0-9_]{0,63}\Z")]
    precision: Precision


class KindTerms(_Part, frozen=True, kw_only=True):
    """The fields that may be shown of one kind of record."""

    kind: Annotated[str, msgspec.Meta(pattern=r"\A[1-9][0-9]{2}\Z")]
    fields: Annotated[tuple[FieldTerms, ...], msgspec.Meta(min_length=1, max_length=64)]

    @property
    def precisions(self) -> Mapping[str, Precision]:
        """Each field's precision, by name."""
        return {field.name: field.precision for field in self.fields}


class Quotas(_Part, frozen=True, kw_only=True):
    """Limits that guard against enumeration (S 15); elements are blinded identifiers evaluated."""

    elements_per_epoch: _Quota
    elements_lifetime: _Quota
    queries_per_day: _Quota
    batch_size: Annotated[int, msgspec.Meta(ge=1, le=200)]


class Epoch(_Part, frozen=True, kw_only=True):
    """A span [starts, ends) in which one pseudonym key is used; `public_key` is its ristretto255 point."""

    number: _Epoch
    starts: Instant
    ends: Instant
    public_key: Hex32


class Terms(_Part, frozen=True, kw_only=True):
    """Everything agreed, in one signed document of kind "agreement".

    `agreement` is the stable id over later versions; the document's digest names this version, and is what
    frames, authorisations and filing receipts refer to. Spans are half open: [effective_from, expires_at).
    Lists are sorted and hold nothing twice, so that equal terms have equal digests.
    """

    agreement: Hex16
    version: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]
    title: _Text
    provider: PartyName
    recipient: PartyName
    direction: Direction
    stated_signing_date: date
    kinds: Annotated[tuple[KindTerms, ...], msgspec.Meta(min_length=1, max_length=64)]
    natures: Annotated[tuple[Nature, ...], msgspec.Meta(min_length=1)]
    purposes: Annotated[tuple[Code, ...], msgspec.Meta(min_length=1, max_length=32)]
    manner: Annotated[tuple[Manner, ...], msgspec.Meta(min_length=1)]
    deid_profile: PackId
    retention_days: Annotated[int, msgspec.Meta(ge=0, le=36_500)]
    quotas: Quotas
    effective_from: Instant
    expires_at: Instant
    epochs: Annotated[tuple[Epoch, ...], msgspec.Meta(min_length=1, max_length=MOST_EPOCHS)]
    onward_transfer: bool
    export_path: ExportPath
    rule_pack: PackId
    catalogue: PackId
    calendar: PackId
    liability_contacts: Annotated[tuple[_Text, ...], msgspec.Meta(min_length=1, max_length=8)]
    suite: int

    @property
    def parties(self) -> frozenset[PartyId]:
        """Who must sign."""
        return frozenset({self.provider, self.recipient})

    @property
    def precisions(self) -> Mapping[str, Mapping[str, Precision]]:
        """What may be shown: precision by field name by kind."""
        return {kind.kind: kind.precisions for kind in self.kinds}


def terms_digest(terms: Terms) -> bytes:
    """The 32-byte name of this version of the terms, independent of who signed it."""
    return envelope.digest(envelope.payload_type(KIND), canonical(terms))


def epoch_at(terms: Terms, at: datetime) -> Epoch | None:
    """The pseudonym epoch that `at` falls in, if any."""
    return next((epoch for epoch in terms.epochs if epoch.starts <= at < epoch.ends), None)
