"""A real serving node in the test's own process, and clients that hold listed keys and send what no client would.

The node runs with everything that `creditport serve` starts (server, guard, courier, sequencer, indexer), on a free
port, in a thread of its own; the tests talk to it through bare gRPC channels.
"""

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep
from typing import cast

import grpc
from grpc_health.v1 import health_pb2

from crypto.canonical import from_base64
from crypto.keys import Purpose
from crypto.pseudonym_pool import PseudonymPool
from node.app.gateway import NodeGateway
from node.app.opening import Node, utc_now
from node.app.serving import Serving
from node.operations.asked import RefusedAnswer
from node.wire.metrics import WireMetrics
from node.wire.refusals import refusal_from_error
from node.wire.tls import Identity, ServerTls, certificate_pem, channel_credentials, target_name
from tests.fakes.exchange import set_up
from tests.fakes.members import Member
from tests.fakes.serving import node_of
from tests.fakes.world import World, founded

PATIENCE = 60.0
JOURNAL = frozenset({"journal_entries", "journal_nodes", "journal_head"})


def until(what: str, holds: Callable[[], bool]) -> None:
    """Look again and again until something holds."""
    end = monotonic() + PATIENCE
    while not holds():
        assert monotonic() < end, f"never came about: {what}"
        sleep(0.02)


def identity(member: Member) -> Identity:
    return Identity.of(from_base64(member.card.card.tls_certificate), member.part.secret(Purpose.TLS))


@dataclass(frozen=True)
class Serve:
    """The serving agency, and the world it stands in."""

    world: World
    serving: Serving
    port: int

    @property
    def metrics(self) -> WireMetrics:
        return self.serving.metrics

    @contextmanager
    def channel(self, caller: Identity | None) -> Iterator[grpc.Channel]:
        """A channel of `caller`; None has no certificate to show."""
        home = identity(self.world.agency)
        credentials = (
            grpc.ssl_channel_credentials(root_certificates=certificate_pem(home.certificate))
            if caller is None
            else channel_credentials(caller, home.certificate)
        )
        options = (
            ("grpc.ssl_target_name_override", target_name(self.world.agency.party)),
            ("grpc.use_local_subchannel_pool", 1),
            ("grpc.enable_http_proxy", 0),
        )
        with grpc.secure_channel(f"127.0.0.1:{self.port}", credentials, options=options) as channel:
            yield channel

    def call(self, method: str, raw: bytes, caller: Member | None = None) -> bytes:
        """One unary call by a member, the bank if none is named."""
        with self.channel(identity(caller or self.world.bank)) as channel:
            ask: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(method)
            return ask(raw, timeout=PATIENCE)

    def stream(self, method: str, raws: Sequence[bytes]) -> list[bytes]:
        """One stream by the bank."""
        with self.channel(identity(self.world.bank)) as channel:
            ask: grpc.StreamStreamMultiCallable[bytes, bytes] = channel.stream_stream(method)
            return list(ask(iter(raws), timeout=PATIENCE))

    def refusal(self, method: str, raw: bytes, caller: Member | None = None) -> RefusedAnswer:
        """The refusal that a unary call must meet."""
        try:
            self.call(method, raw, caller)
        except grpc.RpcError as error:
            answer = refusal_from_error(error)  # type: ignore[arg-type]  # a blocking error carries the same trailers
            if answer is not None:
                return answer
            raise
        raise AssertionError("answered where a refusal was expected")

    def is_healthy(self) -> bool:
        with self.channel(identity(self.world.bank)) as channel:
            check: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary("/grpc.health.v1.Health/Check")
            answer = health_pb2.HealthCheckResponse.FromString(check(b"", timeout=PATIENCE))
        return answer.status == health_pb2.HealthCheckResponse.SERVING

    def stored(self) -> dict[str, list[tuple[object, ...]]]:
        """Every row of every table of the node but its journal."""
        with closing(sqlite3.connect(self.world.agency.database)) as connection:
            names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            return {
                name: connection.execute(f"SELECT * FROM {name}").fetchall()  # noqa: S608 - the schema's own names
                for name in names
                if name not in JOURNAL
            }

    def journalled(self) -> list[tuple[str, str]]:
        """What the journal says was done and how it came out, from the first entry on."""
        return [one.told for one in self.world.agency.journal()]

    def count(self, name: str, **labels: str) -> float:
        return self.metrics.registry.get_sample_value(name, labels) or 0.0


@contextmanager
def serving_agency(folder: Path) -> Iterator[Serve]:
    """A network with everything set up, in which the agency serves."""
    with founded(folder, utc_now) as world:
        set_up(world)
        node = node_of(world.agency, listen="127.0.0.1:0")
        pool = PseudonymPool(world.agency.context.keys.pseudonym_seed, 0)
        with _running(node, pool, world) as serve:
            yield serve


@contextmanager
def _running(node: Node, pool: PseudonymPool, world: World) -> Iterator[Serve]:
    ready: Future[tuple[Serving, int, asyncio.AbstractEventLoop]] = Future()

    async def main() -> None:
        gateway, stop, loop = NodeGateway(node, pool), asyncio.Event(), asyncio.get_running_loop()
        tls = ServerTls(identity(world.agency))
        serving = Serving(node=node, gateway=gateway, tls=tls, pool=pool, metrics=WireMetrics(), stop=stop)
        try:
            await serving.run(lambda port: ready.set_result((serving, port, loop)))
        finally:
            gateway.close()

    thread = threading.Thread(target=asyncio.run, args=(main(),), name="serving")
    thread.start()
    serving, port, loop = ready.result(timeout=PATIENCE)
    try:
        yield Serve(world, serving, port)
    finally:
        loop.call_soon_threadsafe(serving.stop.set)
        thread.join(PATIENCE)


def failure(call: Callable[[], object]) -> str | None:
    """None if a call was answered, else the reason that it was refused for, or the status that it failed with."""
    try:
        call()
    except grpc.RpcError as error:
        answer = refusal_from_error(error)  # type: ignore[arg-type]  # a blocking error carries the same trailers
        return answer.refused.reason.value if answer else str(cast("grpc.Call", error).code().name)
    return None
