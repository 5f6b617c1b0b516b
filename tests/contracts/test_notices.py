"""The ports Notices and NoticeStreams: what home owes to holders, and in which order each is told."""

from collections.abc import Sequence
from hashlib import sha256

import pytest

from node.domain.notices import Stream
from node.operations.ports import Store, UnitOfWork
from node.operations.rows import NewNoticeRow, NoticeBatchRow, NoticeRow, NoticeStageRow
from registry.parties import PartyId
from tests.contracts.examples import (
    AGREEMENT,
    BANK,
    BUREAU,
    NOON,
    OTHER_AGREEMENT,
    Stocked,
    deletion,
    digest,
    minutes,
    notice,
    pushed,
    receipts,
    short,
    stock,
)


def _queue(work: UnitOfWork, stocked: Stocked, count: int = 3, to: PartyId = BANK) -> list[NoticeRow]:
    """Notices about the first record, as many as wanted, to one holder."""
    first = stocked.records[0]
    new = [notice(f"{to} {place}", stocked.agreement_no, first, version=place + 2, to=to) for place in range(count)]
    before = {row.number for row in work.notices.of_record(first)}
    work.notices.add(new)
    return [row for row in work.notices.of_record(first) if row.number not in before]


def _ids(rows: Sequence[NoticeRow]) -> list[bytes]:
    return [row.notice for row in rows]


def _stage(work: UnitOfWork, row: NoticeRow) -> str:
    found = work.notices.find(row.number)
    assert found is not None
    return found[0].stage


def test_a_queued_notice_comes_back_whole_and_waits(store: Store) -> None:
    stocked = stock(store)
    with store.write() as work:
        work.notices.add([notice("change", stocked.other_no, stocked.records[1], version=4, due_at=minutes(9))])
        work.notices.add([])

        (row,) = work.notices.of_record(stocked.records[1])
        assert row == NoticeRow(
            number=row.number,
            notice=short("change"),
            peer=BANK,
            agreement=OTHER_AGREEMENT,
            record_no=stocked.records[1],
            record_version=4,
            alias=short(f"alias {stocked.records[1]}"),
            effect="REPLACE",
            version=4,
            basis="DISPUTE",
            document="decision on change",
            salt=digest("salt change"),
            occurred_at=minutes(-1),
            due_at=minutes(9),
            sequence=None,
            stage="WAITING",
        )
        assert work.notices.find(row.number) == (row, [])
        assert work.notices.find(row.number + 1) is None


def test_notices_about_a_record_come_oldest_first(store: Store) -> None:
    stocked = stock(store, 3)
    first, second, third = stocked.records
    number = stocked.agreement_no
    with store.write() as work:
        work.notices.add([notice("c", number, first), notice("x", number, second), notice("a", number, first)])
        work.notices.add([notice("b", stocked.other_no, first, to=BUREAU)])

        assert _ids(work.notices.of_record(first)) == [short("c"), short("a"), short("b")]
        assert _ids(work.notices.of_record(second)) == [short("x")]
        assert work.notices.of_record(third) == []


def test_notices_about_a_deleted_record_stay(store: Store) -> None:
    stocked = stock(store)
    with store.write() as work:
        rows = _queue(work, stocked, 1)
        work.changes.delete(deletion(stocked.records[0]))

        assert work.notices.of_record(stocked.records[0]) == rows


def test_notices_are_paged_in_ascending_number(store: Store) -> None:
    stocked = stock(store)
    with store.write() as work:
        rows = _queue(work, stocked, 5)
        first = work.notices.page(0, 3, only_open=False)
        rest = work.notices.page(first[-1].number, 3, only_open=False)

        assert [*first, *rest] == rows
        assert [row.number for row in rows] == sorted({row.number for row in rows})


def test_many_notices_are_queued_at_once(store: Store) -> None:
    stocked = stock(store)
    with store.write() as work:
        rows = _queue(work, stocked, 500)

        assert [row.version for row in rows] == list(range(2, 502))


@pytest.mark.parametrize(
    ("stage", "is_open"), [("RECEIVED", True), ("APPLIED", True), ("DELETED", False), ("NOT_HELD", False)]
)
def test_only_a_notice_about_which_nothing_more_is_to_come_is_closed(store: Store, stage: str, is_open: bool) -> None:
    stocked = stock(store)
    with store.write() as work:
        first, second, third = _queue(work, stocked)
        work.notices.advance(BANK, [(second.notice, stage, minutes(1))], receipts())

        expected = [first.number, second.number, third.number] if is_open else [first.number, third.number]
        assert [row.number for row in work.notices.page(0, 10, only_open=True)] == expected
        assert [row.number for row in work.notices.page(first.number, 1, only_open=True)] == [expected[1]]
        assert len(work.notices.page(0, 10, only_open=False)) == 3


