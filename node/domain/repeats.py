"""Which records a file has stated already: remembered in a bounded space, however long the file is."""

from collections import deque
from collections.abc import Container, Sequence
from typing import Final

_WAYS: Final = 4
_SHELVES: Final = 2**20
_KEY_SIZE: Final = 8
_FULL_SIZE: Final = 32
_MOST_WAITING: Final = _SHELVES * _WAYS


class Repeats:
    """Remembers the source keys of one import, in at most 64 MiB.

    Each key belongs on one shelf, where the last four keys stay. So no key is taken for another, but a repetition can
    be missed behind many other rows: hardly ever in a file of a hundred thousand rows, in one of a million about one in
    three hundred, and in the same way every time. Keys wait, as many as there are places on shelves, until somebody
    asks: of rows that are all new nobody does.
    """

    __slots__ = ("_count", "_shelves", "_waiting")

    def __init__(self) -> None:
        # Untouched pages of it cost nothing.
        self._shelves = memoryview(bytearray(_SHELVES * _WAYS * _KEY_SIZE)).cast("Q")
        self._waiting = deque[_Batch]()
        self._count = 0

    def seen(self, source_keys: Sequence[bytes]) -> "Repeated":
        """The places of keys that came before, also in this list; from now on all of them did."""
        batch = _Batch(source_keys)
        self._waiting.append(batch)
        self._count += len(source_keys)
        while self._count > _MOST_WAITING:
            self.shelve()
        return Repeated(self, batch)

    def shelve(self) -> None:
        """Put the keys that wait longest on their shelves, and note which of them were there."""
        batch = self._waiting.popleft()
        numbers, kept, repeated = batch.given_up(), self._shelves, []
        for place, key in enumerate(numbers):
            shelf = _WAYS * (key % _SHELVES)
            newest, second, third, oldest = kept[shelf : shelf + _WAYS]
            if key in (newest, second, third, oldest):
                repeated.append(place)
            else:
                kept[shelf], kept[shelf + 1], kept[shelf + 2], kept[shelf + 3] = key, newest, second, third
        self._count -= len(numbers)
        batch.places = frozenset(repeated)


class _Batch:
    """Keys that came together, the first eight bytes of each; and the places of those that came before, if known."""

    __slots__ = ("_keys", "places")

    def __init__(self, source_keys: Sequence[bytes]) -> None:
        self._keys = memoryview(b"".join(source_keys)).cast("Q")[:: _FULL_SIZE // _KEY_SIZE].tobytes()
        self.places: frozenset[int] | None = None

    def given_up(self) -> list[int]:
        """The keys as numbers, which are kept no longer; 0 is an empty place on a shelf."""
        keys, self._keys = memoryview(self._keys).cast("Q"), b""
        return [number or 1 for number in keys.tolist()]


class Repeated(Container[int]):
    """The places of keys that came before; looked for when it is asked for the first time."""

    __slots__ = ("_batch", "_repeats")

    def __init__(self, repeats: Repeats, batch: _Batch) -> None:
        self._repeats = repeats
        self._batch = batch

    @property
    def is_known(self) -> bool:
        """Whether somebody asked, or it could not wait any more."""
        return self._batch.places is not None

    def __contains__(self, place: object) -> bool:
        while self._batch.places is None:
            self._repeats.shelve()
        return place in self._batch.places
