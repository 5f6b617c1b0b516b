"""What the READMEs show is what happens: the demonstration runs, and every command gives the output that is printed."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from deploy.demo import __main__ as demo
from deploy.demo.network import Member
from tests.scenarios.warm import warm

ROOT = Path(__file__).parent.parent.parent
BLOCK = re.compile(r"```console\n(.*?)```", re.DOTALL)
CHANGING = (
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"), "TIME"),
    (re.compile(r"\b[0-9a-f]{12,}\b"), "HEX"),
    (re.compile(r"^(bytes +|\d+ +)\d*"), r"NUMBER "),
    (re.compile(r"journal entry \d+"), "journal entry NUMBER"),
)
PATIENCE = 60.0


def walked(readme: str) -> list[tuple[str, list[str]]]:
    """The commands of a README's walk, in order, each with the output that is printed under it."""
    steps: list[tuple[str, list[str]]] = []
    for block in BLOCK.findall((ROOT / readme).read_text(encoding="utf-8")):
        for line in block.splitlines():
            if line.startswith("$ "):
                steps.append((line.removeprefix("$ "), []))
            else:
                steps[-1][1].append(line)
    return steps


def unchanging(text: str) -> list[str]:
    """Output without what is another each time: moments, digests, sizes, places in a journal."""
    lines = [line.rstrip() for line in text.splitlines()]
    for pattern, word in CHANGING:
        lines = [pattern.sub(word, line) for line in lines]
    return lines


def demonstrate() -> None:
    """Tell the demonstration's story by commands that start at once; those of the walk start as people's do."""

    def done(member: Member, program: str, words: Sequence[str]) -> "subprocess.CompletedProcess[str]":
        return warm().run(Path(program).name, words, member.environment())

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Member, "_done", done)
        demo.main()


@pytest.fixture(scope="module")
def demonstrated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with the network that `make demo KEEP=1` leaves running in it."""
    folder = tmp_path_factory.mktemp("readme")
    command = [
        sys.executable,
        "-c",
        f"from {__name__} import demonstrate; demonstrate()",
        "--keep",
        str(folder / ".demo"),
    ]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stdout + told.stderr
    pids = [int(pid) for pid in (folder / ".demo" / "pids").read_text(encoding="utf-8").split()]
    try:
        yield folder
    finally:
        for pid in filter(is_running, pids):
            os.kill(pid, signal.SIGTERM)


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def said(command: str, acting: str, folder: Path) -> list[str]:
    done = subprocess.run(
        ["bash", "-c", f"{acting}\n{command}"], cwd=folder, capture_output=True, text=True, check=False
    )  # fmt: skip
    return unchanging(done.stdout + done.stderr)


def test_every_command_of_the_readme_gives_what_it_shows(demonstrated: Path) -> None:
    acting = ":"
    for command, shown in walked("README.md"):
        if command.startswith(". "):
            acting = command
            continue
        expected, end = unchanging("\n".join(shown)), time.monotonic() + PATIENCE
        got = said(command, acting, demonstrated)
        # Holders follow within seconds: who looks again sees it. What changes something is typed once.
        while got != expected and command.startswith("creditport notices") and time.monotonic() < end:
            got = said(command, acting, demonstrated)
        assert got == expected, command


def test_both_readmes_walk_the_same_way() -> None:
    english, chinese = walked("README.md"), walked("README.zh.md")

    assert [command for command, _ in chinese] == [command for command, _ in english]
    assert [unchanging("\n".join(shown)) for _, shown in chinese] == [
        unchanging("\n".join(shown)) for _, shown in english
    ]
