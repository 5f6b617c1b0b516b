"""The port Outbox."""

from dataclasses import replace

import pytest

from node.domain.jobs import Job, JobKind, JobState
from node.operations.ports import Store
from tests.contracts.examples import BANK, NOON, job, minutes


def test_a_queued_job_is_due_at_once_and_comes_back_whole(store: Store) -> None:
    with store.write() as work:
        number = work.outbox.add(job("one", give_up_at=minutes(30)), NOON)

        expected = Job(
            number=number,
            kind=JobKind.QUERY,
            peer=BANK,
            key="one",
            payload=b"{}",
            state=JobState.WAITING,
            attempts=0,
            next_at=NOON,
            give_up_at=minutes(30),
            result=None,
        )
        assert work.outbox.find(number) == expected
        assert work.outbox.due(NOON, 10) == [expected]
        assert work.outbox.due(minutes(-1), 10) == []
        assert work.outbox.find(number + 1) is None


def test_the_same_key_again_is_the_first_job(store: Store) -> None:
    with store.write() as work:
        first = work.outbox.add(job("one"), NOON)
        other = work.outbox.add(job("two"), NOON)

        assert work.outbox.add(job("one", give_up_at=minutes(1)), minutes(5)) == first != other
        assert [one.give_up_at for one in work.outbox.due(minutes(9), 10)] == [None, None]


def test_what_has_waited_longest_is_due_first(store: Store) -> None:
    with store.write() as work:
        late, early, soon = (work.outbox.add(job(str(at)), minutes(at)) for at in (3, 1, 2))

        assert [one.number for one in work.outbox.due(minutes(9), 10)] == [early, soon, late]
        assert [one.number for one in work.outbox.due(minutes(2), 10)] == [early, soon]
        assert [one.number for one in work.outbox.due(minutes(9), 1)] == [early]


def test_a_retried_job_waits_and_remembers_what_is_known_by_now(store: Store) -> None:
    with store.write() as work:
        number = work.outbox.add(job("one"), NOON)
        work.outbox.retry(number, minutes(3), b'{"step":2}')
        work.outbox.retry(number, minutes(1))
        work.outbox.retry(number, minutes(2))

        assert work.outbox.due(minutes(1), 10) == []
        (again,) = work.outbox.due(minutes(2), 10)
        assert (again.attempts, again.payload) == (2, b'{"step":2}')


def test_a_job_that_waits_keeps_why_its_last_try_failed_until_it_goes_on_or_ends(store: Store) -> None:
    with store.write() as work:
        number = work.outbox.add(job("one"), NOON)
        kept = []
        for why in (b"first", b"second"):
            work.outbox.retry(number, minutes(1), why=why)
            kept += [one.result for one in work.outbox.due(minutes(1), 10)]
        work.outbox.retry(number, minutes(1), b"{}")
        kept += [one.result for one in work.outbox.due(minutes(1), 10)]
        work.outbox.retry(number, minutes(1), why=b"third")
        work.outbox.finish(number, b"result", minutes(1), failed=False)
        closed = work.outbox.find(number)

        assert kept == [b"first", b"second", None]
        assert closed is not None
        assert closed.result == b"result"


def test_a_job_that_went_on_is_tried_again_soon(store: Store) -> None:
    """Steps are no failed tries: after two hundred of them the next try would be hours away."""
    with store.write() as work:
        number = work.outbox.add(job("one"), NOON)
        work.outbox.retry(number, minutes(1))
        for step in range(3):
            work.outbox.retry(number, minutes(2), b"%d" % step)

        (again,) = work.outbox.due(minutes(2), 10)
        assert (again.attempts, again.payload) == (0, b"2")


def test_a_job_that_is_put_off_untried_keeps_its_tries_and_why_the_last_one_failed(store: Store) -> None:
    with store.write() as work:
        number = work.outbox.add(job("one"), NOON)
        work.outbox.retry(number, minutes(1), why=b"first")
        before = work.outbox.find(number)
        work.outbox.postpone(number, minutes(5))

        assert before is not None
        assert work.outbox.find(number) == replace(before, next_at=minutes(5))


def test_all_jobs_that_wait_are_counted(store: Store) -> None:
    with store.write() as work:
        assert work.outbox.waiting() == 0
        first, *_ = (work.outbox.add(job(str(at)), minutes(at)) for at in range(3))
        work.outbox.finish(first, b"{}", NOON, failed=True)

        assert work.outbox.waiting() == 2


@pytest.mark.parametrize(("failed", "state"), [(False, JobState.DONE), (True, JobState.FAILED)])
def test_a_closed_job_is_never_due_again_and_keeps_its_first_result(
    store: Store, failed: bool, state: JobState
) -> None:
    with store.write() as work:
        number = work.outbox.add(job("one"), NOON)
        work.outbox.finish(number, b"result", minutes(1), failed=failed)
        work.outbox.finish(number, b"another", minutes(2), failed=not failed)
        work.outbox.retry(number, minutes(3))
        work.outbox.postpone(number, minutes(3))

        closed = work.outbox.find(number)
        assert closed is not None
        assert (closed.state, closed.result, closed.attempts) == (state, b"result", 0)
        assert work.outbox.due(minutes(9), 10) == []
        assert work.outbox.add(job("one"), minutes(9)) == number


def test_a_lane_with_a_long_line_hides_no_other(store: Store) -> None:
    with store.write() as work:
        long = [work.outbox.add(job(f"long {place}"), NOON) for place in range(5)]
        other = work.outbox.add(replace(job("other"), kind=JobKind.PROVE), minutes(1))

        assert [one.number for one in work.outbox.due(minutes(2), 3)] == [long[0], other, long[1]]
