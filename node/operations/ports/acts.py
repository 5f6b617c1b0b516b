"""What is written down and what is to be sent: the journal and the outbox."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from node.domain.jobs import Job, NewJob
from node.domain.journal import Drafted
from node.operations.rows import JournalRow, StoredCheckpoint


class Journal(Protocol):
    """The append-only log: entries come in unsequenced, one sequencer gives them their index."""

    def add(self, entries: Sequence[Drafted]) -> None:
        """Insert entries without an index, in the transaction of the act itself."""

    def unsequenced(self, limit: int) -> Sequence[JournalRow]:
        """Give entries that have no index yet, by number; never by a watermark, for commits reorder."""

    def sequence(
        self,
        indices: Sequence[tuple[int, int]],
        nodes: Sequence[tuple[int, int, bytes]],
        head: StoredCheckpoint,
    ) -> None:
        """Index entries as (entry number, index), keep the tree nodes (level, index, hash) and the checkpoint."""

    def read(self, start: int, limit: int) -> Sequence[JournalRow]:
        """Give sequenced entries in log order from index `start`."""

    def head(self) -> StoredCheckpoint | None:
        """Give the newest checkpoint."""


class Tree(Protocol):
    """Tree nodes of the journal, for proofs."""

    def node(self, level: int, index: int) -> bytes:
        """Give the hash of a complete subtree: level 0 is a leaf hash. LookupError if it is not stored."""

    def index_of(self, leaf: bytes) -> int | None:
        """Give the index of a sequenced leaf hash."""


class Line(Protocol):
    """Jobs as the courier has them."""

    def due(self, at: datetime, limit: int) -> Sequence[Job]:
        """Give waiting jobs whose time has come: of each lane (peer and kind) the oldest first, the lanes in turn."""

    def retry(self, number: int, next_at: datetime, payload: bytes | None = None, why: bytes | None = None) -> None:
        """Note that a try failed, why (to be found as the job's result until it has one), and when the next is due.

        With a new payload the job went on, though not to its end, and the tries before that are forgotten.
        """

    def postpone(self, number: int, next_at: datetime) -> None:
        """Move a job's next try; it was not tried, so nothing else of it changes."""

    def finish(self, number: int, result: bytes, at: datetime, *, failed: bool) -> None:
        """Close a job with its result."""


class Outbox(Line, Protocol):
    """Jobs as whoever queues them, or asks after them, has them."""

    def add(self, job: NewJob, at: datetime) -> int:
        """Queue a job and give its number; the same key again gives the first one's number."""

    def find(self, number: int) -> Job | None:
        """Give one job."""

    def waiting(self) -> int:
        """Give how many jobs wait, due or not."""
