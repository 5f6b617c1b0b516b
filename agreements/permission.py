"""May this peer have these fields now? What home decides before anything is shown (S 14, 15, 28-35).

What depends on the agreement is decided once for a whole message (`decide_agreement`), what depends on one
subject for each item (`decide_item`). Neither looks at any record: a refusal tells only what the asker's own
documents and the agreement tell, and whatever the records add is silent withholding.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import msgspec

from agreements.agreement import Agreement, not_in_force
from agreements.authorisation import Ask, OpenedAuthorisation, misfit
from agreements.refusal import Fault, Refusal, Refused, refuse
from agreements.terms import PROVEN_EXPORT_PATHS, Direction, Manner, Terms, epoch_at
from registry.norms.catalogue import Catalogue, Crossing, Nature, Precision, Publicity
from registry.norms.rule_pack import RulePack
from registry.parties import PartyClass, PartyId
from registry.snapshot import Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What one query message asks: `agreement` is a terms digest, `asked` the field names by record kind."""

    peer: PartyId
    agreement: bytes
    epoch: int
    purpose: str
    asked: Mapping[str, frozenset[str]]
    batch: bool = False
    batch_size: int = 1


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One subject of a message: its 16-byte pseudonym, and the authorisation as `open_authorisation` gave it.

    `place` counts the items before it that are charged with it, so that a daily quota ends inside a message.
    """

    pseudonym: bytes
    authorisation: OpenedAuthorisation | Refused | None
    place: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationQuestion:
    """A request to evaluate `elements` blinded identifiers under an agreement and epoch."""

    peer: PartyId
    agreement: bytes
    epoch: int
    elements: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What was already charged: elements in this epoch and ever, queries on this day."""

    elements_epoch: int = 0
    elements_lifetime: int = 0
    queries_today: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What home knows at the instant of the decision; `peer` and `peer_class` are the registry's word.

    `lacking` is why there is no law in force for home's parties, if there is none: `rules` and `catalogue` then permit
    nothing. `notices_overdue`: the peer was told of changes and has not applied them in time (S 42).
    """

    home: PartyId
    agreement: Agreement | None
    peer: Standing
    peer_class: PartyClass | None
    registry_fresh: bool
    catalogue: Catalogue
    rules: RulePack
    lacking: Fault | None = None
    usage: Usage = Usage()
    notices_overdue: bool = False

    def refuse(self, reason: Refusal, detail: str) -> Refused:
        """Refuse under the rule pack in use."""
        return refuse(reason, self.rules.reference, detail)


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """The answer "yes": for each kind the fields that may be shown, with the precision agreed."""

    fields: Mapping[str, Mapping[str, Precision]]


def decide_query(question: Question, item: Item, facts: Facts, at: datetime) -> Granted | Refused:
    """Decide one query whole: the agreement's part, then the subject's."""
    granted = decide_agreement(question, facts, at)
    if isinstance(granted, Refused):
        return granted
    return decide_item(question, item, facts, at) or granted


def decide_agreement(question: Question, facts: Facts, at: datetime) -> Granted | Refused:
    """Say which of the asked fields the peer may see at `at`, before any authorisation is looked at.

    In this order, the first failure being the reason: registry fresh, a law in force, peer admitted, its
    agreement, filed, in force, export path, class and epoch; then manner, catalogue (S 16, 33), fields, batch
    (S 29). All or nothing: one field outside the grant refuses the whole, so that nobody maps out a grant by asking for
    everything.
    """
    agreement = _in_force(question.peer, question.agreement, question.epoch, facts, at)
    if isinstance(agreement, Refused):
        return agreement
    terms = agreement.terms
    fault = (
        _manner(terms, Manner.PULL)
        or _catalogued(question, facts)
        or _beyond(terms, question.asked)
        or _narrowed(terms, question.asked, facts.catalogue)
        or _batch(question, facts, terms)
    )
    if fault is not None:
        return facts.refuse(*fault)
    precisions = terms.precisions
    return Granted(
        fields={
            kind: {name: precisions[kind][name] for name in sorted(names)} for kind, names in question.asked.items()
        }
    )


def decide_push(
    peer: PartyId, agreement: bytes, kinds: frozenset[str], facts: Facts, at: datetime
) -> Granted | Refused:
    """Say what may be pushed to a peer at `at` under an agreement: every agreed field of these kinds.

    As for a query; but nobody asks, so public information alone crosses this way: other information needs the
    subject's word for each recipient (S 35), which a push does not carry.
    """
    granted = decide_replacement(peer, agreement, kinds, facts, at)
    if isinstance(granted, Refused):
        return granted
    terms = facts.agreement.terms if facts.agreement else None
    if terms is not None and Manner.PUSH not in terms.manner:
        return facts.refuse(Refusal.AGREEMENT_SCOPE, f"manner: expected {Manner.PUSH} agreed")
    for kind in sorted(kinds):
        entry = facts.catalogue.entry(kind)
        if entry is None or entry.nature is not Nature.PUBLIC:
            return facts.refuse(Refusal.CONSENT_MISSING, f"kinds: expected public information, got {kind}")
    return granted


def decide_replacement(
    peer: PartyId, agreement: bytes, kinds: frozenset[str], facts: Facts, at: datetime
) -> Granted | Refused:
    """Say whether new versions of what a peer holds may be shown to it at `at`, and in which fields at most.

    A correction is passed on to whoever was shown the error (S 39, 42), in whatever manner that was; but nothing is
    disclosed without an agreement in force.
    """
    epoch = epoch_at(facts.agreement.terms, at) if facts.agreement is not None else None
    held = _in_force(peer, agreement, epoch.number if epoch else 0, facts, at)
    if isinstance(held, Refused):
        return held
    agreed = held.terms.precisions
    asked = {kind: frozenset(agreed.get(kind, {})) for kind in kinds}
    number = epoch.number if epoch else 0
    question = Question(peer=peer, agreement=agreement, epoch=number, purpose="", asked=asked)
    fault = _catalogued(question, facts) or _beyond(held.terms, asked) or _narrowed(held.terms, asked, facts.catalogue)
    if fault is not None:
        return facts.refuse(*fault)
    return Granted(fields={kind: dict(agreed[kind]) for kind in sorted(kinds)})


def decide_item(question: Question, item: Item, facts: Facts, at: datetime) -> Refused | None:
    """Say whether one subject may be asked about, given that `decide_agreement` granted; None when it may.

    The authorisation is there and verified (S 28), made for exactly this question, in its time (S 24), for
    this purpose and these kinds (S 32, 35); the purpose is agreed and allowed abroad; the day's quota is
    not used up.
    """
    opened = item.authorisation
    if isinstance(opened, Refused):
        return opened
    if opened is None:
        return facts.refuse(Refusal.AUTHORISATION_MISSING, "authorisation: expected one, got none")
    if facts.agreement is None:
        return facts.refuse(Refusal.AGREEMENT_MISSING, _NO_SUCH)
    terms = facts.agreement.terms
    fault = (
        misfit(opened.authorisation, _ask(question, item.pseudonym, terms), at)
        or _purpose(question.purpose, terms, facts.rules)
        or _exhausted(facts.usage.queries_today + item.place, terms)
    )
    return None if fault is None else facts.refuse(*fault)


def decide_evaluation(question: EvaluationQuestion, facts: Facts, at: datetime) -> Refused | None:
    """Say whether blinded identifiers may be evaluated, and charged before they are; None when they may.

    It needs an agreement in force but no authorisation: nothing is disclosed, and the quotas bound what a
    peer could learn by trying identifiers (S 15).
    """
    agreement = _in_force(question.peer, question.agreement, question.epoch, facts, at)
    if isinstance(agreement, Refused):
        return agreement
    quotas, usage = agreement.terms.quotas, facts.usage
    if question.elements < 1:
        return facts.refuse(Refusal.MALFORMED, "elements: expected at least one")
    if usage.elements_epoch + question.elements > quotas.elements_per_epoch:
        return facts.refuse(Refusal.RISK_LIMIT, "elements: expected within the quota of the epoch")
    if usage.elements_lifetime + question.elements > quotas.elements_lifetime:
        return facts.refuse(Refusal.RISK_LIMIT, "elements: expected within the quota of the agreement")
    return None


_NO_SUCH: Final = "agreement: expected one with this peer as its recipient"


def _in_force(peer: PartyId, digest: bytes, epoch: int, facts: Facts, at: datetime) -> Agreement | Refused:
    """The peer's own agreement if it is in force; one of others is answered as if there were none."""
    fault = _unlisted(facts)
    if fault is not None:
        return facts.refuse(*fault)
    agreement = facts.agreement
    if (
        agreement is None
        or agreement.digest != digest
        or agreement.terms.recipient != peer
        or agreement.terms.provider != facts.home
    ):
        return facts.refuse(Refusal.AGREEMENT_MISSING, _NO_SUCH)
    terms = agreement.terms
    fault = (
        not_in_force(agreement, at)
        or _no_way_out(terms)
        or _ineligible(facts)
        or _epoch(terms, epoch, at)
        or _unapplied(facts)
    )
    return agreement if fault is None else facts.refuse(*fault)


