"""The port PushedFrames."""

from node.operations.ports import Store
from node.operations.rows import PushTally
from tests.contracts.examples import (
    BANK,
    NOON,
    minutes,
    pushed,
    receipts,
    sent,
    short,
    shown,
    stock,
    stock_named,
)


def test_pushes_under_an_agreement_are_numbered_from_one_without_a_gap(store: Store) -> None:
    stocked = stock(store)
    with store.write() as work:
        numbers = [work.pushed_frames.next_sequence(stocked.agreement_no) for _ in range(3)]
        others = [work.pushed_frames.next_sequence(stocked.other_no)]
        work.commit()

    with store.write() as work:
        numbers.append(work.pushed_frames.next_sequence(stocked.agreement_no))
    assert numbers == [1, 2, 3, 4]
    assert others == [1]


def test_a_number_of_an_undone_unit_is_given_again(store: Store) -> None:
    stocked = stock(store)
    numbers = []
    for _ in range(2):
        with store.write() as work:
            numbers.append(work.pushed_frames.next_sequence(stocked.agreement_no))

    assert numbers == [1, 1]


def test_frames_of_a_job_wait_in_the_order_in_which_they_were_made(store: Store) -> None:
    number = stock(store).agreement_no
    frames = [pushed(f"frame {place}", number, job=7, sequence=place) for place in (3, 1, 2)]
    with store.write() as work:
        work.sent_frames.add([frames[0], pushed("another job's", number, job=8), frames[1]])
        work.sent_frames.add([pushed("no job's", number), sent("answer", number), frames[2]])

        assert work.pushed_frames.waiting(7, 10) == frames
        assert work.pushed_frames.waiting(7, 2) == frames[:2]
        assert work.pushed_frames.waiting(9, 10) == []


def test_an_answered_frame_waits_no_more_and_its_body_is_gone(store: Store) -> None:
    number = stock(store).agreement_no
    frames = [pushed(name, number, job=7) for name in ("taken", "refused", "waiting")]
    with store.write() as work:
        work.sent_frames.add(frames)
        work.pushed_frames.answered({short("taken"): None, short("refused"): "NOT_DEIDENTIFIED"}, minutes(1))
        work.pushed_frames.answered({}, minutes(1))

        assert work.pushed_frames.waiting(7, 10) == [frames[2]]
        assert [work.pushed_frames.find(one.frame) for one in frames] == [None, None, frames[2]]
        assert [row.body for _, row, _ in work.sent_frames.page(0, 10)] == [b"", b"", frames[2].body]


def test_what_was_said_first_of_a_frame_stays(store: Store) -> None:
    number = stock(store).agreement_no
    with store.write() as work:
        work.sent_frames.add([pushed(name, number, job=7) for name in ("taken", "refused")])
        work.pushed_frames.answered({short("taken"): None, short("refused"): "OVERSIZED"}, minutes(1))
        work.pushed_frames.answered({short("taken"): "OVERSIZED", short("refused"): None}, minutes(2))
        work.pushed_frames.answered({short("taken"): None, short("refused"): "MALFORMED"}, minutes(3))

        assert work.pushed_frames.tally(7) == PushTally(
            taken=1, cancelled=0, refused=((short("refused"), "OVERSIZED"),)
        )


def test_what_is_said_of_unknown_frames_and_of_answers_changes_nothing(store: Store) -> None:
    number = stock(store).agreement_no
    answer = sent("answer", number)
    with store.write() as work:
        work.sent_frames.add([answer, pushed("push", number, job=7)])
        work.pushed_frames.answered({short("unknown"): None, answer.frame: None}, minutes(1))

        assert work.pushed_frames.find(answer.frame) == answer
        assert work.pushed_frames.tally(7) == PushTally(taken=0, cancelled=0, refused=())


def test_a_cancelled_frame_waits_no_more(store: Store) -> None:
    stocked = stock_named(store)
    number = stocked.agreement_no
    with store.write() as work:
        work.sent_frames.add([pushed(name, number, job=7) for name in "fg"])
        work.ledger.disclose([shown(number, stocked.records[0], "f")], NOON)
        work.sent_frames.withdraw([stocked.records[0]], minutes(1))

        assert work.pushed_frames.waiting(7, 10) == [pushed("g", number, job=7)]
        assert work.pushed_frames.find(short("f")) is None
        assert work.pushed_frames.tally(7) == PushTally(taken=0, cancelled=1, refused=())


def test_a_receipted_frame_that_was_not_answered_waits_for_the_answer(store: Store) -> None:
    frame = pushed("frame", stock(store).agreement_no, job=7)
    with store.write() as work:
        work.sent_frames.add([frame])
        work.sent_frames.receipt(BANK, [(frame.frame, frame.header_digest, minutes(1))], receipts())

        assert work.pushed_frames.waiting(7, 10) == [frame]


def test_the_tally_of_a_job_counts_its_frames_and_names_the_refused_ones(store: Store) -> None:
    stocked = stock_named(store)
    number = stocked.agreement_no
    names = ["t1", "r1", "t2", "c1", "t3", "r2", "waiting"]
    with store.write() as work:
        work.sent_frames.add([pushed(name, number, job=7) for name in names])
        work.sent_frames.add([pushed("another", number, job=8), pushed("none", number)])
        work.ledger.disclose([shown(number, stocked.records[0], "c1")], NOON)
        said = dict.fromkeys(map(short, ("t1", "t2", "t3", "another", "none")))
        work.pushed_frames.answered(said | {short("r2"): "OVERSIZED", short("r1"): "EXPIRED"}, minutes(1))
        work.sent_frames.withdraw([stocked.records[0]], minutes(2))

        assert work.pushed_frames.tally(7) == PushTally(
            taken=3, cancelled=1, refused=((short("r1"), "EXPIRED"), (short("r2"), "OVERSIZED"))
        )
        assert work.pushed_frames.tally(8) == PushTally(taken=1, cancelled=0, refused=())
        assert work.pushed_frames.tally(9) == PushTally(taken=0, cancelled=0, refused=())


def test_a_frame_is_found_while_its_body_is_there(store: Store) -> None:
    number = stock(store).agreement_no
    replacement, answer = pushed("replacement", number), sent("answer", number)
    with store.write() as work:
        work.sent_frames.add([replacement, answer])
        before = [work.pushed_frames.find(one.frame) for one in (replacement, answer)]
        work.pushed_frames.answered({replacement.frame: None}, minutes(1))
        work.erasures.forget_bodies(minutes(1))

        assert before == [replacement, answer]
        assert [work.pushed_frames.find(one.frame) for one in (replacement, answer)] == [None, None]
        assert work.pushed_frames.find(short("unknown")) is None
