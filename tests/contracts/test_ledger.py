"""The port Ledger."""

import pytest

from node.domain.notices import Holding
from node.operations.ports import Store, UnitOfWork
from node.operations.rows import DisclosureRow, LedgerRow, ShownBefore
from registry.parties import PartyId
from tests.contracts.examples import (
    AGREEMENT,
    BANK,
    BUREAU,
    NOON,
    OTHER_AGREEMENT,
    Stocked,
    deletion,
    minutes,
    notice,
    pushed,
    receipts,
    sent,
    short,
    shown,
    stock,
    stock_named,
)


def _alias(record_no: int) -> bytes:
    return short(f"alias {record_no}")


def _send(work: UnitOfWork, stocked: Stocked) -> None:
    """Frames f, g and h to the bank under the first agreement, and o to the bureau under the other one."""
    work.sent_frames.add([sent(name, stocked.agreement_no) for name in "fgh"])
    work.sent_frames.add([sent("o", stocked.other_no, to=BUREAU)])


def _closed(work: UnitOfWork, record_no: int) -> list[bool]:
    return [row.closed_at is not None for row in work.ledger.of_record(record_no)]


def test_every_disclosure_of_a_record_is_in_the_ledger_oldest_first(store: Store) -> None:
    stocked = stock_named(store)
    (first, second), number = stocked.records, stocked.agreement_no
    with store.write() as work:
        _send(work, stocked)
        work.ledger.disclose([shown(number, first, "h"), shown(number, second, "f")], NOON)
        work.ledger.disclose([shown(stocked.other_no, first, "o", fields="amount decided_on")], minutes(1))
        work.ledger.disclose([shown(number, first, "f", version=2)], minutes(2))
        work.ledger.disclose([], minutes(3))

        row = DisclosureRow(
            agreement=AGREEMENT,
            holder=BANK,
            record_version=1,
            alias=_alias(first),
            frame=short("h"),
            fields=None,
            at=NOON,
            closed_at=None,
            is_cancelled=False,
        )
        other, newer = work.ledger.of_record(first)[1:]
        assert work.ledger.of_record(first)[0] == row
        assert (other.agreement, other.holder, other.fields) == (OTHER_AGREEMENT, BUREAU, "amount decided_on")
        assert (newer.record_version, newer.frame, newer.at) == (2, short("f"), minutes(2))
        assert [one.frame for one in work.ledger.of_record(second)] == [short("f")]
        assert work.ledger.of_record(987) == []


def test_a_frame_is_asked_which_records_it_shows(store: Store) -> None:
    stocked = stock_named(store)
    (first, second), number = stocked.records, stocked.agreement_no
    with store.write() as work:
        _send(work, stocked)
        work.ledger.disclose([shown(number, second, "f"), shown(number, first, "f"), shown(number, second, "g")], NOON)
        work.ledger.disclose([shown(stocked.other_no, first, "o")], NOON)

        assert work.ledger.in_frames([short("f"), short("g")]) == [first, second]
        assert work.ledger.in_frames([short("g")]) == [second]
        assert work.ledger.in_frames([short("h"), short("unknown")]) == []
        assert work.ledger.in_frames([]) == []


def test_many_disclosures_of_one_frame_are_written_at_once(store: Store) -> None:
    stocked = stock_named(store, 300)
    number = stocked.agreement_no
    with store.write() as work:
        _send(work, stocked)
        rows = [
            shown(number, one, "f", identifier=one, fields=None if one % 2 else "amount") for one in stocked.records
        ]
        work.ledger.disclose(rows, NOON)
        _arrive(work, "f")

        assert work.ledger.shown(number, stocked.records) == {
            one: ShownBefore(fields=None if one % 2 else frozenset({"amount"}), identifier_no=one)
            for one in stocked.records
        }


