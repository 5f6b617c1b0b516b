"""The store: opens units of work on what it holds in memory."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Final

from node.operations import ports
from node.operations.ports import UnitOfWork
from node.storage.errors import Busy
from tests.fakes.memory.agreements import MemoryAgreements, MemoryConsents, MemoryKnownPseudonyms, MemoryUsage
from tests.fakes.memory.clocks import MemoryClockBook, MemoryClocks
from tests.fakes.memory.crowds import MemoryCells, MemoryCrowds
from tests.fakes.memory.frames import (
    MemoryCopies,
    MemoryErasures,
    MemoryPushedFrames,
    MemoryReceivedFrames,
    MemorySentFrames,
)
from tests.fakes.memory.inspection import MemoryExhibits, MemoryInspections
from tests.fakes.memory.journal import MemoryJournal, MemoryOutbox, MemoryTree
from tests.fakes.memory.notices import (
    MemoryEvidence,
    MemoryNoticeAnswers,
    MemoryNotices,
    MemoryNoticeStreams,
    MemoryTakenNotices,
)
from tests.fakes.memory.records import MemoryChanges, MemoryRecords
from tests.fakes.memory.registries import MemoryGeneration, MemoryOperators, MemoryPeers, MemoryRegistries
from tests.fakes.memory.renditions import MemoryLedger, MemoryPseudonyms, MemoryRenditions, MemorySettlements
from tests.fakes.memory.standings import MemoryRechecks, MemoryStandings, MemoryWithholdings
from tests.fakes.memory.state import State, Transaction

PATIENCE: Final = 10.0
"""Seconds that a writer waits for its turn; a test in which it never comes fails instead of standing still."""


class MemoryStore:
    """Units of work on one state; see `node.operations.ports.Store`. Safe to use from several threads."""

    def __init__(self) -> None:
        self._committed = State()
        self._turn = Lock()
        self._version = 0

    @contextmanager
    def write(self) -> Iterator[UnitOfWork]:
        if not self._turn.acquire(timeout=PATIENCE):
            raise Busy("another unit is being written")
        try:
            with _ended(Transaction(self._committed.copy(), self._keep)) as transaction:
                yield MemoryUnit(transaction)
        finally:
            self._turn.release()

    @contextmanager
    def read(self) -> Iterator[UnitOfWork]:
        with _ended(Transaction(self._committed, None)) as transaction:
            yield MemoryUnit(transaction)

    def data_version(self) -> int:
        return self._version

    def _keep(self, state: State) -> None:
        self._committed, self._version = state, self._version + 1


@contextmanager
def _ended(transaction: Transaction) -> Iterator[Transaction]:
    try:
        yield transaction
    finally:
        transaction.end()


class MemoryUnit:
    """One transaction and the stores in it, see `node.operations.ports.UnitOfWork`."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction
        self.generation: ports.Generation = MemoryGeneration(transaction)
        self.operators: ports.Operators = MemoryOperators(transaction)
        self.registries: ports.Registries = MemoryRegistries(transaction)
        self.peers: ports.Peers = MemoryPeers(transaction)
        self.agreements: ports.Agreements = MemoryAgreements(transaction)
        self.records: ports.Records = MemoryRecords(transaction)
        self.changes: ports.Changes = MemoryChanges(transaction)
        self.standings: ports.Standings = MemoryStandings(transaction)
        self.rechecks: ports.Rechecks = MemoryRechecks(transaction)
        self.withholdings: ports.Withholdings = MemoryWithholdings(transaction)
        self.pseudonyms: ports.Pseudonyms = MemoryPseudonyms(transaction)
        self.cells: ports.Cells = MemoryCells(transaction)
        self.crowds: ports.Crowds = MemoryCrowds(transaction)
        self.renditions: ports.Renditions = MemoryRenditions(transaction)
        self.ledger: ports.Ledger = MemoryLedger(transaction)
        self.settlements: ports.Settlements = MemorySettlements(transaction)
        self.sent_frames: ports.SentFrames = MemorySentFrames(transaction)
        self.pushed_frames: ports.PushedFrames = MemoryPushedFrames(transaction)
        self.received_frames: ports.ReceivedFrames = MemoryReceivedFrames(transaction)
        self.copies: ports.Copies = MemoryCopies(transaction)
        self.notices: ports.Notices = MemoryNotices(transaction)
        self.notice_answers: ports.NoticeAnswers = MemoryNoticeAnswers(transaction)
        self.notice_streams: ports.NoticeStreams = MemoryNoticeStreams(transaction)
        self.notices_taken: ports.TakenNotices = MemoryTakenNotices(transaction)
        self.evidence: ports.Evidence = MemoryEvidence(transaction)
        self.erasures: ports.Erasures = MemoryErasures(transaction)
        self.clocks: ports.Clocks = MemoryClocks(transaction)
        self.clock_book: ports.ClockBook = MemoryClockBook(transaction)
        self.usage: ports.Usage = MemoryUsage(transaction)
        self.consents: ports.Consents = MemoryConsents(transaction)
        self.known_pseudonyms: ports.KnownPseudonyms = MemoryKnownPseudonyms(transaction)
        self.inspections: ports.Inspections = MemoryInspections(transaction)
        self.exhibits: ports.Exhibits = MemoryExhibits(transaction)
        self.journal: ports.Journal = MemoryJournal(transaction)
        self.tree: ports.Tree = MemoryTree(transaction)
        self.outbox: ports.Outbox = MemoryOutbox(transaction)

    def commit(self) -> None:
        self._transaction.commit()
