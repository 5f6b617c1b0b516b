"""Serving: one process that answers peers and runs the loops behind them.

Where several processes serve from one database, all of them answer, and each loop whose work is the node's, not the
process's, runs in the one that has this duty; when that one ends, another takes it.
"""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from contextlib import closing, suppress
from dataclasses import dataclass, field

import structlog

from agreements.authorisation_pool import AuthorisationPool
from crypto.canonical import from_base64
from crypto.errors import CryptoError
from crypto.pseudonym_pool import PseudonymPool
from node.app.asking import Asking
from node.app.courier import Courier
from node.app.errands import Errands
from node.app.gateway import NodeGateway
from node.app.lock import serving_lock
from node.app.opening import Node, utc_now
from node.app.propagating import Propagating
from node.app.rechecking import Rechecking
from node.app.threads import Threads
from node.app.timekeeping import Timekeeping
from node.operations.answer_queries import KNOWN_FOR
from node.operations.asked import RegistryPage
from node.operations.build_index import crowds_needed, extend_index, indexes_needed
from node.operations.coarsen import extend_crowds
from node.operations.end_copies import end_copies, erased, erasing
from node.operations.keep_journal import see_head, sequence_journal
from node.operations.keep_registry import MOST_STATEMENTS, advance_mirror, renew_head
from node.storage.errors import StorageError
from node.wire.errors import CannotListen, WireError
from node.wire.methods import OUTLIVING, Method
from node.wire.metrics import MetricsServer, WireMetrics, metrics_server
from node.wire.peers import PeerAddress, PeerClient
from node.wire.server import ServerOptions, require_free, serve
from node.wire.tls import Identity, ServerTls
from registry.mirror import Advanced, NotAdvanced, Setback
from registry.parties import PartyId
from registry.snapshot import Snapshot

__all__ = ["CannotListen", "Serving", "serve_node"]

GRACE = 5.0
"""Seconds that running calls are given when the node stops."""

MOST_BEHIND = 100_000
"""Statements taken in at once when a node has fallen behind an authority's log."""

LOOK_EVERY = 0.25
"""Seconds between two looks whether registry or agreements changed."""

GO_ON_EVERY = 2.0
"""Seconds between two signs that this process is alive, to those that share its database."""

MOST_METRICS_PORTS = 16
"""Processes of one node that each find a port of their own for metrics, from the configured one on."""

log = structlog.get_logger("serving")


