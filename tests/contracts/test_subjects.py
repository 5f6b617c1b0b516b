"""Several identifiers of one enterprise lead to one subject, from the rows of a file to the index of pseudonyms."""

from datetime import UTC, datetime
from itertools import count, permutations
from typing import cast

import pytest

from node.domain.context import Context, NodeKeys
from node.domain.intake import Case
from node.domain.operators import SignedAct
from node.domain.records import Kind
from node.domain.rows import Row
from node.operations.import_records import Import, Progress, import_rows
from node.operations.ports import Store
from registry.parties import PartyId
from tests.fakes.members import LAW
from tests.unit.node.domain.given import PENALTY, REGISTRATION, intake

AT = datetime(2026, 11, 23, 12, tzinfo=UTC)
CODES = {"uscc": "91440300MA5TERT15Q", "hk_brn": "12345678", "lei": "9845TESTNODESHZHK005"}
SPELLED = {"uscc": "91440300-ma5tert15-q", "hk_brn": "１２３４ ５６７８", "lei": "9845 testnodeshzhk005"}
NOBODY = {"uscc": ""}


_numbers = count()


def _random(size: int) -> bytes:
    """Different each time: a store keeps no two journal entries alike."""
    return next(_numbers).to_bytes(size, "big")


def imported(store: Store, kind: Kind, *rows: dict[str, str]) -> Progress:
    context = Context(node=PartyId("sz-credit"), now=lambda: AT, random=_random, keys=cast("NodeKeys", None))
    order = Import(intake=intake(kind), order=SignedAct(operator="alice", digest=b"", raw=b""), law=LAW)
    numbered = [Row(number, row) for number, row in enumerate(rows, start=2)]
    *_, last = import_rows(numbered, order, store, context)
    return last


def fine(number: str, **codes: str) -> dict[str, str]:
    return PENALTY | NOBODY | {"decision_no": number, "entity_type": "LIMITED"} | codes


def indexed(store: Store) -> dict[tuple[str, str], int]:
    """Every identifier that waits to be indexed, with the number of its subject."""
    with store.write() as work:
        pending = work.pseudonyms.pending(work.agreements.number(b"a" * 32), 1, 100)
    return {(scheme, value): subject for _, subject, scheme, value in pending}


def subjects(store: Store) -> set[int]:
    with store.read() as work:
        return {row.subject_no for row in work.records.page(None, 0, 100)}


@pytest.mark.parametrize("order", [*permutations(CODES)], ids="-".join)
def test_codes_that_come_one_after_the_other_lead_to_one_subject_and_all_are_indexed(
    store: Store, order: tuple[str, ...]
) -> None:
    first, second, third = order
    rows = [
        fine("1", **{first: CODES[first]}),
        fine("2", **{first: SPELLED[first], second: CODES[second]}),
        fine("3", **{second: SPELLED[second], third: CODES[third]}),
        fine("4", **{third: SPELLED[third]}),
    ]

    progress = imported(store, Kind.PENALTY, *rows)

    (subject,) = subjects(store)
    assert progress.outcomes["new"] == 4
    assert indexed(store) == {
        ("CN-USCC", CODES["uscc"]): subject,
        ("HK-BRN", CODES["hk_brn"]): subject,
        ("LEI", CODES["lei"]): subject,
    }


def test_codes_that_come_with_a_registration_lead_other_records_to_its_subject(store: Store) -> None:
    imported(store, Kind.REGISTRATION, REGISTRATION | CODES)
    progress = imported(store, Kind.PENALTY, *[fine(column, **{column: SPELLED[column]}) for column in CODES])

    assert progress.outcomes["new"] == 3
    assert len(subjects(store)) == 1


def test_every_subject_of_a_record_has_identifiers_and_every_subject_of_an_identifier_a_record(store: Store) -> None:
    imported(store, Kind.PENALTY, fine("1", uscc=CODES["uscc"]), fine("2", hk_brn=CODES["hk_brn"]))  # strangers
    imported(
        store,
        Kind.PENALTY,
        fine("3", uscc=CODES["uscc"], lei=CODES["lei"]),
        fine("4", uscc=CODES["uscc"], hk_brn=CODES["hk_brn"]),  # a conflict
        fine("5", hk_brn="87654321"),
    )

    assert len(subjects(store)) == 3
    assert subjects(store) == set(indexed(store).values())


@pytest.mark.parametrize("together", [True, False], ids=["in one file", "in two files"])
def test_codes_of_two_known_enterprises_in_one_row_are_a_conflict_that_joins_nothing(
    store: Store, together: bool
) -> None:
    known = [fine("1", uscc=CODES["uscc"]), fine("2", hk_brn=CODES["hk_brn"])]
    both = fine("3", uscc=SPELLED["uscc"], hk_brn=SPELLED["hk_brn"], lei=CODES["lei"])
    if not together:
        imported(store, Kind.PENALTY, *known)

    progress = imported(store, Kind.PENALTY, *(known if together else []), both)

    assert [(one.case, one.problem.field, one.against) for one in progress.rejects] == [
        (Case.CONFLICT, "identifiers", None)
    ]
    assert len(subjects(store)) == 2
    assert ("LEI", CODES["lei"]) not in indexed(store)


@pytest.mark.parametrize(
    "row",
    [
        {"uscc": "92440300MA5TERT31B", "hk_cr": "1234567"},
        {"mo_tin": "00000001", "lei": CODES["lei"]},
        {"hk_brn": "12345678", "entity_type": "HK_SOLE_PROPRIETOR"},
        {"lei": CODES["lei"], "entity_type": "SOLE_PROPRIETOR"},
        {"lei": CODES["lei"], "entity_type": ""},
        {"mo_cr": "12345SO", "entity_type": "MO_SOLE_MERCHANT"},
    ],
)
def test_a_natural_person_in_business_leaves_no_subject_and_no_identifier(store: Store, row: dict[str, str]) -> None:
    progress = imported(store, Kind.PENALTY, fine("1", **row))

    (rejected,) = progress.rejects
    assert rejected.reason == "NATURAL_PERSON_SUBJECT"
    assert (subjects(store), indexed(store)) == (set(), {})


def test_an_attested_check_stays_with_the_record_and_is_told(store: Store) -> None:
    early = {"uscc": "91350211M0000XUF46", "uscc_check_attested": "true"}

    progress = imported(store, Kind.PENALTY, fine("1", **early), fine("2", uscc=CODES["uscc"]))

    with store.read() as work:
        kept = [b'"check_waived":true' in row.content for row in work.records.page(None, 0, 9)]
    assert kept == [True, False]
    assert (2, "CHECK_ATTESTED") in progress.remarks
    assert {row for row, _ in progress.remarks} == {2}
