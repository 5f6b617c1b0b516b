"""A network in which all was done as it should be, and the pieces of which tricks are made."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import msgspec

from agreements.filing import KIND as FILING
from agreements.filing import FilingReceipt
from agreements.termination import KIND as TERMINATION
from agreements.termination import Ending, Termination, terminate
from agreements.terms import KIND as TERMS
from crypto import envelope
from crypto.checkpoint import Checkpoint, NoteKey, sign_checkpoint
from crypto.keys import Suite
from node.domain.evidence.counterparts import verify_together
from node.domain.evidence.findings import Report, Wrong
from node.domain.evidence.lines import (
    CheckpointLine,
    CopyShown,
    DocumentLine,
    EntryLine,
    FrameLine,
    NoticesLine,
    Opening,
    OrderLine,
    ReceiptsLine,
)
from node.domain.evidence.orders import ORDER_KIND, InspectionOrder
from node.domain.journal import Act, EntryFacts, JournalEntry, draft, journal_origin
from node.domain.notices import NoticeBatch
from node.domain.receipts import CopyReceiptBatch, ReceiptBatch
from registry.parties import ListedCard, PartyId
from tests.fakes.evidence import NORMS, cards, checked, fetched, lines, read
from tests.fakes.founding import founded
from tests.fakes.hostile import (
    Book,
    Detail,
    batch_of,
    entry_again,
    header_of,
    leaf_of,
    notices_again,
    receipts_again,
    receipts_of,
)
from tests.fakes.members import Member
from tests.fakes.network import Network
from tests.fakes.propagation import (
    EVERYBODY,
    HK,
    HOLDERS,
    HOME,
    SZ,
    address,
    agree,
    ask,
    code,
    consent,
    corrected,
    deleted,
    enterprise,
    load,
    push,
)
from tests.simulation.bundles import proven

FIRST, SECOND, PULLING = HOLDERS
OTHER = "cd" * 32


@dataclass(frozen=True, slots=True)
class Scene:
    """A network in which all was done as it should be, and the books of its members."""

    network: Network
    books: Mapping[PartyId, Book]
    anchors: Sequence[ListedCard]
    now: datetime

    @property
    def home(self) -> Book:
        return self.books[HOME]

    @property
    def first(self) -> Book:
        """The book of the first holder."""
        return self.books[FIRST]

    def member(self, party: PartyId) -> Member:
        return self.network.members[party]

    def check(self, bundle: bytes) -> list[Report]:
        return [checked(bundle, self.anchors)]

    def together(self, *bundles: tuple[PartyId, bytes]) -> list[Report]:
        """What is found when bundles are held against each other, if each by itself is clean."""
        opened = [(node, partial(lines, bundle)) for node, bundle in bundles]
        *each, both = verify_together(opened, self.anchors, NORMS)
        assert all(one.is_clean for one in each), each
        return [both]


@contextmanager
def played(folder: Path) -> Iterator[Scene]:
    """The network, open."""
    with founded(EVERYBODY, folder, seed=1) as network:
        agreements = {holder: agree(network, HOME, holder, push=holder != PULLING) for holder in HOLDERS}
        load(network, HOME, [enterprise(number) for number in range(4)])
        for holder in (FIRST, SECOND):
            push(network, HOME, agreements[holder])
        consent(network, PULLING, agreements[PULLING], [code(0)])
        ask(network, PULLING, agreements[PULLING], [code(0)])
        network.settle()
        corrected(network, HOME, 3, {"status": "REVOKED", "address": address(3, 1)})
        deleted(network, HOME, 2)
        network.settle()
        proven(network, FIRST, HOME)
        network.wait(hours=30)
        bundles = {one: fetched(network, SZ if one == HOME else HK, one) for one in (HOME, *HOLDERS)}
        books = {one: Book(network.members[one], tuple(read(bundle))) for one, bundle in bundles.items()}
        yield Scene(network, books, cards(network, SZ, HK), network.clock.at)


Trick = Callable[[Scene], Sequence[Report]]


class Tricks(list[tuple[Trick, Wrong, frozenset[Wrong]]]):
    """Tricks, what is found of each, and what follows from it as a matter of course."""

    def find(self, wrong: Wrong, *besides: Wrong) -> Callable[[Trick], Trick]:
        """What is found of the trick below, and nothing else."""

        def named(trick: Trick) -> Trick:
            self.append((trick, wrong, frozenset(besides)))
            return trick

        return named


def an(act: Act, **facts: str | int | None) -> Callable[[JournalEntry, Detail], bool]:
    """Which entries are of an act, and tell these facts."""
    return lambda entry, detail: entry.act is act and facts.items() <= detail.items()


def frames(book: Book) -> list[FrameLine]:
    return [one for one in book.lines if isinstance(one, FrameLine)]


def place_of_answer(book: Book) -> int:
    return book.place(FrameLine, lambda one: header_of(one).mode == "ANSWER")


def place_of_receipts(book: Book, kind: type[ReceiptBatch | CopyReceiptBatch], nth: int = 0) -> int:
    """Where receipts of frames, or of copies that are gone, stand."""

    def fits(line: ReceiptsLine) -> bool:
        batch = receipts_of(line)
        return isinstance(batch, kind) and {one.stage.value for one in batch.receipts} <= {"RECEIVED", "DELETED"}

    return book.place(ReceiptsLine, fits, nth)


def home_receipts_of(book: Book, frame: str) -> int:
    def fits(line: ReceiptsLine) -> bool:
        batch = receipts_of(line)
        return isinstance(batch, ReceiptBatch) and [one.frame for one in batch.receipts] == [frame]

    return book.place(ReceiptsLine, fits)


def documents(book: Book, kind: str) -> list[int]:
    kinds = (TERMS, FILING, TERMINATION)
    return [
        at
        for at, one in enumerate(book.lines)
        if isinstance(one, DocumentLine)
        and envelope.parse_any(one.raw.encode(), kinds).payload_type == envelope.payload_type(kind)
    ]


def filing(book: Book, signer: Member, **changes: object) -> DocumentLine:
    """The first filing receipt again, signed by somebody."""
    at = documents(book, FILING)[0]
    signed = envelope.parse(book.at(at, DocumentLine).raw.encode(), FILING)
    receipt = msgspec.structs.replace(envelope.read_payload(signed, FilingReceipt), **changes)
    return DocumentLine(envelope.sign(FILING, receipt, [signer.context.keys.document]).decode())


def next_push(scene: Scene, book: Book | None = None, *, to: PartyId = FIRST, **changes: object) -> Book:
    """One more push, now, like the first one to its recipient; to one who may only ask, it takes an answer's place."""
    book = book or scene.home
    sent = [header_of(one) for one in frames(book)]
    own = [at for at, one in enumerate(sent) if one.recipient == to]
    pushed = [one.push_sequence for one in sent if one.recipient == to and one.push_sequence is not None]
    first = next(at for at, one in enumerate(sent) if one.push_sequence is not None and one.count)
    header = sent[own[0]]
    facts: dict[str, object] = {"time": scene.now, "push_sequence": max(pushed, default=0) + 1}
    if to != sent[first].recipient:
        facts |= {"agreement": header.agreement, "recipient": header.recipient, "filings": header.filings}
    return book.once_more(first, **(facts | changes))


