"""Strict reading: one spelling for each message, and no content in what is said about the others."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from creditport.v1 import exchange_pb2, inspection_pb2
from hypothesis import given
from hypothesis import strategies as st

from agreements.refusal import Refusal
from node.wire import strict
from node.wire.errors import Misshapen
from node.wire.strict import read_message

KIND = exchange_pb2.QueryRequest
WHOLE = KIND(
    request_id=b"r" * 16,
    agreement=b"a" * 32,
    epoch=1,
    purpose="CROSS_BORDER_TRADE",
    asked=[exchange_pb2.KindSelection(kind="101", fields=["established"])],
    item=exchange_pb2.QueryItem(pseudonym=b"p" * 16),
).SerializeToString(deterministic=True)


def refusal_of(raw: bytes, largest: int = 1000) -> Refusal:
    with pytest.raises(Misshapen) as failure:
        read_message(raw, KIND, largest)
    return failure.value.refused.reason


def test_the_permitted_bytes_are_read() -> None:
    assert read_message(WHOLE, KIND, 1000).purpose == "CROSS_BORDER_TRADE"


def test_the_limit_itself_is_permitted_and_one_byte_more_is_not() -> None:
    assert read_message(WHOLE, KIND, len(WHOLE)).epoch == 1
    assert refusal_of(WHOLE, len(WHOLE) - 1) is Refusal.OVERSIZED


@pytest.mark.parametrize("cut", [1, 5, len(WHOLE) - 1])
def test_a_truncated_message_is_malformed(cut: int) -> None:
    assert refusal_of(WHOLE[:-cut]) is Refusal.MALFORMED


def test_an_unknown_field_is_named_as_such_at_the_top_and_within() -> None:
    inner = b"\x0a\x10" + b"p" * 16 + b"\xf8\x07\x01"

    assert refusal_of(WHOLE + b"\xf8\x07\x01") is Refusal.UNKNOWN_FIELD
    assert refusal_of(b"\x32" + bytes([len(inner)]) + inner) is Refusal.UNKNOWN_FIELD


@pytest.mark.parametrize(
    "raw",
    [
        b"\x18\x81\x00",
        b"\x18\x01\x18\x01",
        b"\x18\x00",
        b"\x22\x01A\x18\x01",
        b"\x22\x02\xc3\x28",
        b"\x18\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
    ],
    ids=["long number", "duplicate", "explicit default", "disorder", "not UTF-8", "number above 32 bits"],
)
def test_every_other_spelling_is_malformed(raw: bytes) -> None:
    assert refusal_of(raw) is Refusal.MALFORMED


torn_messages = st.integers(0, len(WHOLE) - 1).map(lambda at: WHOLE[:at] + b"\x01" + WHOLE[at:])


def read_or_refused(raw: bytes) -> bytes | Refusal:
    try:
        message = read_message(raw, KIND, 1000)
    except Misshapen as bad:
        return bad.refused.reason
    return message.SerializeToString(deterministic=True)


@given(st.binary(max_size=64) | torn_messages)
def test_whatever_is_read_is_written_as_the_same_bytes(raw: bytes) -> None:
    assert read_or_refused(raw) in {raw, Refusal.MALFORMED, Refusal.UNKNOWN_FIELD}


@given(st.integers(0, 2**64 - 1))
def test_every_number_is_read_as_it_was_written(size: int) -> None:
    raw = inspection_pb2.ProveJournalRequest(old_size=size).SerializeToString(deterministic=True)

    assert read_message(raw, inspection_pb2.ProveJournalRequest, 128).old_size == size


@pytest.mark.parametrize(
    ("check", "good", "bad"),
    [
        (lambda value: strict.exactly("f", value, 3), b"abc", b"secret"),
        (lambda value: strict.some("f", value, 3), b"a", b""),
        (lambda value: strict.some("f", value, 3), b"abc", b"secret"),
        (lambda value: strict.at_most("f", value, 3), b"", b"secret"),
        (lambda value: strict.counted("f", value, 1, 2), ["a", "b"], ["secret"] * 3),
        (lambda value: strict.counted("f", value, 1, 2), ["a"], []),
        (lambda value: strict.all_exactly("f", value, 1), [b"a", b"b"], [b"a", b"secret"]),
        (lambda value: strict.matching("f", value, re.compile("[a-z]+")), "abc", "secret "),
        (lambda value: strict.ascending("f", value), ["a", "b"], ["secret", "secret"]),
        (lambda value: strict.ascending("f", value), [1, 2], [2, 1]),
    ],
)
def test_a_shape_is_checked_and_its_content_never_repeated(
    check: Callable[[Any], object], good: object, bad: object
) -> None:
    check(good)
    with pytest.raises(Misshapen) as failure:
        check(bad)

    assert failure.value.refused.reason is Refusal.MALFORMED
    assert failure.value.refused.detail.startswith("f: expected ")
    assert "secret" not in str(failure.value)
