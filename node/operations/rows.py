"""Facts as they stand in the stores: what operations hand to a store and get back from it.

All digests, ids and pseudonyms are raw bytes here; `agreement_no`, `subject_no` and the like are the stores' own
ascending integers and never leave the node.
"""

from datetime import date, datetime

import msgspec

from registry.parties import PartyId


class _Row(msgspec.Struct, frozen=True, kw_only=True):
    """Shows nothing of what it holds; made ten times faster than a dataclass, which bulk work notices."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}(...)"


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


class SubjectRow(_Row, frozen=True, kw_only=True):
    """A home subject to be stored: its kind and every attested identifier as (scheme, canonical value)."""

    kind: str
    identifiers: tuple[tuple[str, str], ...]


class NewRecordRow(_Row, frozen=True, kw_only=True):
    """A home record as admitted, with its subject. `source_key` (32 bytes) is the same whenever a row comes again."""

    subject: SubjectRow
    source_key: bytes
    kind: str
    content: bytes
    content_digest: bytes
    facts: bytes
    disclose_until: date | None


class RecordRow(_Row, frozen=True, kw_only=True):
    """A stored home record version. `facts` is JSON of the envelope facts, `content` JSON of the typed content."""

    record_no: int
    subject_no: int
    version: int
    kind: str
    content: bytes
    facts: bytes
    disclose_until: date | None
    withheld: frozenset[str]


class Imported(_Row, frozen=True, kw_only=True):
    """What became of a batch of rows: one of `new`, `unchanged`, `updated`, `conflict` for each, in order."""

    outcomes: tuple[str, ...]


class RenditionRow(_Row, frozen=True, kw_only=True):
    """The rendition of one record version under one agreement and epoch, as disclosed."""

    agreement_no: int
    epoch: int
    record_no: int
    record_version: int
    alias: bytes
    wire_version: int
    body: bytes
    commitment: bytes


class LedgerRow(_Row, frozen=True, kw_only=True):
    """Who was shown which record version in which frame."""

    agreement_no: int
    record_no: int
    record_version: int
    frame: bytes


class SentFrameRow(_Row, frozen=True, kw_only=True):
    """A frame sent, kept so that the same request gets the same answer and receipts can be matched."""

    frame: bytes
    recipient: PartyId
    agreement_no: int
    request: bytes
    header: bytes
    header_digest: bytes
    body: bytes
    outcomes: bytes
    sent_at: datetime


class ReceivedFrameRow(_Row, frozen=True, kw_only=True):
    """A frame received, verified and kept whole, exactly as it came."""

    frame: bytes
    sender: PartyId
    agreement: bytes
    header: bytes
    header_digest: bytes
    body: bytes
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
