"""Pushing and telling, step by step: what one refusal, one break or one silent peer does to the rest."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import msgspec
import pytest

from agreements.refusal import Refusal, refuse
from node.app.propagating import Propagating
from node.app.threads import Threads
from node.domain.jobs import Job, JobState
from node.operations import push_records
from node.operations.asked import FrameArrived, FrameRefused, FrameStored, NoticesTaken, RefusedAnswer
from node.operations.push_records import PushResult
from node.wire.errors import PeerRefused, PeerUnreachable
from node.wire.peers import PeerClient
from registry.parties import PartyId
from tests.fakes.founding import copied, founded
from tests.fakes.network import Network
from tests.fakes.propagation import AGENCY, AUTHORITIES, BANKS, HOME, agree, deleted, enterprise, load, push
from tests.fakes.serving import node_of

BANK = BANKS[0].party
PARTS = (*AUTHORITIES, AGENCY, BANKS[0])
Answer = Callable[[bytes], FrameStored | FrameRefused | Exception]


def stored(frame: bytes) -> FrameStored:
    return FrameStored(frame=frame, leaf=bytes(32))


def refused(frame: bytes, reason: Refusal) -> FrameRefused:
    return FrameRefused(frame=frame, answer=RefusedAnswer(refused=refuse(reason, "pack"), leaf=bytes(32)))


@dataclass
class ScriptedPeer:
    """Answers frames and notices as the script says, and notes what it was sent."""

    answer: Answer = stored
    notices: list[NoticesTaken | Exception] = field(default_factory=list)
    frames: list[bytes] = field(default_factory=list)
    batches: list[bytes] = field(default_factory=list)

    async def push_frames(
        self, peer: PartyId, frames: AsyncIterator[tuple[bytes, FrameArrived]]
    ) -> AsyncGenerator[FrameStored | FrameRefused, None]:
        assert peer == BANK
        async for frame, _ in frames:
            self.frames.append(frame)
            answer = self.answer(frame)
            if isinstance(answer, Exception):
                raise answer
            yield answer

    async def deliver_notices(self, peer: PartyId, batch: bytes, replacement: FrameArrived | None) -> NoticesTaken:
        assert (peer, replacement) == (BANK, None)
        self.batches.append(batch)
        answer = self.notices.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Home and one bank with an agreement and nine records."""
    folder = tmp_path_factory.mktemp("pushing")
    with founded(PARTS, folder, seed=1) as network:
        agree(network, HOME, BANK)
        load(network, HOME, [enterprise(number) for number in range(9)])
    return folder


@pytest.fixture
def network(template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Network]:
    """Frames of three records each, so that a push has several."""
    monkeypatch.setattr(push_records, "PORTION", 3)
    with copied(template, PARTS, tmp_path, seed=2) as opened:
        yield opened


def propagating(network: Network, peer: ScriptedPeer) -> Propagating:
    member = network.members[HOME]
    threads = Threads(member.store, now=network.clock)
    return Propagating(node_of(member), cast("PeerClient", peer), threads)


def job_of(network: Network, number: int) -> Job:
    job = network.members[HOME].read(lambda work: work.outbox.find(number))
    assert job is not None
    return job


def ordered(network: Network) -> Job:
    (digest,) = network.members[HOME].known().agreements
    return job_of(network, push(network, HOME, digest))


def pushed(network: Network, job: Job, peer: ScriptedPeer) -> None:
    asyncio.run(propagating(network, peer).push([job]))


def result(network: Network, job: Job) -> PushResult:
    return msgspec.json.decode(job_of(network, job.number).result or b"", type=PushResult)


def test_every_frame_is_sent_once_and_the_result_says_how_many(network: Network) -> None:
    job, peer = ordered(network), ScriptedPeer()

    pushed(network, job, peer)

    assert len(peer.frames) == len(set(peer.frames)) == 3
    assert result(network, job) == PushResult(frames=3, renditions=9, taken=3, cancelled=0, refused=())


def test_one_bad_frame_is_refused_and_named_and_the_rest_go_on(network: Network) -> None:
    job, peer = ordered(network), ScriptedPeer()
    peer.answer = lambda frame: refused(b"", Refusal.MALFORMED) if len(peer.frames) == 2 else stored(frame)

    pushed(network, job, peer)

    done = result(network, job)
    assert (done.taken, done.refused) == (2, ((peer.frames[1].hex(), "MALFORMED"),))
    assert job_of(network, job.number).state is JobState.FAILED


