"""Canonical JSON: one way to write, and strict reading."""

from datetime import UTC, date, datetime, timedelta, timezone
from enum import IntEnum, StrEnum
from typing import Any

import msgspec
import pytest

from crypto.canonical import Base64, Hex16, Hex32, canonical, from_base64, instant, read, to_base64
from crypto.errors import Malformed, UnknownField


class Colour(StrEnum):
    RED = "red"


class Level(IntEnum):
    LOW = 1


class Inner(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    count: int = 0


class Outer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    when: datetime
    inner: Inner
    more: tuple[Inner, ...] = ()
    day: date | None = None


class Tagged(msgspec.Struct, frozen=True, tag="tagged", tag_field="type", forbid_unknown_fields=True):
    after: int
    zero: int


class Row(msgspec.Struct, frozen=True, array_like=True, tag=True):
    second: int
    first: str


class Renamed(msgspec.Struct, frozen=True, rename="camel"):
    z_first: int
    a_second: int


class Sealed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    short: Hex16
    long: Hex32
    blob: Base64


NOON = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)


def test_struct_fields_are_written_in_order_of_their_names() -> None:
    assert canonical(Outer(when=NOON, inner=Inner("a", 1))) == (
        b'{"day":null,"inner":{"count":1,"name":"a"},"more":[],"when":"2026-11-23T12:00:00Z"}'
    )


def test_keys_are_ordered_by_utf16_code_units() -> None:
    assert canonical({"\uffff": 1, "\U0001f600": 2, "é": 3}) == '{"é":3,"\U0001f600":2,"\uffff":1}'.encode()


def test_an_instant_is_written_in_utc() -> None:
    hong_kong = timezone(timedelta(hours=8))

    assert instant(datetime(2026, 11, 23, 20, 0, 0, tzinfo=hong_kong)) == "2026-11-23T12:00:00Z"


def test_enums_are_written_by_value() -> None:
    assert canonical([Colour.RED, Level.LOW, {Colour.RED: True}]) == b'["red",1,{"red":true}]'


def test_a_day_is_written_as_iso() -> None:
    assert canonical(date(2026, 1, 2)) == b'"2026-01-02"'


def test_a_tagged_struct_keeps_its_tag_in_place() -> None:
    assert canonical(Tagged(1, 2)) == b'{"after":1,"type":"tagged","zero":2}'
    assert read(b'{"after":1,"type":"tagged","zero":2}', Tagged) == Tagged(1, 2)


def test_an_array_like_struct_keeps_its_own_order() -> None:
    assert canonical(Row(2, "x")) == b'["Row",2,"x"]'


def test_a_renamed_struct_is_ordered_by_the_written_names() -> None:
    assert canonical(Renamed(z_first=1, a_second=2)) == b'{"aSecond":2,"zFirst":1}'


@pytest.mark.parametrize(
    "value",
    [
        1.0,
        float("nan"),
        b"bytes",
        2**53,
        -(2**53),
        {1, 2},
        {1: "x"},
        NOON.replace(tzinfo=None),
        "\ud800",
        object(),
    ],
    ids=lambda one: type(one).__name__,
)
def test_what_has_no_canonical_form_is_refused(value: object) -> None:
    with pytest.raises(Malformed):
        canonical(value)


def test_a_fraction_of_a_second_is_refused() -> None:
    with pytest.raises(Malformed):
        canonical(NOON.replace(microsecond=1))


@pytest.mark.parametrize(
    "at", ["0001-01-01T00:00:00+01:00", "0001-01-01T00:00:00Z", "1899-12-31T23:59:59Z", "3000-01-01T00:00:00Z"]
)
def test_a_time_with_which_nobody_can_reckon_is_refused(at: str) -> None:
    """Tolerances and periods are added to the times in documents of others, which must not break the reader."""
    with pytest.raises(Malformed):
        read(b'"' + at.encode() + b'"', datetime)


def test_the_largest_exact_integers_are_written() -> None:
    assert canonical([2**53 - 1, -(2**53) + 1]) == b"[9007199254740991,-9007199254740991]"


def test_a_value_that_contains_itself_is_refused() -> None:
    endless: list[Any] = []
    endless.append(endless)

    with pytest.raises(Malformed):
        canonical(endless)


def test_what_was_written_is_read() -> None:
    value = Outer(when=NOON, inner=Inner("a", 1), more=(Inner("b"),), day=date(2026, 1, 1))

    assert read(canonical(value), Outer) == value


@pytest.mark.parametrize(
    "raw",
    [
        b'{"count":1,"name":"a"} ',
        b'{"name":"a","count":1}',
        b'{"count":1, "name":"a"}',
        b'{"count":1,"count":1,"name":"a"}',
        b'{"name":"a"}',
        b'{"count":1.0,"name":"a"}',
        b'{"count":1e0,"name":"a"}',
        b'{"count":9007199254740992,"name":"a"}',
        b'{"count":1,"name":"\\u0061"}',
        b'{"count":1,"name":"\xff"}',
        b'{"count":"1","name":"a"}',
        b"",
        b"null",
    ],
)
def test_any_other_spelling_is_refused(raw: bytes) -> None:
    with pytest.raises(Malformed):
        read(raw, Inner)


@pytest.mark.parametrize(
    "raw",
    [
        b'{"count":1,"name":"a","zz":1}',
        b'{"count":1,"name":"a","- at `$`":1}',
    ],
)
def test_an_unknown_field_is_named_so(raw: bytes) -> None:
    with pytest.raises(UnknownField):
        read(raw, Inner)


def test_an_unknown_field_is_recognised_at_any_depth() -> None:
    written = canonical(Outer(when=NOON, inner=Inner("a"), more=(Inner("b"),)))
    raw = written.replace(b'"name":"b"', b'"name":"b","x":0')

    with pytest.raises(UnknownField):
        read(raw, Outer)


def test_a_hostile_field_name_is_not_repeated_in_the_error() -> None:
    with pytest.raises(UnknownField) as caught:
        read(b'{"count":1,"name":"a","secret-name":1}', Inner)

    assert "secret-name" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


def test_more_than_the_limit_is_not_read() -> None:
    with pytest.raises(Malformed):
        read(b'{"count":1,"name":"a"}', Inner, limit=21)


def test_absurd_nesting_is_refused() -> None:
    with pytest.raises(Malformed):
        read(b"[" * 100_000 + b"]" * 100_000, list[Any])


@pytest.mark.parametrize("short", ["0" * 31, "0" * 33, "A" * 32, "0" * 32 + "\n", "g" * 32])
def test_hex_of_another_length_or_alphabet_is_refused(short: str) -> None:
    with pytest.raises(Malformed):
        read(canonical({"blob": "", "long": "0" * 64, "short": short}), Sealed)


def test_base64_round_trips() -> None:
    assert [from_base64(to_base64(bytes(range(size)))) for size in range(4)] == [bytes(range(n)) for n in range(4)]


@pytest.mark.parametrize("text", ["AB==", "AA=", "AA", "A A=", "AA==\n", "____", "AA==AA==", "é"])
def test_base64_has_one_spelling(text: str) -> None:
    with pytest.raises(Malformed):
        from_base64(text)
