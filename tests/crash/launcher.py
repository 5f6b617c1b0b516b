"""The launcher: a process that has imported everything, and forks a child for each order it is given.

    python -m tests.crash.launcher

reads orders from its standard input, one line of JSON each, and says after each what became of the child. It has no
thread and no database of its own, so that a child begins as a new process would, but for the time that takes.
"""

import gc
import os
import signal
import sys
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final, NoReturn

import msgspec

from node.domain.vocabulary import load_vocabulary
from node.operations.ports import Store
from registry.parties import PartyId
from tests.crash.ending import Ending, ending, left_in_files, wrong_at
from tests.crash.story import BOTH, PARTS, STORY, Memory, Scene, set_up
from tests.fakes.founding import found
from tests.fakes.network import running
from tests.fakes.stores import Around, Counting, WrappedStore, doing_twice, forgetting, losing_rows
from tests.fakes.world import START

RESTARTED_AFTER: Final = timedelta(minutes=1)
PATIENCE: Final = 60
"""Seconds after which a child that is not done is ended."""

Flaw = tuple[PartyId, str, str]
"""Something that is broken on purpose: at whom, what (a key of `FLAWS`), and in which call."""
FLAWS: Final[Mapping[str, Callable[[str], Around]]] = {
    "loses a row": losing_rows,
    "does twice": doing_twice,
    "forgets": forgetting,
}


class Kill(msgspec.Struct, frozen=True):
    """Who is killed right before or right after which of its calls."""

    victim: PartyId
    before: int = 0
    after: int = 0


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """Play some acts in a place: databases by party, in a folder that also holds what people remember.

    `found` founds the network first. With `again` the first act was broken off a moment ago. `ends` asks for the
    ending. Without `compacts` databases are not written anew, though everybody believes it.
    """

    folder: str
    urls: dict[PartyId, str]
    seed: int
    acts: tuple[str, ...] = ()
    found: bool = False
    again: bool = False
    ends: bool = False
    compacts: bool = True
    kill: Kill | None = None
    flaw: Flaw | None = None


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """What a child says when it is done: the calls that each member made, and the ending if it was asked for."""

    calls: dict[PartyId, list[str]] = {}
    ending: Ending = {}


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """How a child ended: 0, or the number of the signal that ended it, or what it broke with."""

    signal: int = 0
    error: str = ""
    said: Said | None = None


@dataclass(slots=True)
class Company:
    """How everybody's stores are wrapped in one run: what is broken on purpose, and who counts calls until the end."""

    order: Order
    counting: dict[PartyId, Counting]

    @classmethod
    def of(cls, order: Order) -> "Company":
        counting = {party: Counting() for party in BOTH}
        if order.kill is not None:
            counting[order.kill.victim] = Counting(before=order.kill.before, after=order.kill.after)
        return cls(order, counting)

    def around(self, party: PartyId, store: Store) -> Store:
        if party not in self.counting:
            return store
        if self.order.flaw is not None and party == self.order.flaw[0]:
            _, what, call = self.order.flaw
            store = WrappedStore(store, FLAWS[what](call))
        if not self.order.compacts:
            store = WrappedStore(store, forgetting("compact"))
        return WrappedStore(store, self.counting[party].around)

    def arm(self, armed: bool) -> None:
        for one in self.counting.values():
            one.armed = armed


def carry_out(order: Order) -> Said:
    """Do what is ordered, in this process."""
    folder, company, told = Path(order.folder), Company.of(order), Ending()
    if order.found:
        found(PARTS, folder, order.urls)
        Memory().keep(folder)
    memory = Memory.of(folder)
    began = memory.now + RESTARTED_AFTER if order.again else memory.now
    with running(PARTS, folder, began, order.seed, order.urls, company.around) as network:
        if order.found:
            set_up(Scene(network, memory, again=False))
        company.arm(True)
        for place, act in enumerate(one for one in STORY if one.name in order.acts):
            act.play(Scene(network, memory, again=order.again and place == 0))
        company.arm(False)
        if order.ends:
            told = ending(network, order.urls, memory)
        memory.now = network.clock()
    memory.keep(folder)
    if order.ends:
        # Only now are the files closed.
        for party in BOTH:
            told[wrong_at(party)] += left_in_files(folder, party, memory.gone[party])
    return Said(calls={party: one.calls for party, one in company.counting.items()}, ending=told)


def fork(order: Order) -> Outcome:
    """Have an order carried out by a child, and wait for its end."""
    source, sink = os.pipe()
    child = os.fork()
    if not child:
        os.close(source)
        _be_a_child(order, sink)
    os.close(sink)
    with os.fdopen(source, "rb") as reading:
        told = reading.read()
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return Outcome(signal=os.WTERMSIG(status))
    return msgspec.json.decode(told, type=Outcome)


def _be_a_child(order: Order, sink: int) -> NoReturn:
    """Never comes back: what the launcher still has to do is not the child's."""
    signal.alarm(PATIENCE)
    try:
        outcome = Outcome(said=carry_out(order))
    except BaseException:  # noqa: BLE001 - whatever it is, the test is to show it
        outcome = Outcome(error=traceback.format_exc())
    with os.fdopen(sink, "wb") as writing:
        writing.write(msgspec.json.encode(outcome))
    os._exit(0)


def main() -> None:
    """Carry out one order after another until there are no more."""
    load_vocabulary()
    for part in PARTS:
        # Certificates are made by chance, so that whoever makes them decides what everybody's card is.
        part.card(START)
    gc.freeze()
    with os.fdopen(os.dup(sys.stdout.fileno()), "wb") as answers:
        # What a child prints goes where its errors go.
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
        for line in sys.stdin.buffer:
            answers.write(msgspec.json.encode(fork(msgspec.json.decode(line, type=Order))) + b"\n")
            answers.flush()


if __name__ == "__main__":
    main()
