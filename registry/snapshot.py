"""The registry as of a moment: every mirrored statement in effect, folded into one listing per party.

Doubt counts as revoked. A revocation is lifted only by an admission that was written after it *and* works no
earlier than it, so neither an old admission that starts late nor a revocation announced ahead can slip by.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

from crypto.keys import KeyId, PublicKey
from registry.mirror import Mirror, MirroredStatement
from registry.norms.adoption import Adopted, clashes
from registry.norms.shelf import Named, PackDigest
from registry.parties import Jurisdiction, ListedCard, PartyId
from registry.statements import Adoption, RevocationReason, Statement, StatementKind


class Standing(StrEnum):
    """What the registry says of a party at a moment."""

    ADMITTED = "ADMITTED"
    REVOKED = "REVOKED"
    UNKNOWN = "UNKNOWN"


class Dispute(StrEnum):
    """Statements that cannot both be followed; what was followed is in the listings."""

    PARTY_CLAIMED_TWICE = "PARTY_CLAIMED_TWICE"
    CERTIFICATE_CLAIMED_TWICE = "CERTIFICATE_CLAIMED_TWICE"
    SERIAL_NOT_HIGHER = "SERIAL_NOT_HIGHER"
    NORMS_CONTRADICTED = "NORMS_CONTRADICTED"


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Conflict:
    """`authority` claimed `party` in a way that was not followed.

    Where the dispute is over norms, the party is the authority itself, and `place` says over which.
    """

    dispute: Dispute
    party: PartyId
    authority: PartyId
    place: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """From `at` on, the party has this standing; `reason` explains a revocation."""

    at: datetime
    standing: Standing
    reason: RevocationReason | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A party as its authority lists it: newest card in effect, older cards, and its turns, oldest first."""

    card: ListedCard
    authority: PartyId
    turns: tuple[Turn, ...]
    superseded: tuple[ListedCard, ...] = ()

    @property
    def party(self) -> PartyId:
        """The party's name."""
        return self.card.card.party

    @property
    def status(self) -> Standing:
        """Its standing as of the snapshot."""
        return self.turns[-1].standing

    @property
    def since(self) -> datetime:
        """Since when it has that standing."""
        return self.turns[-1].at

    @property
    def is_active(self) -> bool:
        """Whether it is admitted as of the snapshot."""
        return self.status is Standing.ADMITTED

    @property
    def keeps_its_word(self) -> bool:
        """Whether it can still be talked to about what it holds or gave: its admission may have ended, its keys not."""
        return self.turns[-1].reason is not RevocationReason.KEY_COMPROMISED


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """What this node may believe as of `as_of`; `head_times` tells how recently each authority was heard."""

    as_of: datetime
    listings: Mapping[PartyId, Listing] = field(repr=False)
    certificates: Mapping[bytes, PartyId] = field(repr=False)
    authorities: tuple[PartyId, ...]
    head_times: Mapping[PartyId, datetime]
    conflicts: tuple[Conflict, ...]
    norms: Mapping[Jurisdiction, tuple[Adopted, ...]] = field(repr=False, default_factory=dict)
    """What the first pinned authority of each jurisdiction has adopted, in force or announced, by position."""

    def party(self, party: PartyId) -> Listing | None:
        """The listing of `party`, admitted or revoked, or None."""
        return self.listings.get(party)

    def by_certificate(self, sha256: bytes) -> Listing | None:
        """Whose current card names the TLS certificate with this SHA-256 of its DER form."""
        party = self.certificates.get(sha256)
        return None if party is None else self.listings[party]

    def keys_of(self, party: PartyId) -> Mapping[KeyId, PublicKey]:
        """Every key the party ever had a card in effect for: evidence outlives cards.

        Whether a signature by an older key still counts is for the reader of the evidence to decide.
        """
        listing = self.listings.get(party)
        cards = () if listing is None else (*listing.superseded, listing.card)
        return {name: key for card in cards for name, key in card.keys.items()}

    def authority_of(self, jurisdiction: Jurisdiction) -> Listing | None:
        """The first pinned authority of `jurisdiction`."""
        pinned = (self.listings[party] for party in self.authorities)
        return next((one for one in pinned if one.card.card.jurisdiction is jurisdiction), None)

    def active(self) -> tuple[Listing, ...]:
        """All admitted parties, authorities among them, by name."""
        return tuple(one for _, one in sorted(self.listings.items()) if one.is_active)

    @property
    def newest_authority_time(self) -> datetime | None:
        """The newest time any authority has put under its own head (`registry.freshness.clock`)."""
        return max(self.head_times.values(), default=None)


