"""The cast of the registry tests: two authorities and their institutions, with fixed keys, at noon."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256

from crypto.checkpoint import NoteKey
from crypto.keys import Purpose, SealKey, SigningKey
from registry.log import grow, issue_head
from registry.mirror import Advanced, Mirror, NotAdvanced, advance
from registry.norms.shelf import Pack
from registry.parties import (
    Jurisdiction,
    ListedCard,
    PartyCard,
    PartyClass,
    PartyId,
    draft_card,
    issue_card,
    read_card,
    registry_origin,
)
from registry.statements import Desk, RevocationReason, Term, admit, adopt, revoke

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
TODAY = NOON.date()
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """A party with all its keys, derived from its name and a round."""

    party: PartyId
    jurisdiction: Jurisdiction
    party_class: PartyClass
    round: int = 1

    def signing(self, purpose: Purpose) -> SigningKey:
        return SigningKey(purpose, self._seed(purpose))

    def note_key(self) -> NoteKey:
        return NoteKey(registry_origin(self.party), self.signing(Purpose.REGISTRY))

    def draft(self) -> PartyCard:
        purposes = [Purpose.DOCUMENT, Purpose.FRAME, Purpose.JOURNAL]
        if self.party_class.is_authority:
            purposes.append(Purpose.REGISTRY)
        keys = [self.signing(purpose).public for purpose in purposes]
        return draft_card(
            party=self.party,
            name_zh="深圳示例机构",
            name_en="Example Institution",
            jurisdiction=self.jurisdiction,
            party_class=self.party_class,
            endpoint="node.example.org:7443",
            keys=[*keys, SealKey(self._seed(Purpose.SEAL)).public],
            certificate=b"0certificate " + self._seed(Purpose.TLS),
            serial=self.round,
            issued_at=NOON - DAY,
        )

    def card(self) -> ListedCard:
        return read_card(issue_card(self.draft(), self.signing(Purpose.DOCUMENT)))

    def _seed(self, purpose: Purpose) -> bytes:
        return sha256(f"{self.party}/{purpose}/{self.round}".encode()).digest()


SHENZHEN = Actor(party=PartyId("sz-credit-dept"), jurisdiction=Jurisdiction.CN_SZ, party_class=PartyClass.CREDIT_DEPT)
HONG_KONG = Actor(party=PartyId("hk-credit-dept"), jurisdiction=Jurisdiction.HK, party_class=PartyClass.CREDIT_DEPT)
AGENCY = Actor(
    party=PartyId("sz-credit-agency"),
    jurisdiction=Jurisdiction.CN_SZ,
    party_class=PartyClass.MUNI_CREDIT_AGENCY,
)
BANK = Actor(party=PartyId("hk-bank"), jurisdiction=Jurisdiction.HK, party_class=PartyClass.FIN_INST)


class Authority:
    """An authority writing its log; `log` holds the raw statements."""

    def __init__(self, actor: Actor) -> None:
        self.actor = actor
        self.card = actor.card()
        self.log: list[bytes] = []

    def desk(self, at: datetime = NOON) -> Desk:
        key = self.actor.signing(Purpose.DOCUMENT)
        return Desk(authority=self.card, key=key, number=len(self.log), at=at)

    def admits(self, card: ListedCard, effective_at: datetime = NOON) -> None:
        self.log.append(admit(self.desk(), card, effective_at))

    def revokes(
        self,
        party: PartyId,
        effective_at: datetime = NOON,
        reason: RevocationReason = RevocationReason.KEY_COMPROMISED,
    ) -> None:
        self.log.append(revoke(self.desk(), party, reason, effective_at))

    def adopts(self, *packs: Pack, start: date = TODAY, end: date | None = None) -> None:
        self.log.append(adopt(self.desk(), packs, Term(start=start, end=end)))

    def head(self, at: datetime = NOON, size: int | None = None) -> bytes:
        covered = self.log[: len(self.log) if size is None else size]
        return issue_head(
            len(covered),
            grow(Mirror(authority=self.card).frontier, covered).root(),
            self.actor.note_key(),
            at,
        )

    def seen_by(self, mirror: Mirror | None = None, at: datetime = NOON) -> Mirror:
        """The mirror after it fetched everything up to a head of this time."""
        start = Mirror(authority=self.card) if mirror is None else mirror
        outcome = advance(start, self.head(at), self.log[len(start.statements) :])
        assert isinstance(outcome, Advanced), outcome
        return outcome.mirror


def setback(outcome: Advanced | NotAdvanced) -> NotAdvanced:
    """The refusal that a test expects."""
    assert isinstance(outcome, NotAdvanced)
    return outcome