@dataclass(slots=True)
class Serving:
    """The parts of one serving process. Every loop does one thing, logs what fails, and goes on."""

    node: Node
    gateway: NodeGateway
    tls: ServerTls
    pool: PseudonymPool
    metrics: WireMetrics
    stop: asyncio.Event
    _snapshot: Snapshot | None = field(default=None)
    _silent: set[PartyId] = field(default_factory=set)

    async def run(self, ready: Callable[[int], None]) -> None:
        """Serve until `stop` is set; `ready` is told the port once peers can connect."""
        node = self.node
        timekeeping = Timekeeping(node, self.metrics.missed, self.stop.is_set)
        rechecking = Rechecking(node, self.stop.is_set)
        await asyncio.to_thread(self._look)
        peers = PeerClient(_identity(node), self.address_of, self.gateway)
        options = ServerOptions(share_port=node.store.shared)
        server = await serve(self.gateway, node.config.network.listen, self.tls, options, self.metrics)
        threads, timing = Threads(node.store), node.config.timing
        propagating = Propagating(node, peers, threads)
        asking = Asking(node, peers, threads)
        errands = Errands(node, peers, threads, asking.do, propagating.push, propagating.notify)
        courier = Courier(errands, threads, node.store.duties, timing.courier_every)
        loops = [
            self._every(LOOK_EVERY, "look", lambda: asyncio.to_thread(self._look)),
            self._every(GO_ON_EVERY, "duties", lambda: asyncio.to_thread(node.store.duties.go_on)),
            self._duty(timing.checkpoint_every, "sequencer", lambda: asyncio.to_thread(self._sequence)),
            self._duty(timing.registry_read_every, "mirror", lambda: self._mirror(peers)),
            self._duty(LOOK_EVERY, "indexer", lambda: asyncio.to_thread(self._index)),
            self._duty(timing.retention_every, "retention", lambda: asyncio.to_thread(self._end_copies)),
            self._duty(timing.erase_every, "eraser", lambda: asyncio.to_thread(self._erase)),
            self._duty(timing.clocks_every, "clocks", lambda: asyncio.to_thread(timekeeping.look)),
            self._duty(timing.recheck_every, "recheck", lambda: asyncio.to_thread(rechecking.look)),
            courier.run(self.stop),
        ]
        if node.settings.own.card.party_class.is_authority:
            loops.append(self._duty(timing.registry_head_every, "head", lambda: asyncio.to_thread(self._renew)))
        running = [asyncio.create_task(loop) for loop in loops]
        try:
            ready(server.port)
            await self.stop.wait()
        finally:
            self.stop.set()
            await server.stop(GRACE)
            await asyncio.gather(*running, return_exceptions=True)
            await peers.close()
            threads.close()
            await asyncio.to_thread(self._sequence)

    def address_of(self, peer: PartyId, method: Method) -> PeerAddress | None:
        """Where the registry says a peer is; one whose admission ended is still told of changes (rule 10)."""
        listing = self._snapshot.party(peer) if self._snapshot else None
        if listing is None or not (listing.is_active or (method in OUTLIVING and listing.keeps_its_word)):
            return None
        card = listing.card.card
        return PeerAddress(endpoint=card.endpoint, certificate=from_base64(card.tls_certificate))

    async def _duty(self, seconds: float, name: str, act: Callable[[], Awaitable[None]]) -> None:
        """A loop of the whole node: acts here only while this process has the duty."""

        async def act_if_ours() -> None:
            if await asyncio.to_thread(self.node.store.duties.take, name):
                await act()

        await self._every(seconds, name, act_if_ours)

    async def _every(self, seconds: float, name: str, act: Callable[[], Awaitable[None]]) -> None:
        while not self.stop.is_set():
            try:
                await act()
            except (StorageError, WireError, CryptoError) as error:
                log.warning("loop failed", loop=name, error=type(error).__name__)
            except Exception:
                # A bug in one round does not end this loop, and every other with it; it is logged whole.
                log.exception("loop failed", loop=name)
            try:
                await asyncio.wait_for(self.stop.wait(), seconds)
            except TimeoutError:
                continue

    def _look(self) -> None:
        """Let in whom the registry lists now, and nobody else; verify the heads that peers have shown."""
        with self.node.store.read() as work:
            snapshot = self.node.facts(work).snapshot
            head = work.journal.head()
        if head is not None:
            self.gateway.now_publishes(head.note)
        if snapshot is not self._snapshot:
            self._snapshot = snapshot
            self.gateway.now_knows(snapshot)
            heard = (one for one in snapshot.listings.values() if one.is_active or one.keeps_its_word)
            self.tls.trust(from_base64(one.card.card.tls_certificate) for one in heard)
        for peer, note in dict.fromkeys(self.gateway.take_heads()):
            self._see(peer, note, snapshot)

    def _see(self, peer: PartyId, note: bytes, snapshot: Snapshot) -> None:
        listing = snapshot.party(peer)
        if listing is None:
            return
        with self.node.store.write() as work:
            seen = see_head(work, peer, listing.card.card.journal_vkey, note, self.node.context)
        if seen.fork:
            log.error("a peer's journal has two heads of one size", peer=peer)

    def _sequence(self) -> None:
        with self.node.store.write() as work:
            published = sequence_journal(work, self.node.context)
        if published is not None:
            self.gateway.now_publishes(published.note)

    def _renew(self) -> None:
        with self.node.store.write() as work:
            renew_head(work, self.node.facts(work), self.node.context)

    def _index(self) -> None:
        """Make what disclosures under agreements in force need, before they are asked for."""
        store, now = self.node.store, utc_now()
        with store.read() as work:
            facts = self.node.facts(work)
        for one in indexes_needed(facts, self.node.party, now):
            while not self.stop.is_set() and extend_index(store, one, self.pool.own):
                pass
        for ladder in crowds_needed(facts, self.node.party, now):
            while not self.stop.is_set() and extend_crowds(store, ladder):
                pass

    def _end_copies(self) -> None:
        """Destroy copies whose time is over, and bodies of answers that nobody may ask for again."""
        node = self.node
        while not self.stop.is_set():
            with node.store.write() as work:
                if not end_copies(work, node.recipient(work)):
                    break
        with node.store.write() as work:
            if work.erasures.forget_bodies(utc_now() - KNOWN_FOR):
                work.commit()

    def _erase(self) -> None:
        """Write the database anew if something was destroyed in it, and say what is in no file any more."""
        node = self.node
        with node.store.read() as work:
            through = erasing(work)
        if not through:
            return
        node.store.compact()
        while not self.stop.is_set():
            with node.store.write() as work:
                if not erased(work, through, node.recipient(work)):
                    return

    async def _mirror(self, peers: PeerClient) -> None:
        """Follow every pinned authority's log to its newest head; one that cannot be reached holds up no other."""
        pinned = await asyncio.to_thread(self._pinned)
        await asyncio.gather(*(self._follow(peers, one) for one in pinned if one != self.node.party))

    def _pinned(self) -> list[PartyId]:
        with self.node.store.read() as work:
            return list(work.registries.pins())

    async def _follow(self, peers: PeerClient, authority: PartyId) -> None:
        held = await asyncio.to_thread(self._held, authority)
        statements: list[bytes] = []
        try:
            page = await peers.read_registry(authority, held, MOST_STATEMENTS)
            while page.statements and len(statements) < MOST_BEHIND:
                statements += page.statements
                if len(page.statements) < MOST_STATEMENTS:
                    break
                page = await peers.read_registry(authority, held + len(statements), MOST_STATEMENTS)
        except WireError as error:
            if authority not in self._silent:
                log.warning("authority not heard", authority=authority, error=type(error).__name__)
            self._silent.add(authority)
            return
        if authority in self._silent:
            log.info("authority heard again", authority=authority)
            self._silent.discard(authority)
        whole = RegistryPage(head=page.head, statements=tuple(statements))
        moved = await asyncio.to_thread(self._advance, authority, whole)
        if isinstance(moved, NotAdvanced) and moved.setback in {Setback.FORK, Setback.ROLLBACK}:
            log.error("an authority's log does not only grow", authority=authority, setback=moved.setback.value)

    def _held(self, authority: PartyId) -> int:
        with self.node.store.read() as work:
            return len(work.registries.mirror(authority).statements)

    def _advance(self, authority: PartyId, page: RegistryPage) -> Advanced | NotAdvanced:
        with self.node.store.write() as work:
            return advance_mirror(work, authority, page, self.node.facts(work), self.node.context)