def test_each_holder_of_a_record_is_named_once_for_each_agreement(store: Store) -> None:
    stocked = stock_named(store, 3)
    first, second, never_shown = stocked.records
    with store.write() as work:
        _send(work, stocked)
        work.renditions.supersede([(first, stocked.other_no, 4, 9)])
        work.ledger.disclose([shown(stocked.agreement_no, first, frame) for frame in "fgh"], NOON)
        work.ledger.disclose([shown(stocked.other_no, one, "o") for one in (second, first)], NOON)

        def holding(record_no: int, agreement_no: int, holder: PartyId, wire_version: int) -> Holding:
            return Holding(
                record_no=record_no,
                agreement_no=agreement_no,
                holder=holder,
                alias=_alias(record_no),
                wire_version=wire_version,
            )

        assert work.ledger.holdings([second, first, never_shown, first, 987]) == [
            holding(first, stocked.agreement_no, BANK, 1),
            holding(first, stocked.other_no, BUREAU, 4),
            holding(second, stocked.other_no, BUREAU, 1),
        ]
        assert work.ledger.holdings([never_shown]) == []
        assert work.ledger.holdings([]) == []


def test_a_holder_is_one_until_all_its_disclosures_are_closed(store: Store) -> None:
    stocked = stock_named(store)
    first = stocked.records[0]
    with store.write() as work:
        _send(work, stocked)
        work.ledger.disclose([shown(stocked.agreement_no, first, frame) for frame in "fg"], NOON)
        holders = [len(work.ledger.holdings([first]))]
        for frame in "fg":
            work.settlements.end(BANK, [(short(frame), _alias(first))], receipts(), minutes(1))
            holders.append(len(work.ledger.holdings([first])))

        assert holders == [1, 1, 0]


def test_whoever_was_sent_a_frame_that_was_cancelled_may_hold_it_all_the_same(store: Store) -> None:
    stocked = stock_named(store)
    first = stocked.records[0]
    with store.write() as work:
        _send(work, stocked)
        work.ledger.disclose([shown(stocked.agreement_no, first, "f")], NOON)
        work.sent_frames.withdraw([first], minutes(1))

        assert [one.holder for one in work.ledger.holdings([first])] == [BANK]
        assert [one.is_cancelled for one in work.ledger.of_record(first)] == [True]


def test_whoever_holds_a_deleted_record_is_still_known(store: Store) -> None:
    stocked = stock_named(store)
    first = stocked.records[0]
    with store.write() as work:
        _send(work, stocked)
        work.ledger.disclose([shown(stocked.agreement_no, first, "f")], NOON)
        work.changes.delete(deletion(first))
        work.renditions.destroy([first])

        assert [(one.holder, one.alias) for one in work.ledger.holdings([first])] == [(BANK, _alias(first))]


def _row(stocked: Stocked, frame: str, fields: str | None, identifier: int) -> LedgerRow:
    return shown(stocked.agreement_no, stocked.records[0], frame, fields=fields, identifier=identifier)


def _arrive(work: UnitOfWork, *frames: str) -> None:
    """The bank receipts frames."""
    for name in frames:
        frame = sent(name, 1)
        assert work.sent_frames.receipt(BANK, [(frame.frame, frame.header_digest, minutes(3))], receipts())


def test_what_reached_a_holder_adds_up_under_the_newest_identifier(store: Store) -> None:
    stocked = stock_named(store)
    first, second = stocked.records
    with store.write() as work:
        _send(work, stocked)
        work.ledger.disclose([_row(stocked, "f", "amount decided_on", 8)], NOON)
        work.ledger.disclose([_row(stocked, "g", "amount reason", 3)], minutes(1))
        _arrive(work, "g", "f")

        fields = frozenset({"amount", "decided_on", "reason"})
        assert work.ledger.shown(stocked.agreement_no, [first, second, first]) == {
            first: ShownBefore(fields=fields, identifier_no=3)
        }
        assert work.ledger.shown(stocked.agreement_no, []) == {}


@pytest.mark.parametrize("whole", ["f", "g", "h"])
def test_whoever_once_got_all_that_is_granted_was_shown_all(store: Store, whole: str) -> None:
    stocked = stock_named(store)
    first = stocked.records[0]
    with store.write() as work:
        _send(work, stocked)
        for identifier, frame in enumerate("fgh"):
            fields = None if frame == whole else "amount"
            work.ledger.disclose([_row(stocked, frame, fields, identifier)], minutes(identifier))
        _arrive(work, *"fgh")

        assert work.ledger.shown(stocked.agreement_no, [first]) == {first: ShownBefore(fields=None, identifier_no=2)}


