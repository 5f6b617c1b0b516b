"""How a query slows down as home grows: two homes with the same keys and agreement, one with many more records.

The operation itself is asked in turns of one query each, without a network, whose constant cost would hide a growth.
The subjects that are asked about lie everywhere in the index.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from os import urandom
from statistics import median
from time import perf_counter

from bench.network import Network
from bench.queries import Asker
from bench.records import BATCH, Supply, load
from bench.results import Effort, Row, row
from bench.wires import Shape
from node.app.opening import Node, opened
from node.config import Folder
from node.operations.answer_queries import answer_queries
from node.operations.asked import Answered
from node.wire.codec import query_from_wire
from registry.parties import PartyId

SMALL = 10_000
UNUSED = 10**9
"""The first place in the supply of subjects that home cannot have."""
ASKED = 400
"""Subjects asked about, the same number in both homes."""


def measure_growth(network: Network, effort: Effort) -> list[Row]:
    """The time of a query in a large copy of home over that in a small one; home is away while it is copied."""
    asker, supply = Asker.of(network), Supply(UNUSED)
    network.home.stop()
    with copied(network, "small") as small, copied(network, "large") as large:
        network.home.serve()
        known = {
            node.folder: grow(network, node, supply, size) for node, size in ((small, SMALL), (large, effort.grown))
        }
        ours, ceilings = [], []
        for turn in range(effort.rounds + 1):
            times = [
                _milliseconds(node, asker.requester, asker.about(known[node.folder]).messages(Shape.UNARY, ASKED))
                for node in (small, large)
            ]  # fmt: skip
            if turn:
                ceilings.append(times[0])
                ours.append(times[1])
    name = f"query_growth {effort.grown:,} / {SMALL:,}"
    return [row(name, network.place.store, "ms", ours, ceilings)]


@contextmanager
def copied(network: Network, name: str) -> Iterator[Node]:
    """The same home once more, with a database of its own."""
    folder, home, place = network.place.folder / f"{name}-home", network.home, network.place
    shutil.copytree(home.folder, folder)
    config = folder / "node.toml"
    if place.server is None:
        url = place.url()
        shutil.copyfile(home.url.removeprefix("sqlite:///"), url.removeprefix("sqlite:///"))
    else:
        url = place.copy_of(home.url)
    config.write_text(config.read_text(encoding="utf-8").replace(home.url, url), encoding="utf-8")
    with opened(Folder(folder), home.passphrase) as node:
        yield node


def grow(network: Network, node: Node, supply: Supply, size: int, asked: int = ASKED) -> list[bytes]:
    """Bring a home to so many records; gives pseudonyms of as many subjects as are asked about, all over it.

    The index is filled with random names, which is what pseudonyms are to whoever has no key: it is as large as the
    true one, and a query finds a subject in it in the same way.
    """
    with node.store.read() as work:
        there = sum(work.records.count().values())
        number, epoch = work.agreements.number(network.digest), network.epoch(node, work)
    load(node.store, supply.rows(max(0, size - there)))
    names: list[bytes] = []
    while True:
        with node.store.write() as work:
            pending = work.pseudonyms.pending(number, epoch, BATCH)
            if not pending:
                break
            rows = [(urandom(16), subject, identifier) for identifier, subject, _, _ in pending]
            work.pseudonyms.add(number, epoch, rows, pending[-1][0])
            work.commit()
        names += [name for name, _, _ in rows[:: max(1, size // asked)]]
    return names[:asked]


def _milliseconds(node: Node, peer: PartyId, messages: list[bytes]) -> float:
    """The median time of a query alone, from its bytes to its committed answer."""
    times = []
    for message in messages:
        began = perf_counter()
        with node.store.write() as work:
            (answer,) = answer_queries(work, [query_from_wire(message, peer)], node.desk(work))
        times.append(1_000 * (perf_counter() - began))
        if not isinstance(answer, Answered) or answer.refused_items:
            raise SystemExit("a query was refused")
    return median(times)