def _unlisted(facts: Facts) -> Fault | None:
    if not facts.registry_fresh:
        return Refusal.REGISTRY_STALE, "registry: expected a fresh head of every authority concerned"
    if facts.lacking is not None:
        return facts.lacking
    if facts.peer is Standing.REVOKED:
        return Refusal.PEER_SUSPENDED, f"peer: expected {Standing.ADMITTED}, got {Standing.REVOKED}"
    if facts.peer is not Standing.ADMITTED:
        return Refusal.PEER_UNKNOWN, f"peer: expected {Standing.ADMITTED}, got {facts.peer}"
    return None


def _no_way_out(terms: Terms) -> Fault | None:
    if terms.direction is Direction.LOCAL or terms.export_path in PROVEN_EXPORT_PATHS:
        return None
    return Refusal.EXPORT_PATH_MISSING, f"export_path: expected a proven one, got {terms.export_path}"


def _ineligible(facts: Facts) -> Fault | None:
    party_class = facts.peer_class
    if party_class in facts.rules.record_recipients.value:
        return None
    return Refusal.PARTY_NOT_ELIGIBLE, "peer: expected a class that may receive records"


def _unapplied(facts: Facts) -> Fault | None:
    """Whoever leaves changes unapplied gets nothing more until it has caught up (S 42)."""
    if not facts.notices_overdue:
        return None
    return Refusal.NOTICE_BACKLOG, "notices: expected applied in time"


