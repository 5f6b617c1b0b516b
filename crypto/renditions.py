"""Many renditions at once: those of a frame written, and read again, with each distinct field looked at only once.

A rendition is text in fixed places around what differs from record to record: values, salts, and two names. Coarse
values have few forms, so what one of them adds to the JSON and to its digest is made when it is first met. Written is,
byte for byte, what `commitment` writes, and accepted is what it accepts: whatever does not look familiar is left to its
strict reader, which alone refuses. Nothing is remembered longer than one frame.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import hexlify, unhexlify
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import date
from hashlib import sha256
from typing import Final, NamedTuple, Protocol

import msgspec

from crypto import commitment
from crypto.canonical import decode_with
from crypto.commitment import LARGEST, MOST_FIELDS, SALT_SIZE, Field, Rendition, RenditionHeader, Value
from crypto.errors import CryptoError, Malformed
from crypto.keys import Random, known_suite

NAME_SIZE: Final = 16
"""Bytes of an alias, and of a pseudonym."""

_HEX: Final = 2 * NAME_SIZE
_ANY_NAME: Final = b"0" * _HEX
_SALT: Final = 22
_ANY_SALT: Final = "A" * _SALT
_ANY_SALT_AT_END: Final = b'AAAAAAAAAAAAAAAAAAAAAA"]'
# Behind each salt, so that all together are base64url in pieces of 24 characters, the last two of them AA.
_FILLING: Final = b"\x00\x00"
_FILLED: Final = b"AA"

_OPENING: Final = b'{"fields":[["'
_BETWEEN: Final = b'"],["'
_HEADER: Final = b'"]],"header":'
_END: Final = b"}"
_ALIAS_AT: Final = len('{"agreement":"","alias":"') + 64
_PSEUDONYM: Final = b'"pseudonym":"'

_MANY: Final = 8
"""Renditions from which on it is worth while to remember what was met."""
_FEW: Final = 64
"""Fields met that are remembered in any case; of more than these, a third of all may be new."""

_encode = msgspec.json.Encoder().encode
_field_decoder = msgspec.json.Decoder(Field)
_header_decoder = msgspec.json.Decoder(RenditionHeader)


class Said(Protocol):
    """One field with its value, whatever its salt. Within a frame many renditions share one."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def value(self) -> Value:
        """What it says."""


class _Form(msgspec.Struct, frozen=True, eq=False, gc=False):
    """A field that was met, so that it is written and digested without being looked at again."""

    name: str
    value: Value
    text: bytes
    """How it is written, from its name up to its salt."""
    before: bytes
    """What its digest covers before the salt, and `after` behind it."""
    after: bytes

    def __repr__(self) -> str:
        return "_Form(...)"


_Known = dict[tuple[type, Value], _Form]


class Heading(NamedTuple):
    """What a rendition's header says beside its two names."""

    agreement: str
    epoch: int
    kind: str
    profile: str
    suite: int
    valid_until: date | None
    version: int


class Told(NamedTuple):
    """What one rendition is to say: names of 16 bytes, and values in the order of its shape's field names."""

    alias: bytes
    pseudonym: bytes
    valid_until: date | None
    version: int
    values: Sequence[Value]


class Written(NamedTuple):
    """A rendition's canonical bytes, and the commitment to it."""

    body: bytes
    commitment: bytes


class Read(NamedTuple):
    """A rendition that was read strictly: its names of 16 bytes, heading, fields by name, bytes, and commitment."""

    alias: bytes
    pseudonym: bytes
    heading: Heading
    fields: Sequence[Said]
    raw: bytes
    commitment: bytes

    @property
    def rendition(self) -> Rendition:
        """All that it says, its salts too; read once more."""
        return commitment.decode(self.raw)

    def values(self) -> dict[str, Value]:
        """The values by field name."""
        return {one.name: one.value for one in self.fields}


