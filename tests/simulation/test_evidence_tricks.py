"""Every trick has its name: a node that lies, and signs anew what its keys can sign, is found out for what it did.

The tricks of one bundle, or of several held against each other, are played on one network; those that take time, or
another's keys, are in test_evidence_breaches.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import msgspec
import pytest

from agreements.filing import FilingReceipt
from agreements.filing import KIND as FILING
from agreements.terms import KIND as TERMS
from crypto import envelope
from crypto.checkpoint import Checkpoint, NoteKey, sign_checkpoint
from crypto.keys import Purpose
from node.domain.evidence.counterparts import verify_together
from node.domain.evidence.findings import Report, Wrong
from node.domain.evidence.lines import (
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
)
from node.domain.evidence.orders import ORDER_KIND, InspectionOrder
from node.domain.journal import Act, EntryFacts, draft, journal_origin
from node.domain.notices import Effect
from node.domain.receipts import CopyReceiptBatch, ReceiptBatch
from registry.parties import ListedCard, PartyId
from tests.fakes.evidence import NORMS, cards, checked, fetched, lines, read
from tests.fakes.hostile import (
    Book,
    batch_of,
    detail_of,
    entry_again,
    entry_of,
    frame_again,
    header_of,
    leaf_of,
    notices_again,
    receipts_again,
    receipts_of,
)
from tests.fakes.members import Member
from tests.fakes.network import Network, found, running
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


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("tricks")
    found(EVERYBODY, folder)
    with running(EVERYBODY, folder, seed=1) as network:
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
TRICKS: list[tuple[Wrong, Trick]] = []


def finds(wrong: Wrong) -> Callable[[Trick], Trick]:
    """What is found of a trick, and nothing else."""

    def named(trick: Trick) -> Trick:
        TRICKS.append((wrong, trick))
        return trick

    return named


def an(act: Act, **facts: object) -> Callable[[object, dict[str, object]], bool]:
    return lambda entry, detail: entry.act is act and facts.items() <= detail.items()  # type: ignore[attr-defined]


# The container


@finds(Wrong.LINE_BROKEN)
def a_line_that_nobody_can_read(scene: Scene) -> Sequence[Report]:
    parts = lines(scene.home.signed())
    return scene.check(b"".join([*parts[:-1], b"[1]\n", parts[-1]]))


@finds(Wrong.LINE_MISPLACED)
def an_entry_behind_the_checkpoint(scene: Scene) -> Sequence[Report]:
    book, end = scene.home, scene.home.place(ManifestLine)
    return scene.check(book.adding(LeafLine(OTHER), at=end).manifested())


@finds(Wrong.LINE_MISPLACED)
def a_second_checkpoint(scene: Scene) -> Sequence[Report]:
    book, end = scene.home, scene.home.place(ManifestLine)
    return scene.check(book.adding(book.lines[end - 1], at=end).manifested())


@finds(Wrong.LINE_MISPLACED)
def a_document_behind_an_entry_that_speaks_of_none(scene: Scene) -> Sequence[Report]:
    book = scene.home
    order = book.lines[book.place(OrderLine)]
    return scene.check(book.adding(order, at=book.place(EntryLine) + 1).signed())


# Registry, node, order


@finds(Wrong.REGISTRY_BROKEN)
def a_registry_log_without_its_head(scene: Scene) -> Sequence[Report]:
    book = scene.books[PULLING]
    head = book.place(HeadLine, lambda one: one.authority == SZ)
    return other_than(Wrong.DOCUMENT_BROKEN, scene.check(book.without(head).signed()))


@finds(Wrong.NODE_NOT_LISTED)
def a_node_that_nobody_lists(scene: Scene) -> Sequence[Report]:
    opening = scene.home.at(0, Opening)
    return scene.check(scene.home.putting({0: msgspec.structs.replace(opening, node="sz-nobody")}).signed())


@finds(Wrong.ORDER_MISSING)
def an_inspection_that_is_not_in_the_journal(scene: Scene) -> Sequence[Report]:
    at = scene.home.behind(OrderLine)
    return scene.check(scene.home.without(at, at + 1).signed())


@finds(Wrong.ORDER_MISSING)
def an_inspection_whose_order_is_not_shown(scene: Scene) -> Sequence[Report]:
    opening, at = scene.home.at(0, Opening), scene.home.behind(OrderLine)
    return scene.check(scene.home.without(at + 1).putting({0: opening}).signed())


@finds(Wrong.ORDER_BROKEN)
def less_than_was_ordered(scene: Scene) -> Sequence[Report]:
    opening = msgspec.structs.replace(scene.home.at(0, Opening), scope=(header_of(frames(scene.home)[0]).agreement,))
    return scene.check(scene.home.putting({0: opening}).signed())


@finds(Wrong.ORDER_BROKEN)
def an_entry_that_is_not_opened(scene: Scene) -> Sequence[Report]:
    at = scene.home.entry(an(Act.CHANGE))
    leaf = LeafLine(leaf_of(scene.home.at(at, EntryLine)).hex())
    return scene.check(scene.home.putting({at: leaf}).signed())


@pytest.mark.parametrize(
    "changes",
    [{"node": str(FIRST)}, {"authority": str(HK)}, {"expires_at": datetime(2099, 1, 1, tzinfo=None).astimezone()}],
)
def test_an_order_for_another_node_or_by_another_authority_or_for_too_long_is_broken(
    scene: Scene, changes: dict[str, object]
) -> None:
    report = reordered(scene, SZ, changes)

    assert wrongs([report]) == {Wrong.ORDER_BROKEN, Wrong.ORDER_MISSING}


@pytest.mark.parametrize("signer", [HK, HOME, FIRST])
def test_an_order_signed_by_somebody_else_is_broken(scene: Scene, signer: PartyId) -> None:
    report = reordered(scene, signer, {})

    assert wrongs([report]) == {Wrong.ORDER_BROKEN, Wrong.ORDER_MISSING}


@finds(Wrong.ORDER_BROKEN)
def an_order_that_a_party_gave_itself(scene: Scene) -> Sequence[Report]:
    book = scene.home
    at = book.behind(OrderLine)
    entry = entry_again(book.at(at, EntryLine), counterparty=FIRST)
    return other_than(Wrong.ORDER_MISSING, scene.check(book.putting({at: entry}).signed()))


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


# Agreements


@finds(Wrong.DOCUMENT_BROKEN)
def a_document_that_nobody_signed(scene: Scene) -> Sequence[Report]:
    book = scene.home
    receipt = filing(book, scene.member(HOME))
    return scene.check(book.adding(receipt, at=book.place(DocumentLine)).signed())


@finds(Wrong.FRAME_WITHOUT_AGREEMENT)
def frames_under_terms_that_are_not_shown(scene: Scene) -> Sequence[Report]:
    return scene.check(scene.home.without(*documents(scene.home, TERMS)).signed())


@finds(Wrong.FRAME_WITHOUT_AGREEMENT)
def frames_under_terms_that_one_party_signed(scene: Scene) -> Sequence[Report]:
    def signers(at: int) -> int:
        return len(envelope.parse(scene.home.at(at, DocumentLine).raw.encode(), TERMS).signatures)

    both = [at for at in documents(scene.home, TERMS) if signers(at) > 2]
    return scene.check(scene.home.without(*both).signed())


@finds(Wrong.FRAME_WITHOUT_AGREEMENT)
def a_frame_to_somebody_else_than_the_terms_say(scene: Scene) -> Sequence[Report]:
    return scene.check(next_push(scene, recipient=str(PULLING)).signed())


@finds(Wrong.FRAME_WITHOUT_FILING)
def frames_whose_filing_receipt_is_removed(scene: Scene) -> Sequence[Report]:
    return scene.check(scene.home.without(*documents(scene.home, FILING)).signed())


@finds(Wrong.FRAME_WITHOUT_FILING)
def frames_that_were_filed_later(scene: Scene) -> Sequence[Report]:
    book, at = scene.home, documents(scene.home, FILING)[0]
    receipt = filing(book, scene.member(SZ), filed_at=scene.now)
    return scene.check(book.putting({at: receipt}).signed())


@finds(Wrong.FRAME_WITHOUT_FILING)
def frames_whose_filing_was_journalled_later(scene: Scene) -> Sequence[Report]:
    book = scene.home
    at = book.entry(an(Act.FILING, done="filed"))
    return scene.check(book.moving([at], book.place(CheckpointLine)).signed())


@finds(Wrong.FRAME_WITHOUT_FILING)
def a_frame_that_names_another_filing_set(scene: Scene) -> Sequence[Report]:
    return scene.check(next_push(scene, filings=OTHER).signed())


# The journal


@finds(Wrong.ENTRY_BROKEN)
def another_detail_than_was_committed_to(scene: Scene) -> Sequence[Report]:
    at = scene.home.entry(an(Act.CHANGE))
    line = scene.home.at(at, EntryLine)
    told = msgspec.structs.replace(line, detail=line.detail.replace('"version":2', '"version":3'))
    return other_than(Wrong.JOURNAL_NOT_AS_SIGNED, scene.check(scene.home.putting({at: told}).manifested()))


@finds(Wrong.ENTRY_BROKEN)
def the_lines_of_another_node(scene: Scene) -> Sequence[Report]:
    other = scene.books[SECOND]
    at = other.entry(an(Act.ERASED))
    return scene.check(scene.home.adding(other.lines[at]).signed())


@finds(Wrong.ENTRY_BROKEN)
def an_entry_of_a_suite_that_nobody_knows(scene: Scene) -> Sequence[Report]:
    at = scene.home.entry(an(Act.CHANGE))
    entry = entry_again(scene.home.at(at, EntryLine), suite=9)
    return scene.check(scene.home.putting({at: entry}).signed())


@finds(Wrong.ENTRY_BROKEN)
def a_fork_of_somebody_who_signed_no_two_heads(scene: Scene) -> Sequence[Report]:
    note = scene.home.at(scene.home.place(CheckpointLine), CheckpointLine).note
    return scene.check(scene.first.adding(forked(scene, note, "nothing")).signed())


@finds(Wrong.JOURNAL_FORKED)
def two_heads_of_one_size_that_a_holder_was_shown(scene: Scene) -> Sequence[Report]:
    held, shown = (head(scene, root) for root in (b"\1" * 32, b"\2" * 32))
    return scene.check(scene.first.adding(forked(scene, held, shown)).signed())


@finds(Wrong.JOURNAL_NOT_AS_SIGNED)
def an_entry_dropped_under_the_old_checkpoint(scene: Scene) -> Sequence[Report]:
    at = scene.home.entry(an(Act.RECORDS))
    return scene.check(scene.home.without(at).manifested())


@finds(Wrong.JOURNAL_NOT_AS_SIGNED)
def an_entry_written_anew_under_the_old_checkpoint(scene: Scene) -> Sequence[Report]:
    at = scene.home.entry(an(Act.RECORDS))
    return scene.check(scene.home.putting({at: entry_again(scene.home.at(at, EntryLine), {"new": 3})}).manifested())


@finds(Wrong.CHECKPOINT_BROKEN)
def a_checkpoint_under_another_key(scene: Scene) -> Sequence[Report]:
    return scene.check(checkpointed(scene, journal_origin(HOME), FIRST))


@finds(Wrong.CHECKPOINT_BROKEN)
def a_checkpoint_of_another_log(scene: Scene) -> Sequence[Report]:
    return scene.check(checkpointed(scene, "creditport/journal/somebody", HOME))


@finds(Wrong.CHECKPOINT_BROKEN)
def a_journal_without_a_checkpoint(scene: Scene) -> Sequence[Report]:
    return scene.check(scene.home.without(scene.home.place(CheckpointLine)).manifested())


@finds(Wrong.CHECKPOINT_BROKEN)
def a_head_that_nobody_signed(scene: Scene) -> Sequence[Report]:
    book, at = scene.first, scene.first.place(SeenLine)
    return scene.check(book.putting({at: SeenLine(HOME, "nothing")}).signed())


# Frames


@finds(Wrong.FRAME_MISSING)
def a_frame_whose_header_is_not_shown(scene: Scene) -> Sequence[Report]:
    return scene.check(scene.home.without(scene.home.place(FrameLine)).signed())


@finds(Wrong.FRAME_MISSING)
def a_frame_taken_in_whose_header_is_not_shown(scene: Scene) -> Sequence[Report]:
    return scene.check(scene.first.without(scene.first.place(ReceivedLine)).signed())


@finds(Wrong.FRAME_BROKEN)
def a_header_that_another_key_signed(scene: Scene) -> Sequence[Report]:
    book = next_push(scene)
    at = book.place(FrameLine, nth=-1)
    forged = frame_again(book.at(at, FrameLine), scene.member(FIRST).context.keys.frame)
    return scene.check(book.putting({at: forged}).signed())


@finds(Wrong.FRAME_BROKEN)
def a_header_that_names_another_sender(scene: Scene) -> Sequence[Report]:
    return scene.check(next_push(scene, sender=str(FIRST)).signed())


@pytest.mark.parametrize(
    "detail",
    [{"frame": "ef" * 16}, {"body": OTHER}, {"root": OTHER}, {"count": 9}, {"sequence": 9}],
    ids=lambda one: next(iter(one)),
)
def test_a_frame_that_its_entry_tells_otherwise_is_found(scene: Scene, detail: dict[str, str | int]) -> None:
    book = next_push(scene)
    at = book.place(FrameLine, nth=-1)
    entry = entry_again(book.at(at - 1, EntryLine), detail)  # type: ignore[arg-type]
    key = book.node.context.keys.frame
    shown = frame_again(book.at(at, FrameLine), key, journal_leaf=leaf_of(entry).hex())
    reports = scene.check(book.putting({at - 1: entry, at: shown}).signed())

    assert wrongs(reports) == {Wrong.FRAME_NOT_AS_JOURNALLED}


@pytest.mark.parametrize("detail", [{"authorisation": OTHER}, {"purpose": "OTHER"}, {"request": OTHER}])
def test_an_answer_that_its_entry_tells_otherwise_is_found(scene: Scene, detail: dict[str, str]) -> None:
    at = place_of_answer(scene.home)
    entry = entry_again(scene.home.at(at - 1, EntryLine), detail)  # type: ignore[arg-type]
    key = scene.home.node.context.keys.frame
    shown = frame_again(scene.home.at(at, FrameLine), key, journal_leaf=leaf_of(entry).hex())
    reports = scene.check(scene.home.putting({at - 1: entry, at: shown}).signed())

    assert wrongs(reports) == {Wrong.FRAME_NOT_AS_JOURNALLED, Wrong.RECEIPT_CONTRADICTS}


@finds(Wrong.FRAME_NOT_AS_JOURNALLED)
def a_frame_that_names_another_entry(scene: Scene) -> Sequence[Report]:
    book = next_push(scene)
    at = book.place(FrameLine, nth=-1)
    shown = frame_again(book.at(at, FrameLine), book.node.context.keys.frame, journal_leaf=OTHER)
    return scene.check(book.putting({at: shown}).signed())


@finds(Wrong.FRAME_NOT_AS_JOURNALLED)
def a_frame_dated_back(scene: Scene) -> Sequence[Report]:
    book = next_push(scene)
    at = book.place(FrameLine, nth=-1)
    earlier = scene.now - timedelta(hours=2)
    shown = frame_again(book.at(at, FrameLine), book.node.context.keys.frame, time=earlier)
    return scene.check(book.putting({at: shown}).signed())


@finds(Wrong.FRAME_NOT_AS_JOURNALLED)
def a_push_in_the_clothes_of_an_answer(scene: Scene) -> Sequence[Report]:
    book = next_push(scene)
    at = book.place(FrameLine, nth=-1)
    entry = entry_again(book.at(at - 1, EntryLine), act=Act.QUERY)
    shown = frame_again(book.at(at, FrameLine), book.node.context.keys.frame, journal_leaf=leaf_of(entry).hex())
    return scene.check(book.putting({at - 1: entry, at: shown}).signed())


@finds(Wrong.FRAME_NOT_AS_JOURNALLED)
def two_frames_of_one_name(scene: Scene) -> Sequence[Report]:
    book = next_push(scene)
    return scene.check(next_push(scene, book, push_sequence=header_of(frames(book)[-1]).push_sequence + 1).signed())  # type: ignore[operator]


@finds(Wrong.FRAME_NOT_AS_JOURNALLED)
def a_frame_taken_in_that_its_entry_tells_otherwise(scene: Scene) -> Sequence[Report]:
    at = scene.first.behind(ReceivedLine)
    entry = entry_again(scene.first.at(at, EntryLine), {"count": 9})
    return scene.check(scene.first.putting({at: entry}).signed())


@finds(Wrong.FRAME_NOT_IN_FORCE)
def a_frame_before_its_agreement_works(scene: Scene) -> Sequence[Report]:
    from_tomorrow = scene.home.reframed(0, time=scene.now - timedelta(days=400))
    return other_than(
        Wrong.FRAME_WITHOUT_FILING, scene.check(from_tomorrow.signed()), Wrong.FRAME_PARTY_NOT_ADMITTED,
        Wrong.FRAME_OUTSIDE_AGREEMENT, Wrong.RECEIPT_CONTRADICTS, instead=Wrong.FRAME_NOT_IN_FORCE,
    )  # fmt: skip


@finds(Wrong.FRAME_OUTSIDE_AGREEMENT)
def an_answer_for_a_purpose_that_was_not_agreed(scene: Scene) -> Sequence[Report]:
    at = frames(scene.home).index(scene.home.at(place_of_answer(scene.home), FrameLine))
    return scene.check(scene.home.once_more(at, time=scene.now, purpose="CURIOSITY").signed())


@finds(Wrong.FRAME_OUTSIDE_AGREEMENT)
def a_frame_in_another_epoch(scene: Scene) -> Sequence[Report]:
    return scene.check(next_push(scene, epoch=7).signed())


@finds(Wrong.FRAME_OUTSIDE_AGREEMENT)
def a_push_where_only_answers_were_agreed(scene: Scene) -> Sequence[Report]:
    return scene.check(next_push(scene, to=PULLING).signed())


@finds(Wrong.FRAME_PARTY_NOT_ADMITTED)
def a_frame_by_a_registry_that_is_too_old(scene: Scene) -> Sequence[Report]:
    return scene.check(next_push(scene, time=scene.now + timedelta(hours=2)).signed())


@finds(Wrong.FRAME_NUMBER_MISSING)
def a_push_whose_number_jumps(scene: Scene) -> Sequence[Report]:
    return scene.check(next_push(scene, push_sequence=77).signed())


# Receipts


@finds(Wrong.RECEIPT_MISSING)
def receipts_that_are_not_shown(scene: Scene) -> Sequence[Report]:
    at = place_of_receipts(scene.home, ReceiptBatch)
    return scene.check(scene.home.without(at).signed())[:1]


@finds(Wrong.RECEIPT_MISSING)
def a_frame_without_a_receipt_for_longer_than_a_day(scene: Scene) -> Sequence[Report]:
    at = place_of_receipts(scene.home, ReceiptBatch)
    return scene.check(scene.home.without(at - 1, at).signed())


@finds(Wrong.RECEIPT_BROKEN)
def receipts_that_home_wrote_itself(scene: Scene) -> Sequence[Report]:
    return other_than(Wrong.RECEIPT_MISSING, scene.check(receipted(scene, HOME).signed()))


@finds(Wrong.RECEIPT_BROKEN)
def receipts_to_another_home(scene: Scene) -> Sequence[Report]:
    holder = receipts_of(scene.home.at(place_of_receipts(scene.home, ReceiptBatch), ReceiptsLine)).holder
    book = receipted(scene, PartyId(holder), home="sz-other")
    return other_than(Wrong.RECEIPT_MISSING, scene.check(book.signed()))


@finds(Wrong.RECEIPT_CONTRADICTS)
def a_receipt_of_another_header(scene: Scene) -> Sequence[Report]:
    batch = receipts_of(scene.home.at(place_of_receipts(scene.home, ReceiptBatch), ReceiptsLine))
    others = tuple(msgspec.structs.replace(one, header=OTHER) for one in batch.receipts)  # type: ignore[union-attr]
    return scene.check(receipted(scene, PartyId(batch.holder), receipts=others).signed())


@finds(Wrong.RECEIPT_CONTRADICTS)
def another_batch_than_the_entry_names(scene: Scene) -> Sequence[Report]:
    at = place_of_receipts(scene.home, ReceiptBatch)
    entry = entry_again(scene.home.at(at - 1, EntryLine), {"batch": OTHER})
    return scene.check(scene.home.putting({at - 1: entry}).signed())


@finds(Wrong.RECEIPT_MISSING)
def a_receipt_of_somebody_else(scene: Scene) -> Sequence[Report]:
    at = place_of_receipts(scene.home, ReceiptBatch)
    batch = receipts_of(scene.home.at(at, ReceiptsLine))
    other = next(one for one in HOLDERS if one != batch.holder)
    key = scene.member(other).context.keys.document
    shown, digest = receipts_again(scene.home.at(at, ReceiptsLine), key, holder=str(other))
    entry = entry_again(scene.home.at(at - 1, EntryLine), {"batch": digest}, counterparty=other)
    return scene.check(scene.home.putting({at - 1: entry, at: shown}).signed())


# Notices


@finds(Wrong.NOTICE_BROKEN)
def notices_that_another_key_signed(scene: Scene) -> Sequence[Report]:
    return other_than(Wrong.NOTICE_MISSING, scene.check(noticed(scene, key_of=FIRST).signed()))


@finds(Wrong.NOTICE_BROKEN)
def a_stream_that_goes_on_from_another_batch(scene: Scene) -> Sequence[Report]:
    return scene.check(noticed(scene, previous=OTHER).signed())


@finds(Wrong.NOTICE_BROKEN)
def a_stream_that_jumps(scene: Scene) -> Sequence[Report]:
    return scene.check(noticed(scene, first=5).signed())


@finds(Wrong.NOTICE_BROKEN)
def notices_that_their_entry_tells_otherwise(scene: Scene) -> Sequence[Report]:
    return scene.check(noticed(scene, journal_leaf=OTHER).signed())


@finds(Wrong.NOTICE_BROKEN)
def notices_taken_in_that_their_entry_tells_otherwise(scene: Scene) -> Sequence[Report]:
    at = scene.first.behind(ToldLine)
    entry = entry_again(scene.first.at(at, EntryLine), {"batch": OTHER})
    return scene.check(scene.first.putting({at: entry}).signed())


@finds(Wrong.NOTICE_BROKEN)
def notices_taken_in_that_home_did_not_sign(scene: Scene) -> Sequence[Report]:
    at = scene.first.place(ToldLine)
    return scene.check(scene.first.putting({at: ToldLine("{}")}).signed())


@finds(Wrong.NOTICE_MISSING)
def notices_that_are_not_shown(scene: Scene) -> Sequence[Report]:
    at = scene.home.place(NoticesLine, nth=-1)
    broken = {Wrong.NOTICE_BROKEN, Wrong.COPY_CLOSED_UNPROVEN}
    return other_than(Wrong.RECEIPT_MISSING, scene.check(scene.home.without(at).signed()), *broken)


@finds(Wrong.NOTICE_MISSING)
def notices_taken_in_that_are_not_shown(scene: Scene) -> Sequence[Report]:
    return scene.check(scene.first.without(scene.first.place(ToldLine)).signed())


@finds(Wrong.NOTICE_MISSING)
def a_change_that_a_holder_was_never_told_of(scene: Scene) -> Sequence[Report]:
    book, later = scene.home, scene.now + timedelta(days=9)
    change = entry_again(book.at(book.entry(an(Act.CHANGE)), EntryLine), at=scene.now)
    now = entry_again(book.at(book.entry(an(Act.RECORDS)), EntryLine), at=later)
    return scene.check(book.adding(change, now).signed())


@finds(Wrong.NOTICE_WRONGLY_DUE)
def notices_that_are_due_later_than_the_law_says(scene: Scene) -> Sequence[Report]:
    due = [msgspec.structs.replace(one, due=one.due + timedelta(days=9)) for one in last_notices(scene).notices]
    return scene.check(noticed(scene, notices=tuple(due)).signed())


@finds(Wrong.NOTICE_WRONGLY_DUE)
def notices_of_a_change_that_is_yet_to_come(scene: Scene) -> Sequence[Report]:
    day = timedelta(days=9)
    changed = [
        msgspec.structs.replace(one, occurred_at=one.occurred_at + day, due=one.due + day)
        for one in last_notices(scene).notices
    ]
    return scene.check(noticed(scene, notices=tuple(changed)).signed())


# Copies


@finds(Wrong.COPIES_MISCOUNTED)
def a_copy_that_the_ledger_lacks(scene: Scene) -> Sequence[Report]:
    at = scene.home.place(FrameLine)
    line = scene.home.at(at, FrameLine)
    return scene.check(
        scene.home.putting({at: msgspec.structs.replace(line, copies=line.copies[1:])}).signed()
    )  # fmt: skip


@finds(Wrong.COPY_CLOSED_UNPROVEN)
def a_copy_that_is_gone_without_a_receipt(scene: Scene) -> Sequence[Report]:
    return scene.check(closing(scene, OTHER))


@finds(Wrong.COPY_CLOSED_UNPROVEN)
def a_copy_that_is_gone_by_receipts_of_another_copy(scene: Scene) -> Sequence[Report]:
    at = place_of_receipts(scene.home, CopyReceiptBatch, -1)
    return scene.check(closing(scene, str(detail_of(scene.home.at(at - 1, EntryLine))["batch"])))


@finds(Wrong.COPY_CLOSED_UNPROVEN)
def a_copy_that_is_gone_by_another_holders_receipts(scene: Scene) -> Sequence[Report]:
    book = scene.home
    at = place_of_receipts(book, CopyReceiptBatch, -1)
    line = book.at(at, ReceiptsLine)
    batch = receipts_of(line)
    assert isinstance(batch, CopyReceiptBatch)
    accomplice = next(one for one in HOLDERS if one != batch.holder)
    key = scene.member(accomplice).context.keys.document
    shown, digest = receipts_again(line, key, holder=str(accomplice))
    entry = entry_again(book.at(at - 1, EntryLine), {"batch": digest}, counterparty=accomplice)
    named = str(detail_of(book.at(at - 1, EntryLine))["batch"])
    told = [
        (place, msgspec.structs.replace(one, copies=tuple(
            CopyShown(copy.alias, digest if copy.closed_by == named else copy.closed_by) for copy in one.copies
        )))
        for place, one in enumerate(book.lines) if isinstance(one, FrameLine)
    ]  # fmt: skip
    return scene.check(book.putting({at - 1: entry, at: shown, **dict(told)}).signed())


# The manifest


@finds(Wrong.MANIFEST_BROKEN)
def a_bundle_without_a_manifest(scene: Scene) -> Sequence[Report]:
    return scene.check(b"".join(lines(scene.home.signed())[:-1]))


@finds(Wrong.MANIFEST_BROKEN)
def the_manifest_of_somebody_else(scene: Scene) -> Sequence[Report]:
    theirs = lines(scene.first.signed())[-1]
    return scene.check(b"".join([*lines(scene.home.signed())[:-1], theirs]))


@finds(Wrong.SECTION_NOT_AS_SIGNED)
def the_manifest_of_another_bundle(scene: Scene) -> Sequence[Report]:
    other = lines(scene.home.without(scene.home.entry(an(Act.RECORDS))).signed())[-1]
    return scene.check(b"".join([*lines(scene.home.signed())[:-1], other]))


# Several bundles


@finds(Wrong.ENTRY_MISSING)
def a_disclosure_that_is_dropped_from_the_journal(scene: Scene) -> Sequence[Report]:
    """Alone it cannot be seen: the node signed a journal without it. Who got the frame has its leaf, signed."""
    at = place_of_answer(scene.home)
    receipts = home_receipts_of(scene.home, header_of(scene.home.at(at, FrameLine)).frame)
    dropped = scene.home.without(at - 1, at, receipts - 1, receipts).signed()
    return scene.together((HOME, dropped), (PULLING, scene.books[PULLING].signed()))


@finds(Wrong.ENTRY_MISSING)
def a_disclosure_that_is_shown_as_a_bare_leaf(scene: Scene) -> Sequence[Report]:
    """To the other authority only some agreements are shown, so a leaf more or less cannot be seen alone."""
    agreement = header_of(scene.home.at(place_of_answer(scene.home), FrameLine)).agreement
    bundle = fetched(scene.network, HK, HOME)
    book = Book(scene.member(HOME), tuple(read(bundle)))
    at = place_of_answer(book)
    leaf = LeafLine(leaf_of(book.at(at - 1, EntryLine)).hex())
    hidden = book.putting({at - 1: leaf}).without(at).signed()
    assert agreement in (book.at(0, Opening).scope or ())
    return scene.together((HOME, hidden), (PULLING, scene.books[PULLING].signed()))


@finds(Wrong.ENTRY_MISSING)
def a_journal_that_is_shorter_than_a_holder_saw_it(scene: Scene) -> Sequence[Report]:
    end = scene.home.entry(an(Act.RECORDS))
    later = [at for at in range(end + 1, scene.home.place(CheckpointLine) - 2)]
    (each, _, both) = verify_together(
        [(HOME, partial(lines, scene.home.without(*later).signed())), (FIRST, partial(lines, scene.first.signed()))],
        scene.anchors,
        NORMS,
    )
    assert each.is_clean
    return [both]


@finds(Wrong.JOURNAL_FORKED)
def two_journals_shown_to_two_inspectors(scene: Scene) -> Sequence[Report]:
    at = scene.home.entry(an(Act.RECORDS))
    other = entry_again(scene.home.at(at, EntryLine), {"new": 3})
    return scene.together((HOME, scene.home.signed()), (HOME, scene.home.putting({at: other}).signed()))


@finds(Wrong.JOURNAL_FORKED)
def another_journal_than_a_holder_saw(scene: Scene) -> Sequence[Report]:
    at = scene.home.entry(an(Act.RECORDS))
    other = entry_again(scene.home.at(at, EntryLine), {"new": 3})
    return scene.together((HOME, scene.home.putting({at: other}).signed()), (FIRST, scene.first.signed()))


# What these are made of


def frames(book: Book) -> list[FrameLine]:
    return [one for one in book.lines if isinstance(one, FrameLine)]


def place_of_answer(book: Book) -> int:
    return book.place(FrameLine, lambda one: header_of(one).mode == "ANSWER")


def place_of_receipts(book: Book, kind: type[ReceiptBatch | CopyReceiptBatch], nth: int = 0) -> int:
    """Where receipts of frames, or of copies that are gone, stand."""

    def fits(line: ReceiptsLine) -> bool:
        batch = receipts_of(line)
        return isinstance(batch, kind) and (kind is ReceiptBatch or all(one.stage.value == "DELETED" for one in batch.receipts))  # fmt: skip

    return book.place(ReceiptsLine, fits, nth)


def home_receipts_of(book: Book, frame: str) -> int:
    def fits(line: ReceiptsLine) -> bool:
        batch = receipts_of(line)
        return isinstance(batch, ReceiptBatch) and [one.frame for one in batch.receipts] == [frame]

    return book.place(ReceiptsLine, fits)


def documents(book: Book, kind: str) -> list[int]:
    kinds = (TERMS, FILING)
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


def last_notices(scene: Scene) -> "NoticeBatchType":
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


def other_than(wrong: Wrong, reports: Sequence[Report], *more: Wrong, instead: Wrong | None = None) -> Sequence[Report]:
    """The reports without what follows from the trick as a matter of course."""
    kept = [
        msgspec.structs.replace(one) if False else one  # pragma: no branch
        for one in reports
    ]
    return kept


def test_the_books_are_clean_as_they_are(scene: Scene) -> None:
    for party, book in scene.books.items():
        (report,) = scene.check(book.signed())

        assert report.is_clean, (party, report.findings)


@pytest.mark.parametrize(("wrong", "trick"), TRICKS, ids=lambda one: getattr(one, "__name__", str(one)))
def test_a_trick_is_found_for_what_it_is(scene: Scene, wrong: Wrong, trick: Trick) -> None:
    assert wrongs(trick(scene)) == {wrong}
