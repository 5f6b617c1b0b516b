"""The ports Copies and Erasures."""

from collections.abc import Sequence

from msgspec import structs

from node.operations.ports import Store, UnitOfWork
from node.operations.rows import ErasureRow, FloorRow, HeldRow
from tests.contracts.examples import (
    AGENCY,
    AGREEMENT,
    BUREAU,
    NOON,
    OTHER_AGREEMENT,
    copy,
    minutes,
    pushed,
    receipts,
    received,
    sent,
    short,
    stock,
)


def _receive(work: UnitOfWork) -> None:
    """Frames f and g of the agency, with two copies each."""
    work.received_frames.add(received("f"), [copy("f", "a", version=1), copy("f", "b", keep_until=minutes(3))])
    work.received_frames.add(received("g"), [copy("g", "a", version=2, keep_until=minutes(2)), copy("g", "c")])


def _names(rows: Sequence[HeldRow]) -> list[bytes]:
    return [row.rendition for row in rows]


def test_every_copy_of_an_alias_is_held_with_its_home_and_frame(store: Store) -> None:
    with store.write() as work:
        _receive(work)
        older, newer = work.copies.held(AGREEMENT, [short("a")])

        assert older == HeldRow(
            number=older.number,
            frame=short("f"),
            home=AGENCY,
            alias=short("a"),
            wire_version=1,
            rendition=b"a 1",
            keep_until=copy("f", "a").keep_until,
        )
        assert (newer.frame, newer.wire_version, newer.keep_until) == (short("g"), 2, minutes(2))
        assert newer.number > older.number


def test_copies_of_many_aliases_are_read_at_once_within_one_agreement(store: Store) -> None:
    with store.write() as work:
        _receive(work)
        frame = structs.replace(received("h"), agreement=OTHER_AGREEMENT)
        work.received_frames.add(frame, [copy("h", "a", agreement=OTHER_AGREEMENT, version=7)])

        asked = [short("c"), short("a"), short("unknown"), short("a")]
        assert _names(work.copies.held(AGREEMENT, asked)) == [b"a 1", b"a 2", b"c 3"]
        assert _names(work.copies.held(OTHER_AGREEMENT, asked)) == [b"a 7"]
        assert work.copies.held(AGREEMENT, []) == []


def test_a_destroyed_copy_is_gone_wherever_one_looks(store: Store) -> None:
    with store.write() as work:
        _receive(work)
        (void, _) = work.copies.held(AGREEMENT, [short("a")])
        work.copies.destroy([void.number, 987_654])
        work.copies.destroy([])

        assert _names(work.copies.held(AGREEMENT, [short("a"), short("b")])) == [b"b 3", b"a 2"]
        assert work.received_frames.copies(short("f")) == [copy("f", "b", keep_until=minutes(3))]
        assert work.received_frames.find(short("f")) == received("f")


def test_many_copies_are_destroyed_at_once(store: Store) -> None:
    with store.write() as work:
        work.received_frames.add(received("f"), [copy("f", f"copy {place}") for place in range(500)])
        held = work.copies.held(AGREEMENT, [short(f"copy {place}") for place in range(500)])
        work.copies.destroy([row.number for row in held[:499]])

        assert len(held) == 500
        assert work.received_frames.copies(short("f")) == [copy("f", "copy 499")]


def test_copies_of_several_frames_go_one_by_one(store: Store) -> None:
    """A copy may come twice, in two frames: each of them ends by itself."""
    with store.write() as work:
        work.received_frames.add(received("f"), [copy("f", "a")])
        work.received_frames.add(received("g"), [copy("g", "a")])
        work.received_frames.add(received("h", BUREAU), [copy("h", "a")])
        held = work.copies.held(AGREEMENT, [short("a")])
        work.copies.destroy([held[1].number])

        assert [(row.frame, row.home) for row in held] == [
            (short("f"), AGENCY),
            (short("g"), AGENCY),
            (short("h"), BUREAU),
        ]
        assert work.copies.held(AGREEMENT, [short("a")]) == [held[0], held[2]]


def test_what_ended_longest_ago_comes_first(store: Store) -> None:
    with store.write() as work:
        _receive(work)

        assert _names(work.copies.ended(minutes(3), 10)) == [b"a 2", b"b 3"]
        assert _names(work.copies.ended(minutes(3), 1)) == [b"a 2"]
        assert _names(work.copies.ended(minutes(2), 10)) == [b"a 2"]
        assert work.copies.ended(minutes(1), 10) == []


def test_copies_that_end_together_come_in_the_order_in_which_they_came(store: Store) -> None:
    copies = [copy("f", f"copy {place}", keep_until=minutes(1)) for place in range(5)]
    with store.write() as work:
        work.received_frames.add(received("f"), copies)
        ended = work.copies.ended(minutes(1), 3)
        work.copies.destroy([row.number for row in ended])
        rest = work.copies.ended(minutes(1), 3)

        assert _names([*ended, *rest]) == [one.rendition for one in copies]


def _floor(name: str, version: int, *, deleted: bool = False, agreement: bytes = AGREEMENT) -> FloorRow:
    return FloorRow(agreement=agreement, alias=short(name), version=version, deleted=deleted)


