"""Home answers queries: load facts, decide every question, show what is visible, write everything once (S 27-35).

Takes a list, because concurrent queries share one set of reads, one transaction and one commit. A refusal depends
only on the documents presented and on the agreement; whatever home's own records add is silent withholding, so
"no such enterprise" and "withheld" go the same way and look the same.
"""

from collections import Counter, defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import msgspec

from agreements.agreement import Agreement
from agreements.authorisation import LIFETIME, OpenedAuthorisation
from agreements.authorisation_pool import Opening
from agreements.permission import Facts, Granted, Item, Question, Usage, decide_agreement, decide_item
from agreements.refusal import Refusal, Refused, refuse
from crypto.errors import Malformed
from crypto.keys import Purpose
from node.domain.grounds import granted, refused_for
from node.domain.journal import Act, Detail, Drafted, EntryFacts, draft_alike
from node.operations.asked import Answered, QueryAsked, RefusedAnswer
from node.operations.desk import Desk
from node.operations.disclose import Occasion, disclose, is_ready, show
from node.operations.open_ahead import NOTHING, OpenedAhead
from node.operations.ports import UnitOfWork
from node.operations.render import Disclosure, Shown
from node.operations.rows import SentFrameRow
from registry.freshness import TOLERANCE
from registry.norms.rule_pack import Ground
from registry.parties import PartyId