class Shape:
    """Writes renditions that differ only in names, values, validity and version.

    Raises:
        Malformed: no field or too many, an unknown suite; when writing, what a rendition cannot carry.
    """

    def __init__(self, agreement: bytes, epoch: int, kind: str, profile: str, suite: int, names: Iterable[str]) -> None:
        self.names: Final = tuple(sorted(names))
        if not 0 < len(self.names) <= MOST_FIELDS:
            raise Malformed(f"a rendition has 1 to {MOST_FIELDS} fields")
        known_suite(suite)
        self._like = RenditionHeader(
            agreement=agreement.hex(), alias=_ANY_NAME.decode(), epoch=epoch, kind=kind, profile=profile,
            pseudonym=_ANY_NAME.decode(), suite=suite, valid_until=None, version=1,
        )  # fmt: skip
        self._known: list[_Known] = [{} for _ in self.names]
        self._headers: dict[tuple[date | None, int], _Around] = {}

    def write(self, told: Sequence[Told], random: Random) -> list[Written]:
        """Write each with fresh salts, which are one draw for all."""
        count = len(self.names)
        salts, texts = _salts(random(SALT_SIZE * count * len(told)))
        return [
            self._write(one, salts[at : at + count], texts[at : at + count])
            for at, one in zip(range(0, len(salts), count), told, strict=True)
        ]

    def _write(self, told: Told, salts: Sequence[bytes], texts: Sequence[bytes]) -> Written:
        forms = [known.get((type(value), value)) or self._meet(name, known, value)  # True equals 1
                 for name, known, value in zip(self.names, self._known, told.values, strict=True)]  # fmt: skip
        digests = [sha256(one.before + salt + one.after).digest() for one, salt in zip(forms, salts, strict=True)]
        fields = _BETWEEN.join([one.text + text for one, text in zip(forms, texts, strict=True)])
        around = self._headers.get((told.valid_until, told.version)) or self._around(told.valid_until, told.version)
        header = _joined(around, hexlify(told.alias), hexlify(told.pseudonym))
        body = b"".join((_OPENING, fields, _HEADER, header, _END))
        if len(body) > LARGEST:
            raise Malformed(f"longer than {LARGEST} bytes")
        return Written(body, commitment.commit(header, digests))

    def _meet(self, name: str, known: "_Known", value: Value) -> "_Form":
        one = known[type(value), value] = _form(name, value)
        return one

    def _around(self, valid_until: date | None, version: int) -> "_Around":
        header = msgspec.structs.replace(self._like, valid_until=valid_until, version=version)
        around, _, _ = _split(_encode(header))
        self._headers[valid_until, version] = around
        return around


def read_all(raws: Sequence[bytes], agreement: str, suite: int) -> list[Read]:
    """Read strictly all renditions of a frame, which are of one agreement (digest in hex) and suite.

    Raises:
        Malformed, UnknownField: as `commitment.decode`, for the first that is unfit; or it is of another agreement.
    """
    if len(raws) >= _MANY:
        with suppress(CryptoError, ValueError):
            return _Reader(agreement, suite).read(raws)
    return [_read_one(raw, agreement, suite) for raw in raws]


def _read_one(raw: bytes, agreement: str, suite: int) -> Read:
    """What `commitment` reads, without anything known before."""
    rendition = commitment.decode(raw)
    header = rendition.header
    if (header.agreement, header.suite) != (agreement, suite):
        raise Malformed("a rendition made for another agreement or suite")
    return Read(
        alias=bytes.fromhex(header.alias),
        pseudonym=bytes.fromhex(header.pseudonym),
        heading=_heading(header),
        fields=rendition.fields,
        raw=raw,
        commitment=commitment.commitment(rendition),
    )


