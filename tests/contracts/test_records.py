"""The port Records."""

from datetime import date

import pytest

from node.operations.ports import Store
from node.operations.record_rows import NewRecordRow, NewRecords, RecordRow
from tests.contracts.examples import BRN, NOON, USCC, deletion, minutes, record

LEI = ("LEI", "5493001KJTIIGC8Y1R12")


def _all(store: Store) -> list[RecordRow]:
    with store.read() as work:
        return list(work.records.page(None, 0, 10_000))


def _add(store: Store, *rows: NewRecordRow) -> tuple[str, ...]:
    with store.write() as work:
        outcomes = work.records.add(rows, NOON).outcomes
        work.commit()
    return outcomes


def test_a_new_record_comes_back_whole_as_version_one(store: Store) -> None:
    outcomes = _add(store, record("a", USCC, content="penalty", kind="201"))

    (row,) = _all(store)
    assert outcomes == ("new",)
    assert row == RecordRow(
        record_no=row.record_no,
        subject_no=row.subject_no,
        version=1,
        kind="201",
        content=b"penalty",
        facts=b'{"provider":"sz-agency"}',
        generated_on=date(2026, 11, 23),
        disclose_until=date(2031, 11, 23),
        withheld=frozenset(),
        stored_at=NOON,
        deleted_at=None,
    )


def test_importing_the_same_row_again_changes_nothing(store: Store) -> None:
    _add(store, record("a"))
    before = _all(store)

    assert _add(store, record("a")) == ("unchanged",)
    assert _all(store) == before


def test_other_content_is_a_new_version_of_the_same_record_and_replaces_the_old_content(store: Store) -> None:
    _add(store, record("a", content="first"))
    (old,) = _all(store)

    assert _add(store, record("a", content="second")) == ("updated",)
    (new,) = _all(store)
    assert (new.record_no, new.subject_no, new.version, new.content) == (
        old.record_no, old.subject_no, 2, b"second",
    )  # fmt: skip


def test_going_back_to_earlier_content_is_yet_another_version(store: Store) -> None:
    for content in ("first", "second", "first"):
        _add(store, record("a", content=content))

    assert [(row.version, row.content) for row in _all(store)] == [(3, b"first")]


def test_the_new_version_of_each_record_that_changed_is_told(store: Store) -> None:
    _add(store, record("a", USCC), record("b", BRN), record("c", LEI))
    first, second, _ = _all(store)
    rows = [
        record("a", USCC, content="second"),
        record("b", BRN, content="second"),
        record("b", BRN, content="third"),
        record("c", LEI),
        record("d"),
        record("d", content="second"),
        record("a", USCC, BRN, content="a conflict"),
    ]
    with store.write() as work:
        imported = work.records.add(rows, minutes(1))

    assert imported.outcomes == ("updated", "updated", "updated", "unchanged", "new", "updated", "conflict")
    assert imported.updated == {first.record_no: 2, second.record_no: 3}


def test_the_time_of_a_record_is_that_of_its_current_version(store: Store) -> None:
    _add(store, record("a"), record("b"))
    with store.write() as work:
        work.records.add([record("a", content="second"), record("b")], minutes(1))
        work.commit()

    assert [row.stored_at for row in _all(store)] == [minutes(1), NOON]


def test_rows_of_one_batch_see_each_other(store: Store) -> None:
    outcomes = _add(
        store,
        record("a", USCC, content="first"),
        record("a", USCC, content="first"),
        record("a", USCC, content="second"),
        record("b", USCC, kind="201"),
    )

    first, second = _all(store)
    assert outcomes == ("new", "unchanged", "updated", "new")
    assert (first.version, first.content, second.version) == (2, b"second", 1)
    assert first.subject_no == second.subject_no


def test_subjects_are_joined_by_any_identifier(store: Store) -> None:
    _add(store, record("a", USCC, BRN))
    _add(store, record("b", BRN, LEI))
    _add(store, record("c", LEI))

    assert len({row.subject_no for row in _all(store)}) == 1


def test_records_without_a_common_identifier_are_of_different_subjects(store: Store) -> None:
    _add(store, record("a", USCC), record("b", BRN))
    _add(store, record("c", LEI))

    assert len({row.subject_no for row in _all(store)}) == 3


