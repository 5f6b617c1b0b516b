"""The files that a command writes: looked at before it acts, never one that it reads, and whole or not there."""

import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from errno import EACCES, EISDIR, ENOTDIR
from pathlib import Path
from typing import BinaryIO

from node.cli.screen import Exit, fail


def to_be_written(given: Path | None) -> Path | None:
    """Callback of options that name a file to write: one that cannot be written ends the command, before it acts."""
    number = None if given is None else unwritable(given)
    if number is not None:
        fail(f"{given} cannot be written: {os.strerror(number)}", Exit.LOCAL)
    return given


def unwritable(file: Path) -> int | None:
    """Why the system would not let a file be written, as an error number of its own; None if it would.

    Asked of where links lead, also those to where nothing is yet.
    """
    try:
        with suppress(FileNotFoundError):
            file.stat()
            return EISDIR if file.is_dir() else None if os.access(file, os.W_OK) else EACCES
        folder = file.resolve().parent
        folder.stat()
    except OSError as error:
        return error.errno
    if not folder.is_dir():
        return ENOTDIR
    return None if os.access(folder, os.W_OK | os.X_OK) else EACCES


def require_other(output: Path | None, sources: Iterable[Path | None]) -> None:
    """End the command where what it writes would take the place of one of the files that it reads."""
    if output is None or not output.exists():
        return
    for source in sources:
        if source is not None and source.exists() and output.samefile(source):
            fail(f"{output} is a file that is read: name another one to write", Exit.USAGE)


@contextmanager
def whole_file(file: Path) -> Iterator[BinaryIO]:
    """A file that appears under its name, or where that leads, when the block ends well, or not at all.

    What is no ordinary file (a pipe, a terminal) is written to as it is, for nothing can take its place.
    """
    if file.exists() and not file.is_file():
        with file.open("wb") as opened:
            yield opened
        return
    target = file.resolve()
    draft = target.with_name(target.name + ".part")
    # One that is there already may be all that is left of something: it is named, and not overwritten.
    with draft.open("xb") as opened:
        try:
            yield opened
            settle(opened)
        except BaseException:
            draft.unlink(missing_ok=True)
            raise
    # What the block did is done, and the draft is all there is of it: if it cannot have its name, it stays.
    draft.replace(target)


def settle(opened: BinaryIO) -> None:
    """Have what was written so far reach the disk, so that what comes next may rely on it; raises OSError."""
    opened.flush()
    if stat.S_ISREG(os.fstat(opened.fileno()).st_mode):
        os.fsync(opened.fileno())
