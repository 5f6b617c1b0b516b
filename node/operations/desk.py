"""The desk at which home decides: everything a decision rests on, put together once for a transaction."""

from dataclasses import dataclass

from agreements.permission import Facts, Usage
from node.domain.context import Context
from node.domain.vocabulary import Vocabulary, vocabulary_of
from node.operations.facts import NodeFacts, Settings, is_registry_fresh
from registry.parties import PartyId
from registry.snapshot import Standing

NOTHING_USED = Usage()


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What home answers with: facts and settings of now, the authorities heard, our context and newest head."""

    facts: NodeFacts
    settings: Settings
    heard: frozenset[PartyId]
    context: Context
    checkpoint: bytes

    @property
    def vocabulary(self) -> Vocabulary:
        """The words in force."""
        return vocabulary_of(self.facts.law)

    def facts_of(
        self, peer: PartyId, agreement: bytes, usage: Usage = NOTHING_USED, *, notices_overdue: bool = False
    ) -> Facts:
        """What is known of a peer and of the agreement (terms digest) that it names, if there is one."""
        listing = self.facts.snapshot.party(peer)
        return Facts(
            home=self.context.node,
            agreement=self.facts.agreements.get(agreement),
            peer=listing.status if listing else Standing.UNKNOWN,
            peer_class=listing.card.card.party_class if listing else None,
            registry_fresh=is_registry_fresh(self.heard, self.facts, (self.context.node, peer)),
            catalogue=self.facts.law.catalogue,
            rules=self.facts.law.rules,
            lacking=self.facts.fault,
            usage=usage,
            notices_overdue=notices_overdue,
        )
