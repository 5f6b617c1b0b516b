"""Who takes part and what they agreed: operators, registries, agreements, consents, quotas."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from node.operations.rows import (
    ActRow,
    AgreementDocumentRow,
    ConsentRow,
    OperatorRow,
    PeerHead,
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

        Gives back those already used for another request, with the digest of that one.
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
