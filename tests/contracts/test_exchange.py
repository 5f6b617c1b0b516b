"""The ports SentFrames and ReceivedFrames."""

from msgspec import structs

from node.operations.ports import Store
from tests.contracts.examples import (
    AGENCY,
    BANK,
    BUREAU,
    NOON,
    copy,
    digest,
    minutes,
    pushed,
    receipts,
    received,
    sent,
    short,
    shown,
    stock,
    stock_named,
)


def test_a_sent_frame_is_found_by_the_request_that_it_answers(store: Store) -> None:
    number = stock(store).agreement_no
    first, second = sent("first", number), sent("second", number)
    assert second.request is not None
    with store.write() as work:
        work.sent_frames.add([first, second])
        work.sent_frames.add([])

        asked = [second.request, digest("never asked"), second.request]
        assert work.sent_frames.answers(asked) == {second.request: second}
        assert work.sent_frames.answers([]) == {}


def test_a_pushed_frame_answers_no_request(store: Store) -> None:
    number = stock(store).agreement_no
    answer = sent("answer", number)
    with store.write() as work:
        work.sent_frames.add([pushed("first", number, job=7), pushed("second", number), answer])

        assert answer.request is not None
        assert work.sent_frames.answers([answer.request, b""]) == {answer.request: answer}
        assert [row for _, row, _ in work.sent_frames.page(0, 10)] == [
            pushed("first", number, job=7),
            pushed("second", number),
            answer,
        ]


def test_frames_of_all_sorts_may_be_kept_many_at_once(store: Store) -> None:
    number = stock(store).agreement_no
    frames = [sent(f"answer {place}", number) for place in range(100)]
    frames += [pushed(f"push {place}", number, job=place % 3 or None, sequence=place) for place in range(100)]
    with store.write() as work:
        work.sent_frames.add(frames)

        assert [row for _, row, _ in work.sent_frames.page(0, 1_000)] == frames


def test_a_receipt_is_noted_for_the_frame_and_header_that_were_sent(store: Store) -> None:
    number = stock(store).agreement_no
    frame = sent("frame", number)
    with store.write() as work:
        work.sent_frames.add([frame, sent("other", number)])

        assert work.sent_frames.receipt(BANK, [(frame.frame, frame.header_digest, minutes(1))], receipts("batch"))
        assert [row[2] for row in work.sent_frames.page(0, 10)] == [minutes(1), None]


def test_a_receipt_for_what_was_never_sent_is_refused(store: Store) -> None:
    frame = sent("frame", stock(store).agreement_no)
    with store.write() as work:
        work.sent_frames.add([frame])

        assert not work.sent_frames.receipt(
            BANK, [(short("unknown"), frame.header_digest, minutes(1))], receipts("batch")
        )
        assert not work.sent_frames.receipt(
            BANK, [(frame.frame, digest("another header"), minutes(1))], receipts("batch")
        )
        assert not work.sent_frames.receipt(BUREAU, [(frame.frame, frame.header_digest, minutes(1))], receipts("batch"))
        assert [row[2] for row in work.sent_frames.page(0, 10)] == [None]


def test_the_first_receipt_of_a_frame_stays(store: Store) -> None:
    frame = sent("frame", stock(store).agreement_no)
    with store.write() as work:
        work.sent_frames.add([frame])

        assert work.sent_frames.receipt(BANK, [(frame.frame, frame.header_digest, minutes(1))], receipts("batch"))
        assert work.sent_frames.receipt(BANK, [(frame.frame, frame.header_digest, minutes(2))], receipts("later batch"))
        assert [row[2] for row in work.sent_frames.page(0, 10)] == [minutes(1)]


def test_one_batch_receipts_many_frames(store: Store) -> None:
    number = stock(store).agreement_no
    frames = [sent(f"frame {place}", number) for place in range(3)]
    with store.write() as work:
        work.sent_frames.add(frames)
        for frame in frames:
            work.sent_frames.receipt(BANK, [(frame.frame, frame.header_digest, minutes(1))], receipts("batch"))

        assert [row[2] for row in work.sent_frames.page(0, 10)] == [minutes(1)] * 3


def test_sent_frames_are_paged_in_ascending_number(store: Store) -> None:
    number = stock(store).agreement_no
    frames = [sent(f"frame {place}", number) for place in range(5)]
    with store.write() as work:
        work.sent_frames.add(frames)
        first = work.sent_frames.page(0, 3)
        rest = work.sent_frames.page(first[-1][0], 3)

        assert [row for _, row, _ in [*first, *rest]] == frames


def test_frames_with_a_record_that_changed_lose_their_bodies_and_others_keep_them(store: Store) -> None:
    stocked = stock_named(store, 3)
    (first, second, third), number = stocked.records, stocked.agreement_no
    frames = [sent(name, number) for name in "fgh"] + [pushed("push", number, job=7)]
    with store.write() as work:
        work.sent_frames.add(frames)
        rows = [(first, "f"), (second, "f"), (second, "g"), (third, "h"), (first, "push")]
        work.ledger.disclose([shown(number, one, frame) for one, frame in rows], NOON)

        assert work.sent_frames.withdraw([first, 987, first], minutes(1)) == 2
        kept = [structs.replace(frames[0], body=b""), frames[1], frames[2], structs.replace(frames[3], body=b"")]
        assert [row for _, row, _ in work.sent_frames.page(0, 10)] == kept
        assert work.sent_frames.withdraw([first], minutes(2)) == 0
        assert work.sent_frames.withdraw([], minutes(2)) == 0
        assert work.sent_frames.withdraw([second, third], minutes(2)) == 2


