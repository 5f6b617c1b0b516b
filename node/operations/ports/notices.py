"""Changes on their way: what home owes to holders, and what this node was told as one."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from node.domain.notices import Stream
from node.operations.rows import NewNoticeRow, NoticeBatchRow, NoticeRow, NoticeStageRow, ReceivedNoticeRow
from registry.parties import PartyId


class Notices(Protocol):
    """Notices that this node, as home, owes to holders."""

    def add(self, notices: Sequence[NewNoticeRow]) -> Mapping[PartyId, int]:
        """Queue notices, in the transaction of the change; gives the number of the last one to each peer."""

    def page(self, after: int, limit: int, *, only_open: bool) -> Sequence[NoticeRow]:
        """Give notices in ascending number."""

    def of_record(self, record_no: int) -> Sequence[NoticeRow]:
        """Give every notice about one record, oldest first."""

    def find(self, number: int) -> tuple[NoticeRow, Sequence[NoticeStageRow]] | None:
        """Give one notice with what its holder said to it."""

    def advance(
        self, peer: PartyId, notices: Sequence[tuple[bytes, str, datetime]], receipt: bytes
    ) -> Mapping[bytes, int]:
        """Note what a holder's signed receipt says of notices, as (id, stage, at); numbers of this peer's, by id.

        A notice never goes back to an earlier stage, and the first receipt of each stage is kept.
        """


class NoticeStreams(Protocol):
    """The order in which each holder is told: one stream of signed batches for each."""

    def unnumbered(self, peer: PartyId, limit: int) -> Sequence[NoticeRow]:
        """Give notices to a peer that are in no batch yet, oldest first."""

    def end_of(self, peer: PartyId) -> Stream:
        """Give the number that the next notice to a peer gets, and the digest of the last batch."""

    def put(self, batch: NoticeBatchRow, notices: Sequence[int]) -> None:
        """Keep a signed batch, which nobody has taken yet, and give these notices (by number) their places in it."""

    def open_batch(self, peer: PartyId) -> tuple[NoticeBatchRow, Sequence[NoticeRow]] | None:
        """Give the first batch that the peer has not taken, with its notices."""

    def attach(self, peer: PartyId, first: int, frame: bytes | None) -> None:
        """Note which frame goes along with a batch."""


class NoticeAnswers(Protocol):
    """How far each holder has followed its stream."""

    def note(self, peer: PartyId, expected: int, at: datetime, trouble: str | None) -> None:
        """Note that a peer expects this number next: what is before is taken, what is from there on is not.

        `trouble` says why the first open batch was not taken.
        """

    def repeat_last(self, peer: PartyId) -> int:
        """Have the last batch told again, though it was taken; gives how many notices are in it, 0 without one."""

    def backlog(self, peer: PartyId, at: datetime) -> int:
        """Count notices to a peer that should have been applied by now and were not."""


class TakenNotices(Protocol):
    """Notices that this node, as a holder, took in."""

    def stream(self, home: PartyId) -> Stream:
        """Say how far a home's stream was taken in."""

    def batch_at(self, home: PartyId, first: int) -> bytes | None:
        """Give the digest of the batch that began with this number."""

    def take(self, home: PartyId, raw: bytes, digest: bytes, notices: Sequence[ReceivedNoticeRow]) -> None:
        """Keep a batch with its notices, and move the stream on behind it."""

    def advance(self, home: PartyId, notices: Sequence[bytes], stage: str) -> None:
        """Note that notices of a home came to a stage here; their ids are unique within that home alone."""

    def page(self, after: int, limit: int) -> Sequence[tuple[int, ReceivedNoticeRow]]:
        """Give notices in ascending number."""


class Evidence(Protocol):
    """Signed words of peers that contradict what they said before."""

    def keep(self, peer: PartyId, digest: bytes, raw: bytes, at: datetime, most: int) -> bool:
        """Keep one, unless it is kept already or there are `most` of this peer; whether this call kept it."""
