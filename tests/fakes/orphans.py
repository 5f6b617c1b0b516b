"""Workers whose parent is killed: a program that makes a pool of them, and is not asked whether it may end."""

import os
import select
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROGRAM = """
import multiprocessing, os, signal, sys
from {module} import {pool}

if __name__ == "__main__":
    made = {pool}({arguments})
    print(*(child.pid for child in multiprocessing.active_children()), flush=True)
    sys.stdin.readline()
    os.kill(os.getpid(), signal.SIGKILL)
"""
PATIENCE = 20


def ended_with_parent(pool: type, arguments: str, folder: Path) -> list[bool]:
    """Whether each worker of a pool made with these arguments ends when the process that made it is killed."""
    program = folder / "orphaning.py"
    program.write_text(PROGRAM.format(module=pool.__module__, pool=pool.__name__, arguments=arguments))
    with subprocess.Popen(
        [sys.executable, str(program)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    ) as parent:
        assert parent.stdin is not None
        assert parent.stdout is not None
        workers = [os.pidfd_open(int(pid)) for pid in parent.stdout.readline().split()]
        parent.stdin.write(b"\n")
        parent.stdin.close()
        ended = [bool(select.select([worker], [], [], PATIENCE)[0]) for worker in workers]
    for worker in workers:
        os.close(worker)
    return ended
