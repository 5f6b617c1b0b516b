"""Invented rows of every kind that a node takes in."""

from functools import cache
from typing import Final

from node.domain.records import Kind
from node.domain.sample import sample_enterprises
from node.domain.sample_records import sample_records
from tests.unit.node.domain.given import TODAY

ADMITTED: Final[tuple[Kind, ...]] = tuple(kind for kind in Kind if kind is not Kind.EXAM_MISCONDUCT)
"""Kind 209 is about natural persons, and nobody's rows of it are taken in."""


@cache
def enterprises() -> tuple[dict[str, str], ...]:
    return tuple(sample_enterprises(7, 60, TODAY))


def sampled(kind: Kind, seed: int = 1, count: int = 1) -> list[dict[str, str]]:
    if kind is Kind.REGISTRATION:
        return list(sample_enterprises(seed, count, TODAY))
    return list(sample_records(kind, seed, enterprises(), count, TODAY))
