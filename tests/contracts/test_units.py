"""What a unit of work promises, whatever is written in it."""

from threading import Event, Thread

import pytest

from node.operations.ports import Store
from tests.contracts.examples import NOON, entry, job, minutes


def _generation(store: Store) -> int:
    with store.read() as work:
        return work.generation.read()


def test_the_generation_of_a_new_store_is_zero_and_moves_by_one(store: Store) -> None:
    before = _generation(store)
    with store.write() as work:
        work.generation.move()
        work.commit()

    assert (before, _generation(store)) == (0, 1)


def test_a_unit_sees_what_it_wrote_itself(store: Store) -> None:
    with store.write() as work:
        work.generation.move()
        work.generation.move()

        assert work.generation.read() == 2


def test_nobody_sees_what_is_not_committed_yet(store: Store) -> None:
    with store.write() as work:
        work.generation.move()

        assert _generation(store) == 0


def test_leaving_a_unit_without_a_commit_undoes_everything(store: Store) -> None:
    with store.write() as work:
        work.generation.move()
        work.outbox.add(job("one"), NOON)
        work.journal.add([entry("one")])

    with store.read() as work:
        assert work.generation.read() == 0
        assert work.outbox.due(minutes(1), 10) == []
        assert work.journal.unsequenced(10) == []


def test_the_data_version_moves_when_a_unit_commits(store: Store) -> None:
    before = store.data_version()
    with store.write() as work:
        work.generation.move()
        work.commit()

    assert store.data_version() != before


def test_an_exception_inside_a_unit_undoes_everything_and_passes_on(store: Store) -> None:
    def fail_halfway() -> None:
        with store.write() as work:
            work.generation.move()
            raise LookupError("halfway")

    with pytest.raises(LookupError, match="halfway"):
        fail_halfway()

    assert _generation(store) == 0


def test_a_read_unit_sees_one_state_while_others_write(store: Store) -> None:
    with store.read() as reading:
        first = reading.generation.read()
        with store.write() as work:
            work.generation.move()
            work.commit()
        second = reading.generation.read()

    assert (first, second, _generation(store)) == (0, 0, 1)


def test_a_second_writer_begins_only_when_the_first_has_ended(store: Store) -> None:
    about_to_begin, order = Event(), []

    def second() -> None:
        about_to_begin.set()
        with store.write() as work:
            order.append(f"second begins at {work.generation.read()}")

    with store.write() as work:
        thread = Thread(target=second)
        thread.start()
        about_to_begin.wait()
        work.generation.move()
        order.append("first commits")
        work.commit()
    thread.join()

    assert order == ["first commits", "second begins at 1"]


def test_no_step_of_many_concurrent_writers_is_lost(store: Store) -> None:
    def write_often() -> None:
        for _ in range(25):
            with store.write() as work:
                work.generation.move()
                work.commit()

    threads = [Thread(target=write_often) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert _generation(store) == 100


def test_a_committed_unit_is_over(store: Store) -> None:
    with store.write() as work:
        work.commit()

        with pytest.raises(Exception, match=r"closed|ended"):
            work.generation.move()
        with pytest.raises(RuntimeError, match="ended"):
            work.commit()

    assert _generation(store) == 0


def test_a_unit_that_was_left_is_over(store: Store) -> None:
    with store.write() as work:
        pass

    with pytest.raises(Exception, match=r"closed|ended"):
        work.generation.move()
    assert _generation(store) == 0
