"""What is done while something else waits is over with it, whatever becomes of either."""

import signal
from threading import Event, current_thread, get_ident

import pytest

from node.operations.meanwhile import meanwhile


def test_the_act_goes_on_while_the_body_does() -> None:
    begun, end = Event(), Event()

    def act() -> None:
        begun.set()
        assert end.wait(10)

    with meanwhile(act):
        assert begun.wait(10)
        end.set()


def test_it_is_over_behind_the_body() -> None:
    body_is_over, done = Event(), list[bool]()

    def act() -> None:
        done.append(body_is_over.wait(10))

    with meanwhile(act):
        body_is_over.set()

    assert done == [True]


def test_what_it_raises_is_raised_behind_the_body() -> None:
    went_on = []

    def act() -> None:
        raise LookupError

    with pytest.raises(LookupError), meanwhile(act):
        went_on.append(True)

    assert went_on == [True]


def test_what_the_body_raises_comes_first_and_still_waits_for_the_act() -> None:
    done = []

    def act() -> None:
        done.append(current_thread())
        raise LookupError

    with pytest.raises(ZeroDivisionError), meanwhile(act):
        raise ZeroDivisionError

    assert len(done) == 1
    assert not done[0].is_alive()


def test_whoever_interrupts_the_waiting_is_heard_when_the_act_is_over() -> None:
    done, main = list[bool](), get_ident()

    def act() -> None:
        signal.pthread_kill(main, signal.SIGINT)
        done.append(True)

    with pytest.raises(KeyboardInterrupt), meanwhile(act):
        pass

    assert done == [True]
