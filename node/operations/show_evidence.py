"""Show an inspector what this node has: decide the order, journal it, then write the bundle page by page.

The journal was published up to the order's own entry before anything is shown, so a bundle always holds the inspection
that it answers. Pages are read each in a transaction of its own; what was journalled never changes, so they fit.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from agreements.refusal import Refusal, Refused, refuse
from agreements.signatures import document_keys, reason_of
from crypto import envelope
from crypto.errors import CryptoError
from crypto.keys import Suite
from node.domain.context import Context
from node.domain.evidence.lines import (
    FORMAT,
    CheckpointLine,
    CopyShown,
    DocumentLine,
    EntryLine,
    FrameLine,
    HeadLine,
    LeafLine,
    Line,
    ManifestLine,
    NoticesLine,
    Opening,
    OrderLine,
    ReceiptsLine,
    ReceivedLine,
    SeenLine,
    StatementLine,
    ToldLine,
    section_of,
    write_line,
)
from node.domain.evidence.orders import (
    LARGEST_ORDER,
    MANIFEST_KIND,
    ORDER_KIND,
    InspectionOrder,
    Manifest,
    Sums,
    judge_order,
    scope_of,
)
from node.domain.grounds import refused_for
from node.domain.journal import Act, Detail, EntryFacts, JournalEntry
from node.operations.asked import RefusedAnswer
from node.operations.facts import NodeFacts
from node.operations.inspection_rows import InspectionRow
from node.operations.ports import Store, UnitOfWork
from node.operations.rows import JournalRow, StoredCheckpoint
from node.operations.write_down import write_down
from registry.parties import PartyId

PAGE: Final = 1_000
"""Journal entries that are read in one transaction."""

_OF_NO_AGREEMENT: Final = frozenset({Act.RECEIPT, Act.ERASED, Act.COPIES_ENDED})
"""Acts journalled without an agreement, though they may be about what was given under one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """An order that was decided and journalled: what is shown of the journal up to `head`."""

    order: bytes
    authority: PartyId
    scope: tuple[str, ...] | None
    parties: frozenset[PartyId]
    head: StoredCheckpoint = field(repr=False)

    def opens(self, entry: JournalEntry) -> bool:
        """Whether an entry is opened, or shown as a bare leaf."""
        if self.scope is None or entry.agreement in self.scope:
            return True
        if entry.act is Act.INSPECTION:
            return entry.counterparty == self.authority
        return entry.act in _OF_NO_AGREEMENT and entry.counterparty in self.parties


def order_inspection(
    work: UnitOfWork, peer: PartyId, raw: bytes, facts: NodeFacts, context: Context
) -> Inspection | RefusedAnswer:
    """Decide an order, and journal it once; NOT_READY until that entry is published.

    Goes on under stale heads and for suspended parties: inspection discloses no record (rule 10). The same order again
    is the same inspection, so that a fetch that broke off can begin anew.
    """
    opened = _open(peer, raw, facts, context)
    if isinstance(opened, Refused):
        return _refuse(work, peer, opened, context)
    order, digest = opened
    listing = facts.snapshot.party(context.node)
    supervises = listing is not None and listing.authority == peer
    scope = scope_of(order, _concerned(peer, facts), supervises=supervises)
    if scope is not None and not all(bytes.fromhex(one) in facts.agreements for one in scope or ("",)):
        missing = refuse(Refusal.AGREEMENT_MISSING, facts.law.rules.reference, "agreements: expected held here")
        return _refuse(work, peer, missing, context)
    not_ready = refuse(Refusal.NOT_READY, facts.law.rules.reference, "order: expected published")
    kept = work.inspections.find(digest)
    if kept is None:
        return RefusedAnswer(refused=not_ready, leaf=_journal_order(work, raw, digest, order, context))
    head, index = work.journal.head(), work.tree.index_of(kept.leaf)
    if head is None or index is None or index >= head.size:
        return RefusedAnswer(refused=not_ready, leaf=kept.leaf)
    known = (facts.agreements.get(bytes.fromhex(one)) for one in scope or ())
    parties = frozenset(party for one in known if one is not None for party in one.terms.parties)
    return Inspection(order=digest, authority=peer, scope=scope, parties=parties, head=head)


def show_evidence(store: Store, inspection: Inspection, facts: NodeFacts, context: Context) -> Iterator[bytes]:
    """The lines of the bundle, made as they are taken."""
    sums = Sums()
    for line in _lines(store, inspection, facts, context):
        raw = write_line(line)
        sums.add(section_of(line), raw)
        yield raw
    manifest = Manifest(
        made_at=context.now(),
        node=context.node,
        order=inspection.order.hex(),
        sections=sums.total(),
        size=inspection.head.size,
        suite=Suite.ONE,
    )
    yield write_line(ManifestLine(raw=envelope.sign(MANIFEST_KIND, manifest, [context.keys.document]).decode()))


