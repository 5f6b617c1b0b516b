"""Check characters of GB 32100 (unified code), GB 11714 (organisation code) and ISO 17442 (LEI)."""

from operator import mul
from typing import Final

ALPHABET: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
"""The 31 characters of GB 32100: no I, O, S, V, Z."""

_VALUES: Final = bytes.maketrans(ALPHABET.encode(), bytes(range(31)))
_ORGANISATION_VALUES: Final = bytes.maketrans(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", bytes(range(36)))
_UNIFIED_WEIGHTS: Final = tuple(pow(3, place, 31) for place in range(17))
_ORGANISATION_WEIGHTS: Final = (3, 7, 9, 10, 5, 8, 4, 2)
_LEI_MODULUS: Final = 97


def unified_check(body: str) -> str:
    """The 18th character that belongs to the first 17 of a unified code; 31 is written 0 (GB 32100)."""
    values = body.encode().translate(_VALUES)
    return ALPHABET[-sum(map(mul, values, _UNIFIED_WEIGHTS)) % 31]


def organisation_check(body: str) -> str:
    """The ninth character of an organisation code of eight (GB 11714, modulus 11): 10 is X, 11 is 0.

    Letters count A = 10 .. Z = 35 here, unlike in the unified code around it.
    """
    values = body.encode().translate(_ORGANISATION_VALUES)
    return "0123456789X"[-sum(map(mul, values, _ORGANISATION_WEIGHTS)) % 11]


def lei_is_consistent(lei: str) -> bool:
    """Whether the 20 characters of an LEI give remainder 1 under ISO 7064 mod 97-10."""
    return int("".join(str(int(character, 36)) for character in lei)) % _LEI_MODULUS == 1
