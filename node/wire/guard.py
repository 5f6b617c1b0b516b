"""The guard before every handler: who calls, how many at a time, for how long, and what is counted about it.

A TLS connection may outlive the listing of the certificate it was opened with, so the certificate is looked
up again on every call, health and reflection included.
"""

import asyncio
import inspect
import traceback
from collections.abc import Callable, Sequence
from contextlib import aclosing
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, NamedTuple, NoReturn, TypeAlias

import grpc
import structlog

from agreements.refusal import Refusal, Refused, refuse
from node.operations.asked import RefusedAnswer
from node.wire.errors import Overloaded
from node.wire.gateway import Gateway
from node.wire.methods import Method
from node.wire.metrics import WireMetrics
from node.wire.refusals import refusal_to_status, status_to_trailer
from node.wire.tls import certificate_der
from registry.parties import PartyId

Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"
Call: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"
Stream: TypeAlias = "grpc.aio.ServicerContext[bytes, bytes]"
Behaviour = Callable[..., Any]
"""A handler's function (request or requests, call); the stubs know only those of blocking servers."""

_NOT_LISTED: Final[PartyId | Refused] = refuse(Refusal.PEER_UNKNOWN, "")
_caller: ContextVar["Caller"] = ContextVar("caller")


class Caller(NamedTuple):
    """Who makes a call, and the certificate (SHA-256 of its DER) that says so."""

    party: PartyId
    certificate: bytes


def current_caller() -> Caller:
    """Who makes the call that is being handled."""
    return _caller.get()


@dataclass(frozen=True, slots=True, kw_only=True)
class CallLimits:
    """Bounds on calls: `executing` unary ones at a time, `waiting` behind them, `streams` open at a time.

    Executing are as many as two coalesced batches hold: one is served while the next one gathers. `deadline`
    and `stream_deadline` (seconds) cap what callers ask for.
    """

    executing: int = 128
    waiting: int = 1024
    streams: int = 256
    deadline: float = 60.0
    stream_deadline: float = 3600.0


class _Turns:
    """Places in which unary calls execute, with a bounded line of calls that wait for one."""

    def __init__(self, places: int, line: int) -> None:
        self._places = asyncio.Semaphore(places)
        self._room = line

    async def __aenter__(self) -> None:
        if not self._room:
            raise Overloaded("too many calls are waiting")
        self._room -= 1
        try:
            await self._places.acquire()
        finally:
            self._room += 1

    async def __aexit__(self, *_: object) -> None:
        self._places.release()


class _Places:
    """Places for streams. Whoever finds none is turned away: streams last too long to wait for."""

    def __init__(self, places: int) -> None:
        self._free = places

    def __enter__(self) -> None:
        if not self._free:
            raise Overloaded("too many streams are open")
        self._free -= 1

    def __exit__(self, *_: object) -> None:
        self._free += 1


def delisted(gateway: Gateway, caller: Caller, method: Method) -> RefusedAnswer | None:
    """Look the caller up again: a stream may outlive the listing of the certificate it was opened with."""
    found = gateway.identify(caller.certificate, method)
    return RefusedAnswer(refused=found, leaf=b"") if isinstance(found, Refused) else None