def test_identifiers_of_two_subjects_are_a_conflict_and_leave_no_trace(store: Store) -> None:
    _add(store, record("a", USCC), record("b", BRN))
    before = _all(store)

    assert _add(store, record("c", USCC, BRN, LEI), record("d", LEI)) == ("conflict", "new")
    assert _all(store)[:2] == before
    assert len({row.subject_no for row in _all(store)}) == 3


def test_a_record_never_moves_to_another_subject(store: Store) -> None:
    _add(store, record("a", USCC), record("b", BRN))
    before = _all(store)

    assert _add(store, record("a", USCC, BRN, content="other")) == ("conflict",)
    assert _all(store) == before


def test_a_later_row_may_bring_another_identifier_of_its_subject(store: Store) -> None:
    _add(store, record("a", USCC))

    assert _add(store, record("a", USCC, LEI)) == ("unchanged",)
    _add(store, record("b", LEI))
    assert len({row.subject_no for row in _all(store)}) == 1


def test_an_empty_batch_has_no_outcomes(store: Store) -> None:
    assert _add(store) == ()


def test_an_undone_batch_leaves_nothing(store: Store) -> None:
    with store.write() as work:
        work.records.add([record("a", USCC)], NOON)

    assert _all(store) == []
    assert _add(store, record("a", USCC)) == ("new",)


def test_records_of_subjects_are_read_by_subject_and_kind(store: Store) -> None:
    _add(store, record("a", USCC), record("b", USCC, kind="201"), record("c", BRN), record("d", LEI))
    registered, punished, other, _ = _all(store)
    wanted = [registered.subject_no, other.subject_no, registered.subject_no, 987_654]

    with store.read() as work:
        assert work.records.of_subjects(wanted, ["101", "201"]) == {
            registered.subject_no: [registered, punished],
            other.subject_no: [other],
        }
        assert work.records.of_subjects(wanted, ["201"]) == {registered.subject_no: [punished]}
        assert work.records.of_subjects(wanted, []) == {}
        assert work.records.of_subjects([], ["101"]) == {}


def test_pages_go_up_by_number_and_may_be_of_one_kind(store: Store) -> None:
    _add(store, *[record(f"r{place}", kind="201" if place % 3 == 0 else "101") for place in range(10)])
    rows = _all(store)

    with store.read() as work:
        assert [row.record_no for row in rows] == sorted(row.record_no for row in rows)
        assert work.records.page(None, rows[3].record_no, 4) == rows[4:8]
        punished = [row for row in rows if row.kind == "201"]
        assert work.records.page("201", punished[0].record_no, 2) == punished[1:3]
        assert work.records.page("999", 0, 10) == []


def test_records_are_counted_by_kind(store: Store) -> None:
    _add(store, record("a"), record("b"), record("c", kind="201"))

    with store.read() as work:
        assert work.records.count() == {"101": 2, "201": 1}


def test_one_record_is_found_by_its_number(store: Store) -> None:
    _add(store, record("a"), record("b"))
    first, second = _all(store)

    with store.read() as work:
        assert work.records.find(second.record_no) == second
        assert work.records.find(first.record_no + second.record_no) is None


def _named(name: str, zh: str, *identifiers: tuple[str, str], kind: str = "101", more: str = "") -> NewRecordRow:
    return record(name, *identifiers, kind=kind, content=f'{{"more":"{more}","name_zh":"{zh}"}}')


def test_another_name_for_a_known_code_is_turned_away_and_says_which_record_it_contradicts(store: Store) -> None:
    _add(store, _named("other", "丁", BRN), _named("a", "甲", USCC))
    before = _all(store)
    rows = [_named("a", "乙", USCC), _named("p", "乙", USCC, kind="201"), _named("a", "甲", USCC, more="2")]

    with store.write() as work:
        imported = work.records.add(rows, NOON)
        work.commit()

    assert imported.outcomes == ("renamed", "renamed", "updated")
    assert imported.against == {0: before[1].record_no, 1: before[1].record_no}
    assert [row.version for row in _all(store)] == [1, 2]


def test_rows_of_one_batch_contradict_each_other(store: Store) -> None:
    with store.write() as work:
        imported = work.records.add([_named("a", "甲", USCC), _named("a", "乙", USCC)], NOON)
        work.commit()

    (kept,) = _all(store)
    assert imported.outcomes == ("new", "renamed")
    assert imported.against == {1: kept.record_no}
    assert kept.version == 1


