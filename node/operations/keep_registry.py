"""The registry at a node: pin authorities, mirror their logs; and at an authority: say who is admitted, and what holds.

Statements are appended one by one, each with the head over it, in one transaction.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from crypto.checkpoint import NoteKey
from crypto.errors import CryptoError
from node.domain.context import Context
from node.domain.journal import Act, EntryFacts
from node.domain.operators import SignedAct
from node.operations.asked import RegistryPage
from node.operations.facts import NodeFacts, Settings
from node.operations.ports import UnitOfWork
from node.operations.rows import StoredStatement
from node.operations.write_down import write_down
from registry import freshness
from registry.errors import RegistryError
from registry.log import grow, issue_head, read_head
from registry.mirror import Advanced, Mirror, NotAdvanced, Setback, advance
from registry.norms.adoption import Contradiction, adds_nothing, clashes
from registry.norms.law import Lacking, resolve
from registry.norms.shelf import Pack
from registry.parties import ListedCard, PartyId, fingerprint, registry_origin
from registry.snapshot import fold
from registry.statements import Adoption, Desk, RevocationReason, Term, admit, adopt, revoke

MOST_STATEMENTS = 500

_INSTEAD: Final = {
    Contradiction.SAME_DAY: "something else is in force from that day on already; name a later one",
    Contradiction.SAME_VERSION: "this version was adopted with other bytes; a changed pack has a higher version",
    Contradiction.ROLLBACK: "a higher version was adopted for an earlier day, or a lower one for a later day",
}

Writer = Callable[[Desk], bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unfit:
    """What was asked for is not possible, and why, in one sentence without content."""

    why: str


def pin_authority(work: UnitOfWork, card: ListedCard, expected: bytes, context: Context) -> ListedCard | Unfit:
    """Trust an authority by its card, whose digest somebody compared out of band."""
    if card.digest != expected:
        return Unfit(why=f"the card's fingerprint is {fingerprint(card.digest)}, not the one given")
    if not card.card.party_class.is_authority:
        return Unfit(why=f"{card.card.party} is not an authority")
    work.registries.pin(card.card.party, card.raw)
    work.generation.move()
    _journal(work, context, card.card.party, {"card": card.digest.hex(), "done": "pinned"})
    work.commit()
    return card


def advance_mirror(
    work: UnitOfWork, authority: PartyId, page: RegistryPage, facts: NodeFacts, context: Context
) -> Advanced | NotAdvanced:
    """Follow an authority's log to a new head, or say why the head is not followed.

    A fork or a rollback is journalled: it is the authority's own signature against itself.
    """
    mirror = _newest(work, facts.mirrors[authority])
    moved = advance(mirror, page.head, page.statements)
    if isinstance(moved, Advanced):
        head = moved.mirror.head
        if head is not None and freshness.is_ahead(head.time, context.now()):
            return NotAdvanced(
                setback=Setback.STALE, field="head.time", expected="not ahead of this clock", got="ahead"
            )
        _store(work, mirror, moved.mirror)
        work.commit()
    elif moved.setback in {Setback.FORK, Setback.ROLLBACK}:
        _journal(work, context, authority, {"done": "refused", "setback": moved.setback.value})
        work.commit()
    return moved


def admit_party(
    work: UnitOfWork,
    card: ListedCard,
    facts: NodeFacts,
    settings: Settings,
    context: Context,
    ordered: SignedAct | None = None,
) -> Mirror | Unfit:
    """As an authority: state that a party is admitted (or that a newer card replaces its card)."""
    listing = facts.snapshot.party(card.card.party)
    if listing is not None and listing.card.card.serial >= card.card.serial:
        return Unfit(
            why=f"{card.card.party} is listed with card serial {listing.card.card.serial}; a new one is higher"
        )
    if card.certificate_sha256 in facts.snapshot.certificates and listing is None:
        return Unfit(why="this TLS certificate is already another party's")
    return _state(work, facts, settings, context, lambda desk: admit(desk, card, desk.at), ordered)


def revoke_party(
    work: UnitOfWork,
    party: PartyId,
    reason: RevocationReason,
    facts: NodeFacts,
    settings: Settings,
    context: Context,
    ordered: SignedAct | None = None,
) -> Mirror | Unfit:
    """As an authority: state that a party is no longer admitted."""
    listing = facts.snapshot.party(party)
    if listing is None or listing.authority != context.node:
        return Unfit(why=f"{party} is not a party that this authority admitted")
    if not listing.is_active:
        return Unfit(why=f"{party} is already revoked")
    return _state(work, facts, settings, context, lambda desk: revoke(desk, party, reason, desk.at), ordered)


def adopt_packs(
    work: UnitOfWork,
    packs: Sequence[Pack],
    term: Term,
    facts: NodeFacts,
    settings: Settings,
    context: Context,
    ordered: SignedAct | None = None,
) -> Mirror | Unfit:
    """As an authority: state that packs are in force for the parties here, from a day on.

    Refused when it would contradict what was adopted before, only repeat it, or leave the parties without law from
    that day on: a statement that was published cannot be called back, and takes its day from every other version.
    """

    def judge(moved: Mirror) -> Unfit | None:
        begins = moved.statements[-1].works_from
        snapshot = fold([moved], (settings.own,), begins)
        adopted = snapshot.norms[settings.own.card.jurisdiction]
        number = moved.statements[-1].read.statement.number
        contradicted = next((one for one in clashes(adopted) if number in {one.first.number, one.second.number}), None)
        if contradicted is not None:
            return Unfit(why=f"{contradicted.place}: {contradicted.how}: {_INSTEAD[contradicted.how]}")
        if adds_nothing(adopted, number):
            return Unfit(why="nothing would change: adopted already, from that day or an earlier one on")
        law = resolve(snapshot.norms, settings.own.card.jurisdiction, begins, settings.shelf())
        return Unfit(why=f"no law would be in force then: {law.detail}") if isinstance(law, Lacking) else None

    return _state(work, facts, settings, context, lambda desk: adopt(desk, packs, term), ordered, judge)


def renew_head(work: UnitOfWork, facts: NodeFacts, context: Context) -> None:
    """As an authority: sign the head again with the present time, so that everybody hears that nothing is hidden."""
    mirror = facts.mirrors[context.node]
    head = issue_head(len(mirror.statements), mirror.frontier.root(), _registry_key(context), context.now())
    work.registries.extend(context.node, (), head)
    work.commit()


def read_registry(work: UnitOfWork, authority: PartyId, start: int, limit: int) -> RegistryPage | None:
    """Give part of this authority's own log with its newest head; None if there is no head yet."""
    stored = work.registries.mirror(authority)
    if stored.head is None:
        return None
    most = min(limit or MOST_STATEMENTS, MOST_STATEMENTS)
    statements = stored.statements[start : start + most]
    return RegistryPage(head=stored.head, statements=tuple(one.raw for one in statements))


