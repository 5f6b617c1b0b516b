"""Registers written by others: every row is admitted or rejected with its reason."""

import os
from collections import Counter
from pathlib import Path

import pytest

from node.domain.identifiers import Identifier, Scheme, parse_identifier
from node.domain.intake import Admitted, admit
from node.domain.mapping import read_mapping
from node.domain.mappings import shipped_mappings
from node.domain.records import Kind
from node.domain.rows import Format, Row, read_rows
from tests.unit.node.domain.given import intake

DATA = os.environ.get("CREDITPORT_DATA", "")
MAPPING = shipped_mappings()["shenzhen-enterprises"]

pytestmark = pytest.mark.skipif(not DATA, reason="CREDITPORT_DATA does not name a folder of real registers")


def rows(name: str) -> list[Row]:
    with (Path(DATA) / name).open("rb") as stream:
        return [row for row in read_rows(stream, Format.CSV) if isinstance(row, Row)]


def test_all_shenzhen_enterprises_are_admitted_and_nothing_is_odd_about_their_codes() -> None:
    mapping, opened = read_mapping(MAPPING), intake(Kind.REGISTRATION)
    mapped = [mapping.apply(row) for row in rows("shenzhen-enterprises/enterprises.csv")]
    answers = [admit(row, opened) for row in mapped if isinstance(row, Row)]

    assert Counter(map(type, answers)) == {Admitted: 3000}
    assert [one.remarks for one in answers if isinstance(one, Admitted) and one.remarks] == []


def test_every_hong_kong_company_number_is_known() -> None:
    found = [parse_identifier(Scheme.HK_CR, row.values["cr_no"]) for row in rows("hongkong-companies/companies.csv")]

    assert Counter(map(type, found)) == {Identifier: 4000}


def test_every_hong_kong_business_registration_is_known() -> None:
    found = [
        parse_identifier(Scheme.HK_BRN, row.values["BR Number"])
        for row in rows("hongkong-companies/weekly-with-brn.csv")
    ]

    assert Counter(map(type, found)) == {Identifier: 40}


def test_every_lei_and_unified_code_of_the_lei_register_is_known() -> None:
    found = [
        parse_identifier(scheme, row.values[column])
        for row in rows("gleif/entities.csv")
        for scheme, column in ((Scheme.LEI, "lei"), (Scheme.CN_USCC, "uscc"))
        if row.values[column]
    ]

    assert Counter(map(type, found)) == {Identifier: 30}
