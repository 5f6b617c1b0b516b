"""The port Changes: corrections and deletions, and what becomes of the record in the port Records."""

from datetime import date

from msgspec import structs

from node.operations.ports import Store, UnitOfWork
from node.operations.record_rows import NewRecordRow, RecordRow
from tests.contracts.examples import BRN, NOON, USCC, deletion, minutes, record, stock


def _add(work: UnitOfWork, *rows: NewRecordRow) -> tuple[str, ...]:
    return work.records.add(rows, minutes(9)).outcomes


def _first(work: UnitOfWork) -> RecordRow:
    (row,) = work.records.page(None, 0, 1)
    return row


def test_a_correction_replaces_what_the_record_says_in_a_new_version(store: Store) -> None:
    corrected = structs.replace(
        record("a", content="right"),
        facts=b'{"provider":"other"}',
        generated_on=date(2026, 3, 2),
        disclose_until=date(2028, 2, 29),
    )
    with store.write() as work:
        _add(work, record("a", content="wrong"))
        before = _first(work)

        assert work.changes.correct(before.record_no, corrected, minutes(10)) == 2
        assert _first(work) == structs.replace(
            before,
            version=2,
            content=b"right",
            facts=b'{"provider":"other"}',
            generated_on=date(2026, 3, 2),
            disclose_until=date(2028, 2, 29),
            stored_at=minutes(10),
        )


def test_a_correction_touches_no_other_record(store: Store) -> None:
    stocked = stock(store, 3)
    with store.write() as work:
        before = work.records.page(None, 0, 10)
        work.changes.correct(stocked.records[1], record("record 1", content="right"), minutes(1))

        after = work.records.page(None, 0, 10)
        assert [after[0], after[2]] == [before[0], before[2]]


def test_versions_only_rise_whoever_changes_the_record(store: Store) -> None:
    with store.write() as work:
        _add(work, record("a", content="one"))
        number = _first(work).record_no
        versions = [work.changes.correct(number, record("a", content="two"), NOON)]
        _add(work, record("a", content="three"))
        versions.append(_first(work).version)
        versions.append(work.changes.correct(number, record("a", content="four"), NOON))
        versions.append(work.changes.correct(number, record("a", content="four"), NOON))
        versions.append(work.changes.delete(deletion(number)))

        assert versions == [2, 3, 4, 5, 6]
        assert _first(work).version == 6


def test_a_content_that_was_declared_wrong_does_not_come_back(store: Store) -> None:
    with store.write() as work:
        _add(work, record("a", content="wrong"))
        work.changes.correct(_first(work).record_no, record("a", content="right"), NOON)
        before = _first(work)

        assert work.records.add([record("a", content="wrong")], NOON).updated == {}
        outcomes = _add(work, record("a", content="wrong"), record("a", content="right"))
        assert outcomes == ("corrected", "unchanged")
        assert _first(work) == before


def test_every_content_that_was_ever_declared_wrong_stays_away_and_newer_facts_are_taken_in(store: Store) -> None:
    with store.write() as work:
        _add(work, record("a", content="wrong"))
        number = _first(work).record_no
        work.changes.correct(number, record("a", content="wrong too"), NOON)
        work.changes.correct(number, record("a", content="right"), NOON)

        rows = [record("a", content=content) for content in ("wrong", "wrong too", "newer", "wrong")]
        assert _add(work, *rows) == ("corrected", "corrected", "updated", "corrected")
        assert (_first(work).version, _first(work).content) == (4, b"newer")


def test_what_is_wrong_in_one_record_may_be_right_in_another(store: Store) -> None:
    with store.write() as work:
        _add(work, record("a", content="wrong"), record("b", content="other"))
        work.changes.correct(_first(work).record_no, record("a", content="right"), NOON)

        assert _add(work, record("b", content="wrong"), record("c", content="wrong")) == ("updated", "new")


def test_correcting_back_makes_a_content_right_again_and_the_other_one_wrong(store: Store) -> None:
    with store.write() as work:
        _add(work, record("a", content="first"))
        number = _first(work).record_no
        work.changes.correct(number, record("a", content="second"), NOON)

        assert work.changes.correct(number, record("a", content="first"), NOON) == 3
        outcomes = _add(work, record("a", content="first"), record("a", content="second"))
        assert outcomes == ("unchanged", "corrected")
        assert _first(work).content == b"first"


def test_a_correction_that_changes_nothing_declares_nothing_wrong(store: Store) -> None:
    with store.write() as work:
        _add(work, record("a", content="right"))
        version = work.changes.correct(_first(work).record_no, record("a", content="right"), NOON)

        assert version == 2
        assert _add(work, record("a", content="right")) == ("unchanged",)


