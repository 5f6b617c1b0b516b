"""What an inspector does in tests: order a bundle from a member of a simulated network, and take bundles apart."""

from collections.abc import Sequence
from datetime import timedelta
from io import BytesIO

import msgspec

from agreements.signatures import sign_document
from crypto import envelope
from crypto.keys import Suite
from node.domain.evidence.agreed import Norms
from node.domain.evidence.findings import Report, Wrong
from node.domain.evidence.lines import (
    EntryLine,
    LeafLine,
    Line,
    ManifestLine,
    Opening,
    read_line,
    section_of,
    split,
    write_line,
)
from node.domain.evidence.orders import MANIFEST_KIND, ORDER_KIND, InspectionOrder, Manifest, Sums
from node.domain.evidence.verify import verify
from node.operations.asked import RefusedAnswer
from registry.parties import ListedCard, PartyId
from tests.fakes.members import LAW, Member
from tests.fakes.network import Network

NORMS = Norms(rules=LAW.rules, calendar=LAW.calendar)


def inspection_order(authority: Member, node: PartyId, agreements: Sequence[bytes] | None = None) -> bytes:
    """An authority's order, good for an hour from now."""
    at = authority.clock().replace(microsecond=0)
    order = InspectionOrder(
        agreements=None if agreements is None else tuple(sorted(one.hex() for one in agreements)),
        authority=authority.party,
        expires_at=at + timedelta(hours=1),
        issued_at=at,
        node=node,
        order=authority.context.random(16).hex(),
        suite=Suite.ONE,
    )
    return sign_document(ORDER_KIND, order, authority.context.keys.document)


def fetched(network: Network, authority: PartyId, node: PartyId, agreements: Sequence[bytes] | None = None) -> bytes:
    """The bundle of a member: its journal is published when the order's entry is in."""
    order = inspection_order(network.members[authority], node, agreements)
    first = network.gateways[node].inspect(authority, order)
    assert isinstance(first, RefusedAnswer), first
    network.sequence(node)
    shown = network.gateways[node].inspect(authority, order)
    assert not isinstance(shown, RefusedAnswer), shown
    return b"".join(shown)


def lines(bundle: bytes) -> list[bytes]:
    """Its lines, each with its newline."""
    return list(split(BytesIO(bundle)))


def cards(network: Network, *parties: PartyId) -> list[ListedCard]:
    return [network.members[party].card for party in parties]


def checked(bundle: bytes, anchors: Sequence[ListedCard]) -> Report:
    return verify(lines(bundle), anchors, NORMS).report


def wrongs(report: Report) -> list[Wrong]:
    return [one.wrong for one in report.findings]


def read(bundle: bytes) -> list[Line]:
    return [read_line(raw) for raw in lines(bundle)]


def signed_again(shown: Sequence[Line], node: Member) -> bytes:
    """The bundle that a node would write which shows these lines: with its own manifest over them."""
    kept = [line for line in shown if not isinstance(line, ManifestLine)]
    (old,) = [line for line in shown if isinstance(line, ManifestLine)]
    (opening,) = [line for line in shown if isinstance(line, Opening)]
    manifest = envelope.read_payload(envelope.parse(old.raw.encode(), MANIFEST_KIND), Manifest)
    sums = Sums()
    for line in kept:
        sums.add(section_of(line), write_line(line))
    size = sum(isinstance(line, EntryLine | LeafLine) for line in kept)
    again = msgspec.structs.replace(manifest, order=opening.order, sections=sums.total(), size=size)
    raw = envelope.sign(MANIFEST_KIND, again, [node.context.keys.document])
    return b"".join(map(write_line, [*kept, ManifestLine(raw.decode())]))
