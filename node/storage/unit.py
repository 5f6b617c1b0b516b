"""The unit of work: every store of one transaction."""

from node.operations import ports
from node.storage.agreement_store import SqlAgreements, SqlConsents, SqlKnownPseudonyms
from node.storage.change_store import SqlChanges
from node.storage.clock_store import SqlClockBook, SqlClocks
from node.storage.copy_store import SqlCopies, SqlErasures
from node.storage.crowd_store import SqlCells, SqlCrowds
from node.storage.disclosure_store import SqlPseudonyms, SqlRenditions
from node.storage.exchange_store import SqlPushedFrames, SqlReceivedFrames, SqlSentFrames
from node.storage.inspection_store import SqlExhibits, SqlInspections
from node.storage.journal_store import SqlJournal, SqlTree
from node.storage.ledger_store import SqlLedger, SqlSettlements
from node.storage.notice_store import SqlEvidence, SqlNoticeAnswers, SqlNotices, SqlNoticeStreams, SqlTakenNotices
from node.storage.operator_store import SqlGeneration, SqlOperators
from node.storage.outbox_store import SqlOutbox
from node.storage.record_store import SqlRecords
from node.storage.registry_store import SqlPeers, SqlRegistries
from node.storage.standing_store import SqlRechecks, SqlStandings, SqlWithholdings
from node.storage.transaction import Transaction
from node.storage.usage_store import SqlUsage


class SqlUnit:
    """One transaction and the stores in it, see `node.operations.ports.UnitOfWork`."""

    __slots__ = (
        "_transaction", "agreements", "cells", "changes", "clock_book", "clocks", "consents", "copies", "crowds",
        "erasures", "evidence", "exhibits", "generation", "inspections", "journal", "known_pseudonyms", "ledger",
        "notice_answers", "notice_streams", "notices", "notices_taken", "operators", "outbox", "peers",
        "pseudonyms", "pushed_frames", "received_frames", "rechecks", "records", "registries", "renditions",
        "sent_frames", "settlements", "standings", "tree", "usage", "withholdings",
    )  # fmt: skip

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction
        self.generation: ports.Generation = SqlGeneration(transaction)
        self.operators: ports.Operators = SqlOperators(transaction)
        self.registries: ports.Registries = SqlRegistries(transaction)
        self.peers: ports.Peers = SqlPeers(transaction)
        self.agreements: ports.Agreements = SqlAgreements(transaction)
        self.records: ports.Records = SqlRecords(transaction)
        self.changes: ports.Changes = SqlChanges(transaction)
        self.standings: ports.Standings = SqlStandings(transaction)
        self.rechecks: ports.Rechecks = SqlRechecks(transaction)
        self.withholdings: ports.Withholdings = SqlWithholdings(transaction)
        self.pseudonyms: ports.Pseudonyms = SqlPseudonyms(transaction)
        self.cells: ports.Cells = SqlCells(transaction)
        self.crowds: ports.Crowds = SqlCrowds(transaction)
        self.renditions: ports.Renditions = SqlRenditions(transaction)
        self.ledger: ports.Ledger = SqlLedger(transaction)
        self.settlements: ports.Settlements = SqlSettlements(transaction)
        self.sent_frames: ports.SentFrames = SqlSentFrames(transaction)
        self.received_frames: ports.ReceivedFrames = SqlReceivedFrames(transaction)
        self.pushed_frames: ports.PushedFrames = SqlPushedFrames(transaction)
        self.copies: ports.Copies = SqlCopies(transaction)
        self.notices: ports.Notices = SqlNotices(transaction)
        self.notice_answers: ports.NoticeAnswers = SqlNoticeAnswers(transaction)
        self.notice_streams: ports.NoticeStreams = SqlNoticeStreams(transaction)
        self.notices_taken: ports.TakenNotices = SqlTakenNotices(transaction)
        self.evidence: ports.Evidence = SqlEvidence(transaction)
        self.erasures: ports.Erasures = SqlErasures(transaction)
        self.clocks: ports.Clocks = SqlClocks(transaction)
        self.clock_book: ports.ClockBook = SqlClockBook(transaction)
        self.usage: ports.Usage = SqlUsage(transaction)
        self.consents: ports.Consents = SqlConsents(transaction)
        self.known_pseudonyms: ports.KnownPseudonyms = SqlKnownPseudonyms(transaction)
        self.inspections: ports.Inspections = SqlInspections(transaction)
        self.exhibits: ports.Exhibits = SqlExhibits(transaction)
        self.journal: ports.Journal = SqlJournal(transaction)
        self.tree: ports.Tree = SqlTree(transaction)
        self.outbox: ports.Outbox = SqlOutbox(transaction)

    def commit(self) -> None:
        """Make everything written in this unit durable and visible, all at once; the unit is over then."""
        self._transaction.commit()
