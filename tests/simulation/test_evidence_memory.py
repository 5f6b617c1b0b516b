"""However long a journal is, checking it takes no more memory: what is settled is forgotten."""

import tracemalloc
from collections.abc import Iterator

import pytest

from agreements.refusal import Refusal, refuse
from crypto import envelope
from crypto.checkpoint import Checkpoint, NoteKey, sign_checkpoint
from crypto.frame import KIND as FRAME
from crypto.merkle import Frontier
from node.domain.evidence.findings import Report
from node.domain.evidence.lines import (
    CheckpointLine,
    CopyShown,
    EntryLine,
    FrameLine,
    Line,
    ManifestLine,
    ReceiptsLine,
    section_of,
    write_line,
)
from node.domain.evidence.orders import MANIFEST_KIND, Manifest, Sums
from node.domain.evidence.verify import verify
from node.domain.grounds import refused_for
from node.domain.journal import Act, EntryFacts, draft, journal_origin
from node.domain.receipts import ReceiptBatch
from tests.fakes.evidence import NORMS
from tests.fakes.hostile import Book, entry_again, frame_again, leaf_of, receipts_again, receipts_of
from tests.simulation.scene import FIRST, Scene, an, played

SETTLED = 40
"""Every so many entries a frame is pushed and receipted; the others are refused queries."""
FLAT = 200 * 1024


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with played(tmp_path_factory.mktemp("memory")) as opened:
        yield opened


def long(scene: Scene, count: int) -> Iterator[Line]:
    """A journal that goes on for so many entries, line by line."""
    book = scene.home
    yield from book.lines[: book.place(CheckpointLine)]
    pushed = book.at(book.place(FrameLine), FrameLine)
    entry = book.at(book.place(FrameLine) - 1, EntryLine)
    receipts = book.at(book.place(ReceiptsLine), ReceiptsLine)
    noted = book.at(book.place(ReceiptsLine) - 1, EntryLine)
    detail = refused_for(refuse(Refusal.CONSENT_EXPIRED, NORMS.rules.reference))
    refusal = EntryFacts(act=Act.QUERY, detail=detail, counterparty=FIRST)
    for number in range(count):
        if number % SETTLED:
            one = draft(refusal, book.node.party, scene.now, book.node.context.random)
            yield EntryLine(one.entry.decode(), one.detail.decode(), one.salt.hex())
        else:
            yield from settled(scene, (entry, pushed), (noted, receipts), 3 + number // SETTLED)


def settled(
    scene: Scene, sent: tuple[EntryLine, FrameLine], taken: tuple[EntryLine, ReceiptsLine], sequence: int
) -> Iterator[Line]:
    """The next push, and its receipt; one of its copies is gone by receipts to come."""
    frame = f"{sequence:032x}"
    entry = entry_again(sent[0], {"frame": frame, "sequence": sequence}, at=scene.now)
    shown = frame_again(
        sent[1], scene.home.node.context.keys.frame, frame=frame, push_sequence=sequence, time=scene.now,
        journal_leaf=leaf_of(entry).hex(),
    )  # fmt: skip
    yield entry
    yield FrameLine(shown.header, None, False, tuple(CopyShown(one.alias, None) for one in shown.copies))
    batch = receipts_of(taken[1])
    assert isinstance(batch, ReceiptBatch)
    header = envelope.parse(shown.header.encode(), FRAME).digest.hex()
    one = [type(first)(at=scene.now, frame=frame, header=header, journal_leaf=first.journal_leaf, stage=first.stage)
           for first in batch.receipts[:1]]  # fmt: skip
    key = scene.member(FIRST).context.keys.document
    raw, digest = receipts_again(taken[1], key, receipts=tuple(one))
    yield entry_again(taken[0], {"batch": digest, "count": 1}, at=scene.now)
    yield raw


def signed(lines: Iterator[Line], book: Book) -> Iterator[bytes]:
    """The bundle of these lines, made as it is read."""
    frontier, sums = Frontier(), Sums()
    keys = book.node.context.keys
    for line in lines:
        if isinstance(line, EntryLine):
            frontier = frontier.append(leaf_of(line))
        raw = write_line(line)
        sums.add(section_of(line), raw)
        yield raw
    origin = journal_origin(book.node.party)
    head = Checkpoint(origin, frontier.size, frontier.root())
    note = CheckpointLine(sign_checkpoint(head, NoteKey(origin, keys.journal)).decode())
    sums.add(section_of(note), write_line(note))
    yield write_line(note)
    old = book.at(book.place(ManifestLine), ManifestLine)
    first = envelope.read_payload(envelope.parse(old.raw.encode(), MANIFEST_KIND), Manifest)
    manifest = Manifest(
        made_at=first.made_at, node=first.node, order=first.order, sections=sums.total(), size=frontier.size,
        suite=first.suite,
    )  # fmt: skip
    yield write_line(ManifestLine(envelope.sign(MANIFEST_KIND, manifest, [keys.document]).decode()))


def peak(scene: Scene, count: int) -> tuple[Report, int]:
    tracemalloc.start()
    report = verify(signed(long(scene, count), scene.home), scene.anchors, NORMS).report
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return report, most


def test_twenty_thousand_settled_entries_take_no_more_memory_than_two_thousand(scene: Scene) -> None:
    assert scene.home.entry(an(Act.PUSH)) > 0
    short, few = peak(scene, 2_000)
    much, many = peak(scene, 20_000)

    assert (short.findings, much.findings) == ((), ())
    assert many - few < FLAT