def ended(scene: Scene, by: PartyId) -> Book:
    """Home's book in which a party ended the first holder's agreement two hours ago."""
    book, at = scene.home, scene.now - timedelta(hours=2)
    agreement = next(header_of(one).agreement for one in frames(book) if header_of(one).recipient == FIRST)
    end = Termination(
        agreement=agreement, party=by, reason=Ending.END_OF_COOPERATION, effective_at=at, issued_at=at, suite=Suite.ONE
    )
    raw = terminate(end, scene.member(by).context.keys.document)
    detail = {"document": envelope.parse(raw, TERMINATION).digest.hex(), "done": "received", "kind": TERMINATION}
    facts = EntryFacts(act=Act.AGREEMENT, detail=detail, counterparty=by, agreement=bytes.fromhex(agreement))
    one = draft(facts, HOME, at, book.node.context.random)
    line = EntryLine(one.entry.decode(), one.detail.decode(), one.salt.hex())
    told = book.adding(line)
    return told.adding(DocumentLine(raw.decode()), at=told.place(DocumentLine))


def forked(scene: Scene, held: str, shown: str) -> EntryLine:
    """The first holder's entry that home's journal is forked."""
    facts = EntryFacts(act=Act.FORK, detail={"held": held, "shown": shown}, counterparty=HOME)
    one = draft(facts, FIRST, scene.now, scene.member(FIRST).context.random)
    return EntryLine(one.entry.decode(), one.detail.decode(), one.salt.hex())


