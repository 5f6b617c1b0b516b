"""What an authority says about its parties, one signed statement at a time (kind "registry-statement")."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final

from msgspec import Meta, Struct

from crypto import envelope
from crypto.canonical import Base64, from_base64, to_base64
from crypto.keys import Purpose, SigningKey, Suite
from registry.errors import BadStatement
from registry.parties import Instant, ListedCard, PartyId, PartyName, read_card

STATEMENT_KIND: Final = "registry-statement"


class StatementKind(StrEnum):
    """What a statement does; a kind this version does not know is refused, never passed over."""

    ADMITTED = "ADMITTED"
    REVOKED = "REVOKED"


class RevocationReason(StrEnum):
    """Why a party is no longer admitted."""

    KEY_COMPROMISED = "KEY_COMPROMISED"
    LEFT = "LEFT"
    UNLAWFUL_CONDUCT = "UNLAWFUL_CONDUCT"
    SUPERSEDED = "SUPERSEDED"


class Statement(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """At position `number` of its log, `authority` admits `party` with `card`, or revokes it for `reason`.

    `effective_at` is when the law lets it work, `issued_at` when it was signed; the registry lets it work no
    earlier than the first head that covers it (`registry.mirror`).
    """

    authority: PartyName
    number: Annotated[int, Meta(ge=0)]
    kind: StatementKind
    party: PartyName
    card: Base64 | None
    reason: RevocationReason | None
    effective_at: Instant
    issued_at: Instant
    suite: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadStatement:
    """A statement whose signature and rules hold; `card` is the admitted card, read."""

    statement: Statement
    digest: bytes
    raw: bytes = field(repr=False)
    card: ListedCard | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Where an authority writes its next statement: its card and document key, log position, time."""

    authority: ListedCard
    key: SigningKey
    number: int
    at: datetime


def admit(desk: Desk, card: ListedCard, effective_at: datetime) -> bytes:
    """The signed statement that the party of `card` is admitted, or that `card` replaces its older one.

    Raises:
        BadStatement: the party is of another jurisdiction, or an authority.
        CryptoError: the desk's key is not the authority's.
    """
    return _issue(desk, StatementKind.ADMITTED, card.card.party, effective_at, card=to_base64(card.raw))


def revoke(desk: Desk, party: PartyId, reason: RevocationReason, effective_at: datetime) -> bytes:
    """The signed statement that `party` is no longer admitted; only a new card with a higher serial cures it.

    Raises:
        BadStatement: the party is the authority itself.
        CryptoError: the desk's key is not the authority's.
    """
    return _issue(desk, StatementKind.REVOKED, party, effective_at, reason=reason)


def read_statement(raw: bytes, authority: ListedCard) -> ReadStatement:
    """Read a statement of `authority`: its signature, its shape, its card, and that it may say this.

    That `number` is its position in the log is for the log's reader to check.

    Raises:
        CryptoError: not canonical, of an unknown kind or suite, or not signed by the authority.
        BadStatement, BadCard: see `registry.errors`.
    """
    key = authority.key(Purpose.DOCUMENT)
    statement, digest = envelope.open_document(raw, STATEMENT_KIND, Statement, {key.key_id: key}, [key.key_id])
    if statement.authority != authority.card.party:
        raise BadStatement("authority", "the party whose log this is", "another party")
    if statement.party == authority.card.party:
        raise BadStatement("party", "a party other than the authority", "the authority itself")
    return ReadStatement(statement=statement, digest=digest, raw=raw, card=_read_subject(statement, authority))


def _issue(
    desk: Desk,
    kind: StatementKind,
    party: PartyId,
    effective_at: datetime,
    *,
    card: str | None = None,
    reason: RevocationReason | None = None,
) -> bytes:
    statement = Statement(
        authority=desk.authority.card.party,
        number=desk.number,
        kind=kind,
        party=party,
        card=card,
        reason=reason,
        effective_at=effective_at,
        issued_at=desk.at,
        suite=Suite.ONE,
    )
    raw = envelope.sign(STATEMENT_KIND, statement, [desk.key])
    read_statement(raw, desk.authority)
    return raw


def _read_subject(statement: Statement, authority: ListedCard) -> ListedCard | None:
    """The admitted card, or None for a revocation; each kind carries exactly what it needs."""
    if statement.kind is StatementKind.REVOKED:
        if statement.reason is None or statement.card is not None:
            raise BadStatement("reason, card", "a reason and no card", "another combination")
        return None
    if statement.card is None or statement.reason is not None:
        raise BadStatement("reason, card", "a card and no reason", "another combination")
    listed = read_card(from_base64(statement.card))
    _check_admissible(statement, listed, authority)
    return listed


def _check_admissible(statement: Statement, listed: ListedCard, authority: ListedCard) -> None:
    card = listed.card
    if card.party != statement.party:
        raise BadStatement("card.party", "the party of the statement", "another party")
    if card.jurisdiction is not authority.card.jurisdiction:
        raise BadStatement("card.jurisdiction", authority.card.jurisdiction, card.jurisdiction)
    if card.party_class.is_authority:
        raise BadStatement("card.party_class", "a class other than an authority's", card.party_class)
