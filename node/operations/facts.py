"""The facts that decisions are made of, loaded once and kept until the generation number moves."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

from agreements.agreement import Agreement
from agreements.agreement import fold as fold_agreement
from agreements.refusal import Fault, Refusal
from crypto.merkle import Frontier
from node.operations.ports import UnitOfWork
from node.operations.rows import StoredMirror
from registry import freshness
from registry.log import grow, read_head
from registry.mirror import Mirror, MirroredStatement
from registry.norms.adoption import changes_after
from registry.norms.calendar import due_end, shanghai_day
from registry.norms.law import Lacking, Law, resolve
from registry.norms.rule_pack import RulePack
from registry.norms.shelf import PackKind, Shelf
from registry.parties import Jurisdiction, ListedCard, PartyId, read_card
from registry.snapshot import Snapshot, fold
from registry.statements import read_statement

_REASONS: Final[Mapping[PackKind, Refusal]] = {
    PackKind.RULES: Refusal.SCHEMA_VERSION,
    PackKind.CATALOGUE: Refusal.CATALOGUE_VERSION_UNKNOWN,
    PackKind.CODES: Refusal.CATALOGUE_VERSION_UNKNOWN,
    PackKind.CALENDARS: Refusal.CALENDAR_UNAVAILABLE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What does not change while a node runs.

    `shelf` gives the packs at hand: it is asked whenever facts are read, so that an installed pack acts at once.
    `law` is what the shipped packs make: it says how things go on that need no law in force (withholding, deleting,
    notices, receipts, inspection) while none is known to be (rule 10).
    """

    own: ListedCard
    law: Law = field(repr=False)
    shelf: Callable[[], Shelf] = field(repr=False)
    registry_max_age: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeFacts:
    """Registry, law and agreements as of a generation and a moment; `good_until` is when that may be over.

    `law` is the one in force for this node's jurisdiction. Where there is none, `lacking` says why: nothing is
    disclosed, and `law` is what the rest goes on by.
    """

    generation: int
    as_of: datetime
    good_until: datetime | None
    snapshot: Snapshot = field(repr=False)
    mirrors: Mapping[PartyId, Mirror] = field(repr=False)
    agreements: Mapping[bytes, Agreement] = field(repr=False)
    law: Law = field(repr=False)
    lacking: Lacking | None = None

    @property
    def fault(self) -> Fault | None:
        """For what, and where, a disclosure is refused while there is no law in force."""
        return None if self.lacking is None else (_REASONS[self.lacking.kind], self.lacking.detail)


class FactsCache:
    """Keeps the facts while their generation is the current one, so that a change acts at once in every process."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._facts: NodeFacts | None = None

    @property
    def latest(self) -> NodeFacts | None:
        """The facts that were read last; whether they hold is for a unit of work to say."""
        return self._facts

    def current(self, work: UnitOfWork, at: datetime) -> NodeFacts:
        """Give the facts that hold in this unit of work, reading them again only if they changed."""
        known, generation = self._facts, work.generation.read()
        if known is None or known.generation != generation or _is_over(known, at):
            known = self._facts = load_facts(work, self.settings, at)
        return known


def load_facts(work: UnitOfWork, settings: Settings, at: datetime) -> NodeFacts:
    """Read the registry and the agreements, and fold both."""
    generation = work.generation.read()
    pins = {party: read_card(raw) for party, raw in work.registries.pins().items()}
    mirrors = {party: restore_mirror(work.registries.mirror(party), pin) for party, pin in pins.items()}
    snapshot = fold(mirrors.values(), tuple(pins.values()), at)
    place = settings.own.card.jurisdiction
    found = resolve(snapshot.norms, place, at, settings.shelf())
    law, lacking = (settings.law, found) if isinstance(found, Lacking) else (found, None)
    return NodeFacts(
        generation=generation,
        as_of=at,
        good_until=_next_effect(mirrors, snapshot, place, at),
        snapshot=snapshot,
        mirrors=mirrors,
        agreements=_agreements(work, snapshot, law.rules),
        law=law,
        lacking=lacking,
    )


def heard_authorities(work: UnitOfWork, facts: NodeFacts, settings: Settings, at: datetime) -> frozenset[PartyId]:
    """Which authorities were heard recently enough to rely on what they list (rule 10).

    Head times are read in the deciding transaction: they move on a cadence, without moving the generation.
    """
    times = head_times(work, facts)
    now = freshness.clock(at, max(times.values(), default=None))
    return frozenset(party for party, time in times.items() if freshness.is_fresh(time, now, settings.registry_max_age))


def is_registry_fresh(heard: frozenset[PartyId], facts: NodeFacts, parties: Iterable[PartyId]) -> bool:
    """Whether the authority of each of these parties was heard recently; an unlisted party has none to hear.

    Only the authorities concerned count: one that is silent stops its own parties, and nobody else's.
    """
    listings = [facts.snapshot.party(party) for party in parties]
    return bool(listings) and all(one is None or one.authority in heard for one in listings)


def head_times(work: UnitOfWork, facts: NodeFacts) -> dict[PartyId, datetime]:
    """The time each authority put under its newest stored head (verified before it was stored)."""
    heads = work.registries.heads()
    mirrors = facts.mirrors
    return {party: _head_time(raw, mirrors[party].authority.raw) for party, raw in heads.items() if party in mirrors}


@lru_cache(maxsize=256)
def _head_time(raw: bytes, card: bytes) -> datetime:
    """The time under one head by one card: every transaction asks, and the same bytes say the same again."""
    return read_head(raw, read_card(card)).time


def restore_mirror(stored: StoredMirror, authority: ListedCard) -> Mirror:
    """The mirror that was stored; every statement is verified again on the way."""
    statements = tuple(
        MirroredStatement(read=read_statement(one.raw, authority), known_at=one.covered_at) for one in stored.statements
    )
    return Mirror(
        authority=authority,
        statements=statements,
        frontier=grow(Frontier(), [one.raw for one in stored.statements]),
        head=read_head(stored.head, authority) if stored.head is not None else None,
    )


def _agreements(work: UnitOfWork, snapshot: Snapshot, rules: RulePack) -> dict[bytes, Agreement]:
    """Every agreement by the digest of its terms, which is what it is called on the wire."""
    documents: dict[bytes, list[bytes]] = defaultdict(list)
    for row in work.agreements.all():
        documents[row.agreement].append(row.raw)
    folded = (fold_agreement(raws, snapshot, rules) for raws in documents.values())
    return {agreement.digest: agreement for agreement in folded if agreement is not None}


def _is_over(facts: NodeFacts, at: datetime) -> bool:
    return facts.good_until is not None and at >= facts.good_until


def _next_effect(
    mirrors: Mapping[PartyId, Mirror], snapshot: Snapshot, place: Jurisdiction, at: datetime
) -> datetime | None:
    """When something announced begins or ends; the law is put together for one day, and again for the next."""
    announced = [one.works_from for mirror in mirrors.values() for one in mirror.statements if one.works_from > at]
    of_norms = changes_after(snapshot.norms.get(place, ()), at)
    return min([*announced, *of_norms, due_end(shanghai_day(at))])
