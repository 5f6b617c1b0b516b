"""Rows that state no code of their enterprise: joined to a home subject by its exact name, or left unjoined."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from agreements.refusal import Refusal
from node.domain.identification import IDENTIFIER_COLUMNS, identity_columns
from node.domain.identifiers import Problem
from node.domain.intake import Case, Rejected
from node.domain.naming import Claim
from node.domain.records import Content, Kind
from node.domain.rows import Row, Sheet

_EXPECTED: Final = "an identifier of a known scheme"


class Unjoined(StrEnum):
    """Why a row without an identifier leads to no subject, in the words of a reject."""

    NO_NAME = "none, and no name"
    UNKNOWN = "none, and no enterprise here has this name"
    SEVERAL = "none, and several enterprises here have this name"
    OFFERED = "none; one enterprise here has this name, and joining by name was not ordered"


def is_without_identifier(row: Row) -> bool:
    """Whether a row leaves every column of identifiers empty."""
    return not any(row.values.get(column, "").strip() for column in IDENTIFIER_COLUMNS)


def has_only_identified(sheet: Sheet) -> bool:
    """Whether no row of a sheet leaves every column of identifiers empty."""
    columns = [[text.strip() for text in sheet.column(name)] for name in IDENTIFIER_COLUMNS]
    return all(map(any, zip(*columns, strict=True)))


def names_of(row: Row) -> tuple[str, ...]:
    """The names in a row, folded; each in the language of its column, which a join does not care about."""
    return Claim(row.values.get("name_zh", "").strip(), row.values.get("name_en", "").strip()).names


def join(row: Row, found: Sequence[Content], *, ordered: bool) -> Row | Rejected:
    """Give the row the identity of the one registration of its name, if joining by name was ordered.

    `found` is one registration of each home subject that has one of the row's names.
    """
    if len(found) == 1 and ordered:
        return identified(row, found[0])
    if not names_of(row):
        return _unjoined(row, Unjoined.NO_NAME)
    if not found:
        return _unjoined(row, Unjoined.UNKNOWN)
    return _unjoined(row, Unjoined.SEVERAL if len(found) > 1 else Unjoined.OFFERED)


def identified(row: Row, content: Content) -> Row:
    """The row with the identifiers of `content`, and with its entity type where the row states none."""
    values = {**row.values, **identity_columns(content.identifiers)}
    if content.KIND is Kind.REGISTRATION and not values.get("entity_type", "").strip():
        values["entity_type"] = str(content["entity_type_code"] or "")
    return Row(row.number, values)


def _unjoined(row: Row, why: Unjoined) -> Rejected:
    problem = Problem("identifiers", _EXPECTED, why.value)
    return Rejected(row=row.number, reason=Refusal.SUBJECT_ID_INVALID, problem=problem, case=Case.UNJOINED)
