"""The services of the contract: raw bytes in, facts to the gateway, raw bytes out.

Handlers take raw bytes so that what is not a permitted message is refused with a reason and journalled;
protobuf alone would end the call before anybody saw it.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, TypeVar

import grpc

from agreements.refusal import Refusal
from crypto.errors import Malformed
from node.operations.asked import (
    EvaluateAsked,
    EvaluationGranted,
    FrameArrived,
    FrameRefused,
    FrameStored,
    RefusedAnswer,
)
from node.wire import codec
from node.wire.coalesce import Coalescer, Limits
from node.wire.errors import Misshapen
from node.wire.gateway import Gateway
from node.wire.guard import Caller, Stream, current_caller, delisted
from node.wire.in_order import answer_in_order
from node.wire.inspections import Inspections
from node.wire.methods import Method
from node.wire.metrics import WireMetrics
from node.wire.questions import Question, Reply
from registry.parties import PartyId

T = TypeVar("T")

FRAMES_TOGETHER: Final = 4
"""Pushed frames of one stream that are taken in together. As many again are read while they are, and no more: what
the sender has beyond that waits with the sender."""

RawAnswer = bytes | RefusedAnswer
"""What a unary handler gives: response bytes, or a refusal that the guard turns into a status."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Workers:
    """Where blocking work runs: the two coalesced operations, and everything else in `executor`."""

    charges: Coalescer[EvaluateAsked, EvaluationGranted | RefusedAnswer]
    queries: Coalescer[Question, Reply | Misshapen]
    executor: Executor