def head(scene: Scene, root: bytes, origin: str = journal_origin(HOME), by: PartyId = HOME) -> str:
    key = NoteKey(origin, scene.member(by).context.keys.journal)
    return sign_checkpoint(Checkpoint(origin, 3, root), key).decode()


def checkpointed(scene: Scene, origin: str, by: PartyId) -> bytes:
    at = scene.home.place(CheckpointLine)
    return scene.home.putting({at: CheckpointLine(head(scene, bytes(32), origin, by))}).manifested()


def receipted(scene: Scene, signer: PartyId, **changes: object) -> Book:
    """The first receipts of frames again, with other facts, and named by their entry."""
    at = place_of_receipts(scene.home, ReceiptBatch)
    key = scene.member(signer).context.keys.document
    shown, digest = receipts_again(scene.home.at(at, ReceiptsLine), key, **changes)
    entry = entry_again(scene.home.at(at - 1, EntryLine), {"batch": digest})
    return scene.home.putting({at - 1: entry, at: shown})


def last_notices(scene: Scene) -> NoticeBatch:
    return batch_of(scene.home.at(scene.home.place(NoticesLine, nth=-1), NoticesLine))


def noticed(scene: Scene, key_of: PartyId = HOME, **changes: object) -> Book:
    """The last batch of notices with other facts; its entry agrees with it."""
    at = scene.home.place(NoticesLine, nth=-1)
    key = scene.member(key_of).context.keys.document
    shown = notices_again(scene.home.at(at, NoticesLine), key, **changes)
    batch = batch_of(shown)
    entry = entry_again(scene.home.at(at - 1, EntryLine), {"first": batch.first})
    if "journal_leaf" not in changes:
        shown = notices_again(shown, key, journal_leaf=leaf_of(entry).hex())
    return scene.home.putting({at - 1: entry, at: shown})


def closing(scene: Scene, batch: str) -> bytes:
    """The book in which a copy that is held is gone, by some receipts."""
    at, line = next(
        (at, one)
        for at, one in enumerate(scene.home.lines)
        if isinstance(one, FrameLine) and any(copy.closed_by is None for copy in one.copies)
    )
    kept = next(copy for copy in line.copies if copy.closed_by is None)
    copies = tuple(CopyShown(one.alias, batch) if one == kept else one for one in line.copies)
    return scene.home.putting({at: msgspec.structs.replace(line, copies=copies)}).signed()


def wrongs(reports: Sequence[Report]) -> set[Wrong]:
    return {one.wrong for report in reports for one in report.findings}


def reordered(scene: Scene, signer: PartyId, changes: dict[str, object]) -> Report:
    """The bundle with another order in the place of its own."""
    book, at = scene.home, scene.home.place(OrderLine)
    signed = envelope.parse(book.at(at, OrderLine).raw.encode(), ORDER_KIND)
    order = msgspec.structs.replace(envelope.read_payload(signed, InspectionOrder), **changes)
    raw = envelope.sign(ORDER_KIND, order, [scene.member(signer).context.keys.document])
    digest = envelope.parse(raw, ORDER_KIND).digest.hex()
    entry = entry_again(book.at(at - 1, EntryLine), {"order": digest})
    opening = msgspec.structs.replace(book.at(0, Opening), order=digest)
    (report,) = scene.check(book.putting({0: opening, at - 1: entry, at: OrderLine(raw.decode())}).signed())
    return report
