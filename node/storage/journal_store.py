"""The journal's entries, its tree, and its newest checkpoint."""

# ruff: noqa: S608 - statements are put together from constants of this file only
# ruff: noqa: D102 - each method keeps the promise of its port and says only what is added to it

from collections.abc import Sequence
from typing import Any, Final

from node.domain.journal import Drafted
from node.operations.rows import JournalRow, StoredCheckpoint
from node.storage.errors import OutOfOrder
from node.storage.moments import from_milliseconds, to_milliseconds
from node.storage.transaction import Transaction

_ADD: Final = """
INSERT INTO journal_entries (leaf, entry, detail, salt) VALUES (:leaf, :entry, :detail, :salt)"""
_COLUMNS: Final = "number, place, entry, leaf, detail, salt"
_UNSEQUENCED: Final = f"SELECT {_COLUMNS} FROM journal_entries WHERE place IS NULL ORDER BY number LIMIT :limit"
_READ: Final = f"""
SELECT {_COLUMNS} FROM journal_entries WHERE place IS NOT NULL AND place >= :start
ORDER BY place LIMIT :limit"""
_SEQUENCE: Final = "UPDATE journal_entries SET place = :place WHERE number = :number AND place IS NULL"
_ADD_NODE: Final = "INSERT INTO journal_nodes (level, place, hash) VALUES (:level, :place, :hash)"
_HEAD: Final = "SELECT size, root, note, at FROM journal_head WHERE one = 1"
_SET_HEAD: Final = """
INSERT INTO journal_head (one, size, root, note, at) VALUES (1, :size, :root, :note, :at)
ON CONFLICT (one) DO UPDATE
SET size = excluded.size, root = excluded.root, note = excluded.note, at = excluded.at"""

_LEAF: Final = "SELECT leaf FROM journal_entries WHERE place IS NOT NULL AND place = :place"
_NODE: Final = "SELECT hash FROM journal_nodes WHERE level = :level AND place = :place"
_INDEX_OF: Final = "SELECT place FROM journal_entries WHERE place IS NOT NULL AND leaf = :leaf"


class SqlJournal:
    """See `node.operations.ports.Journal`."""

    __slots__ = ("_transaction",)

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def add(self, entries: Sequence[Drafted]) -> None:
        values = [{"leaf": one.leaf, "entry": one.entry, "detail": one.detail, "salt": one.salt} for one in entries]
        self._transaction.run_many(_ADD, values)

    def unsequenced(self, limit: int) -> list[JournalRow]:
        return [_entry_from_row(row) for row in self._transaction.rows(_UNSEQUENCED, {"limit": limit})]

    def sequence(
        self,
        indices: Sequence[tuple[int, int]],
        nodes: Sequence[tuple[int, int, bytes]],
        head: StoredCheckpoint,
    ) -> None:
        """Keep the promise of the port.

        Raises:
            OutOfOrder: the indices do not go on from the stored checkpoint to the new one without a gap, or
                an entry has its index already. The unit must be left without a commit.
        """
        old = self.head()
        start = old.size if old else 0
        given = [index for _, index in indices]
        if head.size != start + len(given) or given != list(range(start, head.size)):
            raise OutOfOrder("journal: expected indices from the last checkpoint to the new one, got others")
        places = [{"number": number, "place": index} for number, index in indices]
        if self._transaction.run_many(_SEQUENCE, places) != len(places):
            raise OutOfOrder("journal: expected entries without an index, got one that has one")
        # A leaf is read from its entry; only what is above it needs a node.
        above = [{"level": level, "place": index, "hash": value} for level, index, value in nodes if level]
        self._transaction.run_many(_ADD_NODE, above)
        values = {"size": head.size, "root": head.root, "note": head.note, "at": to_milliseconds(head.at)}
        self._transaction.run(_SET_HEAD, values)

    def read(self, start: int, limit: int) -> list[JournalRow]:
        rows = self._transaction.rows(_READ, {"start": start, "limit": limit})
        return [_entry_from_row(row) for row in rows]

    def head(self) -> StoredCheckpoint | None:
        row = self._transaction.row(_HEAD)
        if row is None:
            return None
        size, root, note, at = row
        return StoredCheckpoint(size=size, root=root, note=note, at=from_milliseconds(at))


class SqlTree:
    """See `node.operations.ports.Tree`."""

    __slots__ = ("_transaction",)

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def node(self, level: int, index: int) -> bytes:
        """Keep the promise of the port.

        Raises:
            LookupError: there is no such complete subtree.
        """
        row = self._transaction.row(_NODE if level else _LEAF, {"level": level, "place": index})
        if row is None:
            raise LookupError(f"journal: no complete subtree {index} at level {level}")
        value: bytes = row[0]
        return value

    def index_of(self, leaf: bytes) -> int | None:
        row = self._transaction.row(_INDEX_OF, {"leaf": leaf})
        return None if row is None else int(row[0])


def _entry_from_row(row: Any) -> JournalRow:
    number, place, entry, leaf, detail, salt = row
    return JournalRow(number=number, index=place, entry=entry, leaf=leaf, detail=detail, salt=salt)
