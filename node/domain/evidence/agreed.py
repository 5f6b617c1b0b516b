"""The agreements in a bundle, as their signed documents make them, and what they allow at a moment (S 34, 35)."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from agreements.agreement import Agreement, State, fold_read, missing_filings, not_in_force
from agreements.documents import AgreementDocument, read_document
from agreements.refusal import Refusal, Refused
from agreements.termination import Termination
from agreements.terms import Manner, epoch_at
from crypto.frame import FrameHeader
from node.domain.evidence.findings import Step, Tally, Wrong
from node.domain.evidence.trust import Trust
from registry.norms.calendar import Calendar
from registry.norms.rule_pack import RulePack

Found = Callable[[Wrong, str, str], None]
"""Notes one finding, what was expected and what was got, about the thing that is looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Norms:
    """The law by which a check judges."""

    rules: RulePack
    calendar: Calendar


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What every later step stands on: whose bundle it is, whom to believe, what was agreed, by which law."""

    node: str
    trust: Trust = field(repr=False)
    agreements: Mapping[str, Agreement] = field(repr=False)
    norms: Norms = field(repr=False)
    tally: Tally = field(repr=False)
    endings: Mapping[str, Termination] = field(repr=False)
    """Terminations, by their document's digest in hex."""
    ended: dict[str, datetime] = field(default_factory=dict, repr=False)
    """Since when each agreement is over, as far as the journal read so far says that the node knew it."""
    learnt: set[str] = field(default_factory=set, repr=False)
    """Digests of the filing receipts and terminations that the journal read so far says the node had."""

    def knows(self, party: str) -> bool:
        """Whether what a party signed can be judged; if that takes a card that was not given, it is noted."""
        if self.trust.knows(party):
            return True
        self.tally.hindered(lacking(party, self.trust.unknown))
        return False

    def learned(self, document: str) -> None:
        """Note that the node has sent or received a document: from here on a filing or a termination counts."""
        self.learnt.add(document)
        ending = self.endings.get(document)
        if ending is not None:
            at = max(ending.effective_at, ending.issued_at)
            self.ended[ending.agreement] = min(at, self.ended.get(ending.agreement, at))


def lacking(whom: str, unknown: frozenset[str]) -> str:
    """Why something cannot be checked: these authorities might list who signed it, and their cards were not given."""
    return f"the cards given do not lead to {whom}; the bundle names {', '.join(sorted(unknown))}"


class AgreementsCheck:
    """Takes in the documents of agreements."""

    def __init__(self, trust: Trust, norms: Norms, tally: Tally) -> None:
        self.trust = trust
        self._norms = norms
        self._tally = tally
        self._documents: dict[bytes, list[AgreementDocument]] = defaultdict(list)
        self.endings: dict[str, Termination] = {}
        self._count = 0

    def document(self, raw: str) -> None:
        """Take one document; what does not read or verify is a finding, and counts for nothing."""
        self._count += 1
        self._tally.checked(Step.AGREEMENTS)
        document = read_document(raw.encode(), self.trust.snapshot, self._norms.rules)
        if isinstance(document, Refused):
            if self.trust.unknown and document.reason is Refusal.SIGNATURE_INVALID:
                self._tally.hindered(lacking("whoever signed an agreement's document", self.trust.unknown))
                return
            place, got = f"agreements: document {self._count}", document.reason.value
            expected = "readable, signed by whom it names"
            self._tally.found(Step.AGREEMENTS, Wrong.DOCUMENT_BROKEN, place, expected, got)
            return
        if isinstance(document.payload, Termination):
            self.endings[document.digest.hex()] = document.payload
        else:
            self._documents[document.agreement].append(document)

    def agreed(self) -> Mapping[str, Agreement]:
        """The agreements, by the digest of their terms in hex; that one was ended is for the journal to say."""
        folded = (fold_read(some, self.trust.snapshot, self._norms.rules) for some in self._documents.values())
        return {one.digest.hex(): one for one in folded if one is not None}


def judge_frame(ground: Ground, header: FrameHeader, place: str) -> None:
    """Say in what a frame went beyond what was signed, filed and in force at its time."""
    agreement = ground.agreements.get(header.agreement)

    def found(wrong: Wrong, expected: str, got: str) -> None:
        ground.tally.found(Step.FRAMES, wrong, place, expected, got)

    if agreement is None or not agreement.is_signed:
        found(Wrong.FRAME_WITHOUT_AGREEMENT, "terms that both parties signed", "none" if agreement is None else "draft")
        return
    if (header.sender, header.recipient) != (agreement.terms.provider, agreement.terms.recipient):
        found(Wrong.FRAME_WITHOUT_AGREEMENT, "one between sender and recipient", "one between others")
        return
    for party in sorted(agreement.terms.parties):
        if not ground.trust.is_admitted(party, header.time):
            found(Wrong.FRAME_PARTY_NOT_ADMITTED, f"{party} admitted", "not admitted")
    _judge_filing(agreement, header, ground, found)
    for expected, got in _beyond(agreement, header):
        found(Wrong.FRAME_OUTSIDE_AGREEMENT, expected, got)


def _judge_filing(agreement: Agreement, header: FrameHeader, ground: Ground, found: Found) -> None:
    missing, ended = missing_filings(agreement), ground.ended.get(header.agreement)
    filed_at = agreement.filed_at
    if missing:
        found(Wrong.FRAME_WITHOUT_FILING, f"a filing receipt of {', '.join(sorted(missing))}", "none")
    elif filed_at is not None and header.time < filed_at:
        found(Wrong.FRAME_WITHOUT_FILING, "filed before it was disclosed", "filed later")
    elif not all(one.digest.hex() in ground.learnt for one in agreement.filings.values()):
        found(Wrong.FRAME_WITHOUT_FILING, "receipts that were journalled before", "journalled later, or never")
    elif header.filings != agreement.filing_set.hex():
        found(Wrong.FRAME_WITHOUT_FILING, "the filing set of its agreement", "another set")
    elif (fault := not_in_force(agreement, header.time)) is not None:
        found(Wrong.FRAME_NOT_IN_FORCE, "in force", fault[0].value)
    elif ended is not None and header.time > ended:
        found(Wrong.FRAME_NOT_IN_FORCE, "in force", State.TERMINATED.value)


def _beyond(agreement: Agreement, header: FrameHeader) -> list[tuple[str, str]]:
    """What of a frame its terms do not allow. A replacement is pushed under any manner (S 39, 42)."""
    terms, beyond = agreement.terms, []
    epoch = epoch_at(terms, header.time)
    if epoch is None or epoch.number != header.epoch:
        beyond.append(("the epoch of its time", str(header.epoch)))
    if header.mode == "ANSWER":
        if Manner.PULL not in terms.manner:
            beyond.append(("a manner agreed", header.mode))
        if header.purpose not in terms.purposes:
            beyond.append(("a purpose agreed", "another"))
    return beyond
