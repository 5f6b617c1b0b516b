"""Both programs end quietly when somebody interrupts them before they have begun."""

import gc
import json
import sys
from collections.abc import Callable
from importlib.metadata import version
from io import BytesIO, TextIOWrapper
from types import SimpleNamespace

import pytest
import typer
from typer.testing import CliRunner

from node.cli import main, start
from node.cli.inspector import main as inspector
from node.cli.screen import Exit, say_json, shortened


@pytest.mark.parametrize("program", [start.creditport, start.creditport_inspect])
def test_an_interruption_while_loading_ends_with_the_code_of_one(
    program: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(_: str) -> SimpleNamespace:
        raise KeyboardInterrupt

    monkeypatch.setattr(start, "import_module", interrupted)

    with pytest.raises(SystemExit) as ended:
        program()

    assert ended.value.code == Exit.INTERRUPTED


@pytest.mark.parametrize(
    ("program", "module"),
    [(start.creditport, "node.cli.main"), (start.creditport_inspect, "node.cli.inspector.main")],
)
def test_each_program_runs_its_own_commands(
    program: Callable[[], None], module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[str] = []
    monkeypatch.setattr(start, "import_module", lambda name: SimpleNamespace(loaded=lambda: lambda: ran.append(name)))

    program()

    assert ran == [module]


def test_garbage_is_looked_for_again_once_a_program_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[bool] = []

    def loaded() -> Callable[[], None]:
        told.append(gc.isenabled())
        return lambda: told.append(gc.isenabled())

    monkeypatch.setattr(start, "import_module", lambda _: SimpleNamespace(loaded=loaded))

    start.creditport()

    assert told == [False, True]


@pytest.mark.parametrize(("program", "name"), [(main.program, "creditport"), (inspector.program, "creditport-inspect")])
def test_each_program_tells_its_version(program: Callable[[], typer.Typer], name: str) -> None:
    told = CliRunner().invoke(program(), ["--version"])

    assert (told.exit_code, told.stdout) == (0, f"{name} {version('creditport')}\n")


def test_a_terminal_of_another_encoding_gets_a_question_mark_and_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = TextIOWrapper(BytesIO(), encoding="big5")
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.setattr(start, "import_module", lambda _: SimpleNamespace(loaded=lambda: lambda: print("內容 内容")))

    start.creditport()

    terminal.flush()
    assert terminal.buffer.getvalue().decode("big5") == "內容 ?容\n"


def test_json_stays_json_where_a_terminal_has_no_letter_for_something(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = TextIOWrapper(BytesIO(), encoding="ascii", errors="replace")
    monkeypatch.setattr(sys, "stdout", terminal)

    say_json({"name_zh": "深圳\U00020000"})

    terminal.flush()
    assert json.loads(terminal.buffer.getvalue()) == {"name_zh": "深圳\U00020000"}


def test_every_digest_in_a_cell_is_told_by_its_beginning_and_nothing_else_is_cut() -> None:
    assert shortened(f"{'a1' * 32} {'0f' * 16} {'b' * 31}") == f"a1a1a1a1a1a1… 0f0f0f0f0f0f… {'b' * 31}"
    assert shortened(f"{'a1' * 32}.toml") == f"{'a1' * 32}.toml"
