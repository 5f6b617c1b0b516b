"""A node that lies: it takes its own bundle apart, changes what it likes, and signs all that its own keys can sign."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import msgspec

from crypto import envelope
from crypto.canonical import canonical, read
from crypto.checkpoint import Checkpoint, NoteKey, sign_checkpoint
from crypto.frame import KIND as FRAME
from crypto.frame import FrameHeader
from crypto.keys import SigningKey
from crypto.merkle import leaf_hash, root
from node.domain.evidence.lines import (
    CheckpointLine,
    CopyShown,
    EntryLine,
    FrameLine,
    LeafLine,
    Line,
    NoticesLine,
    ReceiptsLine,
)
from node.domain.journal import JournalEntry, detail_commitment, journal_origin
from node.domain.notices import KIND as NOTICES
from node.domain.notices import NoticeBatch
from node.domain.receipts import COPY_KIND, CopyReceiptBatch, ReceiptBatch
from node.domain.receipts import KIND as RECEIPTS
from tests.fakes.evidence import signed_again
from tests.fakes.members import Member

L = TypeVar("L", bound=Line)
Detail = dict[str, str | int | None]


def entry_of(line: EntryLine) -> JournalEntry:
    return read(line.entry.encode(), JournalEntry)


def detail_of(line: EntryLine) -> Detail:
    detail: Detail = msgspec.json.decode(line.detail)
    return detail


def leaf_of(line: EntryLine | LeafLine) -> bytes:
    return bytes.fromhex(line.leaf) if isinstance(line, LeafLine) else leaf_hash(line.entry.encode())


def entry_again(line: EntryLine, detail: Detail | None = None, **changes: Any) -> EntryLine:
    """The entry with other facts, committed to anew."""
    return entry_telling(line, detail_of(line) | (detail or {}), **changes)


def entry_telling(line: EntryLine, detail: Detail, **changes: Any) -> EntryLine:
    """The entry with another detail, which it commits to."""
    told = canonical(detail)
    committed = detail_commitment(bytes.fromhex(line.salt), told).hex()
    entry = msgspec.structs.replace(entry_of(line), detail=committed, **changes)
    return EntryLine(canonical(entry).decode(), told.decode(), line.salt)


def header_of(line: FrameLine) -> FrameHeader:
    return envelope.read_payload(envelope.parse(line.header.encode(), FRAME), FrameHeader)


def frame_again(line: FrameLine, key: SigningKey, **changes: Any) -> FrameLine:
    """The frame with another header, signed by a frame key."""
    raw = envelope.sign(FRAME, msgspec.structs.replace(header_of(line), **changes), [key])
    return msgspec.structs.replace(line, header=raw.decode())


def batch_of(line: NoticesLine) -> NoticeBatch:
    return envelope.read_payload(envelope.parse(line.raw.encode(), NOTICES), NoticeBatch)


def notices_again(line: NoticesLine, key: SigningKey, **changes: Any) -> NoticesLine:
    batch = msgspec.structs.replace(batch_of(line), **changes)
    return NoticesLine(envelope.sign(NOTICES, batch, [key]).decode())


def receipts_of(line: ReceiptsLine) -> ReceiptBatch | CopyReceiptBatch:
    signed = envelope.parse_any(line.raw.encode(), (RECEIPTS, COPY_KIND))
    if signed.payload_type == envelope.payload_type(RECEIPTS):
        return envelope.read_payload(signed, ReceiptBatch)
    return envelope.read_payload(signed, CopyReceiptBatch)


def receipts_again(line: ReceiptsLine, key: SigningKey, **changes: Any) -> tuple[ReceiptsLine, str]:
    """Other receipts, signed by a document key, and the digest of their batch."""
    batch = receipts_of(line)
    kind = RECEIPTS if isinstance(batch, ReceiptBatch) else COPY_KIND
    raw = envelope.sign(kind, msgspec.structs.replace(batch, **changes), [key])
    return ReceiptsLine(raw.decode()), envelope.parse(raw, kind).digest.hex()


@dataclass(frozen=True, slots=True)
class Book:
    """What a node shows, as its owner may falsify it. Every act gives another book."""

    node: Member
    lines: tuple[Line, ...]

    def place(self, kind: type[L], fits: Callable[[L], bool] = lambda _: True, nth: int = 0) -> int:
        """Where the nth fitting line of a kind stands; the last one for -1."""
        return [at for at, one in enumerate(self.lines) if isinstance(one, kind) and fits(one)][nth]

    def entry(self, fits: Callable[[JournalEntry, Detail], bool], nth: int = 0) -> int:
        """Where the nth fitting entry stands."""
        return self.place(EntryLine, lambda one: fits(entry_of(one), detail_of(one)), nth)

    def behind(self, kind: type[L], nth: int = 0) -> int:
        """Where the entry stands that the nth document of a kind is behind."""
        return self.place(kind, nth=nth) - 1

    def at(self, place: int, kind: type[L]) -> L:
        line = self.lines[place]
        assert isinstance(line, kind)
        return line

    def without(self, *places: int) -> "Book":
        return self._with(one for at, one in enumerate(self.lines) if at not in places)

    def putting(self, changes: Mapping[int, Line]) -> "Book":
        return self._with(changes.get(at, one) for at, one in enumerate(self.lines))

    def adding(self, *more: Line, at: int | None = None) -> "Book":
        """With more lines, at the end of the journal if nowhere else."""
        end = self.place(CheckpointLine) if at is None else at
        return self._with((*self.lines[:end], *more, *self.lines[end:]))

    def moving(self, places: Sequence[int], to: int) -> "Book":
        """With these lines before the one that stands at `to` now."""
        moved = [self.lines[one] for one in places]
        before = [one for at, one in enumerate(self.lines[:to]) if at not in places]
        after = [one for at, one in enumerate(self.lines[to:], to) if at not in places]
        return self._with([*before, *moved, *after])

    def reframed(self, nth: int = 0, **changes: Any) -> "Book":
        """With another header, which its entry agrees with as far as it tells."""
        at = self.place(FrameLine, nth=nth)
        line, entry = self.at(at, FrameLine), self.at(at - 1, EntryLine)
        header = msgspec.structs.replace(header_of(line), **changes)
        named, others = {"sequence": "push_sequence"}, {"article", "outcome", "pack"}
        detail: Detail = {one: getattr(header, named.get(one, one)) for one in detail_of(entry) if one not in others}
        again = entry_again(entry, detail, at=header.time, agreement=header.agreement, counterparty=header.recipient)
        shown = frame_again(
            line, self.node.context.keys.frame, **(changes | {"journal_leaf": leaf_of(again).hex()})
        )  # fmt: skip
        return self.putting({at - 1: again, at: shown})

    def once_more(self, nth: int = 0, **changes: Any) -> "Book":
        """With one more frame at the end of the journal, like the nth but for some facts; the newest at that time."""
        at = self.place(FrameLine, nth=nth)
        line = self.at(at, FrameLine)
        held = tuple(CopyShown(one.alias, None) for one in line.copies)
        book = self.adding(self.lines[at - 1], msgspec.structs.replace(line, copies=held))
        name = {"frame": "ab" * 16}
        return book.reframed(-1, **(name | changes))

    def signed(self) -> bytes:
        """The bundle, with a checkpoint and a manifest over what stands there now."""
        leaves = [leaf_of(one) for one in self.lines if isinstance(one, EntryLine | LeafLine)]
        checkpoint = Checkpoint(journal_origin(self.node.party), len(leaves), root(leaves))
        key = NoteKey(checkpoint.origin, self.node.context.keys.journal)
        note = CheckpointLine(sign_checkpoint(checkpoint, key).decode())
        return self._with(note if isinstance(one, CheckpointLine) else one for one in self.lines).manifested()

    def manifested(self) -> bytes:
        """The bundle, with a manifest over what stands there now, and the checkpoint that it had."""
        return signed_again(self.lines, self.node)

    def _with(self, lines: Any) -> "Book":
        return replace(self, lines=tuple(lines))
