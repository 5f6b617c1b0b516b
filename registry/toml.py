"""TOML that people write: read whole, or refused as one kind of error, whatever the parser makes of it."""

import tomllib
from typing import Any, Final

from registry.errors import NotToml

_NUMBERS: Final = range(-(2**63), 2**63)
"""Whole numbers that TOML has every reader take; what others take of larger ones nobody says."""


def read_toml(text: str) -> dict[str, Any]:
    """The tables of a TOML 1.0 text, before it is known of what they are.

    Raises:
        NotToml: not TOML, nested deeper than can be read, or with a whole number that 64 bits do not hold. The
            message says where or what, and repeats nothing.
    """
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise NotToml(str(error)) from None
    except RecursionError:
        raise NotToml("nested too deeply") from None
    except ValueError:
        # Not the parser's own error: the interpreter makes no number of thousands of digits.
        raise NotToml("a number too large") from None
    _require_narrow(tables)
    return tables


def _require_narrow(tables: dict[str, Any]) -> None:
    left: list[Any] = [tables]
    while left:
        one = left.pop()
        if isinstance(one, dict):
            left += one.values()
        elif isinstance(one, list):
            left += one
        elif isinstance(one, int) and one not in _NUMBERS:
            raise NotToml("a number too large")