def _state(
    work: UnitOfWork,
    facts: NodeFacts,
    settings: Settings,
    context: Context,
    write: Writer,
    ordered: SignedAct | None,
    judge: Callable[[Mirror], Unfit | None] = lambda _: None,
) -> Mirror | Unfit:
    """Append one statement and the head over it, in one transaction, unless `judge` has something against it."""
    known = facts.mirrors.get(context.node)
    if known is None or context.keys.registry is None:
        return Unfit(why="this node is not an authority")
    own = _newest(work, known)
    desk = Desk(authority=settings.own, key=context.keys.document, number=len(own.statements), at=context.now())
    try:
        raw = write(desk)
    except (CryptoError, RegistryError) as error:
        return Unfit(why=str(error))
    frontier = grow(own.frontier, [raw])
    head = issue_head(frontier.size, frontier.root(), _registry_key(context), desk.at)
    moved = advance(own, head, [raw])
    if isinstance(moved, NotAdvanced):
        return Unfit(why=f"the log cannot be extended: {moved.field}: expected {moved.expected}, got {moved.got}")
    unfit = judge(moved.mirror)
    if unfit is not None:
        return unfit
    _store(work, own, moved.mirror)
    read = moved.mirror.statements[-1].read
    detail = {"done": read.statement.kind.value, "statement": read.digest.hex()}
    if ordered is not None:
        detail["order"] = ordered.digest.hex()
    about = context.node if isinstance(read.statement, Adoption) else read.statement.party
    _journal(work, context, about, detail)
    work.commit()
    return moved.mirror


def _newest(work: UnitOfWork, mirror: Mirror) -> Mirror:
    """The mirror with the head that is stored now: heads move on a cadence, while facts are kept until they change."""
    raw = work.registries.heads().get(mirror.authority.card.party)
    return mirror if raw is None else replace(mirror, head=read_head(raw, mirror.authority))


def _store(work: UnitOfWork, old: Mirror, new: Mirror) -> None:
    added = [
        StoredStatement(number=one.read.statement.number, raw=one.read.raw, covered_at=one.known_at)
        for one in new.statements[len(old.statements) :]
    ]
    if new.head is not None:
        work.registries.extend(new.authority.card.party, added, new.head.raw)
    if added:
        work.generation.move()


def _registry_key(context: Context) -> NoteKey:
    key = context.keys.registry
    if key is None:
        raise RuntimeError("only an authority keeps a registry")
    return NoteKey(registry_origin(context.node), key)


def _journal(work: UnitOfWork, context: Context, about: PartyId, detail: dict[str, str]) -> None:
    facts = EntryFacts(act=Act.REGISTRY, detail=detail, counterparty=about)
    write_down(work, facts, context)
