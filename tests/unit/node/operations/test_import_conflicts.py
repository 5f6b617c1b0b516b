"""Rows that contradict what is known, or name their enterprise only: named, never merged and never guessed."""

import pytest

from node.domain.intake import Case, Rejected
from node.domain.operators import Role
from node.domain.records import Kind
from node.domain.rows import BadRow, Row
from node.operations.import_records import Import, Progress, import_rows, sources_of
from tests.fakes.exchange import intake, load, ordered
from tests.fakes.members import LAW
from tests.fakes.world import World
from tests.unit.node.domain.given import PENALTY, REGISTRATION

ANOTHER = {"name_zh": "深圳市别的科技有限公司", "name_en": "Another Technology Ltd."}
NAMELESS = PENALTY | {"uscc": ""}


def imported(world: World, kind: Kind, *rows: dict[str, str], **choices: bool) -> Progress:
    """The last progress of an import whose rows are numbered from 2."""
    agency = world.agency
    order = Import(intake=intake(agency, kind), order=ordered(agency, Role.RECORDS), law=LAW, **choices)
    numbered: list[Row | BadRow] = [Row(number, row) for number, row in enumerate(rows, start=2)]
    *_, last = import_rows(numbered, order, agency.store, agency.context)
    return last


def told(progress: Progress) -> list[tuple[int, str, str, str, int | None]]:
    return [(one.row, one.case, one.problem.field, one.problem.expected, one.against) for one in progress.rejects]


def test_one_code_claimed_by_two_names_is_a_conflict_that_names_row_and_record(admitted: World) -> None:
    rows = (REGISTRATION, REGISTRATION | ANOTHER, REGISTRATION)

    first, again = (imported(admitted, Kind.REGISTRATION, *rows) for _ in range(2))

    assert told(first) == [(3, Case.CONFLICT, "name_zh", "the name in record 1", 1)]
    assert (first.outcomes["new"], first.outcomes["unchanged"], first.outcomes["rejected"]) == (1, 1, 1)
    assert told(again) == told(first)
    assert (again.outcomes["unchanged"], again.outcomes["rejected"]) == (2, 1)
    assert ANOTHER["name_zh"] not in str(first.rejects)


def test_the_order_of_the_two_decides_nothing_once_one_is_kept(admitted: World) -> None:
    imported(admitted, Kind.REGISTRATION, REGISTRATION)

    turned = imported(admitted, Kind.REGISTRATION, REGISTRATION | ANOTHER, REGISTRATION)

    assert [one.row for one in turned.rejects] == [2]
    assert turned.outcomes["unchanged"] == 1


def test_a_name_in_english_only_contradicts_an_english_one(admitted: World) -> None:
    english = {"name_zh": ""}
    progress = imported(
        admitted, Kind.REGISTRATION, REGISTRATION | english, REGISTRATION | english | {"name_en": "Another Ltd."}
    )

    assert told(progress) == [(3, Case.CONFLICT, "name_en", "the name in record 1", 1)]


def test_a_penalty_for_another_name_than_its_code_is_a_conflict(admitted: World) -> None:
    load(admitted, Kind.REGISTRATION, REGISTRATION)

    progress = imported(admitted, Kind.PENALTY, PENALTY | ANOTHER, PENALTY)

    assert told(progress) == [(2, Case.CONFLICT, "name_zh", "the name in record 1", 1)]
    assert progress.outcomes["new"] == 1


def test_new_names_are_taken_when_they_are_expected_but_not_two_of_one_file(admitted: World) -> None:
    load(admitted, Kind.REGISTRATION, REGISTRATION)

    progress = imported(
        admitted, Kind.REGISTRATION, REGISTRATION | ANOTHER, REGISTRATION | {"name_zh": "丙公司"}, names_may_change=True
    )

    assert progress.outcomes["updated"] == 1
    assert [(one.row, one.case, one.problem.field) for one in progress.rejects] == [(3, Case.CONFLICT, "row")]


