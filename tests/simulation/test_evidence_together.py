"""Tricks that are seen when bundles are held against each other; alone, each of them is clean."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from functools import partial

import msgspec
import pytest

from node.domain.evidence.counterparts import node_of, verify_together
from node.domain.evidence.findings import Report, Wrong
from node.domain.evidence.lines import (
    EntryLine,
    FrameLine,
    LeafLine,
    Opening,
    OrderLine,
    ReceiptsLine,
    ReceivedLine,
    SeenLine,
)
from node.domain.journal import Act
from node.domain.receipts import ReceiptBatch
from tests.fakes.evidence import NORMS, fetched, lines, read
from tests.fakes.hostile import (
    Book,
    detail_of,
    entry_again,
    entry_telling,
    frame_again,
    header_of,
    leaf_of,
    receipts_of,
)
from tests.fakes.propagation import (
    HK,
    HOME,
)
from tests.simulation.scene import (
    FIRST,
    PULLING,
    Scene,
    Trick,
    Tricks,
    an,
    home_receipts_of,
    place_of_answer,
    place_of_receipts,
    played,
    receipted,
    wrongs,
)

TRICKS = Tricks()


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with played(tmp_path_factory.mktemp("tricks")) as opened:
        yield opened


@TRICKS.find(Wrong.ENTRY_MISSING)
def a_disclosure_that_is_dropped_from_the_journal(scene: Scene) -> Sequence[Report]:
    """Alone it cannot be seen: the node signed a journal without it. Who got the frame has its leaf, signed."""
    at = place_of_answer(scene.home)
    receipts = home_receipts_of(scene.home, header_of(scene.home.at(at, FrameLine)).frame)
    dropped = scene.home.without(at - 1, at, receipts - 1, receipts).signed()
    return scene.together((HOME, dropped), (PULLING, scene.books[PULLING].signed()))


@TRICKS.find(Wrong.ENTRY_MISSING)
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


@TRICKS.find(Wrong.ENTRY_MISSING)
def a_journal_that_is_shorter_than_a_holder_saw_it(scene: Scene) -> Sequence[Report]:
    """Shown ten minutes after the holder showed a head with more entries than it has."""
    begun, end = scene.home.entry(an(Act.RECORDS)), scene.home.behind(OrderLine)
    later = entry_again(scene.home.at(end, EntryLine), at=scene.now + timedelta(minutes=10))
    short = scene.home.putting({end: later}).without(*range(begun + 1, end))
    (both,) = scene.together((HOME, short.signed()), (FIRST, scene.first.signed()))
    assert any(f"as in a head shown by {FIRST}" in one.expected for one in both.findings)
    return [both]


@TRICKS.find(Wrong.JOURNAL_FORKED)
def two_journals_shown_to_two_inspectors(scene: Scene) -> Sequence[Report]:
    at = scene.home.entry(an(Act.RECORDS))
    other = entry_again(scene.home.at(at, EntryLine), {"new": 3})
    return scene.together((HOME, scene.home.signed()), (HOME, scene.home.putting({at: other}).signed()))


@TRICKS.find(Wrong.JOURNAL_FORKED)
def another_journal_than_a_holder_saw(scene: Scene) -> Sequence[Report]:
    at = scene.home.entry(an(Act.RECORDS))
    other = entry_again(scene.home.at(at, EntryLine), {"new": 3})
    return scene.together((HOME, scene.home.putting({at: other}).signed()), (FIRST, scene.first.signed()))


@TRICKS.find(Wrong.ENTRY_MISSING)
def a_disclosure_whose_entry_tells_of_something_else(scene: Scene) -> Sequence[Report]:
    """An entry without a body asks for no header. The frame that names it was taken in, and says what it was."""
    at = place_of_answer(scene.home)
    line = scene.home.at(at - 1, EntryLine)
    told = {name: one for name, one in detail_of(line).items() if name not in {"body", "root", "count"}}
    hidden = scene.home.putting({at - 1: entry_telling(line, told)}).without(at)
    entry = hidden.at(at - 1, EntryLine)
    theirs = scene.books[PULLING]
    frame = header_of(scene.home.at(at, FrameLine)).frame
    taken = theirs.entry(an(Act.FRAME_RECEIVED, frame=frame)) + 1
    shown = frame_again(
        scene.home.at(at, FrameLine), scene.home.node.context.keys.frame, journal_leaf=leaf_of(entry).hex()
    )
    return scene.together(
        (HOME, hidden.signed()), (PULLING, theirs.putting({taken: ReceivedLine(shown.header)}).signed())
    )


@TRICKS.find(Wrong.ENTRY_MISSING)
def a_frame_receipted_that_its_holder_says_it_refused(scene: Scene) -> Sequence[Report]:
    at = scene.first.place(ReceivedLine)
    line = scene.first.at(at - 1, EntryLine)
    hidden = scene.first.putting({at - 1: entry_again(line, {"outcome": "MALFORMED"})}).without(at)
    leaf = leaf_of(hidden.at(at - 1, EntryLine)).hex()
    receipts = place_of_receipts(scene.home, ReceiptBatch)
    batch = receipts_of(scene.home.at(receipts, ReceiptsLine))
    own = tuple(msgspec.structs.replace(one, journal_leaf=leaf) for one in batch.receipts)
    hidden = hidden.without(hidden.place(SeenLine))
    return scene.together((HOME, receipted(scene, FIRST, receipts=own).signed()), (FIRST, hidden.signed()))


def test_a_bundle_that_does_not_read_is_held_against_the_others_as_far_as_it_does(scene: Scene) -> None:
    torn = lines(scene.home.signed())
    at = scene.home.place(EntryLine)
    torn[at] = torn[at].replace(b"pinned", b"binned")
    torn.insert(at, b"nothing\n")
    opened = [(HOME, partial(lines, b"".join(torn))), (FIRST, partial(lines, scene.first.signed()))]
    *_, both = verify_together(opened, scene.anchors, NORMS)

    assert both.node == f"{HOME} + {FIRST}"


def test_whose_bundle_it_is_stands_in_its_first_line(scene: Scene) -> None:
    assert node_of(lines(scene.home.signed())) == HOME
    assert node_of([]) is None
    assert node_of([b"nothing\n"]) is None
    assert node_of(lines(scene.home.signed())[1:]) is None


@pytest.mark.parametrize(("trick", "wrong", "besides"), [pytest.param(*one, id=one[0].__name__) for one in TRICKS])
def test_a_trick_is_found_for_what_it_is(scene: Scene, trick: Trick, wrong: Wrong, besides: frozenset[Wrong]) -> None:
    assert wrongs(trick(scene)) == {wrong, *besides}
