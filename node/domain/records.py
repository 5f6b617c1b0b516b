"""Home records: what a node keeps about an enterprise, with the identity that never leaves it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cache, lru_cache
from itertools import repeat
from operator import add
from typing import Any, ClassVar, Final, NamedTuple, cast

import msgspec

from crypto.hashing import hash_each, hash_pairs
from node.domain.identifiers import Identifier, Scheme
from node.domain.money import Money
from node.domain.subjects import SubjectKind
from registry.norms.catalogue import CatalogueEntry, HomeField, Nature, Polarity, Publicity, ValueType, load_catalogue
from registry.norms.overlay import Severity
from registry.parties import PartyId


class Kind(StrEnum):
    """The record kinds, by their catalogue number (domain names as in the catalogue's entries)."""

    REGISTRATION = "101"
    LICENCE = "102"
    ABNORMAL_OPERATION = "103"
    PENALTY = "201"
    BAN = "202"
    UNIT_CRIME = "203"
    DISHONESTY = "204"
    ENFORCEMENT_DEFAULT = "205"
    FALSE_MATERIALS = "206"
    COMMITMENT_BREACH = "207"
    ARREARS = "208"
    EXAM_MISCONDUCT = "209"
    FRAUDULENT_BENEFIT = "210"
    OTHER_ADVERSE = "211"
    LITIGATION = "221"
    ARBITRATION = "222"
    SERIOUS_LIST = "231"
    COMMENDATION = "301"
    VOLUNTEERING = "302"
    DONATION = "303"
    POSITIVE_LIST = "304"
    COMMITMENT = "311"
    PUBLIC_GRADE = "401"
    MARKET_GRADE = "402"
    RISK_CLASS = "403"
    TRADE_PERFORMANCE = "501"
    CREDIT_FACILITY = "502"
    SELF_DECLARATION = "503"
    REORGANISATION = "601"


class Withheld(StrEnum):
    """Why a record is not shown, strongest first. Several hold at once; each ends on its own."""

    DELETED = "DELETED"
    EXPIRED = "EXPIRED"
    LAPSED = "LAPSED"
    OUT_OF_CATALOGUE = "OUT_OF_CATALOGUE"
    UNFOUNDED = "UNFOUNDED"
    SEVERITY_UNKNOWN = "SEVERITY_UNKNOWN"
    CONSENT_ENDED = "CONSENT_ENDED"
    REVOCATION_PENDING = "REVOCATION_PENDING"
    SUSPENDED = "SUSPENDED"
    REPAIRED = "REPAIRED"
    OPTED_OUT = "OPTED_OUT"
    GOVERNMENT_ONLY = "GOVERNMENT_ONLY"
    REORGANISED = "REORGANISED"
    NATURAL_PERSON = "NATURAL_PERSON"


class Coming(NamedTuple):
    """That a record will be withheld from a day in Shenzhen on, by what was ordered already."""

    state: Withheld
    on: date


Stored = str | int | bool | date | Money | tuple[str, ...] | None
"""What a field of a content may hold."""


class Content(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, gc=False):
    """What a record says in full, for home only; each kind has a type of its own with the fields of its entry.

    Content hides itself: no log line, message or trace shows it by accident.
    """

    KIND: ClassVar[Kind]
    identifiers: tuple[Identifier, ...]
    name_zh: str | None
    name_en: str | None

    def __getitem__(self, name: str) -> Stored:
        """The value of a field of its kind, None when it is empty; KeyError when the kind has no such field."""
        if name in self.__struct_fields__:
            return cast("Stored", getattr(self, name))
        raise KeyError(name)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(...)"


_TYPES: Final[Mapping[ValueType, Any]] = {
    ValueType.CODES: tuple[str, ...],
    ValueType.DAY: date,
    ValueType.FLAG: bool,
    ValueType.INTEGER: int,
    ValueType.MONEY: Money,
}
_ENCODER: Final = msgspec.json.Encoder(order="sorted")
_SEVERITIES: Final = frozenset(severity.value for severity in Severity)


def shipped_entry(kind: Kind) -> CatalogueEntry:
    """What the shipped catalogue says of a kind: of which fields it is made, whatever law is in force."""
    return load_catalogue().entries[kind.value]


@cache
def content_type(kind: Kind) -> type[Content]:
    """The type of a kind's content, made once of the fields that the shipped catalogue names for it.

    Fields that were added later have a default and are left out while empty: what was stored before them reads, and is
    written, as it was.
    """
    entry = shipped_entry(kind)
    kept = [field for field in entry.fields if field.stored]
    made = msgspec.defstruct(
        f"Content{kind.value}",
        [_struct_field(field) for field in sorted(kept, key=lambda field: field.added_in)],
        bases=(Content,),
        namespace={"KIND": kind},
        frozen=True,
        forbid_unknown_fields=True,
        omit_defaults=True,
        gc=False,
    )
    return cast("type[Content]", made)


def _struct_field(field: HomeField) -> tuple[str, Any] | tuple[str, Any, Any]:
    stored = _TYPES.get(field.type, str)
    if field.added_in > 1:
        return field.name, stored | None, None
    never_empty = field.required or field.type is ValueType.CODES or field.derived is not None
    return field.name, stored if never_empty else stored | None


@cache
def _decoder(kind: Kind) -> msgspec.json.Decoder[Content]:
    return msgspec.json.Decoder(content_type(kind))


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueItem:
    """The catalogue entry a record was admitted under (S 16, 17)."""

    catalogue: str
    version: int
    item: str


class HomeRecord(msgspec.Struct, frozen=True, gc=False):
    """One version of a record at its home node. Its representation hides content and keys.

    What all records of an import have in common comes first. `negative_category` is the item of the closed list that an
    adverse record falls under (S 18), 0 for the proviso. `disclose_until` is the first day, in Shenzhen, on which the
    record is withheld; None while there is no such day. `source_key` names the row at its source, `content_digest` what
    it said: the same key with another digest is a new version, with the same digest nothing new. Both are for home
    only, since a short content can be guessed from them.
    """

    kind: Kind
    nature: Nature
    polarity: Polarity
    provider: PartyId
    source_system: str
    catalogue: CatalogueItem
    reported_at: date
    publicity: Publicity
    version: int
    subject_kind: SubjectKind
    negative_category: int | None
    content: Content
    generated_at: date
    disclose_until: date | None
    content_digest: bytes
    source_key: bytes
    states: frozenset[Withheld] = frozenset()
    coming: tuple[Coming, ...] = ()

    def __repr__(self) -> str:
        return f"HomeRecord(kind={self.kind.value}, version={self.version})"

    @property
    def severity(self) -> Severity | None:
        """How grave the breach was, where the record says so."""
        return severity_of(getattr(self.content, "severity", None))


def severity_of(stated: Stored) -> Severity | None:
    """The severity that a record states, if that is one."""
    return Severity(stated) if isinstance(stated, str) and stated in _SEVERITIES else None


def encode_content(content: Content) -> bytes:
    """The canonical JSON of a content: sorted keys, no spaces, dates as ISO text."""
    return _ENCODER.encode(content)


def encode_contents(contents: Sequence[Content]) -> list[bytes]:
    """The canonical JSON of each content: JSON has no line end within, so that many are written in one call."""
    return _ENCODER.encode_lines(contents).split(b"\n")[:-1]


def decode_content(kind: Kind, raw: bytes) -> Content:
    """Read what `encode_content` wrote; msgspec.DecodeError when the stored bytes are damaged."""
    return _decoder(kind).decode(raw)


def digest_content(kind: Kind, generated_at: date, raw: bytes) -> bytes:
    """The SHA-256 digest of what a row said: kind, day of generation and encoded content."""
    (digest,) = digest_contents(kind, [generated_at], [raw])
    return digest


def digest_contents(kind: Kind, generated: Iterable[date], raws: Iterable[bytes]) -> list[bytes]:
    """The digests of many rows, each as `digest_content` has it."""
    beginning = b"creditport/content/v1\x00" + kind.value.encode() + b"\x00"
    return hash_pairs(beginning, zip(map(_day, generated), raws, strict=True))


def source_key(kind: Kind, identifier: Identifier, document_no: str) -> bytes:
    """The stable name of a row at its source: SHA-256 of kind, first identifier and document number."""
    (key,) = source_keys(kind, [identifier], [document_no])
    return key


def source_keys(kind: Kind, identifiers: Iterable[Identifier], document_nos: Iterable[str]) -> list[bytes]:
    """The names of many rows, each as `source_key` has it; `document_nos` is empty where the kind has none."""
    numbers = map(_framed, document_nos) if document_nos else repeat(_framed(""))
    names = [_FRAMED[one.scheme] + _framed(one.value) for one in identifiers]
    return hash_each(b"creditport/source/v1\x00" + _framed(kind.value), map(add, names, numbers))


@lru_cache(maxsize=20_000)
def _day(day: date) -> bytes:
    return day.isoformat().encode() + b"\x00"


def _framed(text: str) -> bytes:
    raw = text.encode()
    return len(raw).to_bytes(4) + raw


_FRAMED: Final = {one: _framed(one.value) for one in Scheme}
