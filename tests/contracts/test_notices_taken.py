"""The ports TakenNotices and Evidence: what this node, as a holder, was told, and what contradicts that."""

from msgspec import structs

from node.domain.notices import Stream
from node.operations.ports import Store, UnitOfWork
from node.operations.rows import ReceivedNoticeRow
from registry.parties import PartyId
from tests.contracts.examples import AGENCY, AGREEMENT, BUREAU, NOON, digest, minutes, short


def _told(first: int, count: int, home: PartyId = AGENCY) -> list[ReceivedNoticeRow]:
    return [
        ReceivedNoticeRow(
            home=home,
            sequence=sequence,
            notice=short(f"{home} {sequence}"),
            agreement=AGREEMENT,
            alias=short("alias"),
            effect="DELETE" if sequence % 2 else "REPLACE",
            version=sequence + 1,
            due_at=minutes(60),
            received_at=minutes(sequence),
            stage="APPLIED",
        )
        for sequence in range(first, first + count)
    ]


def _take(work: UnitOfWork, first: int, count: int, home: PartyId = AGENCY) -> list[ReceivedNoticeRow]:
    notices = _told(first, count, home)
    work.notices_taken.take(home, f"batch {first}".encode(), digest(f"batch {home} {first}"), notices)
    return notices


def test_a_stream_that_was_never_told_is_expected_from_one(store: Store) -> None:
    with store.read() as work:
        assert work.notices_taken.stream(AGENCY) == Stream(expected=1, last=b"")
        assert work.notices_taken.batch_at(AGENCY, 1) is None


def test_a_batch_moves_the_stream_on_behind_it(store: Store) -> None:
    with store.write() as work:
        _take(work, 1, 3)
        once = work.notices_taken.stream(AGENCY)
        _take(work, 4, 1)

        assert once == Stream(expected=4, last=digest("batch sz-agency 1"))
        assert work.notices_taken.stream(AGENCY) == Stream(expected=5, last=digest("batch sz-agency 4"))


def test_the_streams_of_two_homes_are_apart(store: Store) -> None:
    with store.write() as work:
        _take(work, 1, 3)
        _take(work, 1, 1, BUREAU)

        assert work.notices_taken.stream(AGENCY).expected == 4
        assert work.notices_taken.stream(BUREAU) == Stream(expected=2, last=digest("batch mo-bureau 1"))
        assert work.notices_taken.batch_at(BUREAU, 1) == digest("batch mo-bureau 1")


def test_a_batch_is_known_by_its_first_number_only(store: Store) -> None:
    with store.write() as work:
        _take(work, 1, 3)
        _take(work, 4, 2)

        digests = [work.notices_taken.batch_at(AGENCY, first) for first in (1, 2, 3, 4, 5, 6)]
        assert digests == [digest("batch sz-agency 1"), None, None, digest("batch sz-agency 4"), None, None]


def test_notices_are_kept_whole_and_paged_in_the_order_in_which_they_came(store: Store) -> None:
    with store.write() as work:
        taken = [*_take(work, 1, 2), *_take(work, 1, 1, BUREAU), *_take(work, 3, 2)]
        first = work.notices_taken.page(0, 3)
        rest = work.notices_taken.page(first[-1][0], 3)

        assert [row for _, row in [*first, *rest]] == taken
        numbers = [number for number, _ in [*first, *rest]]
        assert numbers == sorted(set(numbers))
        assert work.notices_taken.page(numbers[-1], 3) == []


def test_a_large_batch_is_kept_whole(store: Store) -> None:
    with store.write() as work:
        taken = _take(work, 1, 500)

        assert [row for _, row in work.notices_taken.page(0, 1_000)] == taken
        assert work.notices_taken.stream(AGENCY).expected == 501


def test_notices_come_to_a_stage_by_their_ids(store: Store) -> None:
    with store.write() as work:
        first, second, third = _take(work, 1, 3)
        work.notices_taken.advance(AGENCY, [third.notice, first.notice, short("unknown")], "DELETED")
        work.notices_taken.advance(AGENCY, [], "NOT_HELD")

        assert [row for _, row in work.notices_taken.page(0, 10)] == [
            structs.replace(first, stage="DELETED"),
            second,
            structs.replace(third, stage="DELETED"),
        ]


def test_a_home_that_uses_an_id_of_another_one_says_nothing_about_it(store: Store) -> None:
    """Nobody keeps a home from choosing an id that it saw elsewhere."""
    with store.write() as work:
        (ours,) = _take(work, 1, 1)
        theirs = structs.replace(_told(1, 1, BUREAU)[0], notice=ours.notice)
        work.notices_taken.take(BUREAU, b"batch", digest("batch"), [theirs])
        work.notices_taken.advance(BUREAU, [ours.notice], "DELETED")

        assert [row for _, row in work.notices_taken.page(0, 10)] == [ours, structs.replace(theirs, stage="DELETED")]


def test_a_home_that_uses_the_ids_of_another_moves_none_of_its_notices(store: Store) -> None:
    with store.write() as work:
        _take(work, 1, 1)
        work.notices_taken.advance(BUREAU, [row.notice for _, row in work.notices_taken.page(0, 10)], "DELETED")

        assert {row.stage for _, row in work.notices_taken.page(0, 10)}.isdisjoint({"DELETED"})


def test_an_undone_batch_was_not_taken(store: Store) -> None:
    with store.write() as work:
        _take(work, 1, 3)

    with store.write() as work:
        before = (work.notices_taken.stream(AGENCY), work.notices_taken.batch_at(AGENCY, 1))
        taken = _take(work, 1, 3)

        assert before == (Stream(), None)
        assert [row for _, row in work.notices_taken.page(0, 10)] == taken


def test_evidence_is_kept_once(store: Store) -> None:
    with store.write() as work:
        kept = [work.evidence.keep(AGENCY, digest(name), name.encode(), NOON, 9) for name in ("one", "two", "one")]
        work.commit()

    with store.write() as work:
        assert kept == [True, True, False]
        assert not work.evidence.keep(AGENCY, digest("two"), b"two", minutes(1), 9)


def test_no_peer_fills_the_store_with_evidence(store: Store) -> None:
    with store.write() as work:
        kept = [work.evidence.keep(AGENCY, digest(str(place)), b"raw", NOON, 3) for place in range(5)]

        assert kept == [True, True, True, False, False]
        assert work.evidence.keep(BUREAU, digest("0"), b"raw", NOON, 3)


def test_evidence_of_an_undone_unit_is_not_kept(store: Store) -> None:
    kept = []
    for _ in range(2):
        with store.write() as work:
            kept.append(work.evidence.keep(AGENCY, digest("one"), b"one", NOON, 1))

    assert kept == [True, True]
