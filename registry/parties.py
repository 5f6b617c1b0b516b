"""Parties, and the self-signed card by which each says who it is (document kind "party-card").

A card is trusted for what an authority says about it (`registry.statements`), or, for an authority, because
an operator pinned its fingerprint. Decided here is only that a card is whole and does not contradict itself.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from types import MappingProxyType
from typing import Annotated, Final, NewType

from msgspec import Meta, Struct

from crypto import envelope
from crypto.canonical import Base64, Hex16, from_base64, to_base64
from crypto.checkpoint import NoteVerifier, SignatureType
from crypto.errors import BadKey
from crypto.keys import ALGORITHM_OF, Algorithm, KeyId, PublicKey, Purpose, SigningKey, Suite, register_key
from registry.errors import BadCard, BadFingerprint

CARD_KIND: Final = "party-card"
LARGEST_CARD: Final = 32 * 1024
"""The longest card that is read, in bytes."""

PartyId = NewType("PartyId", str)
"""The name of an organisation in the registry: 3 to 32 of a-z, 0-9 and inner hyphens, a letter first."""

LONGEST_NAME: Final = 200
"""Characters that a party's name has at most, in either language."""
PartyName = Annotated[PartyId, Meta(pattern=r"\A[a-z][a-z0-9-]{1,30}[a-z0-9]\Z")]
"""A party id as a field of a signed document."""

Instant = Annotated[datetime, Meta(tz=True)]
"""A moment in UTC, in whole seconds, as a field of a signed document."""

_HOST: Final = r"(?:\[[0-9a-f:.]{2,45}\]|[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?)"
_ENDPOINT: Final = re.compile(_HOST + r":([1-9][0-9]{0,4})")
_LAST_PORT: Final = 65535
_FINGERPRINT: Final = re.compile(r"[0-9a-f]{64}")


class Jurisdiction(StrEnum):
    """Under whose law and authority a party stands (S 5, 13, 14)."""

    CN_SZ = "CN-SZ"
    HK = "HK"
    MO = "MO"


class PartyClass(StrEnum):
    """What a party is in the regulation's eyes (S 4, 9, 12, 29, 34); `CREDIT_DEPT` is the authority."""

    CREDIT_DEPT = "CREDIT_DEPT"
    MUNI_CREDIT_AGENCY = "MUNI_CREDIT_AGENCY"
    FIN_INST = "FIN_INST"
    CREDIT_REPORTING = "CREDIT_REPORTING"
    CREDIT_EVALUATION = "CREDIT_EVALUATION"
    CREDIT_RATING = "CREDIT_RATING"
    RECEIVABLES = "RECEIVABLES"
    CONSULTING = "CONSULTING"
    GUARANTEE = "GUARANTEE"
    INSURANCE = "INSURANCE"
    TRAINING = "TRAINING"
    STATE_ORGAN = "STATE_ORGAN"

    @property
    def is_authority(self) -> bool:
        """Whether such a party admits others and files agreements (S 9, 34)."""
        return self is PartyClass.CREDIT_DEPT


