"""Stores that misbehave or tell on their callers, wrapped around a real one."""

import os
import signal
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any, cast

from node.operations.ports import Store, UnitOfWork
from node.storage.errors import DiskFull
from node.storage.store import SqlStore

Around = Callable[[str, Callable[..., Any]], Callable[..., Any]]
"""Makes of one call, by its path (`port.method`, or `commit`), the call that is done in its place."""


class _Wrapped:
    """A unit of work, or one of its stores, with every call passing by `around`."""

    def __init__(self, inner: Any, path: str, around: Around) -> None:
        self._inner, self._path, self._around = inner, path, around

    def __getattr__(self, name: str) -> Any:
        found, path = getattr(self._inner, name), f"{self._path}{name}"
        return self._around(path, found) if callable(found) else _Wrapped(found, path + ".", self._around)


class WrappedStore:
    """A store with every call to a port of its units passing by `around`, and each `compact` of the database too."""

    def __init__(self, inner: Store, around: Around) -> None:
        self.inner = inner
        self._around = around

    def write(self) -> AbstractContextManager[UnitOfWork]:
        return self._wrapped(self.inner.write())

    def read(self) -> AbstractContextManager[UnitOfWork]:
        return self._wrapped(self.inner.read())

    def data_version(self) -> int:
        return self.inner.data_version()

    def compact(self) -> None:
        self._around("compact", cast("SqlStore", self.inner).compact)()

    @contextmanager
    def _wrapped(self, unit: AbstractContextManager[UnitOfWork]) -> Iterator[UnitOfWork]:
        with unit as work:
            yield cast("UnitOfWork", _Wrapped(work, "", self._around))


class SpyingStore(WrappedStore):
    """Notes every call as `port.method`, in order."""

    def __init__(self, inner: Store) -> None:
        super().__init__(inner, self._noting)
        self.calls: list[str] = []

    def _noting(self, path: str, act: Callable[..., Any]) -> Callable[..., Any]:
        def noted(*facts: Any, **named: Any) -> Any:
            self.calls.append(path)
            return act(*facts, **named)

        return noted


class FullStore:
    """Has room for everything until it is to be made durable."""

    def __init__(self, inner: Store) -> None:
        self._inner = inner

    def read(self) -> AbstractContextManager[UnitOfWork]:
        return self._inner.read()

    def data_version(self) -> int:
        return self._inner.data_version()

    @contextmanager
    def write(self) -> Iterator[UnitOfWork]:
        with self._inner.write() as work:
            yield cast("UnitOfWork", _Wrapped(work, "", _around_commit))


def _around_commit(path: str, act: Callable[..., Any]) -> Callable[..., Any]:
    def fail() -> None:
        raise DiskFull("the disk is full; nothing of this transaction was kept")

    return fail if path == "commit" else act


@dataclass(slots=True)
class Counting:
    """Notes the calls of a member, once it is armed, and lets the process be killed at one of them.

    The process gets SIGKILL right `before` or right `after` the call with that number: nothing is tidied up, as when
    a machine loses its power but for what the operating system was already given.
    """

    before: int = 0
    after: int = 0
    armed: bool = False
    calls: list[str] = field(default_factory=list)

    def around(self, path: str, act: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*facts: Any, **named: Any) -> Any:
            if not self.armed:
                return act(*facts, **named)
            self.calls.append(path)
            place = len(self.calls)
            if place == self.before:
                os.kill(os.getpid(), signal.SIGKILL)
            done = act(*facts, **named)
            if place == self.after:
                os.kill(os.getpid(), signal.SIGKILL)
            return done

        return counted


def losing_rows(path: str) -> Around:
    """An `around` under which the call at `path` quietly drops the last of the rows that it is to keep.

    Where it gives numbers of rows, it gives one for the lost row too.
    """

    def around(called: str, act: Callable[..., Any]) -> Callable[..., Any]:
        def lose(rows: Any, *facts: Any) -> Any:
            said = act(rows[:-1], *facts)
            return defaultdict(int, said) if isinstance(said, dict) else said

        return lose if called == path else act

    return around


def doing_twice(path: str) -> Around:
    """An `around` under which the call at `path` is done twice."""

    def around(called: str, act: Callable[..., Any]) -> Callable[..., Any]:
        def twice(*facts: Any, **named: Any) -> Any:
            act(*facts, **named)
            return act(*facts, **named)

        return twice if called == path else act

    return around


def forgetting(path: str) -> Around:
    """An `around` under which the call at `path` is said to be done and is not."""

    def around(called: str, act: Callable[..., Any]) -> Callable[..., Any]:
        return (lambda *_, **__: 0) if called == path else act

    return around
