"""Renditions, committed field by field, so that one field of one record can be shown later and proven.

Each field, null ones too, has its own random salt and its own digest; the commitment covers the digests in
the order of the field names, and the header. Salts are fresh for every rendition: two recipients' copies of
one record have no digest in common and cannot be joined.
"""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date
from functools import lru_cache
from hashlib import sha256
from typing import Annotated, Any, Final, Literal, cast

import msgspec

from crypto.canonical import SAFE_INTEGER, Hex16, Hex32, decode_with
from crypto.errors import BadProof, Malformed
from crypto.keys import Random, known_suite

Value = bool | int | str | tuple[str, ...] | None
"""What a field may hold."""

SALT_SIZE: Final = 16
MOST_FIELDS: Final = 256
LONGEST_NAME: Final = 128
LARGEST: Final = 256 * 1024
"""The longest rendition that is read, in bytes."""

_Type = Literal["n", "b", "i", "t", "l"]
_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=LONGEST_NAME)]
_Salt = Annotated[str, msgspec.Meta(min_length=22, max_length=22)]
_Integer = Annotated[int, msgspec.Meta(ge=-SAFE_INTEGER, le=SAFE_INTEGER)]
_SALTS: Final = re.compile(r"(?:[A-Za-z0-9_-]{21}[AQgw])*")
_TYPES: Final[dict[type, _Type]] = {type(None): "n", bool: "b", int: "i", str: "t", tuple: "l"}
_FIELD_LABEL: Final = b"creditport/field/v1"
_RENDITION_LABEL: Final = b"creditport/rendition/v1"


