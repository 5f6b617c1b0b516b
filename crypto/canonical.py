"""Canonical JSON: one way to write a value, and strict typed reading (RFC 8785, without floats).

Written by msgspec, which sorts names by itself: what it would not write canonically is found first, and written from
a plain copy. That is ten times faster than the pure Python `rfc8785`; a property test holds the two byte-equal.
Reading decodes into a type, writes the result again and requires identical bytes, so duplicate keys, other orders,
white space, other spellings of a number and omitted defaults are all refused.
"""

from base64 import b64encode
from binascii import Error as BinasciiError
from binascii import a2b_base64
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from enum import Enum
from functools import cache
from typing import Annotated, Any, Final, TypeVar, cast

import msgspec

from crypto.errors import Malformed, UnknownField

T = TypeVar("T")

Hex16 = Annotated[str, msgspec.Meta(pattern=r"\A[0-9a-f]{32}\Z")]
"""16 bytes as 32 lower-case hex digits."""
Hex32 = Annotated[str, msgspec.Meta(pattern=r"\A[0-9a-f]{64}\Z")]
"""32 bytes as 64 lower-case hex digits."""
Base64 = Annotated[str, msgspec.Meta(pattern=r"\A[A-Za-z0-9+/]*={0,2}\Z")]
"""Standard padded base64; `from_base64` decides whether it is the canonical spelling."""

DEFAULT_LIMIT: Final = 1 << 20
"""The size above which `read` refuses to look, in bytes, unless told otherwise."""

SAFE_INTEGER: Final = (1 << 53) - 1
"""The largest magnitude that every JSON reader keeps exact."""

FIRST_YEAR: Final = 1900
LAST_YEAR: Final = 2999

_UNKNOWN_FIELD = "Object contains unknown field"
_encode = msgspec.json.Encoder().encode
_encode_sorted = msgspec.json.Encoder(order="sorted").encode
_ATOMS: Final = frozenset({str, bool, type(None), date})
"""Types whose every value msgspec writes canonically (or, a lone surrogate, not at all)."""


def canonical(value: object) -> bytes:
    """Write `value` the one permitted way.

    Takes msgspec Structs, dicts, lists, tuples, text, bool, None, enums (by value), integers below 2^53 in
    magnitude, dates, and aware datetimes of whole seconds (written in UTC as `YYYY-MM-DDTHH:MM:SSZ`).

    Raises:
        Malformed: for anything else, floats, bytes and naive datetimes among them.
    """
    try:
        return _encode_sorted(value) if _are_fit((value,)) else _encode(_plain(value))
    except UnicodeEncodeError:
        message = "text holds a lone surrogate"
    except RecursionError:
        message = "nested too deeply"
    raise Malformed(message)


def read(raw: bytes, kind: type[T], *, limit: int = DEFAULT_LIMIT) -> T:
    """Read exactly the canonical bytes of one `kind`.

    Raises:
        UnknownField: a field is not in the type, at any depth (Structs say `forbid_unknown_fields=True`).
        Malformed: anything else is not as `canonical` would have written it, or is longer than `limit`.
    """
    if len(raw) > limit:
        raise Malformed(f"longer than {limit} bytes")
    value: T = decode_with(_decoder(cast("Any", kind)), raw)
    if canonical(value) != raw:
        raise Malformed("not in canonical form")
    return value


def decode_with(decoder: "msgspec.json.Decoder[T]", raw: bytes) -> T:
    """Decode with a prepared typed decoder, in this room's errors; the caller checks canonical form."""
    try:
        return decoder.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as failure:
        unknown = str(failure).startswith(_UNKNOWN_FIELD)
    # msgspec's own text may quote a field name of the sender's choosing: neither repeat nor chain it.
    if unknown:
        raise UnknownField("an unknown field is present")
    raise Malformed("not JSON of the expected type")


def to_base64(raw: bytes) -> str:
    """Standard padded base64."""
    return b64encode(raw).decode("ascii")


def from_base64(text: str) -> bytes:
    """Bytes of `text`, refusing every spelling but the one `to_base64` writes."""
    try:
        raw = a2b_base64(text, strict_mode=True)
    except (BinasciiError, ValueError):
        raw = b""
    if to_base64(raw) != text:
        raise Malformed("not canonical base64")
    return raw


def instant(moment: datetime) -> str:
    """An aware datetime of whole seconds as `YYYY-MM-DDTHH:MM:SSZ`, in the years 1900 to 2999.

    Other years mean nothing here, and reckoning with them could leave the calendar.
    """
    if moment.utcoffset() is None:
        raise Malformed("a datetime without a time zone")
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise Malformed(f"a datetime outside the years {FIRST_YEAR} to {LAST_YEAR}")
    if moment.microsecond:
        raise Malformed("a datetime with a fraction of a second")
    universal = moment if moment.tzinfo is UTC else moment.astimezone(UTC)
    return universal.isoformat().removesuffix("+00:00") + "Z"


