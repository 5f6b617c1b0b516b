"""Hold bundles against each other: what one node's documents say of another's journal must be in that journal.

A node that drops an entry, and signs a shorter journal, contradicts nobody in its own bundle. Whoever it dealt with
holds its signature under the entry's leaf, and its earlier checkpoints.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

from crypto.errors import CryptoError, Malformed
from crypto.merkle import Frontier, leaf_hash
from node.domain.evidence.agreed import Norms
from node.domain.evidence.claims import TOO_RECENT, Claims, LeafClaim
from node.domain.evidence.findings import Report, Step, Tally, Wrong
from node.domain.evidence.lines import CheckpointLine, EntryLine, LeafLine, Opening, read_line
from node.domain.evidence.opened import Opened, open_entry
from node.domain.evidence.verify import verify
from registry.parties import ListedCard

Lines = Callable[[], Iterable[bytes]]
"""Opens a bundle and gives its lines, from the first one each time."""

PORTION: Final = 1_024


def verify_together(bundles: Sequence[tuple[str, Lines]], anchors: Sequence[ListedCard], norms: Norms) -> list[Report]:
    """Check each bundle by itself, then all against each other; one report for each, and a last one for both.

    Every bundle is read twice. Memory grows with what these nodes said of each other, not with their journals. Two
    bundles of one node are held against each other, too: the later one must go on from the earlier.
    """
    nodes = [node for node, _ in bundles]
    checked = [verify(lines(), anchors, norms, frozenset(nodes)) for _, lines in bundles]
    tally = Tally()
    for node, lines in bundles:
        _hold(lines(), node, [one.claims for one in checked], tally)
    return [*(one.report for one in checked), tally.report(" + ".join(nodes))]


def node_of(lines: Iterable[bytes]) -> str | None:
    """Whose bundle this is, by its first line; None if it does not begin as one."""
    try:
        first = read_line(next(iter(lines), b""))
    except Malformed:
        return None
    return first.node if isinstance(first, Opening) else None


class _Journal:
    """The leaves of one journal, read again: what was claimed of them is struck off as it is found."""

    def __init__(self, node: str, claims: Sequence[Claims], tally: Tally) -> None:
        self._node = node
        self._tally = tally
        self._frontier = Frontier()
        self._waiting: list[bytes] = []
        self._newest: datetime | None = None
        self._claims = claims
        self._scope: tuple[str, ...] | None = ()
        self._leaves: dict[bytes, LeafClaim] = {}
        self._heads: dict[int, dict[bytes, str]] = {}
        for one in claims:
            self._leaves |= one.leaves.get(node, {})
            for size, roots in one.heads.get(node, {}).items():
                self._heads.setdefault(size, {}).update(roots)

    def opening(self, line: Opening) -> None:
        """Take the scope: what is of it must be opened."""
        self._scope = line.scope

    def add(self, leaf: bytes, entry: Opened | None) -> None:
        """Take the next leaf, with its entry if it is opened."""
        self._waiting.append(leaf)
        claim = self._leaves.pop(leaf, None)
        if claim is not None:
            self._tally.checked(Step.COUNTERPARTS)
            if entry is None and (self._scope is None or claim.agreement in self._scope):
                self._missing(f"the entry named by {claim.by}, opened", "its bare leaf")
            elif entry is not None and not claim.is_met(entry):
                self._missing(f"an entry that tells of {claim.by}", f"{entry.place}, which tells of something else")
        if entry is not None:
            self._newest = entry.at if self._newest is None else max(self._newest, entry.at)
        size = self.size
        if size in self._heads or len(self._waiting) >= PORTION:
            self._frontier = self._frontier.extend(self._waiting)
            self._waiting = []
        if size in self._heads:
            self._compare(self._heads[size], size)

    def finish(self) -> None:
        """Say what was claimed and is not there; what is too recent for this bundle may be in the next one."""
        if self._newest is None:
            return
        for claim in self._leaves.values():
            if claim.at < self._newest - TOO_RECENT:
                self._missing(f"the entry named by {claim.by}", "none")
        for one in self._claims:
            sizes = one.heads.get(self._node, {})
            if one.newest is not None and one.newest < self._newest - TOO_RECENT and max(sizes, default=0) > self.size:
                self._missing(f"{max(sizes)} entries, as in a head shown by {one.source}", f"{self.size} entries")

    @property
    def size(self) -> int:
        """Leaves so far."""
        return self._frontier.size + len(self._waiting)

    def _missing(self, expected: str, got: str) -> None:
        place = f"journal of {self._node}"
        self._tally.found(Step.COUNTERPARTS, Wrong.ENTRY_MISSING, place, expected, got)

    def _compare(self, roots: Mapping[bytes, str], size: int) -> None:
        own = self._frontier.root()
        for root, by in roots.items():
            self._tally.checked(Step.COUNTERPARTS)
            if root != own:
                place, expected = f"journal of {self._node} at {size} entries", f"the root signed in {by}"
                self._tally.found(Step.COUNTERPARTS, Wrong.JOURNAL_FORKED, place, expected, "another root")


def _hold(lines: Iterable[bytes], node: str, claims: Sequence[Claims], tally: Tally) -> None:
    tally.checked(Step.COUNTERPARTS, 0)
    journal, index = _Journal(node, claims, tally), 0
    for raw in lines:
        try:
            line = read_line(raw)
        except Malformed:
            continue  # said already, when the bundle was checked by itself
        match line:
            case Opening():
                journal.opening(line)
            case EntryLine():
                journal.add(leaf_hash(line.entry.encode()), _opened(line, index))
                index += 1
            case LeafLine():
                journal.add(bytes.fromhex(line.leaf), None)
                index += 1
            case CheckpointLine():
                break
            case _:
                pass
    journal.finish()


def _opened(line: EntryLine, index: int) -> Opened | None:
    try:
        return open_entry(line, index)
    except CryptoError:
        return None
