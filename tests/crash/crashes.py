"""Breaking the story off: the launcher from outside, copies of everybody's databases, and what comes of a kill."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from signal import SIGKILL
from typing import Any, Final

import msgspec

from registry.parties import PartyId
from tests.contracts.postgresql import PostgresqlServer
from tests.crash.ending import Ending, differences
from tests.crash.launcher import Flaw, Kill, Order, Outcome, Said
from tests.crash.saved_rows import SavedRows, bring_back, save
from tests.crash.story import BOTH, HOLDER, PARTS, STORY
from tests.fakes.propagation import HOME
from tests.thorough import THOROUGH

ROOT: Final = Path(__file__).parents[2]
IN_MEMORY: Final = Path("/dev/shm")  # noqa: S108 - a folder of one's own is made in it
ROOM: Final = 1 << 27
ERASING: Final = "erase"
ROLES: Final = {HOME: "home", HOLDER: "holder"}
CALLS_PER_POINT: Final = 36
"""One kill before and one after for about so many calls, besides the first and the last one."""

CASES: Final = [(victim, act.name) for act in STORY for victim in act.victims]
"""Who is killed in which act."""
NAMES: Final = [f"{ROLES[victim]} in {act}" for victim, act in CASES]


@dataclass(frozen=True, slots=True)
class Launcher:
    """The launcher as a process of its own."""

    process: subprocess.Popen[bytes]

    def send(self, order: Order) -> Outcome:
        """Have a child carry out an order."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(msgspec.json.encode(order) + b"\n")
        self.process.stdin.flush()
        return msgspec.json.decode(self.process.stdout.readline(), type=Outcome)


@contextmanager
def launched() -> Iterator[Launcher]:
    """Start the launcher, and end it."""
    words = [sys.executable, "-m", "tests.crash.launcher"]
    with subprocess.Popen(words, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        yield Launcher(process)


@dataclass(frozen=True, slots=True)
class Stage:
    """The network at rest: a folder with everybody's files, and the rows of who is on PostgreSQL."""

    folder: Path
    rows: Mapping[PartyId, SavedRows]


@dataclass(frozen=True, slots=True, kw_only=True)
class Crashes:
    """The undisturbed story on one kind of database, as it stands before each act, and how to break it off.

    `shared` are the databases of who is on PostgreSQL; they are used by one run after another.
    """

    launcher: Launcher
    shared: Mapping[PartyId, str]
    scratch: Path
    seeds: Iterator[int] = field(default_factory=lambda: count(1))
    stages: dict[str, Stage] = field(default_factory=dict)
    calls: dict[str, Mapping[PartyId, list[str]]] = field(default_factory=dict)
    undisturbed: Ending = field(default_factory=dict)

    def play(self, folder: Path) -> None:
        """Play the undisturbed story once, and keep it as it was before each act."""
        place = folder / "undisturbed"
        place.mkdir()
        self._send(place, found=True)
        for act in STORY:
            shutil.copytree(place, folder / act.name)
            self.stages[act.name] = Stage(folder / act.name, {party: save(url) for party, url in self.shared.items()})
            said = _said(self._send(place, acts=(act.name,), ends=act is STORY[-1]))
            self.calls[act.name] = said.calls
            self.undisturbed.update(said.ending)

    def points(self, act: str, victim: PartyId) -> list[Kill]:
        """Kills spread over all calls of a member in an act, and one after each commit, where something became true.

        By default every third of them where databases are shared: what is not their own is the same on either kind.
        """
        calls = self.calls[act][victim]
        places = spread(len(calls))
        commits = {place for place, call in enumerate(calls, 1) if call == "commit"}
        kills = [Kill(victim, before=place) for place in places] + [
            Kill(victim, after=place) for place in sorted({*places, *commits})
        ]
        return kills[:: 3 if self.shared and not THOROUGH else 1]

    def place(self, act: str, kill: Kill) -> str:
        """At which call somebody is killed, for people."""
        moment, number = ("before", kill.before) if kill.before else ("after", kill.after)
        return f"{moment} call {number}, {self.calls[act][kill.victim][number - 1]}"

    def broken_off(self, act: str, kill: Kill) -> list[str]:
        """What is different in the end if somebody is killed in an act, all are restarted, and the story goes on."""
        with self._copy(act) as place:
            killed = self._send(place, acts=(act,), kill=kill)
            if killed.signal != SIGKILL:
                return [killed.error or f"{kill.victim} made fewer calls than it was to be killed at"]
            ended = self._go_on(place, act, again=True)
            return [_trouble(ended)] if ended.said is None else differences(self.undisturbed, ended.said.ending, act)

    def flawed(self, flaw: Flaw) -> list[str]:
        """What is different in the end if something is broken on purpose from the beginning."""
        with self._copy(STORY[0].name) as place:
            return differences(self.undisturbed, _said(self._go_on(place, STORY[0].name, flaw=flaw)).ending)

    @contextmanager
    def _copy(self, act: str) -> Iterator[Path]:
        stage, place = self.stages[act], self.scratch / f"{next(self.seeds)}"
        shutil.copytree(stage.folder, place)
        for party, rows in stage.rows.items():
            bring_back(self.shared[party], rows)
        try:
            yield place
        finally:
            shutil.rmtree(place)

    def _go_on(self, place: Path, act: str, *, again: bool = False, flaw: Flaw | None = None) -> Outcome:
        """Play an act and all that come behind it."""
        names = [one.name for one in STORY]
        acts = tuple(names[names.index(act) :])
        # Files are no matter of PostgreSQL's rows, and writing all of them anew takes longer than everything else.
        compacts = act == ERASING or not self.shared
        return self._send(place, acts=acts, again=again, ends=True, compacts=compacts, flaw=flaw)

    def _send(self, place: Path, **what: Any) -> Outcome:
        files = {part.party: f"sqlite:///{place / part.party}.db" for part in PARTS}
        order = Order(folder=str(place), urls=files | {**self.shared}, seed=next(self.seeds), **what)
        return self.launcher.send(order)


@contextmanager
def played(launcher: Launcher, folder: Path, server: PostgresqlServer | None = None) -> Iterator[Crashes]:
    """The story, played once; home and the holder are on PostgreSQL if there is a server."""
    with ExitStack() as stack:
        shared = {} if server is None else {one: stack.enter_context(server.database("template0")) for one in BOTH}
        crashes = Crashes(launcher=launcher, shared=shared, scratch=stack.enter_context(scratch()))
        crashes.play(folder)
        yield crashes


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder for what is copied and thrown away: in memory where there is room, since tests kill no machines."""
    roomy = IN_MEMORY.is_dir() and os.access(IN_MEMORY, os.W_OK) and shutil.disk_usage(IN_MEMORY).free > ROOM
    with tempfile.TemporaryDirectory(prefix="creditport-crash-", dir=IN_MEMORY if roomy else None) as folder:
        yield Path(folder)


def spread(calls: int) -> Sequence[int]:
    """Places among so many calls: the first, the last, and some evenly between them."""
    if calls < 2:
        return range(1, calls + 1)
    gaps = max(1, round(calls / CALLS_PER_POINT))
    return sorted({1 + round(at * (calls - 1) / gaps) for at in range(gaps + 1)})


def _said(outcome: Outcome) -> Said:
    assert outcome.said is not None, _trouble(outcome)
    return outcome.said


def _trouble(outcome: Outcome) -> str:
    return outcome.error or f"the child ended with signal {outcome.signal}"
