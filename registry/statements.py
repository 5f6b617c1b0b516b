"""What an authority says, one signed statement at a time: who is admitted, and which norms are in force.

Both are documents of kind "registry-statement", told apart by the `kind` in them.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from enum import StrEnum
from itertools import pairwise
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from crypto import envelope
from crypto.canonical import Base64, Hex32, decode_with, from_base64, to_base64
from crypto.keys import Purpose, SigningKey, Suite
from registry.errors import BadStatement
from registry.norms.calendar import SHANGHAI
from registry.norms.overlay import Overlay
from registry.norms.shelf import Named, Pack
from registry.parties import Instant, Jurisdiction, ListedCard, PartyId, PartyName, read_card

STATEMENT_KIND: Final = "registry-statement"
MOST_PACKS: Final = 256
"""As many packs one statement adopts at most."""
_YEARS: Final = range(2000, 3000)


class StatementKind(StrEnum):
    """What a statement does; a kind this version does not know is refused, never passed over."""

    ADMITTED = "ADMITTED"
    REVOKED = "REVOKED"
    ADOPTED = "ADOPTED"


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


class PackRef(Named, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A pack by kind, id and version, and by the digest of its bytes, which alone says which it is."""

    version: Annotated[int, Meta(ge=1)]
    digest: Hex32


class Adoption(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """At position `number` of its log, `authority` puts `packs` in force for the parties of its own `jurisdiction`.

    From the first moment of the day `effective_from`, by the clock of Shenzhen, Hong Kong and Macau, and no earlier
    than the first head that covers the statement; until the first moment of `effective_until`, or without an end.
    Packs are sorted by kind and id, each once.
    """

    authority: PartyName
    number: Annotated[int, Meta(ge=0)]
    kind: StatementKind
    jurisdiction: Jurisdiction
    packs: Annotated[tuple[PackRef, ...], Meta(min_length=1, max_length=MOST_PACKS)]
    effective_from: date
    effective_until: date | None
    issued_at: Instant
    suite: int

    @property
    def effective_at(self) -> datetime:
        """The instant at which it takes effect, as stated."""
        return day_begins(self.effective_from)

    @property
    def ends_at(self) -> datetime | None:
        """The instant at which it stops being in force, if it says."""
        return None if self.effective_until is None else day_begins(self.effective_until)


class _Kind(Struct, frozen=True):
    """As much of a statement as says which it is."""

    kind: StatementKind


_kind: Final = msgspec.json.Decoder(_Kind)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadStatement:
    """A statement whose signature and rules hold; `card` is the admitted card, read."""

    statement: Statement | Adoption
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """From which day on, and until the beginning of which, if any."""

    start: date
    end: date | None = None


def adopt(desk: Desk, packs: Iterable[Pack], term: Term) -> bytes:
    """The signed statement that these packs are in force for the parties of the authority's jurisdiction.

    Raises:
        BadStatement: no pack, too many, one twice, one before its own first day, or one that binds elsewhere only.
        CryptoError: the desk's key is not the authority's.
    """
    chosen = sorted(packs, key=lambda one: one.named)
    for pack in chosen:
        _check_adoptable(pack, desk.authority.card.jurisdiction, term)
    adoption = Adoption(
        authority=desk.authority.card.party,
        number=desk.number,
        kind=StatementKind.ADOPTED,
        jurisdiction=desk.authority.card.jurisdiction,
        packs=tuple(
            PackRef(kind=one.named.kind, id=one.named.id, version=one.version, digest=one.digest.hex())
            for one in chosen
        ),
        effective_from=term.start,
        effective_until=term.end,
        issued_at=desk.at,
        suite=Suite.ONE,
    )
    raw = envelope.sign(STATEMENT_KIND, adoption, [desk.key])
    read_statement(raw, desk.authority)
    return raw


def read_statement(raw: bytes, authority: ListedCard) -> ReadStatement:
    """Read a statement of `authority`: its signature, its shape, its card, and that it may say this.

    That `number` is its position in the log is for the log's reader to check.

    Raises:
        CryptoError: not canonical, of an unknown kind or suite, or not signed by the authority.
        BadStatement, BadCard: see `registry.errors`.
    """
    key = authority.key(Purpose.DOCUMENT)
    signed = envelope.parse(raw, STATEMENT_KIND)
    envelope.verify(signed, {key.key_id: key}, [key.key_id])
    statement: Statement | Adoption
    if decode_with(_kind, signed.payload).kind is StatementKind.ADOPTED:
        statement = envelope.read_payload(signed, Adoption)
    else:
        statement = envelope.read_payload(signed, Statement)
    if statement.authority != authority.card.party:
        raise BadStatement("authority", "the party whose log this is", "another party")
    if isinstance(statement, Adoption):
        _check_adoption(statement, authority)
        return ReadStatement(statement=statement, digest=signed.digest, raw=raw, card=None)
    if statement.party == authority.card.party:
        raise BadStatement("party", "a party other than the authority", "the authority itself")
    return ReadStatement(statement=statement, digest=signed.digest, raw=raw, card=_read_subject(statement, authority))


def day_begins(day: date) -> datetime:
    """The first instant of a day in Shenzhen, Hong Kong and Macau, in UTC."""
    return datetime.combine(day, time(), SHANGHAI).astimezone(UTC)


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


def _check_adoptable(pack: Pack, jurisdiction: Jurisdiction, term: Term) -> None:
    """What only who has the pack can tell; whoever reads the statement holds it against the pack once more."""
    first = pack.first_day
    if first is not None and term.start < first:
        raise BadStatement("effective_from", f"{first} or later, as {pack.reference} says", str(term.start))
    if isinstance(pack.content, Overlay) and jurisdiction not in pack.content.binds:
        raise BadStatement("packs", f"packs that bind parties in {jurisdiction}", pack.reference)


def _check_adoption(adoption: Adoption, authority: ListedCard) -> None:
    if adoption.jurisdiction is not authority.card.jurisdiction:
        raise BadStatement("jurisdiction", authority.card.jurisdiction, adoption.jurisdiction)
    names = [(one.kind, one.id) for one in adoption.packs]
    if any(later <= earlier for earlier, later in pairwise(names)):
        raise BadStatement("packs", "sorted by kind and id, each once", "another order")
    end = adoption.effective_until
    if adoption.effective_from.year not in _YEARS or (end is not None and end.year not in _YEARS):
        raise BadStatement("effective_from, effective_until", "days of the years 2000 to 2999", "others")
    if end is not None and end <= adoption.effective_from:
        raise BadStatement("effective_until", "a day after effective_from", "none after it")
