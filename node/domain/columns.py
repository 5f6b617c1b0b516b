"""The columns of a standard file of each kind: who it is about, the fields of the kind's entry, and when it arose."""

from collections.abc import Collection
from functools import cache
from typing import Final

from node.domain.conditions import WARNED
from node.domain.records import Kind, shipped_entry
from registry.norms.catalogue import Crossing, ValueType, load_catalogue
from registry.norms.rule_pack import load_rule_pack

IDENTITY_COLUMNS: Final = (
    "uscc",
    "uscc_check_attested",
    "hk_brn",
    "hk_cr",
    "mo_tin",
    "mo_cr",
    "lei",
    "name_zh",
    "name_en",
    "entity_type",
)
"""What every file says of the enterprises its rows are about."""

CLOSING_COLUMNS: Final = ("generated_on", "data_class")
"""When the information arose, where that is not told by its own dates, and how its provider classifies it (S 6)."""


@cache
def needed_columns(kind: Kind) -> frozenset[str]:
    """The columns without which no row of a kind is taken in, or hardly one: its evidence and consents among them."""
    catalogue = load_catalogue()
    entry = catalogue.entries[kind.value]
    category = None if entry.negative_category is None else catalogue.negative.get(entry.negative_category)
    evidence = frozenset() if category is None else frozenset(category.evidence)
    consent = {field.name for field in catalogue.shared.consent} if entry.crosses is Crossing.CONSENT else set()
    consent -= set() if kind.value in load_rule_pack().adverse_warning_kinds.value else {WARNED}
    return frozenset(
        field.heading
        for field in entry.columns
        if field.required or field.name in evidence | consent or field.type is ValueType.DIGEST
    )


@cache
def standard_columns(kind: Kind) -> tuple[str, ...]:
    """The header of a standard file of a kind; columns may be missing or stand in any order."""
    own = (field.heading for field in shipped_entry(kind).columns)
    return (*IDENTITY_COLUMNS, *(name for name in own if name not in IDENTITY_COLUMNS), *CLOSING_COLUMNS)


def kinds_with(headings: Collection[str]) -> tuple[Kind, ...]:
    """Every kind whose standard files can have all of these columns, in the order of `Kind`."""
    return tuple(kind for kind in Kind if set(headings) <= set(standard_columns(kind)))
