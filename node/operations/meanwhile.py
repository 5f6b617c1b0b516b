"""Waiting for the disk while something else goes on."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock, Thread


@contextmanager
def meanwhile(act: Callable[[], None]) -> Iterator["Acting"]:
    """Do `act` in a thread of its own while the body goes on; both are over behind it, whatever happens.

    It is for an act that waits, as a commit does. What it raises is raised behind the body, if that raised nothing.
    Whoever interrupts is heard only then: a commit is never left half done.
    """
    acting = Acting(act)
    thread = Thread(target=acting.run)
    try:
        try:
            thread.start()
        except RuntimeError:  # there can be no more threads: one after the other, then
            acting.run()
        yield acting
    finally:
        # A thread without an identity was interrupted while it was started: if the act has not begun, it never will.
        if thread.ident is not None or not acting.forestall():
            _wait_for(acting)
    if acting.error is not None:
        raise acting.error


class Acting:
    """An act that another thread does. Only locks, which an interruption leaves either taken or free."""

    def __init__(self, act: Callable[[], None]) -> None:
        self.error: BaseException | None = None
        self.is_over = False
        self._act = act
        self._begins, self._goes_on = Lock(), Lock()
        self._goes_on.acquire()

    def run(self) -> None:
        """Do it, once."""
        if not self.forestall():
            return
        try:
            self._act()
        except BaseException as error:  # noqa: BLE001 - raised where the body ends
            self.error = error
        finally:
            self.is_over = True
            self._goes_on.release()

    def forestall(self) -> bool:
        """Whether it had not begun; nobody else begins it now."""
        return self._begins.acquire(blocking=False)

    def wait(self) -> None:
        """Wait until it is over. Only one thread waits; being interrupted, it may wait again."""
        if not self.is_over:
            self._goes_on.acquire()


def _wait_for(acting: Acting) -> None:
    """Wait however often that is interrupted. `Thread.join` gives a thread up that it was interrupted waiting for."""
    interrupted: KeyboardInterrupt | None = None
    while not acting.is_over:
        try:
            acting.wait()
        except KeyboardInterrupt as error:
            interrupted = error
    if interrupted is not None:
        raise interrupted