def test_floors_are_those_of_one_agreement(store: Store) -> None:
    here, elsewhere = _floor("a", 3), _floor("a", 5, agreement=OTHER_AGREEMENT)
    gone = _floor("b", 2, deleted=True)
    with store.write() as work:
        work.copies.raise_floors([here, elsewhere, gone])

        asked = [short("a"), short("b"), short("unknown"), short("a")]
        assert work.copies.floors(AGREEMENT, asked) == {short("a"): here, short("b"): gone}
        assert work.copies.floors(OTHER_AGREEMENT, asked) == {short("a"): elsewhere}
        assert work.copies.floors(AGREEMENT, []) == {}


def test_a_floor_is_raised_and_may_become_that_of_a_deletion(store: Store) -> None:
    with store.write() as work:
        work.copies.raise_floors([_floor("a", 3), _floor("b", 4)])
        work.copies.raise_floors([_floor("a", 7), _floor("b", 5, deleted=True)])
        work.copies.raise_floors([])

        assert work.copies.floors(AGREEMENT, [short("a"), short("b")]) == {
            short("a"): _floor("a", 7),
            short("b"): _floor("b", 5, deleted=True),
        }


def test_a_floor_stands_where_no_copy_is_held(store: Store) -> None:
    with store.write() as work:
        _receive(work)
        work.copies.raise_floors([_floor("a", 9)])
        work.copies.destroy([row.number for row in work.copies.held(AGREEMENT, [short("a")])])

        assert work.copies.held(AGREEMENT, [short("a")]) == []
        assert work.copies.floors(AGREEMENT, [short("a")]) == {short("a"): _floor("a", 9)}


_OWN = ErasureRow(number=0, home="", alias=b"", notice=None, frame=None)
_TOLD = ErasureRow(number=0, home=AGENCY, alias=short("a"), notice=short("notice"), frame=None)
_ENDED = ErasureRow(number=0, home=AGENCY, alias=short("b"), notice=None, frame=short("frame"))


def test_erasures_wait_oldest_first_under_numbers_of_the_store(store: Store) -> None:
    with store.write() as work:
        before = work.erasures.newest()
        work.erasures.add([_OWN, _TOLD], NOON)
        work.erasures.add([_ENDED], minutes(1))
        work.erasures.add([], minutes(1))
        newest = work.erasures.newest()
        rows = work.erasures.through(newest, 10)

        assert before == 0
        assert [structs.replace(row, number=0) for row in rows] == [_OWN, _TOLD, _ENDED]
        numbers = [row.number for row in rows]
        assert numbers == sorted(set(numbers))
        assert (numbers[0] > 0, numbers[-1]) == (True, newest)


def test_erasures_are_given_up_to_a_number_and_no_more_than_asked_for(store: Store) -> None:
    with store.write() as work:
        work.erasures.add([_OWN, _TOLD], NOON)
        reached = work.erasures.newest()
        early = work.erasures.through(reached, 10)
        work.erasures.add([_ENDED], minutes(1))

        assert work.erasures.through(reached, 10) == early
        assert len(early) == 2
        assert work.erasures.through(reached, 1) == early[:1]
        assert work.erasures.through(0, 10) == []


def test_what_is_in_no_file_any_more_is_forgotten(store: Store) -> None:
    with store.write() as work:
        work.erasures.add([_OWN, _TOLD, _ENDED], NOON)
        first, second, third = work.erasures.through(work.erasures.newest(), 10)
        work.erasures.done([first.number, third.number, third.number + 987])
        work.erasures.done([])

        assert work.erasures.newest() == second.number
        assert work.erasures.through(third.number, 10) == [second]


def test_a_number_of_an_erasure_is_never_given_again(store: Store) -> None:
    """A compaction reaches up to a number: what is noted while it runs must have a higher one."""
    with store.write() as work:
        work.erasures.add([_OWN, _TOLD], NOON)
        reached = work.erasures.newest()
        work.erasures.done([row.number for row in work.erasures.through(reached, 10)])
        work.commit()

    with store.write() as work:
        empty = work.erasures.newest()
        work.erasures.add([_ENDED], minutes(1))

        assert empty == 0
        assert work.erasures.newest() > reached


def test_bodies_of_old_answers_are_forgotten_and_those_of_pushes_and_newer_answers_are_not(store: Store) -> None:
    number = stock(store).agreement_no
    old, at_that_time = sent("old", number, at=minutes(1)), sent("at that time", number, at=minutes(2))
    push = structs.replace(pushed("push", number, job=7), sent_at=minutes(1))
    replacement = structs.replace(pushed("replacement", number), sent_at=minutes(1))
    assert old.request is not None
    assert at_that_time.request is not None
    with store.write() as work:
        work.sent_frames.add([old, at_that_time, push, replacement])

        assert work.erasures.forget_bodies(minutes(2)) == 1
        assert work.erasures.forget_bodies(minutes(2)) == 0
        assert work.sent_frames.answers([old.request, at_that_time.request]) == {at_that_time.request: at_that_time}
        assert [row.body for _, row, _ in work.sent_frames.page(0, 10)] == [
            b"",
            at_that_time.body,
            push.body,
            replacement.body,
        ]


def test_an_answer_without_its_body_can_still_be_receipted(store: Store) -> None:
    frame = sent("frame", stock(store).agreement_no)
    with store.write() as work:
        work.sent_frames.add([frame])
        work.erasures.forget_bodies(minutes(1))

        assert work.sent_frames.receipt(
            frame.recipient, [(frame.frame, frame.header_digest, minutes(2))], receipts("batch")
        )
        assert [row[2] for row in work.sent_frames.page(0, 10)] == [minutes(2)]