def test_a_receipt_brings_a_notice_to_its_stage_and_is_kept(store: Store) -> None:
    stocked = stock(store)
    with store.write() as work:
        first, second, _ = _queue(work, stocked)
        told = [(first.notice, "RECEIVED", minutes(1)), (first.notice, "APPLIED", minutes(2))]

        both = work.notices.advance(BANK, [*told, (second.notice, "NOT_HELD", minutes(3))], receipts("batch"))
        assert both == {first.notice: first.number, second.notice: second.number}
        later = work.notices.advance(BANK, [(first.notice, "DELETED", minutes(4))], receipts("later batch"))
        assert later == {first.notice: first.number}
        found = work.notices.find(first.number)
        assert found is not None
        assert found[0].stage == "DELETED"
        assert found[1] == [
            NoticeStageRow(stage="RECEIVED", at=minutes(1), receipt=sha256(receipts("batch")).digest()),
            NoticeStageRow(stage="APPLIED", at=minutes(2), receipt=sha256(receipts("batch")).digest()),
            NoticeStageRow(stage="DELETED", at=minutes(4), receipt=sha256(receipts("later batch")).digest()),
        ]
        assert _stage(work, second) == "NOT_HELD"


def test_stages_that_are_reached_at_the_same_moment_come_in_their_order(store: Store) -> None:
    """Receipts have whole seconds."""
    stocked = stock(store)
    with store.write() as work:
        first, second, _ = _queue(work, stocked)
        stages = ["RECEIVED", "APPLIED", "DELETED"]
        work.notices.advance(BANK, [(first.notice, stage, NOON) for stage in reversed(stages)], receipts("batch"))
        work.notices.advance(
            BANK, [(second.notice, stage, NOON) for stage in ("NOT_HELD", "RECEIVED")], receipts("batch")
        )

        found = [work.notices.find(row.number) for row in (first, second)]
        assert [[stage.stage for stage in one[1]] for one in found if one is not None] == [
            stages,
            ["RECEIVED", "NOT_HELD"],
        ]


@pytest.mark.parametrize(
    ("first", "then"),
    [
        ("APPLIED", "RECEIVED"),
        ("DELETED", "RECEIVED"),
        ("DELETED", "APPLIED"),
        ("DELETED", "NOT_HELD"),
        ("NOT_HELD", "DELETED"),
        ("NOT_HELD", "RECEIVED"),
    ],
)
def test_a_notice_never_goes_back_whatever_order_receipts_come_in(store: Store, first: str, then: str) -> None:
    stocked = stock(store)
    with store.write() as work:
        (row,) = _queue(work, stocked, 1)
        work.notices.advance(BANK, [(row.notice, first, minutes(2))], receipts("batch"))

        assert work.notices.advance(BANK, [(row.notice, then, minutes(1))], receipts("late batch"))
        assert _stage(work, row) == first


def test_the_first_receipt_of_a_stage_is_kept(store: Store) -> None:
    stocked = stock(store)
    with store.write() as work:
        (row,) = _queue(work, stocked, 1)
        work.notices.advance(BANK, [(row.notice, "APPLIED", minutes(2))], receipts("batch"))
        work.notices.advance(BANK, [(row.notice, "APPLIED", minutes(5))], receipts("again"))
        work.notices.advance(BANK, [(row.notice, "RECEIVED", minutes(1))], receipts("late batch"))

        found = work.notices.find(row.number)
        assert found is not None
        assert found[1] == [
            NoticeStageRow(stage="RECEIVED", at=minutes(1), receipt=sha256(receipts("late batch")).digest()),
            NoticeStageRow(stage="APPLIED", at=minutes(2), receipt=sha256(receipts("batch")).digest()),
        ]


def test_receipts_of_a_foreign_peer_count_nothing_and_change_nothing(store: Store) -> None:
    stocked = stock(store)
    with store.write() as work:
        (mine,), (theirs,) = _queue(work, stocked, 1), _queue(work, stocked, 1, BUREAU)

        told = [(one, "DELETED", NOON) for one in (mine.notice, theirs.notice, short("unknown"))]
        assert work.notices.advance(PartyId("stranger"), told, receipts("batch")) == {}
        assert len(work.notices.advance(BUREAU, told, receipts("batch"))) == 1
        assert work.notices.advance(BUREAU, [], receipts("batch")) == {}
        assert (work.notices.find(mine.number), _stage(work, theirs)) == ((mine, []), "DELETED")


