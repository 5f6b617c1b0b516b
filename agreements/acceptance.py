"""What a recipient demands of a frame that proved itself, before anything of it is kept (S 34, 35)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from agreements.agreement import Agreement, not_in_force
from agreements.refusal import Fault, Refusal, Refused, refuse
from agreements.terms import Manner, Terms, epoch_at
from crypto.frame import FrameHeader
from registry.freshness import TOLERANCE
from registry.parties import PartyId


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameFacts:
    """A frame's verified header, the peer that it came from, and who received it.

    `shown` are the field names in its renditions, by kind; empty when each rendition is checked on its own.
    `replacing`: it came with the notices that its renditions answer to, which needs no manner of its own (S 42).
    """

    header: FrameHeader
    sender: PartyId
    recipient: PartyId
    shown: Mapping[str, frozenset[str]] = field(default_factory=dict)
    replacing: bool = False


def accept_frame(facts: FrameFacts, agreement: Agreement, at: datetime, rule_pack: str) -> Refused | None:
    """The recipient's own check of a verified frame, before anything of it is kept; None when it may be.

    The frame is from the provider of this very agreement, to this recipient, under the same filings as are
    held here (rule 1), in force when it was made and still now, of that time's epoch, in a manner and for a
    purpose agreed, with no field beyond those agreed.
    """
    header = facts.header
    fault = (
        _misdirected(facts, agreement)
        or _ahead(header, at)
        or not_in_force(agreement, header.time)
        or not_in_force(agreement, max(at, header.time))
        or _otherwise_filed(header, agreement)
        or _outside(header, agreement.terms, replacing=facts.replacing)
        or _unagreed(facts.shown, agreement.terms)
    )
    return None if fault is None else refuse(fault[0], rule_pack, fault[1])


def _misdirected(facts: FrameFacts, agreement: Agreement) -> Fault | None:
    header, terms = facts.header, agreement.terms
    if (
        header.agreement == agreement.digest.hex()
        and header.sender == facts.sender == terms.provider
        and header.recipient == facts.recipient == terms.recipient
    ):
        return None
    return Refusal.AGREEMENT_MISSING, "agreement: expected this one, between its own parties"


def _ahead(header: FrameHeader, at: datetime) -> Fault | None:
    if header.time - at <= TOLERANCE:
        return None
    return Refusal.MALFORMED, "time: expected one that has come"


def _otherwise_filed(header: FrameHeader, agreement: Agreement) -> Fault | None:
    if header.filings == agreement.filing_set.hex():
        return None
    return Refusal.AGREEMENT_NOT_FILED, "filings: expected the set held here"


def _outside(header: FrameHeader, terms: Terms, *, replacing: bool) -> Fault | None:
    epoch = epoch_at(terms, header.time)
    if epoch is None or epoch.number != header.epoch:
        return Refusal.AGREEMENT_SCOPE, "epoch: expected that of its time"
    if not replacing and (Manner.PUSH if header.mode == "PUSH" else Manner.PULL) not in terms.manner:
        return Refusal.AGREEMENT_SCOPE, f"mode: expected agreed, got {header.mode}"
    if header.purpose is not None and header.purpose not in terms.purposes:
        return Refusal.PURPOSE_MISMATCH, "purpose: expected one agreed"
    return None


def _unagreed(shown: Mapping[str, frozenset[str]], terms: Terms) -> Fault | None:
    agreed = terms.precisions
    if all(names <= agreed.get(kind, {}).keys() for kind, names in shown.items()):
        return None
    return Refusal.AGREEMENT_SCOPE, "fields: expected only those agreed"
