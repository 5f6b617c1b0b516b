"""Authorisations opened in processes of their own, many together.

libsodium gives up Python's global lock for each signature, and on a busy node every time it has to be waited for
again. Another process takes all the authorisations that came together for one message there and one back.
"""

import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection
from queue import SimpleQueue
from typing import Final, NamedTuple

import msgspec

from agreements.authorisation import OpenedAuthorisation, open_authorisation
from agreements.refusal import Refused
from crypto.keys import KeyId, PublicKey

FEW: Final = 8
"""So many are opened by the caller sooner than they could be sent away."""

Opening = OpenedAuthorisation | Refused | None
"""What came of opening one authorisation; None where none was presented."""


class Presented(NamedTuple):
    """The authorisations that came with one message, and the keys that may have signed them."""

    raws: tuple[bytes, ...]
    keys: Mapping[KeyId, PublicKey]


def open_all(presented: Sequence[Presented], rule_pack: str) -> list[list[Opening]]:
    """Open the authorisations of several messages, in order."""
    return [[open_authorisation(raw, one.keys, rule_pack) for raw in one.raws] for one in presented]


class AuthorisationPool:
    """Opens in `workers` processes; with 0 workers, or where there are few, in the caller.

    Safe to be used from several threads. Workers are spawned before the constructor returns, hold no secret, and end
    when the process that made them does. Where one died another takes its place, and the caller does its work.
    """

    def __init__(self, workers: int) -> None:
        self._idle: SimpleQueue[_Worker] = SimpleQueue()
        self._workers = workers
        for _ in range(workers):
            self._idle.put(_Worker())

    def open(self, presented: Sequence[Presented], rule_pack: str) -> list[list[Opening]]:
        """Open the authorisations of several messages, in order."""
        if not self._workers or sum(len(one.raws) for one in presented) <= FEW:
            return open_all(presented, rule_pack)
        worker = self._idle.get()
        try:
            return worker.open(presented, rule_pack)
        except (EOFError, OSError):
            worker.close()
            worker = _Worker()
            return open_all(presented, rule_pack)
        finally:
            self._idle.put(worker)

    def close(self) -> None:
        """End the workers after what they are doing; calling it again changes nothing."""
        workers, self._workers = self._workers, 0
        for _ in range(workers):
            self._idle.get().close()


class _Order(msgspec.Struct, array_like=True):
    presented: Sequence[Presented]
    rule_pack: str


class _Opened(msgspec.Struct, array_like=True):
    """An opening on its way: one of the two, or neither."""

    authorisation: OpenedAuthorisation | None
    refused: Refused | None

    @classmethod
    def of(cls, opening: Opening) -> "_Opened":
        return cls(opening, None) if isinstance(opening, OpenedAuthorisation) else cls(None, opening)


_encode = msgspec.msgpack.Encoder().encode
_orders = msgspec.msgpack.Decoder(_Order)
_answers = msgspec.msgpack.Decoder(list[list[_Opened]])


class _Worker:
    """One process and the line to it; used by one thread at a time."""

    def __init__(self) -> None:
        spawning = get_context("spawn")
        self._line, theirs = spawning.Pipe()
        self._process = spawning.Process(target=_work, args=(theirs,), name="authorisations", daemon=True)
        self._process.start()
        theirs.close()

    def open(self, presented: Sequence[Presented], rule_pack: str) -> list[list[Opening]]:
        """Have it open them; EOFError or OSError if it is gone."""
        self._line.send_bytes(_encode(_Order(presented, rule_pack)))
        answer = _answers.decode(self._line.recv_bytes())
        return [[one.authorisation or one.refused for one in message] for message in answer]

    def close(self) -> None:
        """Let it end, which it does when nobody is at the other end of its line."""
        self._line.close()
        self._process.join()


def _work(line: Connection) -> None:
    """What a worker does until its line ends; an interrupt at the terminal is for its parent to heed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with suppress(EOFError, OSError):
        while True:
            order = _orders.decode(line.recv_bytes())
            opened = open_all(order.presented, order.rule_pack)
            line.send_bytes(_encode([[_Opened.of(one) for one in message] for message in opened]))