def in_parts(lines: Iterator[bytes], most: int) -> Iterator[bytes]:
    """The same bytes in parts of `most`, but for the last."""
    waiting = bytearray()
    for line in lines:
        waiting += line
        while len(waiting) >= most:
            yield bytes(waiting[:most])
            del waiting[:most]
    if waiting:
        yield bytes(waiting)


def _open(peer: PartyId, raw: bytes, facts: NodeFacts, context: Context) -> tuple[InspectionOrder, bytes] | Refused:
    pack = facts.law.rules.reference
    if peer not in facts.snapshot.authorities:
        return refuse(Refusal.PARTY_NOT_ELIGIBLE, pack, "sender: expected a pinned authority")
    authority = facts.snapshot.listings[peer].card
    try:
        keys = document_keys(authority.keys)
        order, digest = envelope.open_document(raw, ORDER_KIND, InspectionOrder, keys, limit=LARGEST_ORDER)
    except CryptoError as failure:
        return refuse(reason_of(failure), pack, "order: expected readable and signed by the sender")
    fault = judge_order(order, authority, context.node, context.now())
    return refuse(fault[0], pack, fault[1]) if fault is not None else (order, digest)


def _journal_order(work: UnitOfWork, raw: bytes, digest: bytes, order: InspectionOrder, context: Context) -> bytes:
    detail: Detail = {
        "agreements": None if order.agreements is None else len(order.agreements), "order": digest.hex(),
        "outcome": "ORDERED",
    }  # fmt: skip
    entry = EntryFacts(act=Act.INSPECTION, detail=detail, counterparty=order.authority)
    leaf = write_down(work, entry, context)
    row = InspectionRow(digest=digest, authority=order.authority, raw=raw, leaf=leaf, at=context.now())
    work.inspections.add(row)
    work.commit()
    return leaf


def _concerned(authority: PartyId, facts: NodeFacts) -> frozenset[str]:
    """The agreements that concern an authority: of a party that it lists, or filed with it."""
    concerned = set()
    for digest, agreement in facts.agreements.items():
        listings = (facts.snapshot.party(party) for party in agreement.terms.parties)
        lists = any(one is not None and one.authority == authority for one in listings)
        if lists or any(one.receipt.authority == authority for one in agreement.filings.values()):
            concerned.add(digest.hex())
    return frozenset(concerned)


def _refuse(work: UnitOfWork, peer: PartyId, refused: Refused, context: Context) -> RefusedAnswer:
    detail = refused_for(refused)
    leaf = write_down(work, EntryFacts(act=Act.REFUSED, detail=detail, counterparty=peer), context)
    work.commit()
    return RefusedAnswer(refused=refused, leaf=leaf)


def _lines(store: Store, inspection: Inspection, facts: NodeFacts, context: Context) -> Iterator[Line]:
    scope = inspection.scope
    yield Opening(format=FORMAT, node=context.node, order=inspection.order.hex(), scope=scope)
    with store.read() as work:
        before = [*_registry(work), *_agreements(work, scope), *_heads(work, inspection, facts)]
    yield from before
    for start in range(0, inspection.head.size, PAGE):
        with store.read() as work:
            page = list(_page(work, start, min(PAGE, inspection.head.size - start), inspection))
        yield from page
    yield CheckpointLine(note=inspection.head.note.decode())


def _registry(work: UnitOfWork) -> Iterator[Line]:
    for authority in work.registries.pins():
        mirror = work.registries.mirror(authority)
        for one in mirror.statements:
            yield StatementLine(authority=authority, raw=one.raw.decode())
        if mirror.head is not None:
            yield HeadLine(authority=authority, note=mirror.head.decode())


def _agreements(work: UnitOfWork, scope: Collection[str] | None) -> Iterator[Line]:
    """Documents of agreements; of terms that no party has signed yet nobody is shown anything."""
    for row in work.agreements.all():
        if scope is None or row.agreement.hex() in scope:
            yield DocumentLine(raw=row.raw.decode())


def _heads(work: UnitOfWork, inspection: Inspection, facts: NodeFacts) -> Iterator[Line]:
    for party in sorted(facts.snapshot.listings):
        if inspection.scope is None or party in inspection.parties:
            head = work.peers.head(party)
            if head is not None:
                yield SeenLine(party=party, note=head.note.decode())


@dataclass(frozen=True, slots=True)
class _Shown:
    """An entry of a page, opened."""

    row: JournalRow
    entry: JournalEntry
    detail: Mapping[str, Any]


