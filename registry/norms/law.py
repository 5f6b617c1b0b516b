"""The law in force for the parties of one jurisdiction at a moment: packs that its authority adopted, put together.

Or why there is none. Nothing is guessed: a pack that was adopted and is not at hand, that has other bytes, or that
contradicts the others, leaves the jurisdiction without law here, and whoever has no law discloses nothing (rule 10).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from functools import cache, lru_cache
from hashlib import sha256
from types import MappingProxyType
from typing import Final, TypeVar

from registry.errors import BadPack, RegistryError
from registry.norms.adoption import Adopted, Clash, in_force
from registry.norms.calendar import Calendar, shanghai_day
from registry.norms.calendar_pack import CalendarPack
from registry.norms.catalogue import Catalogue, Crossing, Polarity
from registry.norms.code_lists import BandTable, BandTableName, CodeList, CodeListName
from registry.norms.overlay import Overlay, Severity, SeverityBounds, all_severities, narrow
from registry.norms.rule_pack import RulePack
from registry.norms.shelf import Named, Pack, PackKind, Shelf, adopted_by_default, shipped_shelf
from registry.parties import Jurisdiction, PartyClass

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Codes:
    """The code lists and band tables in force, every one that the product knows."""

    lists: Mapping[CodeListName, CodeList] = field(repr=False)
    bands: Mapping[BandTableName, BandTable] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Law:
    """What a node applies. `rules` is the base as its overlays narrow it, and is called like the base.

    `severities` are those that adverse public records must name, if any; `calendar` is the one that the rules' clocks
    run by, `local` that of the place, where it has one of its own; `packs` says from what it was put together, and
    `reference` names the rule pack among them and then its overlays, as the journal does. A law is itself and no other:
    the same packs of a day are put together once.

    `measure` (32 bytes) names by their bytes the packs by which records are admitted: all but calendars. When it is
    another one, records have to be looked at again.
    """

    rules: RulePack
    catalogue: Catalogue
    calendar: Calendar
    codes: Codes
    severities: Mapping[Severity, SeverityBounds] = field(default_factory=dict)
    local: Calendar | None = None
    packs: tuple[str, ...] = ()
    reference: str = ""
    measure: bytes = b""


class Lack(StrEnum):
    """Why there is no law in force here."""

    NOT_ADOPTED = "NOT_ADOPTED"
    CONTRADICTED = "CONTRADICTED"
    NOT_INSTALLED = "NOT_INSTALLED"
    DIGEST_DIFFERS = "DIGEST_DIFFERS"
    UNFIT = "UNFIT"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lacking:
    """There is no law in force: what is the matter with which pack (or kind of pack). `expected` says what would help.

    `digest` is that of the pack to install, where one was adopted that is not at hand.
    """

    lack: Lack
    kind: PackKind
    place: str
    expected: str
    digest: bytes | None = None

    @property
    def detail(self) -> str:
        """The same in one line of codes."""
        return f"{self.place}: expected {self.expected}"


class _Missing(RegistryError):
    """Carries why there is no law to the one place that answers."""

    def __init__(self, lacking: Lacking) -> None:
        super().__init__(lacking.detail)
        self.lacking = lacking


def resolve(
    norms: Mapping[Jurisdiction, Sequence[Adopted]], jurisdiction: Jurisdiction, at: datetime, shelf: Shelf
) -> Law | Lacking:
    """The law in force for parties of `jurisdiction` at `at`, of the packs on the shelf that its authority adopted.

    `norms` is the snapshot's. The same statements and packs give the same law, in whatever order.
    """
    try:
        chosen = in_force(norms.get(jurisdiction, ()), at).values()
        packs = [_at_hand(one, shelf) for one in chosen]
        return compose(packs, jurisdiction, shanghai_day(at))
    except _Missing as missing:
        return missing.lacking


def compose(packs: Iterable[Pack], jurisdiction: Jurisdiction, day: date) -> Law:
    """The law that these packs make together on a day.

    Raises:
        RegistryError: one is missing, or does not fit the others.
    """
    return _composed(tuple(sorted(packs, key=lambda one: one.named)), jurisdiction, day)


@lru_cache(maxsize=64)
def _composed(found: tuple[Pack, ...], jurisdiction: Jurisdiction, day: date) -> Law:
    """The same packs are read anew with every change of the registry, and make the very same law."""
    base = _only(found, RulePack, PackKind.RULES)
    catalogue = _only(found, Catalogue, PackKind.CATALOGUE)
    overlays = _all(found, Overlay)
    codes = _codes(tuple(one for one in found if one.named.kind is PackKind.CODES))
    try:
        for pack in found:
            _check_day(pack, day)
            _check_binds(pack, jurisdiction)
        rules = narrow(base, overlays)
        check_catalogue(catalogue, rules)
        _check_purposes(rules, codes)
    except BadPack as unfit:
        kind = PackKind.CATALOGUE if unfit.pack == catalogue.reference else PackKind.RULES
        raise _lack(Lack.UNFIT, kind, f"{unfit.pack} {unfit.place}", unfit.expected) from None
    calendars = _all(found, CalendarPack)
    return Law(
        rules=rules,
        catalogue=catalogue,
        calendar=_calendar(calendars, _mandatory_calendar(rules), day),
        codes=codes,
        severities=all_severities(overlays),
        local=_local(calendars, overlays),
        packs=tuple(one.reference for one in found),
        reference=" ".join([base.reference, *(one.reference for one in overlays)]),
        measure=_measure(found),
    )


def check_catalogue(catalogue: Catalogue, rules: RulePack) -> None:
    """Hold a catalogue against the rule pack that it is used with (S 17, 18, 31).

    Raises:
        BadPack: an entry is disclosed for longer, or shared with more classes, than the rules have it, in a category
            that they do not know, or without the consent under which alone its subject could have been warned (S 23).
    """
    pack, recipients = catalogue.reference, rules.record_recipients.value | {PartyClass.STATE_ORGAN}
    for kind, entry in catalogue.entries.items():
        place, years, most = f"entries.{kind}", entry.disclosure.years, rules.disclosure_years.value
        if entry.polarity is Polarity.ADVERSE and years is not None and years > most:
            raise BadPack(pack, f"{place}.disclosure.years", f"at most {most}, as in {rules.reference}")
        if (entry.negative_category or 0) > rules.negative_categories.value:
            raise BadPack(pack, f"{place}.negative_category", f"at most {rules.negative_categories.value}")
        if kind in rules.adverse_warning_kinds.value and entry.crosses not in {Crossing.CONSENT, Crossing.NEVER}:
            raise BadPack(pack, f"{place}.crosses", f"{Crossing.CONSENT} for what is warned of in {rules.reference}")
        if not entry.sharing_scope <= recipients:
            raise BadPack(pack, f"{place}.sharing_scope", f"classes that may receive records by {rules.reference}")


@cache
def shipped_law(jurisdiction: Jurisdiction = Jurisdiction.CN_SZ) -> Law:
    """What the shipped packs make that an authority adopts by default, whatever any says and whatever the day.

    For what goes on while no law is known to be in force: withholding, deleting, telling, inspecting.

    Raises:
        RegistryError: the packs that are shipped do not make a law.
    """
    packs = adopted_by_default(jurisdiction, shipped_shelf())
    return compose(packs, jurisdiction, max(one.first_day or _ANY_DAY for one in packs))


_ANY_DAY: Final = date(2026, 1, 1)


def _measure(packs: Iterable[Pack]) -> bytes:
    """The name of what records are measured by; digests are of one length, so that they need no frame."""
    measuring = sorted(one.digest for one in packs if one.named.kind is not PackKind.CALENDARS)
    return sha256(b"creditport/measure/v1" + b"".join(measuring)).digest()


def _at_hand(adopted: Adopted | Clash, shelf: Shelf) -> Pack:
    if isinstance(adopted, Clash):
        raise _lack(Lack.CONTRADICTED, adopted.second.named.kind, adopted.place, f"one of them, got {adopted.how}")
    pack = shelf.packs.get(adopted.digest)
    if pack is not None and (pack.named, pack.version) == (adopted.named, adopted.version):
        return pack
    others = [one for one in shelf.called(adopted.named) if one.version == adopted.version]
    lack = Lack.DIGEST_DIFFERS if others or pack is not None else Lack.NOT_INSTALLED
    got = "another digest" if lack is Lack.DIGEST_DIFFERS else "none"
    expected = f"the adopted one installed, got {got}"
    raise _lack(lack, adopted.named.kind, adopted.reference, expected, adopted.digest)


def _lack(lack: Lack, kind: PackKind, place: str, expected: str, digest: bytes | None = None) -> _Missing:
    return _Missing(Lacking(lack=lack, kind=kind, place=place, expected=expected, digest=digest))


def _all(packs: Iterable[Pack], content: type[T]) -> list[T]:
    return [one.content for one in packs if isinstance(one.content, content)]


def _only(packs: Iterable[Pack], content: type[T], kind: PackKind) -> T:
    found = _all(packs, content)
    if len(found) != 1:
        lack = Lack.UNFIT if found else Lack.NOT_ADOPTED
        raise _lack(lack, kind, kind.value, f"exactly one adopted, got {len(found)}")
    return found[0]


def _check_purposes(rules: RulePack, codes: Codes) -> None:
    listed = codes.lists[CodeListName.PURPOSES]
    if not rules.purposes_abroad.value <= listed.all():
        raise BadPack(rules.reference, "purposes_abroad.value", f"codes of {listed.reference}")


def _check_day(pack: Pack, day: date) -> None:
    first = pack.first_day
    if first is not None and day < first:
        raise BadPack(pack.reference.partition("/")[2], "the day", f"{first} or later")


def _check_binds(pack: Pack, jurisdiction: Jurisdiction) -> None:
    content = pack.content
    if isinstance(content, Overlay) and jurisdiction not in content.binds:
        raise BadPack(content.reference, "binds", f"{jurisdiction} among them")


def _mandatory_calendar(rules: RulePack) -> str:
    """The calendar that agreements must name; clocks by others find theirs, or refuse, when they are counted."""
    return rules.filing_clock.calendar


def _calendar(packs: Sequence[CalendarPack], place: str, day: date) -> Calendar:
    of_place = [one for one in packs if one.jurisdiction == place]
    if not any(one.year == day.year for one in of_place):
        raise _lack(Lack.NOT_ADOPTED, PackKind.CALENDARS, f"calendars/{place}-{day.year}", "adopted")
    return Calendar.of(of_place)


def _local(packs: Sequence[CalendarPack], overlays: Iterable[Overlay]) -> Calendar | None:
    """The calendar of the place, as far as there are packs for it: a day it does not cover is refused when counted."""
    for place in sorted({one.calendar for one in overlays if one.calendar is not None}):
        of_place = [one for one in packs if one.jurisdiction == place]
        if of_place:
            return Calendar.of(of_place)
    return None


@lru_cache(maxsize=16)
def _codes(packs: tuple[Pack, ...]) -> Codes:
    """The same packs are the very same codes, in whatever law: what is made of them is made once."""
    found = {one.named: one.content for one in packs}

    def _each(content: type[T], name: StrEnum) -> T:
        one = found.get(Named(kind=PackKind.CODES, id=name.upper()))
        if not isinstance(one, content):
            raise _lack(Lack.NOT_ADOPTED, PackKind.CODES, f"codes/{name.upper()}", "adopted")
        return one

    return Codes(
        lists=MappingProxyType({name: _each(CodeList, name) for name in CodeListName}),
        bands=MappingProxyType({name: _each(BandTable, name) for name in BandTableName}),
    )
