"""Whatever is lost, repeated, late or out of order: once messages flow again, every copy is what home says.

A story is a drawn list of steps and the fates of the messages sent under way; it is printed and made shorter when it
ends badly.
"""

import tempfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from node.operations.change_records import Changed, NotChanged
from node.operations.push_records import Wanted
from registry.parties import PartyId
from tests.fakes.network import Fate, Network
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
from tests.simulation.held import Secrets, remains, troubles
from tests.simulation.templates import LOADED, PUSHED, SHORT, SUBJECTS, Template, prepared

MEMBERS = (HOME, *HOLDERS)
STATUSES = ("SUSPENDED", "LIQUIDATION", "REVOKED", "ACTIVE")
FIELDS = (
    frozenset({"status_code"}),
    frozenset({"region", "industry_section"}),
    None,
)
"""Which fields a query asks for; None for all that is agreed."""


@dataclass(frozen=True)
class Push:
    to: PartyId
    again: bool


@dataclass(frozen=True)
class Correct:
    record: int


@dataclass(frozen=True)
class Load:
    """A row of the provider comes: new, updated, or as it was at first."""

    number: int
    as_it_was: bool


@dataclass(frozen=True)
class Delete:
    record: int


@dataclass(frozen=True)
class Ask:
    by: PartyId
    about: tuple[int, ...]
    fields: frozenset[str] | None


@dataclass(frozen=True)
class Run:
    who: PartyId


@dataclass(frozen=True)
class EverybodyRuns:
    pass


@dataclass(frozen=True)
class Restart:
    who: PartyId


@dataclass(frozen=True)
class Erase:
    who: PartyId


@dataclass(frozen=True)
class Sequence:
    who: PartyId


@dataclass(frozen=True)
class Vanish:
    """Nobody reaches a member until the end, or until it comes back."""

    who: PartyId


@dataclass(frozen=True)
class ComeBack:
    who: PartyId


@dataclass(frozen=True)
class Wait:
    """Time passes; at some holders the time of keeping too."""

    hours: int


@dataclass(frozen=True)
class LateMessagesCome:
    pass


Step = (
    Push
    | Correct
    | Load
    | Delete
    | Ask
    | Run
    | EverybodyRuns
    | Restart
    | Erase
    | Sequence
    | Vanish
    | ComeBack
    | Wait
    | LateMessagesCome
)


def steps() -> st.SearchStrategy[Step]:
    """Most steps let somebody act, or else nothing would be under way."""
    record, subject = st.integers(0, 3), st.integers(0, SUBJECTS - 1)
    somebody = st.sampled_from(MEMBERS)
    running = st.one_of(st.builds(Run, somebody), st.just(EverybodyRuns()))
    return st.one_of(
        running,
        running,
        running,
        running,
        st.builds(Push, st.sampled_from((PUSHED, SHORT)), st.booleans()),
        st.builds(Ask, st.sampled_from(HOLDERS), st.lists(subject, min_size=1, max_size=3, unique=True).map(tuple),
                  st.sampled_from(FIELDS)),
        st.builds(Correct, record),
        st.builds(Delete, record),
        st.builds(Load, subject, st.booleans()),
        st.builds(Restart, somebody),
        st.builds(Erase, somebody),
        st.builds(Sequence, somebody),
        st.builds(Vanish, st.sampled_from(HOLDERS)),
        st.builds(ComeBack, st.sampled_from(HOLDERS)),
        st.builds(Wait, st.sampled_from((1, 20, 100))),
        st.just(LateMessagesCome()),
    )  # fmt: skip


def fates() -> st.SearchStrategy[Fate]:
    return st.sampled_from((Fate.ARRIVES, *Fate, Fate.ARRIVES))


@dataclass(slots=True)
class Story:
    """Plays steps on a network. `said` counts what became of the acts of people."""

    network: Network
    template: Template
    secrets: Secrets = field(default_factory=Secrets)
    turn: int = 0
    said: Counter[str] = field(default_factory=Counter)
    numbers: list[int] = field(default_factory=lambda: list(range(LOADED)))

    def play(self, step: Step) -> None:
        match step:
            case Push(to, again):
                push(self.network, HOME, self.template.agreements[to], Wanted(again=again))
            case Correct(record):
                self.correct(record)
            case Delete(record):
                self.say("deleted", deleted(self.network, HOME, record + 1))
            case Load(number, as_it_was):
                row = enterprise(number)
                changes = {} if as_it_was else self.fresh(number)
                self.load(number, row | changes)
            case Ask(by, about, fields):
                wanted = None if fields is None else {"101": fields}
                subjects = [code(number) for number in about]
                ask(self.network, by, self.template.agreements[by], subjects, wanted)
            case Run(who):
                self.network.run(who)
            case EverybodyRuns():
                self.network.run(*MEMBERS)
            case Restart(who):
                self.network.restart(who)
            case Erase(who):
                self.network.erase(who)
            case Sequence(who):
                self.network.sequence(who)
            case Vanish(who):
                self.network.weather.down.add(who)
            case ComeBack(who):
                self.network.weather.down.discard(who)
            case Wait(hours):
                self.network.wait(hours=hours)
                self.network.end_copies(*HOLDERS)
            case LateMessagesCome():
                self.network.weather.blow()
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

    def correct(self, record: int) -> None:
        """Correct a record that is still there; nobody can order it of one that is not."""
        row = self.network.members[HOME].read(lambda work: work.records.find(record + 1))
        if row is not None and row.deleted_at is None:
            self.say("corrected", corrected(self.network, HOME, record + 1, self.fresh(record)))

    def fresh(self, number: int) -> dict[str, str]:
        """Facts that no version had before; what is shown of them changes, too."""
        self.turn += 1
        return {"address": address(number, self.turn), "status": STATUSES[self.turn % len(STATUSES)]}

    def say(self, what: str, answer: Changed | NotChanged) -> None:
        if isinstance(answer, Changed):
            self.said[what] += 1


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Template:
    return prepared(tmp_path_factory.mktemp("propagation"))


@settings(max_examples=25, deadline=None)
@example(
    # The answer to a batch is lost, and asked for again when it is not given again any more.
    script=[Ask(PUSHED, (0, 1), FIELDS[0]), Run(PUSHED)],
    fates=[Fate.ARRIVES, Fate.ANSWER_LOST],
)
@example(
    # A corrected record is shown in fewer fields, in an answer, before its correction arrives.
    script=[Vanish(PUSHED), Ask(PUSHED, (0,), FIELDS[0]), Correct(0), Run(HOME)],
    fates=[],
)
@given(script=st.lists(steps(), min_size=15, max_size=50), fates=st.lists(fates(), min_size=15, max_size=50))
def test_once_messages_flow_again_every_copy_is_what_home_says(
    template: Template, script: list[Step], fates: list[Fate]
) -> None:
    with tempfile.TemporaryDirectory() as folder, template.copied(Path(folder)) as network, capture_logs() as logs:
        network.weather.planned = list(fates)
        story = Story(network, template)
        for step in script:
            story.play(step)
        network.end_copies(*HOLDERS)
        network.settle()
        assert troubles(network, HOME, HOLDERS) == []

        network.weather.repeat()
        came_back = story.load_what_was_deleted()
        network.settle()

        assert came_back == {}
        assert troubles(network, HOME, HOLDERS) == []
        assert remains(network.members.values(), story.secrets.gone(network, HOME, HOLDERS)) == []
        assert logs == []
