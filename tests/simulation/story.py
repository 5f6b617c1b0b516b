"""A story: steps that people, loops and the wire take, one after another; each is a value that can be printed."""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from node.operations.change_records import Changed, NotChanged
from node.operations.push_records import Wanted
from registry.parties import PartyId
from tests.fakes.network import Network
from tests.fakes.propagation import (
    HOLDERS,
    HOME,
    address,
    ask,
    code,
    corrected,
    deleted,
    enterprise,
    load,
    push,
    records,
)
from tests.simulation.held import Secrets
from tests.simulation.templates import LOADED, Template

MEMBERS = (HOME, *HOLDERS)
STATUSES = ("SUSPENDED", "LIQUIDATION", "REVOKED", "ACTIVE")


@dataclass(slots=True)
class Story:
    """What is played on a network, and every secret that appeared in it.

    `numbers` are the enterprises of home's records, `said` counts what became of what people ordered.
    """

    network: Network
    template: Template
    secrets: Secrets = field(default_factory=Secrets)
    turn: int = 0
    said: Counter[str] = field(default_factory=Counter)
    numbers: list[int] = field(default_factory=lambda: list(range(LOADED)))

    def play(self, step: "Step") -> None:
        step.play(self)
        self.secrets.look(self.network, HOME, HOLDERS)

    def load(self, number: int, row: Mapping[str, str]) -> Counter[str]:
        outcomes = Counter(load(self.network, HOME, [row]))
        self.said.update(outcomes)
        self.numbers += [number] * outcomes["new"]
        return outcomes

    def load_what_was_deleted(self) -> Counter[str]:
        """Give the provider's first rows of deleted records once more; what became of those that were let in."""
        rows = records(self.network, HOME)
        gone = [number for number, row in zip(self.numbers, rows, strict=True) if row.deleted_at is not None]
        outcomes = Counter(load(self.network, HOME, [enterprise(number) for number in gone]))
        return outcomes - Counter(rejected=len(gone))

    def fresh(self, number: int) -> dict[str, str]:
        """Facts that no version had before; what is shown of them changes, too."""
        self.turn += 1
        return {"address": address(number, self.turn), "status": STATUSES[self.turn % len(STATUSES)]}

    def say(self, what: str, answer: Changed | NotChanged) -> None:
        if isinstance(answer, Changed):
            self.said[what] += 1


class Step(ABC):
    """One thing that happens."""

    @abstractmethod
    def play(self, story: Story) -> None:
        """Let it happen."""


@dataclass(frozen=True)
class Push(Step):
    to: PartyId
    again: bool

    def play(self, story: Story) -> None:
        push(story.network, HOME, story.template.agreements[self.to], Wanted(again=self.again))


@dataclass(frozen=True)
class Correct(Step):
    """A record is corrected if it is there; nobody can order it of one that is not."""

    record: int

    def play(self, story: Story) -> None:
        number = self.record + 1
        row = story.network.members[HOME].read(lambda work: work.records.find(number))
        if row is not None and row.deleted_at is None:
            story.say("corrected", corrected(story.network, HOME, number, story.fresh(self.record)))


@dataclass(frozen=True)
class Delete(Step):
    record: int

    def play(self, story: Story) -> None:
        story.say("deleted", deleted(story.network, HOME, self.record + 1))


@dataclass(frozen=True)
class Load(Step):
    """A row of the provider comes: new, updated, or as it was at first."""

    number: int
    as_it_was: bool

    def play(self, story: Story) -> None:
        story.load(self.number, enterprise(self.number) | ({} if self.as_it_was else story.fresh(self.number)))


@dataclass(frozen=True)
class Ask(Step):
    """A holder asks about enterprises, in some fields or (None) in all that are agreed."""

    by: PartyId
    about: tuple[int, ...]
    fields: frozenset[str] | None

    def play(self, story: Story) -> None:
        wanted = None if self.fields is None else {"101": self.fields}
        subjects = [code(number) for number in self.about]
        ask(story.network, self.by, story.template.agreements[self.by], subjects, wanted)


@dataclass(frozen=True)
class Run(Step):
    who: PartyId

    def play(self, story: Story) -> None:
        story.network.run(self.who)


@dataclass(frozen=True)
class EverybodyRuns(Step):
    def play(self, story: Story) -> None:
        story.network.run(*MEMBERS)


@dataclass(frozen=True)
class Restart(Step):
    who: PartyId

    def play(self, story: Story) -> None:
        story.network.restart(self.who)


@dataclass(frozen=True)
class Erase(Step):
    who: PartyId

    def play(self, story: Story) -> None:
        story.network.erase(self.who)


@dataclass(frozen=True)
class Sequence(Step):
    who: PartyId

    def play(self, story: Story) -> None:
        story.network.sequence(self.who)


@dataclass(frozen=True)
class Vanish(Step):
    """Nobody reaches a member until it comes back, or until the end."""

    who: PartyId

    def play(self, story: Story) -> None:
        story.network.weather.down.add(self.who)


@dataclass(frozen=True)
class ComeBack(Step):
    who: PartyId

    def play(self, story: Story) -> None:
        story.network.weather.down.discard(self.who)


@dataclass(frozen=True)
class Wait(Step):
    """Time passes; for some copies the time of keeping, too."""

    hours: int

    def play(self, story: Story) -> None:
        story.network.wait(hours=self.hours)
        story.network.end_copies(*HOLDERS)


@dataclass(frozen=True)
class LateMessagesCome(Step):
    def play(self, story: Story) -> None:
        story.network.weather.blow()