class RenditionHeader(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a rendition is of, for whom, and until when. Shows nothing in its repr."""

    agreement: Hex32
    alias: Hex16
    epoch: Annotated[int, msgspec.Meta(ge=0, le=0xFFFFFFFF)]
    kind: _Name
    profile: _Name
    pseudonym: Hex16
    suite: int
    valid_until: date | None
    version: Annotated[int, msgspec.Meta(ge=1, le=SAFE_INTEGER)]

    def __repr__(self) -> str:
        return "RenditionHeader(...)"


class Field(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """One field as the wire has it: name, type letter, value, salt (base64url, 22 characters)."""

    name: _Name
    type: _Type
    value: bool | _Integer | str | tuple[str, ...] | None
    salt: _Salt

    def __repr__(self) -> str:
        return "Field(...)"


DisclosedField = Field
"""A disclosed field shows the same four facts that the rendition holds."""


class Rendition(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The de-identified form of one record version, made for one agreement; fields ascend by name."""

    fields: Annotated[tuple[Field, ...], msgspec.Meta(min_length=1, max_length=MOST_FIELDS)]
    header: RenditionHeader

    def __repr__(self) -> str:
        return "Rendition(...)"

    def values(self) -> dict[str, Value]:
        """The values by field name."""
        return {field.name: field.value for field in self.fields}


class Presentation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Some fields of a rendition in the open, and of the others only the digests, in their places."""

    fields: Annotated[tuple[DisclosedField | Hex32, ...], msgspec.Meta(min_length=1, max_length=MOST_FIELDS)]
    header: RenditionHeader

    def __repr__(self) -> str:
        return "Presentation(...)"


# Struct fields are declared in canonical order, so msgspec's plain encoding is the canonical one.
_encode = msgspec.json.Encoder().encode
_rendition_decoder = msgspec.json.Decoder(Rendition)
_presentation_decoder = msgspec.json.Decoder(Presentation)


def make_rendition(header: RenditionHeader, values: Mapping[str, Value], random: Random) -> Rendition:
    """A rendition with fresh salts.

    Raises:
        Malformed: no field, too many, a name or a value that a rendition cannot carry.
    """
    if not 0 < len(values) <= MOST_FIELDS:
        raise Malformed(f"a rendition has 1 to {MOST_FIELDS} fields")
    known_suite(header.suite)
    names = sorted(values)
    salts = urlsafe_salts(random(SALT_SIZE * len(values)))
    fields = [make_field(name, values[name], salt) for name, salt in zip(names, salts, strict=True)]
    made = Rendition(fields=tuple(fields), header=header)
    try:
        _check_length(_encode(made))
    except UnicodeEncodeError:
        message = "text holds a lone surrogate"
    else:
        return made
    raise Malformed(message)


def encode(rendition: Rendition) -> bytes:
    """The canonical JSON bytes of a rendition."""
    return _encode(rendition)


def decode(raw: bytes) -> Rendition:
    """The rendition in `raw`: canonical, of a known suite, with ascending names and true types."""
    _check_length(raw)
    rendition = decode_with(_rendition_decoder, raw)
    check_fields(rendition.fields)
    known_suite(rendition.header.suite)
    _check_same(_encode(rendition), raw)
    return rendition


def commitment(rendition: Rendition) -> bytes:
    """The 32 bytes that stand for this rendition: H(label || H(header) || u32 count || field digests)."""
    # One decoding for all salts: 22 characters and "AA" are 18 bytes, the last two of them filling.
    salts = urlsafe_b64decode("".join([field.salt + "AA" for field in rendition.fields]))
    digests = [
        _digest(field, salts[at : at + SALT_SIZE])
        for field, at in zip(rendition.fields, range(0, len(salts), SALT_SIZE + 2), strict=True)
    ]
    return commit(_encode(rendition.header), digests)


def commit(header: bytes, digests: Sequence[bytes]) -> bytes:
    """The commitment to field digests in order under a header's canonical bytes."""
    count = len(digests).to_bytes(4, "big")
    return sha256(b"".join((_RENDITION_LABEL, sha256(header).digest(), count, *digests))).digest()


def field_digest(field: Field) -> bytes:
    """H(label || u32 len || name || salt || type letter || value)."""
    return _digest(field, urlsafe_b64decode(field.salt + "=="))


def _digest(field: Field, salt: bytes) -> bytes:
    before, after = around_salt(field)
    return sha256(before + salt + after).digest()


def around_salt(field: Field) -> tuple[bytes, bytes]:
    """What a field's digest covers before its salt, and behind it."""
    letter = field.type
    return _named(field.name), _LETTERS[letter] + _WRITERS[letter](field.value)


def make_field(name: str, value: Value, salt: str) -> Field:
    """A field with its type; Malformed for a name or a value that a rendition cannot carry."""
    return Field(_require_name(name), _require_value(value), value, salt)


def disclose(rendition: Rendition, names: Collection[str]) -> Presentation:
    """Show the named fields and only the digests of the others; Malformed when a name is not there."""
    if not {field.name for field in rendition.fields}.issuperset(names):
        raise Malformed("a field to disclose is not in the rendition")
    shown = tuple(field if field.name in names else field_digest(field).hex() for field in rendition.fields)
    return Presentation(fields=shown, header=rendition.header)


def verify_disclosure(presentation: Presentation) -> bytes:
    """The commitment that the presentation opens; the caller compares it with one it can prove.

    Raises:
        Malformed: the disclosed fields do not ascend by name, or a value is not of its type.
    """
    check_fields(_disclosed(presentation))
    known_suite(presentation.header.suite)
    digests = [
        field_digest(field) if isinstance(field, Field) else bytes.fromhex(field) for field in presentation.fields
    ]
    return commit(_encode(presentation.header), digests)


def require_commitment(presentation: Presentation, expected: bytes) -> None:
    """Accept a presentation only if it opens `expected`; BadProof otherwise."""
    if verify_disclosure(presentation) != expected:
        raise BadProof("the disclosed fields are not of the committed rendition")


def encode_presentation(presentation: Presentation) -> bytes:
    """The canonical JSON bytes of a presentation."""
    return _encode(presentation)


def decode_presentation(raw: bytes) -> Presentation:
    """The presentation in `raw`, which must be canonical."""
    _check_length(raw)
    presentation = decode_with(_presentation_decoder, raw)
    check_fields(_disclosed(presentation))
    _check_same(_encode(presentation), raw)
    return presentation


def _disclosed(presentation: Presentation) -> list[Field]:
    return [field for field in presentation.fields if isinstance(field, Field)]


def check_fields(fields: Sequence[Field]) -> None:
    """Malformed unless names ascend, values are of their types, and salts are canonical base64url."""
    before = ""
    for field in fields:
        if field.name <= before:
            raise Malformed("field names do not ascend")
        if _TYPES[type(field.value)] != field.type:
            raise Malformed("a field value is not of its type")
        before = field.name
    # Looked at together, which is four times as fast as one pattern for each; each is 22 characters long.
    if _SALTS.fullmatch("".join([field.salt for field in fields])) is None:
        raise Malformed("a salt is not canonical base64url")


def type_letter(value: object) -> _Type:
    """n, b, i, t or l for null, boolean, integer, text or list; Malformed for anything else."""
    letter = _TYPES.get(type(value))
    if letter is None:
        raise Malformed(f"a {type(value).__name__} is not a field value")
    return letter


def urlsafe_salts(raw: bytes) -> list[str]:
    """Sixteen random bytes each, as 22 characters of unpadded base64url."""
    # One encoding for all: each salt and two zero bytes are 24 characters, the last two of them filling.
    filled = b"".join([raw[at : at + SALT_SIZE] + b"\x00\x00" for at in range(0, len(raw), SALT_SIZE)])
    text = urlsafe_b64encode(filled).decode("ascii")
    return [text[at : at + 22] for at in range(0, len(text), 24)]


@lru_cache(maxsize=1024)
def _named(name: str) -> bytes:
    encoded = name.encode()
    return _FIELD_LABEL + len(encoded).to_bytes(4, "big") + encoded


def _require_name(name: str) -> str:
    if not 0 < len(name) <= LONGEST_NAME:
        raise Malformed(f"a field name has 1 to {LONGEST_NAME} characters")
    return name


def _require_value(value: Value) -> _Type:
    """The type letter of a value that a rendition can carry."""
    letter = type_letter(value)
    if letter == "i" and not -SAFE_INTEGER <= cast("int", value) <= SAFE_INTEGER:
        raise Malformed("an integer of 2^53 or more")
    if letter == "l" and not all(type(item) is str for item in cast("tuple[str, ...]", value)):
        raise Malformed("a list holds something that is not text")
    return letter


def _write_list(value: tuple[str, ...]) -> bytes:
    items = [item.encode() for item in value]
    return len(items).to_bytes(4, "big") + b"".join(len(item).to_bytes(4, "big") + item for item in items)


_LETTERS: Final[dict[_Type, bytes]] = {"n": b"n", "b": b"b", "i": b"i", "t": b"t", "l": b"l"}
_WRITERS: Final[dict[_Type, Callable[[Any], bytes]]] = {
    "n": lambda _: b"",
    "b": lambda value: b"\x01" if value else b"\x00",
    "i": lambda value: value.to_bytes(8, "big", signed=True),
    "t": str.encode,
    "l": _write_list,
}


def _check_length(raw: bytes) -> None:
    if len(raw) > LARGEST:
        raise Malformed(f"longer than {LARGEST} bytes")


def _check_same(written: bytes, raw: bytes) -> None:
    if written != raw:
        raise Malformed("a rendition not in canonical form")
