"""Every trick has its name: a node that lies, and signs anew what its keys can sign, is found out for what it did.

The tricks of one bundle, or of several held against each other, are played on one network; those that take time, or
another's keys, are in test_evidence_breaches.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime

import msgspec
import pytest

from agreements.filing import KIND as FILING
from agreements.terms import KIND as TERMS
from crypto import envelope
from node.domain.evidence.findings import Report, Wrong
from node.domain.evidence.lines import (
    CheckpointLine,
    DocumentLine,
    EntryLine,
    HeadLine,
    LeafLine,
    ManifestLine,
    Opening,
    OrderLine,
    SeenLine,
)
from node.domain.journal import Act, journal_origin
from registry.parties import PartyId
from tests.fakes.evidence import fetched, lines, read
from tests.fakes.hostile import (
    Book,
    entry_again,
    header_of,
    leaf_of,
)
from tests.fakes.propagation import (
    HK,
    HOME,
    SZ,
)
from tests.simulation.scene import (
    FIRST,
    OTHER,
    PULLING,
    SECOND,
    Scene,
    Trick,
    Tricks,
    an,
    checkpointed,
    documents,
    filing,
    forked,
    frames,
    head,
    next_push,
    played,
    reordered,
    wrongs,
)

TRICKS = Tricks()


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with played(tmp_path_factory.mktemp("tricks")) as opened:
        yield opened


# The container


@TRICKS.find(Wrong.LINE_BROKEN, Wrong.SECTION_NOT_AS_SIGNED)
def a_line_that_nobody_can_read(scene: Scene) -> Sequence[Report]:
    parts = lines(scene.home.signed())
    return scene.check(b"".join([*parts[:-1], b"[1]\n", parts[-1]]))


@TRICKS.find(Wrong.LINE_MISPLACED, Wrong.SECTION_NOT_AS_SIGNED)
def an_entry_behind_the_checkpoint(scene: Scene) -> Sequence[Report]:
    book, end = scene.home, scene.home.place(ManifestLine)
    return scene.check(book.adding(LeafLine(OTHER), at=end).manifested())


@TRICKS.find(Wrong.LINE_MISPLACED)
def a_second_checkpoint(scene: Scene) -> Sequence[Report]:
    book, end = scene.home, scene.home.place(ManifestLine)
    return scene.check(book.adding(book.lines[end - 1], at=end).manifested())


@TRICKS.find(Wrong.LINE_MISPLACED)
def a_document_behind_an_entry_that_speaks_of_none(scene: Scene) -> Sequence[Report]:
    book = scene.home
    order = book.lines[book.place(OrderLine)]
    return scene.check(book.adding(order, at=book.place(EntryLine) + 1).signed())


# Registry, node, order


@TRICKS.find(Wrong.REGISTRY_BROKEN, Wrong.FRAME_BROKEN)
def a_registry_log_without_its_head(scene: Scene) -> Sequence[Report]:
    book = scene.books[PULLING]
    head = book.place(HeadLine, lambda one: one.authority == SZ)
    return scene.check(book.without(head).signed())


@TRICKS.find(Wrong.NODE_NOT_LISTED)
def a_node_that_nobody_lists(scene: Scene) -> Sequence[Report]:
    opening = scene.home.at(0, Opening)
    return scene.check(scene.home.putting({0: msgspec.structs.replace(opening, node="sz-nobody")}).signed())


@TRICKS.find(Wrong.ORDER_MISSING)
def an_inspection_that_is_not_in_the_journal(scene: Scene) -> Sequence[Report]:
    at = scene.home.behind(OrderLine)
    return scene.check(scene.home.without(at, at + 1).signed())


@TRICKS.find(Wrong.ORDER_MISSING)
def an_inspection_whose_order_is_not_shown(scene: Scene) -> Sequence[Report]:
    opening, at = scene.home.at(0, Opening), scene.home.behind(OrderLine)
    return scene.check(scene.home.without(at + 1).putting({0: opening}).signed())


@TRICKS.find(Wrong.ORDER_BROKEN)
def less_than_was_ordered(scene: Scene) -> Sequence[Report]:
    opening = msgspec.structs.replace(scene.home.at(0, Opening), scope=(header_of(frames(scene.home)[0]).agreement,))
    return scene.check(scene.home.putting({0: opening}).signed())


@TRICKS.find(Wrong.ORDER_BROKEN)
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


@TRICKS.find(Wrong.ORDER_BROKEN, Wrong.ORDER_MISSING)
def another_order_than_its_entry_names(scene: Scene) -> Sequence[Report]:
    at = scene.home.behind(OrderLine)
    entry = entry_again(scene.home.at(at, EntryLine), {"order": OTHER})
    return scene.check(scene.home.putting({at: entry}).signed())


@TRICKS.find(Wrong.ORDER_BROKEN)
def agreements_that_another_authority_did_not_ask_for(scene: Scene) -> Sequence[Report]:
    asked, *_ = (bytes.fromhex(header_of(one).agreement) for one in frames(scene.home))
    book = Book(scene.member(HOME), tuple(read(fetched(scene.network, HK, HOME, [asked]))))
    more = msgspec.structs.replace(book.at(0, Opening), scope=(asked.hex(), OTHER))
    return scene.check(book.putting({0: more}).signed())


@TRICKS.find(Wrong.ORDER_BROKEN, Wrong.ORDER_MISSING)
def an_order_that_a_party_gave_itself(scene: Scene) -> Sequence[Report]:
    book = scene.home
    at = book.behind(OrderLine)
    entry = entry_again(book.at(at, EntryLine), counterparty=FIRST)
    return scene.check(book.putting({at: entry}).signed())


# Agreements


@TRICKS.find(Wrong.DOCUMENT_BROKEN)
def a_document_that_nobody_signed(scene: Scene) -> Sequence[Report]:
    book = scene.home
    receipt = filing(book, scene.member(HOME))
    return scene.check(book.adding(receipt, at=book.place(DocumentLine)).signed())


@TRICKS.find(Wrong.FRAME_WITHOUT_AGREEMENT)
def frames_under_terms_that_are_not_shown(scene: Scene) -> Sequence[Report]:
    return scene.check(scene.home.without(*documents(scene.home, TERMS)).signed())


@TRICKS.find(Wrong.FRAME_WITHOUT_AGREEMENT)
def frames_under_terms_that_one_party_signed(scene: Scene) -> Sequence[Report]:
    def signers(at: int) -> int:
        return len(envelope.parse(scene.home.at(at, DocumentLine).raw.encode(), TERMS).signatures)

    both = [at for at in documents(scene.home, TERMS) if signers(at) > 2]
    return scene.check(scene.home.without(*both).signed())


@TRICKS.find(Wrong.FRAME_WITHOUT_AGREEMENT)
def a_frame_to_somebody_else_than_the_terms_say(scene: Scene) -> Sequence[Report]:
    return scene.check(next_push(scene, recipient=str(PULLING)).signed())


@TRICKS.find(Wrong.FRAME_WITHOUT_FILING)
def frames_whose_filing_receipt_is_removed(scene: Scene) -> Sequence[Report]:
    return scene.check(scene.home.without(*documents(scene.home, FILING)).signed())


@TRICKS.find(Wrong.FRAME_WITHOUT_FILING)
def frames_that_were_filed_later(scene: Scene) -> Sequence[Report]:
    book, at = scene.home, documents(scene.home, FILING)[0]
    receipt = filing(book, scene.member(SZ), filed_at=scene.now)
    return scene.check(book.putting({at: receipt}).signed())


@TRICKS.find(Wrong.FRAME_WITHOUT_FILING)
def frames_whose_filing_was_journalled_later(scene: Scene) -> Sequence[Report]:
    book = scene.home
    at = book.entry(an(Act.FILING, done="filed"))
    return scene.check(book.moving([at], book.place(CheckpointLine)).signed())


@TRICKS.find(Wrong.FRAME_WITHOUT_FILING)
def a_frame_that_names_another_filing_set(scene: Scene) -> Sequence[Report]:
    return scene.check(next_push(scene, filings=OTHER).signed())


# The journal


@TRICKS.find(Wrong.ENTRY_BROKEN)
def another_detail_than_was_committed_to(scene: Scene) -> Sequence[Report]:
    at = scene.home.entry(an(Act.CHANGE))
    line = scene.home.at(at, EntryLine)
    told = msgspec.structs.replace(line, detail=line.detail.replace('"version":2', '"version":3'))
    return scene.check(scene.home.putting({at: told}).manifested())


@TRICKS.find(Wrong.ENTRY_BROKEN)
def the_lines_of_another_node(scene: Scene) -> Sequence[Report]:
    other = scene.books[SECOND]
    at = other.entry(an(Act.ERASED))
    return scene.check(scene.home.adding(other.lines[at]).signed())


@TRICKS.find(Wrong.ENTRY_BROKEN)
def an_entry_of_a_suite_that_nobody_knows(scene: Scene) -> Sequence[Report]:
    at = scene.home.entry(an(Act.CHANGE))
    entry = entry_again(scene.home.at(at, EntryLine), suite=9)
    return scene.check(scene.home.putting({at: entry}).signed())


@TRICKS.find(Wrong.ENTRY_BROKEN)
def a_fork_of_somebody_who_signed_no_two_heads(scene: Scene) -> Sequence[Report]:
    note = scene.home.at(scene.home.place(CheckpointLine), CheckpointLine).note
    return scene.check(scene.first.adding(forked(scene, note, "nothing")).signed())


@TRICKS.find(Wrong.JOURNAL_FORKED)
def two_heads_of_one_size_that_a_holder_was_shown(scene: Scene) -> Sequence[Report]:
    held, shown = (head(scene, root) for root in (b"\1" * 32, b"\2" * 32))
    return scene.check(scene.first.adding(forked(scene, held, shown)).signed())


@TRICKS.find(Wrong.JOURNAL_NOT_AS_SIGNED)
def an_entry_dropped_under_the_old_checkpoint(scene: Scene) -> Sequence[Report]:
    at = scene.home.entry(an(Act.RECORDS))
    return scene.check(scene.home.without(at).manifested())


@TRICKS.find(Wrong.JOURNAL_NOT_AS_SIGNED)
def an_entry_written_anew_under_the_old_checkpoint(scene: Scene) -> Sequence[Report]:
    at = scene.home.entry(an(Act.RECORDS))
    return scene.check(scene.home.putting({at: entry_again(scene.home.at(at, EntryLine), {"new": 3})}).manifested())


@TRICKS.find(Wrong.CHECKPOINT_BROKEN)
def a_checkpoint_under_another_key(scene: Scene) -> Sequence[Report]:
    return scene.check(checkpointed(scene, journal_origin(HOME), FIRST))


@TRICKS.find(Wrong.CHECKPOINT_BROKEN)
def a_checkpoint_of_another_log(scene: Scene) -> Sequence[Report]:
    return scene.check(checkpointed(scene, "creditport/journal/somebody", HOME))


@TRICKS.find(Wrong.CHECKPOINT_BROKEN)
def a_journal_without_a_checkpoint(scene: Scene) -> Sequence[Report]:
    return scene.check(scene.home.without(scene.home.place(CheckpointLine)).manifested())


@TRICKS.find(Wrong.CHECKPOINT_BROKEN)
def a_head_that_nobody_signed(scene: Scene) -> Sequence[Report]:
    book, at = scene.first, scene.first.place(SeenLine)
    return scene.check(book.putting({at: SeenLine(HOME, "nothing")}).signed())


# The manifest


@TRICKS.find(Wrong.MANIFEST_BROKEN)
def a_bundle_without_a_manifest(scene: Scene) -> Sequence[Report]:
    return scene.check(b"".join(lines(scene.home.signed())[:-1]))


@TRICKS.find(Wrong.MANIFEST_BROKEN)
def the_manifest_of_somebody_else(scene: Scene) -> Sequence[Report]:
    theirs = lines(scene.first.signed())[-1]
    return scene.check(b"".join([*lines(scene.home.signed())[:-1], theirs]))


@TRICKS.find(Wrong.SECTION_NOT_AS_SIGNED)
def the_manifest_of_another_bundle(scene: Scene) -> Sequence[Report]:
    other = lines(scene.home.without(scene.home.entry(an(Act.RECORDS))).signed())[-1]
    return scene.check(b"".join([*lines(scene.home.signed())[:-1], other]))


def test_the_books_are_clean_as_they_are(scene: Scene) -> None:
    for party, book in scene.books.items():
        (report,) = scene.check(book.signed())

        assert report.is_clean, (party, report.findings)


@pytest.mark.parametrize(("trick", "wrong", "besides"), [pytest.param(*one, id=one[0].__name__) for one in TRICKS])
def test_a_trick_is_found_for_what_it_is(scene: Scene, trick: Trick, wrong: Wrong, besides: frozenset[Wrong]) -> None:
    assert wrongs(trick(scene)) == {wrong, *besides}