def test_notices_that_were_told_in_no_batch_yet_come_oldest_first(store: Store) -> None:
    stocked = stock(store)
    with store.write() as work:
        rows = _queue(work, stocked, 4)
        _queue(work, stocked, 2, BUREAU)
        work.notice_streams.put(_batch(1, 1), [rows[1].number])

        assert _ids(work.notice_streams.unnumbered(BANK, 10)) == _ids([rows[0], rows[2], rows[3]])
        assert _ids(work.notice_streams.unnumbered(BANK, 2)) == _ids([rows[0], rows[2]])
        assert work.notice_streams.unnumbered(PartyId("stranger"), 10) == []


def _batch(first: int, count: int, to: PartyId = BANK, agreement: bytes = AGREEMENT) -> NoticeBatchRow:
    return NoticeBatchRow(
        peer=to,
        first=first,
        count=count,
        agreement=agreement,
        digest=digest(f"batch {to} {first}"),
        raw=f"batch {to} {first}".encode(),
        frame=None,
        made_at=minutes(first),
        taken_at=None,
        trouble=None,
    )


def _stream(work: UnitOfWork, stocked: Stocked, *counts: int, to: PartyId = BANK) -> list[NoticeRow]:
    """Number notices in batches of these sizes."""
    rows = _queue(work, stocked, sum(counts), to)
    numbers, first = [row.number for row in rows], 1
    for count in counts:
        work.notice_streams.put(_batch(first, count, to), numbers[first - 1 : first - 1 + count])
        first += count
    return rows


def _open(work: UnitOfWork, to: PartyId = BANK) -> int | None:
    """The first number of the batch that a peer has not taken."""
    opened = work.notice_streams.open_batch(to)
    return None if opened is None else opened[0].first


def test_a_stream_begins_at_one_and_goes_on_behind_its_last_batch(store: Store) -> None:
    stocked = stock(store)
    with store.write() as work:
        ends = [work.notice_streams.end_of(BANK)]
        rows = _queue(work, stocked, 5)
        for first, count in ((1, 3), (4, 2)):
            work.notice_streams.put(_batch(first, count), [row.number for row in rows[first - 1 : first - 1 + count]])
            ends.append(work.notice_streams.end_of(BANK))

        assert ends == [
            Stream(),
            Stream(expected=4, last=digest("batch hk-bank 1")),
            Stream(expected=6, last=digest("batch hk-bank 4")),
        ]
        assert work.notice_streams.end_of(BUREAU) == Stream()


def test_the_end_of_a_stream_is_that_of_what_was_told_not_of_what_was_taken(store: Store) -> None:
    stocked = stock(store)
    with store.write() as work:
        _stream(work, stocked, 2, 1)
        before = work.notice_streams.end_of(BANK)
        work.notice_answers.note(BANK, 4, NOON, None)
        after = work.notice_streams.end_of(BANK)
        work.notice_answers.note(BANK, 1, NOON, None)

        assert before == after == work.notice_streams.end_of(BANK) == Stream(expected=4, last=digest("batch hk-bank 3"))


def test_notices_get_their_places_in_the_order_given(store: Store) -> None:
    stocked = stock(store)
    with store.write() as work:
        first, second, third = _queue(work, stocked)
        work.notice_streams.put(_batch(5, 2), [third.number, first.number])

        places = {row.notice: row.sequence for row in work.notices.of_record(stocked.records[0])}
        assert places == {first.notice: 6, second.notice: None, third.notice: 5}


def test_two_streams_have_the_same_numbers(store: Store) -> None:
    stocked = stock(store)
    with store.write() as work:
        ours, theirs = _stream(work, stocked, 2), _stream(work, stocked, 1, 1, to=BUREAU)

        rows = {row.notice: row.sequence for row in work.notices.of_record(stocked.records[0])}
        assert [rows[one] for one in _ids([*ours, *theirs])] == [1, 2, 1, 2]


