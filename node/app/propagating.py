"""Pushing frames and telling holders of changes: loops of one step, each of them kept before the next one begins."""

from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from functools import partial

import msgspec

from agreements.refusal import Refused
from node.app.errands import PASSING
from node.app.opening import Node
from node.app.threads import Threads
from node.domain.jobs import Job, JobResult
from node.domain.troubles import Trouble
from node.operations.asked import FrameArrived, FrameRefused, FrameStored, NoticesTaken, RefusedAnswer
from node.operations.ports import UnitOfWork
from node.operations.push_records import PushResult, frames_waiting, give_up, next_frame
from node.operations.rows import SentFrameRow
from node.operations.send_notices import Delivery, next_delivery, note_answer
from node.wire.errors import PeerRefused, PeerUnreachable
from node.wire.peers import PeerClient
from registry.parties import PartyId

RESUMED = 64
"""Frames made before a break that are looked up at once; no job has more under way than it sends ahead."""


@dataclass(slots=True)
class _Progress:
    """One try of a push: the frames that wait for an answer, in order, what did not pass for now, and how it ended.

    `answers` are those that are written down with the next frame, or at the end: one transaction less for each. What a
    break loses of them is said again when the frame is sent again.
    """

    sent: deque[bytes] = field(default_factory=deque)
    answers: dict[bytes, str | None] = field(default_factory=dict)
    passing: FrameRefused | None = None
    end: PushResult | Refused | None = None

    def note(self, answer: FrameStored | FrameRefused) -> None:
        """Take in the answer to the frame that has waited longest."""
        frame = self.sent.popleft()
        if not isinstance(answer, FrameRefused):
            self.answers[frame] = None
        elif answer.answer.refused.reason in PASSING:
            self.passing = answer
        else:
            self.answers[frame] = answer.answer.refused.reason.value

    def take(self) -> dict[bytes, str | None]:
        """The answers that are to be written down now."""
        taken, self.answers = self.answers, {}
        return taken


@dataclass(frozen=True, slots=True)
class Propagating:
    """Does push jobs and notice jobs."""

    node: Node
    peers: PeerClient
    threads: Threads

    async def push(self, jobs: Sequence[Job]) -> None:
        """Push: frames are made as the peer takes them, so that neither side ever holds many."""
        for job in jobs:
            progress = _Progress()
            try:
                await self._send(job, progress)
            except PeerRefused as error:
                if error.answer.refused.reason in PASSING:
                    raise
                await self.threads.write(partial(self._refuse, job, error.answer.refused, error.peer))
                continue
            if progress.passing is not None:
                raise PeerRefused(job.peer, progress.passing.answer)
            await self._end(job, progress.end)

    async def _send(self, job: Job, progress: _Progress) -> None:
        try:
            async with aclosing(self.peers.push_frames(job.peer, self._frames(job, progress))) as answers:
                async for answer in answers:
                    progress.note(answer)
        finally:
            if progress.answers:
                await self.threads.write(partial(self._note_frames, progress.take()))

    async def _end(self, job: Job, end: PushResult | Refused | None) -> None:
        if not isinstance(end, Refused):
            await self.threads.write(partial(self._finish, job))
        elif end.reason in PASSING:
            raise PeerRefused(self.node.party, RefusedAnswer(refused=end, leaf=b""))
        else:
            await self.threads.write(partial(self._refuse, job, end, self.node.party))

    async def notify(self, jobs: Sequence[Job]) -> None:
        """Tell a peer everything it was not told yet, batch by batch; these jobs are done when it knows all."""
        peer = jobs[0].peer
        while True:
            delivery = await self.threads.write(partial(self._next_delivery, peer))
            if delivery is None:
                break
            answer: NoticesTaken | RefusedAnswer
            try:
                answer = await self.peers.deliver_notices(peer, delivery.batch, delivery.replacement)
            except PeerRefused as refused:
                answer = refused.answer
            if not await self.threads.write(partial(self._note, peer, delivery, answer)):
                # Whether it refused or lost its place: it is owed all the same, and asked again later.
                raise PeerUnreachable(peer, trouble=Trouble.NOT_TAKEN)
        await self.threads.write(partial(self._done, jobs))

    async def _frames(self, job: Job, progress: _Progress) -> AsyncIterator[tuple[bytes, FrameArrived]]:
        """The frames of a push: those that a break left unanswered, then new ones until all is shown."""
        waiting = await self.threads.write(partial(self._waiting, job))
        if isinstance(waiting, Refused):
            progress.end = waiting
            return
        for row in waiting:
            progress.sent.append(row.frame)
            yield _named(row)
        while True:
            made = await self.threads.write(partial(self._next_frame, job, progress.take()))
            if not isinstance(made, SentFrameRow):
                progress.end = made
                return
            progress.sent.append(made.frame)
            yield _named(made)

    def _waiting(self, job: Job, work: UnitOfWork) -> list[SentFrameRow] | Refused:
        return frames_waiting(work, job.number, self.node.desk(work), RESUMED)

    def _next_frame(
        self, job: Job, answers: Mapping[bytes, str | None], work: UnitOfWork
    ) -> SentFrameRow | PushResult | Refused:
        work.pushed_frames.answered(answers, self.threads.now())
        made = next_frame(work, job.number, self.node.desk(work))
        if answers and not isinstance(made, SentFrameRow):
            work.commit()
        return made

    def _finish(self, job: Job, work: UnitOfWork) -> None:
        """Close a push with the tally of now: what was cancelled since the last frame was made is shown once more."""
        result = next_frame(work, job.number, self.node.desk(work))
        if isinstance(result, PushResult):
            raw, failed = msgspec.json.encode(result), bool(result.refused)
            work.outbox.finish(job.number, raw, self.threads.now(), failed=failed)
            work.commit()

    def _refuse(self, job: Job, refused: Refused, by: PartyId, work: UnitOfWork) -> None:
        give_up(work, job.number, refused, self.threads.now())
        result = JobResult(outcome="REFUSED", reason=refused.reason.value, article=refused.article, by=by)
        work.outbox.finish(job.number, msgspec.json.encode(result), self.threads.now(), failed=True)
        work.commit()

    def _note_frames(self, answers: Mapping[bytes, str | None], work: UnitOfWork) -> None:
        """Keep what the recipient said to frames, so that a break does not repeat it."""
        work.pushed_frames.answered(answers, self.threads.now())
        work.commit()

    def _next_delivery(self, peer: PartyId, work: UnitOfWork) -> Delivery | None:
        return next_delivery(work, peer, self.node.desk(work))

    def _note(self, peer: PartyId, delivery: Delivery, answer: NoticesTaken | RefusedAnswer, work: UnitOfWork) -> bool:
        return note_answer(work, peer, delivery, answer, self.node.context)

    def _done(self, jobs: Sequence[Job], work: UnitOfWork) -> None:
        for job in jobs:
            result = JobResult(outcome="DELIVERED", by=job.peer)
            work.outbox.finish(job.number, msgspec.json.encode(result), self.threads.now(), failed=False)
        work.commit()


def _named(row: SentFrameRow) -> tuple[bytes, FrameArrived]:
    return row.frame, FrameArrived(header=row.header, body=row.body)