def test_a_frame_that_showed_an_older_version_is_withdrawn_too(store: Store) -> None:
    stocked = stock_named(store)
    first, number = stocked.records[0], stocked.agreement_no
    with store.write() as work:
        work.sent_frames.add([sent("f", number), sent("g", number)])
        work.ledger.disclose([shown(number, first, "f", version=1), shown(number, first, "g", version=2)], NOON)

        assert work.sent_frames.withdraw([first], minutes(1)) == 2


def test_a_withdrawn_answer_is_not_given_again_and_its_request_may_be_answered_anew(store: Store) -> None:
    stocked = stock_named(store)
    number = stocked.agreement_no
    old, new = sent("old", number, request="asked"), sent("new", number, request="asked")
    assert old.request is not None
    with store.write() as work:
        work.sent_frames.add([old])
        work.ledger.disclose([shown(number, stocked.records[0], "old")], NOON)
        work.sent_frames.withdraw([stocked.records[0]], minutes(1))
        withdrawn = work.sent_frames.answers([old.request])
        work.sent_frames.add([new])
        work.commit()

    with store.read() as work:
        assert withdrawn == {}
        assert work.sent_frames.answers([old.request]) == {old.request: new}
        assert [row.frame for _, row, _ in work.sent_frames.page(0, 10)] == [short("old"), short("new")]


def test_only_what_is_not_known_to_have_arrived_is_cancelled(store: Store) -> None:
    stocked = stock_named(store)
    first, number = stocked.records[0], stocked.agreement_no
    names = ("unanswered", "receipted", "receipted push", "taken push", "waiting push", "refused push")
    frames = [sent(name, number) for name in names[:2]] + [pushed(name, number, job=7) for name in names[2:]]
    with store.write() as work:
        work.sent_frames.add(frames)
        work.ledger.disclose([shown(number, first, name) for name in names], NOON)
        for frame in frames:
            if frame.frame in {short("receipted"), short("receipted push")}:
                work.sent_frames.receipt(BANK, [(frame.frame, frame.header_digest, minutes(1))], receipts("batch"))
        work.pushed_frames.answered({short("taken push"): None, short("refused push"): "STALE_VERSION"}, minutes(1))
        work.sent_frames.withdraw([first], minutes(2))

        cancelled = {row.frame for row in work.ledger.of_record(first) if row.is_cancelled}
        assert cancelled == {short("unanswered"), short("waiting push")}
        assert all(row.body == b"" for _, row, _ in work.sent_frames.page(0, 10))


def test_a_receipt_that_comes_after_the_withdrawal_is_noted(store: Store) -> None:
    stocked = stock_named(store)
    frame = sent("frame", stocked.agreement_no)
    with store.write() as work:
        work.sent_frames.add([frame])
        work.ledger.disclose([shown(stocked.agreement_no, stocked.records[0], "frame")], NOON)
        work.sent_frames.withdraw([stocked.records[0]], minutes(1))

        assert work.sent_frames.receipt(BANK, [(frame.frame, frame.header_digest, minutes(2))], receipts("batch"))
        assert [row[2] for row in work.sent_frames.page(0, 10)] == [minutes(2)]


def test_a_received_frame_is_kept_exactly_as_it_came_with_its_copies(store: Store) -> None:
    frame, copies = received("frame"), [copy("frame", "a"), copy("frame", "b")]
    with store.write() as work:
        assert work.received_frames.add(frame, copies)
        assert work.received_frames.add(received("empty"), [])

        assert work.received_frames.find(frame.frame) == frame
        assert work.received_frames.copies(frame.frame) == copies
        assert work.received_frames.copies(short("empty")) == []
        assert work.received_frames.find(short("unknown")) is None


def test_a_frame_that_comes_again_is_not_kept_again(store: Store) -> None:
    with store.write() as work:
        work.received_frames.add(received("frame"), [copy("frame", "a")])

        assert not work.received_frames.add(received("frame"), [copy("frame", "b")])
        assert work.received_frames.copies(short("frame")) == [copy("frame", "a")]


def test_the_newest_headers_of_one_sender_come_oldest_first(store: Store) -> None:
    frames = [received(f"frame {place}") for place in range(4)]
    with store.write() as work:
        for frame in [*frames, received("other", BANK)]:
            work.received_frames.add(frame, [])

        assert work.received_frames.headers(AGENCY, 3) == [frame.header for frame in frames[1:]]
        assert work.received_frames.headers(AGENCY, 10) == [frame.header for frame in frames]


def test_a_frame_id_is_unique_to_its_sender_and_the_first_one_is_meant(store: Store) -> None:
    with store.write() as work:
        work.received_frames.add(received("frame", AGENCY), [copy("frame", "a")])

        assert work.received_frames.add(received("frame", BANK), [copy("frame", "b")])
        assert work.received_frames.find(short("frame")) == received("frame", AGENCY)
        assert work.received_frames.copies(short("frame")) == [copy("frame", "a")]
