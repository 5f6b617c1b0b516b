"""Mappings: somebody else's columns become ours, or the file or the row says why not."""

import pytest

from node.domain.errors import MappingRefused
from node.domain.intake import Admitted, admit
from node.domain.mapping import read_mapping, standard_mapping
from node.domain.mappings import shipped_mappings
from node.domain.records import Kind
from node.domain.rows import BadRow, Row
from node.domain.vocabulary import load_vocabulary
from registry.norms.code_lists import CodeListName
from tests.unit.node.domain.given import PENALTY, REGISTRATION, intake

TEXT = """
id = "register-extract"
kind = "201"
[columns.name_zh]
from = ["company"]
[columns.decided_on]
from = ["day"]
date = "DMY"
[columns.penalty_types]
from = ["kinds"]
table = "kinds"
separator = "、"
[columns.entity_type]
from = ["form"]
table = "forms"
default = "OTHER"
[columns.facts]
from = ["what", "where"]
join = " / "
[columns.performed]
from = ["paid_on"]
filled = "true"
default = "false"
[columns.procedure]
constant = "GENERAL"
[tables.kinds]
"罚款" = "FINE"
"警告" = "WARNING"
[tables.forms]
"有限责任公司" = "LIMITED"
"""
ROW = {
    "company": " 示例 ",
    "day": "05-03-2024",
    "kinds": "警告、罚款",
    "form": "别的",
    "what": "a",
    "where": "b",
    "tel": "1",
    "paid_on": "2024-04-01",
}


def applied(**changes: str) -> Row | BadRow:
    return read_mapping(TEXT).apply(Row(7, ROW | changes))


def test_every_named_change_is_made_and_other_columns_are_dropped() -> None:
    assert applied() == Row(
        7,
        {
            "name_zh": "示例",
            "decided_on": "2024-03-05",
            "penalty_types": "WARNING;FINE",
            "entity_type": "OTHER",
            "facts": "a / b",
            "performed": "true",
            "procedure": "GENERAL",
        },
    )


def test_an_empty_text_stays_empty_or_becomes_the_default() -> None:
    row = applied(day="", form="", paid_on=" ")

    assert isinstance(row, Row)
    assert (row.values["decided_on"], row.values["entity_type"], row.values["performed"]) == ("", "OTHER", "false")


@pytest.mark.parametrize(
    ("column", "value", "field"), [("day", "2024-03-05", "decided_on"), ("kinds", "鞭打", "penalty_types")]
)
def test_a_text_that_cannot_be_changed_is_named_and_not_repeated(column: str, value: str, field: str) -> None:
    row = applied(**{column: value})

    assert isinstance(row, BadRow)
    assert (row.number, row.problem.field) == (7, field)
    assert value not in repr(row)


def test_a_missing_source_column_is_named() -> None:
    row = read_mapping(TEXT).apply(Row(3, {}))

    assert isinstance(row, BadRow)
    assert row.problem.expected == "the column company"


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("id =", "TOML"),
        ('id = "x"\nkind = "999"\n[columns]\n', r"\$.kind"),
        ('id = "x"\nkind = "101"\n[columns.shoe_size]\nfrom = ["a"]\n', "shoe_size"),
        ('id = "x"\nkind = "101"\n[columns.uscc]\n', "columns.uscc"),
        ('id = "x"\nkind = "101"\n[columns.uscc]\nfrom = ["a"]\nconstant = "b"\n', "columns.uscc"),
        ('id = "x"\nkind = "101"\n[columns.uscc]\nfrom = ["a"]\ntable = "t"\n', "columns.uscc.table"),
        (
            'id = "x"\nkind = "101"\n[columns.uscc]\nfrom = ["a"]\ntable = "t"\ndate = "YMD"\n[tables.t]\n',
            "columns.uscc",
        ),
        ('id = "x"\nkind = "101"\n[columns.uscc]\nfrom = ["a"]\nfilled = "b"\ndate = "YMD"\n', "`date` and `filled`"),
        ('id = "x"\nkind = "101"\n[columns.uscc]\nfrom = ["a"]\nshout = true\n', "shout"),
    ],
)
def test_a_mapping_that_cannot_be_used_names_the_place(text: str, place: str) -> None:
    with pytest.raises(MappingRefused, match=place):
        read_mapping(text)


@pytest.mark.parametrize(("kind", "row"), [(Kind.REGISTRATION, REGISTRATION), (Kind.PENALTY, PENALTY)])
def test_our_own_header_needs_no_mapping_file(kind: Kind, row: dict[str, str]) -> None:
    mapped = standard_mapping(kind).apply(Row(2, row | {"shoe_size": "44"}))

    assert isinstance(mapped, Row)
    assert "shoe_size" not in mapped.values
    assert isinstance(admit(mapped, intake(kind)), Admitted)


@pytest.mark.parametrize("name", shipped_mappings())
def test_every_shipped_mapping_can_be_used_and_names_only_codes_that_are_listed(name: str) -> None:
    mapping, words = read_mapping(shipped_mappings()[name]), load_vocabulary()
    listed = {
        "entity_type": words.entity_types - words.natural_person,
        "penalty_types": words.codes(CodeListName.PENALTY_TYPES),
        "legal_basis": words.codes(CodeListName.LEGAL_BASES),
        "authority_class": words.codes(CodeListName.AUTHORITY_CLASSES),
        "status": words.codes(CodeListName.STATUSES),
    }

    assert mapping.id == name
    for column in mapping.columns:
        made = {column.constant, column.filled, *(column.words or {}).values()} - {None}
        assert made <= listed.get(column.target, made)