class Servicers:
    """All services over one gateway. Each handler takes the raw request of the party in `current_caller`."""

    def __init__(
        self,
        gateway: Gateway,
        workers: Workers,
        inspections: Inspections,
        metrics: WireMetrics,
        in_flight: int,
    ) -> None:
        self._gateway = gateway
        self._workers = workers
        self._inspections = inspections
        self._metrics = metrics
        self._in_flight = in_flight

    def handlers(self) -> tuple[grpc.GenericRpcHandler, ...]:
        """One generic handler for each service."""
        unary: dict[Method, Callable[[bytes, PartyId], Awaitable[RawAnswer]]] = {
            Method.EVALUATE: self._evaluate,
            Method.QUERY: self._query,
            Method.DELIVER_DOCUMENT: self._deliver_document,
            Method.FILE_AGREEMENT: self._file_agreement,
            Method.READ_REGISTRY: self._read_registry,
            Method.DELIVER_RECEIPTS: self._deliver_receipts,
            Method.DELIVER_NOTICES: self._deliver_notices,
            Method.PROVE_JOURNAL: self._prove_journal,
        }
        services: dict[str, dict[str, grpc.RpcMethodHandler[Any, Any]]] = {}
        for method, behaviour in unary.items():
            of_service = services.setdefault(method.service, {})
            of_service[method.short_name] = grpc.unary_unary_rpc_method_handler(self._reading(method, behaviour))
        for method, stream in ((Method.BATCH_QUERY, self._batch_query), (Method.PUSH_FRAMES, self._push_frames)):
            of_service = services.setdefault(method.service, {})
            of_service[method.short_name] = grpc.stream_stream_rpc_method_handler(stream)
        inspect: Any = self._inspections.inspect
        of_service = services.setdefault(Method.INSPECT.service, {})
        of_service[Method.INSPECT.short_name] = grpc.unary_stream_rpc_method_handler(inspect)
        return tuple(grpc.method_handlers_generic_handler(*service) for service in services.items())

    def _reading(self, method: Method, behaviour: Callable[[bytes, PartyId], Awaitable[RawAnswer]]) -> Any:
        """Turn what is misshapen into a journalled refusal."""

        async def read(raw: bytes, _: object) -> RawAnswer:
            peer = current_caller().party
            try:
                return await behaviour(raw, peer)
            except Misshapen as bad:
                return await self._refused(peer, method, bad)

        return read

    async def _evaluate(self, raw: bytes, peer: PartyId) -> RawAnswer:
        asked = codec.evaluate_from_wire(raw, peer)
        self._saw(peer, asked.checkpoint)
        granted = await self._workers.charges.ask(asked)
        if isinstance(granted, RefusedAnswer):
            return granted
        future = self._gateway.evaluate(granted.agreement_id, granted.epoch, asked.blinded)
        try:
            elements, proof = await asyncio.wrap_future(future)
        except Malformed as bad:
            raise Misshapen(Refusal.MALFORMED, "blinded: expected elements of the group, got others") from bad
        return codec.evaluation_to_wire(elements, proof, granted.checkpoint)

    async def _query(self, raw: bytes, peer: PartyId) -> RawAnswer:
        reply = await self._workers.queries.ask(Question(raw, peer, Method.QUERY))
        if isinstance(reply, Misshapen):
            raise reply
        return reply.refused or reply.response

    async def _deliver_document(self, raw: bytes, peer: PartyId) -> RawAnswer:
        delivery = codec.document_from_wire(raw)
        self._saw(peer, delivery.checkpoint)
        digest = await self._work(self._gateway.receive_document, peer, delivery.document)
        if isinstance(digest, RefusedAnswer):
            return digest
        return codec.document_digest_to_wire(digest, self._gateway.newest_checkpoint())

    async def _file_agreement(self, raw: bytes, peer: PartyId) -> RawAnswer:
        delivery = codec.agreement_from_wire(raw)
        self._saw(peer, delivery.checkpoint)
        receipt = await self._work(self._gateway.file_agreement, peer, delivery.document)
        if isinstance(receipt, RefusedAnswer):
            return receipt
        return codec.filing_to_wire(receipt, self._gateway.newest_checkpoint())

    async def _read_registry(self, raw: bytes, _: PartyId) -> RawAnswer:
        page = await self._work(self._gateway.read_registry, *codec.read_registry_from_wire(raw))
        return page if isinstance(page, RefusedAnswer) else codec.registry_page_to_wire(page)

    async def _deliver_receipts(self, raw: bytes, peer: PartyId) -> RawAnswer:
        delivery = codec.receipts_from_wire(raw)
        self._saw(peer, delivery.checkpoint)
        refused = await self._work(self._gateway.receive_receipts, peer, delivery.document)
        return refused or codec.receipts_taken_to_wire(self._gateway.newest_checkpoint())

    async def _deliver_notices(self, raw: bytes, peer: PartyId) -> RawAnswer:
        delivery = codec.notices_from_wire(raw)
        self._saw(peer, delivery.checkpoint)
        taken = await self._work(self._gateway.receive_notices, peer, delivery.batch, delivery.replacement)
        if isinstance(taken, RefusedAnswer):
            return taken
        if taken.refused is not None:
            self._count(taken.refused.refused.reason)
        return codec.notices_taken_to_wire(taken, self._gateway.newest_checkpoint())

    async def _prove_journal(self, raw: bytes, peer: PartyId) -> RawAnswer:
        proof = await self._work(self._gateway.prove_journal, peer, *codec.prove_journal_from_wire(raw))
        return proof if isinstance(proof, RefusedAnswer) else codec.journal_proof_to_wire(proof)

    async def _batch_query(self, requests: AsyncIterator[bytes], context: Stream) -> None:
        caller = current_caller()
        await answer_in_order(requests, context, self._in_flight, lambda raw: self._batch_message(raw, caller))

    async def _batch_message(self, raw: bytes, caller: Caller) -> bytes:
        peer, method = caller.party, Method.BATCH_QUERY
        reply = await self._workers.queries.ask(Question(raw, peer, method, delisted(self._gateway, caller, method)))
        if isinstance(reply, Misshapen):
            refused = await self._refused(peer, method, reply)
            self._count(refused.refused.reason)
            return codec.batch_answer_to_wire(b"", refused, self._gateway.newest_checkpoint())
        self._count(*reply.refusals)
        return reply.response

    async def _push_frames(self, requests: AsyncIterator[bytes], context: Stream) -> None:
        """Take in at once what came while the frames before it were taken in."""
        caller = current_caller()
        take_in = partial(self._gateway.receive_frames, caller.party)
        arrivals = Coalescer(take_in, self._workers.executor, Limits(window=0, most=FRAMES_TOGETHER))
        await answer_in_order(
            requests, context, 2 * FRAMES_TOGETHER, lambda raw: self._pushed_frame(raw, caller, arrivals)
        )

    async def _pushed_frame(
        self, raw: bytes, caller: Caller, arrivals: Coalescer[FrameArrived, FrameStored | FrameRefused]
    ) -> bytes:
        outcome: FrameStored | FrameRefused
        try:
            frame, checkpoint = codec.push_frame_from_wire(raw)
            del raw  # the frame holds it now, and it is large
            self._saw(caller.party, checkpoint)
            gone = delisted(self._gateway, caller, Method.PUSH_FRAMES)
            outcome = FrameRefused(frame=b"", answer=gone) if gone else await arrivals.ask(frame)
        except Misshapen as bad:
            outcome = FrameRefused(frame=b"", answer=await self._refused(caller.party, Method.PUSH_FRAMES, bad))
        if isinstance(outcome, FrameRefused):
            self._count(outcome.answer.refused.reason)
        return codec.pushed_to_wire(outcome, self._gateway.newest_checkpoint())

    def _count(self, *reasons: Refusal) -> None:
        for reason in reasons:
            self._metrics.refused(reason)

    def _saw(self, peer: PartyId, checkpoint: bytes) -> None:
        if checkpoint:
            self._gateway.saw_checkpoint(peer, checkpoint)

    async def _refused(self, peer: PartyId, method: Method, bad: Misshapen) -> RefusedAnswer:
        return await self._work(self._gateway.refuse, peer, method.value, bad.refused)

    async def _work(self, act: Callable[..., T], *facts: object) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._workers.executor, act, *facts)
