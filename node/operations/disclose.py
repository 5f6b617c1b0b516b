"""From pseudonyms to sealed frames: find the records, leave out what is withheld, render, seal, sign."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from itertools import pairwise

from agreements.agreement import Agreement
from agreements.permission import Granted
from crypto.frame import FrameHeader, SealedBody, seal_body, shuffled, sign_and_name
from crypto.keys import PublicKey, Suite
from crypto.sealing import Binding
from node.domain.context import Context
from node.domain.dates import shanghai_day
from node.domain.journal import Detail
from node.domain.rendition import untold_through
from node.domain.serving import is_visible
from node.domain.vocabulary import Vocabulary
from node.operations.coarsen import are_ready, ladders_of
from node.operations.ports import UnitOfWork
from node.operations.record_rows import RecordRow
from node.operations.render import Asked, Disclosure, Name, Renderer, Shown
from node.operations.stored_records import outline_from_row
from registry.parties import PartyId


def show(work: UnitOfWork, wanted: Sequence[tuple[bytes, Granted]], disclosure: Disclosure) -> list[list[Shown]]:
    """For each wanted pseudonym the renditions of its visible records of the granted kinds, in order.

    Every pseudonym takes the same way: unknown, withheld and empty ones end with an empty list like the others, after
    the same reads, so that no clock tells them apart. In place of an unknown one the store looks at its neighbour's
    records and gives none of them.
    """
    number, epoch = disclosure.agreement_no, disclosure.epoch
    kinds = sorted({kind for _, granted in wanted for kind in granted.fields})
    over = untold_through(shanghai_day(disclosure.at))
    rows = work.pseudonyms.records(number, epoch, [pseudonym for pseudonym, _ in wanted], kinds, over)
    visible = {row.record_no for found in rows.values() for _, row in found if may_be_seen(row, disclosure)}
    asked: list[Asked] = []
    ends = []
    for pseudonym, granted in wanted:
        asked += [
            Asked(row, Name(pseudonym=pseudonym, identifier_no=identifier_no), granted.fields[row.kind])
            for identifier_no, row in rows.get(pseudonym, ())
            if row.record_no in visible and row.kind in granted.fields
        ]
        ends.append(len(asked))
    shown = Renderer(work, sorted(visible), disclosure).show(asked)
    return [[one for one in shown[start:end] if one is not None] for start, end in pairwise((0, *ends))]


def is_ready(work: UnitOfWork, agreement: Agreement, number: int, epoch: int, vocabulary: Vocabulary) -> bool:
    """Whether everything is made that a disclosure needs: the index of pseudonyms, and the crowds of what is granted.

    Until then "no such enterprise" would not be true, and records would be shown coarser than they have to be, for
    good: so nothing is disclosed at all.
    """
    return work.pseudonyms.ready(number, epoch) and are_ready(work, ladders_of(agreement, vocabulary).values())


def may_be_seen(row: RecordRow, disclosure: Disclosure) -> bool:
    """Whether a record may be shown at the instant of the disclosure."""
    return is_visible(outline_from_row(row), disclosure.at, disclosure.law)


def withdraw_withheld(work: UnitOfWork, frames: Sequence[bytes], disclosure: Disclosure) -> bool:
    """Take back frames that wait to be sent with a record that may not be shown any more; gives whether there was one.

    Such a frame is cancelled, and the caller shows the rest of it in a new one.
    """
    rows = work.changes.of_numbers(work.ledger.in_frames(frames))
    ended = [number for number, row in rows.items() if not may_be_seen(row, disclosure)]
    if ended:
        work.sent_frames.withdraw(ended, disclosure.at)
    return bool(ended)


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """For what a frame is made: the answer to a request, for a purpose, or the next push under an agreement."""

    recipient: PartyId
    epoch: int
    purpose: str | None = None
    request: bytes | None = None
    sequence: int | None = None

    @property
    def facts(self) -> Detail:
        """What a journal entry tells of it."""
        if self.request is None:
            return {"sequence": self.sequence}
        return {"purpose": self.purpose, "request": self.request.hex()}


@dataclass(frozen=True, slots=True, kw_only=True)
class UnsignedFrame:
    """A sealed body with everything its header will say but the journal leaf."""

    id: bytes
    occasion: Occasion
    agreement: Agreement
    authorisation: bytes | None
    sealed: SealedBody

    def detail(self, outcome: str, ground: Detail) -> Detail:
        """What the journal entry of this frame commits to; `ground` is the law that it rests on."""
        answered = {} if self.occasion.request is None else {"authorisation": _hex(self.authorisation)}
        return {
            "body": self.sealed.digest.hex(),
            "count": self.sealed.count,
            "frame": self.id.hex(),
            "outcome": outcome,
            "root": self.sealed.root.hex(),
            **answered,
            **ground,
            **self.occasion.facts,
        }

    def sign(self, leaf: bytes, context: Context, at: datetime) -> tuple[bytes, bytes]:
        """The signed header, and the digest that names it."""
        occasion = self.occasion
        header = FrameHeader(
            agreement=self.agreement.digest.hex(),
            authorisation=_hex(self.authorisation),
            body=self.sealed.digest.hex(),
            count=self.sealed.count,
            epoch=occasion.epoch,
            filings=self.agreement.filing_set.hex(),
            frame=self.id.hex(),
            journal_leaf=leaf.hex(),
            mode="ANSWER" if occasion.request is not None else "PUSH",
            purpose=occasion.purpose,
            push_sequence=occasion.sequence,
            recipient=occasion.recipient,
            request=_hex(occasion.request),
            root=self.sealed.root.hex(),
            sender=context.node,
            suite=Suite.ONE,
            time=at,
        )
        return sign_and_name(header, context.keys.frame)


def disclose(
    shown: Sequence[Shown], authorisations: Sequence[bytes], occasion: Occasion, agreement: Agreement,
    context: Context, recipient_key: PublicKey,
) -> UnsignedFrame:  # fmt: skip
    """Seal the renditions for the recipient, in an order that says nothing about ours.

    Raises:
        Malformed: they are more than one frame holds.
    """
    frame = context.random(16)
    binding = Binding(
        sender=context.node,
        recipient=occasion.recipient,
        agreement=agreement.digest.hex(),
        frame=frame.hex(),
        suite=1,
    )
    mixed = shuffled([(one.body, one.commitment) for one in shown], context.random)
    return UnsignedFrame(
        id=frame,
        occasion=occasion,
        agreement=agreement,
        authorisation=authorisations_digest(authorisations),
        sealed=seal_body(mixed, binding, recipient_key),
    )


def _hex(digest: bytes | None) -> str | None:
    return None if digest is None else digest.hex()


def authorisations_digest(digests: Sequence[bytes]) -> bytes | None:
    """What a frame header says of the authorisations it answers: the digest of one, or H(label || all in order)."""
    if len(digests) <= 1:
        return digests[0] if digests else None
    return sha256(b"creditport/authorisations/v1" + b"".join(digests)).digest()
