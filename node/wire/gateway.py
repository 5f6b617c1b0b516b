"""What the wire asks of the node behind it. The wire knows shapes and peers; all else is decided there."""

from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from typing import Protocol

from agreements.refusal import Refused
from node.operations.asked import (
    Answered,
    EvaluateAsked,
    EvaluationGranted,
    FrameArrived,
    FrameRefused,
    FrameStored,
    JournalProof,
    NoticesTaken,
    QueryAsked,
    RefusedAnswer,
    RegistryPage,
)
from registry.parties import PartyId


class Gateway(Protocol):
    """The node as its peers reach it.

    Methods that say "in memory" are called on the event loop, for every call, and return at once. All others
    may block; they run in worker threads, several at a time, and are thread-safe. A refusal is returned,
    never raised: an exception is a bug or a broken machine, and the peer learns nothing of it but that.
    """

    def identify(self, certificate_sha256: bytes, method: str) -> PartyId | Refused:
        """Say whose certificate this is (in memory), or why its bearer is not served: unknown or revoked.

        `method` is the path of what is called. A party whose admission ended, other than for a compromised key,
        still brings notices and receipts: it is named for the methods in OUTLIVING, and refused for all others.
        """

    def charge_evaluations(self, asked: list[EvaluateAsked]) -> Sequence[EvaluationGranted | RefusedAnswer]:
        """Decide, charge and journal evaluations; one answer for each, in order."""

    def evaluate(self, agreement_id: str, epoch: int, blinded: Sequence[bytes]) -> Future[tuple[list[bytes], bytes]]:
        """Start evaluating elements that were charged (in memory): the elements, and one proof over them.

        The future raises crypto.errors.Malformed if an element is no point of the group.
        """

    def answer_queries(self, asked: list[QueryAsked]) -> Sequence[Answered | RefusedAnswer]:
        """Answer messages, each with one frame or one refusal, in order."""

    def receive_document(self, peer: PartyId, raw: bytes) -> bytes | RefusedAnswer:
        """Take in a document of an agreement; its digest."""

    def file_agreement(self, peer: PartyId, raw: bytes) -> bytes | RefusedAnswer:
        """File an agreement; the signed filing receipt."""

    def receive_receipts(self, peer: PartyId, raw: bytes) -> RefusedAnswer | None:
        """Take in a signed batch of receipts."""

    def receive_frames(self, peer: PartyId, frames: Sequence[FrameArrived]) -> Sequence[FrameStored | FrameRefused]:
        """Take in pushed frames, each stored whole or refused whole, in order."""

    def receive_notices(
        self, peer: PartyId, batch: bytes, replacement: FrameArrived | None
    ) -> NoticesTaken | RefusedAnswer:
        """Take in the next batch of a home's notices, with the new versions that it announces."""

    def read_registry(self, start: int, limit: int) -> RegistryPage | RefusedAnswer:
        """Give statements of this authority's log from `start` on, at most `limit` (0: a page)."""

    def prove_journal(self, peer: PartyId, leaf: bytes, old_size: int) -> JournalProof | RefusedAnswer:
        """Prove that a leaf (empty: none) is in this journal, and its growth since `old_size` (0: none)."""

    def inspect(self, peer: PartyId, order: bytes) -> Iterator[bytes] | RefusedAnswer:
        """Decide an inspection order and journal it: the parts of the bundle, each of 1 byte to 1 MiB, or a refusal.

        NOT_READY while the order's own entry is not yet in the published journal: the same order again goes on.
        Each part is made when it is taken, which may block; one is taken at a time, each perhaps in another thread.
        A generator is closed when the call ends, however it ends.
        """

    def refuse(self, peer: PartyId, method: str, refused: Refused) -> RefusedAnswer:
        """Journal a refusal that was decided at the edge, before any operation saw the request."""

    def saw_checkpoint(self, peer: PartyId, note: bytes) -> None:
        """Take note of a peer's checkpoint (in memory, unverified as it came; verifying it may be queued)."""

    def newest_checkpoint(self) -> bytes:
        """Give this node's newest checkpoint (in memory), empty if there is none yet."""
