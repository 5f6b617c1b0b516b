"""Accept frames that a provider pushed, or that came with its notices: verify, check again, keep, queue the receipt.

What every frame has to stand stands here; what an answer must be beyond that, in `accept_answers`.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

import msgspec

from agreements.acceptance import FrameFacts, accept_frame
from agreements.agreement import Agreement
from agreements.refusal import Refusal, Refused, refuse
from agreements.signatures import reason_of
from crypto.commitment import Value
from crypto.errors import BadSeal, CryptoError
from crypto.frame import FrameHeader, open_body, open_header
from crypto.keys import Purpose
from crypto.renditions import Read, Said
from node.domain.context import Context
from node.domain.deidentified import check_deidentified, check_ending, check_precision
from node.domain.jobs import JobKind, NewJob
from node.domain.journal import Act, Detail, EntryFacts
from node.domain.notices import NO_FLOOR, Floor
from node.domain.receipts import Receipt, Stage
from node.domain.vocabulary import Vocabulary, vocabulary_of
from node.operations.asked import FrameArrived, FrameRefused, FrameStored, RefusedAnswer
from node.operations.facts import NodeFacts, Settings
from node.operations.ports import UnitOfWork
from node.operations.rows import CopyRow, ErasureRow, FloorRow, HeldRow, ReceivedFrameRow
from node.operations.write_down import write_down
from registry.norms.calendar import due_end
from registry.norms.catalogue import Precision
from registry.parties import PartyId


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """What whoever takes in frames goes by: facts and settings of now, and our context."""

    facts: NodeFacts = field(repr=False)
    settings: Settings = field(repr=False)
    context: Context

    @property
    def vocabulary(self) -> Vocabulary:
        """The words in force."""
        return vocabulary_of(self.facts.law)

    def refuse(self, reason: Refusal, detail: str) -> Refused:
        """Refuse under the rule pack in use."""
        return refuse(reason, self.facts.law.rules.reference, detail)


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A frame that proved itself: from whom, under which agreement, its header as it came and read, its renditions."""

    sender: PartyId
    agreement: Agreement
    raw: bytes = field(repr=False)
    header: FrameHeader
    digest: bytes
    received: Sequence[Read] = field(repr=False)

    @property
    def frame(self) -> bytes:
        """Its id."""
        return bytes.fromhex(self.header.frame)

    def said(self) -> dict[str, set[Said]]:
        """By kind, every field with every value that its renditions have, once each."""
        said: dict[str, set[Said]] = defaultdict(set)
        for one in self.received:
            said[one.heading.kind].update(one.fields)
        return said

    def shown(self) -> dict[str, frozenset[str]]:
        """The field names in its renditions, by kind."""
        return {kind: frozenset([one.name for one in fields]) for kind, fields in self.said().items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Turned:
    """A frame that was refused; `frame` is its id, empty if the header could not be read."""

    frame: bytes
    refused: Refused
    agreement: bytes | None = None


def open_pushed(
    peer: PartyId, arrived: FrameArrived, recipient: Recipient, *, replacing: bool = False
) -> Opened | Turned:
    """Verify one pushed frame whole, and that nothing in it is beyond the agreement; touches no database.

    Signature, header, body digest, seal, padding, renditions, count and root; then that it is a push from the
    provider of an agreement in force here, under the filing set held here; then that every rendition is listed,
    coarse and of the agreed precision.
    """
    read = read_header(peer, arrived.header, recipient)
    if isinstance(read, Refused):
        return Turned(frame=b"", refused=read)
    header, digest = read
    frame = bytes.fromhex(header.frame)
    agreement = recipient.facts.agreements.get(bytes.fromhex(header.agreement))
    if agreement is None:
        return Turned(frame=frame, refused=recipient.refuse(Refusal.AGREEMENT_MISSING, "agreement: expected one held"))
    if header.mode != "PUSH" or header.push_sequence is None or header.request or header.authorisation:
        misfit = recipient.refuse(Refusal.REPLAYED, "mode: expected a push")
        return Turned(frame=frame, refused=misfit, agreement=agreement.digest)
    received = open_renditions(header, arrived.body, recipient)
    if isinstance(received, Refused):
        return Turned(frame=frame, refused=received, agreement=agreement.digest)
    opened = Opened(
        sender=peer, agreement=agreement, raw=arrived.header, header=header, digest=digest, received=received
    )
    refused = beyond(opened, recipient, replacing=replacing) or first_unfit(opened, recipient)
    return opened if refused is None else Turned(frame=frame, refused=refused, agreement=agreement.digest)


def read_header(peer: PartyId, raw: bytes, recipient: Recipient) -> tuple[FrameHeader, bytes] | Refused:
    """Steps 1 and 2 of opening a frame: the header that the peer's frame key signed, and its digest."""
    listing = recipient.facts.snapshot.party(peer)
    if listing is None or not listing.is_active:
        return recipient.refuse(Refusal.PEER_UNKNOWN, "sender: expected an admitted party")
    try:
        return open_header(raw, listing.card.key(Purpose.FRAME))
    except CryptoError as failure:
        return recipient.refuse(reason_of(failure), "frame: expected as its header says")


def open_renditions(header: FrameHeader, body: bytes, recipient: Recipient) -> list[Read] | Refused:
    """Steps 3 to 8: the renditions that a verified header promises."""
    try:
        return open_body(header, body, recipient.context.keys.seal)
    except BadSeal:
        return recipient.refuse(Refusal.SEAL_INVALID, "body: expected sealed to this node")
    except CryptoError as failure:
        return recipient.refuse(reason_of(failure), "frame: expected as its header says")


def beyond(opened: Opened, recipient: Recipient, *, replacing: bool = False) -> Refused | None:
    """Refuse a frame under other terms or filings than are held here, or with a field beyond the agreement."""
    facts = FrameFacts(
        header=opened.header,
        sender=opened.sender,
        recipient=recipient.context.node,
        shown=opened.shown(),
        replacing=replacing,
    )
    pack = recipient.facts.law.rules.reference
    return accept_frame(facts, opened.agreement, recipient.context.now(), pack)


def first_unfit(opened: Opened, recipient: Recipient) -> Refused | None:
    """Refuse a frame with a rendition that is not of its epoch and profile, or shows more than it may."""
    measure = _Measure(opened.agreement.terms.precisions, recipient.vocabulary, recipient.facts.law.rules.reference)
    if _are_fit(opened, measure):
        return None
    refused = (_unfit(one, opened, recipient, measure) for one in opened.received)
    return next((one for one in refused if one is not None), None)


class _Measure(NamedTuple):
    """By what the values of a frame are judged, worked out once for all of them."""

    precisions: Mapping[str, Mapping[str, Precision]]
    words: Vocabulary
    pack: str

    def judge(self, kind: str, values: Mapping[str, Value]) -> Refused | None:
        """Refuse values of a kind that are not de-identified, or finer than was agreed; each is judged on its own."""
        return check_deidentified(kind, values, self.words, self.pack) or check_precision(
            kind, values, self.precisions.get(kind, {}), self.words, self.pack
        )


def _are_fit(opened: Opened, measure: _Measure) -> bool:
    """Whether none is unfit, by one look at each field with each of its values, in however many renditions it is."""
    expected = {(opened.header.epoch, opened.agreement.terms.deid_profile)}
    endings = {one.heading.valid_until for one in opened.received}
    if any(check_ending(one, measure.pack) for one in endings):
        return False
    return {(one.heading.epoch, one.heading.profile) for one in opened.received} <= expected and not any(
        measure.judge(kind, {one.name: one.value}) for kind, fields in opened.said().items() for one in fields
    )


def _unfit(read: Read, opened: Opened, recipient: Recipient, measure: _Measure) -> Refused | None:
    if read.heading.epoch != opened.header.epoch:
        return recipient.refuse(Refusal.AGREEMENT_SCOPE, "epoch: expected that of the frame")
    if read.heading.profile != opened.agreement.terms.deid_profile:
        return recipient.refuse(Refusal.NOT_DEIDENTIFIED, "profile: expected the one agreed")
    return check_ending(read.heading.valid_until, measure.pack) or measure.judge(read.heading.kind, read.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A frame that is held: the leaf of its entry, how many of its renditions are not, and which `until` left out."""

    frame: bytes
    leaf: bytes
    stale: int = 0
    left_out: Sequence[bytes] = ()


def accept_pushed(
    work: UnitOfWork, peer: PartyId, opened: Sequence[Opened | Turned], recipient: Recipient
) -> list[FrameStored | FrameRefused]:
    """Keep what was verified and journal what was refused, each frame on its own; commits before anything is said."""
    answers: list[FrameStored | FrameRefused] = []
    for one in opened:
        kept = keep_frame(work, one, recipient) if isinstance(one, Opened) else one.refused
        if isinstance(kept, Refused):
            agreement = one.agreement.digest if isinstance(one, Opened) else one.agreement
            leaf = journal_frame(work, peer, agreement, recipient.context, {"outcome": kept.reason.value})
            answers.append(FrameRefused(frame=one.frame, answer=RefusedAnswer(refused=kept, leaf=leaf)))
        else:
            answers.append(FrameStored(frame=kept.frame, leaf=kept.leaf))
    work.commit()
    return answers


def keep_frame(
    work: UnitOfWork, opened: Opened, recipient: Recipient, until: Callable[[Read], datetime | None] | None = None
) -> Kept | Refused:
    """Keep a verified frame with its copies, journal it, and queue the receipt; a frame held already changes nothing.

    A rendition that is deleted or superseded here is not kept (rule 6); one that is newer takes the place of the
    copies before it. Copies are kept as long as was agreed, or `until` says otherwise (None: not at all), and never
    longer than their home may show them (S 31), or than the law in force here allows (S 35).
    """
    held = work.received_frames.find(opened.frame)
    if held is not None:
        if held.sender != opened.sender or held.header_digest != opened.digest:
            # It would be taken for the one that is held, and not be kept.
            return recipient.refuse(Refusal.REPLAYED, "frame: expected an id of its own")
        return Kept(frame=opened.frame, leaf=held.leaf)
    fresh, void = _sort_out(work, opened)
    now = recipient.context.now()
    most = recipient.facts.law.rules.retention.max_days
    agreed = now + timedelta(days=min(opened.agreement.terms.retention_days, most))
    ends = [agreed if until is None else until(one) for one in fresh]
    source = opened.frame, opened.agreement.digest
    copies = [_copy(one, source, end) for one, end in zip(fresh, ends, strict=True) if end is not None]
    left_out = [one.alias for one, end in zip(fresh, ends, strict=True) if end is None]
    detail: Detail = {
        "count": opened.header.count,
        "frame": opened.header.frame,
        "outcome": "RECEIVED",
        **({"stale": opened.header.count - len(copies)} if len(copies) < opened.header.count else {}),
    }
    leaf = journal_frame(work, opened.sender, opened.agreement.digest, recipient.context, detail)
    row = ReceivedFrameRow(
        frame=opened.frame, sender=opened.sender, agreement=opened.agreement.digest, header=opened.raw,
        header_digest=opened.digest, commitments=b"".join(one.commitment for one in opened.received),
        leaf=leaf, received_at=now,
    )  # fmt: skip
    work.received_frames.add(row, copies)
    destroy_copies(work, void, recipient.context)
    _queue_receipt(work, opened, leaf, recipient.context)
    return Kept(frame=opened.frame, leaf=leaf, stale=opened.header.count - len(copies), left_out=left_out)


def destroy_copies(work: UnitOfWork, void: Sequence[HeldRow], context: Context) -> None:
    """Take superseded copies out of their table, and note that they may still lie in the files."""
    if void:
        work.copies.destroy([one.number for one in void])
        work.erasures.add([ErasureRow(number=0, home="", alias=b"", notice=None, frame=None)], context.now())


def floor_of(floors: Mapping[bytes, FloorRow], alias: bytes) -> Floor:
    """The floor of an alias among those that were read."""
    row = floors.get(alias)
    return NO_FLOOR if row is None else Floor(version=row.version, deleted=row.deleted)


def _sort_out(work: UnitOfWork, opened: Opened) -> tuple[list[Read], list[HeldRow]]:
    """The renditions that may be held, and the copies that they make void."""
    aliases = [one.alias for one in opened.received]
    floors = work.copies.floors(opened.agreement.digest, aliases)
    held: dict[bytes, list[HeldRow]] = defaultdict(list)
    newest: dict[bytes, int] = defaultdict(int)
    for copy in work.copies.held(opened.agreement.digest, aliases):
        held[copy.alias].append(copy)
        newest[copy.alias] = max(newest[copy.alias], copy.wire_version)
    for one in opened.received:
        newest[one.alias] = max(newest[one.alias], one.heading.version)
    fresh: list[Read] = []
    void: list[HeldRow] = []
    for one in opened.received:
        version = one.heading.version
        if version < newest[one.alias] or floor_of(floors, one.alias).forbids(version):
            continue
        fresh.append(one)
        void += [copy for copy in held.get(one.alias, ()) if copy.wire_version < version]
    return fresh, void


def journal_frame(work: UnitOfWork, peer: PartyId, agreement: bytes | None, context: Context, detail: Detail) -> bytes:
    """Journal what became of a frame, under its agreement if that is known; gives the leaf."""
    entry = EntryFacts(act=Act.FRAME_RECEIVED, detail=detail, counterparty=peer, agreement=agreement)
    return write_down(work, entry, context)


def _copy(read: Read, source: tuple[bytes, bytes], keep_until: datetime) -> CopyRow:
    (frame, agreement), last = source, read.heading.valid_until
    return CopyRow(
        frame=frame,
        agreement=agreement,
        pseudonym=read.pseudonym,
        alias=read.alias,
        wire_version=read.heading.version,
        kind=read.heading.kind,
        rendition=read.raw,
        keep_until=keep_until if last is None else min(keep_until, _shown_no_more(last)),
    )


@lru_cache(maxsize=256)
def _shown_no_more(valid_until: date) -> datetime:
    """The beginning, in Shenzhen, of the first day on which home shows a rendition no more."""
    return due_end(valid_until - timedelta(days=1))


def _queue_receipt(work: UnitOfWork, opened: Opened, leaf: bytes, context: Context) -> None:
    """Queue one receipt; receipts that wait for the same peer are signed together when they are sent."""
    now, frame = context.now(), opened.header.frame
    receipt = Receipt(at=now, frame=frame, header=opened.digest.hex(), journal_leaf=leaf.hex(), stage=Stage.RECEIVED)
    key, payload = f"receipt:{opened.sender}:{frame}", msgspec.json.encode(receipt)
    work.outbox.add(NewJob(kind=JobKind.RECEIPTS, peer=opened.sender, key=key, payload=payload), now)
