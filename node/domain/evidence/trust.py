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
from registry.statements import RevocationReason

EVER: Final = datetime(2999, 12, 31, tzinfo=UTC)
"""Turns are looked up by their moment, so the registry is folded as of the end of time."""

UNHEARD: Final = timedelta(hours=1, seconds=60)
"""How long a node may rely on a head before it must hear the authority again, and by how much clocks may differ."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """The registry as its authorities signed it, for questions about any moment."""

    snapshot: Snapshot = field(repr=False)
    listed: Mapping[tuple[PartyId, KeyId], datetime] = field(repr=False)
    """From when on a party's key was last put on a card that works."""

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
        held = [one for one in turns if one.at <= at]
        ends = [one.at for one in held[1:]]
        spans = zip(held, [*ends, EVER], strict=False)
        return any(one.standing is Standing.ADMITTED and end > at - UNHEARD for one, end in spans)

    def is_compromised(self, party: str, key: KeyId, at: datetime) -> bool:
        """Whether by `at` the party had been revoked for taken keys after this key was last listed."""
        listing, since = self.snapshot.party(PartyId(party)), self.listed.get((PartyId(party), key))
        if listing is None or since is None:
            return False
        return any(
            one.reason is RevocationReason.KEY_COMPROMISED and since <= one.at <= at for one in listing.turns
        )  # fmt: skip


class RegistryCheck:
    """Takes in the registry part of a bundle, and gives what may be believed by it."""

    def __init__(self, anchors: Sequence[ListedCard], tally: Tally) -> None:
        self._anchors = tuple(anchors)
        self._cards = {one.card.party: one for one in anchors}
        self._tally = tally
        self._statements: dict[str, list[bytes]] = defaultdict(list)
        self._mirrors: dict[str, Mirror] = {}
        self.unknown: set[str] = set()
        """Authorities whose logs are in the bundle, and whose cards were not given."""

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
            self.unknown.add(authority)
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
        return Trust(snapshot=snapshot, listed=_listed(mirrors, self._anchors))


def _signed_times(mirror: Mirror) -> Mirror:
    statements = tuple(replace(one, known_at=one.read.statement.issued_at) for one in mirror.statements)
    return replace(mirror, statements=statements)


def _listed(mirrors: Sequence[Mirror], anchors: Sequence[ListedCard]) -> dict[tuple[PartyId, KeyId], datetime]:
    listed = {(card.card.party, key): card.card.issued_at for card in anchors for key in card.keys}
    for mirror in mirrors:
        for one in mirror.statements:
            if one.read.card is not None:
                listed |= {(one.read.statement.party, key): one.works_from for key in one.read.card.keys}
    return listed