def test_a_corrected_content_with_identifiers_of_two_subjects_is_a_conflict_first(store: Store) -> None:
    with store.write() as work:
        _add(work, record("a", USCC, content="wrong"), record("b", BRN))
        work.changes.correct(_first(work).record_no, record("a", USCC, content="right"), NOON)

        assert _add(work, record("a", USCC, BRN, content="wrong")) == ("conflict",)


def test_a_deleted_record_stays_as_a_tombstone_that_says_nothing(store: Store) -> None:
    with store.write() as work:
        _add(work, record("a", content="secret", kind="201"))
        before = _first(work)

        assert work.changes.delete(deletion(before.record_no, minutes(5))) == 2
        tombstone = structs.replace(
            before,
            version=2,
            content=b"",
            facts=b"",
            generated_on=None,
            disclose_until=None,
            withheld=frozenset({"DELETED"}),
            deleted_at=minutes(5),
        )
        assert work.records.find(before.record_no) == tombstone
        assert work.records.page(None, 0, 10) == [tombstone]
        assert work.records.page("201", 0, 10) == [tombstone]


def test_a_deleted_record_is_not_among_current_ones(store: Store) -> None:
    stocked = stock(store, 3)
    _, gone, _ = stocked.records
    with store.write() as work:
        first, _, third = work.records.page(None, 0, 10)
        work.changes.delete(deletion(gone))

        assert work.changes.of_numbers(stocked.records) == {first.record_no: first, third.record_no: third}
        assert work.records.of_subjects(stocked.subjects, ["101"]) == {
            first.subject_no: [first],
            third.subject_no: [third],
        }
        assert work.records.count() == {"101": 2}


def test_a_kind_of_which_all_is_deleted_is_not_counted(store: Store) -> None:
    (number,) = stock(store, 1).records
    with store.write() as work:
        work.changes.delete(deletion(number))

        assert work.records.count() == {}


def test_the_reason_for_a_deletion_is_kept(store: Store) -> None:
    first, second = stock(store).records
    reason = deletion(first, minutes(5))
    with store.write() as work:
        work.changes.delete(reason)
        work.commit()

    with store.read() as work:
        assert work.changes.deletion(first) == reason
        assert work.changes.deletion(second) is None


def test_a_deleted_record_does_not_come_back_whatever_the_file_says(store: Store) -> None:
    with store.write() as work:
        _add(work, record("a", USCC), record("b", BRN))
        number = _first(work).record_no
        work.changes.delete(deletion(number))
        before = work.records.page(None, 0, 10)
        again = record("a", USCC, content="other content")
        rows = [record("a", USCC), again, record("a", USCC, BRN), record("c", USCC)]
        imported = work.records.add(rows, minutes(9))

        assert imported.outcomes == ("deleted", "deleted", "deleted", "new")
        assert imported.updated == {}
        assert work.records.page(None, 0, 10)[:2] == before


def test_a_new_record_of_the_same_subject_may_say_what_a_deleted_one_said(store: Store) -> None:
    with store.write() as work:
        _add(work, record("a", USCC, content="the same"))
        old = _first(work)
        work.changes.delete(deletion(old.record_no))
        outcomes = _add(work, record("b", USCC, content="the same"))

        (found,) = work.records.of_subjects([old.subject_no], ["101"])[old.subject_no]
        assert outcomes == ("new",)
        assert (found.version, found.content, found.record_no > old.record_no) == (1, b"the same", True)


def test_a_corrected_record_that_was_deleted_does_not_come_back_either(store: Store) -> None:
    with store.write() as work:
        _add(work, record("a", content="wrong"))
        number = _first(work).record_no
        work.changes.correct(number, record("a", content="right"), NOON)

        assert work.changes.delete(deletion(number)) == 3
        assert _add(work, record("a", content="wrong"), record("a", content="right")) == ("deleted", "deleted")


def test_current_records_are_read_by_number(store: Store) -> None:
    first, second, third = stock(store, 3).records
    with store.read() as work:
        rows = work.records.page(None, 0, 10)

        assert work.changes.of_numbers([third, first, third, 987_654]) == {first: rows[0], third: rows[2]}
        assert work.changes.of_numbers([second]) == {second: rows[1]}
        assert work.changes.of_numbers([]) == {}


def test_an_undone_change_leaves_the_record_as_it_was(store: Store) -> None:
    first, second = stock(store).records
    with store.read() as work:
        before = work.records.page(None, 0, 10)
    with store.write() as work:
        work.changes.correct(first, record("record 0", content="right"), minutes(1))
        work.changes.delete(deletion(second))

    with store.write() as work:
        assert work.records.page(None, 0, 10) == before
        assert work.changes.deletion(second) is None
        assert _add(work, record("record 0")) == ("unchanged",)
