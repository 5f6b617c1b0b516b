"""Promises that operations need from storage: each port states at most five, and says what never happens.

A unit of work is one transaction. Nothing that was written is seen by anyone before `commit`; leaving the unit
without it undoes everything. Stores are reached through the unit, and are only good while it is open.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol

from node.domain.jobs import Job, NewJob
from node.domain.journal import Drafted
from node.domain.notices import Holding, Stream
from node.operations.rows import (
    ActRow,
    AgreementDocumentRow,
    AliasRow,
    ConsentRow,
    CopyRow,
    DeletionRow,
    DisclosureRow,
    ErasureRow,
    FloorRow,
    HeldRow,
    Imported,
    JournalRow,
    LedgerRow,
    NewNoticeRow,
    NewRecordRow,
    NoticeBatchRow,
    NoticeRow,
    NoticeStageRow,
    OperatorRow,
    PeerHead,
    PushTally,
    ReceivedFrameRow,
    ReceivedNoticeRow,
    RecordRow,
    RenditionRow,
    Selection,
    SentFrameRow,
    ShownBefore,
    StoredCheckpoint,
    StoredMirror,
    StoredStatement,
)
from registry.parties import PartyId


class Generation(Protocol):
    """One number that moves with every change of cached facts (registry, agreements, catalogue)."""

    def read(self) -> int:
        """Give the current number."""

    def move(self) -> None:
        """Advance it; every process that cached facts reloads them in its next deciding transaction."""


class Operators(Protocol):
    """The node's operators and the acts they signed."""

    def add(self, operator: OperatorRow) -> bool:
        """Add an operator; False if the name is taken."""

    def find(self, name: str) -> OperatorRow | None:
        """Give one operator by name."""

    def all(self) -> Sequence[OperatorRow]:
        """Give every operator, by name."""

    def record_act(self, act: ActRow) -> None:
        """Keep a signed act for good; the same act twice is one act."""


class Registries(Protocol):
    """Pinned authorities, and the mirrors of their logs (an authority's own log included)."""

    def pins(self) -> Mapping[PartyId, bytes]:
        """Give the pinned authorities' cards as they were pinned, by party."""

    def pin(self, authority: PartyId, card: bytes) -> None:
        """Pin an authority's card, replacing an earlier one of the same party."""

    def mirror(self, authority: PartyId) -> StoredMirror:
        """Give what is stored of an authority's log; an empty mirror if nothing is."""

    def extend(self, authority: PartyId, statements: Sequence[StoredStatement], head: bytes) -> None:
        """Append statements (which must follow the stored ones without a gap) and replace the head."""

    def heads(self) -> Mapping[PartyId, bytes]:
        """Give the newest head of every mirrored authority."""


class Peers(Protocol):
    """Journal checkpoints of other nodes, from which they must go on."""

    def head(self, peer: PartyId) -> PeerHead | None:
        """Give the one kept of a peer."""

    def see(self, peer: PartyId, head: PeerHead) -> None:
        """Replace it; the caller has verified it and checked it against the old one."""


class Agreements(Protocol):
    """Signed documents of agreements; what they mean is decided by folding them."""

    def add(self, document: AgreementDocumentRow) -> bool:
        """Keep a document; False if these very bytes are already kept."""

    def documents(self, agreement: bytes) -> Sequence[AgreementDocumentRow]:
        """Give every document of one agreement (by terms digest), in order of arrival."""

    def all(self) -> Iterator[AgreementDocumentRow]:
        """Give every document of every agreement, in order of arrival."""

    def number(self, agreement: bytes) -> int:
        """Give the store's integer for an agreement digest, making one if there is none."""


