"""Journal entries: what a node writes down of every act, without writing down what it was about.

An entry is one leaf of an RFC 6962 log (docs/protocol/journal.md). It holds identifiers of documents and a
salted commitment to the detail; the detail itself (reason codes, ids, digests, never content) stays beside the
journal with its salt, so that it can be opened to an inspector and to nobody else.
"""

import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime
from enum import StrEnum

import msgspec

from crypto.canonical import canonical
from crypto.merkle import leaf_hash
from registry.parties import PartyId

NOBODY = PartyId("-")
NO_AGREEMENT = "0" * 64
_DETAIL_DOMAIN = b"creditport/journal-detail/v1"

Detail = Mapping[str, str | int | None]


class Act(StrEnum):
    """What was done; one word for each kind of entry."""

    QUERY = "query"
    BATCH = "batch"
    EVALUATE = "evaluate"
    FRAME_RECEIVED = "frame.received"
    ASKED = "query.asked"
    RECEIPT = "receipt"
    AGREEMENT = "agreement"
    FILING = "filing"
    REGISTRY = "registry"
    RECORDS = "records"
    CHANGE = "record.changed"
    RECHECK = "records.rechecked"
    PUSH = "push"
    NOTICES = "notices.sent"
    NOTICES_TAKEN = "notices.taken"
    COPIES_ENDED = "copies.ended"
    ERASED = "erased"
    INSPECTION = "inspection"
    CLOCK = "clock"
    CONSENT = "consent"
    OPERATOR = "operator"
    REFUSED = "refused"
    REFUSED_BY_PEER = "refused.by.peer"
    FORK = "journal.fork"
    UNPROVEN = "journal.unproven"


class JournalEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The signed-over shape of one leaf; canonical JSON of it is the leaf data."""

    act: Act
    agreement: str
    at: datetime
    counterparty: PartyId
    detail: str
    entry: str
    node: PartyId
    suite: int


class Drafted(msgspec.Struct, frozen=True, kw_only=True):
    """An entry ready to be inserted, unsequenced: leaf data, its hash, and the opening of its detail."""

    entry: bytes
    leaf: bytes
    detail: bytes
    salt: bytes

    def __repr__(self) -> str:
        return "Drafted(...)"


class EntryFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What a caller of `draft` knows of the act."""

    act: Act
    detail: Detail
    counterparty: PartyId = NOBODY
    agreement: bytes | None = None


def draft(facts: EntryFacts, node: PartyId, at: datetime, random: Callable[[int], bytes]) -> Drafted:
    """Make the leaf of one act.

    The detail is hidden behind a 32-byte salt, because reason codes and small numbers could be guessed.
    """
    (drafted,) = draft_alike(facts, 1, node, at, random)
    return drafted


def draft_alike(
    facts: EntryFacts, count: int, node: PartyId, at: datetime, random: Callable[[int], bytes]
) -> list[Drafted]:
    """Make the leaves of as many acts of which the same is told: each has a salt and a name of its own."""
    detail = canonical(dict(facts.detail))
    like = {
        "act": facts.act.value,
        "agreement": facts.agreement.hex() if facts.agreement else NO_AGREEMENT,
        "at": at,
        "counterparty": facts.counterparty,
        "detail": "",
        "entry": "",
        "node": node,
        "suite": 1,
    }
    # Quotes within a text are escaped, so that no value can look like these two fields.
    before, _, behind = canonical(like).partition(b'"detail":"","entry":""')
    return [_drafted((before, behind), detail, random) for _ in range(count)]


def _drafted(around: tuple[bytes, bytes], detail: bytes, random: Callable[[int], bytes]) -> Drafted:
    salt = random(32)
    before, behind = around
    own = f'"detail":"{detail_commitment(salt, detail).hex()}","entry":"{random(16).hex()}"'
    entry = before + own.encode() + behind
    return Drafted(entry=entry, leaf=leaf_hash(entry), detail=detail, salt=salt)


def detail_commitment(salt: bytes, detail: bytes) -> bytes:
    """Commit to the canonical detail of an entry under a 32-byte salt."""
    return hashlib.sha256(_DETAIL_DOMAIN + salt + detail).digest()


def journal_origin(party: PartyId) -> str:
    """Name of a party's journal in its checkpoints (C2SP tlog-checkpoint, first line)."""
    return f"creditport/journal/{party}"