KNOWN_FOR = LIFETIME + TOLERANCE
"""How long after it was made a frame is given again to the same request: no authorisation in it outlives this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ruling:
    """The decision on every message that asks alike, and what its items are judged by."""

    question: Question
    facts: Facts
    number: int
    decided: Granted | Refused


@dataclass(slots=True, kw_only=True)
class _Case:
    """One message on its way through: the decision on the whole, then on each item (None: may be shown)."""

    asked: QueryAsked
    agreement: Agreement | None
    agreement_no: int
    decided: Granted | Refused
    opened: Sequence[Opening] = ()
    refused: dict[int, Refused] = field(default_factory=dict)
    shown: list[Shown] = field(default_factory=list)

    @property
    def answered_places(self) -> list[int]:
        return [place for place in range(len(self.asked.items)) if place not in self.refused]


class _StoredItem(msgspec.Struct, frozen=True, array_like=True):
    """A refused item of a stored answer: position, reason, article, rule pack, leaf."""

    place: int
    reason: Refusal
    article: str
    rule_pack: str
    leaf: bytes


def answer_queries(
    work: UnitOfWork, asked: Sequence[QueryAsked], desk: Desk, ahead: OpenedAhead = NOTHING
) -> list[Answered | RefusedAnswer]:
    """Answer messages, each with one frame or one refusal, in order; commits before anything may leave.

    A request whose very bytes were answered a moment ago gets the same frame again and leaves no new entry.
    """
    at = desk.context.now()
    known = _known_answers(work, asked, desk, at)
    fresh = {one.request: one for one in asked if one.request not in known}
    cases = _decide(work, list(fresh.values()), desk, ahead, at)
    _use_nonces(work, cases, desk)
    _show(work, cases, desk, at)
    answers = dict(known)
    frames: list[SentFrameRow] = []
    entries: list[Drafted] = []
    for case in cases:
        answers[case.asked.request] = _conclude(case, desk, frames, entries, at)
    _write(work, cases, frames, entries, at)
    work.commit()
    return [answers[one.request] for one in asked]


def _known_answers(
    work: UnitOfWork, asked: Sequence[QueryAsked], desk: Desk, at: datetime
) -> dict[tuple[PartyId, bytes], Answered | RefusedAnswer]:
    """The frames that retries get again: while their authorisations may still be good, under an agreement in force.

    A frame that was made is not a right to be shown it for ever (rules 1 and 6). Beyond that the request is decided
    afresh, and refused: its agreement is over, or its authorisation is.
    """
    rows = work.sent_frames.answers(list(dict.fromkeys(one.digest for one in asked)))
    if any(at >= row.sent_at + KNOWN_FOR for row in rows.values()):
        # A batch gets a new frame even where every item of it is refused, and one answer is kept of each request.
        work.erasures.forget_bodies(at - KNOWN_FOR + timedelta(seconds=1))
    found: dict[tuple[PartyId, bytes], Answered | RefusedAnswer] = {}
    for one in asked:
        row = rows.get(one.digest)
        if row is None or row.recipient != one.peer or at >= row.sent_at + KNOWN_FOR:
            continue
        if isinstance(decide_agreement(_question(one), desk.facts_of(one.peer, one.agreement), at), Granted):
            items = _read_items(row.outcomes)
            found[one.request] = Answered(
                header=row.header, body=row.body, refused_items=items, checkpoint=desk.checkpoint
            )
    return found


def _decide(work: UnitOfWork, asked: Sequence[QueryAsked], desk: Desk, ahead: OpenedAhead, at: datetime) -> list[_Case]:
    charged: Counter[int] = Counter()
    rulings: dict[Hashable, _Ruling] = {}
    cases = []
    for one in asked:
        question = _question(one)
        alike = (question.peer, question.agreement, question.epoch, question.purpose, question.batch,
                 question.batch_size, tuple(question.asked.items()))  # fmt: skip
        ruling = rulings.get(alike)
        if ruling is None:
            ruling = rulings[alike] = _rule(work, question, desk, at)
        case = _Case(asked=one, agreement=ruling.facts.agreement, agreement_no=ruling.number, decided=ruling.decided)
        if isinstance(ruling.decided, Granted):
            case.opened = ahead.of(one, desk)
            _decide_items(case, ruling, at, charged)
        cases.append(case)
    return cases


def _rule(work: UnitOfWork, question: Question, desk: Desk, at: datetime) -> _Ruling:
    """Decide on the whole of a message; its facts do not move within a transaction, so those alike share it."""
    overdue = bool(work.notice_answers.backlog(question.peer, at))
    facts = desk.facts_of(question.peer, question.agreement, notices_overdue=overdue)
    rules = desk.facts.law.rules
    number = work.agreements.number(question.agreement) if facts.agreement is not None else 0
    decided = decide_agreement(question, facts, at)
    if (
        isinstance(decided, Granted)
        and facts.agreement is not None
        and not is_ready(work, facts.agreement, number, question.epoch, desk.vocabulary)
    ):
        detail = "index: expected complete, got being built"
        decided = refuse(Refusal.NOT_READY, rules.reference, detail)
    if isinstance(decided, Granted):
        window = day_window(at)
        usage = Usage(queries_today=work.usage.charged(number, [window])[window])
        facts = replace(facts, usage=usage)
    return _Ruling(question=question, facts=facts, number=number, decided=decided)


def _decide_items(case: _Case, ruling: _Ruling, at: datetime, charged: Counter[int]) -> None:
    for place, item in enumerate(case.asked.items):
        judged = Item(pseudonym=item.pseudonym, authorisation=case.opened[place], place=charged[case.agreement_no])
        refused = decide_item(ruling.question, judged, ruling.facts, at)
        if refused is not None:
            case.refused[place] = refused
        else:
            charged[case.agreement_no] += 1


def day_window(at: datetime) -> str:
    """The window that a day's queries are charged in; days are UTC, so that both sides count alike."""
    return f"day:{at:%Y-%m-%d}"


def _question(one: QueryAsked) -> Question:
    return Question(
        peer=one.peer, agreement=one.agreement, epoch=one.epoch, purpose=one.purpose,
        asked=one.asked, batch=one.batch, batch_size=len(one.items),
    )  # fmt: skip


