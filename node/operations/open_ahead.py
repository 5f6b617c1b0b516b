"""Authorisations verified before the transaction that decides by them, so that no writer waits for it.

What was verified by one state of the registry does not count under another: whatever was not opened by the very
facts that the transaction finds is opened there.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from agreements.authorisation_pool import Opening, Presented, open_all
from agreements.signatures import document_keys
from node.operations.asked import QueryAsked
from node.operations.desk import Desk
from node.operations.facts import NodeFacts
from registry.parties import PartyId

Opener = Callable[[Sequence[Presented], str], list[list[Opening]]]
"""What opens the authorisations of several messages: `open_all`, or a pool of processes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedAhead:
    """The openings of each message, by what names it, and the facts whose keys verified them."""

    facts: NodeFacts | None = None
    messages: Mapping[tuple[PartyId, bytes], Sequence[Opening]] = field(default_factory=dict)

    def of(self, asked: QueryAsked, desk: Desk) -> Sequence[Opening]:
        """The openings of a message, made now if they were not made by the facts of this desk."""
        known = self.messages.get(asked.request) if self.facts is desk.facts else None
        if known is None:
            (known,) = open_all([_presented(asked, desk.facts)], desk.facts.law.rules.reference)
        return known


NOTHING = OpenedAhead()


def open_ahead(asked: Sequence[QueryAsked], facts: NodeFacts | None, opener: Opener = open_all) -> OpenedAhead:
    """Open the authorisations of messages by facts that may be over already.

    Of a message under an agreement that is not its sender's nothing is opened: it will be refused whole.
    """
    if facts is None:
        return NOTHING
    own = [one for one in asked if _names_its_own(one, facts)]
    opened = opener([_presented(one, facts) for one in own], facts.law.rules.reference)
    return OpenedAhead(facts=facts, messages=dict(zip([one.request for one in own], opened, strict=True)))


def _names_its_own(asked: QueryAsked, facts: NodeFacts) -> bool:
    agreement = facts.agreements.get(asked.agreement)
    return agreement is not None and agreement.terms.recipient == asked.peer


def _presented(asked: QueryAsked, facts: NodeFacts) -> Presented:
    raws = tuple(item.authorisation for item in asked.items)
    return Presented(raws, document_keys(facts.snapshot.keys_of(asked.peer)))
