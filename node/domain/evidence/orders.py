"""The two documents of an inspection: the authority's order, and the inspected node's manifest."""

from datetime import datetime, timedelta
from hashlib import sha256
from typing import Annotated, Final

import msgspec

from agreements.refusal import Fault, Refusal
from crypto.canonical import Hex16, Hex32
from node.domain.evidence.lines import Section
from registry.parties import Instant, ListedCard, PartyId, PartyName

ORDER_KIND: Final = "inspection-order"
MANIFEST_KIND: Final = "evidence-manifest"
LARGEST_ORDER: Final = 64 * 1024
LONGEST_ORDER: Final = timedelta(hours=24)
"""How long one order may be used."""
MOST_AGREEMENTS: Final = 256
CLOCKS_DIFFER: Final = timedelta(seconds=60)

_Count = Annotated[int, msgspec.Meta(ge=0)]


class InspectionOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An authority's order to a node to show its evidence (S 9, 45); `agreements` narrows it, null asks for all.

    `order` is random, so that two inspections are two orders. It is good in `[issued_at, expires_at)`.
    """

    agreements: Annotated[tuple[Hex32, ...], msgspec.Meta(min_length=1, max_length=MOST_AGREEMENTS)] | None
    authority: PartyName
    expires_at: Instant
    issued_at: Instant
    node: PartyName
    order: Hex16
    suite: int


class SectionSum(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many lines a part of the bundle has, and the SHA-256 over their bytes."""

    digest: Hex32
    lines: _Count
    section: Section


class Sums:
    """Adds up the lines of every section but the manifest, as they are written or read."""

    def __init__(self) -> None:
        self._sections = {section: sha256() for section in tuple(Section)[:-1]}
        self._lines = dict.fromkeys(self._sections, 0)

    def add(self, section: Section, raw: bytes) -> None:
        """Add one line; the manifest's own is not counted."""
        if section is not Section.MANIFEST:
            self._lines[section] += 1
            self._sections[section].update(raw)

    def total(self) -> tuple[SectionSum, ...]:
        """The sums, in the order of the sections."""
        return tuple(
            SectionSum(digest=digest.hexdigest(), lines=self._lines[section], section=section)
            for section, digest in self._sections.items()
        )


class Manifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The node's word that this is what it has: every part of the bundle that `order` asked for, in order.

    `size` is that of the journal shown.
    """

    made_at: Instant
    node: PartyName
    order: Hex32
    sections: tuple[SectionSum, ...]
    size: _Count
    suite: int


def judge_order(order: InspectionOrder, authority: ListedCard, node: PartyId, at: datetime) -> Fault | None:
    """Say what is wrong with an order that `authority`, a pinned one, has signed; None if it is good.

    Whose agreements it may see is for the scope to say, see `scope_of`.
    """
    if order.authority != authority.card.party:
        return Refusal.SIGNATURE_INVALID, "authority: expected the one that signed"
    if order.node != node:
        return Refusal.SIGNATURE_INVALID, "node: expected this node"
    if not order.issued_at - CLOCKS_DIFFER <= at < order.expires_at:
        return Refusal.AUTHORISATION_MISSING, "order: expected in its time"
    if order.expires_at - order.issued_at > LONGEST_ORDER:
        return Refusal.AUTHORISATION_MISSING, "expires_at: expected within a day"
    return None


def scope_of(order: InspectionOrder, concerned: frozenset[str], *, supervises: bool) -> tuple[Hex32, ...] | None:
    """Which agreements an order opens: the supervising authority's are bounded by the order alone.

    Another authority sees the agreements `concerned`, those filed with it or with a party of its place (S 34), and of
    these the ones that it asks for. None opens everything.
    """
    if supervises:
        return order.agreements
    asked = concerned if order.agreements is None else concerned & set(order.agreements)
    return tuple(sorted(asked))