def _use_nonces(work: UnitOfWork, cases: Sequence[_Case], desk: Desk) -> None:
    """Use every authorisation for one request: in another, or twice in these messages, it is refused as replayed."""
    users: dict[bytes, tuple[_Case, int]] = {}
    ends: list[datetime] = []
    for case in cases:
        for place in case.answered_places if isinstance(case.decided, Granted) else ():
            opened = case.opened[place]
            if not isinstance(opened, OpenedAuthorisation):
                continue
            nonce = bytes.fromhex(opened.authorisation.nonce)
            if nonce in users:
                _replayed(case, place, desk)
                continue
            users[nonce] = (case, place)
            ends.append(opened.authorisation.expires_at)
    if users:
        used = work.usage.use_nonces({nonce: case.asked.digest for nonce, (case, _) in users.items()}, max(ends))
        for nonce, first in used.items():
            case, place = users[nonce]
            if first != case.asked.digest:
                _replayed(case, place, desk)


def _replayed(case: _Case, place: int, desk: Desk) -> None:
    pack = desk.facts.law.rules.reference
    case.refused[place] = refuse(Refusal.REPLAYED, pack, "authorisation: expected one not used before")


def _show(work: UnitOfWork, cases: Sequence[_Case], desk: Desk, at: datetime) -> None:
    """Find and render what may be seen; cases of one agreement and epoch share their reads."""
    together: dict[tuple[int, int], list[_Case]] = defaultdict(list)
    for case in cases:
        if isinstance(case.decided, Granted):
            together[case.agreement_no, case.asked.epoch].append(case)
    for (number, epoch), group in together.items():
        wanted = [
            (case.asked.items[place].pseudonym, case.decided)
            for case in group
            for place in case.answered_places
            if isinstance(case.decided, Granted)
        ]
        agreement = group[0].agreement
        if agreement is None:
            continue
        disclosure = Disclosure(
            agreement=agreement, agreement_no=number, epoch=epoch, law=desk.facts.law,
            vocabulary=desk.vocabulary, context=desk.context, at=at,
        )  # fmt: skip
        shown = iter(show(work, wanted, disclosure))
        for case in group:
            for _ in case.answered_places:
                case.shown.extend(next(shown))


def _conclude(
    case: _Case, desk: Desk, frames: list[SentFrameRow], entries: list[Drafted], at: datetime
) -> Answered | RefusedAnswer:
    """Draft the entries of one message and make its frame; the frame names the leaf, the leaf commits to the body."""
    whole = case.decided if isinstance(case.decided, Refused) else None
    if whole is None and not case.asked.batch:
        whole = case.refused.get(0)
    if whole is not None or case.agreement is None:
        return _refuse_whole(case, whole or _impossible(), desk, entries)
    recipient = desk.facts.snapshot.listings[case.asked.peer].card.key(Purpose.SEAL)
    asked = case.asked
    occasion = Occasion(recipient=asked.peer, epoch=asked.epoch, purpose=asked.purpose, request=asked.digest)
    try:
        frame = disclose(case.shown, _authorisations(case), occasion, case.agreement, desk.context, recipient)
    except Malformed:
        # One message that asks for more than a frame holds must not take down those that came together with it.
        pack = desk.facts.law.rules.reference
        oversized = refuse(Refusal.OVERSIZED, pack, "frame: expected no more than one holds")
        return _refuse_whole(case, oversized, desk, entries)
    ground = granted(desk.facts.law, Ground.BATCH if asked.batch else Ground.QUERY)
    (leaf,) = _draft(desk, case, Act.BATCH if asked.batch else Act.QUERY, frame.detail("ANSWERED", ground))
    entries.append(leaf)
    refused_items = _item_entries(case, desk, entries, frame.id, ground) if asked.batch else ()
    header, digest = frame.sign(leaf.leaf, desk.context, at)
    frames.append(
        SentFrameRow(
            frame=frame.id, recipient=case.asked.peer, agreement_no=case.agreement_no, request=case.asked.digest,
            header=header, header_digest=digest, body=frame.sealed.body,
            outcomes=_write_items(refused_items), sent_at=at,
        )
    )  # fmt: skip
    return Answered(header=header, body=frame.sealed.body, refused_items=refused_items, checkpoint=desk.checkpoint)