class _Reader:
    """Reads renditions by what it remembers of those before.

    What is taken apart here gives, put together again, the very bytes that came: canonical if each of its parts is.
    """

    def __init__(self, agreement: str, suite: int) -> None:
        self._stands_for = (agreement, suite)
        self._forms: dict[bytes, _Form] = {}
        self._orders: set[tuple[str, ...]] = set()
        self._headings: dict[_Around, Heading] = {}
        self._names: list[bytes] = []
        self._salts: list[bytes] = []

    def read(self, raws: Sequence[bytes]) -> list[Read]:
        """Malformed, or another ValueError, unless all are as `commitment.decode` demands."""
        apart = [self._take_apart(raw) for raw in raws]
        names = _decoded_names(b"".join(self._names))
        salts = iter(_decoded_salts(self._salts))
        read = []
        for raw, (heading, header, forms), alias, pseudonym in zip(raws, apart, names[::2], names[1::2], strict=True):
            digests = [sha256(one.before + next(salts) + one.after).digest() for one in forms]
            read.append(Read(alias, pseudonym, heading, forms, raw, commitment.commit(header, digests)))
        return read

    def _take_apart(self, raw: bytes) -> tuple[Heading, bytes, Sequence[_Form]]:
        """Heading, header and fields; its salts and names are put by, to be looked at together with all others."""
        opening, _, rest = raw.partition(_HEADER)
        if len(raw) > LARGEST or not opening.startswith(_OPENING) or not rest.endswith(_END):
            raise Malformed("not as a rendition is written")
        fields = opening[len(_OPENING) :].split(_BETWEEN)
        known = self._forms.get
        forms = [known(one[:-_SALT]) or self._meet(one[:-_SALT]) for one in fields]
        self._salts += [one[-_SALT:] for one in fields]
        order = tuple([one.name for one in forms])
        if order not in self._orders:
            self._meet_order(order)
        header = rest[: -len(_END)]
        around, alias, pseudonym = _split(header)
        self._names += (alias, pseudonym)
        return self._headings.get(around) or self._meet_heading(around), header, forms

    def _meet(self, text: bytes) -> _Form:
        if len(self._forms) > _FEW + len(self._salts) // 3:
            raise Malformed("too few fields are alike to remember them")
        said = decode_with(_field_decoder, b'["' + text + _ANY_SALT_AT_END)
        one = _form(said.name, said.value)
        if one.text != text:
            raise Malformed("a field not in canonical form")
        self._forms[text] = one
        return one

    def _meet_order(self, names: tuple[str, ...]) -> None:
        if len(names) > MOST_FIELDS or list(names) != sorted(set(names)):
            raise Malformed("field names do not ascend")
        self._orders.add(names)

    def _meet_heading(self, around: "_Around") -> Heading:
        text = _joined(around, _ANY_NAME, _ANY_NAME)
        header = decode_with(_header_decoder, text)
        known_suite(header.suite)
        if _encode(header) != text or (header.agreement, header.suite) != self._stands_for:
            raise Malformed("a header of another agreement or suite, or not in canonical form")
        heading = self._headings[around] = _heading(header)
        return heading


_Around = tuple[bytes, bytes, bytes]
"""The text of a header before its alias, between alias and pseudonym, and behind."""


def _split(header: bytes) -> tuple[_Around, bytes, bytes]:
    """The text around alias and pseudonym, and these two; ValueError where there is no place for them."""
    behind = _ALIAS_AT + _HEX
    place = header.index(_PSEUDONYM, behind) + len(_PSEUDONYM)
    around = header[:_ALIAS_AT], header[behind:place], header[place + _HEX :]
    return around, header[_ALIAS_AT:behind], header[place : place + _HEX]


def _joined(around: _Around, alias: bytes, pseudonym: bytes) -> bytes:
    first, middle, last = around
    return first + alias + middle + pseudonym + last


def _heading(header: RenditionHeader) -> Heading:
    return Heading(
        header.agreement, header.epoch, header.kind, header.profile, header.suite, header.valid_until, header.version
    )  # fmt: skip


def _form(name: str, value: Value) -> _Form:
    made = commitment.make_field(name, value, _ANY_SALT)
    try:
        text = _encode(made)[2 : -_SALT - 2]
        return _Form(name, value, text, *commitment.around_salt(made))
    except UnicodeEncodeError:
        message = "text holds a lone surrogate"
    raise Malformed(message)


def _salts(raw: bytes) -> tuple[list[bytes], list[bytes]]:
    """Sixteen random bytes each, and each as 22 characters of unpadded base64url."""
    salts = [raw[at : at + SALT_SIZE] for at in range(0, len(raw), SALT_SIZE)]
    text = _encoded_salts(salts)
    return salts, [text[at : at + _SALT] for at in range(0, len(text), _SALT + len(_FILLED))]


def _encoded_salts(salts: Sequence[bytes]) -> bytes:
    return urlsafe_b64encode(_FILLING.join([*salts, b""]))


def _decoded_salts(texts: Sequence[bytes]) -> list[bytes]:
    """Salts of 22 characters each, read together; Malformed unless each is the one way to write its bytes."""
    text = _FILLED.join([*texts, b""])
    raw = urlsafe_b64decode(text)
    salts = [raw[at : at + SALT_SIZE] for at in range(0, len(raw), SALT_SIZE + len(_FILLING))]
    if _encoded_salts(salts) != text:
        raise Malformed("a salt is not canonical base64url")
    return salts


def _decoded_names(text: bytes) -> list[bytes]:
    """Names of 16 bytes from lower-case hex; Malformed unless it is that."""
    raw = unhexlify(text)
    if hexlify(raw) != text:
        raise Malformed("a name is not lower-case hex")
    return [raw[at : at + NAME_SIZE] for at in range(0, len(raw), NAME_SIZE)]