def test_after_a_break_what_was_not_answered_is_sent_again_and_the_rest_goes_on(network: Network) -> None:
    job, peer = ordered(network), ScriptedPeer()
    peer.answer = lambda frame: PeerUnreachable(BANK, "gone") if len(peer.frames) == 2 else stored(frame)

    with pytest.raises(PeerUnreachable):
        pushed(network, job, peer)
    assert job_of(network, job.number).state is JobState.WAITING
    peer.answer = stored
    pushed(network, job_of(network, job.number), peer)

    first, broken, again, last = peer.frames
    assert broken == again
    assert len({first, again, last}) == 3
    assert result(network, job).taken == 3


def test_a_refusal_that_passes_by_itself_leaves_the_frame_waiting(network: Network) -> None:
    job, peer = ordered(network), ScriptedPeer()
    peer.answer = lambda frame: refused(frame, Refusal.REGISTRY_STALE) if len(peer.frames) == 1 else stored(frame)

    with pytest.raises(PeerRefused):
        pushed(network, job, peer)
    pushed(network, job_of(network, job.number), peer)

    assert peer.frames[3] == peer.frames[0]
    assert result(network, job).taken == 3


def test_a_peer_that_refuses_the_whole_stream_ends_the_push_and_strands_no_frame(network: Network) -> None:
    answer = RefusedAnswer(refused=refuse(Refusal.PEER_UNKNOWN, "pack"), leaf=b"")
    job, peer = ordered(network), ScriptedPeer(answer=lambda _: PeerRefused(BANK, answer))

    pushed(network, job, peer)

    assert job_of(network, job.number).state is JobState.FAILED
    again, willing = ordered(network), ScriptedPeer()
    pushed(network, again, willing)
    assert result(network, again).renditions == 9


def test_what_changes_while_a_frame_is_on_its_way_is_shown_anew_in_the_same_push(network: Network) -> None:
    job, peer = ordered(network), ScriptedPeer()

    def change(frame: bytes) -> FrameStored | FrameRefused | Exception:
        if len(peer.frames) == 1:
            deleted(network, HOME, 2)
            return PeerUnreachable(BANK, "gone")
        return stored(frame)

    peer.answer = change
    with pytest.raises(PeerUnreachable):
        pushed(network, job, peer)
    pushed(network, job_of(network, job.number), peer)

    done = result(network, job)
    assert (done.cancelled, done.taken) == (1, len(peer.frames) - 1)
    assert peer.frames[0] not in peer.frames[1:], "a cancelled frame is never sent again"


def test_a_holder_that_refuses_its_notices_is_owed_them_all_the_same(network: Network) -> None:
    job, peer = ordered(network), ScriptedPeer()
    pushed(network, job, peer)
    deleted(network, HOME, 2)
    due = network.members[HOME].read(lambda work: work.outbox.due(network.clock(), 10))
    answer = RefusedAnswer(refused=refuse(Refusal.SIGNATURE_INVALID, "pack"), leaf=b"")
    peer.notices = [PeerRefused(BANK, answer), PeerUnreachable(BANK, "gone"), NoticesTaken(expected=2)]
    telling = propagating(network, peer)

    for _ in range(2):
        with pytest.raises(PeerUnreachable):
            asyncio.run(telling.notify(due))
    opened = network.members[HOME].read(lambda work: work.notice_streams.open_batch(BANK))
    asyncio.run(telling.notify(due))

    assert opened is not None
    assert opened[0].trouble == "SIGNATURE_INVALID"
    assert len(peer.batches) == 3
    assert len(set(peer.batches)) == 1, "the same batch until it is taken"
    assert {job_of(network, one.number).state for one in due} == {JobState.DONE}


def test_a_holder_that_claims_to_expect_more_than_it_was_told_gains_nothing(network: Network) -> None:
    pushed(network, ordered(network), ScriptedPeer())
    deleted(network, HOME, 2)
    due = network.members[HOME].read(lambda work: work.outbox.due(network.clock(), 10))
    peer = ScriptedPeer(notices=[NoticesTaken(expected=2**64 - 1)])

    asyncio.run(propagating(network, peer).notify(due))
    deleted(network, HOME, 3)

    end = network.members[HOME].read(lambda work: work.notice_streams.end_of(BANK))
    assert end.expected == 2
