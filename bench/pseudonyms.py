"""Pseudonyms: evaluating for others and indexing one's own subjects, beside the bare evaluations."""

from collections.abc import Callable

from voprf import ristretto

from bench.records import Supply, load
from bench.results import Effort, Row, rate
from bench.workshop import Pair, Workshop, measured
from crypto.pseudonym import MOST_ELEMENTS, blind, evaluator, subject_input
from crypto.pseudonym_pool import PseudonymPool
from node.operations.build_index import IndexNeeded, extend_index
from node.storage.store import SqlStore

AGREEMENT = "00" * 16


def measure_pseudonyms(workshop: Workshop, effort: Effort) -> list[Row]:
    """Elements and subjects a second."""
    store = workshop.place.store
    return [
        measured("evaluate", "-", "elements/s", effort, _evaluating(workshop, effort.elements)),
        measured("index", store, "subjects/s", effort, _indexing(workshop, effort.subjects)),
    ]


def _evaluating(workshop: Workshop, count: int) -> Callable[[], Pair]:
    """Elements through the pool's one process, beside the package's own batch in this one."""
    seed = workshop.context.keys.pseudonym_seed
    portion = blind([subject_input("CN-USCC", str(number)) for number in range(MOST_ELEMENTS)]).blinded
    blinded = portion * (count // MOST_ELEMENTS)
    bare = evaluator(seed, AGREEMENT, 1)

    def evaluate_bare() -> None:
        for start in range(0, len(blinded), MOST_ELEMENTS):
            portion = blinded[start : start + MOST_ELEMENTS]
            bare.evaluate_batch([ristretto.BlindedInput.deserialize(one) for one in portion])

    def once() -> Pair:
        with PseudonymPool(seed, 1) as pool:
            ours = rate(len(blinded), lambda: pool.evaluate(AGREEMENT, 1, blinded))
        return ours, rate(len(blinded), evaluate_bare)

    return once


def _indexing(workshop: Workshop, count: int) -> Callable[[], Pair]:
    """Building the index of so many subjects in one process, beside computing their pseudonyms alone."""
    seed = workshop.context.keys.pseudonym_seed
    evaluate = evaluator(seed, AGREEMENT, 1).evaluate_known_input
    inputs = [subject_input("CN-USCC", str(number)) for number in range(count)]
    needed = IndexNeeded(agreement=bytes(32), agreement_id=AGREEMENT, epoch=1)

    def index(store: SqlStore, pool: PseudonymPool) -> None:
        while extend_index(store, needed, pool.own):
            pass

    def once() -> Pair:
        with workshop.store() as store, PseudonymPool(seed, 0) as pool:
            load(store, Supply().rows(count))
            with store.write() as work:
                work.agreements.number(bytes(32))
                work.commit()
            ours = rate(count, lambda: index(store, pool))
        return ours, rate(count, lambda: [evaluate(one) for one in inputs])

    return once
