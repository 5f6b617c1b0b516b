"""Breaking the story off: places with the databases of everybody, the launcher from outside, and what came of a kill."""

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
from tests.contracts.postgresql import EMPTY, PostgresqlServer
from tests.crash.ending import Ending, differences
from tests.crash.launcher import Flaw, Kill, Order, Outcome, Said
from tests.crash.story import BOTH, PARTS, STORY

ROOT: Final = Path(__file__).parents[2]
IN_MEMORY: Final = Path("/dev/shm")  # noqa: S108 - a folder of one's own is made in it
ROOM: Final = 1 << 27
CALLS_PER_POINT: Final = 9
"""One kill before and one after for about so many calls, besides the first and the last one."""


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
        outcome = msgspec.json.decode(self.process.stdout.readline(), type=Outcome)
        assert not outcome.error, outcome.error
        return outcome


@contextmanager
def launched() -> Iterator[Launcher]:
    """Start the launcher, and end it."""
    words = [sys.executable, "-m", "tests.crash.launcher"]
    with subprocess.Popen(words, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        yield Launcher(process)


@dataclass(frozen=True, slots=True)
class Place:
    """Everybody's databases: files in a folder, but for those that `urls` has elsewhere."""

    folder: Path
    elsewhere: Mapping[PartyId, str] = field(default_factory=dict)

    @property
    def urls(self) -> dict[PartyId, str]:
        return {part.party: f"sqlite:///{self.folder / part.party}.db" for part in PARTS} | {**self.elsewhere}


@contextmanager
def new_place(folder: Path, server: PostgresqlServer | None) -> Iterator[Place]:
    """A place without a network; home and the holder are on PostgreSQL if there is a server."""
    folder.mkdir()
    with ExitStack() as stack:
        yield Place(folder, {} if server is None else {one: stack.enter_context(_bare(server)) for one in BOTH})


@contextmanager
def copied(place: Place, folder: Path, server: PostgresqlServer | None) -> Iterator[Place]:
    """A copy of a place that nobody has open."""
    shutil.copytree(place.folder, folder)
    try:
        with ExitStack() as stack:
            named = {party: url.partition("@/")[2].partition("?")[0] for party, url in place.elsewhere.items()}
            made = {
                party: stack.enter_context(server.database(name)) for party, name in named.items() if server is not None
            }
            yield Place(folder, made)
    finally:
        shutil.rmtree(folder)


def _bare(server: PostgresqlServer) -> Any:
    return server.database("template0")


@dataclass(frozen=True, slots=True, kw_only=True)
class Crashes:
    """The undisturbed story on one kind of database, as it stands before each act, and how to break off a copy of it."""

    launcher: Launcher
    server: PostgresqlServer | None
    scratch: Path
    stages: Mapping[str, Place]
    calls: Mapping[str, Mapping[PartyId, int]]
    undisturbed: Ending
    seeds: Iterator[int]

    def broken_off(self, act: str, kill: Kill) -> list[str]:
        """What is different in the end if a member is killed in an act, everybody is restarted, and the story goes on."""
        with self._copy(act) as place:
            killed = self._send(place, acts=(act,), kill=kill)
            if killed.signal != SIGKILL:
                return [f"{kill.victim} made fewer calls than it was to be killed at"]
            return differences(self.undisturbed, self._ending(place, act, again=True), act)

    def flawed(self, flaw: Flaw) -> list[str]:
        """What is different in the end if something is broken on purpose from the beginning."""
        with self._copy(STORY[0].name) as place:
            return differences(self.undisturbed, self._ending(place, STORY[0].name, again=False, flaw=flaw))

    def points(self, act: str, victim: PartyId) -> list[Kill]:
        """Kills spread over all calls of a member in an act, the first and the last among them."""
        places = spread(self.calls[act][victim])
        return [Kill(victim, **{moment: place}) for place in places for moment in ("before", "after")]

    @contextmanager
    def _copy(self, act: str) -> Iterator[Place]:
        with copied(self.stages[act], self.scratch / f"{next(self.seeds)}", self.server) as place:
            yield place

    def _ending(self, place: Place, act: str, *, again: bool, flaw: Flaw | None = None) -> Ending:
        names = [one.name for one in STORY]
        rest = tuple(names[names.index(act) :])
        return _said(self._send(place, acts=rest, again=again, ends=True, flaw=flaw)).ending

    def _send(self, place: Place, **what: Any) -> Outcome:
        return self.launcher.send(Order(folder=str(place.folder), urls=place.urls, seed=next(self.seeds), **what))


@contextmanager
def played(launcher: Launcher, folder: Path, server: PostgresqlServer | None = None) -> Iterator[Crashes]:
    """Play the undisturbed story once, and keep it as it was before each act."""
    seeds, stages, calls, told = count(1), {}, {}, Ending()
    with ExitStack() as stack, scratch() as room:
        place = stack.enter_context(new_place(folder / "founded", server))
        launcher.send(Order(folder=str(place.folder), urls=place.urls, seed=next(seeds), found=True))
        for number, act in enumerate(STORY):
            stages[act.name] = place
            place = stack.enter_context(copied(place, folder / f"after-{number}", server))
            order = Order(
                folder=str(place.folder), urls=place.urls, seed=next(seeds), acts=(act.name,), ends=act is STORY[-1]
            )
            said = _said(launcher.send(order))
            calls[act.name], told = said.calls, said.ending
        yield Crashes(
            launcher=launcher, server=server, scratch=room, stages=stages, calls=calls, undisturbed=told, seeds=seeds
        )  # fmt: skip


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
    assert outcome.said is not None, f"a child ended with signal {outcome.signal}"
    return outcome.said