def fold(mirrors: Iterable[Mirror], pins: Sequence[ListedCard], as_of: datetime) -> Snapshot:
    """The registry as of `as_of`, from the logs of pinned authorities only.

    `pins` are the authority cards that an operator trusts by fingerprint, in order of trust: when two
    authorities claim one party, the earlier pin is followed and the conflict listed. A pinned authority is
    itself a listing. A log counts only if its authority's card is a pinned one.
    """
    listings = _authority_listings(pins)
    ranked = _ranked(mirrors, pins)
    conflicts: set[Conflict] = set()
    for mirror in ranked:
        conflicts |= _add_parties(listings, mirror, as_of)
    certificates, clashing = _certificates(listings)
    norms, contradicted = _norms(ranked, as_of)
    return Snapshot(
        as_of=as_of,
        listings=MappingProxyType(listings),
        certificates=MappingProxyType(certificates),
        authorities=tuple(dict.fromkeys(pin.card.party for pin in pins)),
        head_times={one.authority.card.party: one.head.time for one in ranked if one.head is not None},
        conflicts=tuple(sorted(conflicts | clashing | contradicted)),
        norms=MappingProxyType(norms),
    )


def standing(listing: Listing | None, at: datetime) -> Standing:
    """What `listing` says of its party at `at`; nobody is known before the first turn."""
    turns = () if listing is None else listing.turns
    return next((turn.standing for turn in reversed(turns) if turn.at <= at), Standing.UNKNOWN)


def _authority_listings(pins: Sequence[ListedCard]) -> dict[PartyId, Listing]:
    """Every pinned authority, with its pinned card of the highest serial; none of them needs an admission."""
    pinned: dict[PartyId, list[ListedCard]] = {}
    for pin in pins:
        pinned.setdefault(pin.card.party, []).append(pin)
    return {party: _authority_listing(party, cards) for party, cards in pinned.items()}


def _authority_listing(party: PartyId, pins: Iterable[ListedCard]) -> Listing:
    first, *rest = sorted(pins, key=lambda one: one.card.serial)
    *older, newest = (first, *rest)
    turn = Turn(at=first.card.issued_at, standing=Standing.ADMITTED)
    return Listing(card=newest, authority=party, turns=(turn,), superseded=tuple(older))


def _ranked(mirrors: Iterable[Mirror], pins: Sequence[ListedCard]) -> list[Mirror]:
    rank = {pin.digest: place for place, pin in reversed(list(enumerate(pins)))}
    trusted = [one for one in mirrors if one.authority.digest in rank]
    return sorted(trusted, key=lambda one: rank[one.authority.digest])


def _add_parties(listings: dict[PartyId, Listing], mirror: Mirror, as_of: datetime) -> set[Conflict]:
    """Add the parties of one log to `listings`, unless an earlier pin already lists them."""
    authority = mirror.authority.card.party
    conflicts: set[Conflict] = set()
    for party, known in _known_by_party(mirror, as_of).items():
        admissions = _rising(known)
        claimed = sum(one.read.card is not None for one in known)
        if claimed > len(admissions):
            conflicts.add(_conflict(Dispute.SERIAL_NOT_HIGHER, party, authority))
        if party in listings:
            conflicts.update([_conflict(Dispute.PARTY_CLAIMED_TWICE, party, authority)] if claimed else [])
            continue
        revoked = [one for one in known if _of_party(one).kind is StatementKind.REVOKED]
        listing = _listing(authority, _working(admissions, as_of), _working(revoked, as_of))
        if listing is not None:
            listings[party] = listing
    return conflicts


def _known_by_party(mirror: Mirror, as_of: datetime) -> dict[PartyId, list[MirroredStatement]]:
    """The statements known by `as_of`, in effect or not yet, per party in log order."""
    grouped: dict[PartyId, list[MirroredStatement]] = {}
    for one in mirror.statements:
        statement = one.read.statement
        if one.known_at <= as_of and isinstance(statement, Statement):
            grouped.setdefault(statement.party, []).append(one)
    return grouped


def _of_party(one: MirroredStatement) -> Statement:
    """A statement that was grouped by its party, so it is about one."""
    if isinstance(one.read.statement, Adoption):
        raise TypeError("an adoption is about no party")
    return one.read.statement


