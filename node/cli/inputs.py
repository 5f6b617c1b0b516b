"""What people give to a command beside its options: files of text, and passphrases."""

import os
import sys
from datetime import date, datetime
from errno import EACCES, EISDIR
from pathlib import Path
from typing import NoReturn

import msgspec
import typer

from node.cli.screen import Exit, fail
from node.config import ConfigError, Endpoint
from registry.parties import LONGEST_NAME, PartyName, is_name

_FIRST, _LAST = "\ud800", "\udfff"
"""What stands for bytes that are no UTF-8, and has no place in any document."""
DAY = "YYYY-MM-DD"
"""How options that take `a_day` show what they take."""


def a_file(given: Path | list[Path] | None) -> Path | list[Path] | None:
    """Callback of options that name files to read: one that the system does not give out ends the command.

    Asked before anything else, so that nobody types a passphrase for nothing; a pipe is only looked at.
    """
    for file in _each(given):
        _require_given_out(file)
        if file.is_dir():
            _not_given_out(file, EISDIR)
    return given


def files_or_folders(given: list[Path] | None) -> list[Path] | None:
    """The same for options that name files, or folders of files."""
    for file in _each(given):
        _require_given_out(file)
    return given


def _each(given: Path | list[Path] | None) -> list[Path]:
    return [given] if isinstance(given, Path) else list(given or ())


def _require_given_out(file: Path) -> None:
    try:
        file.stat()
    except OSError as error:
        _not_given_out(file, error.errno)
    if not os.access(file, os.R_OK | os.X_OK if file.is_dir() else os.R_OK):
        _not_given_out(file, EACCES)


def _not_given_out(file: Path, number: int | None) -> NoReturn:
    fail(f"{file} cannot be read: {os.strerror(number or 0)}", Exit.LOCAL)


def bytes_of(file: Path) -> bytes:
    """The bytes of a file that somebody named; one that the system does not give out ends the command."""
    try:
        return file.read_bytes()
    except OSError as error:
        _not_given_out(file, error.errno)


def text_of(file: Path) -> str:
    """The text of a file that somebody named, which is UTF-8, marked or not; anything else ends the command."""
    try:
        return file.read_text(encoding="utf-8-sig")
    except OSError as error:
        _not_given_out(file, error.errno)
    except UnicodeDecodeError:
        fail(f"{file} is not UTF-8 text", Exit.USAGE)


def a_day(text: str) -> datetime:
    """The day that somebody typed, at its beginning; read by options that name one. Raises typer.BadParameter.

    The first and the last day that a calendar here has are none: in another zone they begin or end outside of it.
    """
    try:
        day = datetime.strptime(text.strip(), "%Y-%m-%d")  # noqa: DTZ007 - a day of the calendar, wherever it is
    except ValueError:
        day = datetime.min  # noqa: DTZ901 - as above
    if not date.min < day.date() < date.max:
        raise typer.BadParameter("expected a day as YYYY-MM-DD, such as 2026-11-30  请按 YYYY-MM-DD 填写日期")
    return day


def is_readable(value: object) -> bool:
    """Whether an option's text came as UTF-8; names of files need not, and are paths here."""
    if isinstance(value, list | tuple):
        return all(map(is_readable, value))
    return not (isinstance(value, str) and any(_FIRST <= letter <= _LAST for letter in value))


def require_address(option: str, text: str) -> None:
    """End the command where an option's text is no address that a node may have."""
    try:
        msgspec.convert(text, Endpoint)
    except msgspec.ValidationError:
        fail(f"{option} expects HOST:PORT, such as 127.0.0.1:7443", Exit.USAGE)


def require_party(option: str, text: str) -> None:
    """End the command where an option's text cannot be the name of a party."""
    try:
        msgspec.convert(text, PartyName)
    except msgspec.ValidationError:
        fail(f"{option} expects 3 to 32 of a-z, 0-9 and hyphens, a letter first, no hyphen last", Exit.USAGE)


def require_name(option: str, text: str) -> None:
    """End the command where an option's text cannot be what a party is called in its card."""
    if not is_name(text):
        most = f"a name of 1 to {LONGEST_NAME} characters"
        fail(f"{option} expects {most} that can be seen, without spaces around it", Exit.USAGE)


def passphrase(variable: str, prompt: str, *, new: bool = False) -> str:
    """A passphrase: from the environment variable, from the file that VARIABLE_FILE names, or asked for.

    Never from the command line, where every user of the machine could read it.
    """
    given = os.environ.get(variable)
    if given:
        return given
    file = os.environ.get(f"{variable}_FILE")
    if file:
        return _secret_in(Path(file), variable)
    if not sys.stdin.isatty():
        raise ConfigError(f"no passphrase: set {variable} or {variable}_FILE")
    return str(typer.prompt(prompt, hide_input=True, confirmation_prompt=new))


def _secret_in(file: Path, variable: str) -> str:
    """What a passphrase's own file holds: where it is wrong the machine is, and no command line."""
    try:
        return file.read_text(encoding="utf-8-sig").rstrip("\n")
    except OSError as error:
        raise ConfigError(f"{file}, of {variable}_FILE, cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{file}, of {variable}_FILE, is not UTF-8 text") from None
