"""Decide, charge and journal evaluations, before a single element is evaluated (S 15)."""

from collections import Counter
from collections.abc import Sequence

from agreements.permission import EvaluationQuestion, Usage, decide_evaluation
from agreements.refusal import Refusal, Refused, refuse
from crypto.pseudonym import are_elements
from node.domain.grounds import granted, refused_for
from node.domain.journal import Act, Detail, Drafted, EntryFacts, draft
from node.operations.asked import EvaluateAsked, EvaluationGranted, RefusedAnswer
from node.operations.desk import Desk
from node.operations.ports import UnitOfWork
from registry.norms.rule_pack import Ground

LIFETIME = "lifetime"


def charge_evaluations(
    work: UnitOfWork, asked: Sequence[EvaluateAsked], desk: Desk
) -> list[EvaluationGranted | RefusedAnswer]:
    """Decide each request, charge its elements to the epoch's and the agreement's quota, and commit.

    The same bytes again are granted again without a charge or an entry: the evaluation is deterministic, so a
    retry learns nothing new.
    """
    entries: list[Drafted] = []
    answers = [_charge(work, one, desk, entries) for one in asked]
    work.journal.add(entries)
    work.commit()
    return answers


def epoch_window(epoch: int) -> str:
    """The window in which the elements of one epoch are charged."""
    return f"epoch:{epoch}"


def _charge(
    work: UnitOfWork, one: EvaluateAsked, desk: Desk, entries: list[Drafted]
) -> EvaluationGranted | RefusedAnswer:
    agreement = desk.facts.agreements.get(one.agreement)
    number = work.agreements.number(one.agreement) if agreement is not None else 0
    charged_before = agreement is not None and work.usage.evaluated(one.digest)
    question = EvaluationQuestion(peer=one.peer, agreement=one.agreement, epoch=one.epoch, elements=len(one.blinded))
    usage = Usage() if charged_before else _usage(work, number, one.epoch)
    refused = decide_evaluation(question, desk.facts_of(one.peer, one.agreement, usage), desk.context.now())
    if refused is None and not charged_before and not are_elements(one.blinded):
        pack = desk.facts.law.rules.reference
        refused = refuse(Refusal.MALFORMED, pack, "blinded: expected elements of the group, got others")
    if refused is not None or agreement is None:
        return _refuse(one, desk, entries, refused)
    if not charged_before:
        amount = len(one.blinded)
        work.usage.charge(number, Counter({epoch_window(one.epoch): amount, LIFETIME: amount}))
        work.usage.remember_evaluation(one.digest, desk.context.now())
        ground = granted(desk.facts.law, Ground.EVALUATE)
        _draft(one, desk, entries, {"elements": amount, "outcome": "EVALUATED", "request": one.digest.hex(), **ground})
    return EvaluationGranted(agreement_id=agreement.terms.agreement, epoch=one.epoch, checkpoint=desk.checkpoint)


def _usage(work: UnitOfWork, number: int, epoch: int) -> Usage:
    charged = work.usage.charged(number, [epoch_window(epoch), LIFETIME])
    return Usage(elements_epoch=charged[epoch_window(epoch)], elements_lifetime=charged[LIFETIME])


def _refuse(one: EvaluateAsked, desk: Desk, entries: list[Drafted], refused: Refused | None) -> RefusedAnswer:
    if refused is None:
        raise AssertionError("a request without an agreement is refused by the decision")
    detail: Detail = {**refused_for(refused), "elements": len(one.blinded), "request": one.digest.hex()}
    return RefusedAnswer(refused=refused, leaf=_draft(one, desk, entries, detail).leaf)


def _draft(one: EvaluateAsked, desk: Desk, entries: list[Drafted], detail: Detail) -> Drafted:
    known = desk.facts.agreements.get(one.agreement)
    facts = EntryFacts(
        act=Act.EVALUATE,
        detail=detail,
        counterparty=one.peer,
        agreement=None if known is None else known.digest,
    )
    drafted = draft(facts, desk.context.node, desk.context.now(), desk.context.random)
    entries.append(drafted)
    return drafted
