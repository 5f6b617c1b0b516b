"""What is counted. Labels are methods, status codes, reasons and codes of clocks; never a party or a request."""

from typing import Final

import grpc
from prometheus_client import CollectorRegistry, Counter, start_http_server
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from agreements.refusal import Refusal

LOOPBACK: Final = "127.0.0.1"


class WireMetrics(Collector):
    """Counters of one server, in a registry of their own, so that several nodes can share a process.

    A call is *started* when its header has come, and *handled* when an answer was given to it. What TLS let
    in but gRPC itself ended (a message too large for it, a broken frame, a call cancelled before its message
    came) is the difference, less what is still going on.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._calls = Counter("creditport_calls", "Calls handled.", ("method", "code"), registry=self.registry)
        self._started = Counter(
            "creditport_calls_started", "Calls whose header has come.", ("method",), registry=self.registry
        )
        self._refusals = Counter(
            "creditport_refusals",
            "Refusals given, in calls and in streams.",
            ("reason",),
            registry=self.registry,
        )
        self._handshakes = Counter("creditport_handshakes", "TLS handshakes begun.", registry=self.registry)
        self._missed = Counter(
            "creditport_clocks_missed",
            "Legal clocks past the node's own bound (LATE), or the law's (BREACH).",
            ("clock", "standing"),
            registry=self.registry,
        )
        self._begun = 0
        self._running = 0
        self._done = 0
        self.registry.register(self)

    def handshake(self) -> None:
        """Count a TLS handshake that begins; called from the transport's own threads."""
        self._handshakes.inc()

    def started(self, method: str) -> None:
        """Count a call whose header has come."""
        self._begun += 1
        self._started.labels(method).inc()

    def entered(self) -> None:
        """Note that a call's message has come, too, and that it is being handled."""
        self._running += 1

    def handled(self, method: str, code: grpc.StatusCode) -> None:
        """Count an entered call that was answered with `code`."""
        self._running -= 1
        self._done += 1
        self._calls.labels(method, code.name).inc()

    def refused(self, reason: Refusal) -> None:
        """Count a refusal."""
        self._refusals.labels(reason.value).inc()

    def missed(self, clock: str, standing: str) -> None:
        """Count a legal clock that passed one of its bounds."""
        self._missed.labels(clock, standing).inc()

    @property
    def stopped_by_transport(self) -> int:
        """Calls that started and reached no handler; one whose message is under way counts until then."""
        return self._begun - self._running - self._done

    def collect(self) -> list[GaugeMetricFamily]:
        """Give what is derived from the counters, at the moment it is asked for."""
        name, help_text = (
            "creditport_calls_stopped_by_transport",
            "Calls that ended before a handler saw them.",
        )
        return [GaugeMetricFamily(name, help_text, value=self.stopped_by_transport)]


class MetricsServer:
    """Serves the counters as Prometheus text over plain HTTP, on the loopback address only."""

    def __init__(self, metrics: WireMetrics, port: int) -> None:
        self._server, self._thread = start_http_server(port, addr=LOOPBACK, registry=metrics.registry)
        self.port: int = self._server.server_port

    def close(self) -> None:
        """Stop answering and free the port."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def metrics_server(metrics: WireMetrics, port: int) -> MetricsServer:
    """Start serving `metrics` on the loopback address; port 0 takes a free one, OSError if it is taken."""
    return MetricsServer(metrics, port)
