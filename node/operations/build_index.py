"""What home makes ahead for each agreement in force: the index of every subject's pseudonyms, and crowds."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from agreements.agreement import Agreement, State, state_at
from agreements.terms import epoch_at
from crypto.pseudonym import subject_input
from node.domain.crowd import Ladder
from node.domain.vocabulary import vocabulary_of
from node.operations.coarsen import ladders_of
from node.operations.facts import NodeFacts
from node.operations.ports import Store
from registry.parties import PartyId

PORTION = 1_000

Evaluate = Callable[[str, int, Sequence[bytes]], list[bytes]]
"""Home's own evaluation: (agreement id, epoch, inputs) to pseudonyms, in order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexNeeded:
    """One index: the agreement by digest and id, and the epoch."""

    agreement: bytes
    agreement_id: str
    epoch: int


def indexes_needed(facts: NodeFacts, home: PartyId, at: datetime) -> list[IndexNeeded]:
    """The indexes that queries may need now: one for each agreement of ours that is filed, in its present epoch."""
    needed = []
    for agreement in _filed(facts, home, at):
        terms, epoch = agreement.terms, epoch_at(agreement.terms, at)
        if epoch is not None:
            needed.append(IndexNeeded(agreement=agreement.digest, agreement_id=terms.agreement, epoch=epoch.number))
    return needed


def crowds_needed(facts: NodeFacts, home: PartyId, at: datetime) -> list[Ladder]:
    """The ladders that disclosures may need now, each once."""
    vocabulary = vocabulary_of(facts.law)
    ladders = [ladder for one in _filed(facts, home, at) for ladder in ladders_of(one, vocabulary).values()]
    return list({ladder.digest: ladder for ladder in ladders}.values())


def _filed(facts: NodeFacts, home: PartyId, at: datetime) -> list[Agreement]:
    """Agreements of ours that are filed, or in force."""
    ours = [one for one in facts.agreements.values() if one.terms.provider == home]
    return [one for one in ours if state_at(one, at) in {State.FILED, State.ACTIVE}]


def extend_index(store: Store, needed: IndexNeeded, evaluate: Evaluate) -> int:
    """Index the next portion of identifiers; gives how many there were, 0 when the index is complete.

    The evaluation runs between two transactions, so that it holds up nobody; a crash in between repeats it.
    """
    with store.read() as work:
        agreement_no = work.agreements.number(needed.agreement)
        pending = work.pseudonyms.pending(agreement_no, needed.epoch, PORTION)
        done = not pending and work.pseudonyms.ready(agreement_no, needed.epoch)
    if done:
        return 0
    inputs = [subject_input(scheme, value) for _, _, scheme, value in pending]
    names = evaluate(needed.agreement_id, needed.epoch, inputs) if inputs else []
    with store.write() as work:
        if pending:
            rows = [(name, subject, number) for name, (number, subject, _, _) in zip(names, pending, strict=True)]
            work.pseudonyms.add(agreement_no, needed.epoch, rows, pending[-1][0])
        else:
            work.pseudonyms.complete(agreement_no, needed.epoch)
        work.commit()
    return len(pending)
