"""Overlays: packs that narrow a rule pack, and can never widen it (S 5, 14, 31).

A place's own law, or a later national one, is stricter than the regulation here and there. An overlay says where: a
shorter period, fewer purposes or classes. Whatever it leaves out stays as the rule pack has it.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from enum import StrEnum
from typing import Annotated, TypeVar

from msgspec import Meta, Struct
from msgspec.structs import replace

from registry.errors import BadPack
from registry.norms.clocks import Article, Clock, Positive
from registry.norms.packs import read_pack
from registry.norms.rule_pack import Retention, Ruled, RulePack
from registry.parties import Jurisdiction, PartyClass

T = TypeVar("T")
Text = Annotated[str, Meta(min_length=1)]


class Severity(StrEnum):
    """How grave the breach behind an adverse public record is, as its determining document has it."""

    MINOR = "MINOR"
    GENERAL = "GENERAL"
    SERIOUS = "SERIOUS"


class SeverityBounds(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """For how many months from the determining document a record of one severity is disclosed: at least, at most."""

    min_months: Annotated[int, Meta(ge=0)]
    max_months: Positive
    article: Article


class Overlay(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What narrows the rule pack called `narrows`, whichever version of it is in force, for parties in `binds`.

    `calendar` is the local one. `severities`, where there are any, are all of them: an adverse public record must then
    say which is its own.
    """

    id: Text
    version: Positive
    title: Text
    title_en: Text
    source: Text
    effective_from: date
    narrows: Text
    binds: Annotated[frozenset[Jurisdiction], Meta(min_length=1)]
    calendar: Text | None = None
    retention: Retention | None = None
    consent_max_months: Ruled[Positive] | None = None
    agreement_max_months: Ruled[Positive] | None = None
    disclosure_years: Ruled[Positive] | None = None
    agreement_parties: Ruled[frozenset[PartyClass]] | None = None
    record_recipients: Ruled[frozenset[PartyClass]] | None = None
    purposes_abroad: Ruled[frozenset[str]] | None = None
    batch_query_classes: Ruled[frozenset[PartyClass]] | None = None
    severities: dict[Severity, SeverityBounds] = {}

    @property
    def reference(self) -> str:
        """`<id>@<version>`."""
        return f"{self.id}@{self.version}"


_MONTHS_OF_A_YEAR = 12
_NUMBERS = ("consent_max_months", "agreement_max_months", "disclosure_years")
_SETS = ("agreement_parties", "record_recipients", "purposes_abroad", "batch_query_classes")


def read_overlay(text: str, name: str = "overlay") -> Overlay:
    """The overlay in TOML `text`.

    Raises:
        BadPack: see `read_pack`; also when some severities are missing, or their bounds contradict one another.
    """
    overlay = read_pack(text, Overlay, name)
    if overlay.severities and overlay.severities.keys() != set(Severity):
        raise BadPack(name, "severities", "all of " + ", ".join(Severity) + ", or none")
    last = 0
    for severity in Severity if overlay.severities else ():
        bounds = overlay.severities[severity]
        if not last <= bounds.min_months < bounds.max_months:
            raise BadPack(name, f"severities.{severity}", "bounds that rise, from no less than the lighter one's end")
        last = bounds.max_months
    _check_retention(overlay, name)
    return overlay


def narrow(rules: RulePack, overlays: Iterable[Overlay]) -> RulePack:
    """The rule pack with every value as narrow as any of the overlays has it; its name stays.

    The same overlays in whatever order give the same law.

    Raises:
        BadPack: an overlay is for another rule pack, or would widen a value; pack and place are named.
    """
    narrowed = rules
    for overlay in sorted(overlays, key=lambda one: one.id):
        _check_narrows(rules, overlay)
        narrowed = _narrowed(narrowed, overlay)
    return narrowed


def all_severities(overlays: Iterable[Overlay]) -> Mapping[Severity, SeverityBounds]:
    """The severities that adverse public records must name, with the shortest bounds any overlay has; {} when none."""
    found: dict[Severity, SeverityBounds] = {}
    for overlay in sorted(overlays, key=lambda one: one.id):
        for severity, bounds in overlay.severities.items():
            known = found.get(severity)
            if known is None or bounds.max_months < known.max_months:
                found[severity] = bounds
    return found


def _check_retention(overlay: Overlay, name: str) -> None:
    if overlay.retention is not None and overlay.retention.default_days > overlay.retention.max_days:
        raise BadPack(name, "retention.default_days", "no more than max_days")


def _check_narrows(rules: RulePack, overlay: Overlay) -> None:
    if overlay.narrows != rules.id:
        raise BadPack(overlay.reference, "narrows", f"the rule pack in force, {rules.id}")
    for name in _NUMBERS:
        own: Ruled[int] | None = getattr(overlay, name)
        most: Ruled[int] = getattr(rules, name)
        if own is not None and own.value > most.value:
            raise BadPack(overlay.reference, f"{name}.value", f"at most {most.value}, as in {rules.reference}")
    for name in _SETS:
        fewer: Ruled[frozenset[str]] | None = getattr(overlay, name)
        whole: Ruled[frozenset[str]] = getattr(rules, name)
        if fewer is not None and not fewer.value <= whole.value:
            raise BadPack(overlay.reference, f"{name}.value", f"nothing that {rules.reference} does not have")
    if overlay.retention is not None and overlay.retention.max_days > rules.retention.max_days:
        expected = f"at most {rules.retention.max_days}, as in {rules.reference}"
        raise BadPack(overlay.reference, "retention.max_days", expected)
    for severity, bounds in overlay.severities.items():
        if bounds.max_months > rules.disclosure_years.value * _MONTHS_OF_A_YEAR:
            expected = f"at most {rules.disclosure_years.value} years, as in {rules.reference}"
            raise BadPack(overlay.reference, f"severities.{severity}.max_months", expected)


def _narrowed(rules: RulePack, overlay: Overlay) -> RulePack:
    changes: dict[str, object] = {}
    for name in _NUMBERS:
        own: Ruled[int] | None = getattr(overlay, name)
        if own is not None and own.value < getattr(rules, name).value:
            changes[name] = own
    for name in _SETS:
        fewer: Ruled[frozenset[str]] | None = getattr(overlay, name)
        known: Ruled[frozenset[str]] = getattr(rules, name)
        if fewer is not None and not known.value <= fewer.value:
            changes[name] = Ruled(value=known.value & fewer.value, article=fewer.article)
    if "disclosure_years" in changes:
        changes["clocks"] = _until_then(rules.clocks, overlay)
    retention = overlay.retention
    if retention is not None:
        changes["retention"] = _shorter(rules.retention, retention)
    return replace(rules, **changes)


def _until_then(clocks: Mapping[str, Clock], overlay: Overlay) -> dict[str, Clock]:
    """The clocks with the one of disclosure ending with the overlay's years: the two never differ."""
    clock, years = clocks["DISCLOSURE"], overlay.disclosure_years
    if years is None or clock.strict is None:
        return dict(clocks)
    return {**clocks, "DISCLOSURE": replace(clock, strict=replace(clock.strict, length=years.value))}


def _shorter(known: Retention, own: Retention) -> Retention:
    most = min(known.max_days, own.max_days)
    article = own.article if own.max_days < known.max_days else known.article
    return Retention(default_days=min(known.default_days, own.default_days, most), max_days=most, article=article)