_entries = msgspec.json.Decoder(JournalEntry)
_details = msgspec.json.Decoder(dict[str, Any])


def _page(work: UnitOfWork, start: int, count: int, inspection: Inspection) -> Iterator[Line]:
    """A page of the journal, each entry with the document it speaks of; the documents are read all at once."""
    rows = work.journal.read(start, count)
    read = [_Shown(row, _entries.decode(row.entry), _details.decode(row.detail)) for row in rows]
    opened = [one for one in read if inspection.opens(one.entry)]
    documents = _documents(work, opened)
    shown = {one.row.number for one in opened}
    for one in read:
        if one.row.number not in shown:
            yield LeafLine(leaf=one.row.leaf.hex())
            continue
        yield EntryLine(entry=one.row.entry.decode(), detail=one.row.detail.decode(), salt=one.row.salt.hex())
        document = documents.get(one.row.number)
        if document is not None:
            yield document


def _documents(work: UnitOfWork, opened: Sequence[_Shown]) -> dict[int, Line]:
    """By entry number, the document that stands behind it."""
    found: dict[int, Line] = {}
    found |= _frames(work, [one for one in opened if one.entry.act in _DISCLOSING and "body" in one.detail])
    found |= _received(work, [one for one in opened if one.entry.act is Act.FRAME_RECEIVED and "frame" in one.detail])
    found |= _receipts(work, [one for one in opened if one.entry.act is Act.RECEIPT and one.detail.get("matched") != 0])
    found |= _batches(work, [one for one in opened if one.entry.act in {Act.NOTICES, Act.NOTICES_TAKEN}])
    found |= _orders(work, [one for one in opened if one.entry.act is Act.INSPECTION])
    return found


_DISCLOSING: Final = frozenset({Act.QUERY, Act.BATCH, Act.PUSH})


def _frames(work: UnitOfWork, entries: Sequence[_Shown]) -> dict[int, Line]:
    exhibits = work.exhibits.frames([bytes.fromhex(one.detail["frame"]) for one in entries])
    found: dict[int, Line] = {}
    for one in entries:
        exhibit = exhibits.get(bytes.fromhex(one.detail["frame"]))
        if exhibit is not None:
            copies = tuple(
                CopyShown(alias=copy.alias.hex(), closed_by=None if copy.closed_by is None else copy.closed_by.hex())
                for copy in exhibit.copies
            )
            header = exhibit.header.decode()
            found[one.row.number] = FrameLine(header, exhibit.refused, exhibit.is_cancelled, copies)
    return found


def _received(work: UnitOfWork, entries: Sequence[_Shown]) -> dict[int, Line]:
    kept = [one for one in entries if one.detail.get("outcome") == "RECEIVED"]
    headers = work.exhibits.received([bytes.fromhex(one.detail["frame"]) for one in kept])
    found: dict[int, Line] = {}
    for one in kept:
        header = headers.get((one.entry.counterparty, bytes.fromhex(one.detail["frame"])))
        if header is not None:
            found[one.row.number] = ReceivedLine(header.decode())
    return found


def _receipts(work: UnitOfWork, entries: Sequence[_Shown]) -> dict[int, Line]:
    batches = work.exhibits.receipts([bytes.fromhex(one.detail["batch"]) for one in entries])
    named = ((one.row.number, batches.get(bytes.fromhex(one.detail["batch"]))) for one in entries)
    return {number: ReceiptsLine(raw.decode()) for number, raw in named if raw is not None}


def _batches(work: UnitOfWork, entries: Sequence[_Shown]) -> dict[int, Line]:
    sent = [one for one in entries if one.entry.act is Act.NOTICES]
    taken = [one for one in entries if one.entry.act is Act.NOTICES_TAKEN]
    ours = work.exhibits.notices([(one.entry.counterparty, one.detail["first"]) for one in sent])
    theirs = work.exhibits.told([(one.entry.counterparty, one.detail["first"]) for one in taken])
    found: dict[int, Line] = {}
    for one in sent:
        raw = ours.get((one.entry.counterparty, one.detail["first"]))
        if raw is not None:
            found[one.row.number] = NoticesLine(raw.decode())
    for one in taken:
        raw = theirs.get((one.entry.counterparty, one.detail["first"]))
        if raw is not None:
            found[one.row.number] = ToldLine(raw.decode())
    return found


def _orders(work: UnitOfWork, entries: Sequence[_Shown]) -> dict[int, Line]:
    """Inspections are rare: each order is looked up by itself."""
    kept = ((one.row.number, work.inspections.find(bytes.fromhex(one.detail["order"]))) for one in entries)
    return {number: OrderLine(row.raw.decode()) for number, row in kept if row is not None}
