"""Which records a file has stated already: remembered in a fixed space, however long the file is."""

from array import array
from typing import Final

_WAYS: Final = 4
_SHELVES: Final = 2**20
_KEY_SIZE: Final = 8


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

    def has_seen(self, source_key: bytes) -> bool:
        """Whether this key came before; from now on it did."""
        key = int.from_bytes(source_key[:_KEY_SIZE]) or 1
        shelf = _WAYS * (key % _SHELVES)
        keys = self._keys[shelf : shelf + _WAYS].tolist()
        if key in keys:
            return True
        self._keys[shelf : shelf + _WAYS] = memoryview(array("Q", [key, *keys[:-1]]))
        return False
