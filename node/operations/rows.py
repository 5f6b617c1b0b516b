"""Facts as they stand in the stores: what operations hand to a store and get back from it.

All digests, ids and pseudonyms are raw bytes here; `agreement_no`, `subject_no` and the like are the stores' own
ascending integers and never leave the node.
"""

from datetime import datetime

from node.operations.silent_row import SilentRow as _Row
from registry.parties import PartyId


class OperatorRow(_Row, frozen=True, kw_only=True):
    """A person who may act for the node."""

    name: str
    key_id: str
    public: bytes
    roles: frozenset[str]
    added_at: datetime
    retired_at: datetime | None = None


class StoredStatement(_Row, frozen=True, kw_only=True):
    """A registry statement and the time of the first head that covered it (known time)."""

    number: int
    raw: bytes
    covered_at: datetime


class StoredMirror(_Row, frozen=True, kw_only=True):
    """A log as it is stored: statements in order and the newest head, if any."""

    statements: tuple[StoredStatement, ...]
    head: bytes | None


class AgreementDocumentRow(_Row, frozen=True, kw_only=True):
    """One signed document of an agreement. `digest` names the document, `agreement` the terms it belongs to."""

    agreement: bytes
    digest: bytes
    kind: str
    raw: bytes


class LedgerRow(_Row, frozen=True, kw_only=True):
    """Who was shown which record version in which frame, by which of its identifiers.

    `fields` are the names shown, in order and separated by blanks; None for all that is granted.
    """

    agreement_no: int
    record_no: int
    record_version: int
    frame: bytes
    identifier_no: int
    fields: str | None


class DisclosureRow(_Row, frozen=True, kw_only=True):
    """A ledger row as it stands: who holds what since when, and since when no more."""

    agreement: bytes
    holder: PartyId
    record_version: int
    alias: bytes
    frame: bytes
    fields: str | None
    at: datetime
    closed_at: datetime | None
    is_cancelled: bool


class ShownBefore(_Row, frozen=True, kw_only=True):
    """What a holder was shown of a record: the fields (None for all granted), by which of its identifiers last."""

    fields: frozenset[str] | None
    identifier_no: int


class SentFrameRow(_Row, frozen=True, kw_only=True):
    """A frame sent, kept so that the same request gets the same answer and receipts can be matched.

    An answer has a `request`; a push has a `sequence` within its agreement and, but for replacements, its job.
    """

    frame: bytes
    recipient: PartyId
    agreement_no: int
    request: bytes | None
    header: bytes
    header_digest: bytes
    body: bytes
    outcomes: bytes
    sent_at: datetime
    push_job: int | None = None
    sequence: int | None = None


class PushTally(_Row, frozen=True, kw_only=True):
    """How far the frames of a push job have come. A cancelled frame's unchanged records go into another one."""

    taken: int
    cancelled: int
    refused: tuple[tuple[bytes, str], ...]


class ReceivedFrameRow(_Row, frozen=True, kw_only=True):
    """A frame received and verified: its signed header as it came, and the commitments that prove its copies, in order.

    `leaf` is the leaf hash of the journal entry about it (empty where it was not kept).
    """

    frame: bytes
    sender: PartyId
    agreement: bytes
    header: bytes
    header_digest: bytes
    commitments: bytes
    leaf: bytes
    received_at: datetime


class CopyRow(_Row, frozen=True, kw_only=True):
    """A rendition held as a copy of another party's record."""

    frame: bytes
    agreement: bytes
    pseudonym: bytes
    alias: bytes
    wire_version: int
    kind: str
    rendition: bytes
    keep_until: datetime


class ConsentRow(_Row, frozen=True, kw_only=True):
    """An attested consent, as its signed document, with the subject it is about (the requester's own customer)."""

    consent: bytes
    agreement: bytes
    scheme: str
    value: str
    valid_until: datetime
    raw: bytes


class PeerHead(_Row, frozen=True, kw_only=True):
    """The journal checkpoint of a peer that its next ones must have grown from."""

    size: int
    root: bytes
    note: bytes
    seen_at: datetime


class JournalRow(_Row, frozen=True, kw_only=True):
    """A journal entry as stored; `index` is None until it is sequenced."""

    number: int
    index: int | None
    entry: bytes
    leaf: bytes
    detail: bytes
    salt: bytes


class StoredCheckpoint(_Row, frozen=True, kw_only=True):
    """A signed checkpoint of this node's own journal."""

    size: int
    root: bytes
    note: bytes
    at: datetime


class ActRow(_Row, frozen=True, kw_only=True):
    """An operator's signed act (DSSE document of kind "operator-act")."""

    digest: bytes
    operator: str
    raw: bytes
    at: datetime


class NoticeRow(_Row, frozen=True, kw_only=True):
    """A notice to one holder, as home keeps it. `sequence` is its number in the holder's stream, once it has one."""

    number: int
    notice: bytes
    peer: PartyId
    agreement: bytes
    record_no: int
    record_version: int
    alias: bytes
    effect: str
    version: int
    basis: str
    document: str
    salt: bytes
    occurred_at: datetime
    due_at: datetime
    sequence: int | None
    stage: str


class NewNoticeRow(_Row, frozen=True, kw_only=True):
    """A notice to be queued; see `NoticeRow`."""

    notice: bytes
    peer: PartyId
    agreement_no: int
    record_no: int
    record_version: int
    alias: bytes
    effect: str
    version: int
    basis: str
    document: str
    salt: bytes
    occurred_at: datetime
    due_at: datetime


class NoticeStageRow(_Row, frozen=True, kw_only=True):
    """That a notice came to a stage, by the holder's own time and receipt."""

    stage: str
    at: datetime
    receipt: bytes


class NoticeBatchRow(_Row, frozen=True, kw_only=True):
    """A signed batch in a peer's stream, and the frame that goes along with it, if one does."""

    peer: PartyId
    first: int
    count: int
    agreement: bytes
    digest: bytes
    raw: bytes
    frame: bytes | None
    made_at: datetime
    taken_at: datetime | None
    trouble: str | None


class FloorRow(_Row, frozen=True, kw_only=True):
    """Below which version, or that at all, nothing of an alias may be held again."""

    agreement: bytes
    alias: bytes
    version: int
    deleted: bool


class HeldRow(_Row, frozen=True, kw_only=True):
    """A copy that is held: its own number, and what it says about itself."""

    number: int
    frame: bytes
    home: PartyId
    alias: bytes
    wire_version: int
    rendition: bytes
    keep_until: datetime


class ReceivedNoticeRow(_Row, frozen=True, kw_only=True):
    """A notice that this node, as a holder, took in, and how far it applied it."""

    home: PartyId
    sequence: int
    notice: bytes
    agreement: bytes
    alias: bytes
    effect: str
    version: int
    due_at: datetime
    received_at: datetime
    stage: str


class ErasureRow(_Row, frozen=True, kw_only=True):
    """Content that is in no table any more, but may still be in the files. `home` is to be told once it is not.

    An empty `home` is this node's own content; otherwise a notice or a frame says why the copy went.
    """

    number: int
    home: str
    alias: bytes
    notice: bytes | None
    frame: bytes | None