def test_a_new_name_that_is_expected_is_taken(store: Store) -> None:
    _add(store, _named("a", "甲", USCC))
    with store.write() as work:
        imported = work.records.add([_named("a", "乙", USCC)], NOON, names_may_change=True)

    assert imported.outcomes == ("updated",)


def test_a_registration_is_not_held_against_the_names_in_other_records(store: Store) -> None:
    _add(store, _named("p", "旧", USCC, kind="201"))

    assert _add(store, _named("q", "新", USCC, kind="201"), _named("a", "新", USCC)) == ("renamed", "new")
    assert _add(store, _named("q", "新", USCC, kind="201")) == ("new",)


def test_a_deleted_record_claims_no_name(store: Store) -> None:
    _add(store, _named("a", "甲", USCC))
    (row,) = _all(store)
    with store.write() as work:
        work.changes.delete(deletion(row.record_no))
        work.commit()

    assert _add(store, _named("p", "乙", USCC, kind="201")) == ("new",)


def test_what_a_file_says_twice_and_differently_is_turned_away(store: Store) -> None:
    rows = [record("a", content="first"), record("a", content="first"), record("a", content="second")]
    for expected in (("new", "unchanged", "repeated"), ("unchanged", "unchanged", "repeated")):
        with store.write() as work:
            imported = work.records.add(rows, NOON, repeated=frozenset({1, 2}))
            work.commit()

        (kept,) = _all(store)
        assert imported.outcomes == expected
        assert imported.against == {2: kept.record_no}
        assert (kept.version, kept.content) == (1, b"first")


def test_of_a_batch_in_which_one_row_is_known_the_others_are_stored_once_each_as_a_subject_of_its_own(
    store: Store,
) -> None:
    _add(store, record("b"))
    (known,) = _all(store)

    assert _add(store, record("a"), record("b", content="new"), record("c", USCC, BRN)) == ("new", "updated", "new")

    first, *others = _all(store)
    assert (first.record_no, first.subject_no, first.content) == (known.record_no, known.subject_no, b"new")
    assert [row.version for row in others] == [1, 1]
    assert [row.subject_no - known.subject_no for row in others] == [1, 2]
    _add(store, *(record(str(one), one, kind="201") for one in (("HK-CR", "a"), ("HK-CR", "b"), USCC, BRN)))
    owners = [row.subject_no for row in _all(store)[3:]]
    assert owners == [others[0].subject_no, known.subject_no, others[1].subject_no, others[1].subject_no]


def test_rows_that_come_as_columns_are_stored_like_rows(store: Store) -> None:
    rows = [record("a", USCC), record("b", BRN, content="penalty", kind="201"), record("c", LEI)]

    with store.write() as work:
        outcomes = work.records.add(NewRecords.of(rows), NOON).outcomes
        work.commit()

    assert outcomes == ("new", "new", "new")
    assert [(row.kind, row.content) for row in _all(store)] == [(row.kind, row.content) for row in rows]


@pytest.mark.parametrize("count", [1, 127, 128, 129, 300])
def test_however_many_strangers_come_together_each_is_stored_as_it_came(store: Store, count: int) -> None:
    names = [(("HK-CR", f"{place}"), ("LEI", f"{-place}")) for place in range(count)]
    rows = [record(f"{place}", *each, content=f"{place}") for place, each in enumerate(names)]

    assert _add(store, *rows) == ("new",) * count

    stored = _all(store)
    assert [row.content for row in stored] == [row.content for row in rows]
    assert [row.subject_no for row in stored] == [*range(stored[0].subject_no, stored[0].subject_no + count)]
    again = [record(f"{one}", one, kind="201") for each in names for one in each]
    _add(store, *again)
    assert [row.subject_no for row in _all(store)[count:]] == [row.subject_no for row in stored for _ in range(2)]


def test_columns_of_rows_are_a_sequence_of_them() -> None:
    rows = [record("a"), record("b", kind="201"), record("c", USCC)]
    columns = NewRecords.of(rows)

    assert ([*columns], len(columns), columns[1], [*columns[1:]]) == (rows, 3, rows[1], rows[1:])
    assert NewRecords.of(columns) is columns
    assert "penalty" not in repr(NewRecords.of([record("a", content="penalty")]))
