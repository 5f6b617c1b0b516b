"""Whom a check believes: the registry logs in a bundle, proved by the authority cards that the inspector holds.

An inspector was not there when a statement was first published, so what counts as its known time is the moment that
the authority signed in it, never one that the node claims.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from crypto.checkpoint import NoteVerifier, SignatureType
from crypto.keys import KeyId, PublicKey, Purpose
from node.domain.evidence.findings import Step, Tally, Wrong
from registry.mirror import Advanced, Mirror, advance
from registry.parties import ListedCard, PartyId, journal_origin
from registry.snapshot import Snapshot, Standing, fold
from registry.statements import RevocationReason, Statement

EVER: Final = datetime(2999, 12, 31, tzinfo=UTC)
"""Turns are looked up by their moment, so the registry is folded as of the end of time."""

CLOCKS_DIFFER: Final = timedelta(seconds=60)
UNHEARD: Final = timedelta(hours=1) + CLOCKS_DIFFER
"""How long a node may rely on a head before it must hear the authority again, and by how much clocks may differ."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """The registry as its authorities signed it, for questions about any moment."""

    snapshot: Snapshot = field(repr=False)
    listed: Mapping[tuple[PartyId, KeyId], Sequence[datetime]] = field(repr=False)
    """When a party's key was put on a card that works; again with every new card that has it."""
    taken: Mapping[PartyId, Sequence[datetime]] = field(repr=False)
    """When a party's own authority revoked it because its keys were taken."""
    unknown: frozenset[str] = frozenset()
    """Authorities whose logs are in the bundle, and whose cards were not given."""

    def knows(self, party: str) -> bool:
        """Whether what a party signed can be judged: it is listed, or there is no log left that could list it."""
        return not self.unknown or self.snapshot.party(PartyId(party)) is not None

    def keys(self, party: str, purpose: Purpose) -> Mapping[KeyId, PublicKey]:
        """Every key that a party was ever listed with for a purpose."""
        keys = self.snapshot.keys_of(PartyId(party))
        return {name: key for name, key in keys.items() if key.purpose is purpose}

    def journal_verifiers(self, party: str) -> list[NoteVerifier]:
        """What verifies checkpoints of a party's journal."""
        origin = journal_origin(PartyId(party))
        keys = self.keys(party, Purpose.JOURNAL).values()
        return [NoteVerifier(origin, SignatureType.ED25519, key.raw) for key in keys]

    def is_admitted(self, party: str, at: datetime) -> bool:
        """Whether a party was admitted at a moment, as far as a node that had heard its authority lately could know."""
        listing = self.snapshot.party(PartyId(party))
        turns = () if listing is None else listing.turns
        ends = [*(one.at for one in turns[1:]), EVER]
        for one, end in zip(turns, ends, strict=False):
            if one.standing is Standing.ADMITTED and one.at - CLOCKS_DIFFER <= at < end + UNHEARD:
                return True
        return False

    def is_heard(self, party: str, at: datetime) -> bool:
        """Whether the log in the bundle is new enough to say who was admitted at a moment."""
        listing = self.snapshot.party(PartyId(party))
        heard = None if listing is None else self.snapshot.head_times.get(listing.authority)
        return heard is not None and at <= heard + UNHEARD

    def is_compromised(self, party: str, key: KeyId, at: datetime) -> bool:
        """Whether by `at` the party had been revoked for taken keys, and this key was not listed again since."""
        name = PartyId(party)
        listed = self.listed.get((name, key), ())
        return any(
            taken <= at and not any(taken < since <= at + CLOCKS_DIFFER for since in listed)
            for taken in self.taken.get(name, ())
        )


class RegistryCheck:
    """Takes in the registry part of a bundle, and gives what may be believed by it."""

    def __init__(self, anchors: Sequence[ListedCard], tally: Tally) -> None:
        self._anchors = tuple(anchors)
        self._cards = {one.card.party: one for one in anchors}
        self._tally = tally
        self._statements: dict[str, list[bytes]] = defaultdict(list)
        self._mirrors: dict[str, Mirror] = {}
        self._unknown: set[str] = set()

    def statement(self, authority: str, raw: str) -> None:
        """Take one statement of a log."""
        if authority in self._cards:
            self._statements[authority].append(raw.encode())

    def head(self, authority: str, note: str) -> None:
        """Take the head over the statements taken so far: from its first statement on, the log must be the signed one.

        A log of an authority whose card was not given is passed over: it proves nothing, and nothing against anybody.
        """
        card = self._cards.get(PartyId(authority))
        if card is None:
            self._unknown.add(authority)
        if card is None or authority in self._mirrors:
            return
        statements = self._statements.pop(authority, [])
        advanced = advance(Mirror(authority=card), note.encode(), statements)
        if isinstance(advanced, Advanced):
            self._tally.checked(Step.REGISTRY, len(statements) + 1)
            self._mirrors[authority] = advanced.mirror
            return
        place = f"registry {authority}: {advanced.field}"
        self._tally.found(Step.REGISTRY, Wrong.REGISTRY_BROKEN, place, advanced.expected, advanced.got)

    def believed(self) -> Trust:
        """The registry that was proved; statements without a head prove nothing."""
        for authority in self._statements:
            place = f"registry {authority}: head"
            self._tally.found(Step.REGISTRY, Wrong.REGISTRY_BROKEN, place, "one over its statements", "none")
        mirrors = [_signed_times(one) for one in self._mirrors.values()]
        snapshot = fold(mirrors, self._anchors, EVER)
        return Trust(
            snapshot=snapshot,
            listed=_listed(mirrors, self._anchors),
            taken=_taken(mirrors, snapshot),
            unknown=frozenset(self._unknown),
        )


def _signed_times(mirror: Mirror) -> Mirror:
    statements = tuple(replace(one, known_at=one.read.statement.issued_at) for one in mirror.statements)
    return replace(mirror, statements=statements)


def _listed(mirrors: Sequence[Mirror], anchors: Sequence[ListedCard]) -> dict[tuple[PartyId, KeyId], list[datetime]]:
    listed: dict[tuple[PartyId, KeyId], list[datetime]] = defaultdict(list)
    for card in anchors:
        for key in card.keys:
            listed[card.card.party, key].append(card.card.issued_at)
    for mirror in mirrors:
        for one in mirror.statements:
            if one.read.card is not None:
                for key in one.read.card.keys:
                    listed[one.read.card.card.party, key].append(one.works_from)
    return dict(listed)


def _taken(mirrors: Sequence[Mirror], snapshot: Snapshot) -> dict[PartyId, list[datetime]]:
    """Every revocation for taken keys counts, though the party may have been revoked for something else before."""
    taken: dict[PartyId, list[datetime]] = defaultdict(list)
    for mirror in mirrors:
        for one in mirror.statements:
            statement = one.read.statement
            if not isinstance(statement, Statement) or statement.reason is not RevocationReason.KEY_COMPROMISED:
                continue
            listing = snapshot.party(statement.party)
            if listing is not None and listing.authority == mirror.authority.card.party:
                taken[statement.party].append(one.works_from)
    return dict(taken)