def test_the_first_open_batch_is_given_whole_with_its_notices_in_order(store: Store) -> None:
    stocked = stock(store)
    with store.write() as work:
        nothing = work.notice_streams.open_batch(BANK)
        first, second, third = _queue(work, stocked)
        work.notice_streams.put(_batch(1, 2), [second.number, first.number])
        work.notice_streams.put(_batch(3, 1), [third.number])
        opened = work.notice_streams.open_batch(BANK)

        assert nothing is None
        assert opened is not None
        assert opened[0] == _batch(1, 2)
        assert [(row.notice, row.sequence) for row in opened[1]] == [(second.notice, 1), (first.notice, 2)]
        assert work.notice_streams.open_batch(BUREAU) is None


def test_a_batch_is_of_its_own_agreement(store: Store) -> None:
    stocked = stock(store)
    with store.write() as work:
        work.notices.add([notice("change", stocked.other_no, stocked.records[0])])
        (row,) = work.notices.of_record(stocked.records[0])
        work.notice_streams.put(_batch(1, 1, agreement=OTHER_AGREEMENT), [row.number])

        opened = work.notice_streams.open_batch(BANK)
        assert opened is not None
        assert opened[0].agreement == OTHER_AGREEMENT


def test_what_a_peer_expects_next_says_which_batches_it_has_taken(store: Store) -> None:
    stocked = stock(store)
    with store.write() as work:
        _stream(work, stocked, 2, 1, 3)
        _stream(work, stocked, 1, to=BUREAU)
        opened = [_open(work)]
        for expected in (3, 3, 4, 7):
            work.notice_answers.note(BANK, expected, NOON, None)
            opened.append(_open(work))

        assert opened == [1, 3, 3, 4, None]
        assert _open(work, BUREAU) == 1


def test_several_batches_may_be_taken_at_once(store: Store) -> None:
    stocked = stock(store)
    with store.write() as work:
        _stream(work, stocked, 2, 1, 3)
        work.notice_answers.note(BANK, 4, NOON, None)

        assert _open(work) == 4


@pytest.mark.parametrize("expected", [1, 2, 3, 4, 5, 6])
def test_a_peer_that_lost_what_it_knew_is_told_again_from_there(store: Store, expected: int) -> None:
    """A batch of which it knows only a part is told again whole."""
    stocked = stock(store)
    with store.write() as work:
        _stream(work, stocked, 2, 1, 3)
        work.notice_answers.note(BANK, 7, NOON, None)
        work.notice_answers.note(BANK, expected, minutes(1), None)
        again = []
        while (first := _open(work)) is not None:
            again.append(first)
            work.notice_answers.note(BANK, {1: 3, 3: 4, 4: 7}[first], minutes(2), None)

        assert again == {1: [1, 3, 4], 2: [1, 3, 4], 3: [3, 4], 4: [4], 5: [4], 6: [4]}[expected]


def test_a_batch_of_which_only_a_part_was_taken_stays_open(store: Store) -> None:
    stocked = stock(store)
    with store.write() as work:
        _stream(work, stocked, 3)
        work.notice_answers.note(BANK, 3, NOON, None)

        assert _open(work) == 1


def test_the_last_batch_is_told_again_on_request_though_it_was_taken(store: Store) -> None:
    stocked = stock(store)
    with store.write() as work:
        nothing = work.notice_answers.repeat_last(BANK)
        _stream(work, stocked, 2, 1, 3)
        _stream(work, stocked, 1, to=BUREAU)
        for peer, expected in ((BANK, 7), (BUREAU, 2)):
            work.notice_answers.note(peer, expected, NOON, None)
        before = work.notice_streams.end_of(BANK)

        assert (nothing, work.notice_answers.repeat_last(BANK)) == (0, 3)
        assert (_open(work), _open(work, BUREAU)) == (4, None)
        assert work.notice_streams.end_of(BANK) == before
        work.notice_answers.note(BANK, 7, minutes(1), None)
        assert _open(work) is None


def test_a_last_batch_that_is_open_still_is_so_when_it_is_to_be_told_again(store: Store) -> None:
    stocked = stock(store)
    with store.write() as work:
        _stream(work, stocked, 2, 1)
        work.notice_answers.note(BANK, 3, NOON, "MALFORMED")

        assert work.notice_answers.repeat_last(BANK) == 1
        opened = work.notice_streams.open_batch(BANK)
        assert opened is not None
        assert (opened[0].first, opened[0].trouble) == (3, "MALFORMED")


