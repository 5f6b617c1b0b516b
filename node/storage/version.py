"""Which schema a database has, and whether this program may work with it."""

import re
from typing import Final

from node.storage.backend import Backend
from node.storage.connection import connected, in_our_words
from node.storage.errors import AlreadyInitialised, MadeByNewer, NeedsMigration, NotInitialised

VERSION: Final = "0010"
"""The newest revision in `migrations/versions`, which this program works with: four ascending digits."""

_REVISION: Final = re.compile(r"[0-9]{4}")


def find_version(backend: Backend) -> str | None:
    """The revision of the database, four digits; None where there is none yet.

    Raises:
        NotInitialised: there is a database, but it is another program's.
        StorageError: it cannot be opened or is damaged.
    """
    if not backend.exists():
        return None
    with connected(backend) as connection, in_our_words(backend):
        found = backend.revision(connection)
    if found is not None and not _REVISION.fullmatch(found):
        raise NotInitialised("the database there is another program's")
    return found


def require_this_version(found: str | None) -> None:
    """Refuse a database that this program cannot work with as it is.

    Raises:
        NotInitialised, NeedsMigration, MadeByNewer: see there.
    """
    require_migratable(found)
    if found != VERSION:
        raise NeedsMigration("the database is older than this program: run `creditport migrate`")


def require_migratable(found: str | None) -> None:
    """Refuse a database that cannot be brought to this program's version.

    Raises:
        NotInitialised, MadeByNewer: see there.
    """
    if found is None:
        raise NotInitialised("there is no Creditport database at that place: run `creditport init`")
    if found > VERSION:
        raise MadeByNewer("the database was made by a newer version of this program; nothing of it was changed")


def require_none(found: str | None) -> None:
    """Refuse to make a database where one is.

    Raises:
        AlreadyInitialised: see there.
    """
    if found is not None:
        raise AlreadyInitialised("there is a Creditport database at that place already; nothing of it was changed")
