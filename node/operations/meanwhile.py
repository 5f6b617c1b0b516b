"""Waiting for the disk while something else goes on."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread


@contextmanager
def meanwhile(act: Callable[[], None]) -> Iterator[None]:
    """Do `act` in a thread of its own while the body goes on; both are over behind it, whatever happens.

    It is for an act that waits, as a commit does. What it raises is raised behind the body, if that raised nothing.
    """
    raised: list[BaseException] = []

    def acting() -> None:
        try:
            act()
        except BaseException as error:  # noqa: BLE001 - raised where the body ends
            raised.append(error)

    thread = Thread(target=acting)
    try:
        thread.start()
        yield
    finally:
        _wait_for(thread)
    if raised:
        raise raised[0]


def _wait_for(thread: Thread) -> None:
    """Wait for its end even if somebody interrupts that, who is heard then."""
    interrupted: KeyboardInterrupt | None = None
    while thread.is_alive():
        try:
            thread.join()
        except KeyboardInterrupt as error:
            interrupted = error
    if interrupted is not None:
        raise interrupted
