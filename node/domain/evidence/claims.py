"""What one node's signed documents say of another node's journal, to be held against that journal."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from node.domain.evidence.opened import Fact, Opened
from node.domain.journal import Act

TOO_RECENT: Final = timedelta(seconds=60)
"""What was said less than this before a bundle was made may not be in it yet."""


@dataclass(frozen=True, slots=True)
class LeafClaim:
    """That a leaf stands in a journal: since when, under which agreement (or empty), what says so, what it tells."""

    at: datetime
    agreement: str
    by: str
    acts: frozenset[Act] = frozenset(Act)
    facts: Mapping[str, Fact] = field(default_factory=dict)

    def is_met(self, entry: Opened) -> bool:
        """Whether an entry tells what the document that names its leaf was about."""
        return entry.act in self.acts and self.facts.items() <= entry.detail.items()


@dataclass(slots=True)
class Claims:
    """Claims about the journals of `about`; about others nothing is kept, so that memory stays flat."""

    about: frozenset[str] = frozenset()
    source: str = ""
    leaves: dict[str, dict[bytes, LeafClaim]] = field(default_factory=dict)
    heads: dict[str, dict[int, dict[bytes, str]]] = field(default_factory=dict)
    newest: datetime | None = None
    """The newest time that the source's own bundle shows: its heads of others are no newer."""

    def leaf(self, node: str, leaf: bytes, claim: LeafClaim) -> None:
        """Note that a signed document of `node` names a leaf of its journal."""
        if node in self.about:
            self.leaves.setdefault(node, {}).setdefault(leaf, claim)

    def head(self, node: str, size: int, root: bytes, by: str) -> None:
        """Note that `node` signed a root of its journal at a size."""
        if node in self.about:
            self.heads.setdefault(node, {}).setdefault(size, {}).setdefault(root, f"{by} shown by {self.source}")
