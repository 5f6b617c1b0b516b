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
from node.operations.rows import (
    ActRow,
    AgreementDocumentRow,
    ConsentRow,
    CopyRow,
    Imported,
    JournalRow,
    LedgerRow,
    NewRecordRow,
    OperatorRow,
    PeerHead,
    ReceivedFrameRow,
    RecordRow,
    RenditionRow,
    SentFrameRow,
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
        """Give the current version of every record of these kinds, by subject number, one read for all."""

    def page(self, kind: str | None, after: int, limit: int) -> Sequence[RecordRow]:
        """Give records in ascending number, from the one after `after`."""

    def count(self) -> Mapping[str, int]:
        """Count current records by kind."""

    def find(self, record_no: int) -> RecordRow | None:
        """Give the current version of one record."""


class Pseudonyms(Protocol):
    """Home's index from pseudonym to subject, one for each agreement and epoch."""

    def lookup(self, agreement_no: int, epoch: int, pseudonyms: Sequence[bytes]) -> Mapping[bytes, int]:
        """Give the subject numbers of those pseudonyms that are indexed, one read for all."""

    def pending(self, agreement_no: int, epoch: int, limit: int) -> Sequence[tuple[int, int, str, str]]:
        """Give identifiers not indexed yet, as (identifier number, subject number, scheme, value), ascending."""

    def add(self, agreement_no: int, epoch: int, rows: Sequence[tuple[bytes, int]], through: int) -> None:
        """Index (pseudonym, subject number) pairs and note that identifiers up to number `through` are done."""

    def ready(self, agreement_no: int, epoch: int) -> bool:
        """Say whether the index was complete at least once, so that the agreement may be answered."""

    def complete(self, agreement_no: int, epoch: int) -> None:
        """Note that it is complete now."""


class Renditions(Protocol):
    """Renditions made, and the ledger of who was shown them."""

    def of_records(
        self, agreement_no: int, epoch: int, records: Sequence[int]
    ) -> Mapping[tuple[int, int], RenditionRow]:
        """Give the renditions made of these records under an agreement and epoch, by (record, version)."""

    def identities(self, agreement_no: int, records: Sequence[int]) -> Mapping[int, tuple[bytes, int]]:
        """Give (alias, newest wire version) of these records under an agreement, if they have one."""

    def add(self, rows: Sequence[RenditionRow]) -> None:
        """Keep new renditions with their aliases."""

    def disclose(self, rows: Sequence[LedgerRow], at: datetime) -> None:
        """Write ledger rows; they commit before the frame leaves."""

    def holders(self, record_no: int) -> Sequence[LedgerRow]:
        """Give every disclosure of one record."""


class SentFrames(Protocol):
    """Frames sent, by the request they answer."""

    def answers(self, requests: Sequence[bytes]) -> Mapping[bytes, SentFrameRow]:
        """Give the frames already sent for these request digests, one read for all."""

    def add(self, frames: Sequence[SentFrameRow]) -> None:
        """Keep frames before they are sent."""

    def receipt(self, frame: bytes, header_digest: bytes, receipt: bytes, at: datetime) -> bool:
        """Note a holder's receipt; False if no such frame was sent."""

    def page(self, after: int, limit: int) -> Sequence[tuple[int, SentFrameRow, datetime | None]]:
        """Give frames in ascending number with the time they were receipted."""


class ReceivedFrames(Protocol):
    """The append-only inbox of frames, and the copies unpacked from them."""

    def add(self, frame: ReceivedFrameRow, copies: Sequence[CopyRow]) -> bool:
        """Keep a frame and its copies; False (and nothing kept) if the frame id of this sender is known."""

    def copies(self, frame: bytes) -> Sequence[CopyRow]:
        """Give the copies unpacked from one frame."""

    def find(self, frame: bytes) -> ReceivedFrameRow | None:
        """Give one frame by id."""

    def headers(self, sender: PartyId, limit: int) -> Sequence[bytes]:
        """Give the signed headers of the newest frames of one sender, oldest of them first."""


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
    renditions: Renditions
    sent_frames: SentFrames
    received_frames: ReceivedFrames
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
