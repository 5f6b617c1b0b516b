"""Commands that start at once: each is a process of its own, forked from one that has loaded both programs.

Loading them is most of a short command's time, and scenarios give a thousand commands. A fork enters the programs
where their scripts do, with the words, the environment and the output that a script would have been given.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import traceback
from collections.abc import Mapping, Sequence
from contextlib import redirect_stderr, suppress
from dataclasses import dataclass, field
from functools import cache
from io import StringIO
from pathlib import Path
from tempfile import TemporaryFile
from threading import Lock

import psycopg  # noqa: F401 - loaded for nodes on PostgreSQL

import node.storage.upgrade  # noqa: F401 - loaded for who makes a node
from node.cli import main as operator
from node.cli import start
from node.cli.inspector import main as inspector
from tests.fakes.light import light_keystores

LONGEST = 1 << 17
"""Bytes of a command with its environment."""
ROOT = Path(__file__).parents[2]
_FIRST = Lock()


@dataclass
class Warm:
    """The process that has loaded the programs; it ends when nobody is at the other end of its line."""

    _line: socket.socket = field(repr=False)
    _process: "subprocess.Popen[bytes]" = field(repr=False)
    _sending: Lock = field(default_factory=Lock, repr=False)

    @classmethod
    def begin(cls) -> "Warm":
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            # Not as a module: a program is then called as its first word says.
            command = [sys.executable, "-c", f"from tests.scenarios.warm import main; main({theirs.fileno()})"]
            return cls(ours, subprocess.Popen(command, cwd=ROOT, pass_fds=[theirs.fileno()]))

    def run(
        self, program: str, words: Sequence[str], environment: Mapping[str, str]
    ) -> "subprocess.CompletedProcess[str]":
        """What `subprocess.run` would give for the same command."""
        order = json.dumps([program, words, dict(environment)]).encode()
        with TemporaryFile("w+") as out, TemporaryFile("w+") as errors:
            reading, writing = os.pipe()
            with os.fdopen(reading, "rb") as ended:
                try:
                    with self._sending:
                        socket.send_fds(self._line, [order], [out.fileno(), errors.fileno(), writing])
                finally:
                    os.close(writing)
                code = ended.read()
            out.seek(0)
            errors.seek(0)
            # Who dies without a word leaves no code.
            return subprocess.CompletedProcess(
                [program, *words], code[0] if code else -signal.SIGKILL, out.read(), errors.read()
            )


def warm() -> Warm:
    """The one of this test process; whoever needs it first begins it, and others wait."""
    with _FIRST:
        return _begun()


@cache
def _begun() -> Warm:
    return Warm.begin()


def main(descriptor: int) -> None:
    """Load what commands need, then fork for each order until the line ends."""
    with socket.socket(fileno=descriptor) as line, light_keystores():
        _load()
        while True:
            order, fds, _, _ = socket.recv_fds(line, LONGEST, 3)
            if not order:
                return
            if os.fork() == 0:
                line.close()
                _become(*json.loads(order), *fds)
            for one in fds:
                os.close(one)
            _take_away()


def _take_away() -> None:
    """Take away who has ended."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _load() -> None:
    """Load every command's modules, and what is loaded only when one goes on: to the libraries that read its words."""
    inspector.program()
    operator.program()
    with redirect_stderr(StringIO()), suppress(SystemExit):
        sys.argv = ["creditport", "agreement", "show", "none", "--node", os.devnull]
        operator.loaded()()


def _become(program: str, words: list[str], environment: dict[str, str], out: int, errors: int, ended: int) -> None:
    """Be the process of one command, and end with it."""
    os.dup2(out, 1)
    os.dup2(errors, 2)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = [program, *words]
    code = _ended(program)
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os.write(ended, bytes([code]))
    os._exit(0)


def _ended(program: str) -> int:
    """The exit code of a program that is run here."""
    try:
        {"creditport": start.creditport, "creditport-inspect": start.creditport_inspect}[program]()
    except SystemExit as end:
        return int(end.code or 0)
    except BaseException:  # noqa: BLE001 - the interpreter, too, says whatever it was and ends with 1
        traceback.print_exc()
        return 1
    return 0
