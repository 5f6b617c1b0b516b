"""What measurements of a node by itself share: a folder for databases, a context with keys of its own, and turns."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from os import urandom
from typing import TypeAlias

from bench.databases import Bare, Place, bare
from bench.records import HOME
from bench.results import Effort, Row, row
from crypto.keys import Purpose, generate, generate_seal_key
from node.app.opening import utc_now
from node.domain.context import Context, NodeKeys
from node.storage.engine import open_store
from node.storage.store import SqlStore

Pair: TypeAlias = tuple[float, float]
"""What one turn gave: ours and the ceiling."""


@dataclass(frozen=True, slots=True)
class Workshop:
    """Where new databases are made, and the keys that are used with them."""

    place: Place
    context: Context

    @classmethod
    def of(cls, place: Place) -> "Workshop":
        """A workshop with fresh keys."""
        purposes = (Purpose.DOCUMENT, Purpose.FRAME, Purpose.JOURNAL)
        document, frame, journal = (generate(purpose, urandom) for purpose in purposes)
        keys = NodeKeys(
            document=document, frame=frame, journal=journal, registry=None, seal=generate_seal_key(urandom),
            pseudonym_seed=urandom(32),
        )  # fmt: skip
        return cls(place, Context(node=HOME, now=utc_now, random=urandom, keys=keys))

    @contextmanager
    def store(self) -> Iterator[SqlStore]:
        """A new, empty database of a node."""
        with closing(open_store(self.place.url(), create=True)) as store:
            yield store

    @contextmanager
    def bare(self) -> Iterator[Bare]:
        """A new database as the driver opens it, as durable as ours."""
        with closing(bare(self.place.url())) as database:
            yield database


def measured(name: str, store: str, unit: str, effort: Effort, once: Callable[[], Pair]) -> Row:
    """Warm up, then take turns."""
    once()
    ours, ceilings = zip(*(once() for _ in range(effort.rounds)), strict=True)
    return row(name, store, unit, ours, ceilings)
