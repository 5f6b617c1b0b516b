"""Check characters of GB 32100 (unified code), GB 11714 (organisation code) and ISO 17442 (LEI)."""

from collections.abc import Sequence
from struct import unpack
from typing import Final

ALPHABET: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
"""The 31 characters of GB 32100: no I, O, S, V, Z."""

# The weights are the powers of 3 modulo 31, and 34 leaves 3: read backwards to base 34, a code is its weighted sum.
_UNIFIED_BASE: Final = 34
_UNIFIED_MODULUS: Final = 31
_UNIFIED_DIGITS: Final = bytes.maketrans(ALPHABET.encode(), b"0123456789abcdefghijklmnopqrstu")
# Its weights are the powers of 2 modulo 11, from the eighth down, and 13 leaves 2: to base 13 a code is half its sum.
_ORGANISATION_BASE: Final = 13
_ORGANISATION_MODULUS: Final = 11
_ORGANISATION_DIGITS: Final = bytes.maketrans(
    b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", bytes(b"0123456789a"[value % 11] for value in range(36))
)
_LEI_MODULUS: Final = 97

_UNIFIED_VALUES: Final = bytes.maketrans(ALPHABET.encode(), bytes(range(_UNIFIED_MODULUS)))
_UNIFIED_WEIGHTS: Final = [pow(3, place, _UNIFIED_MODULUS) for place in range(17)]
_ORGANISATION_VALUES: Final = bytes.maketrans(
    b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", bytes(value % _ORGANISATION_MODULUS for value in range(36))
)
_ORGANISATION_WEIGHTS: Final = [pow(2, 8 - place, _ORGANISATION_MODULUS) for place in range(8)]


def unified_check(body: str) -> str:
    """The 18th character that belongs to the first 17 of a unified code; 31 is written 0 (GB 32100)."""
    digits = body.encode().translate(_UNIFIED_DIGITS)
    return ALPHABET[-int(digits[::-1], _UNIFIED_BASE) % _UNIFIED_MODULUS]


def organisation_check(body: str) -> str:
    """The ninth character of an organisation code of eight (GB 11714, modulus 11): 10 is X, 11 is 0.

    Letters count A = 10 .. Z = 35 here, unlike in the unified code around it.
    """
    digits = body.encode().translate(_ORGANISATION_DIGITS)
    return "0123456789X"[-2 * int(digits, _ORGANISATION_BASE) % _ORGANISATION_MODULUS]


def unified_checks(columns: Sequence[str]) -> str:
    """As `unified_check`, of many at once: each column has the characters of all at one place, the 17 in order."""
    sums = _weighted(columns, _UNIFIED_VALUES, _UNIFIED_WEIGHTS)
    return "".join([ALPHABET[-one % _UNIFIED_MODULUS] for one in sums])


def organisation_checks(columns: Sequence[str]) -> str:
    """As `organisation_check`, of many at once, in eight columns."""
    sums = _weighted(columns, _ORGANISATION_VALUES, _ORGANISATION_WEIGHTS)
    return "".join(["0123456789X"[-one % _ORGANISATION_MODULUS] for one in sums])


def _weighted(columns: Sequence[str], values: bytes, weights: Sequence[int]) -> Sequence[int]:
    """The weighted sum of each code: all are added up as one large number, in which every code has two bytes.

    No sum gets as far as 2^16.
    """
    together, lanes = 0, bytearray(2 * len(columns[0]))
    for column, weight in zip(columns, weights, strict=True):
        lanes[::2] = column.encode().translate(values)
        together += weight * int.from_bytes(lanes, "little")
    return unpack(f"<{len(columns[0])}H", together.to_bytes(len(lanes), "little"))


def lei_is_consistent(lei: str) -> bool:
    """Whether the 20 characters of an LEI give remainder 1 under ISO 7064 mod 97-10."""
    return int("".join(str(int(character, 36)) for character in lei)) % _LEI_MODULUS == 1
