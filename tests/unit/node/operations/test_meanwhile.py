"""What is done while something else waits is over with it, whatever becomes of either."""

import signal
from collections.abc import Iterator
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Event, Thread, get_ident

import pytest

from node.operations import meanwhile as room
from node.operations.meanwhile import Acting, meanwhile

Waits = SimpleQueue[None]


@pytest.fixture
def heard() -> Iterator[None]:
    """Interruptions raise KeyboardInterrupt here, which they do not in whatever a shell started in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> Waits:
    """Gets something whenever somebody begins to wait for an act, so that nothing has to be timed."""
    begun: Waits = SimpleQueue()
    wait = Acting.wait

    def telling(acting: Acting) -> None:
        begun.put(None)
        wait(acting)

    monkeypatch.setattr(Acting, "wait", telling)
    return begun


def test_the_act_goes_on_while_the_body_does() -> None:
    begun, end = Event(), Event()

    def act() -> None:
        begun.set()
        assert end.wait(10)

    with meanwhile(act):
        assert begun.wait(10)
        end.set()


def test_it_is_over_behind_the_body(waits: Waits) -> None:
    done = list[bool]()

    def act() -> None:
        waits.get(timeout=10)
        done.append(True)

    with meanwhile(act):
        pass

    assert done == [True]


def test_what_it_raises_is_raised_behind_the_body() -> None:
    went_on = list[bool]()

    def act() -> None:
        raise LookupError

    def both() -> None:
        with meanwhile(act) as acting:
            acting.wait()
            went_on.append(True)

    with pytest.raises(LookupError):
        both()

    assert went_on == [True]


def test_what_the_body_raises_comes_first_and_still_waits_for_the_act(waits: Waits) -> None:
    done = list[bool]()

    def act() -> None:
        waits.get(timeout=10)
        done.append(True)
        raise LookupError

    with pytest.raises(ZeroDivisionError), meanwhile(act):
        raise ZeroDivisionError

    assert done == [True]


@pytest.mark.usefixtures("heard")
def test_whoever_interrupts_the_waiting_is_heard_when_the_act_is_over(waits: Waits) -> None:
    done, main = list[bool](), get_ident()

    def act() -> None:
        waits.get(timeout=10)
        signal.pthread_kill(main, signal.SIGINT)
        with suppress(Empty):  # a signal just before Python blocks is heard only behind that
            waits.get(timeout=1)
        done.append(True)

    with pytest.raises(KeyboardInterrupt), meanwhile(act):
        pass

    assert done == [True]


def test_being_interrupted_again_and_again_it_waits_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    times, last_time, done = iter(range(1, 5)), Event(), list[bool]()
    wait = Acting.wait

    def interrupted(acting: Acting) -> None:
        if next(times) < 4:
            raise KeyboardInterrupt
        last_time.set()
        wait(acting)

    def act() -> None:
        assert last_time.wait(10)
        done.append(True)

    monkeypatch.setattr(Acting, "wait", interrupted)
    with pytest.raises(KeyboardInterrupt), meanwhile(act):
        pass

    assert done == [True]


def test_an_act_that_was_interrupted_before_it_began_never_does(monkeypatch: pytest.MonkeyPatch) -> None:
    began, late = list[bool](), list[Thread]()

    class Slow(Thread):
        def start(self) -> None:
            late.append(self)
            raise KeyboardInterrupt

    monkeypatch.setattr(room, "Thread", Slow)
    with pytest.raises(KeyboardInterrupt), meanwhile(lambda: began.append(True)):
        pass
    Thread.start(late[0])
    late[0].join()

    assert began == []


def test_where_there_can_be_no_more_threads_the_act_is_done_before_the_body(monkeypatch: pytest.MonkeyPatch) -> None:
    done = list[str]()

    class Refused(Thread):
        def start(self) -> None:
            raise RuntimeError

    monkeypatch.setattr(room, "Thread", Refused)
    with meanwhile(lambda: done.append("act")) as acting:
        acting.wait()
        done.append("body")

    assert done == ["act", "body"]
