"""The port Changes: which records a push takes, and which need none."""

from collections.abc import Callable

import pytest
from msgspec import structs

from node.operations.ports import Store, UnitOfWork
from node.operations.record_rows import Selection
from tests.contracts.examples import (
    BANK,
    NOON,
    Stocked,
    deletion,
    minutes,
    pushed,
    receipts,
    record,
    sent,
    short,
    shown,
    stock,
    stock_named,
)


def _everything(stocked: Stocked, *, again: bool = False) -> Selection:
    return Selection(
        agreement_no=stocked.agreement_no,
        kinds=("101", "201"),
        since=None,
        records=None,
        after=0,
        again=again,
        limit=100,
    )


def _selected(work: UnitOfWork, selection: Selection) -> list[int]:
    return [row.record_no for row in work.changes.select(selection)]


def test_a_push_takes_whole_records_in_ascending_number(store: Store) -> None:
    stocked = stock(store, 5)
    with store.read() as work:
        assert work.changes.select(_everything(stocked)) == work.records.page(None, 0, 10)


def test_a_push_takes_records_of_some_kinds(store: Store) -> None:
    stocked = stock(store)
    with store.write() as work:
        work.records.add([record("penalty", kind="201"), record("other", kind="301")], NOON)
        penalty, other = (row.record_no for row in work.records.page(None, stocked.records[-1], 10))
        everything = _everything(stocked)

        assert _selected(work, everything) == [*stocked.records, penalty]
        assert _selected(work, structs.replace(everything, kinds=("301", "201"))) == [penalty, other]
        assert _selected(work, structs.replace(everything, kinds=("999",))) == []
        assert _selected(work, structs.replace(everything, kinds=())) == []


def test_a_push_takes_what_was_stored_since_a_time_or_at_that_time(store: Store) -> None:
    stocked = stock(store)
    first, second = stocked.records
    with store.write() as work:
        work.records.add([record("later")], minutes(2))
        later = work.records.page(None, second, 1)[0].record_no
        work.records.add([record("record 0", content="newer")], minutes(3))
        everything = _everything(stocked)

        assert _selected(work, structs.replace(everything, since=NOON)) == [first, second, later]
        assert _selected(work, structs.replace(everything, since=minutes(1))) == [first, later]
        assert _selected(work, structs.replace(everything, since=minutes(3))) == [first]
        assert _selected(work, structs.replace(everything, since=minutes(4))) == []


@pytest.mark.parametrize("change", ["a correction", "an update"])
def test_a_record_that_changed_counts_as_stored_then(store: Store, change: str) -> None:
    stocked = stock(store)
    changed, since = record("record 1", content="newer"), structs.replace(_everything(stocked), since=minutes(1))
    with store.write() as work:
        if change == "a correction":
            work.changes.correct(stocked.records[1], changed, minutes(1))
        else:
            work.records.add([changed], minutes(1))

        assert _selected(work, since) == [stocked.records[1]]


def test_a_push_takes_records_of_a_list_whatever_its_order(store: Store) -> None:
    stocked = stock(store, 4)
    first, second, _, fourth = stocked.records
    everything = _everything(stocked)
    with store.read() as work:
        listed = structs.replace(everything, records=(fourth, first, 987_654, fourth, second))

        assert _selected(work, listed) == [first, second, fourth]
        assert _selected(work, structs.replace(everything, records=())) == []


def test_a_push_goes_on_behind_a_record_and_takes_no_more_than_its_portion(store: Store) -> None:
    stocked = stock(store, 6)
    numbers = list(stocked.records)
    everything = _everything(stocked)
    with store.read() as work:
        for selection in (everything, structs.replace(everything, records=tuple(reversed(numbers)))):
            assert _selected(work, structs.replace(selection, limit=2)) == numbers[:2]
            assert _selected(work, structs.replace(selection, after=numbers[1], limit=3)) == numbers[2:5]
            assert _selected(work, structs.replace(selection, after=numbers[-1])) == []


def test_all_filters_hold_together(store: Store) -> None:
    stocked = stock(store)
    with store.write() as work:
        for at in range(3):
            rows = [record(f"{kind} at {at}", kind=kind) for kind in ("101", "201")]
            work.records.add(rows, minutes(at))
        numbers = {(row.kind, row.stored_at): row.record_no for row in work.records.page(None, 0, 100)}
        wanted = structs.replace(
            _everything(stocked),
            kinds=("201",),
            since=minutes(1),
            records=tuple(numbers.values()),
            after=numbers["201", minutes(1)],
        )

        assert _selected(work, wanted) == [numbers["201", minutes(2)]]


def test_deleted_records_are_never_pushed(store: Store) -> None:
    stocked = stock(store, 3)
    first, second, third = stocked.records
    with store.write() as work:
        work.changes.delete(deletion(second))

        for again in (False, True):
            everything = _everything(stocked, again=again)
            assert _selected(work, everything) == [first, third]
            assert _selected(work, structs.replace(everything, records=(second, third))) == [third]


_Happening = Callable[[UnitOfWork, Stocked], None]


def _answer(work: UnitOfWork, stocked: Stocked) -> None:
    work.sent_frames.add([sent("frame", stocked.agreement_no)])
    _show(work, stocked)


def _push(work: UnitOfWork, stocked: Stocked) -> None:
    work.sent_frames.add([pushed("frame", stocked.agreement_no, job=7)])
    _show(work, stocked)


def _replacement(work: UnitOfWork, stocked: Stocked) -> None:
    work.sent_frames.add([pushed("frame", stocked.agreement_no)])
    _show(work, stocked)