class Records(Protocol):
    """Home subjects and their records."""

    def add(self, rows: Sequence[NewRecordRow], at: datetime) -> Imported:
        """Store admitted rows: a known `source_key` with the same digest is unchanged, with another one a new version.

        Subjects are joined by identifier. A row whose identifiers lead to two different subjects is a conflict and
        is not stored.
        """

    def of_subjects(self, subjects: Sequence[int], kinds: Sequence[str]) -> Mapping[int, Sequence[RecordRow]]:
        """Give the current version of every record of these kinds, by subject number, one read for all.

        What was deleted is not among them.
        """

    def page(self, kind: str | None, after: int, limit: int) -> Sequence[RecordRow]:
        """Give records in ascending number, from the one after `after`, tombstones of deleted ones too."""

    def count(self) -> Mapping[str, int]:
        """Count current records by kind."""

    def find(self, record_no: int) -> RecordRow | None:
        """Give the current version of one record, or its tombstone."""


class Changes(Protocol):
    """Home records changed by order, and found again for a push."""

    def correct(self, record_no: int, row: NewRecordRow, at: datetime) -> int:
        """Replace the content and give the new version; the old content counts as wrong from now on."""

    def delete(self, deletion: DeletionRow) -> int:
        """Destroy content and facts, keep the tombstone with its reason, and give its version."""

    def deletion(self, record_no: int) -> DeletionRow | None:
        """Give the reason for a deletion."""

    def of_numbers(self, records: Sequence[int]) -> Mapping[int, RecordRow]:
        """Give the current version of these records, by number; what was deleted is not among them."""

    def select(self, selection: Selection) -> Sequence[RecordRow]:
        """Give records for a push, in ascending number."""


class Pseudonyms(Protocol):
    """Home's index from pseudonym to subject, one for each agreement and epoch."""

    def lookup(self, agreement_no: int, epoch: int, pseudonyms: Sequence[bytes]) -> Mapping[bytes, tuple[int, int]]:
        """Give (subject number, identifier number) of those pseudonyms that are indexed, one read for all."""

    def of_subjects(
        self, agreement_no: int, epoch: int, subjects: Sequence[int]
    ) -> Mapping[int, Sequence[tuple[int, bytes]]]:
        """Give (identifier number, pseudonym) pairs of these subjects, in the order of the identifiers."""

    def pending(self, agreement_no: int, epoch: int, limit: int) -> Sequence[tuple[int, int, str, str]]:
        """Give identifiers not indexed yet, as (identifier number, subject number, scheme, value), ascending."""

    def add(self, agreement_no: int, epoch: int, rows: Sequence[tuple[bytes, int, int]], through: int) -> None:
        """Index (pseudonym, subject number, identifier number), and note that identifiers up to `through` are done."""

    def ready(self, agreement_no: int, epoch: int) -> bool:
        """Say whether the index was complete at least once, so that the agreement may be answered."""

    def complete(self, agreement_no: int, epoch: int) -> None:
        """Note that it is complete now."""


class Renditions(Protocol):
    """Renditions made, and the names under which records go."""

    def of_records(
        self, agreement_no: int, epoch: int, records: Sequence[int]
    ) -> Mapping[tuple[int, int], RenditionRow]:
        """Give the renditions made of these records under an agreement and epoch, by (record, version)."""

    def identities(self, agreement_no: int, records: Sequence[int]) -> Mapping[int, AliasRow]:
        """Give the name of these records under an agreement, if they have one."""

    def add(self, rows: Sequence[RenditionRow]) -> None:
        """Keep new renditions with their aliases."""

    def supersede(self, planned: Sequence[tuple[int, int, int, int]]) -> None:
        """Give records their next wire version, as (record, agreement, wire version, record version)."""

    def destroy(self, records: Sequence[int]) -> None:
        """Destroy every rendition of these records, with its salts; their aliases stay."""


