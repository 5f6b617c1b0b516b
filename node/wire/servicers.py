"""The services of the contract: raw bytes in, facts to the gateway, raw bytes out.

Handlers take raw bytes so that what is not a permitted message is refused with a reason and journalled;
protobuf alone would end the call before anybody saw it.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any, TypeVar

import grpc

from agreements.refusal import Refusal, Refused
from crypto.errors import Malformed
from node.operations.asked import (
    Answered,
    EvaluateAsked,
    EvaluationGranted,
    QueryAsked,
    RefusedAnswer,
)
from node.wire import codec
from node.wire.coalesce import Coalescer
from node.wire.errors import Misshapen
from node.wire.gateway import Gateway
from node.wire.guard import Caller, current_caller
from node.wire.methods import Method
from node.wire.metrics import WireMetrics
from registry.parties import PartyId

T = TypeVar("T")

RawAnswer = bytes | RefusedAnswer
"""What a unary handler gives: response bytes, or a refusal that the guard turns into a status."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Workers:
    """Where blocking work runs: the two coalesced operations, and everything else in `executor`."""

    charges: Coalescer[EvaluateAsked, EvaluationGranted | RefusedAnswer]
    queries: Coalescer[QueryAsked, Answered | RefusedAnswer]
    executor: Executor


class Servicers:
    """All services over one gateway. Each handler takes the raw request of the party in `current_caller`."""

    def __init__(self, gateway: Gateway, workers: Workers, metrics: WireMetrics, in_flight: int) -> None:
        self._gateway = gateway
        self._workers = workers
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
            Method.PROVE_JOURNAL: self._prove_journal,
        }
        services: dict[str, dict[str, grpc.RpcMethodHandler[Any, Any]]] = {}
        for method, behaviour in unary.items():
            of_service = services.setdefault(method.service, {})
            of_service[method.short_name] = grpc.unary_unary_rpc_method_handler(self._reading(method, behaviour))
        batch = Method.BATCH_QUERY
        services[batch.service][batch.short_name] = grpc.stream_stream_rpc_method_handler(self._batch_query)
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
        asked = codec.query_from_wire(raw, peer)
        self._saw(peer, asked.checkpoint)
        answer = await self._workers.queries.ask(asked)
        if isinstance(answer, RefusedAnswer):
            return answer
        if answer.refused_items:
            return answer.refused_items[0][1]
        return codec.answer_to_wire(answer)

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

    async def _prove_journal(self, raw: bytes, peer: PartyId) -> RawAnswer:
        proof = await self._work(self._gateway.prove_journal, peer, *codec.prove_journal_from_wire(raw))
        return proof if isinstance(proof, RefusedAnswer) else codec.journal_proof_to_wire(proof)

    async def _batch_query(
        self, requests: AsyncIterator[bytes], context: "grpc.aio.ServicerContext[bytes, bytes]"
    ) -> None:
        """Answer message by message in order, while the next ones are worked on already."""
        line: asyncio.Queue[asyncio.Task[bytes] | None] = asyncio.Queue()
        room = asyncio.Semaphore(self._in_flight)
        reader = asyncio.create_task(self._read_batch(requests, line, room))
        try:
            while (message := await line.get()) is not None:
                await context.write(await message)
                room.release()
            await reader
        finally:
            reader.cancel()
            while not line.empty():
                if (message := line.get_nowait()) is not None:
                    message.cancel()

    async def _read_batch(
        self,
        requests: AsyncIterator[bytes],
        line: asyncio.Queue[asyncio.Task[bytes] | None],
        room: asyncio.Semaphore,
    ) -> None:
        """Start on each message as it comes, as long as there is room; None ends the line."""
        caller = current_caller()
        try:
            async for raw in requests:
                await room.acquire()
                line.put_nowait(asyncio.create_task(self._batch_message(raw, caller)))
        finally:
            line.put_nowait(None)

    async def _batch_message(self, raw: bytes, caller: Caller) -> bytes:
        request_id, peer = b"", caller.party
        answer: Answered | RefusedAnswer
        try:
            request_id, asked = codec.batch_query_from_wire(raw, peer)
            self._saw(peer, asked.checkpoint)
            answer = self._delisted(caller) or await self._workers.queries.ask(asked)
        except Misshapen as bad:
            answer = await self._refused(peer, Method.BATCH_QUERY, bad)
        self._count(answer)
        return codec.batch_answer_to_wire(request_id, answer, self._gateway.newest_checkpoint())

    def _delisted(self, caller: Caller) -> RefusedAnswer | None:
        """Look the caller up again: a stream may outlive the listing of the certificate it was opened with."""
        found = self._gateway.identify(caller.certificate)
        return RefusedAnswer(refused=found, leaf=b"") if isinstance(found, Refused) else None

    def _count(self, answer: Answered | RefusedAnswer) -> None:
        if isinstance(answer, RefusedAnswer):
            self._metrics.refused(answer.refused.reason)
            return
        for _, item in answer.refused_items:
            self._metrics.refused(item.refused.reason)

    def _saw(self, peer: PartyId, checkpoint: bytes) -> None:
        if checkpoint:
            self._gateway.saw_checkpoint(peer, checkpoint)

    async def _refused(self, peer: PartyId, method: Method, bad: Misshapen) -> RefusedAnswer:
        return await self._work(self._gateway.refuse, peer, method.value, bad.refused)

    async def _work(self, act: Callable[..., T], *facts: object) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._workers.executor, act, *facts)