def _norms(ranked: Sequence[Mirror], as_of: datetime) -> tuple[dict[Jurisdiction, tuple[Adopted, ...]], set[Conflict]]:
    """What the first pinned authority of each jurisdiction adopted; a lower pin adds nothing to it."""
    found: dict[Jurisdiction, tuple[Adopted, ...]] = {}
    conflicts: set[Conflict] = set()
    for mirror in ranked:
        card = mirror.authority.card
        if card.jurisdiction not in found:
            found[card.jurisdiction] = adopted = tuple(_adopted(mirror, as_of))
            conflicts |= {
                Conflict(dispute=Dispute.NORMS_CONTRADICTED, party=card.party, authority=card.party, place=clash.place)
                for clash in clashes(adopted)
            }
    return found, conflicts


def _adopted(mirror: Mirror, as_of: datetime) -> Iterator[Adopted]:
    for one in mirror.statements:
        adoption = one.read.statement
        if not isinstance(adoption, Adoption) or one.known_at > as_of:
            continue
        for pack in adoption.packs:
            yield Adopted(
                named=Named(kind=pack.kind, id=pack.id),
                version=pack.version,
                digest=PackDigest(bytes.fromhex(pack.digest)),
                effective_from=adoption.effective_from,
                works_from=one.works_from,
                works_until=adoption.ends_at,
                number=adoption.number,
            )


def _rising(statements: Sequence[MirroredStatement]) -> list[MirroredStatement]:
    """The admissions whose card has a higher serial than every card admitted before it in the log.

    So a party that was revoked comes back only with a new card, and an old card never returns.
    """
    rising: list[MirroredStatement] = []
    highest = 0
    for one in statements:
        if one.read.card is not None and one.read.card.card.serial > highest:
            highest = one.read.card.card.serial
            rising.append(one)
    return rising


def _working(statements: Sequence[MirroredStatement], as_of: datetime) -> list[MirroredStatement]:
    return [one for one in statements if one.works_from <= as_of]


def _listing(
    authority: PartyId, admitted: Sequence[MirroredStatement], revoked: Sequence[MirroredStatement]
) -> Listing | None:
    cards = [one.read.card for one in admitted if one.read.card is not None]
    if not cards:
        return None
    *older, newest = cards
    turns = _turns(admitted, revoked)
    return Listing(card=newest, authority=authority, turns=turns, superseded=tuple(older))


def _turns(admitted: Sequence[MirroredStatement], revoked: Sequence[MirroredStatement]) -> tuple[Turn, ...]:
    """The standing from each effect on, equal neighbours joined; unknown until the first admission works."""
    turns: list[Turn] = []
    for at in sorted({one.works_from for one in (*admitted, *revoked)}):
        lifted_by = [one for one in admitted if one.works_from <= at]
        if not lifted_by:
            continue
        turn = _turn(at, lifted_by, [one for one in revoked if one.works_from <= at])
        if not turns or turns[-1].standing is not turn.standing:
            turns.append(turn)
    return tuple(turns)


def _turn(at: datetime, admitted: Sequence[MirroredStatement], revoked: Sequence[MirroredStatement]) -> Turn:
    standing_revocations = [one for one in revoked if not any(_lifts(other, one) for other in admitted)]
    if not standing_revocations:
        return Turn(at=at, standing=Standing.ADMITTED)
    return Turn(at=at, standing=Standing.REVOKED, reason=_of_party(standing_revocations[-1]).reason)


def _lifts(admission: MirroredStatement, revocation: MirroredStatement) -> bool:
    later_in_log = admission.read.statement.number > revocation.read.statement.number
    return later_in_log and admission.works_from >= revocation.works_from


def _certificates(listings: Mapping[PartyId, Listing]) -> tuple[dict[bytes, PartyId], set[Conflict]]:
    """Whose TLS certificate is whose: certificates are public, so the party that had it first keeps it."""
    found: dict[bytes, PartyId] = {}
    clashing: set[Conflict] = set()
    for listing in sorted(listings.values(), key=lambda one: (one.turns[0].at, one.party)):
        owner = found.setdefault(listing.card.certificate_sha256, listing.party)
        if owner != listing.party:
            clashing.add(_conflict(Dispute.CERTIFICATE_CLAIMED_TWICE, listing.party, listing.authority))
    return found, clashing


def _conflict(dispute: Dispute, party: PartyId, authority: PartyId) -> Conflict:
    return Conflict(dispute=dispute, party=party, authority=authority)
