"""What the programs say: tables for people, JSON for programs, one sentence for what went wrong."""

import json
import re
import sys
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from enum import Enum, IntEnum
from importlib.metadata import version
from typing import Annotated, Any, NoReturn

import typer
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table

from agreements.refusal import Refused, explain

LONG_HEX = 32
SHORT_HEX = 12
_LONG_RUN = re.compile(rf"(?<!\S)[0-9a-f]{{{LONG_HEX},}}(?!\S)")
LARGEST = 2**63 - 1
"""The largest number that a database can hold."""
WIDE = 200
"""Columns for whoever reads a table through a pipe, where no window says how wide it is."""


def _console(*, stderr: bool = False) -> Console:
    stream = sys.stderr if stderr else sys.stdout
    return Console(stderr=stderr, highlight=False, soft_wrap=True, width=None if stream.isatty() else WIDE)


out = _console()
err = _console(stderr=True)


class Exit(IntEnum):
    """Exit codes, stable for scripts: `docs/operations.md` says of each what it means.

    A file that was named and is not what the command reads is USAGE, one that a rule refuses once it was read is
    REFUSED, and one that the system does not give out is LOCAL.
    """

    OK = 0
    REFUSED = 1
    USAGE = 2
    NOT_NOW = 3
    LOCAL = 4
    INTERRUPTED = 130


def tells_its_version(app: typer.Typer, program: str) -> None:
    """Give a program its `--version`; a lone command, too, stays a command of it and does not become the whole."""

    def tell(asked: bool) -> None:
        if asked:
            sys.stdout.write(f"{program} {version('creditport')}\n")
            raise typer.Exit

    @app.callback()
    def begin(
        *,
        told: Annotated[bool, typer.Option("--version", callback=tell, is_eager=True, help="Say the version.")] = False,
    ) -> None:
        pass


def fail(sentence: str, code: Exit, program: str = "creditport") -> NoReturn:
    """Say one sentence on standard error and end with `code`."""
    err.print(f"{program}: {sentence}", markup=False)
    raise typer.Exit(int(code))


def fail_refused(refused: Refused) -> NoReturn:
    """Say what this node itself refuses: the reason, its article, what it means in both languages, and the detail."""
    told = explain(refused.reason)
    fail(f"{refused.reason} ({refused.article}). {told.en} {told.zh} {refused.detail}", Exit.REFUSED)


def say_json(value: object) -> None:
    """Write a value as JSON on standard output; in escapes where that cannot show every letter."""
    is_whole = sys.stdout.encoding.lower().startswith("utf")
    sys.stdout.write(json.dumps(value, ensure_ascii=not is_whole, default=_plain, indent=2) + "\n")


def table(rows: Sequence[Mapping[str, Any]], columns: Mapping[str, str], *, as_json: bool, empty: str) -> None:
    """Show rows: every fact as JSON, or the named columns (key to heading) as a table for people."""
    if as_json:
        say_json(rows)
        return
    if not rows:
        out.print(empty, markup=False)
        return
    shown = Table(box=None, pad_edge=False, header_style="bold")
    for heading in columns.values():
        shown.add_column(heading, overflow="fold")
    for row in rows:
        shown.add_row(*(_cell(row.get(key)) for key in columns))
    out.print(shown)


def facts(value: Mapping[str, Any], *, as_json: bool) -> None:
    """Show one thing: as JSON, or a line for each fact."""
    if as_json:
        say_json(value)
        return
    width = max((cell_len(name) for name in value), default=0)
    for name, fact in value.items():
        shown = fact if isinstance(fact, str) else _cell(fact)
        out.print(f"{name}{' ' * (width - cell_len(name))}  {shown}", markup=False)


def _cell(value: object) -> str:
    if value is None or value in ([], {}, ()):
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime | date):
        return str(_plain(value))
    if isinstance(value, Mapping):
        return "  ".join(f"{name}={_cell(item)}" for name, item in value.items())
    if isinstance(value, list | tuple | set | frozenset):
        return ", ".join(_cell(item) for item in value)
    return shortened(str(value.value if isinstance(value, Enum) else value))


def shortened(text: str) -> str:
    """Each long run of hexadecimal digits by its beginning: people compare, they do not read them."""
    return _LONG_RUN.sub(lambda run: run[0][:SHORT_HEX] + "…", text)


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, frozenset | set):
        return sorted(value)
    raise TypeError(type(value).__name__)
