"""An honest node has nothing to fear: whatever was lost, repeated, late or broken off, no check finds anything.

Nobody is away here for longer than the law allows: before time passes by the day, messages flow until all is told. A
holder that is away for a week is a finding, see test_evidence_tricks.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random

import pytest

from node.domain.evidence.counterparts import verify_together
from node.domain.evidence.findings import Finding
from registry.parties import PartyId
from tests.fakes.evidence import NORMS, cards, fetched, lines
from tests.fakes.network import Fate, Network
from tests.fakes.propagation import HK, HOLDERS, HOME, SZ
from tests.simulation.story import (
    MEMBERS,
    Ask,
    ComeBack,
    Correct,
    Delete,
    Erase,
    EverybodyRuns,
    LateMessagesCome,
    Load,
    Push,
    Restart,
    Run,
    Step,
    Story,
    Vanish,
    Wait,
)
from tests.simulation.story import (
    Sequence as Published,
)
from tests.simulation.templates import PUSHED, SHORT, SUBJECTS, Template, prepared
from tests.thorough import THOROUGH

pytestmark = pytest.mark.no_cover  # what this runs is covered by others, and measuring it doubles its time

HISTORIES = 100 if THOROUGH else 12
FIELDS = (frozenset({"status_code"}), frozenset({"region", "industry_section"}), None)
Bundle = tuple[PartyId, bytes]


@dataclass(frozen=True)
class Retry(Step):
    """What did not arrive is tried again within minutes, as long as an answer that got lost is given again.

    One that is lost for good stays without a receipt, and that is a finding: home must count it as held.
    """

    def play(self, story: Story) -> None:
        network, fates = story.network, list(story.network.weather.planned)
        network.weather.planned = []
        for minutes in (1, 2, 5):
            network.run()
            network.wait(minutes=minutes)
        network.run()
        network.weather.planned = fates


@dataclass(frozen=True)
class Rest(Step):
    """What is under way arrives; then days pass."""

    hours: int

    def play(self, story: Story) -> None:
        fates = list(story.network.weather.planned)
        Retry().play(story)
        story.network.settle()
        story.network.weather.planned = fates
        Wait(self.hours).play(story)
        story.network.settle()


@dataclass(frozen=True)
class After(Step):
    """Something that happens when what got lost was tried again."""

    step: Step

    def play(self, story: Story) -> None:
        Retry().play(story)
        self.step.play(story)


def drawn(chance: Random) -> Step:
    """One thing that happens; most let somebody act, or else nothing would be under way."""
    record, somebody, holder = chance.randrange(SUBJECTS), chance.choice(MEMBERS), chance.choice(HOLDERS)
    about = tuple(chance.sample(range(SUBJECTS), chance.randint(1, 3)))
    steps: Sequence[Step] = (
        Push(chance.choice((PUSHED, SHORT)), chance.random() < 0.5),
        Ask(holder, about, chance.choice(FIELDS)),
        Correct(record),
        Delete(record),
        Load(record, chance.random() < 0.5),
        Restart(somebody),
        Erase(somebody),
        Published(somebody),
        After(Vanish(holder)),
        ComeBack(holder),
        After(Wait(1)),
        Rest(chance.choice((20, 100))),
        LateMessagesCome(),
    )
    return chance.choice((Run(somebody), EverybodyRuns())) if chance.random() < 0.3 else chance.choice(steps)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Template:
    return prepared(tmp_path_factory.mktemp("histories"))


def inspected(network: Network, template: Template, chance: Random) -> list[Bundle]:
    """Everybody's bundle, each for one of the authorities, of everything or of some agreements."""
    return [
        (node, fetched(network, chance.choice((SZ, HK)), node, chance.choice((None, some(template, node, chance)))))
        for node in MEMBERS
    ]


def some(template: Template, node: PartyId, chance: Random) -> list[bytes]:
    """Agreements that a node holds: a holder its own, home some of all."""
    if node in template.agreements:
        return [template.agreements[node]]
    return chance.sample(list(template.agreements.values()), chance.randint(1, len(HOLDERS)))


def found(network: Network, bundles: Sequence[Bundle]) -> Iterator[Finding | str]:
    """All that is wrong with any of these bundles, or with all of them together."""
    opened = [(node, partial(lines, bundle)) for node, bundle in bundles]
    for report in verify_together(opened, cards(network, SZ, HK), NORMS):
        yield from report.findings
        yield from [] if report.hindrance is None else [report.hindrance]


@pytest.mark.parametrize("seed", range(HISTORIES))
def test_an_honest_history_has_no_findings(template: Template, tmp_path: Path, seed: int) -> None:
    chance = Random(seed)
    with template.copied(tmp_path) as network:
        network.weather.planned = chance.choices((Fate.ARRIVES, *Fate, Fate.ARRIVES), k=40)
        story = Story(network, template)
        half, script = chance.randint(5, 20), [drawn(chance) for _ in range(chance.randint(15, 40))]
        for step in script[:half]:
            step.play(story)
        under_way = inspected(network, template, chance)
        for step in script[half:]:
            step.play(story)
        Retry().play(story)
        network.end_copies(*HOLDERS)
        network.settle()
        at_rest = inspected(network, template, chance)
        network.weather.repeat()
        network.settle()
        again = [(node, fetched(network, SZ if node == HOME else HK, node)) for node in MEMBERS]

        assert list(found(network, under_way)) == []
        assert list(found(network, at_rest)) == []
        assert list(found(network, [*under_way, *at_rest, *again])) == []