class Ledger(Protocol):
    """Who was shown which version of which record in which frame, and holds it still."""

    def disclose(self, rows: Sequence[LedgerRow], at: datetime) -> None:
        """Write ledger rows; they commit before the frame leaves. The frames are kept already."""

    def of_record(self, record_no: int) -> Sequence[DisclosureRow]:
        """Give every disclosure of one record, oldest first."""

    def holdings(self, records: Sequence[int]) -> Sequence[Holding]:
        """Say who holds copies of these records, or was sent them: one for each record and agreement."""

    def shown(self, agreement_no: int, records: Sequence[int]) -> Mapping[int, ShownBefore]:
        """Say what is known to have reached the holder under an agreement of these records, and is held still."""

    def settle(self, holder: PartyId, notices: Sequence[bytes], receipt: bytes, at: datetime) -> None:
        """Close what a signed receipt says is deleted or not held: the versions before those of the notices."""

    def not_held(self, holder: PartyId, notices: Sequence[bytes], receipt: bytes, at: datetime) -> None:
        """Close also what went along with these notices as a replacement, which was not kept where nothing was held."""

    def end(self, holder: PartyId, copies: Sequence[tuple[bytes, bytes]], receipt: bytes, at: datetime) -> int:
        """Close what a holder's signed receipt says has ended, as (frame, alias), and count it."""


class SentFrames(Protocol):
    """Frames sent, by the request they answer."""

    def answers(self, requests: Sequence[bytes]) -> Mapping[bytes, SentFrameRow]:
        """Give the frames already sent for these request digests and kept, one read for all."""

    def add(self, frames: Sequence[SentFrameRow]) -> None:
        """Keep frames before they are sent."""

    def receipt(self, holder: PartyId, frame: bytes, header_digest: bytes, receipt: bytes, at: datetime) -> bool:
        """Note a holder's receipt; False if no such frame was sent to it."""

    def page(self, after: int, limit: int) -> Sequence[tuple[int, SentFrameRow, datetime | None]]:
        """Give frames in ascending number with the time they were receipted."""

    def withdraw(self, records: Sequence[int], at: datetime) -> int:
        """Forget the bodies of all frames that hold one of these records, and count them.

        One that is not known to have arrived is cancelled by it: it is not sent again.
        """


class PushedFrames(Protocol):
    """Frames that were made to be pushed, until the recipient has answered to each."""

    def next_sequence(self, agreement_no: int) -> int:
        """Give the next number of a push under an agreement, once."""

    def waiting(self, job: int, limit: int) -> Sequence[SentFrameRow]:
        """Give the frames of a push job that were made and neither answered nor cancelled, oldest first."""

    def answered(self, outcomes: Mapping[bytes, str | None], at: datetime) -> None:
        """Note what recipients said to frames: None for taken, or the reason of a refusal; forget their bodies."""

    def tally(self, job: int) -> PushTally:
        """Say how far a push job has come. A frame may count as cancelled and taken; at most 100 refused are named."""

    def find(self, frame: bytes) -> SentFrameRow | None:
        """Give one frame whose body is still there."""


class ReceivedFrames(Protocol):
    """The append-only inbox of frames, and the copies unpacked from them."""

    def add(self, frame: ReceivedFrameRow, copies: Sequence[CopyRow]) -> bool:
        """Keep a frame and its copies; False (and nothing kept) if the frame id of this sender is known."""

    def copies(self, frame: bytes) -> Sequence[CopyRow]:
        """Give the copies unpacked from one frame that are still held."""

    def find(self, frame: bytes) -> ReceivedFrameRow | None:
        """Give one frame by id."""

    def headers(self, sender: PartyId, limit: int) -> Sequence[bytes]:
        """Give the signed headers of the newest frames of one sender, oldest of them first."""


class Copies(Protocol):
    """Copies of other parties' records that are held, and what may not be held again."""

    def held(self, agreement: bytes, aliases: Sequence[bytes]) -> Sequence[HeldRow]:
        """Give every copy of these aliases, one read for all."""

    def floors(self, agreement: bytes, aliases: Sequence[bytes]) -> Mapping[bytes, FloorRow]:
        """Give the floors of those aliases that have one."""

    def raise_floors(self, floors: Sequence[FloorRow]) -> None:
        """Set floors; the caller saw to it that none falls."""

    def destroy(self, copies: Sequence[int]) -> None:
        """Destroy copies by number, with their salts."""

    def ended(self, at: datetime, limit: int) -> Sequence[HeldRow]:
        """Give copies whose time of keeping has passed, the longest first."""