def serve_node(node: Node, ready: Callable[[int], None]) -> None:
    """Serve a node until SIGINT or SIGTERM; then finish what runs, and leave nothing half done.

    Raises:
        ConfigError: another process serves this node.
        CannotListen: the address is taken.
    """
    with serving_lock(node.folder, shared=node.store.shared) as alone:
        if alone and node.store.shared:
            # The first process looks itself: with port sharing the system would not.
            require_free(node.config.network.listen)
        # The pool's processes are spawned before any thread or server exists.
        with (
            closing(AuthorisationPool(node.config.authorisation_workers)) as authorisations,
            PseudonymPool(node.context.keys.pseudonym_seed, node.config.evaluation_workers) as pool,
        ):
            asyncio.run(_serve(node, pool, authorisations, ready))


async def _serve(
    node: Node, pool: PseudonymPool, authorisations: AuthorisationPool, ready: Callable[[int], None]
) -> None:
    gateway, metrics, stop = NodeGateway(node, pool, authorisations), WireMetrics(), asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stop.set)
    exposed = _exposed(metrics, node)
    serving = Serving(
        node=node,
        gateway=gateway,
        tls=ServerTls(_identity(node)),
        pool=pool,
        metrics=metrics,
        stop=stop,
    )
    try:
        await serving.run(ready)
    finally:
        gateway.close()
        if exposed is not None:
            exposed.close()


def _exposed(metrics: WireMetrics, node: Node) -> MetricsServer | None:
    """Serve metrics on the configured port, or, where several processes serve, on the next free one."""
    first = node.config.network.metrics_port
    if not first:
        return None
    for port in range(first, first + MOST_METRICS_PORTS - 1) if node.store.shared else ():
        with suppress(OSError):
            return metrics_server(metrics, port)
    return metrics_server(metrics, first)


def _identity(node: Node) -> Identity:
    keys = node.keys
    if keys is None:
        raise RuntimeError("a node serves with its keys")
    return Identity.of(from_base64(node.settings.own.card.tls_certificate), keys.tls_secret)
