"""Stores that misbehave or tell on their callers, wrapped around a real one."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, cast

from node.operations.ports import Store, UnitOfWork
from node.storage.errors import DiskFull


class _Wrapped:
    """A unit of work, or one of its stores, with every call passing by `around`."""

    def __init__(self, inner: Any, path: str, around: Callable[[str, Callable[..., Any]], Callable[..., Any]]) -> None:
        self._inner, self._path, self._around = inner, path, around

    def __getattr__(self, name: str) -> Any:
        found, path = getattr(self._inner, name), f"{self._path}{name}"
        return self._around(path, found) if callable(found) else _Wrapped(found, path + ".", self._around)


class SpyingStore:
    """Notes every call as `port.method`, in order."""

    def __init__(self, inner: Store) -> None:
        self._inner = inner
        self.calls: list[str] = []

    def write(self) -> AbstractContextManager[UnitOfWork]:
        return self._spied(self._inner.write())

    def read(self) -> AbstractContextManager[UnitOfWork]:
        return self._spied(self._inner.read())

    @contextmanager
    def _spied(self, unit: AbstractContextManager[UnitOfWork]) -> Iterator[UnitOfWork]:
        with unit as work:
            yield cast("UnitOfWork", _Wrapped(work, "", self._around))

    def _around(self, path: str, act: Callable[..., Any]) -> Callable[..., Any]:
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

    @contextmanager
    def write(self) -> Iterator[UnitOfWork]:
        with self._inner.write() as work:
            yield cast("UnitOfWork", _Wrapped(work, "", _around_commit))


def _around_commit(path: str, act: Callable[..., Any]) -> Callable[..., Any]:
    def fail() -> None:
        raise DiskFull("the disk is full; nothing of this transaction was kept")

    return fail if path == "commit" else act
