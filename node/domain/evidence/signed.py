"""Who signed for a bundle as a whole: the node that is listed, the order it answers, the manifest that ends it."""

from collections.abc import Mapping
from dataclasses import dataclass

from crypto import envelope
from crypto.errors import CryptoError
from crypto.keys import Purpose
from node.domain.evidence.agreed import Ground, lacking
from node.domain.evidence.findings import Step, Wrong
from node.domain.evidence.lines import ManifestLine, Opening, OrderLine
from node.domain.evidence.opened import Opened
from node.domain.evidence.orders import (
    LARGEST_ORDER,
    MANIFEST_KIND,
    ORDER_KIND,
    InspectionOrder,
    Manifest,
    SectionSum,
    judge_order,
)
from registry.parties import PartyId


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """What was read: the size of the journal, and every section but the manifest."""

    size: int
    sections: tuple[SectionSum, ...]


def is_listed(ground: Ground) -> bool:
    """Whether the node is listed; if an authority whose card was not given might list it, that cannot be said."""
    ground.tally.checked(Step.NODE)
    if ground.trust.snapshot.party(PartyId(ground.node)) is not None:
        return True
    if ground.knows(ground.node):
        ground.tally.found(Step.NODE, Wrong.NODE_NOT_LISTED, f"node {ground.node}", "listed by an authority", "unknown")
    return False


def read_order(ground: Ground, entry: Opened, line: OrderLine) -> tuple[str, InspectionOrder] | None:
    """The order that an entry speaks of, by its digest: signed by a pinned authority, for this node, in its time."""
    ground.tally.checked(Step.ORDER)
    trust, authority = ground.trust, PartyId(entry.counterparty)

    def broken(expected: str, got: str) -> None:
        ground.tally.found(Step.ORDER, Wrong.ORDER_BROKEN, f"order of {entry.place}", expected, got)

    try:
        keys = trust.keys(authority, Purpose.DOCUMENT) if authority in trust.snapshot.authorities else {}
        order, digest = envelope.open_document(
            line.raw.encode(), ORDER_KIND, InspectionOrder, keys, limit=LARGEST_ORDER
        )
    except CryptoError as failure:
        broken(f"an order signed by {authority}", type(failure).__name__)
        return None
    if digest.hex() != entry.detail.get("order"):
        broken("the order that its entry names", "another")
        return None
    fault = judge_order(order, trust.snapshot.listings[authority].card, PartyId(ground.node), entry.at)
    if fault is not None:
        broken("an order for this node, in its time", fault[1])
        return None
    return digest.hex(), order


def judge_opening(opening: Opening, orders: Mapping[str, InspectionOrder], ground: Ground) -> None:
    """Hold the scope of a bundle against the order that it answers, which must be in the journal."""
    order = orders.get(opening.order)
    if order is None and ground.trust.unknown:
        ground.tally.hindered(lacking("who ordered this inspection", ground.trust.unknown))
        return
    if order is None:
        expected = "an entry of this journal, with its document"
        ground.tally.found(Step.ORDER, Wrong.ORDER_MISSING, "the order of this inspection", expected, "none")
        return
    listing = ground.trust.snapshot.party(PartyId(ground.node))
    supervises = listing is not None and listing.authority == order.authority
    shown, asked = opening.scope, order.agreements
    if supervises and shown != asked:
        expected, got = "the agreements that were asked for", "others"
        ground.tally.found(Step.ORDER, Wrong.ORDER_BROKEN, "scope of the bundle", expected, got)
    elif not supervises and asked is not None and not set(shown or asked) <= set(asked):
        expected, got = "agreements that were asked for", "others"
        ground.tally.found(Step.ORDER, Wrong.ORDER_BROKEN, "scope of the bundle", expected, got)


def judge_manifest(ground: Ground, opening: Opening, line: ManifestLine | None, whole: Whole) -> None:
    """Hold every section against what the node signed for."""
    ground.tally.checked(Step.MANIFEST, len(whole.sections))
    manifest = _read(ground, line)
    if isinstance(manifest, str):
        expected = f"one signed by {ground.node}"
        ground.tally.found(Step.MANIFEST, Wrong.MANIFEST_BROKEN, "manifest", expected, manifest)
        return
    if (manifest.order, manifest.size) != (opening.order, whole.size):
        expected, got = f"of this order, over {manifest.size} entries", f"{whole.size} entries"
        ground.tally.found(Step.MANIFEST, Wrong.SECTION_NOT_AS_SIGNED, "manifest", expected, got)
    signed = {one.section: one for one in manifest.sections}
    for one in whole.sections:
        if signed.get(one.section) != one:
            expected, got = "the lines that the node signed for", "others"
            place = f"section {one.section.value}"
            ground.tally.found(Step.MANIFEST, Wrong.SECTION_NOT_AS_SIGNED, place, expected, got)


def _read(ground: Ground, line: ManifestLine | None) -> Manifest | str:
    if line is None:
        return "none"
    try:
        keys = ground.trust.keys(ground.node, Purpose.DOCUMENT)
        manifest, _ = envelope.open_document(line.raw.encode(), MANIFEST_KIND, Manifest, keys)
    except CryptoError as failure:
        return type(failure).__name__
    return manifest if manifest.node == ground.node else "another node's"
