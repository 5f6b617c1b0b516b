"""Laws of answers: a frame holds the visible records of the granted kinds, no more and no fewer, whatever is asked."""

from collections import Counter
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agreements.terms import Quotas
from node.domain.identifiers import Identifier, Scheme
from node.domain.records import Kind
from node.operations.asked import Answered, QueryAsked
from tests.fakes.exchange import (
    ALL_FIELDS,
    answers,
    consent,
    filed,
    identifier,
    index,
    load,
    pseudonym,
    question,
    terms,
)
from tests.fakes.reading import renditions
from tests.fakes.world import World, copied, founded
from tests.unit.node.domain.given import PENALTY, REGISTRATION

AMPLE = Quotas(elements_per_epoch=1_000, elements_lifetime=1_000, queries_per_day=10_000, batch_size=8)

HOLDINGS: dict[str, tuple[int, int, int]] = {
    "3000001": (1, 0, 0), "3000002": (1, 1, 0), "3000003": (1, 0, 1), "3000004": (1, 2, 1),
    "3000005": (0, 1, 0), "3000006": (0, 0, 2), "3000007": (0, 3, 0), "3000008": (0, 0, 0),
}  # fmt: skip
"""By enterprise: registrations, penalties still shown, penalties past their time."""
SUBJECTS = tuple(identifier(Scheme.HK_CR, code) for code in HOLDINGS)


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("frames")
    with founded(folder) as world:
        filed(world, msgspec.structs.replace(terms(world), quotas=AMPLE))
        for number, (code, (registered, shown, past)) in enumerate(HOLDINGS.items()):
            own = {"uscc": "", "hk_cr": code}
            load(world, Kind.REGISTRATION, *[REGISTRATION | own] * registered)
            dates = ["2024-03-05"] * shown + ["2019-03-05"] * past
            load(
                world,
                Kind.PENALTY,
                *(
                    PENALTY | own | {"decided_on": day, "decision_no": f"深市监罚〔2024〕{number}{place}号"}
                    for place, day in enumerate(dates)
                ),
            )
        index(world)
        consent(world, SUBJECTS)
    return folder


kinds = st.sets(st.sampled_from(sorted(ALL_FIELDS)), min_size=1)
selections = kinds.flatmap(
    lambda chosen: st.fixed_dictionaries(
        {kind: st.sets(st.sampled_from(sorted(ALL_FIELDS[kind])), min_size=1).map(frozenset) for kind in chosen}
    )
)
messages = st.tuples(st.lists(st.sampled_from(SUBJECTS), min_size=1, max_size=8), selections, st.booleans())


def expected(subject: Identifier, asked: dict[str, frozenset[str]]) -> Counter[str]:
    registered, shown, _ = HOLDINGS[subject.value]
    return Counter({kind: count for kind, count in (("101", registered), ("201", shown)) if kind in asked and count})


def ask(world: World, subjects: list[Identifier], asked: dict[str, frozenset[str]], batch: bool) -> QueryAsked:
    chosen = subjects if batch else subjects[:1]
    return question(world, *chosen, asked=asked, batch=batch)


@settings(max_examples=10, deadline=None)
@given(wanted=st.lists(messages, min_size=1, max_size=5))
def test_a_frame_holds_exactly_the_visible_records_of_the_asked_kinds_with_exactly_the_asked_fields(
    network: Path, wanted: list[tuple[list[Identifier], dict[str, frozenset[str]], bool]]
) -> None:
    with TemporaryDirectory() as folder, copied(network, Path(folder)) as world:
        asked = [ask(world, *one) for one in wanted]
        together = answers(world, *asked)

        for question_asked, given_answer, (subjects, fields, batch) in zip(asked, together, wanted, strict=True):
            header, shown = renditions(world, given_answer)
            chosen = subjects if batch else subjects[:1]
            names = {pseudonym(world, one).hex(): one for one in chosen}
            found = Counter((one.header.pseudonym, one.header.kind) for one in shown)
            per_subject = Counter(
                {
                    (name, kind): count * chosen.count(one)
                    for name, one in names.items()
                    for kind, count in expected(one, fields).items()
                }
            )
            assert header.request == question_asked.digest.hex()
            assert found == per_subject
            assert all(frozenset(one.values()) == fields[one.header.kind] for one in shown)


@settings(max_examples=10, deadline=None)
@given(wanted=st.lists(messages, min_size=1, max_size=4))
def test_answered_together_or_one_by_one_the_same_is_shown(
    network: Path, wanted: list[tuple[list[Identifier], dict[str, frozenset[str]], bool]]
) -> None:
    with TemporaryDirectory() as folder, copied(network, Path(folder)) as world:
        asked = [ask(world, *one) for one in wanted]
        together = answers(world, *asked)
    with TemporaryDirectory() as folder, copied(network, Path(folder)) as other:
        alone = [answer for one in asked for answer in answers(other, one)]
        shown = [_values(other, one) for one in together]

        assert shown == [_values(other, one) for one in alone]
        again = answers(other, *(replace(one, digest=bytes(32)) for one in asked[:1]))
        assert not isinstance(again[0], Answered) or again[0].refused_items


def _values(world: World, given_answer: object) -> list[str]:
    assert isinstance(given_answer, Answered)
    return sorted(
        repr((one.header.pseudonym, one.header.kind, sorted(one.values().items())))
        for one in renditions(world, given_answer)[1]
    )
