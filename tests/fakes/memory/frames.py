"""The ports SentFrames, PushedFrames, ReceivedFrames, Copies and Erasures."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from msgspec.structs import replace as changed

from node.operations.rows import CopyRow, ErasureRow, FloorRow, HeldRow, PushTally, ReceivedFrameRow, SentFrameRow
from registry.parties import PartyId
from tests.fakes.memory.state import Part, SentFrame, add_new, add_once, page_of


class MemorySentFrames(Part):
    def answers(self, requests: Sequence[bytes]) -> dict[bytes, SentFrameRow]:
        kept = (one.row for one in self._seen.sent_frames.values() if one.is_kept)
        return {row.request: row for row in kept if row.request is not None and row.request in requests}

    def add(self, frames: Sequence[SentFrameRow]) -> None:
        for one in frames:
            if one.request is not None and self.answers([one.request]):
                raise KeyError("expected a request that was not answered, got one that was")
            add_new(self._changing.sent_frames, one.frame, SentFrame(row=one))

    def receipt(self, holder: PartyId, frames: Sequence[tuple[bytes, bytes, datetime]], receipt: bytes) -> int:
        """The first receipt of a frame counts; later ones change nothing."""
        state, matched = self._changing, 0
        for frame, header_digest, at in frames:
            sent = state.sent_frames.get(frame)
            if sent is None or (sent.row.recipient, sent.row.header_digest) != (holder, header_digest):
                continue
            if sent.receipted_at is None:
                state.sent_frames[frame] = replace(sent, receipted_at=at)
            matched += 1
        if matched:
            state.keep_receipt(receipt)
        return matched

    def page(self, after: int, limit: int) -> list[tuple[int, SentFrameRow, datetime | None]]:
        page = page_of(self._seen.sent_frames.values(), after, limit)
        return [(number, one.row, one.receipted_at) for number, one in page]

    def withdraw(self, records: Sequence[int], at: datetime) -> int:
        state = self._changing
        named = {one.row.frame for one in state.disclosures.values() if one.row.record_no in records}
        withdrawn = [one for frame, one in state.sent_frames.items() if one.is_kept and frame in named]
        for one in withdrawn:
            cancelled_at = one.cancelled_at if one.has_arrived else at
            state.sent_frames[one.row.frame] = replace(one.without_body(), cancelled_at=cancelled_at)
        return len(withdrawn)


class MemoryPushedFrames(Part):
    def next_sequence(self, agreement_no: int) -> int:
        sequences = self._changing.push_sequences
        sequences[agreement_no] = sequences.get(agreement_no, 0) + 1
        return sequences[agreement_no]

    def waiting(self, job: int, limit: int) -> list[SentFrameRow]:
        return [
            one.row for one in self._of_job(job) if one.is_kept and one.taken_at is None and one.cancelled_at is None
        ][:limit]

    def answered(self, outcomes: Mapping[bytes, str | None], at: datetime) -> None:
        frames = self._changing.sent_frames
        for frame, refused in outcomes.items():
            one = frames.get(frame)
            if one is not None and one.row.request is None and one.taken_at is None:
                frames[frame] = replace(one.without_body(), taken_at=at, refused=refused)

    def tally(self, job: int) -> PushTally:
        frames = list(self._of_job(job))
        return PushTally(
            taken=sum(one.taken_at is not None and one.refused is None for one in frames),
            cancelled=sum(one.cancelled_at is not None for one in frames),
            refused=tuple((one.row.frame, one.refused) for one in frames if one.refused is not None),
        )

    def find(self, frame: bytes) -> SentFrameRow | None:
        found = self._seen.sent_frames.get(frame)
        return found.row if found is not None and found.is_kept else None

    def _of_job(self, job: int) -> Iterator[SentFrame]:
        return (one for one in self._seen.sent_frames.values() if one.row.push_job == job)


class MemoryReceivedFrames(Part):
    def add(self, frame: ReceivedFrameRow, copies: Sequence[CopyRow]) -> bool:
        state = self._changing
        if not add_once(state.received_frames, (frame.frame, frame.sender), frame):
            return False
        for one in copies:
            state.copies.add((frame.sender, changed(one, frame=frame.frame)))
        return True

    def copies(self, frame: bytes) -> list[CopyRow]:
        found = self.find(frame)
        held = self._seen.copies.values()
        return [one for home, one in held if found is not None and (home, one.frame) == (found.sender, frame)]

    def find(self, frame: bytes) -> ReceivedFrameRow | None:
        """Should two senders use one id, the frame that came first is meant."""
        return next((row for row in self._seen.received_frames.values() if row.frame == frame), None)

    def headers(self, sender: PartyId, limit: int) -> list[bytes]:
        headers = [row.header for row in self._seen.received_frames.values() if row.sender == sender]
        return headers[max(0, len(headers) - limit) :]


class MemoryCopies(Part):
    def held(self, agreement: bytes, aliases: Sequence[bytes]) -> list[HeldRow]:
        return [
            _held(number, home, one)
            for number, (home, one) in self._seen.copies.items()
            if one.agreement == agreement and one.alias in aliases
        ]

    def floors(self, agreement: bytes, aliases: Sequence[bytes]) -> dict[bytes, FloorRow]:
        floors = self._seen.floors
        return {alias: floors[agreement, alias] for alias in aliases if (agreement, alias) in floors}

    def raise_floors(self, floors: Sequence[FloorRow]) -> None:
        self._changing.floors.update({(one.agreement, one.alias): one for one in floors})

    def destroy(self, copies: Sequence[int]) -> None:
        for number in copies:
            self._changing.copies.pop(number, None)

    def ended(self, at: datetime, limit: int) -> list[HeldRow]:
        rows = [_held(number, home, one) for number, (home, one) in self._seen.copies.items() if one.keep_until <= at]
        return sorted(rows, key=lambda row: row.keep_until)[:limit]


class MemoryErasures(Part):
    def add(self, erasures: Sequence[ErasureRow], at: datetime) -> None:
        del at
        table = self._changing.erasures
        for one in erasures:
            table.add(changed(one, number=table.next))

    def newest(self) -> int:
        return max(self._seen.erasures, default=0)

    def through(self, number: int, limit: int) -> list[ErasureRow]:
        return [row for row in self._seen.erasures.values() if row.number <= number][:limit]

    def done(self, erasures: Sequence[int]) -> None:
        for number in erasures:
            self._changing.erasures.pop(number, None)

    def forget_bodies(self, before: datetime) -> int:
        frames = self._changing.sent_frames
        old = [
            one for one in frames.values() if one.is_kept and one.row.request is not None and one.row.sent_at < before
        ]
        frames.update({one.row.frame: one.without_body() for one in old})
        return len(old)


def _held(number: int, home: PartyId, copy: CopyRow) -> HeldRow:
    return HeldRow(
        number=number,
        frame=copy.frame,
        home=home,
        alias=copy.alias,
        wire_version=copy.wire_version,
        rendition=copy.rendition,
        keep_until=copy.keep_until,
    )
