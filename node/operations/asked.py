"""What peers ask of this node and what it answers, in facts: the wire translates to and from these."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from agreements.refusal import Refused
from registry.parties import PartyId


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluateAsked:
    """One evaluation request. `digest` (32 bytes) names the request: the same bytes again are charged once."""

    peer: PartyId
    digest: bytes
    agreement: bytes
    epoch: int
    blinded: tuple[bytes, ...]
    checkpoint: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationGranted:
    """Charged and journalled: the elements may be evaluated under this agreement id and epoch."""

    agreement_id: str
    epoch: int
    checkpoint: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedItem:
    """One subject asked about: a pseudonym (16 bytes) and the signed authorisation (empty if there is none)."""

    pseudonym: bytes
    authorisation: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryAsked:
    """One query message: a unary query has one item, a batch message 1..200. `asked` is fields by kind."""

    peer: PartyId
    digest: bytes
    agreement: bytes
    epoch: int
    purpose: str
    asked: Mapping[str, frozenset[str]]
    items: tuple[AskedItem, ...]
    batch: bool
    checkpoint: bytes

    @property
    def request(self) -> tuple[PartyId, bytes]:
        """What names it here: another peer that sends the same bytes asks something of its own."""
        return self.peer, self.digest


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedAnswer:
    """A refusal with the leaf hash of its journal entry."""

    refused: Refused
    leaf: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """A frame, and the items of the message that were refused one by one (by position)."""

    header: bytes
    body: bytes = field(repr=False)
    refused_items: tuple[tuple[int, RefusedAnswer], ...]
    checkpoint: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalProof:
    """Inclusion of a leaf and consistency since an earlier size, under the newest checkpoint."""

    checkpoint: bytes
    index: int
    inclusion: tuple[bytes, ...]
    consistency: tuple[bytes, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryPage:
    """Part of an authority's log with its newest head."""

    head: bytes
    statements: tuple[bytes, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameArrived:
    """A frame that a peer brought, as it came: signed header and sealed body."""

    header: bytes
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameStored:
    """A pushed frame that was verified and stored: its id (16 bytes), and the leaf of the journal entry."""

    frame: bytes
    leaf: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameRefused:
    """A pushed frame that was refused whole; `frame` is its id, empty if the header could not be read."""

    frame: bytes
    answer: RefusedAnswer


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticesTaken:
    """What a holder answers to a batch of notices: the number it expects next.

    `refused` says why the replacement that came along was not taken in; the notices are applied all the same.
    """

    expected: int
    refused: RefusedAnswer | None = None
