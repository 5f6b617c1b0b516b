"""An agreement's state: what a set of signed documents amounts to, in whatever order they came.

Terms are signed by provider and recipient, together or in separate envelopes of the same payload; authorities
sign filing receipts; either party signs a termination. `fold` is a function of the *set* of documents: order
and repetition change nothing, so both sides come to the same state once they hold the same documents.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from agreements.documents import AgreementDocument, read_document
from agreements.filing import FilingReceipt
from agreements.refusal import Fault, Refusal
from agreements.termination import Termination
from agreements.terms import Terms
from crypto.frame import filing_set_digest
from registry.norms.rule_pack import RulePack
from registry.parties import Jurisdiction, PartyId
from registry.snapshot import Snapshot


class State(StrEnum):
    """What an agreement is at one instant. SUSPENDED is reserved for orders."""

    DRAFT = "DRAFT"
    PROPOSED = "PROPOSED"
    SIGNED = "SIGNED"
    FILED = "FILED"
    ACTIVE = "ACTIVE"
    SUSPENDED = "SUSPENDED"
    TERMINATED = "TERMINATED"
    EXPIRED = "EXPIRED"


_NOT_IN_FORCE: Final[Mapping[State, Refusal]] = {
    State.DRAFT: Refusal.AGREEMENT_NOT_FILED,
    State.PROPOSED: Refusal.AGREEMENT_NOT_FILED,
    State.SIGNED: Refusal.AGREEMENT_NOT_FILED,
    State.FILED: Refusal.AGREEMENT_NOT_FILED,
    State.SUSPENDED: Refusal.AGREEMENT_SUSPENDED,
    State.TERMINATED: Refusal.AGREEMENT_EXPIRED,
    State.EXPIRED: Refusal.AGREEMENT_EXPIRED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Filed:
    """A receipt that counts, and the digest of its document."""

    digest: bytes
    receipt: FilingReceipt


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """What the documents of one agreement amount to.

    `required` are the jurisdictions whose filing the rule pack asks for; `filings` holds one receipt for
    each that gave one: of several the earliest, then the lowest digest. `filing_set` is their common
    digest, which every frame names. `rivals` are the digests of other terms for the same agreement id that
    were set aside.
    """

    terms: Terms
    digest: bytes
    signed_by: frozenset[PartyId]
    required: frozenset[Jurisdiction]
    filings: Mapping[Jurisdiction, Filed]
    filing_set: bytes
    terminated_at: datetime | None
    rivals: frozenset[bytes]

    @property
    def is_signed(self) -> bool:
        """Whether both parties signed."""
        return self.signed_by >= self.terms.parties

    @property
    def filed_at(self) -> datetime | None:
        """When the last required receipt was given; None while one is missing, or when none is asked for."""
        if missing_filings(self):
            return None
        return max((filed.receipt.filed_at for filed in self.filings.values()), default=None)

    @property
    def over_at(self) -> datetime:
        """From when on it carries nothing any more: the end that a party declared, or that of its term."""
        ends = self.terms.expires_at
        return ends if self.terminated_at is None else min(ends, self.terminated_at)


def fold(documents: Iterable[bytes], snapshot: Snapshot, rules: RulePack) -> Agreement | None:
    """The agreement that a set of documents amounts to; None if no readable terms are among them.

    Documents that do not read or verify, and those that belong to other terms, change nothing. Of rival terms
    those with more of the two signatures come first, then the lowest digest: nobody displaces signed terms
    alone, and both sides choose alike without asking each other.
    """
    return fold_read(filter(None, (_readable(raw, snapshot, rules) for raw in documents)), snapshot, rules)


def fold_read(documents: Iterable[AgreementDocument], snapshot: Snapshot, rules: RulePack) -> Agreement | None:
    """The same of documents that `read_document` has read by this snapshot: no signature is verified again."""
    read = {document.raw: document for document in documents}
    signed_by = _signatures(read.values())
    if not signed_by:
        return None
    terms_of = {one.digest: one.payload for one in read.values() if isinstance(one.payload, Terms)}
    chosen = min(terms_of, key=lambda digest: (-len(signed_by[digest]), digest))
    own = [one for one in read.values() if one.agreement == chosen]
    terms = terms_of[chosen]
    required = rules.required_filings(_jurisdictions(terms, snapshot))
    filings = _filings(own, required, snapshot)
    return Agreement(
        terms=terms,
        digest=chosen,
        signed_by=signed_by[chosen],
        required=required,
        filings=filings,
        filing_set=filing_set_digest([filed.digest for filed in filings.values()]),
        terminated_at=_terminated_at(own, terms),
        rivals=frozenset(terms_of) - {chosen},
    )


def state_at(agreement: Agreement, at: datetime) -> State:
    """The state at one instant: termination dominates, then expiry, then what is signed and filed by then.

    FILED is filed but not yet effective. A receipt counts from the time that the authority put on it.
    """
    if agreement.terminated_at is not None and at >= agreement.terminated_at:
        return State.TERMINATED
    if at >= agreement.terms.expires_at:
        return State.EXPIRED
    if not agreement.is_signed:
        return State.PROPOSED if agreement.signed_by else State.DRAFT
    filed_at = agreement.filed_at
    if filed_at is None or at < filed_at:
        return State.SIGNED
    return State.ACTIVE if at >= agreement.terms.effective_from else State.FILED


def not_in_force(agreement: Agreement, at: datetime) -> Fault | None:
    """Why an agreement carries nothing at `at`; None when it is in force.

    Not signed by both, not filed everywhere, or filed but not yet effective: AGREEMENT_NOT_FILED, for until
    then the filing has no effect. Terminated or run out: AGREEMENT_EXPIRED.
    """
    state = state_at(agreement, at)
    if state is State.ACTIVE:
        return None
    return _NOT_IN_FORCE[state], f"agreement: expected {State.ACTIVE}, got {state}"


def missing_filings(agreement: Agreement) -> frozenset[Jurisdiction]:
    """Which required receipts are not there (S 34)."""
    return agreement.required - agreement.filings.keys()


def _readable(raw: bytes, snapshot: Snapshot, rules: RulePack) -> AgreementDocument | None:
    document = read_document(raw, snapshot, rules)
    return document if isinstance(document, AgreementDocument) else None


def _signatures(documents: Iterable[AgreementDocument]) -> dict[bytes, frozenset[PartyId]]:
    """Who signed which terms, over all envelopes of the same payload."""
    signed_by: dict[bytes, frozenset[PartyId]] = {}
    for document in documents:
        if isinstance(document.payload, Terms):
            signed_by[document.digest] = signed_by.get(document.digest, frozenset()) | document.signed_by
    return signed_by


def _jurisdictions(terms: Terms, snapshot: Snapshot) -> frozenset[Jurisdiction]:
    """Where the parties are; one that is not listed cannot have signed, so leaving it out grants nothing."""
    listings = (snapshot.party(party) for party in terms.parties)
    return frozenset(listing.card.card.jurisdiction for listing in listings if listing is not None)


def _filings(
    documents: Sequence[AgreementDocument], required: frozenset[Jurisdiction], snapshot: Snapshot
) -> Mapping[Jurisdiction, Filed]:
    receipts = [
        Filed(digest=one.digest, receipt=one.payload) for one in documents if isinstance(one.payload, FilingReceipt)
    ]
    chosen: dict[Jurisdiction, Filed] = {}
    for jurisdiction in sorted(required):
        authority = snapshot.authority_of(jurisdiction)
        own = [filed for filed in receipts if authority and filed.receipt.authority == authority.party]
        if own:
            chosen[jurisdiction] = min(own, key=lambda filed: (filed.receipt.filed_at, filed.digest))
    return MappingProxyType(chosen)


def _terminated_at(documents: Sequence[AgreementDocument], terms: Terms) -> datetime | None:
    """The earliest end that a party declared; none works before it was issued: no past is rewritten."""
    endings = [one.payload for one in documents if isinstance(one.payload, Termination)]
    return min((max(one.effective_at, one.issued_at) for one in endings if one.party in terms.parties), default=None)
