"""A real server and real clients over mutual TLS on loopback, with a gateway that answers from a script."""

import asyncio
import hashlib
import os
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

import grpc

from agreements.refusal import Refusal, Refused, refuse
from node.domain.certificate import make_certificate, new_tls_secret
from node.operations.asked import (
    Answered,
    AskedItem,
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
from node.wire.methods import OUTLIVING
from node.wire.metrics import WireMetrics
from node.wire.outgoing import EvaluateCall, QueryCall
from node.wire.peers import DEADLINES, PeerAddress, PeerClient
from node.wire.server import ServerOptions, WireServer, serve
from node.wire.tls import Identity, ServerTls, channel_credentials, target_name
from registry.parties import PartyId

HOME, BANK, STRANGER = PartyId("sz-agency"), PartyId("hk-bank"), PartyId("stranger")
LEAF = bytes(range(32))
CHECKPOINT = b"creditport/journal/sz-agency\n7\n"
BANK_CHECKPOINT = b"creditport/journal/hk-bank\n3\n"
AGREEMENT = b"\xa9" * 32


def identity(party: PartyId) -> Identity:
    """A throw-away identity."""
    secret = new_tls_secret(os.urandom)
    return Identity.of(make_certificate(party, secret, datetime.now(UTC), os.urandom), secret)


def refused(reason: Refusal) -> RefusedAnswer:
    return RefusedAnswer(refused=refuse(reason, "SZ-DRAFT-82"), leaf=LEAF)


def one_frame(asked: QueryAsked) -> Answered | RefusedAnswer:
    return Answered(header=b"header", body=b"body of %d" % len(asked.items), refused_items=(), checkpoint=CHECKPOINT)


def pushed_frame(number: int, body: bytes = b"sealed") -> tuple[bytes, FrameArrived]:
    """A frame with its id, which ends its header."""
    name = number.to_bytes(16, "big")
    return name, FrameArrived(header=b"header of " + name, body=body)


def stored(frame: FrameArrived) -> FrameStored:
    return FrameStored(frame=frame.header[-16:], leaf=hashlib.sha256(frame.header).digest())


def frame_refused(frame: FrameArrived, reason: Refusal) -> FrameRefused:
    return FrameRefused(frame=frame.header[-16:], answer=refused(reason))


@dataclass
class ScriptedGateway:
    """Answers by script, and remembers what it was asked."""

    listed: dict[bytes, PartyId | Refused] = field(default_factory=dict)
    gone: dict[bytes, PartyId] = field(default_factory=dict)
    answer: Callable[[QueryAsked], Answered | RefusedAnswer] = one_frame
    page: RegistryPage | RefusedAnswer = field(
        default_factory=lambda: RegistryPage(head=b"head", statements=(b"first", b"second"))
    )
    outcome: RefusedAnswer | None = None
    take: Callable[[FrameArrived], FrameStored | FrameRefused] = stored
    taken: NoticesTaken = field(default_factory=lambda: NoticesTaken(expected=8))
    evaluation: Exception | None = None
    evidence: Callable[[], Iterator[bytes]] = field(default=lambda: iter((b"first ", b"second")))
    queries: list[list[QueryAsked]] = field(default_factory=list)
    charged: list[list[EvaluateAsked]] = field(default_factory=list)
    documents: list[tuple[PartyId, bytes]] = field(default_factory=list)
    pushed: list[list[FrameArrived]] = field(default_factory=list)
    notices: list[tuple[PartyId, bytes, FrameArrived | None]] = field(default_factory=list)
    orders: list[tuple[PartyId, bytes]] = field(default_factory=list)
    edge_refusals: list[tuple[PartyId, str, Refused]] = field(default_factory=list)
    seen: list[tuple[PartyId, bytes]] = field(default_factory=list)
    hold: threading.Event | None = None
    release_after: int = 0
    release_when_met: int = 0
    met: int = 0
    taken_in: int = 0
    most_in_hand: int = 0

    def list_certificate(self, certificate: bytes, as_: PartyId | Refused) -> None:
        self.listed[hashlib.sha256(certificate).digest()] = as_

    def end_admission(self, certificate: bytes) -> None:
        """The bearer left, or its admission ran out; its key is as good as ever."""
        name = hashlib.sha256(certificate).digest()
        party = self.listed[name]
        assert isinstance(party, str)
        self.gone[name], self.listed[name] = party, refuse(Refusal.PEER_SUSPENDED, "SZ-DRAFT-82")

    def identify(self, certificate_sha256: bytes, method: str) -> PartyId | Refused:
        self.met += 1
        if self.hold is not None and self.met == self.release_when_met:
            self.hold.set()
        if method in OUTLIVING and certificate_sha256 in self.gone:
            return self.gone[certificate_sha256]
        return self.listed.get(certificate_sha256, refuse(Refusal.PEER_UNKNOWN, ""))

    def charge_evaluations(self, asked: list[EvaluateAsked]) -> Sequence[EvaluationGranted | RefusedAnswer]:
        self.charged.append(asked)
        granted = EvaluationGranted(agreement_id="0" * 32, epoch=1, checkpoint=CHECKPOINT)
        return [self.outcome or granted for _ in asked]

    def evaluate(self, _id: str, _epoch: int, blinded: Sequence[bytes]) -> Future[tuple[list[bytes], bytes]]:
        future: Future[tuple[list[bytes], bytes]] = Future()
        if self.evaluation is not None:
            future.set_exception(self.evaluation)
        else:
            future.set_result(([element[::-1] for element in blinded], b"p" * 64))
        return future

    def answer_queries(self, asked: list[QueryAsked]) -> Sequence[Answered | RefusedAnswer]:
        if self.hold is not None:
            self.hold.wait(timeout=30)
        self.queries.append(asked)
        return [self.answer(question) for question in asked]

    def receive_document(self, peer: PartyId, raw: bytes) -> bytes | RefusedAnswer:
        self.documents.append((peer, raw))
        return self.outcome or hashlib.sha256(raw).digest()

    def file_agreement(self, peer: PartyId, raw: bytes) -> bytes | RefusedAnswer:
        self.documents.append((peer, raw))
        return self.outcome or b"receipt for " + raw

    def receive_receipts(self, peer: PartyId, raw: bytes) -> RefusedAnswer | None:
        self.documents.append((peer, raw))
        return self.outcome

    def receive_frames(self, _peer: PartyId, frames: Sequence[FrameArrived]) -> Sequence[FrameStored | FrameRefused]:
        if self.hold is not None:
            self.hold.wait(timeout=30)
        self.pushed.append(list(frames))
        outcomes = [self.take(frame) for frame in frames]
        self.taken_in += len(frames)
        return outcomes

    def receive_notices(
        self, peer: PartyId, batch: bytes, replacement: FrameArrived | None
    ) -> NoticesTaken | RefusedAnswer:
        self.notices.append((peer, batch, replacement))
        return self.outcome or self.taken

    def read_registry(self, start: int, limit: int) -> RegistryPage | RefusedAnswer:
        if isinstance(self.page, RefusedAnswer):
            return self.page
        wanted = self.page.statements[start : start + limit if limit else None]
        return RegistryPage(head=self.page.head, statements=wanted)

    def prove_journal(self, _peer: PartyId, leaf: bytes, old_size: int) -> JournalProof | RefusedAnswer:
        proof = JournalProof(checkpoint=CHECKPOINT, index=old_size, inclusion=(leaf,), consistency=())
        return self.outcome or proof

    def inspect(self, peer: PartyId, order: bytes) -> Iterator[bytes] | RefusedAnswer:
        self.orders.append((peer, order))
        return self.outcome or self.evidence()

    def refuse(self, peer: PartyId, method: str, refused: Refused) -> RefusedAnswer:
        self.edge_refusals.append((peer, method, refused))
        return RefusedAnswer(refused=refused, leaf=LEAF)

    def saw_checkpoint(self, peer: PartyId, note: bytes) -> None:
        self.seen.append((peer, note))
        self.most_in_hand = max(self.most_in_hand, len(self.seen) - self.taken_in)
        if self.hold is not None and len(self.seen) == self.release_after:
            self.hold.set()

    def newest_checkpoint(self) -> bytes:
        return CHECKPOINT


@dataclass
class Asker:
    """The asking side's end of the exchange of checkpoints."""

    seen: list[tuple[PartyId, bytes]] = field(default_factory=list)

    def saw_checkpoint(self, peer: PartyId, note: bytes) -> None:
        self.seen.append((peer, note))

    def newest_checkpoint(self) -> bytes:
        return BANK_CHECKPOINT


@dataclass
class Network:
    """One serving node, and whoever wants to call it."""

    server: WireServer
    gateway: ScriptedGateway
    tls: ServerTls
    metrics: WireMetrics
    home: Identity
    bank: Identity
    asker: Asker
    address: PeerAddress
    client: PeerClient

    def trust(self, *identities: Identity) -> None:
        self.tls.trust([one.certificate for one in identities])

    @asynccontextmanager
    async def channel(self, caller: Identity, more: Sequence[tuple[str, int]] = ()) -> AsyncIterator[grpc.aio.Channel]:
        """A bare channel of `caller`, for what PeerClient would never send."""
        credentials = channel_credentials(caller, self.home.certificate)
        options = (
            ("grpc.ssl_target_name_override", target_name(HOME)),
            ("grpc.use_local_subchannel_pool", 1),
            *more,
        )
        async with grpc.aio.secure_channel(self.address.endpoint, credentials, options=options) as channel:
            yield channel

    async def call(self, method: str, raw: bytes, caller: Identity | None = None) -> bytes:
        async with self.channel(caller or self.bank) as channel:
            call: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(method)
            return await call(raw, timeout=20)

    async def stream(self, method: str, *raws: bytes, caller: Identity | None = None) -> list[bytes]:
        async with self.channel(caller or self.bank) as channel:
            ask: grpc.aio.StreamStreamMultiCallable[bytes, bytes] = channel.stream_stream(method)
            return [answer async for answer in ask(iter(raws), timeout=20)]

    def peer_client(self, caller: Identity) -> PeerClient:
        return PeerClient(caller, lambda party, _: self.address if party == HOME else None, self.asker, DEADLINES)


def play(story: Callable[[Network], Awaitable[None]], options: ServerOptions | None = None) -> None:
    """Run `story` on a network in which HOME serves and BANK is listed."""

    async def staged() -> None:
        home, bank = identity(HOME), identity(BANK)
        gateway, tls, metrics, asker = ScriptedGateway(), ServerTls(home), WireMetrics(), Asker()
        gateway.list_certificate(bank.certificate, BANK)
        tls.trust([bank.certificate])
        server = await serve(gateway, "127.0.0.1:0", tls, options or ServerOptions(), metrics)
        address = PeerAddress(endpoint=f"127.0.0.1:{server.port}", certificate=home.certificate)
        client = PeerClient(bank, lambda party, _: address if party == HOME else None, asker)
        try:
            await story(Network(server, gateway, tls, metrics, home, bank, asker, address, client))
        finally:
            await client.close()
            await server.stop(grace=0)

    asyncio.run(asyncio.wait_for(staged(), timeout=60))


def query_call(number: int = 0, items: int = 1) -> QueryCall:
    return QueryCall(
        request_id=number.to_bytes(16, "big"),
        agreement=AGREEMENT,
        epoch=1,
        purpose="CROSS_BORDER_FINANCING",
        asked={"201": frozenset({"decision", "amount_band"}), "101": frozenset({"status_code"})},
        items=tuple(AskedItem(pseudonym=bytes([n]) * 16, authorisation=b"signed") for n in range(items)),
        checkpoint=BANK_CHECKPOINT,
    )


def evaluate_call(elements: int = 2) -> EvaluateCall:
    return EvaluateCall(
        request_id=b"r" * 16,
        agreement=AGREEMENT,
        epoch=1,
        blinded=tuple(bytes([n]) * 32 for n in range(elements)),
        checkpoint=b"",
    )
