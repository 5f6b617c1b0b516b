"""The ports SentFrames and ReceivedFrames."""

from node.operations.ports import Store
from tests.contracts.examples import AGENCY, BANK, copy, digest, minutes, received, sent, short, stock


def test_a_sent_frame_is_found_by_the_request_that_it_answers(store: Store) -> None:
    number = stock(store).agreement_no
    first, second = sent("first", number), sent("second", number)
    with store.write() as work:
        work.sent_frames.add([first, second])
        work.sent_frames.add([])

        asked = [second.request, digest("never asked"), second.request]
        assert work.sent_frames.answers(asked) == {second.request: second}
        assert work.sent_frames.answers([]) == {}


def test_a_receipt_is_noted_for_the_frame_and_header_that_were_sent(store: Store) -> None:
    number = stock(store).agreement_no
    frame = sent("frame", number)
    with store.write() as work:
        work.sent_frames.add([frame, sent("other", number)])

        assert work.sent_frames.receipt(frame.frame, frame.header_digest, b"batch", minutes(1))
        assert [row[2] for row in work.sent_frames.page(0, 10)] == [minutes(1), None]


def test_a_receipt_for_what_was_never_sent_is_refused(store: Store) -> None:
    frame = sent("frame", stock(store).agreement_no)
    with store.write() as work:
        work.sent_frames.add([frame])

        assert not work.sent_frames.receipt(short("unknown"), frame.header_digest, b"batch", minutes(1))
        assert not work.sent_frames.receipt(frame.frame, digest("another header"), b"batch", minutes(1))
        assert [row[2] for row in work.sent_frames.page(0, 10)] == [None]


def test_the_first_receipt_of_a_frame_stays(store: Store) -> None:
    frame = sent("frame", stock(store).agreement_no)
    with store.write() as work:
        work.sent_frames.add([frame])

        assert work.sent_frames.receipt(frame.frame, frame.header_digest, b"batch", minutes(1))
        assert work.sent_frames.receipt(frame.frame, frame.header_digest, b"later batch", minutes(2))
        assert [row[2] for row in work.sent_frames.page(0, 10)] == [minutes(1)]


def test_one_batch_receipts_many_frames(store: Store) -> None:
    number = stock(store).agreement_no
    frames = [sent(f"frame {place}", number) for place in range(3)]
    with store.write() as work:
        work.sent_frames.add(frames)
        for frame in frames:
            work.sent_frames.receipt(frame.frame, frame.header_digest, b"batch", minutes(1))

        assert [row[2] for row in work.sent_frames.page(0, 10)] == [minutes(1)] * 3


def test_sent_frames_are_paged_in_ascending_number(store: Store) -> None:
    number = stock(store).agreement_no
    frames = [sent(f"frame {place}", number) for place in range(5)]
    with store.write() as work:
        work.sent_frames.add(frames)
        first = work.sent_frames.page(0, 3)
        rest = work.sent_frames.page(first[-1][0], 3)

        assert [row for _, row, _ in [*first, *rest]] == frames


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
