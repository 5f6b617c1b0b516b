"""What can be wrong with a database, each in one clear sentence and without content.

StorageError
├── NotInitialised     there is no Creditport database at that place
├── AlreadyInitialised there is one, where a new one was to be made
├── WrongVersion       its schema is not the one that this program works with
│   ├── NeedsMigration     it is older: `creditport migrate`
│   └── MadeByNewer        it is newer: nothing of it is touched
├── Busy               another process or thread did not finish writing in time; trying again is sensible
├── DiskFull           there is no room; nothing of the unit was kept
├── Damaged            the file is not a database, or not a whole one
├── Unusable           it cannot be opened, read or written where it lies
└── OutOfOrder         a log entry was to be stored at a place that is not the next one
"""


class StorageError(Exception):
    """Every error this room raises on purpose; the transaction it came from is undone."""


class NotInitialised(StorageError):
    """There is no Creditport database at that place."""


class AlreadyInitialised(StorageError):
    """A new database was to be made where one is."""


class WrongVersion(StorageError):
    """The schema of the database is not the one that this program works with."""


class NeedsMigration(WrongVersion):
    """The database is older than this program."""


class MadeByNewer(WrongVersion):
    """The database was made or migrated by a newer version of this program."""


class Busy(StorageError):
    """Somebody else was still writing when patience ended."""


class DiskFull(StorageError):
    """There is no room to write."""


class Damaged(StorageError):
    """The file is not a database, or not a whole one."""


class Unusable(StorageError):
    """The database cannot be opened, read or written where it lies."""


class OutOfOrder(StorageError):
    """A log entry was to be stored at a place that is not the next one."""