def _impossible() -> Refused:
    raise AssertionError("a message without an agreement is refused by the decision")


def _authorisations(case: _Case) -> list[bytes]:
    opened = [case.opened[place] for place in case.answered_places]
    return [one.digest for one in opened if isinstance(one, OpenedAuthorisation)]


def _refuse_whole(case: _Case, refused: Refused, desk: Desk, entries: list[Drafted]) -> RefusedAnswer:
    detail = _refusal_detail(case, refused)
    (leaf,) = _draft(desk, case, Act.BATCH if case.asked.batch else Act.QUERY, detail)
    items = len(case.asked.items) if case.asked.batch else 0
    entries += [leaf, *_draft(desk, case, Act.QUERY, detail, items)]
    return RefusedAnswer(refused=refused, leaf=leaf.leaf)


def _item_entries(
    case: _Case, desk: Desk, entries: list[Drafted], frame: bytes, ground: Detail
) -> tuple[tuple[int, RefusedAnswer], ...]:
    """One entry for each subject of a batch, the answered ones too (S 30)."""
    detail: Detail = {"frame": frame.hex(), "outcome": "ANSWERED", "purpose": case.asked.purpose, **ground}
    answered = iter(_draft(desk, case, Act.QUERY, detail, len(case.answered_places)))
    refusals = []
    for place in range(len(case.asked.items)):
        refused = case.refused.get(place)
        if refused is None:
            entries.append(next(answered))
            continue
        (leaf,) = _draft(desk, case, Act.QUERY, _refusal_detail(case, refused))
        entries.append(leaf)
        refusals.append((place, RefusedAnswer(refused=refused, leaf=leaf.leaf)))
    return tuple(refusals)


def _refusal_detail(case: _Case, refused: Refused) -> Detail:
    return {
        **refused_for(refused),
        "purpose": case.asked.purpose if isinstance(case.decided, Granted) else None,
        "request": case.asked.digest.hex(),
    }


def _draft(desk: Desk, case: _Case, act: Act, detail: Detail, count: int = 1) -> list[Drafted]:
    """As many entries that tell the same of the messages of a case."""
    facts = EntryFacts(
        act=act,
        detail=detail,
        counterparty=case.asked.peer,
        agreement=None if case.agreement is None else case.agreement.digest,
    )
    return draft_alike(facts, count, desk.context.node, desk.context.now(), desk.context.random)


def _write(
    work: UnitOfWork, cases: Sequence[_Case], frames: list[SentFrameRow], entries: list[Drafted], at: datetime
) -> None:
    """Everything at once: frames, ledger, quota and journal."""
    work.sent_frames.add(frames)
    by_request = {(row.recipient, row.request): row.frame for row in frames}
    ledger = [
        shown.ledger(case.agreement_no, by_request[case.asked.request])
        for case in cases
        if case.asked.request in by_request
        for shown in case.shown
    ]
    work.ledger.disclose(ledger, at)
    charges: Counter[int] = Counter()
    for case in cases:
        if isinstance(case.decided, Granted):
            charges[case.agreement_no] += len(case.answered_places)
    for number, amount in (+charges).items():  # only what is more than nothing
        work.usage.charge(number, {day_window(at): amount})
    work.journal.add(entries)


def _write_items(refused: Sequence[tuple[int, RefusedAnswer]]) -> bytes:
    rows = [
        _StoredItem(
            place=place, reason=one.refused.reason, article=one.refused.article,
            rule_pack=one.refused.rule_pack, leaf=one.leaf,
        )
        for place, one in refused
    ]  # fmt: skip
    return msgspec.json.encode(rows)


def _read_items(raw: bytes) -> tuple[tuple[int, RefusedAnswer], ...]:
    return tuple(
        (
            one.place,
            RefusedAnswer(
                refused=Refused(reason=one.reason, article=one.article, rule_pack=one.rule_pack),
                leaf=one.leaf,
            ),
        )
        for one in msgspec.json.decode(raw, type=list[_StoredItem])
    )