class CardKey(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One public key on a card; `public` is base64."""

    purpose: Purpose
    algorithm: Algorithm
    key_id: Hex16
    public: Base64


class PartyCard(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who a party is, where it answers, and with which keys; a newer card of a party has a higher serial."""

    party: PartyName
    name_zh: Annotated[str, Meta(min_length=1, max_length=LONGEST_NAME)]
    name_en: Annotated[str, Meta(min_length=1, max_length=LONGEST_NAME)]
    jurisdiction: Jurisdiction
    party_class: PartyClass
    endpoint: str
    keys: tuple[CardKey, ...]
    journal_vkey: str
    registry_vkey: str | None
    tls_certificate: Base64
    issued_at: Instant
    serial: Annotated[int, Meta(ge=1)]
    suite: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedCard:
    """A card that was read and holds together; `digest` names it, `keys` are usable as they stand."""

    card: PartyCard
    digest: bytes
    raw: bytes = field(repr=False)
    keys: Mapping[KeyId, PublicKey] = field(repr=False)
    certificate_sha256: bytes

    def key(self, purpose: Purpose) -> PublicKey:
        """The party's key for `purpose`; KeyError when cards list none for it."""
        for key in self.keys.values():
            if key.purpose is purpose:
                return key
        raise KeyError(purpose)


def needed_purposes(party_class: PartyClass) -> frozenset[Purpose]:
    """For which purposes a card of that class lists a key: each exactly once, and no other."""
    always = frozenset({Purpose.DOCUMENT, Purpose.FRAME, Purpose.JOURNAL, Purpose.SEAL})
    return always | {Purpose.REGISTRY} if party_class.is_authority else always


def journal_origin(party: PartyId) -> str:
    """The origin, and note key name, of a party's journal."""
    return f"creditport/journal/{party}"


def registry_origin(party: PartyId) -> str:
    """The origin, and note key name, of an authority's registry log."""
    return f"creditport/registry/{party}"


def draft_card(
    *,
    party: PartyId,
    name_zh: str,
    name_en: str,
    jurisdiction: Jurisdiction,
    party_class: PartyClass,
    endpoint: str,
    keys: Iterable[PublicKey],
    certificate: bytes,
    serial: int,
    issued_at: datetime,
) -> PartyCard:
    """The unsigned card with these facts; key ids and verifier keys are derived. `certificate` is DER."""
    listed = {key.purpose: key for key in keys}
    registry_key = listed.get(Purpose.REGISTRY)
    return PartyCard(
        party=party,
        name_zh=name_zh,
        name_en=name_en,
        jurisdiction=jurisdiction,
        party_class=party_class,
        endpoint=endpoint,
        keys=tuple(_card_key(listed[purpose]) for purpose in sorted(listed)),
        journal_vkey=_vkey(journal_origin(party), listed[Purpose.JOURNAL]),
        registry_vkey=None if registry_key is None else _vkey(registry_origin(party), registry_key),
        tls_certificate=to_base64(certificate),
        issued_at=issued_at,
        serial=serial,
        suite=Suite.ONE,
    )


def issue_card(card: PartyCard, signing_key: SigningKey) -> bytes:
    """The card signed by its own document key.

    Raises:
        BadCard, CryptoError: others would refuse this card, so it is not issued.
    """
    raw = envelope.sign(CARD_KIND, card, [signing_key])
    read_card(raw)
    return raw


def read_card(raw: bytes) -> ListedCard:
    """Read a card that an outsider sent, and check everything a card can show about itself.

    The card carries the key that signs it, so here alone a payload is read before its signature is verified;
    nothing of it is used unless both succeed.

    Raises:
        CryptoError: not canonical, not a card, an unknown suite, or not signed by its own document key.
        BadCard: a key, key id, verifier key, name, endpoint or certificate that does not fit.
    """
    signed = envelope.parse(raw, CARD_KIND, LARGEST_CARD)
    card = envelope.read_payload(signed, PartyCard)
    keys = _read_keys(card)
    by_purpose = {key.purpose: key for key in keys.values()}
    envelope.verify(signed, keys, [by_purpose[Purpose.DOCUMENT].key_id])
    _check_names(card)
    _check_endpoint(card.endpoint)
    _check_vkeys(card, by_purpose)
    certificate = from_base64(card.tls_certificate)
    if not certificate:
        raise BadCard("tls_certificate", "a DER certificate", "nothing")
    return ListedCard(
        card=card,
        digest=signed.digest,
        raw=raw,
        keys=MappingProxyType(keys),
        certificate_sha256=sha256(certificate).digest(),
    )


def fingerprint(digest: bytes) -> str:
    """A document digest for people to read out: 64 hex digits in groups of four, joined by hyphens."""
    text = digest.hex()
    return "-".join(text[at : at + 4] for at in range(0, len(text), 4))


def parse_fingerprint(text: str) -> bytes:
    """The digest that a person typed; case, spaces and hyphens do not matter.

    Raises:
        BadFingerprint: not 64 hex digits.
    """
    digits = "".join(text.split()).replace("-", "").lower()
    if _FINGERPRINT.fullmatch(digits) is None:
        raise BadFingerprint("a fingerprint is 64 hexadecimal digits")
    return bytes.fromhex(digits)


def _card_key(key: PublicKey) -> CardKey:
    return CardKey(purpose=key.purpose, algorithm=key.algorithm, key_id=key.key_id, public=to_base64(key.raw))


def _vkey(name: str, key: PublicKey) -> str:
    return NoteVerifier(name, SignatureType.ED25519, key.raw).vkey()


def _read_keys(card: PartyCard) -> dict[KeyId, PublicKey]:
    keys = [_read_key(listed) for listed in card.keys]
    purposes = sorted(key.purpose for key in keys)
    needed = sorted(needed_purposes(card.party_class))
    if purposes != needed:
        raise BadCard("keys", "one key each for " + " ".join(needed), " ".join(purposes) or "none")
    return {key.key_id: key for key in keys}


def _read_key(listed: CardKey) -> PublicKey:
    place = f"keys.{listed.purpose}"
    try:
        key = register_key(listed.purpose, listed.algorithm, from_base64(listed.public))
    except BadKey:
        expected = f"a usable {ALGORITHM_OF[listed.purpose]} key"
        raise BadCard(place, expected, f"an unusable {listed.algorithm} key") from None
    if key.key_id != listed.key_id:
        raise BadCard(f"{place}.key_id", "the id of this key", "another id")
    return key


def is_name(text: str) -> bool:
    """Whether a party may be called so: invisible characters would let one look like another."""
    return 1 <= len(text) <= LONGEST_NAME and text.isprintable() and text == text.strip()


def _check_names(card: PartyCard) -> None:
    for place, name in (("name_zh", card.name_zh), ("name_en", card.name_en)):
        if not is_name(name):
            raise BadCard(place, "printable text without outer spaces", "other characters")


def _check_endpoint(endpoint: str) -> None:
    match = _ENDPOINT.fullmatch(endpoint)
    if match is None or int(match[1]) > _LAST_PORT:
        raise BadCard("endpoint", "lower-case host:port", "another shape")


def _check_vkeys(card: PartyCard, keys: Mapping[Purpose, PublicKey]) -> None:
    if card.journal_vkey != _vkey(journal_origin(card.party), keys[Purpose.JOURNAL]):
        raise BadCard("journal_vkey", "the journal key under this party's name", "another verifier key")
    key = keys.get(Purpose.REGISTRY)
    expected = None if key is None else _vkey(registry_origin(card.party), key)
    if card.registry_vkey != expected:
        wanted = "none" if expected is None else "the registry key under this party's name"
        raise BadCard("registry_vkey", wanted, "another value")