class Guard(grpc.GenericRpcHandler):
    """Stands for every handler of a server. A handler's RefusedAnswer becomes a status with ErrorInfo.

    A stream that writes its messages itself may return one as well, before the first message or after any other.

    Being the one handler that the server knows, and not an interceptor, it costs a call nothing but its
    checks.
    """

    def __init__(
        self,
        gateway: Gateway,
        metrics: WireMetrics,
        limits: CallLimits,
        behind: Sequence[grpc.GenericRpcHandler],
    ) -> None:
        self._gateway = gateway
        self._metrics = metrics
        self._limits = limits
        self._behind = behind
        self._turns = _Turns(limits.executing, limits.waiting)
        self._places = _Places(limits.streams)
        self._guarded: dict[str, Handler] = {}

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> "Handler | None":
        """Count the call and give its handler, guarded; None for a method that gRPC then calls unknown."""
        method = handler_call_details.method
        guarded = self._guarded.get(method)
        if guarded is None:
            found = (handlers.service(handler_call_details) for handlers in self._behind)
            handler = next((handler for handler in found if handler is not None), None)
            if handler is None:
                return None
            guarded = self._guarded[method] = self._guard(method, handler)
        self._metrics.started(method)
        return guarded

    def _guard(self, method: str, handler: Handler) -> Handler:
        """The same handler behind this guard. Every method here is unary, or answers with a stream."""
        wrap: Callable[..., Handler]
        if handler.unary_unary is not None:
            wrap, guarded = grpc.unary_unary_rpc_method_handler, self._unary(method, handler.unary_unary)
        elif handler.unary_stream is not None:
            wrap, guarded = grpc.unary_stream_rpc_method_handler, self._stream(method, handler.unary_stream)
        else:
            wrap, guarded = grpc.stream_stream_rpc_method_handler, self._stream(method, handler.stream_stream)
        return wrap(
            guarded,
            request_deserializer=handler.request_deserializer,
            response_serializer=handler.response_serializer,
        )

    def _unary(self, method: str, behaviour: Behaviour) -> Behaviour:
        cap = self._limits.deadline

        async def in_turn(request: object, context: Call) -> object:
            async with asyncio.timeout(cap), self._turns:
                answer = await behaviour(request, context)
            if isinstance(answer, RefusedAnswer):
                await self._turn_away(context, answer)
            return answer

        return self._watched(method, in_turn)

    def _stream(self, method: str, behaviour: Behaviour | None) -> Behaviour:
        """A stream is written from within the handler's own task, so that ending it early ends all of it."""
        cap = self._limits.stream_deadline
        if behaviour is None:
            raise TypeError(f"{method} takes a stream and answers once, which no method here does")
        generates = inspect.isasyncgenfunction(behaviour)

        async def in_place(request: object, context: Call) -> None:
            async with asyncio.timeout(cap):
                with self._places:
                    if not generates:
                        # Its sender writes nothing before these headers say that the stream is taken.
                        await context.send_initial_metadata(())
                        answer = await behaviour(request, context)
                        if isinstance(answer, RefusedAnswer):
                            await self._turn_away(context, answer)
                        return
                    async with aclosing(behaviour(request, context)) as answers:
                        async for answer in answers:
                            await context.write(answer)

        return self._watched(method, in_place)

    def _watched(self, method: str, behaviour: Behaviour) -> Behaviour:
        """Admit the caller, count the outcome, and let nothing of an unexpected error reach the peer."""

        async def watched(request: object, context: Call) -> object:
            code = grpc.StatusCode.UNKNOWN
            self._metrics.entered()
            try:
                await self._admit(method, context)
                answer = await behaviour(request, context)
                code = grpc.StatusCode.OK
            except grpc.aio.AbortError:
                code = context.code()
                raise
            except asyncio.CancelledError:
                code = grpc.StatusCode.CANCELLED
                raise
            except Exception as failure:  # noqa: BLE001 - a bug must not describe itself to the peer
                code, told = _outcome(method, failure)
                await context.abort(code, told)
            finally:
                self._metrics.handled(method, code)
            return answer

        return watched

    async def _admit(self, method: str, context: Call) -> None:
        presented = context.auth_context().get("x509_pem_cert")
        certificate, found = b"", _NOT_LISTED
        if presented:
            certificate = _fingerprint(next(iter(presented)))
            found = self._gateway.identify(certificate, method)
        if isinstance(found, Refused):
            # Not journalled: whoever is not listed could fill the journal. It is counted.
            await self._turn_away(context, RefusedAnswer(refused=found, leaf=b""))
        _caller.set(Caller(found, certificate))

    async def _turn_away(self, context: Call, answer: RefusedAnswer) -> NoReturn:
        self._metrics.refused(answer.refused.reason)
        status = refusal_to_status(answer)
        code = _STATUS_CODES[status.code]
        await context.abort(code, status.message, status_to_trailer(status))
        raise AssertionError  # pragma: no cover - abort always raises


_STATUS_CODES: Final = {code.value[0]: code for code in grpc.StatusCode}


def _outcome(method: str, failure: Exception) -> tuple[grpc.StatusCode, str]:
    """What a peer is told of a call that failed; nothing of an error that nobody expected."""
    if isinstance(failure, Overloaded):
        return grpc.StatusCode.RESOURCE_EXHAUSTED, "busy: try again later"
    if isinstance(failure, TimeoutError):
        return grpc.StatusCode.DEADLINE_EXCEEDED, "took too long"
    structlog.get_logger(__name__).error("call.failed", method=method, errors=_traced(failure))
    return grpc.StatusCode.INTERNAL, "internal error"


def _traced(failure: BaseException | None) -> list[str]:
    """Types and places of an error and its causes; messages and local variables might hold content."""
    errors = []
    while failure is not None:
        frames = traceback.extract_tb(failure.__traceback__)
        places = (f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames)
        errors.append(f"{type(failure).__name__} at {' > '.join(places)}")
        failure = failure.__cause__ or failure.__context__
    return errors


@lru_cache(maxsize=1024)
def _fingerprint(pem: bytes) -> bytes:
    return sha256(certificate_der(pem)).digest()