@pytest.mark.parametrize("fate", ["nothing is known of", "refused", "cancelled"])
def test_what_is_not_known_to_have_arrived_does_not_count_as_shown(store: Store, fate: str) -> None:
    """Else a replacement would have fields that the holder does not have yet, and be refused."""
    stocked = stock_named(store)
    first = stocked.records[0]
    with store.write() as work:
        _send(work, stocked)
        work.sent_frames.add([pushed("push", stocked.agreement_no, job=7)])
        work.ledger.disclose([_row(stocked, "f", "amount", 8), _row(stocked, "push", None, 9)], NOON)
        _arrive(work, "f")
        if fate == "refused":
            work.pushed_frames.answered({short("push"): "OVERSIZED"}, minutes(1))
        if fate == "cancelled":
            work.sent_frames.withdraw([first], minutes(1))

        assert work.ledger.shown(stocked.agreement_no, [first]) == {
            first: ShownBefore(fields=frozenset({"amount"}), identifier_no=8)
        }


def test_what_was_taken_counts_as_shown_before_its_receipt_comes(store: Store) -> None:
    stocked = stock_named(store)
    first = stocked.records[0]
    with store.write() as work:
        work.sent_frames.add([pushed("push", stocked.agreement_no)])
        work.ledger.disclose([_row(stocked, "push", "amount", 8)], NOON)
        before = work.ledger.shown(stocked.agreement_no, [first])
        work.pushed_frames.answered({short("push"): None}, minutes(1))

        assert before == {}
        assert work.ledger.shown(stocked.agreement_no, [first]) == {
            first: ShownBefore(fields=frozenset({"amount"}), identifier_no=8)
        }


def test_what_is_not_held_any_more_does_not_count_as_shown(store: Store) -> None:
    stocked = stock_named(store)
    first = stocked.records[0]
    with store.write() as work:
        _send(work, stocked)
        work.ledger.disclose([_row(stocked, "f", "amount", 8), _row(stocked, "g", None, 3)], NOON)
        _arrive(work, "f", "g")
        work.settlements.end(BANK, [(short("g"), _alias(first))], receipts(), minutes(1))
        after_one = work.ledger.shown(stocked.agreement_no, [first])
        work.settlements.end(BANK, [(short("f"), _alias(first))], receipts(), minutes(1))

        assert after_one == {first: ShownBefore(fields=frozenset({"amount"}), identifier_no=8)}
        assert work.ledger.shown(stocked.agreement_no, [first]) == {}


def test_what_is_shown_under_one_agreement_is_not_shown_under_another(store: Store) -> None:
    stocked = stock_named(store)
    first = stocked.records[0]
    with store.write() as work:
        _send(work, stocked)
        work.sent_frames.add([pushed("other", stocked.other_no, job=7)])
        work.ledger.disclose([shown(stocked.other_no, first, "other", fields="reason", identifier=5)], NOON)
        work.ledger.disclose([_row(stocked, "f", "amount", 8)], NOON)
        _arrive(work, "f")
        work.pushed_frames.answered({short("other"): None}, minutes(1))

        assert [work.ledger.shown(number, [first]) for number in (stocked.agreement_no, stocked.other_no)] == [
            {first: ShownBefore(fields=frozenset({"amount"}), identifier_no=8)},
            {first: ShownBefore(fields=frozenset({"reason"}), identifier_no=5)},
        ]


def test_a_receipt_of_a_notice_closes_the_versions_before_that_of_the_notice(store: Store) -> None:
    stocked = stock_named(store)
    (first, second), number = stocked.records, stocked.agreement_no
    with store.write() as work:
        _send(work, stocked)
        versions = [shown(number, first, frame, version=place) for place, frame in enumerate("fgh", 1)]
        work.ledger.disclose([*versions, shown(number, second, "f")], NOON)
        work.ledger.disclose([shown(stocked.other_no, first, "o")], NOON)
        work.notices.add([notice("change", number, first, version=3)])

        work.settlements.settle(BANK, [short("change")], receipts(), minutes(5))
        assert [row.closed_at for row in work.ledger.of_record(first)] == [minutes(5), minutes(5), None, None]
        assert _closed(work, second) == [False]