@cache
def _decoder(kind: Any) -> "msgspec.json.Decoder[Any]":
    return msgspec.json.Decoder(kind)


def _are_fit(values: Iterable[object]) -> bool:
    """Whether msgspec's own sorted writing of every value is the canonical one."""
    for value in values:
        kind = type(value)
        if kind not in _ATOMS and not _judge(cast("Any", kind))(value):
            return False
    return True


@cache
def _judge(kind: Any) -> Callable[[Any], bool]:
    """What tells whether values of a type are fit for msgspec."""
    if issubclass(kind, msgspec.Struct):
        return _is_fit_struct if _is_fit_layout(kind) else _is_unfit
    if issubclass(kind, Enum):
        return _is_fit_enum
    judges: dict[type, Callable[[Any], bool]] = {
        dict: _is_fit_dict,
        list: _are_fit,
        tuple: _are_fit,
        int: _is_exact,
        datetime: _is_fit_instant,
    }
    return judges.get(kind, _is_unfit)


def _is_unfit(_: object) -> bool:
    return False


def _is_fit_struct(value: msgspec.Struct) -> bool:
    return _are_fit(msgspec.structs.astuple(value))


def _is_fit_layout(kind: type[msgspec.Struct]) -> bool:
    """Whether every field is written, and no name but in ASCII: ordered alike by UTF-16 and by characters."""
    config = kind.__struct_config__
    names = "".join((*kind.__struct_encode_fields__, str(config.tag_field or "")))
    return not config.omit_defaults and names.isascii()


def _is_fit_dict(value: dict[object, object]) -> bool:
    return set(map(type, value)) <= {str} and "".join(cast("Any", value)).isascii() and _are_fit(value.values())


def _is_fit_enum(value: Enum) -> bool:
    return _are_fit((value.value,))


def _is_exact(number: int) -> bool:
    return -SAFE_INTEGER <= number <= SAFE_INTEGER


def _is_fit_instant(moment: datetime) -> bool:
    return moment.tzinfo is UTC and not moment.microsecond and FIRST_YEAR <= moment.year <= LAST_YEAR


def _plain(value: object) -> object:
    """The same value as dicts in RFC 8785 order, lists, text, integers, booleans and None."""
    kind = type(value)
    if kind is str or kind is bool or value is None:
        return value
    return _writer(cast("Any", kind))(value)


@cache
def _writer(kind: Any) -> Callable[[Any], object]:
    """What makes values of a type plain."""
    writers: tuple[tuple[type | tuple[type, ...], Callable[[Any], object]], ...] = (
        (msgspec.Struct, _plain_struct),
        (dict, _plain_dict),
        ((list, tuple), _plain_list),
        (Enum, _plain_enum),
        (int, _bounded),
        (str, str),
        (datetime, instant),
        (date, date.isoformat),
    )
    for family, write in writers:
        if issubclass(kind, family):
            return write
    raise Malformed(f"a {kind.__name__} cannot be written canonically")


def _plain_list(value: list[object] | tuple[object, ...]) -> object:
    return [_plain(item) for item in value]


def _plain_enum(value: Enum) -> object:
    return _plain(value.value)


def _bounded(number: int) -> int:
    if _is_exact(number):
        return number
    raise Malformed("an integer of 2^53 or more")


def _plain_dict(value: dict[object, object]) -> dict[str, object]:
    return {name: _plain(value[key]) for name, key in _ordered_keys(value)}


def _plain_struct(value: msgspec.Struct) -> object:
    array_like, layout, tag = _layout(type(value))
    if array_like:
        return [*tag.values(), *(_plain(getattr(value, attribute)) for _, attribute in layout)]
    plain: dict[str, object] = {name: _plain(getattr(value, attribute)) for name, attribute in layout}
    if tag:
        plain = dict(sorted((tag | plain).items(), key=_utf16_name))
    return plain


@cache
def _layout(kind: type[msgspec.Struct]) -> tuple[bool, tuple[tuple[str, str], ...], dict[str, str | int]]:
    """How a Struct type is written: as an array or not, (written name, attribute) in order, and its tag."""
    config = kind.__struct_config__
    pairs = list(zip(kind.__struct_encode_fields__, kind.__struct_fields__, strict=True))
    tag: dict[str, str | int] = {} if config.tag is None else {str(config.tag_field): config.tag}
    if config.array_like:
        return True, tuple(pairs), tag
    return False, tuple(sorted(pairs, key=_utf16_name)), tag


def _ordered_keys(value: dict[object, object]) -> list[tuple[str, object]]:
    """(written name, key) in the order of RFC 8785 3.2.3, by UTF-16 code units."""
    named: list[tuple[str, object]] = []
    for key in value:
        if not isinstance(key, str):
            raise Malformed("an object key that is not text")
        named.append((str(key.value) if isinstance(key, Enum) else key, key))
    return sorted(named, key=_utf16_name)


def _utf16_name(pair: tuple[str, object]) -> bytes:
    return pair[0].encode("utf-16-be")
