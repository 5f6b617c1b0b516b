"""Promises that operations need from storage: each port states at most five, and says what never happens.

A unit of work is one transaction. Nothing that was written is seen by anyone before `commit`; leaving the unit
without it undoes everything. Stores are reached through the unit, and are only good while it is open.
"""

from contextlib import AbstractContextManager
from typing import Protocol

from node.operations.ports.acts import Journal, Outbox, Tree
from node.operations.ports.clocks import ClockBook, Clocks, ClockTally
from node.operations.ports.frames import Copies, Erasures, PushedFrames, ReceivedFrames, SentFrames
from node.operations.ports.inspection import Exhibits, Inspections
from node.operations.ports.notices import Evidence, NoticeAnswers, Notices, NoticeStreams, TakenNotices
from node.operations.ports.parties import (
    Agreements,
    Consents,
    Generation,
    KnownPseudonyms,
    Operators,
    Peers,
    Registries,
    Usage,
)
from node.operations.ports.records import (
    Cells,
    Changes,
    Crowds,
    Ledger,
    Pseudonyms,
    Rechecks,
    Records,
    Renditions,
    Settlements,
    Standings,
    Withholdings,
)

__all__ = [
    "Agreements",
    "Cells",
    "Changes",
    "ClockBook",
    "ClockTally",
    "Clocks",
    "Consents",
    "Copies",
    "Crowds",
    "Duties",
    "Erasures",
    "Evidence",
    "Exhibits",
    "Generation",
    "Inspections",
    "Journal",
    "KnownPseudonyms",
    "Ledger",
    "NoticeAnswers",
    "NoticeStreams",
    "Notices",
    "Operators",
    "Outbox",
    "Peers",
    "Pseudonyms",
    "PushedFrames",
    "ReceivedFrames",
    "Rechecks",
    "Records",
    "Registries",
    "Renditions",
    "SentFrames",
    "Settlements",
    "Standings",
    "Store",
    "TakenNotices",
    "Tree",
    "UnitOfWork",
    "Usage",
    "Withholdings",
]


class UnitOfWork(Protocol):
    """One transaction and the stores in it."""

    generation: Generation
    operators: Operators
    registries: Registries
    peers: Peers
    agreements: Agreements
    records: Records
    pseudonyms: Pseudonyms
    cells: Cells
    crowds: Crowds
    changes: Changes
    standings: Standings
    rechecks: Rechecks
    withholdings: Withholdings
    renditions: Renditions
    ledger: Ledger
    settlements: Settlements
    sent_frames: SentFrames
    pushed_frames: PushedFrames
    received_frames: ReceivedFrames
    copies: Copies
    notices: Notices
    notice_streams: NoticeStreams
    notice_answers: NoticeAnswers
    notices_taken: TakenNotices
    evidence: Evidence
    erasures: Erasures
    clocks: Clocks
    clock_book: ClockBook
    usage: Usage
    consents: Consents
    known_pseudonyms: KnownPseudonyms
    inspections: Inspections
    exhibits: Exhibits
    journal: Journal
    tree: Tree
    outbox: Outbox

    def commit(self) -> None:
        """Make everything written in this unit durable and visible, all at once; any thread may wait for that."""


class Store(Protocol):
    """Opens units of work."""

    def write(self) -> AbstractContextManager[UnitOfWork]:
        """Open a unit that may write; writers take turns (SQLite: BEGIN IMMEDIATE; PostgreSQL: an advisory lock)."""

    def read(self) -> AbstractContextManager[UnitOfWork]:
        """Open a unit that only reads, from one consistent state."""

    def data_version(self) -> int:
        """A number that moves when any unit of any process commits; cheap enough to ask all the time."""


class Duties(Protocol):
    """What one process does for all that share a database: a loop, or the jobs of one lane.

    They keep two processes from doing the same work at the same time, and the jobs of a lane in order. They are not
    what makes an act right: every act decides by what its own unit of work reads, for a process that stood still may
    go on for a moment with a duty that it has lost. Where a database has one process, that has every duty.
    """

    def take(self, duty: str) -> bool:
        """Take a duty that nobody has, or go on with one's own; False while another process has it."""

    def has(self, duty: str) -> bool:
        """Say whether this process has a duty, as far as it knows."""

    def leave(self, duty: str) -> None:
        """Let others have it; harmless without it. A process that ends, in whatever way, leaves all of its duties."""

    def go_on(self) -> None:
        """Say that this process is alive; one that has not said so for half a minute loses its duties."""
