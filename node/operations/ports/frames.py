"""Frames sent and received, and the copies unpacked from them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from node.operations.rows import CopyRow, ErasureRow, FloorRow, HeldRow, PushTally, ReceivedFrameRow, SentFrameRow
from registry.parties import PartyId


class SentFrames(Protocol):
    """Frames sent, by the request they answer."""

    def answers(self, requests: Sequence[bytes]) -> Mapping[bytes, SentFrameRow]:
        """Give the frames already sent for these request digests and kept, one read for all."""

    def add(self, frames: Sequence[SentFrameRow]) -> None:
        """Keep frames before they are sent."""

    def receipt(self, holder: PartyId, frames: Sequence[tuple[bytes, bytes, datetime]], receipt: bytes) -> int:
        """Note what a holder receipts at once, as (frame, header digest, when); gives how many of them it was sent."""

    def page(self, after: int, limit: int) -> Sequence[tuple[int, SentFrameRow, datetime | None]]:
        """Give frames in ascending number with the time they were receipted."""

    def withdraw(self, records: Sequence[int], at: datetime) -> int:
        """Forget the bodies of all frames that hold one of these records, and count them.

        One that is not known to have arrived is cancelled by it: it is not sent again.
        """


class PushedFrames(Protocol):
    """Frames that were made to be pushed, until the recipient has answered to each."""

    def next_sequence(self, agreement_no: int) -> int:
        """Give the next number of a push under an agreement, once."""

    def waiting(self, job: int, limit: int) -> Sequence[SentFrameRow]:
        """Give the frames of a push job that were made and neither answered nor cancelled, oldest first."""

    def answered(self, outcomes: Mapping[bytes, str | None], at: datetime) -> None:
        """Note what recipients said to frames: None for taken, or the reason of a refusal; forget their bodies."""

    def tally(self, job: int) -> PushTally:
        """Say how far a push job has come. A frame may count as cancelled and taken; at most 100 refused are named."""

    def find(self, frame: bytes) -> SentFrameRow | None:
        """Give one frame whose body is still there."""


class ReceivedFrames(Protocol):
    """The append-only inbox of frames, and the copies unpacked from them."""

    def add(self, frame: ReceivedFrameRow, copies: Sequence[CopyRow]) -> bool:
        """Keep a frame and its copies; False (and nothing kept) if the frame id of this sender is known."""

    def copies(self, frame: bytes) -> Sequence[CopyRow]:
        """Give the copies unpacked from one frame that are still held."""

    def find(self, frame: bytes) -> ReceivedFrameRow | None:
        """Give one frame by id."""

    def headers(self, sender: PartyId, limit: int) -> Sequence[bytes]:
        """Give the signed headers of the newest frames of one sender, oldest of them first."""


class Copies(Protocol):
    """Copies of other parties' records that are held, and what may not be held again."""

    def held(self, agreement: bytes, aliases: Sequence[bytes]) -> Sequence[HeldRow]:
        """Give every copy of these aliases, one read for all."""

    def floors(self, agreement: bytes, aliases: Sequence[bytes]) -> Mapping[bytes, FloorRow]:
        """Give the floors of those aliases that have one."""

    def raise_floors(self, floors: Sequence[FloorRow]) -> None:
        """Set floors; the caller saw to it that none falls."""

    def destroy(self, copies: Sequence[int]) -> None:
        """Destroy copies by number, with their salts."""

    def ended(self, at: datetime, limit: int) -> Sequence[HeldRow]:
        """Give copies whose time of keeping has passed, the longest first."""


class Erasures(Protocol):
    """Content that was destroyed in its table and may still lie in the database's files."""

    def add(self, erasures: Sequence[ErasureRow], at: datetime) -> None:
        """Note them; their numbers are the store's."""

    def newest(self) -> int:
        """Give the highest number there is; 0 where nothing waits."""

    def through(self, number: int, limit: int) -> Sequence[ErasureRow]:
        """Give those up to a number, oldest first."""

    def done(self, erasures: Sequence[int]) -> None:
        """Forget those that are in no file any more."""

    def forget_bodies(self, before: datetime) -> int:
        """Destroy the bodies of answers sent before then, which nobody may ask for again; count them."""
