"""What people give to a command beside its options: files of text, and passphrases."""

import os
import sys
from datetime import datetime
from pathlib import Path

import typer

from node.cli.screen import Exit, fail
from node.config import ConfigError

_FIRST, _LAST = "\ud800", "\udfff"
"""What stands for bytes that are no UTF-8, and has no place in any document."""
DAY = "YYYY-MM-DD"
"""How options that take `a_day` show what they take."""


def text_of(file: Path) -> str:
    """The text of a file that somebody named, which is UTF-8, marked or not. Raises ConfigError."""
    try:
        return file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ConfigError(f"{file} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{file} is not UTF-8 text") from None


def a_day(text: str) -> datetime:
    """The day that somebody typed, at its beginning; read by options that name one. Raises typer.BadParameter."""
    try:
        return datetime.strptime(text.strip(), "%Y-%m-%d")  # noqa: DTZ007 - a day of the calendar, wherever it is
    except ValueError:
        raise typer.BadParameter("expected a day as YYYY-MM-DD, such as 2026-11-30  请按 YYYY-MM-DD 填写日期") from None


def is_readable(value: object) -> bool:
    """Whether an option's text came as UTF-8; names of files need not, and are paths here."""
    if isinstance(value, list | tuple):
        return all(map(is_readable, value))
    return not (isinstance(value, str) and any(_FIRST <= letter <= _LAST for letter in value))


def require_other(output: Path | None, source: Path | None) -> None:
    """End the command where what it writes would take the place of what it reads."""
    if output is not None and source is not None and output.exists() and output.samefile(source):
        fail(f"{output} is the file that is read: name another one to write", Exit.USAGE)


def passphrase(variable: str, prompt: str, *, new: bool = False) -> str:
    """A passphrase: from the environment variable, from the file that VARIABLE_FILE names, or asked for.

    Never from the command line, where every user of the machine could read it.
    """
    given = os.environ.get(variable)
    if given:
        return given
    file = os.environ.get(f"{variable}_FILE")
    if file:
        return text_of(Path(file)).rstrip("\n")
    if not sys.stdin.isatty():
        raise ConfigError(f"no passphrase: set {variable} or {variable}_FILE")
    return str(typer.prompt(prompt, hide_input=True, confirmation_prompt=new))