class TakenNotices(Protocol):
    """Notices that this node, as a holder, took in."""

    def stream(self, home: PartyId) -> Stream:
        """Say how far a home's stream was taken in."""

    def batch_at(self, home: PartyId, first: int) -> bytes | None:
        """Give the digest of the batch that began with this number."""

    def take(self, home: PartyId, raw: bytes, digest: bytes, notices: Sequence[ReceivedNoticeRow]) -> None:
        """Keep a batch with its notices, and move the stream on behind it."""

    def advance(self, home: PartyId, notices: Sequence[bytes], stage: str) -> None:
        """Note that notices of a home came to a stage here; their ids are unique within that home alone."""

    def page(self, after: int, limit: int) -> Sequence[tuple[int, ReceivedNoticeRow]]:
        """Give notices in ascending number."""


class Evidence(Protocol):
    """Signed words of peers that contradict what they said before."""

    def keep(self, peer: PartyId, digest: bytes, raw: bytes, at: datetime, most: int) -> bool:
        """Keep one, unless it is kept already or there are `most` of this peer; whether this call kept it."""


class Notices(Protocol):
    """Notices that this node, as home, owes to holders."""

    def add(self, notices: Sequence[NewNoticeRow]) -> None:
        """Queue notices, in the transaction of the change."""

    def page(self, after: int, limit: int, *, only_open: bool) -> Sequence[NoticeRow]:
        """Give notices in ascending number."""

    def of_record(self, record_no: int) -> Sequence[NoticeRow]:
        """Give every notice about one record, oldest first."""

    def find(self, number: int) -> tuple[NoticeRow, Sequence[NoticeStageRow]] | None:
        """Give one notice with what its holder said to it."""

    def advance(self, peer: PartyId, notices: Sequence[tuple[bytes, str, datetime]], receipt: bytes) -> int:
        """Note what a holder's signed receipt says of notices, as (id, stage, at); count those that are this peer's.

        A notice never goes back to an earlier stage, and the first receipt of each stage is kept.
        """


class NoticeStreams(Protocol):
    """The order in which each holder is told: one stream of signed batches for each."""

    def unnumbered(self, peer: PartyId, limit: int) -> Sequence[NoticeRow]:
        """Give notices to a peer that are in no batch yet, oldest first."""

    def end_of(self, peer: PartyId) -> Stream:
        """Give the number that the next notice to a peer gets, and the digest of the last batch."""

    def put(self, batch: NoticeBatchRow, notices: Sequence[int]) -> None:
        """Keep a signed batch, which nobody has taken yet, and give these notices (by number) their places in it."""

    def open_batch(self, peer: PartyId) -> tuple[NoticeBatchRow, Sequence[NoticeRow]] | None:
        """Give the first batch that the peer has not taken, with its notices."""

    def note(self, peer: PartyId, expected: int, at: datetime, trouble: str | None) -> None:
        """Note that a peer expects this number next: what is before is taken, what is from there on is not.

        `trouble` says why the first open batch was not taken.
        """

    def repeat_last(self, peer: PartyId) -> int:
        """Have the last batch told again, though it was taken; gives how many notices are in it, 0 without one."""

    def attach(self, peer: PartyId, first: int, frame: bytes | None) -> None:
        """Note which frame goes along with a batch."""

    def backlog(self, peer: PartyId, at: datetime) -> int:
        """Count notices to a peer that should have been applied by now and were not."""


class Erasures(Protocol):
    """Content that was destroyed in its table and may still lie in the database's files."""

    def add(self, erasures: Sequence[ErasureRow], at: datetime) -> None:
        """Note them; their numbers are the store's."""

    def newest(self) -> int:
        """Give the highest number there is; 0 where nothing waits."""

    def through(self, number: int, limit: int) -> Sequence[ErasureRow]:
        """Give those up to a number, oldest first."""

    def done(self, erasures: Sequence[int]) -> None:
        """Forget those that are in no file any more."""

    def forget_bodies(self, before: datetime) -> int:
        """Destroy the bodies of answers sent before then, which nobody may ask for again; count them."""