def test_a_file_that_says_two_things_about_one_record_changes_nothing_when_it_comes_again(
    admitted: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("node.operations.import_records.BATCH", 300)
    filler = [REGISTRATION | {"uscc": "", "hk_cr": f"{number:07d}"} for number in range(300)]
    rows = (REGISTRATION, *filler, REGISTRATION | {"status": "REVOKED"})

    first, again = (imported(admitted, Kind.REGISTRATION, *rows) for _ in range(2))

    expected = "what an earlier row of this file said, now record 1"
    assert told(first) == told(again) == [(303, Case.CONFLICT, "row", expected, 1)]
    assert (first.outcomes["new"], again.outcomes["unchanged"]) == (301, 301)


def test_two_decisions_under_one_number_are_not_taken_for_one(admitted: World) -> None:
    progress = imported(admitted, Kind.PENALTY, PENALTY, PENALTY | {"amount": "9元"})

    assert [(one.row, one.case, one.problem.field) for one in progress.rejects] == [(3, Case.CONFLICT, "row")]


def test_codes_of_two_known_enterprises_in_one_row_are_a_conflict_too(admitted: World) -> None:
    load(admitted, Kind.REGISTRATION, REGISTRATION, REGISTRATION | {"uscc": "", "hk_cr": "1234567"})

    progress = imported(admitted, Kind.REGISTRATION, REGISTRATION | {"hk_cr": "1234567"})

    assert told(progress) == [(2, Case.CONFLICT, "identifiers", "identifiers of one subject", None)]


def test_several_codes_of_one_row_lead_to_one_subject(admitted: World) -> None:
    lei = REGISTRATION | {"lei": "529900JFBI6KVEL97S42"}
    load(admitted, Kind.REGISTRATION, lei)

    done = load(admitted, Kind.PENALTY, PENALTY | {"uscc": "", "lei": lei["lei"], "entity_type": "LIMITED"})

    assert done["new"] == 1
    subjects = {row.subject_no for row in admitted.agency.read(lambda work: list(work.records.page(None, 0, 9)))}
    assert len(subjects) == 1


def test_penalties_without_a_code_are_named_as_unjoined_with_the_reason_of_each(admitted: World) -> None:
    """Row 2 names nobody who is known, row 3 somebody who is, row 4 one of two, row 5 nobody at all."""
    twin = {"name_zh": "深圳双子有限公司", "name_en": ""}
    load(
        admitted, Kind.REGISTRATION, REGISTRATION, REGISTRATION | twin | {"uscc": "", "hk_cr": "0000001"},
        REGISTRATION | twin | {"uscc": "", "hk_cr": "0000002"},
    )  # fmt: skip
    nobody = {"name_zh": "", "name_en": ""}

    progress = imported(admitted, Kind.PENALTY, NAMELESS | ANOTHER, NAMELESS, NAMELESS | twin, NAMELESS | nobody)

    assert {one.case for one in progress.rejects} == {Case.UNJOINED}
    assert [(one.row, one.problem.got) for one in progress.rejects] == [
        (2, "none, and no enterprise here has this name"),
        (3, "none; one enterprise here has this name, and joining by name was not ordered"),
        (4, "none, and several enterprises here have this name"),
        (5, "none, and no name"),
    ]


def test_joining_by_name_takes_the_only_enterprise_of_that_name_however_it_is_spaced(admitted: World) -> None:
    load(admitted, Kind.REGISTRATION, REGISTRATION)
    spaced = NAMELESS | {"name_zh": "深圳市 示例科技有限公司", "name_en": ""}

    first, again = (imported(admitted, Kind.PENALTY, spaced, join_by_name=True) for _ in range(2))

    assert (first.outcomes["new"], again.outcomes["unchanged"]) == (1, 1)
    page = admitted.agency.read(lambda work: list(work.records.page(None, 0, 9)))
    assert len({row.subject_no for row in page}) == 1


def test_a_joined_penalty_still_has_to_pass_every_rule(admitted: World) -> None:
    load(admitted, Kind.REGISTRATION, REGISTRATION)

    progress = imported(admitted, Kind.PENALTY, NAMELESS | {"procedure": "SUMMARY"}, join_by_name=True)

    assert [(one.case, one.reason) for one in progress.rejects] == [(Case.REJECTED, "SUMMARY_PROCEDURE_PENALTY")]


def test_an_enterprise_known_only_from_penalties_is_not_found_by_its_name(admitted: World) -> None:
    load(admitted, Kind.PENALTY, PENALTY)

    progress = imported(admitted, Kind.PENALTY, NAMELESS | {"decision_no": "another"}, join_by_name=True)

    assert [one.problem.got for one in progress.rejects] == ["none, and no enterprise here has this name"]


def test_a_second_look_finds_the_row_that_a_conflicting_one_contradicts(admitted: World) -> None:
    rows: list[Row | BadRow] = [Row(2, REGISTRATION), Row(3, REGISTRATION | ANOTHER), Row(4, {})]
    opened = intake(admitted.agency, Kind.REGISTRATION)
    progress = imported(admitted, Kind.REGISTRATION, *[dict(row.values) for row in rows[:2] if isinstance(row, Row)])
    (conflict,) = progress.rejects

    assert isinstance(conflict, Rejected)
    assert conflict.source_key is not None
    found = list(sources_of(rows, opened, {conflict.source_key}))
    assert [row for _, row in found] == [2, 3]
    assert conflict.source_key.hex() not in repr(conflict)