def _epoch(terms: Terms, asked: int, at: datetime) -> Fault | None:
    epoch = epoch_at(terms, at)
    if epoch is not None and epoch.number == asked:
        return None
    return Refusal.AGREEMENT_SCOPE, "epoch: expected the current one"


def _manner(terms: Terms, manner: Manner) -> Fault | None:
    if manner in terms.manner:
        return None
    return Refusal.AGREEMENT_SCOPE, f"manner: expected {manner} agreed"


def _catalogued(question: Question, facts: Facts) -> Fault | None:
    """Public information crosses only where the published norms name the recipient's class (S 33)."""
    for kind in question.asked:
        entry = facts.catalogue.entry(kind)
        if entry is None:
            return Refusal.NOT_IN_CATALOGUE, "kinds: expected listed in the catalogue"
        if entry.publicity is Publicity.GOVERNMENT_ONLY:
            return Refusal.GOVERNMENT_ONLY, "kinds: expected shared beyond government"
        if entry.crosses is Crossing.NEVER:
            return Refusal.NATURAL_PERSON_SUBJECT, "kinds: expected about enterprises"
        if facts.peer_class not in entry.sharing_scope:
            return Refusal.PUBLIC_INFO_SCOPE, "kinds: expected a recipient in the sharing scope"
    return None


def _beyond(terms: Terms, asked: Mapping[str, frozenset[str]]) -> Fault | None:
    agreed = terms.precisions
    if asked and all(names and names <= agreed.get(kind, {}).keys() for kind, names in asked.items()):
        return None
    return Refusal.AGREEMENT_SCOPE, "fields: expected only those agreed, and at least one for each kind"


def _narrowed(terms: Terms, asked: Mapping[str, frozenset[str]], catalogue: Catalogue) -> Fault | None:
    """The catalogue may have become narrower than an agreement made under an older version (S 16)."""
    agreed = terms.precisions
    if all(catalogue.allows(kind, name, agreed[kind][name]) for kind in asked for name in asked[kind]):
        return None
    return Refusal.NOT_IN_CATALOGUE, "fields: expected allowed by the catalogue in the precision agreed"


def _batch(question: Question, facts: Facts, terms: Terms) -> Fault | None:
    if question.batch_size > 1 and not question.batch:
        return Refusal.BATCH_NOT_PERMITTED, "items: expected one outside a batch"
    if question.batch and facts.peer_class not in facts.rules.batch_query_classes.value:
        return Refusal.BATCH_NOT_PERMITTED, "peer: expected a class that may query in batches"
    if question.batch_size > terms.quotas.batch_size:
        return Refusal.BATCH_LIMIT, f"items: expected at most {terms.quotas.batch_size}"
    return None


def _ask(question: Question, pseudonym: bytes, terms: Terms) -> Ask:
    return Ask(
        agreement=question.agreement,
        agreement_id=terms.agreement,
        epoch=question.epoch,
        pseudonym=pseudonym,
        requester=question.peer,
        purpose=question.purpose,
        kinds=frozenset(question.asked),
    )


def _purpose(purpose: str, terms: Terms, rules: RulePack) -> Fault | None:
    if terms.direction is not Direction.LOCAL and purpose not in rules.purposes_abroad.value:
        return Refusal.PURPOSE_NOT_ALLOWED_ABROAD, "purpose: expected allowed abroad"
    if purpose not in terms.purposes:
        return Refusal.PURPOSE_MISMATCH, "purpose: expected one agreed"
    return None


def _exhausted(used: int, terms: Terms) -> Fault | None:
    if used < terms.quotas.queries_per_day:
        return None
    return Refusal.RISK_LIMIT, "queries: expected within the quota of the day"
