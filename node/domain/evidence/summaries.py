"""What a bundle states, in rows for people: who showed what to whom, who holds it, which changes were followed.

Nothing is verified here: that is `verify`'s work, on the same file.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TypeVar

from agreements import filing, termination
from agreements import terms as agreed
from agreements.filing import FilingReceipt
from agreements.termination import Termination
from agreements.terms import Terms
from crypto import envelope
from crypto.errors import CryptoError, Malformed
from crypto.frame import KIND as FRAME
from crypto.frame import FrameHeader
from node.domain.evidence.lines import (
    DocumentLine,
    EntryLine,
    FrameLine,
    LeafLine,
    Line,
    NoticesLine,
    ReceiptsLine,
    read_line,
)
from node.domain.evidence.opened import Opened, open_entry
from node.domain.notices import KIND as NOTICES
from node.domain.notices import NoticeBatch
from node.domain.receipts import COPY_KIND, CopyReceiptBatch, CopyStage, ReceiptBatch
from node.domain.receipts import KIND as RECEIPTS

P = TypeVar("P", bound=envelope.Suited)


@dataclass(slots=True, kw_only=True)
class AgreementSeen:
    """An agreement with what was filed of it."""

    agreement: str
    title: str
    provider: str
    recipient: str
    direction: str
    effective_from: datetime
    expires_at: datetime
    filed_with: list[str] = field(default_factory=list)
    filed_at: datetime | None = None
    due_on: date | None = None
    late: bool | None = None
    ended_at: datetime | None = None


@dataclass(slots=True, kw_only=True)
class Disclosure:
    """A frame that was sent: when, to whom, under what, how many renditions, and what became of it."""

    entry: int
    at: datetime
    recipient: str
    agreement: str
    filings: str
    mode: str
    purpose: str | None
    renditions: int
    frame: str
    state: str
    receipted_at: datetime | None = None
    gone: int = 0


@dataclass(slots=True, kw_only=True)
class NoticeSeen:
    """A notice: about which copies, to whom, until when, and when it was followed."""

    number: int
    holder: str
    agreement: str
    alias: str
    effect: str
    occurred_at: datetime
    due: datetime
    sent_at: datetime
    stage: str = "SENT"
    followed_at: datetime | None = None
    late: bool = False


@dataclass(slots=True, kw_only=True)
class HolderSeen:
    """Who was given copies of one record under one agreement, by its alias there, and whether any is left."""

    alias: str
    holder: str
    agreement: str
    copies: int = 0
    gone: int = 0
    last_shown: datetime | None = None
    held: bool = True


@dataclass(slots=True, kw_only=True)
class EntrySeen:
    """A journal entry with its opened detail."""

    entry: int
    at: datetime
    act: str
    counterparty: str
    agreement: str
    detail: dict[str, str | int | None]


def agreements_in(lines: Iterable[bytes]) -> list[AgreementSeen]:
    """The agreements, in the order in which they came to the node."""
    found: dict[str, AgreementSeen] = {}
    later: list[tuple[str, FilingReceipt | Termination]] = []
    for line in _read(lines):
        if isinstance(line, DocumentLine):
            _take_document(line, found, later)
        elif isinstance(line, EntryLine):
            break
    for agreement, paper in later:
        seen = found.get(agreement)
        if seen is None:
            continue
        if isinstance(paper, Termination):
            seen.ended_at = max(paper.effective_at, paper.issued_at)
        elif paper.authority not in seen.filed_with:
            seen.filed_with.append(paper.authority)
            seen.filed_at, seen.due_on, seen.late = paper.filed_at, paper.due_on, paper.late
    return list(found.values())


def disclosures_in(lines: Iterable[bytes]) -> list[Disclosure]:
    """Every frame that was sent, in the order of the journal."""
    found: dict[str, Disclosure] = {}
    for entry, line in _documents(lines):
        if isinstance(line, FrameLine):
            one = _disclosure(entry, line)
            if one is not None:
                found[one.frame] = one
        elif isinstance(line, ReceiptsLine):
            batch = _receipts(line)
            for receipt in batch.receipts if isinstance(batch, ReceiptBatch) else ():
                frame = found.get(receipt.frame)
                if frame is not None and frame.recipient == entry.counterparty:
                    frame.state, frame.receipted_at = "RECEIPTED", receipt.at
    return list(found.values())


def notices_in(lines: Iterable[bytes]) -> list[NoticeSeen]:
    """Every notice that was sent, in the order of the journal."""
    found: dict[tuple[str, str], NoticeSeen] = {}
    for entry, line in _documents(lines):
        if isinstance(line, NoticesLine):
            batch = _payload(line.raw, NOTICES, NoticeBatch)
            for number, one in enumerate(batch.notices if batch else (), batch.first if batch else 0):
                found[entry.counterparty, one.notice] = NoticeSeen(
                    number=number, holder=entry.counterparty, agreement=entry.agreement, alias=one.alias,
                    effect=one.effect.value, occurred_at=one.occurred_at, due=one.due, sent_at=entry.at,
                )  # fmt: skip
        elif isinstance(line, ReceiptsLine):
            _follow(_receipts(line), entry.counterparty, found)
    return list(found.values())


def holders_in(lines: Iterable[bytes]) -> list[HolderSeen]:
    """Who was given copies, by alias, and whether receipts say that they are gone; refused frames do not count."""
    found: dict[tuple[str, str], HolderSeen] = {}
    for _, line in _documents(lines):
        if not isinstance(line, FrameLine) or line.refused is not None:
            continue
        header = _payload(line.header, FRAME, FrameHeader)
        if header is None:
            continue
        for copy in line.copies:
            key = (copy.alias, header.recipient)
            seen = found.setdefault(
                key, HolderSeen(alias=copy.alias, holder=header.recipient, agreement=header.agreement)
            )
            seen.copies += 1
            seen.gone += copy.closed_by is not None
            seen.last_shown = header.time
            seen.held = seen.gone < seen.copies
    return list(found.values())


def journal_in(lines: Iterable[bytes]) -> Iterator[EntrySeen]:
    """Every opened entry, in order."""
    index = 0
    for line in _read(lines):
        entry, index = _entry(line, index)
        if entry is not None:
            yield EntrySeen(
                entry=entry.index, at=entry.at, act=entry.act.value, counterparty=entry.counterparty,
                agreement=entry.agreement, detail=dict(entry.detail),
            )  # fmt: skip


def _take_document(
    line: DocumentLine, found: dict[str, AgreementSeen], later: list[tuple[str, FilingReceipt | Termination]]
) -> None:
    kinds = (agreed.KIND, filing.KIND, termination.KIND)
    try:
        signed = envelope.parse_any(line.raw.encode(), kinds)
        if signed.payload_type == envelope.payload_type(filing.KIND):
            receipt = envelope.read_payload(signed, FilingReceipt)
            later.append((receipt.agreement, receipt))
        elif signed.payload_type == envelope.payload_type(termination.KIND):
            ending = envelope.read_payload(signed, Termination)
            later.append((ending.agreement, ending))
        else:
            _take_terms(signed, envelope.read_payload(signed, Terms), found)
    except CryptoError:
        return


def _take_terms(signed: envelope.Signed, terms: Terms, found: dict[str, AgreementSeen]) -> None:
    digest = signed.digest.hex()
    if digest in found:
        return
    found[digest] = AgreementSeen(
        agreement=digest, title=terms.title, provider=terms.provider, recipient=terms.recipient,
        direction=terms.direction.value,
        effective_from=terms.effective_from, expires_at=terms.expires_at,
    )  # fmt: skip


def _disclosure(entry: Opened, line: FrameLine) -> Disclosure | None:
    header = _payload(line.header, FRAME, FrameHeader)
    if header is None:
        return None
    state = "CANCELLED" if line.cancelled else "SENT" if line.refused is None else f"REFUSED {line.refused}"
    return Disclosure(
        entry=entry.index, at=header.time, recipient=header.recipient, agreement=header.agreement,
        filings=header.filings, mode=header.mode, purpose=header.purpose, renditions=header.count,
        frame=header.frame, state=state, gone=sum(one.closed_by is not None for one in line.copies),
    )  # fmt: skip


def _follow(
    batch: ReceiptBatch | CopyReceiptBatch | None, holder: str, found: dict[tuple[str, str], NoticeSeen]
) -> None:
    for receipt in batch.receipts if isinstance(batch, CopyReceiptBatch) else ():
        seen = None if receipt.notice is None else found.get((holder, receipt.notice))
        if seen is None:
            continue
        seen.stage = receipt.stage.value
        if receipt.stage is not CopyStage.RECEIVED and seen.followed_at is None:
            seen.followed_at, seen.late = receipt.at, receipt.at > seen.due


def _documents(lines: Iterable[bytes]) -> Iterator[tuple[Opened, Line]]:
    """Each document with the entry that it stands behind."""
    entry: Opened | None = None
    index = 0
    for line in _read(lines):
        opened, index = _entry(line, index)
        if opened is not None or isinstance(line, EntryLine):
            entry = opened
        elif entry is not None:
            yield entry, line


def _entry(line: Line, index: int) -> tuple[Opened | None, int]:
    """The entry in a line, if it is one, and the index of the next."""
    if isinstance(line, LeafLine):
        return None, index + 1
    if not isinstance(line, EntryLine):
        return None, index
    try:
        return open_entry(line, index), index + 1
    except CryptoError:
        return None, index + 1


def _receipts(line: ReceiptsLine) -> ReceiptBatch | CopyReceiptBatch | None:
    return _payload(line.raw, RECEIPTS, ReceiptBatch) or _payload(line.raw, COPY_KIND, CopyReceiptBatch)


def _payload(raw: str, kind: str, struct: type[P]) -> P | None:
    try:
        return envelope.read_payload(envelope.parse(raw.encode(), kind), struct)
    except CryptoError:
        return None


def _read(lines: Iterable[bytes]) -> Iterator[Line]:
    """The lines that read; others are for `verify` to find."""
    for raw in lines:
        try:
            yield read_line(raw)
        except Malformed:
            continue