def _show(work: UnitOfWork, stocked: Stocked) -> None:
    work.ledger.disclose([shown(stocked.agreement_no, stocked.records[0], "frame")], NOON)


def _receipt(work: UnitOfWork, stocked: Stocked) -> None:
    frame = sent("frame", stocked.agreement_no)
    assert work.sent_frames.receipt(BANK, [(frame.frame, frame.header_digest, minutes(1))], receipts())


def _taken(work: UnitOfWork, _: Stocked) -> None:
    work.pushed_frames.answered({short("frame"): None}, minutes(1))


def _refused(work: UnitOfWork, _: Stocked) -> None:
    work.pushed_frames.answered({short("frame"): "STALE_VERSION"}, minutes(1))


def _withdrawn(work: UnitOfWork, stocked: Stocked) -> None:
    work.sent_frames.withdraw([stocked.records[0]], minutes(2))


def _bodies_forgotten(work: UnitOfWork, _: Stocked) -> None:
    work.erasures.forget_bodies(minutes(1))


def _closed(work: UnitOfWork, stocked: Stocked) -> None:
    named = (short("frame"), short(f"alias {stocked.records[0]}"))
    assert work.settlements.end(BANK, [named], receipts(), minutes(2)) == 1


@pytest.mark.parametrize(
    "happened",
    [
        (_push,),
        (_push, _taken),
        (_push, _receipt),
        (_push, _taken, _receipt),
        (_push, _taken, _withdrawn),
        (_push, _receipt, _withdrawn),
        (_answer, _receipt),
        (_answer, _receipt, _bodies_forgotten),
        (_answer, _receipt, _withdrawn),
        (_replacement, _taken),
        (_replacement, _receipt),
    ],
    ids=lambda steps: " ".join(step.__name__.strip("_") for step in steps),
)
def test_what_arrived_or_is_about_to_be_pushed_needs_no_push(store: Store, happened: tuple[_Happening, ...]) -> None:
    stocked = stock_named(store)
    with store.write() as work:
        for happen in happened:
            happen(work, stocked)

        assert _selected(work, _everything(stocked)) == [stocked.records[1]]
        assert _selected(work, structs.replace(_everything(stocked), records=stocked.records)) == [stocked.records[1]]


@pytest.mark.parametrize(
    "happened",
    [
        (_answer,),
        (_answer, _bodies_forgotten),
        (_answer, _withdrawn),
        (_replacement,),
        (_replacement, _withdrawn),
        (_replacement, _refused),
        (_push, _refused),
        (_push, _withdrawn),
        (_push, _taken, _closed),
        (_answer, _receipt, _closed),
    ],
    ids=lambda steps: " ".join(step.__name__.strip("_") for step in steps),
)
def test_what_is_not_known_to_have_arrived_or_is_not_held_any_more_needs_a_push(
    store: Store, happened: tuple[_Happening, ...]
) -> None:
    stocked = stock_named(store)
    with store.write() as work:
        for happen in happened:
            happen(work, stocked)

        assert _selected(work, _everything(stocked)) == list(stocked.records)
        assert _selected(work, structs.replace(_everything(stocked), records=stocked.records)) == list(stocked.records)


def test_a_frame_with_fewer_fields_spares_nothing(store: Store) -> None:
    stocked = stock_named(store)
    first, second = stocked.records
    with store.write() as work:
        work.sent_frames.add([pushed("frame", stocked.agreement_no, job=7)])
        work.ledger.disclose(
            [
                shown(stocked.agreement_no, first, "frame", fields="amount decided_on"),
                shown(stocked.agreement_no, second, "frame"),
            ],
            NOON,
        )

        assert _selected(work, _everything(stocked)) == [first]


def test_a_frame_with_an_older_version_spares_nothing(store: Store) -> None:
    stocked = stock_named(store)
    with store.write() as work:
        _push(work, stocked)
        _taken(work, stocked)
        work.changes.correct(stocked.records[0], record("record 0", content="right"), minutes(1))
        before = _selected(work, _everything(stocked))
        work.sent_frames.add([pushed("newer", stocked.agreement_no, job=8)])
        work.ledger.disclose([shown(stocked.agreement_no, stocked.records[0], "newer", version=2)], minutes(2))

        assert before == list(stocked.records)
        assert _selected(work, _everything(stocked)) == [stocked.records[1]]


def test_a_frame_under_another_agreement_spares_nothing(store: Store) -> None:
    stocked = stock_named(store)
    with store.write() as work:
        _push(work, stocked)
        other = structs.replace(_everything(stocked), agreement_no=stocked.other_no)

        assert _selected(work, other) == list(stocked.records)


def test_one_frame_that_arrived_is_enough(store: Store) -> None:
    stocked = stock_named(store)
    with store.write() as work:
        _push(work, stocked)
        work.pushed_frames.answered({short("frame"): "NOT_READY"}, minutes(1))
        work.sent_frames.add([pushed("second", stocked.agreement_no, job=7, sequence=2)])
        work.ledger.disclose([shown(stocked.agreement_no, stocked.records[0], "second")], minutes(2))

        assert _selected(work, _everything(stocked)) == [stocked.records[1]]


def test_whoever_asks_for_it_again_gets_everything_again(store: Store) -> None:
    stocked = stock_named(store)
    with store.write() as work:
        _push(work, stocked)
        _taken(work, stocked)
        again = _everything(stocked, again=True)

        assert _selected(work, again) == list(stocked.records)
        assert _selected(work, structs.replace(again, records=(stocked.records[0],))) == [stocked.records[0]]
