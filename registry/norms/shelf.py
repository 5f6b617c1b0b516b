"""The packs that a node has at hand, by the digest of their exact bytes: shipped with the product, or installed.

A pack is called `<kind>/<id>@<version>`, but a name proves nothing. What an authority adopts is a digest, and only
bytes of that digest are used.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from functools import cache
from hashlib import sha256
from types import MappingProxyType
from typing import Annotated, Final, NewType

from msgspec import Meta, Struct

from registry.errors import BadPack, NotAPack
from registry.norms.calendar_pack import CalendarPack, read_calendar_pack
from registry.norms.catalogue import Catalogue, read_catalogue
from registry.norms.code_lists import BandTable, CodeList, read_band_table, read_code_list
from registry.norms.overlay import Overlay, read_overlay
from registry.norms.packs import read_pack, read_tables, shipped, shipped_bytes, shipped_names
from registry.norms.rule_pack import RulePack, read_rule_pack
from registry.parties import Jurisdiction

Content = RulePack | Overlay | Catalogue | CalendarPack | CodeList | BandTable

PackDigest = NewType("PackDigest", bytes)
"""SHA-256 of a pack's bytes."""

LARGEST_PACK: Final = 1024 * 1024
"""The longest pack that is read, in bytes."""

_ID: Final = r"\A[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z"
_IDENTITY: Final = re.compile(_ID)


class PackKind(StrEnum):
    """What a pack sets out; also the folder it lies in."""

    RULES = "rules"
    CATALOGUE = "catalogue"
    CALENDARS = "calendars"
    CODES = "codes"


class Named(Struct, frozen=True, order=True, kw_only=True):
    """Which pack, whatever its version."""

    kind: PackKind
    id: Annotated[str, Meta(pattern=_ID)]

    def __str__(self) -> str:
        return f"{self.kind}/{self.id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pack:
    """A pack that was read and holds together; `digest` names its exact bytes, `raw`, and tells it from others."""

    named: Named
    version: int
    digest: PackDigest
    content: Content = field(repr=False, compare=False)
    raw: bytes = field(repr=False, compare=False)

    @property
    def reference(self) -> str:
        """`<kind>/<id>@<version>`."""
        return f"{self.named}@{self.version}"

    @property
    def first_day(self) -> date | None:
        """The first day on which it may be in force, where it says one."""
        match self.content:
            case RulePack() | Overlay():
                return self.content.effective_from
            case Catalogue():
                return self.content.published
            case _:
                return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """Every pack at hand; `unusable` says which files beside them are none, and why."""

    packs: Mapping[PackDigest, Pack] = field(repr=False)
    unusable: tuple[BadPack, ...] = ()

    @classmethod
    def of(cls, packs: Iterable[Pack], unusable: Iterable[BadPack] = ()) -> "Shelf":
        """A shelf with these packs; the same bytes twice are one pack."""
        return cls(packs=MappingProxyType({one.digest: one for one in packs}), unusable=tuple(unusable))

    def and_also(self, packs: Iterable[Pack], unusable: Iterable[BadPack] = ()) -> "Shelf":
        """This shelf with more packs."""
        return Shelf.of([*self.packs.values(), *packs], [*self.unusable, *unusable])

    def called(self, named: Named) -> tuple[Pack, ...]:
        """Every pack of that name, the newest version last; two digests of one version stand side by side."""
        found = (one for one in self.packs.values() if one.named == named)
        return tuple(sorted(found, key=lambda one: (one.version, one.digest)))

    def newest(self, named: Named) -> Pack:
        """The newest version of a pack; BadPack when there is none."""
        found = self.called(named)
        if not found:
            raise BadPack(named.id, named.kind, "not among the packs at hand")
        return found[-1]

    def referred(self, reference: str) -> tuple[Pack, ...]:
        """The packs that `<kind>/<id>` or `<kind>/<id>@<version>` means: none, one, or one for each digest."""
        name, _, version = reference.partition("@")
        found = [one for one in self.packs.values() if str(one.named) == name]
        if version:
            return tuple(one for one in found if str(one.version) == version)
        newest = max((one.version for one in found), default=0)
        return tuple(one for one in found if one.version == newest)


def open_pack(raw: bytes, where: str) -> Pack:
    """Read a pack of any kind from its bytes; `where` is the name by which errors call it.

    What kind it is follows from the tables in it, and from nothing that is said about it.

    Raises:
        NotAPack: not TOML, or no pack of any kind; file and place are named.
        BadPack: one that must not be used; the same.
    """
    if len(raw) > LARGEST_PACK:
        raise NotAPack(where, "the whole file", f"at most {LARGEST_PACK} bytes")
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        raise NotAPack(where, "the whole file", "TOML") from None
    kind, content = _read(text, where)
    identity = f"{content.jurisdiction}-{content.year}" if isinstance(content, CalendarPack) else content.id
    return Pack(
        named=_named(kind, identity, where),
        version=content.version,
        digest=PackDigest(sha256(raw).digest()),
        content=content,
        raw=raw,
    )


@cache
def shipped_shelf() -> Shelf:
    """The packs that the product ships; BadPack when one must not be used."""
    return Shelf.of(
        open_pack(shipped_bytes(kind.value, name), f"{kind}/{name}.toml")
        for kind in PackKind
        for name in shipped_names(kind.value)
    )


class _ByDefault(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a new authority of one jurisdiction adopts; `calendars` are places, with every year there is."""

    rules: tuple[str, ...]
    catalogue: str
    calendars: tuple[str, ...]


def adopted_by_default(jurisdiction: Jurisdiction, shelf: Shelf) -> tuple[Pack, ...]:
    """What a new authority adopts unless it is told otherwise: newest versions, with every code list at hand."""
    table = read_pack(shipped("", "adopted"), dict[Jurisdiction, _ByDefault], "adopted.toml")
    chosen = table[jurisdiction]
    wanted = {Named(kind=PackKind.RULES, id=one) for one in chosen.rules}
    wanted.add(Named(kind=PackKind.CATALOGUE, id=chosen.catalogue))
    for one in shelf.packs.values():
        of_place = isinstance(one.content, CalendarPack) and one.content.jurisdiction in chosen.calendars
        if of_place or one.named.kind is PackKind.CODES:
            wanted.add(one.named)
    return tuple(shelf.newest(named) for named in sorted(wanted))


def _read(text: str, where: str) -> tuple[PackKind, Content]:
    plain = read_tables(text, where)
    if "entries" in plain:
        return PackKind.CATALOGUE, read_catalogue(text, where)
    if "changed" in plain:
        return PackKind.CALENDARS, read_calendar_pack(text, where)
    if "bands" in plain:
        return PackKind.CODES, read_band_table(text, where)
    if "codes" in plain:
        return PackKind.CODES, read_code_list(text, where)
    if "narrows" in plain:
        return PackKind.RULES, read_overlay(text, where)
    return PackKind.RULES, read_rule_pack(text, where)


def _named(kind: PackKind, identity: str, where: str) -> Named:
    if _IDENTITY.fullmatch(identity) is None:
        raise BadPack(where, "id", "letters, digits and . _ - only, 64 at most")
    return Named(kind=kind, id=identity)