def test_only_one_stream_goes_back(store: Store) -> None:
    stocked = stock(store)
    with store.write() as work:
        for peer in (BANK, BUREAU):
            _stream(work, stocked, 1, 1, to=peer)
            work.notice_answers.note(peer, 3, NOON, None)
        work.notice_answers.note(BANK, 1, minutes(1), None)

        assert (_open(work), _open(work, BUREAU)) == (1, None)


def test_why_a_batch_was_not_taken_is_kept_until_it_is(store: Store) -> None:
    stocked = stock(store)
    with store.write() as work:
        _stream(work, stocked, 2, 1)

        def trouble() -> str | None:
            opened = work.notice_streams.open_batch(BANK)
            assert opened is not None
            return opened[0].trouble

        said = [trouble()]
        for expected, why in ((1, "AGREEMENT_MISSING"), (1, "SIGNATURE_INVALID"), (3, None), (3, "REPLAYED")):
            work.notice_answers.note(BANK, expected, NOON, why)
            said.append(trouble())
        work.notice_answers.note(BANK, 1, NOON, None)
        said.append(trouble())

        assert said == [None, "AGREEMENT_MISSING", "SIGNATURE_INVALID", None, "REPLAYED", None]


def test_trouble_after_everything_is_taken_belongs_to_no_batch(store: Store) -> None:
    stocked = stock(store)
    with store.write() as work:
        _stream(work, stocked, 1)
        work.notice_answers.note(BANK, 2, NOON, "MALFORMED")
        work.notice_answers.note(BANK, 1, NOON, None)

        opened = work.notice_streams.open_batch(BANK)
        assert opened is not None
        assert opened[0].trouble is None


def test_a_frame_goes_along_with_a_batch_until_another_one_or_none_does(store: Store) -> None:
    stocked = stock(store)
    with store.write() as work:
        work.sent_frames.add([pushed(name, stocked.agreement_no) for name in ("first", "second")])
        _stream(work, stocked, 1, 1)
        _stream(work, stocked, 1, to=BUREAU)
        along: list[bytes | None] = []
        for frame in (short("first"), short("second"), None):
            work.notice_streams.attach(BANK, 1, frame)
            opened = work.notice_streams.open_batch(BANK)
            assert opened is not None
            along.append(opened[0].frame)
        work.notice_streams.attach(BANK, 1, short("first"))

        assert along == [short("first"), short("second"), None]
        work.notice_answers.note(BANK, 2, NOON, None)
        others = [work.notice_streams.open_batch(peer) for peer in (BANK, BUREAU)]
        assert [one[0].frame for one in others if one is not None] == [None, None]


def _due(stocked: Stocked, *names: str, to: PartyId = BANK) -> list[NewNoticeRow]:
    """Notices that are due one, two, three ... minutes after noon."""
    number, first = stocked.agreement_no, stocked.records[0]
    return [notice(name, number, first, to=to, due_at=minutes(place)) for place, name in enumerate(names, 1)]


def test_what_should_have_been_applied_by_now_is_counted(store: Store) -> None:
    stocked = stock(store)
    with store.write() as work:
        work.notices.add([*_due(stocked, "a", "b", "c"), *_due(stocked, "d", to=BUREAU)])

        assert [work.notice_answers.backlog(BANK, minutes(at)) for at in (0, 1, 2, 3, 4)] == [0, 0, 1, 2, 3]
        assert work.notice_answers.backlog(BUREAU, minutes(9)) == 1
        assert work.notice_answers.backlog(PartyId("stranger"), minutes(9)) == 0


@pytest.mark.parametrize(("stage", "owed"), [("RECEIVED", 1), ("APPLIED", 0), ("DELETED", 0), ("NOT_HELD", 0)])
def test_a_notice_is_owed_until_the_holder_says_that_it_applied_it(store: Store, stage: str, owed: int) -> None:
    stocked = stock(store)
    with store.write() as work:
        work.notices.add(_due(stocked, "a"))
        work.notices.advance(BANK, [(short("a"), stage, minutes(1))], receipts())

        assert work.notice_answers.backlog(BANK, minutes(9)) == owed


def test_a_notice_that_was_told_but_not_answered_is_owed_all_the_same(store: Store) -> None:
    stocked = stock(store)
    with store.write() as work:
        work.notices.add(_due(stocked, "a"))
        (row,) = work.notices.of_record(stocked.records[0])
        work.notice_streams.put(_batch(1, 1), [row.number])
        work.notice_answers.note(BANK, 2, NOON, None)

        assert work.notice_answers.backlog(BANK, minutes(9)) == 1