def test_notices_of_several_records_close_each_its_own(store: Store) -> None:
    stocked = stock_named(store, 3)
    number = stocked.agreement_no
    with store.write() as work:
        _send(work, stocked)
        work.ledger.disclose([shown(number, one, "f") for one in stocked.records], NOON)
        work.notices.add([notice(f"change {one}", number, one) for one in stocked.records])
        told = [short(f"change {one}") for one in stocked.records[:2]]
        work.settlements.settle(BANK, [*told, short("unknown"), told[0]], receipts(), minutes(5))
        work.settlements.settle(BANK, [], receipts(), minutes(6))

        assert [_closed(work, one) for one in stocked.records] == [[True], [True], [False]]


def test_only_the_holder_itself_can_settle_what_it_was_told(store: Store) -> None:
    stocked = stock_named(store)
    first = stocked.records[0]
    with store.write() as work:
        _send(work, stocked)
        work.ledger.disclose([shown(stocked.agreement_no, first, "f")], NOON)
        work.notices.add([notice("change", stocked.agreement_no, first)])

        work.settlements.settle(BUREAU, [short("change")], receipts(), minutes(5))
        assert work.settlements.end(BUREAU, [(short("f"), _alias(first))], receipts(), minutes(5)) == 0
        assert _closed(work, first) == [False]


def test_a_receipt_of_an_ended_copy_closes_that_copy_in_that_frame(store: Store) -> None:
    stocked = stock_named(store)
    (first, second), number = stocked.records, stocked.agreement_no
    with store.write() as work:
        _send(work, stocked)
        work.ledger.disclose([shown(number, one, frame) for frame in "fg" for one in (first, second)], NOON)

        assert work.settlements.end(BANK, [(short("f"), _alias(first))], receipts(), minutes(5)) == 1
        assert [row.closed_at for row in work.ledger.of_record(first)] == [minutes(5), None]
        assert _closed(work, second) == [False, False]


def test_copies_that_ended_are_counted_and_unknown_or_closed_ones_are_not(store: Store) -> None:
    stocked = stock_named(store, 3)
    number = stocked.agreement_no
    first, second, third = stocked.records
    with store.write() as work:
        _send(work, stocked)
        work.ledger.disclose([shown(number, one, "f") for one in stocked.records], NOON)
        work.ledger.disclose([shown(stocked.other_no, first, "o")], NOON)
        named = [
            (short("f"), _alias(first)),
            (short("f"), _alias(second)),
            (short("f"), short("unknown")),
            (short("g"), _alias(first)),
            (short("o"), _alias(first)),
            (short("unknown"), _alias(first)),
        ]

        assert work.settlements.end(BANK, named, receipts(), minutes(5)) == 2
        assert work.settlements.end(BANK, named, receipts("receipts again"), minutes(6)) == 0
        assert work.settlements.end(BANK, [], receipts(), minutes(7)) == 0
        assert [row.closed_at for row in work.ledger.of_record(first)] == [minutes(5), None]
        assert [_closed(work, one) for one in (second, third)] == [[True], [False]]


def test_what_was_shown_again_after_a_notice_was_settled_is_open(store: Store) -> None:
    stocked = stock_named(store)
    first, number = stocked.records[0], stocked.agreement_no
    with store.write() as work:
        _send(work, stocked)
        work.ledger.disclose([shown(number, first, "f")], NOON)
        work.notices.add([notice("change", number, first, version=2)])
        work.sent_frames.add([pushed("newer", number)])
        work.ledger.disclose([shown(number, first, "newer", version=2)], minutes(1))
        for moment in (5, 6):
            work.settlements.settle(BANK, [short("change")], receipts(), minutes(moment))

        assert [row.closed_at for row in work.ledger.of_record(first)] == [minutes(5), None]
        assert [one.holder for one in work.ledger.holdings([first])] == [BANK]


def test_a_record_that_was_shown_to_nobody_has_no_holder(store: Store) -> None:
    stocked = stock(store)
    with store.write() as work:
        work.notices.add([notice("change", stocked.agreement_no, stocked.records[0])])
        work.settlements.settle(BANK, [short("change")], receipts(), NOON)

        assert work.ledger.holdings(stocked.records) == []
        assert work.ledger.of_record(stocked.records[0]) == []
