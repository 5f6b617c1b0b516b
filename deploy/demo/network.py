"""A network of real Creditport nodes on this machine, driven through the programs that people use."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

CREDITPORT = str(Path(sys.executable).with_name("creditport"))
STARTING = 30.0


@dataclass
class Member:
    """One node of the network: its folder, its operator, and its serving process."""

    party: str
    folder: Path
    port: int
    passphrase: str
    operator: str = "demo"
    process: subprocess.Popen[str] | None = field(default=None, repr=False)

    def environment(self) -> dict[str, str]:
        """What a person would have exported in a terminal."""
        return os.environ | {
            "CREDITPORT_NODE": str(self.folder),
            "CREDITPORT_PASSPHRASE": self.passphrase,
            "CREDITPORT_OPERATOR": self.operator,
            "CREDITPORT_OPERATOR_PASSPHRASE": self.passphrase,
        }

    def run(self, *words: str, expect: Sequence[int] = (0,)) -> subprocess.CompletedProcess[str]:
        """Run one command at this node; stop the demonstration if it ends in an unexpected way."""
        done = subprocess.run([CREDITPORT, *words], env=self.environment(), capture_output=True, text=True, check=False)
        if done.returncode not in expect:
            raise SystemExit(
                f"creditport {' '.join(words)}\nat {self.party} ended with exit code {done.returncode}:\n"
                f"{done.stdout}{done.stderr}"
            )
        return done

    def ask(self, *words: str, expect: Sequence[int] = (0,)) -> Any:
        """Run one command with --json and give what it said."""
        return json.loads(self.run(*words, "--json", expect=expect).stdout)

    def serve(self) -> None:
        """Start serving, and wait until the node says that it does."""
        log = (self.folder / "serving.log").open("w")
        self.process = subprocess.Popen(
            [CREDITPORT, "serve"], env=self.environment(), stdout=subprocess.PIPE, stderr=log, text=True
        )
        assert self.process.stdout is not None  # noqa: S101 - asked for above
        line = self.process.stdout.readline()
        if not line.startswith("serving"):
            raise SystemExit(f"{self.party} does not serve; see {self.folder / 'serving.log'}")

    def stop(self) -> None:
        """Ask the serving process to end, and wait for it."""
        if self.process is None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(STARTING)
        except subprocess.TimeoutExpired:
            self.process.kill()


def free_port() -> int:
    """A port that is free now on the loopback interface."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(what: str, true: Any, seconds: float = STARTING) -> None:
    """Ask again and again until it is true; end the demonstration with `what` if it never is."""
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            raise SystemExit(f"waited {seconds:.0f} s in vain: {what}")
        time.sleep(0.1)
