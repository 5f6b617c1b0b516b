"""Tricks with what is exchanged: frames, receipts, notices and the copies in the ledger; see test_evidence_tricks."""

from collections.abc import Iterator, Sequence
from datetime import timedelta

import msgspec
import pytest

from node.domain.evidence.findings import Report, Wrong
from node.domain.evidence.lines import (
    CopyShown,
    EntryLine,
    FrameLine,
    NoticesLine,
    ReceiptsLine,
    ReceivedLine,
    ToldLine,
)
from node.domain.journal import Act
from node.domain.receipts import CopyReceiptBatch, ReceiptBatch
from registry.parties import PartyId
from tests.fakes.hostile import (
    Book,
    Detail,
    detail_of,
    entry_again,
    frame_again,
    header_of,
    leaf_of,
    receipts_again,
    receipts_of,
)
from tests.fakes.propagation import (
    HOLDERS,
    HOME,
)
from tests.simulation.scene import (
    FIRST,
    OTHER,
    PULLING,
    Scene,
    Trick,
    Tricks,
    an,
    closing,
    ended,
    frames,
    last_notices,
    next_push,
    noticed,
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


# Frames


@TRICKS.find(Wrong.FRAME_MISSING, Wrong.FRAME_NUMBER_MISSING)
def a_frame_whose_header_is_not_shown(scene: Scene) -> Sequence[Report]:
    return scene.check(scene.home.without(scene.home.place(FrameLine)).signed())


@TRICKS.find(Wrong.FRAME_MISSING)
def a_frame_taken_in_whose_header_is_not_shown(scene: Scene) -> Sequence[Report]:
    return scene.check(scene.first.without(scene.first.place(ReceivedLine)).signed())


@TRICKS.find(Wrong.FRAME_BROKEN)
def a_header_that_another_key_signed(scene: Scene) -> Sequence[Report]:
    book = next_push(scene)
    at = book.place(FrameLine, nth=-1)
    forged = frame_again(book.at(at, FrameLine), scene.member(FIRST).context.keys.frame)
    return scene.check(book.putting({at: forged}).signed())


@TRICKS.find(Wrong.LAW_NOT_IN_FORCE)
def a_push_by_rules_that_nobody_adopted(scene: Scene) -> Sequence[Report]:
    return scene.check(pushed_as(scene, {"pack": "SZ-DRAFT-82@2"}).signed())


@TRICKS.find(Wrong.LAW_NOT_NAMED)
def a_push_that_names_no_rules(scene: Scene) -> Sequence[Report]:
    return scene.check(pushed_as(scene, {"pack": None}).signed())


@TRICKS.find(Wrong.LAW_NOT_NAMED)
def a_push_that_names_no_article(scene: Scene) -> Sequence[Report]:
    return scene.check(pushed_as(scene, {"article": ""}).signed())


def pushed_as(scene: Scene, detail: Detail) -> Book:
    """One more push, of which the entry tells something else."""
    book = next_push(scene)
    at = book.place(FrameLine, nth=-1)
    entry = entry_again(book.at(at - 1, EntryLine), detail)
    shown = frame_again(book.at(at, FrameLine), book.node.context.keys.frame, journal_leaf=leaf_of(entry).hex())
    return book.putting({at - 1: entry, at: shown})


@TRICKS.find(Wrong.FRAME_BROKEN)
def a_header_that_names_another_sender(scene: Scene) -> Sequence[Report]:
    return scene.check(next_push(scene, sender=str(FIRST)).signed())


@pytest.mark.parametrize(
    "detail",
    [{"frame": "ef" * 16}, {"body": OTHER}, {"root": OTHER}, {"count": 9}, {"sequence": 9}],
    ids=lambda one: next(iter(one)),
)
def test_a_frame_that_its_entry_tells_otherwise_is_found(scene: Scene, detail: Detail) -> None:
    reports = scene.check(pushed_as(scene, detail).signed())

    assert wrongs(reports) == {Wrong.FRAME_NOT_AS_JOURNALLED}


@pytest.mark.parametrize("detail", [{"authorisation": OTHER}, {"purpose": "OTHER"}, {"request": OTHER}])
def test_an_answer_that_its_entry_tells_otherwise_is_found(scene: Scene, detail: Detail) -> None:
    at = place_of_answer(scene.home)
    entry = entry_again(scene.home.at(at - 1, EntryLine), detail)
    key = scene.home.node.context.keys.frame
    shown = frame_again(scene.home.at(at, FrameLine), key, journal_leaf=leaf_of(entry).hex())
    reports = scene.check(scene.home.putting({at - 1: entry, at: shown}).signed())

    assert wrongs(reports) == {Wrong.FRAME_NOT_AS_JOURNALLED, Wrong.RECEIPT_CONTRADICTS}


@TRICKS.find(Wrong.FRAME_NOT_AS_JOURNALLED)
def a_frame_that_names_another_entry(scene: Scene) -> Sequence[Report]:
    book = next_push(scene)
    at = book.place(FrameLine, nth=-1)
    shown = frame_again(book.at(at, FrameLine), book.node.context.keys.frame, journal_leaf=OTHER)
    return scene.check(book.putting({at: shown}).signed())


@TRICKS.find(Wrong.FRAME_NOT_AS_JOURNALLED)
def a_frame_dated_back(scene: Scene) -> Sequence[Report]:
    book = next_push(scene)
    at = book.place(FrameLine, nth=-1)
    earlier = scene.now - timedelta(hours=2)
    shown = frame_again(book.at(at, FrameLine), book.node.context.keys.frame, time=earlier)
    return scene.check(book.putting({at: shown}).signed())


@TRICKS.find(Wrong.FRAME_NOT_AS_JOURNALLED)
def a_push_in_the_clothes_of_an_answer(scene: Scene) -> Sequence[Report]:
    book = next_push(scene)
    at = book.place(FrameLine, nth=-1)
    entry = entry_again(book.at(at - 1, EntryLine), act=Act.QUERY)
    shown = frame_again(book.at(at, FrameLine), book.node.context.keys.frame, journal_leaf=leaf_of(entry).hex())
    return scene.check(book.putting({at - 1: entry, at: shown}).signed())


@TRICKS.find(Wrong.FRAME_NOT_AS_JOURNALLED)
def two_frames_of_one_name(scene: Scene) -> Sequence[Report]:
    book = next_push(scene)
    number = header_of(frames(book)[-1]).push_sequence
    assert number is not None
    return scene.check(next_push(scene, book, push_sequence=number + 1).signed())


@TRICKS.find(Wrong.FRAME_NOT_AS_JOURNALLED)
def a_frame_taken_in_that_its_entry_tells_otherwise(scene: Scene) -> Sequence[Report]:
    at = scene.first.behind(ReceivedLine)
    entry = entry_again(scene.first.at(at, EntryLine), {"count": 9})
    return scene.check(scene.first.putting({at: entry}).signed())


@TRICKS.find(Wrong.FRAME_NOT_IN_FORCE)
def a_frame_under_an_agreement_that_home_ended(scene: Scene) -> Sequence[Report]:
    return scene.check(next_push(scene, ended(scene, HOME)).signed())


@TRICKS.find(Wrong.FRAME_NOT_IN_FORCE)
def a_frame_under_an_agreement_that_its_holder_ended(scene: Scene) -> Sequence[Report]:
    return scene.check(next_push(scene, ended(scene, FIRST)).signed())


def test_the_end_of_an_agreement_counts_from_when_it_was_known(scene: Scene) -> None:
    (report,) = scene.check(ended(scene, FIRST).signed())

    assert report.is_clean


@TRICKS.find(Wrong.FRAME_OUTSIDE_AGREEMENT)
def an_answer_for_a_purpose_that_was_not_agreed(scene: Scene) -> Sequence[Report]:
    at = frames(scene.home).index(scene.home.at(place_of_answer(scene.home), FrameLine))
    return scene.check(scene.home.once_more(at, time=scene.now, purpose="CURIOSITY").signed())


@TRICKS.find(Wrong.FRAME_OUTSIDE_AGREEMENT)
def a_frame_in_another_epoch(scene: Scene) -> Sequence[Report]:
    return scene.check(next_push(scene, epoch=7).signed())


@TRICKS.find(Wrong.FRAME_OUTSIDE_AGREEMENT)
def a_push_where_only_answers_were_agreed(scene: Scene) -> Sequence[Report]:
    return scene.check(next_push(scene, to=PULLING).signed())


@TRICKS.find(Wrong.FRAME_PARTY_NOT_ADMITTED)
def a_frame_by_a_registry_that_is_too_old(scene: Scene) -> Sequence[Report]:
    return scene.check(next_push(scene, time=scene.now + timedelta(hours=2)).signed())


@TRICKS.find(Wrong.FRAME_NUMBER_MISSING)
def a_push_whose_number_jumps(scene: Scene) -> Sequence[Report]:
    return scene.check(next_push(scene, push_sequence=77).signed())


# Receipts


@TRICKS.find(Wrong.RECEIPT_MISSING)
def receipts_that_are_not_shown(scene: Scene) -> Sequence[Report]:
    at = place_of_receipts(scene.home, ReceiptBatch)
    return scene.check(scene.home.without(at).signed())[:1]


@TRICKS.find(Wrong.RECEIPT_MISSING)
def a_frame_without_a_receipt_for_longer_than_a_day(scene: Scene) -> Sequence[Report]:
    at = place_of_receipts(scene.home, ReceiptBatch)
    return scene.check(scene.home.without(at - 1, at).signed())


@TRICKS.find(Wrong.RECEIPT_BROKEN, Wrong.RECEIPT_MISSING)
def receipts_that_home_wrote_itself(scene: Scene) -> Sequence[Report]:
    return scene.check(receipted(scene, HOME).signed())


@TRICKS.find(Wrong.RECEIPT_BROKEN, Wrong.RECEIPT_MISSING)
def receipts_to_another_home(scene: Scene) -> Sequence[Report]:
    holder = receipts_of(scene.home.at(place_of_receipts(scene.home, ReceiptBatch), ReceiptsLine)).holder
    book = receipted(scene, PartyId(holder), home="sz-other")
    return scene.check(book.signed())


@TRICKS.find(Wrong.RECEIPT_CONTRADICTS)
def a_receipt_of_another_header(scene: Scene) -> Sequence[Report]:
    batch = receipts_of(scene.home.at(place_of_receipts(scene.home, ReceiptBatch), ReceiptsLine))
    others = tuple(msgspec.structs.replace(one, header=OTHER) for one in batch.receipts)
    return scene.check(receipted(scene, PartyId(batch.holder), receipts=others).signed())


@TRICKS.find(Wrong.RECEIPT_CONTRADICTS)
def another_batch_than_the_entry_names(scene: Scene) -> Sequence[Report]:
    at = place_of_receipts(scene.home, ReceiptBatch)
    entry = entry_again(scene.home.at(at - 1, EntryLine), {"batch": OTHER})
    return scene.check(scene.home.putting({at - 1: entry}).signed())


@TRICKS.find(Wrong.RECEIPT_MISSING)
def a_receipt_of_somebody_else(scene: Scene) -> Sequence[Report]:
    at = place_of_receipts(scene.home, ReceiptBatch)
    batch = receipts_of(scene.home.at(at, ReceiptsLine))
    other = next(one for one in HOLDERS if one != batch.holder)
    key = scene.member(other).context.keys.document
    shown, digest = receipts_again(scene.home.at(at, ReceiptsLine), key, holder=str(other))
    entry = entry_again(scene.home.at(at - 1, EntryLine), {"batch": digest}, counterparty=other)
    return scene.check(scene.home.putting({at - 1: entry, at: shown}).signed())


# Notices


@TRICKS.find(Wrong.NOTICE_BROKEN)
def notices_that_another_key_signed(scene: Scene) -> Sequence[Report]:
    return scene.check(noticed(scene, key_of=FIRST).signed())


@TRICKS.find(Wrong.NOTICE_BROKEN)
def a_stream_that_goes_on_from_another_batch(scene: Scene) -> Sequence[Report]:
    return scene.check(noticed(scene, previous=OTHER).signed())


@TRICKS.find(Wrong.NOTICE_BROKEN)
def notices_to_another_holder_than_their_entry_says(scene: Scene) -> Sequence[Report]:
    other = next(one for one in HOLDERS if one != last_notices(scene).holder)
    return scene.check(noticed(scene, holder=other).signed())


@TRICKS.find(Wrong.NOTICE_BROKEN)
def a_stream_that_jumps(scene: Scene) -> Sequence[Report]:
    return scene.check(noticed(scene, first=5).signed())


@TRICKS.find(Wrong.NOTICE_BROKEN)
def notices_that_their_entry_tells_otherwise(scene: Scene) -> Sequence[Report]:
    return scene.check(noticed(scene, journal_leaf=OTHER).signed())


@TRICKS.find(Wrong.NOTICE_BROKEN)
def notices_taken_in_that_their_entry_tells_otherwise(scene: Scene) -> Sequence[Report]:
    at = scene.first.behind(ToldLine)
    entry = entry_again(scene.first.at(at, EntryLine), {"batch": OTHER})
    return scene.check(scene.first.putting({at: entry}).signed())


@TRICKS.find(Wrong.NOTICE_BROKEN)
def notices_taken_in_that_home_did_not_sign(scene: Scene) -> Sequence[Report]:
    at = scene.first.place(ToldLine)
    return scene.check(scene.first.putting({at: ToldLine("{}")}).signed())


@TRICKS.find(Wrong.NOTICE_MISSING)
def notices_that_are_not_shown(scene: Scene) -> Sequence[Report]:
    at = scene.home.place(NoticesLine, nth=-1)
    return scene.check(scene.home.without(at).signed())


@TRICKS.find(Wrong.NOTICE_MISSING)
def notices_taken_in_that_are_not_shown(scene: Scene) -> Sequence[Report]:
    return scene.check(scene.first.without(scene.first.place(ToldLine)).signed())


@TRICKS.find(Wrong.NOTICE_MISSING)
def a_change_that_a_holder_was_never_told_of(scene: Scene) -> Sequence[Report]:
    book, later = scene.home, scene.now + timedelta(days=9)
    change = entry_again(book.at(book.entry(an(Act.CHANGE)), EntryLine), at=scene.now)
    now = entry_again(book.at(book.entry(an(Act.RECORDS)), EntryLine), at=later)
    return scene.check(book.adding(change, now).signed())


@TRICKS.find(Wrong.NOTICE_WRONGLY_DUE)
def notices_that_are_due_later_than_the_law_says(scene: Scene) -> Sequence[Report]:
    due = [msgspec.structs.replace(one, due=one.due + timedelta(days=9)) for one in last_notices(scene).notices]
    return scene.check(noticed(scene, notices=tuple(due)).signed())


@TRICKS.find(Wrong.NOTICE_WRONGLY_DUE)
def notices_of_a_change_that_is_yet_to_come(scene: Scene) -> Sequence[Report]:
    day = timedelta(days=9)
    changed = [
        msgspec.structs.replace(one, occurred_at=one.occurred_at + day, due=one.due + day)
        for one in last_notices(scene).notices
    ]
    return scene.check(noticed(scene, notices=tuple(changed)).signed())


# Copies


@TRICKS.find(Wrong.COPIES_MISCOUNTED)
def a_copy_that_the_ledger_lacks(scene: Scene) -> Sequence[Report]:
    at = scene.home.place(FrameLine)
    line = scene.home.at(at, FrameLine)
    return scene.check(
        scene.home.putting({at: msgspec.structs.replace(line, copies=line.copies[1:])}).signed()
    )  # fmt: skip


@TRICKS.find(Wrong.COPY_CLOSED_UNPROVEN)
def a_copy_that_is_gone_without_a_receipt(scene: Scene) -> Sequence[Report]:
    return scene.check(closing(scene, OTHER))


@TRICKS.find(Wrong.COPY_CLOSED_UNPROVEN)
def a_copy_that_is_gone_by_receipts_of_another_copy(scene: Scene) -> Sequence[Report]:
    at = place_of_receipts(scene.home, CopyReceiptBatch, -1)
    return scene.check(closing(scene, str(detail_of(scene.home.at(at - 1, EntryLine))["batch"])))


@TRICKS.find(Wrong.COPY_CLOSED_UNPROVEN)
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


@pytest.mark.parametrize(("trick", "wrong", "besides"), [pytest.param(*one, id=one[0].__name__) for one in TRICKS])
def test_a_trick_is_found_for_what_it_is(scene: Scene, trick: Trick, wrong: Wrong, besides: frozenset[Wrong]) -> None:
    assert wrongs(trick(scene)) == {wrong, *besides}
