"""Facts as they stand in the stores: what operations hand to a store and get back from it.

All digests, ids and pseudonyms are raw bytes here; `agreement_no`, `subject_no` and the like are the stores' own
ascending integers and never leave the node.
"""

from dataclasses import dataclass, field
from datetime import date, datetime

from registry.parties import PartyId


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorRow:
    """A person who may act for the node."""

    name: str
    key_id: str
    public: bytes
    roles: frozenset[str]
    added_at: datetime
    retired_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredStatement:
    """A registry statement and the time of the first head that covered it (known time)."""

    number: int
    raw: bytes
    covered_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredMirror:
    """A log as it is stored: statements in order and the newest head, if any."""

    statements: tuple[StoredStatement, ...]
    head: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementDocumentRow:
    """One signed document of an agreement. `digest` names the document, `agreement` the terms it belongs to."""

    agreement: bytes
    digest: bytes
    kind: str
    raw: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectRow:
    """A home subject to be stored: its kind and every attested identifier as (scheme, canonical value)."""

    kind: str
    identifiers: tuple[tuple[str, str], ...] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRecordRow:
    """A home record as admitted, with its subject. `source_key` (32 bytes) is the same whenever a row comes again."""

    subject: SubjectRow
    source_key: bytes
    kind: str
    content: bytes = field(repr=False)
    content_digest: bytes
    facts: bytes = field(repr=False)
    disclose_until: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordRow:
    """A stored home record version. `facts` is JSON of the envelope facts, `content` JSON of the typed content."""

    record_no: int
    subject_no: int
    version: int
    kind: str
    content: bytes = field(repr=False)
    facts: bytes = field(repr=False)
    disclose_until: date | None
    withheld: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What became of a batch of rows: one of `new`, `unchanged`, `updated`, `conflict` for each, in order."""

    outcomes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RenditionRow:
    """The rendition of one record version under one agreement and epoch, as disclosed."""

    agreement_no: int
    epoch: int
    record_no: int
    record_version: int
    alias: bytes
    wire_version: int
    body: bytes = field(repr=False)
    commitment: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerRow:
    """Who was shown which record version in which frame."""

    agreement_no: int
    record_no: int
    record_version: int
    frame: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class SentFrameRow:
    """A frame sent, kept so that the same request gets the same answer and receipts can be matched."""

    frame: bytes
    recipient: PartyId
    agreement_no: int
    request: bytes
    header: bytes
    header_digest: bytes
    body: bytes = field(repr=False)
    outcomes: bytes = field(repr=False)
    sent_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedFrameRow:
    """A frame received, verified and kept whole, exactly as it came."""

    frame: bytes
    sender: PartyId
    agreement: bytes
    header: bytes
    header_digest: bytes
    body: bytes = field(repr=False)
    received_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyRow:
    """A rendition held as a copy of another party's record."""

    frame: bytes
    agreement: bytes
    pseudonym: bytes
    alias: bytes
    wire_version: int
    kind: str
    rendition: bytes = field(repr=False)
    keep_until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentRow:
    """An attested consent, as its signed document, with the subject it is about (the requester's own customer)."""

    consent: bytes
    agreement: bytes
    scheme: str
    value: str = field(repr=False)
    valid_until: datetime
    raw: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerHead:
    """The newest journal checkpoint seen of a peer."""

    size: int
    root: bytes
    note: bytes
    seen_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalRow:
    """A journal entry as stored; `index` is None until it is sequenced."""

    number: int
    index: int | None
    entry: bytes
    leaf: bytes
    detail: bytes
    salt: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredCheckpoint:
    """A signed checkpoint of this node's own journal."""

    size: int
    root: bytes
    note: bytes
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ActRow:
    """An operator's signed act (DSSE document of kind "operator-act")."""

    digest: bytes
    operator: str
    raw: bytes
    at: datetime
