"""The server: every service behind mutual TLS and the guard, with health checking and reflection."""

import asyncio
import socket
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final, cast

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection, reflection_pb2_grpc

from node.wire.coalesce import Coalescer, Limits
from node.wire.errors import CannotListen
from node.wire.gateway import Gateway
from node.wire.guard import CallLimits, Guard
from node.wire.inspections import Inspections
from node.wire.methods import KIB, LARGEST_MESSAGE, SERVICES
from node.wire.metrics import WireMetrics
from node.wire.questions import Question, Questions
from node.wire.servicers import Servicers, Workers
from node.wire.tls import ServerTls

_CHANNEL_OPTIONS: Final = (
    ("grpc.max_receive_message_length", LARGEST_MESSAGE),
    ("grpc.max_send_message_length", LARGEST_MESSAGE),
    ("grpc.max_concurrent_streams", 1024),
    ("grpc.keepalive_time_ms", 120_000),
    ("grpc.keepalive_timeout_ms", 20_000),
    # Clients of this product ping once a minute; gRPC's own patience is five minutes.
    ("grpc.http2.min_recv_ping_interval_without_data_ms", 20_000),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerOptions:
    """How much a server does at a time: see CallLimits and Limits.

    Of queries, two batches run abreast: while one is in its transaction the next is read and its authorisations are
    verified; and as many calls as wait together come in two batches rather than in one. `in_flight` messages of one
    batch stream are worked on together; `threads` run what is not coalesced. With
    `share_port` other processes of the same node may listen on the same port; the system deals connections out to them.
    """

    calls: CallLimits = field(default_factory=CallLimits)
    gather: Limits = field(default_factory=Limits)
    queries: Limits = field(default_factory=lambda: Limits(most=32, heaviest=160 * KIB, abreast=2))
    in_flight: int = 4
    threads: int = 2
    share_port: bool = False


class WireServer:
    """A running server. `port` is the one it is bound to, which the system chose if 0 was asked for."""

    def __init__(
        self,
        server: grpc.aio.Server,
        port: int,
        checking: health.aio.HealthServicer,
        inspections: Inspections,
        threads: tuple[ThreadPoolExecutor, ...],
    ) -> None:
        self.port = port
        self._server = server
        self._health = checking
        self._inspections = inspections
        self._threads = threads

    async def stop(self, grace: float) -> None:
        """Take no new calls, give running ones `grace` seconds, and end with no thread left."""
        await self._health.enter_graceful_shutdown()
        await self._server.stop(grace)
        # Closing what makes their parts still takes a thread.
        await self._inspections.ended()
        for pool in self._threads:
            await asyncio.to_thread(pool.shutdown, cancel_futures=True)

    async def wait(self) -> None:
        """Return when the server was stopped."""
        await self._server.wait_for_termination()


async def serve(
    gateway: Gateway, listen: str, tls: ServerTls, options: ServerOptions, metrics: WireMetrics
) -> WireServer:
    """Serve `gateway` on `listen` ("host:port"; port 0 takes a free one) until stopped.

    Raises:
        CannotListen: the address is taken, or is not this machine's.
    """
    threads = tuple(
        ThreadPoolExecutor(workers, thread_name_prefix=name)
        for name, workers in (("charges", 1), ("queries", options.queries.abreast), ("calls", options.threads))
    )
    charges, queries, calls = threads
    workers = Workers(
        charges=Coalescer(gateway.charge_evaluations, charges, options.gather),
        queries=Coalescer(Questions(gateway).answer, queries, options.queries, _size),
        executor=calls,
    )
    inspections = Inspections(gateway, calls)
    services = Servicers(gateway, workers, inspections, metrics, options.in_flight).handlers()
    checking, extras = await _health_and_reflection()
    # With port sharing any second server binds the same port without a word, so it must be asked for.
    sharing = ("grpc.so_reuseport", int(options.share_port))
    server = grpc.aio.server(options=(sharing, *_CHANNEL_OPTIONS))
    server.add_generic_rpc_handlers((Guard(gateway, metrics, options.calls, (*services, *extras)),))
    try:
        port = server.add_secure_port(listen, tls.credentials(metrics.handshake))
    except RuntimeError as failure:
        raise CannotListen(f"cannot listen on {listen}: the address is taken or not ours") from failure
    await server.start()
    return WireServer(server, port, checking, inspections, threads)


def require_free(listen: str) -> None:
    """Look that nobody listens on an address yet, with port sharing or without.

    Raises:
        CannotListen: somebody does, or the address is not this machine's.
    """
    host, _, port = listen.rpartition(":")
    try:
        socket.create_server((host, int(port))).close()
    except OSError as failure:
        raise CannotListen(f"cannot listen on {listen}: the address is taken or not ours") from failure


class _Collected:
    """Takes what libraries would register with a server, so that the guard can stand before it."""

    def __init__(self) -> None:
        self.handlers: list[grpc.GenericRpcHandler] = []

    def add_generic_rpc_handlers(self, handlers: Iterable[grpc.GenericRpcHandler]) -> None:
        """Keep handlers."""
        self.handlers.extend(handlers)

    def add_registered_method_handlers(self, service: str, handlers: object) -> None:
        """Leave aside: the same handlers once more, in a form that would pass by the guard."""


async def _health_and_reflection() -> tuple[health.aio.HealthServicer, list[grpc.GenericRpcHandler]]:
    """Health checking (grpc.health.v1), which reports SERVING for each service, and reflection of all."""
    checking = health.aio.HealthServicer()
    for name in ("", *SERVICES):
        await checking.set(name, health_pb2.HealthCheckResponse.SERVING)
    collected = _Collected()
    names = (*SERVICES, health.SERVICE_NAME, reflection.SERVICE_NAME)
    health_pb2_grpc.add_HealthServicer_to_server(checking, cast("grpc.aio.Server", collected))
    reflecting = reflection.aio.ReflectionServicer(service_names=names)
    reflection_pb2_grpc.add_ServerReflectionServicer_to_server(reflecting, collected)  # type: ignore[no-untyped-call]  # the package has no types
    return checking, collected.handlers


def _size(question: Question) -> int:
    return len(question.raw)