class Usage(Protocol):
    """What was charged against an agreement's quotas, and which requests and nonces were used."""

    def charged(self, agreement_no: int, windows: Sequence[str]) -> Mapping[str, int]:
        """Give what is charged in each window ("lifetime", "epoch:1", "day:2026-11-23"); 0 where nothing is."""

    def charge(self, agreement_no: int, amounts: Mapping[str, int]) -> None:
        """Add to windows."""

    def evaluated(self, request: bytes) -> bool:
        """Say whether this evaluation request was charged before."""

    def remember_evaluation(self, request: bytes, at: datetime) -> None:
        """Note that it is charged."""

    def use_nonces(self, nonces: Mapping[bytes, bytes], expires_at: datetime) -> Mapping[bytes, bytes]:
        """Note authorisation nonces with the request digest each came in.

        Gives back those already used, with the digest that used them first.
        """


class Consents(Protocol):
    """Consents attested at this node."""

    def add(self, consent: ConsentRow) -> bool:
        """Keep one; False if its id is known."""

    def of_subject(self, agreement: bytes, scheme: str, value: str) -> Sequence[ConsentRow]:
        """Give the consents of one subject under one agreement, newest first."""

    def page(self, after: int, limit: int) -> Sequence[tuple[int, ConsentRow]]:
        """Give consents in ascending number."""


class KnownPseudonyms(Protocol):
    """Pseudonyms a requester already had evaluated for identifiers that it supplied itself."""

    def lookup(
        self, agreement: bytes, epoch: int, identifiers: Sequence[tuple[str, str]]
    ) -> Mapping[tuple[str, str], bytes]:
        """Give those that are known, by (scheme, value)."""

    def add(self, agreement: bytes, epoch: int, rows: Mapping[tuple[str, str], bytes]) -> None:
        """Keep evaluated pseudonyms."""


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


class Outbox(Protocol):
    """Jobs for the courier."""

    def add(self, job: NewJob, at: datetime) -> int:
        """Queue a job and give its number; the same key again gives the first one's number."""

    def due(self, at: datetime, limit: int) -> Sequence[Job]:
        """Give waiting jobs whose time has come: of each lane (peer and kind) the oldest first, the lanes in turn."""

    def retry(self, number: int, next_at: datetime, payload: bytes | None = None) -> None:
        """Note that a try failed and when the next one is due.

        With a new payload the job went on, though not to its end, and the tries before that are forgotten.
        """

    def finish(self, number: int, result: bytes, at: datetime, *, failed: bool) -> None:
        """Close a job with its result."""

    def find(self, number: int) -> Job | None:
        """Give one job."""


class UnitOfWork(Protocol):
    """One transaction and the stores in it."""

    generation: Generation
    operators: Operators
    registries: Registries
    peers: Peers
    agreements: Agreements
    records: Records
    pseudonyms: Pseudonyms
    changes: Changes
    renditions: Renditions
    ledger: Ledger
    sent_frames: SentFrames
    pushed_frames: PushedFrames
    received_frames: ReceivedFrames
    copies: Copies
    notices: Notices
    notice_streams: NoticeStreams
    notices_taken: TakenNotices
    evidence: Evidence
    erasures: Erasures
    usage: Usage
    consents: Consents
    known_pseudonyms: KnownPseudonyms
    journal: Journal
    tree: Tree
    outbox: Outbox

    def commit(self) -> None:
        """Make everything written in this unit durable and visible, all at once."""


class Store(Protocol):
    """Opens units of work."""

    def write(self) -> AbstractContextManager[UnitOfWork]:
        """Open a unit that may write; writers take turns (SQLite: BEGIN IMMEDIATE; PostgreSQL: an advisory lock)."""

    def read(self) -> AbstractContextManager[UnitOfWork]:
        """Open a unit that only reads, from one consistent state."""


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
