"""A network of real Creditport nodes on this machine, driven through the programs that people use."""

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import Any

CREDITPORT = str(Path(sys.executable).with_name("creditport"))
INSPECT = str(Path(sys.executable).with_name("creditport-inspect"))
STARTING = 60.0
PORTS = range(10_000, 32_000)
SWIFT = ("registry_head_every", "registry_read_every", "retention_every", "erase_every")


class Surprise(Exception):
    """A command ended as it should not have, or what was waited for did not come."""


@dataclass(frozen=True)
class Who:
    """What a party card says of its party."""

    party_class: str
    jurisdiction: str
    name_zh: str
    name_en: str


@dataclass
class Member:
    """One node of the network: its folder, its operator, and its serving process."""

    party: str
    folder: Path
    port: int
    passphrase: str = field(repr=False)
    operator: str = "demo"
    approver: str = "demo-two"
    program: tuple[str, ...] = (CREDITPORT, "serve")
    process: subprocess.Popen[str] | None = field(default=None, repr=False)

    def environment(self) -> dict[str, str]:
        """What a person would have exported in a terminal."""
        return os.environ | {
            "CREDITPORT_NODE": str(self.folder),
            "CREDITPORT_PASSPHRASE": self.passphrase,
            "CREDITPORT_OPERATOR": self.operator,
            "CREDITPORT_OPERATOR_PASSPHRASE": self.passphrase,
            "CREDITPORT_SECOND_OPERATOR": self.approver,
            "CREDITPORT_SECOND_PASSPHRASE": self.passphrase,
        }

    def run(self, *words: str, expect: Sequence[int] = (0,)) -> subprocess.CompletedProcess[str]:
        """Run one command at this node; Surprise if it ends in another way."""
        return self._run(CREDITPORT, words, expect)

    def inspect(self, *words: str, expect: Sequence[int] = (0,)) -> subprocess.CompletedProcess[str]:
        """Run one command of the inspector's program as this authority; Surprise if it ends in another way."""
        return self._run(INSPECT, words, expect)

    def _run(self, program: str, words: Sequence[str], expect: Sequence[int]) -> subprocess.CompletedProcess[str]:
        done = self._done(program, words)
        if done.returncode not in expect:
            raise Surprise(
                f"{Path(program).name} {' '.join(words)}\nat {self.party} ended with exit code {done.returncode}:\n"
                f"{done.stdout}{done.stderr}"
            )
        return done

    def _done(self, program: str, words: Sequence[str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run([program, *words], env=self.environment(), capture_output=True, text=True, check=False)

    def ask(self, *words: str, expect: Sequence[int] = (0,)) -> Any:
        """Run one command with --json and give what it said."""
        return json.loads(self.run(*words, "--json", expect=expect).stdout)

    def begin(self, *words: str, before: Sequence[str] = ()) -> "subprocess.Popen[str]":
        """Start one command without waiting for its end, by what `before` says if that is another program."""
        return subprocess.Popen(
            [*before, CREDITPORT, *words],
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def found(self, who: Who, pins: Sequence[str] = ()) -> None:
        """Make the node, with an operator who may do everything and one who approves, and quicken it to be watched."""
        self.run(
            "init", "--party", self.party, "--class", who.party_class, "--jurisdiction", who.jurisdiction,
            "--name-zh", who.name_zh, "--name-en", who.name_en, "--listen", f"127.0.0.1:{self.port}",
            *(word for pin in pins for word in ("--authority", pin)),
        )  # fmt: skip
        self.run("operator", "add", self.operator, *(word for role in _roles() for word in ("--role", role)))
        self.run("operator", "add", self.approver, "--role", "approvals")
        for setting in SWIFT:
            self.configure(setting, "0.5")

    def configure(self, setting: str, value: str) -> None:
        """Change one setting of node.toml, as a person would in an editor."""
        config = self.folder / "node.toml"
        lines = config.read_text(encoding="utf-8").splitlines()
        changed = [f"{setting} = {value}" if line.startswith(f"{setting} =") else line for line in lines]
        config.write_text("\n".join(changed) + "\n", encoding="utf-8")

    @property
    def card(self) -> Path:
        """The node's party card."""
        return self.folder / "card.json"

    def fingerprint(self) -> str:
        """What this party tells others out of band."""
        return str(self.ask("party", "card")["fingerprint"])

    def knows_all(self, parties: set[str]) -> bool:
        """Whether the node's registries list all these parties as admitted."""
        return parties <= {row["party"] for row in self.ask("party", "list") if row["standing"] == "ADMITTED"}

    def state_of(self, agreement: str) -> str | None:
        """The state of an agreement as this node sees it; None if it does not hold it."""
        rows = self.ask("agreement", "list")
        return next((str(row["state"]) for row in rows if row["agreement"] == agreement), None)

    def reach(self, agreement: str, state: str) -> None:
        """Wait until an agreement is in a state here."""
        until(f"the agreement is {state} at {self.party}", lambda: self.state_of(agreement) == state)

    def serve(self) -> None:
        """Start serving, and wait until the node says that it does."""
        with (self.folder / "serving.log").open("a") as log:
            self.process = subprocess.Popen(
                self.program, env=self.environment(), stdout=subprocess.PIPE, stderr=log, text=True
            )
        assert self.process.stdout is not None  # noqa: S101 - asked for above
        line = self.process.stdout.readline()
        if not line.startswith("serving"):
            raise Surprise(f"{self.party} does not serve; see {self.folder / 'serving.log'}")

    def stop(self) -> None:
        """Ask the serving process to end, and wait for it."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End the serving process as a power cut would."""
        self._end(signal.SIGKILL)

    def _end(self, how: signal.Signals) -> None:
        process, self.process = self.process, None
        if process is None:
            return
        process.send_signal(how)
        try:
            process.wait(STARTING)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()


def found_network(authorities: Sequence[Member], institutions: Sequence[Member], who: dict[str, Who]) -> None:
    """Make and start a whole network. Authorities come first: everybody else pins their cards."""
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda member: member.found(who[member.party]), authorities))
        prints = {member.party: member.fingerprint() for member in authorities}
        for authority in authorities:
            for other in authorities:
                if other is not authority:
                    authority.run("party", "pin", str(other.card), "--fingerprint", prints[other.party])
        pins = [f"{one.card}@{prints[one.party]}" for one in authorities]
        list(pool.map(lambda member: member.found(who[member.party], pins), institutions))
        list(pool.map(lambda member: member.serve(), (*authorities, *institutions)))


def mirrored(members: Sequence[Member]) -> None:
    """Wait until every node's mirrors list every member as admitted."""
    everybody = {member.party for member in members}
    for member in members:
        until(f"{member.party} knows everybody", partial(member.knows_all, everybody))


@cache
def _roles() -> list[str]:
    """Every role an operator can have, as the program lists them."""
    done = subprocess.run([CREDITPORT, "operator", "roles", "--json"], capture_output=True, text=True, check=True)
    return list(json.loads(done.stdout))


def free_port() -> int:
    """A port that is free now on the loopback interface.

    Not one of those that are given to outgoing connections: until a node serves there, one of them would take it.
    """
    while True:
        port = secrets.choice(PORTS)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def until(what: str, true: Callable[[], object], seconds: float = STARTING, every: float = 0.2) -> None:
    """Ask again and again until it is true; Surprise with `what` if it never is."""
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            raise Surprise(f"waited {seconds:.0f} s in vain: {what}")
        time.sleep(every)
