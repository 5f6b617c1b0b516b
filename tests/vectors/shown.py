"""Vectors of what is shown to an inspector: an order, and a small bundle with its manifest."""

from datetime import timedelta
from typing import Any

from crypto import envelope, merkle
from crypto.canonical import canonical
from crypto.checkpoint import Checkpoint, NoteKey, sign_checkpoint
from crypto.keys import Purpose, Suite
from node.domain.evidence.lines import (
    FORMAT,
    CheckpointLine,
    EntryLine,
    LeafLine,
    Line,
    ManifestLine,
    Opening,
    OrderLine,
    section_of,
    write_line,
)
from node.domain.evidence.orders import MANIFEST_KIND, ORDER_KIND, InspectionOrder, Manifest, Sums
from node.domain.journal import Act, Drafted, EntryFacts, draft, journal_origin
from registry.parties import PartyId
from tests.vectors.fixed import AGREEMENT, NOON, SENDER, FixedRandom, signing_key

AUTHORITY = PartyId("sz-authority")


def evidence() -> dict[str, Any]:
    node, key = PartyId(SENDER), signing_key(Purpose.DOCUMENT, SENDER)
    order = InspectionOrder(
        agreements=(AGREEMENT,), authority=AUTHORITY, expires_at=NOON + timedelta(hours=1), issued_at=NOON,
        node=node, order=FixedRandom("inspection")(16).hex(), suite=Suite.ONE,
    )  # fmt: skip
    raw = envelope.sign(ORDER_KIND, order, [signing_key(Purpose.DOCUMENT, AUTHORITY)])
    digest = envelope.parse(raw, ORDER_KIND).digest.hex()
    facts = EntryFacts(
        act=Act.INSPECTION, detail={"agreements": 1, "order": digest, "outcome": "ORDERED"}, counterparty=AUTHORITY
    )
    entry = draft(facts, node, NOON, FixedRandom("inspection entry"))
    lines = _lines(node, digest, entry, raw)
    sums = Sums()
    for line in lines:
        sums.add(section_of(line), write_line(line))
    manifest = Manifest(made_at=NOON, node=node, order=digest, sections=sums.total(), size=2, suite=Suite.ONE)
    signed = envelope.sign(MANIFEST_KIND, manifest, [key])
    written = [write_line(line).decode() for line in (*lines, ManifestLine(signed.decode()))]
    return {
        "about": "An inspection order, and a bundle of two journal entries of which one is outside its scope.",
        "example": {
            "order": canonical(order).decode(),
            "order digest": digest,
            "first line": written[0],
            "leaf, entry, order": "".join(written[1:4]),
            "manifest": canonical(manifest).decode(),
        },
        "bundle": "".join(written),
    }


def _lines(node: PartyId, digest: str, entry: Drafted, order: bytes) -> list[Line]:
    outside = merkle.leaf_hash(b"an entry outside the scope")
    origin = journal_origin(node)
    key = NoteKey(origin, signing_key(Purpose.JOURNAL, node))
    note = sign_checkpoint(Checkpoint(origin, 2, merkle.root([outside, entry.leaf])), key)
    return [
        Opening(format=FORMAT, node=node, order=digest, scope=(AGREEMENT,)),
        LeafLine(outside.hex()),
        EntryLine(entry.entry.decode(), entry.detail.decode(), entry.salt.hex()),
        OrderLine(order.decode()),
        CheckpointLine(note.decode()),
    ]
