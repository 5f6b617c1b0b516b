"""Which records a file has stated already: remembered in a fixed space, however long the file is."""

from collections.abc import Sequence
from typing import Final

_WAYS: Final = 4
_SHELVES: Final = 2**20
_KEY_SIZE: Final = 8
_FULL_SIZE: Final = 32


class Repeats:
    """Remembers the source keys of one import, in at most 32 MiB.

    Each key belongs on one shelf, where the last four keys stay. So no key is taken for another, but a repetition can
    be missed behind many other rows: hardly ever in a file of a hundred thousand rows, in one of a million about one in
    three hundred, and in the same way every time.
    """

    __slots__ = ("_keys",)

    def __init__(self) -> None:
        # Untouched pages of it cost nothing.
        self._keys = memoryview(bytearray(_SHELVES * _WAYS * _KEY_SIZE)).cast("Q")

    def seen(self, source_keys: Sequence[bytes]) -> frozenset[int]:
        """The places of keys that came before, also in this list; from now on all of them did."""
        kept, repeated = self._keys, []
        for place, key in enumerate(_numbers(source_keys)):
            shelf = _WAYS * (key % _SHELVES)
            newest, second, third, oldest = kept[shelf : shelf + _WAYS]
            if key in (newest, second, third, oldest):
                repeated.append(place)
            else:
                kept[shelf], kept[shelf + 1], kept[shelf + 2], kept[shelf + 3] = key, newest, second, third
        return frozenset(repeated)


def _numbers(source_keys: Sequence[bytes]) -> list[int]:
    """The first eight bytes of each key as a number; 0 is an empty place on a shelf."""
    return [number or 1 for number in memoryview(b"".join(source_keys)).cast("Q")[:: _FULL_SIZE // _KEY_SIZE].tolist()]
