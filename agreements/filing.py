"""Filing: an authority takes note of a signed agreement and gives a signed receipt (S 34).

No filing, no flow. A late filing is accepted and recorded as late: it is a breach, and never cured in
silence.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Final

import msgspec

from agreements.checking import check_terms
from agreements.refusal import Refusal, Refused, refuse
from agreements.signatures import reason_of, sign_document, signers
from agreements.terms import KIND as TERMS_KIND
from agreements.terms import PackId, Terms
from crypto import envelope
from crypto.canonical import Hex32
from crypto.errors import CryptoError
from crypto.keys import SigningKey, Suite
from registry.errors import CalendarUnavailable
from registry.norms.calendar import Calendar, Due, shanghai_day
from registry.norms.catalogue import Catalogue
from registry.norms.rule_pack import RulePack
from registry.parties import Instant, Jurisdiction, PartyId, PartyName
from registry.snapshot import Snapshot

KIND: Final = "filing-receipt"


class FilingReceipt(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An authority's statement that an agreement was filed with it, when, and whether in time.

    `agreement` is the digest of the terms. `due_on` is the last day in time; `calendar_packs` are those it
    was computed from, and `provisional` says that one of them was not official yet.
    """

    receipt_no: Annotated[str, msgspec.Meta(pattern=r"\A[A-Za-z0-9][A-Za-z0-9-]{0,63}\Z")]
    authority: PartyName
    agreement: Hex32
    filed_by: PartyName
    filed_at: Instant
    stated_signing_date: date
    due_on: date
    late: bool
    calendar_packs: tuple[PackId, ...]
    provisional: bool
    rule_pack: PackId
    suite: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """One filing: the terms document signed by both, who brought it, and the number for its receipt."""

    document: bytes
    filed_by: PartyId
    receipt_no: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Where an authority files: who it is, whom the registry lists, and the law that it applies."""

    authority: PartyId
    snapshot: Snapshot
    rules: RulePack
    catalogue: Catalogue
    calendar: Calendar

    def jurisdiction_of(self, party: PartyId) -> Jurisdiction | None:
        """Where a listed party is."""
        listing = self.snapshot.party(party)
        return None if listing is None else listing.card.card.jurisdiction

    def refuse(self, reason: Refusal, detail: str) -> Refused:
        """Refuse under this desk's rule pack."""
        return refuse(reason, self.rules.reference, detail)


def file(submission: Submission, at: datetime, desk: Desk) -> FilingReceipt | Refused:
    """Decide whether to take note of an agreement at `at`, a UTC time of whole seconds (S 34).

    Both signatures hold, the terms pass every check of `check_terms`, the stated day of signing is not to
    come, the agreement has not run out, and a party under this authority brings it (the Shenzhen party,
    when one is in Shenzhen). Lateness is recorded and refuses nothing.
    """
    opened = _signed_terms(submission.document, desk)
    if isinstance(opened, Refused):
        return opened
    terms, digest = opened
    refused = _judge(terms, submission.filed_by, at, desk)
    if refused is not None:
        return refused
    try:
        due = filing_due(terms, desk.calendar, desk.rules)
    except CalendarUnavailable:
        return desk.refuse(Refusal.CALENDAR_UNAVAILABLE, "stated_signing_date: expected a covered year")
    return FilingReceipt(
        receipt_no=submission.receipt_no,
        authority=desk.authority,
        agreement=digest.hex(),
        filed_by=submission.filed_by,
        filed_at=at,
        stated_signing_date=terms.stated_signing_date,
        due_on=due.day,
        late=shanghai_day(at) > due.day,
        calendar_packs=due.packs,
        provisional=due.provisional,
        rule_pack=desk.rules.reference,
        suite=Suite.ONE,
    )


def issue_receipt(receipt: FilingReceipt, key: SigningKey) -> bytes:
    """The receipt signed by the authority's document key."""
    return sign_document(KIND, receipt, key)


def filing_due(terms: Terms, calendar: Calendar, rules: RulePack) -> Due:
    """The last day on which filing is in time: working days from the day of signing that the terms state.

    Raises:
        CalendarUnavailable: no calendar pack covers the days to count.
    """
    return due_from(terms.stated_signing_date, calendar, rules)


def due_from(day: date, calendar: Calendar, rules: RulePack) -> Due:
    """The same from another day; from the first signature seen, it is when to warn at the latest."""
    return rules.filing_clock.due(day, calendar)


def _signed_terms(document: bytes, desk: Desk) -> tuple[Terms, bytes] | Refused:
    try:
        signed = envelope.parse(document, TERMS_KIND)
        terms = envelope.read_payload(signed, Terms)
        signed_by = signers(signed, terms.parties, desk.snapshot.keys_of)
    except CryptoError as failure:
        return desk.refuse(reason_of(failure), "document: expected readable terms, signed by both parties")
    if signed_by != terms.parties:
        got = f"{len(signed_by)} of {len(terms.parties)}"
        return desk.refuse(Refusal.SIGNATURE_INVALID, f"signatures: expected both parties, got {got}")
    return terms, signed.digest


def _judge(terms: Terms, filed_by: PartyId, at: datetime, desk: Desk) -> Refused | None:
    provider, recipient = desk.snapshot.party(terms.provider), desk.snapshot.party(terms.recipient)
    if provider is None or recipient is None or not (provider.is_active and recipient.is_active):
        return desk.refuse(Refusal.PEER_UNKNOWN, "parties: expected admitted, got not admitted")
    problems = check_terms(terms, provider.card.card, recipient.card.card, desk.rules, desk.catalogue)
    if problems:
        return desk.refuse(problems[0].reason, problems[0].detail)
    if filed_by not in terms.parties or desk.jurisdiction_of(filed_by) != desk.jurisdiction_of(desk.authority):
        return desk.refuse(Refusal.PARTY_NOT_ELIGIBLE, "filed_by: expected a party under this authority")
    if terms.stated_signing_date > shanghai_day(at):
        return desk.refuse(Refusal.MALFORMED, "stated_signing_date: expected a day that has come")
    if at >= terms.expires_at:
        return desk.refuse(Refusal.AGREEMENT_EXPIRED, "expires_at: expected later than the filing")
    return None
