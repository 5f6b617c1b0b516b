"""De-identification: the allow-listed, generalised form in which a record may leave its home (S 14, 17, 23).

Everything that can cross is a row of one table: field, precision, and how the value is made. What is not in
the table has no way out, whatever an agreement may say.
"""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, Final, TypeVar

from crypto.commitment import Value
from node.domain.errors import NotRenderable
from node.domain.money import Money, in_yuan
from node.domain.records import Content, Kind, PenaltyContent, RegistrationContent
from node.domain.vocabulary import Bands, Vocabulary
from registry.norms.catalogue import Precision

PROFILE: Final = "CP-DEID-1"
"""The name of this table in agreements and rendition headers (`deid_profile`)."""

_C = TypeVar("_C", RegistrationContent, PenaltyContent)
Rule = Callable[[Any, Vocabulary], Value]
"""Makes one field's value from the content of a record of the rule's own kind."""
_Rules = Mapping[tuple[str, Precision], Callable[[_C, Vocabulary], Value]]


def render(content: Content, granted: Mapping[str, Precision], vocabulary: Vocabulary) -> dict[str, Value]:
    """The granted fields of a record, each at the granted precision; null where home does not know the value.

    No identifier, name, exact day, document number, amount or free text of `content` is in the result. Raises
    NotRenderable when a granted field or precision has no de-identified form; an agreement that passed the
    catalogue's check never asks for one.
    """
    kind = Kind.PENALTY if isinstance(content, PenaltyContent) else Kind.REGISTRATION
    return {name: rule(content, vocabulary) for name, rule in rules_of(kind, granted).items()}


def rules_of(kind: Kind, granted: Mapping[str, Precision]) -> dict[str, Rule]:
    """By granted field of a kind, how its value is made; for many records it is looked up once. Raises as `render`."""
    rules: Mapping[tuple[str, Precision], Rule] = _REGISTRATION if kind is Kind.REGISTRATION else _PENALTY
    try:
        return {name: rules[name, precision] for name, precision in granted.items()}
    except KeyError:
        raise NotRenderable("a granted field or precision has no de-identified form") from None


def renderable(kind: Kind) -> frozenset[tuple[str, Precision]]:
    """Every field and precision that has a de-identified form for this kind."""
    return frozenset(_REGISTRATION if kind is Kind.REGISTRATION else _PENALTY)


def valid_until(disclose_until: date | None) -> date | None:
    """The last word on showing a copy: a record's `disclose_until` rounded down to the first of its month.

    Earlier is stricter, and the exact day would be a searchable mark of the record.
    """
    return None if disclose_until is None else disclose_until.replace(day=1)


def _year(day: date | None) -> int | None:
    return None if day is None else day.year


def _five_years(day: date | None) -> str | None:
    if day is None:
        return None
    start = day.year - day.year % 5
    return f"{start}-{start + 4}"


def _region(code: str | None, digits: int) -> str | None:
    return None if code is None else code[:digits]  # HK and MO stay whole


def _band(money: Money | None, bands: Bands) -> str | None:
    return None if money is None else bands.code_of(in_yuan(money))


_REGISTRATION: Final[_Rules[RegistrationContent]] = {
    ("entity_type_code", Precision.EXACT_CODE): lambda content, _: content.entity_type_code,
    ("established", Precision.YEAR): lambda content, _: _year(content.established_on),
    ("established", Precision.FIVE_YEARS): lambda content, _: _five_years(content.established_on),
    ("capital_band", Precision.BAND): lambda content, words: _band(content.capital, words.capital_bands),
    ("industry_section", Precision.SECTION): lambda content, _: content.industry_section,
    ("region", Precision.CITY): lambda content, _: _region(content.region_code, 4),
    ("region", Precision.PROVINCE): lambda content, _: _region(content.region_code, 2),
    ("status_code", Precision.EXACT_CODE): lambda content, _: content.status_code,
    ("has_lei", Precision.FLAG): lambda content, _: content.has_lei,
}
_PENALTY: Final[_Rules[PenaltyContent]] = {
    ("penalty_types", Precision.EXACT_CODE): lambda content, _: content.penalty_types,
    ("amount_band", Precision.BAND): lambda content, words: _band(content.amount, words.amount_bands),
    ("decision", Precision.MONTH): lambda content, _: content.decided_on.isoformat()[:7],
    ("decision", Precision.YEAR): lambda content, _: content.decided_on.year,
    ("authority_class", Precision.EXACT_CODE): lambda content, _: content.authority_class,
    ("authority_level", Precision.EXACT_CODE): lambda content, _: content.authority_level,
    ("legal_basis_code", Precision.EXACT_CODE): lambda content, _: content.legal_basis_code,
    ("performed", Precision.FLAG): lambda content, _: content.performed,
}
