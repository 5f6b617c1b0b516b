"""Strict reading of protobuf: one permitted way to write each message, and exact shapes of fields.

Protobuf alone reads duplicate fields, non-minimal numbers and unknown fields without a word. Two nodes that
sign and digest what they exchange must agree on every byte, so a message is read only if writing it again
gives the same bytes.
"""

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Final, TypeVar

from google.protobuf.message import DecodeError, Message

from agreements.refusal import Refusal
from node.wire.errors import Misshapen

M = TypeVar("M", bound=Message)
V = TypeVar("V", str, int)

KIND: Final = re.compile(r"[A-Z0-9]{1,16}")
FIELD: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")
CODE: Final = re.compile(r"[A-Z][A-Z0-9_]{0,63}")


def read_message(raw: bytes, kind: type[M], largest: int) -> M:
    """Read exactly the deterministic bytes of one `kind`.

    Raises:
        Misshapen: OVERSIZED above `largest` bytes, UNKNOWN_FIELD for a field that version 1 lacks (at any
            depth), MALFORMED for truncation, duplicates, explicit defaults, disorder, and numbers written too
            long.
    """
    if len(raw) > largest:
        raise Misshapen(Refusal.OVERSIZED, f"message: expected at most {largest} bytes, got {len(raw)}")
    message = kind()
    try:
        message.ParseFromString(raw)
    except DecodeError:
        raise malformed("message", kind.DESCRIPTOR.full_name, "bytes that are none") from None
    message.DiscardUnknownFields()
    known = message.SerializeToString(deterministic=True)
    if known == raw:
        return message
    message.ParseFromString(raw)
    if message.SerializeToString(deterministic=True) != known:
        raise Misshapen(Refusal.UNKNOWN_FIELD, "message: expected fields of version 1 only, got others")
    raise malformed("message", "the shortest encoding, in field order", "another encoding")


def malformed(field: str, expected: str, got: str) -> Misshapen:
    """Say that a field is not as it must be; `got` describes the content and never repeats it."""
    return Misshapen(Refusal.MALFORMED, f"{field}: expected {expected}, got {got}")


def exactly(field: str, value: bytes, size: int) -> bytes:
    """Require `size` bytes."""
    if len(value) != size:
        raise malformed(field, f"{size} bytes", f"{len(value)}")
    return value


def some(field: str, value: bytes, largest: int) -> bytes:
    """Require 1 to `largest` bytes."""
    if not value:
        raise malformed(field, f"1 to {largest} bytes", "none")
    return at_most(field, value, largest)


def at_most(field: str, value: bytes, largest: int) -> bytes:
    """Require no more than `largest` bytes; none at all is fine."""
    if len(value) > largest:
        raise malformed(field, f"at most {largest} bytes", f"{len(value)}")
    return value


def counted(field: str, values: Sequence[object], least: int, most: int) -> None:
    """Require `least` to `most` values."""
    if not least <= len(values) <= most:
        raise malformed(field, f"{least} to {most} values", f"{len(values)}")


def all_exactly(field: str, values: Sequence[bytes], size: int) -> tuple[bytes, ...]:
    """Require `size` bytes of every value."""
    for value in values:
        if len(value) != size:
            raise malformed(field, f"{size} bytes each", f"{len(value)}")
    return tuple(values)


def matching(field: str, value: str, pattern: re.Pattern[str]) -> str:
    """Require that the whole text matches."""
    if pattern.fullmatch(value) is None:
        raise malformed(field, f"text like {pattern.pattern}", f"{len(value)} other characters")
    return value


def ascending(field: str, values: Sequence[V]) -> None:
    """Require strictly ascending values, so that each stands there once and a set has one spelling."""
    if any(right <= left for left, right in pairwise(values)):
        raise malformed(field, "ascending values, each once", "another order or a repetition")
