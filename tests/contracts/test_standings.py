"""The ports Standings, Rechecks and Withholdings: what withholds a record, beside what it says."""

from datetime import date

from msgspec import structs

from node.operations.ports import Store, UnitOfWork
from node.operations.record_rows import RecordRow
from node.operations.standing_rows import RecheckRow, StandingRow, WithholdingRow
from tests.contracts.examples import NOON, deletion, digest, minutes, record, short, stock

MONDAY, TUESDAY, WEDNESDAY = (date(2026, 11, 30), date(2026, 12, 1), date(2026, 12, 2))
FELL = ("NOT_IN_CATALOGUE", "kind")


def standing(row: RecordRow, *states: str, **changes: object) -> StandingRow:
    put = StandingRow(
        record_no=row.record_no, version=row.version + 1, withheld=frozenset(states), coming=(),
        disclose_until=row.disclose_until, facts=row.facts, fell=None, moved_at=minutes(5),
    )  # fmt: skip
    return structs.replace(put, **changes)


def withholding(record_no: int, state: str = "REPAIRED", **changes: object) -> WithholdingRow:
    row = WithholdingRow(
        number=0, record_no=record_no, state=state, basis="REPAIR_DECIDED", document="decision 8", received_on=MONDAY,
        starts_on=TUESDAY, ends_on=None, order=digest("order"), at=NOON, begun=False,
    )  # fmt: skip
    return structs.replace(row, **changes)


def rows(work: UnitOfWork) -> list[RecordRow]:
    return list(work.records.page(None, 0, 10))


def test_a_record_stands_as_it_was_put_and_says_what_it_said(store: Store) -> None:
    stock(store, 2)
    with store.write() as work:
        before, other = rows(work)
        coming = (("SUSPENDED", MONDAY), ("OPTED_OUT", TUESDAY))
        put = standing(before, "REPAIRED", "UNFOUNDED", coming=coming, disclose_until=MONDAY, facts=b"{}", fell=FELL)
        work.standings.put([put])
        work.commit()

    with store.read() as work:
        assert rows(work) == [
            structs.replace(
                before, version=2, withheld=frozenset({"REPAIRED", "UNFOUNDED"}), coming=coming, disclose_until=MONDAY,
                facts=b"{}", stored_at=minutes(5),
            ),
            other,
        ]  # fmt: skip
        assert work.standings.fallen([before.record_no, other.record_no]) == {before.record_no: FELL}
        assert work.standings.tally() == {"NOT_IN_CATALOGUE": 1}


def test_what_does_not_move_stays_the_same_version_of_the_same_time(store: Store) -> None:
    stock(store, 1)
    with store.write() as work:
        (before,) = rows(work)
        work.standings.put([standing(before, version=1, moved_at=None, fell=("MALFORMED", "status"))])
        work.standings.put([standing(before, version=1, moved_at=None, fell=FELL)])

        assert rows(work) == [before]
        assert work.standings.fallen([before.record_no]) == {before.record_no: FELL}


def test_what_the_law_admits_again_has_not_fallen(store: Store) -> None:
    stock(store, 2)
    with store.write() as work:
        first, second = rows(work)
        work.standings.put([standing(first, "UNFOUNDED", fell=FELL), standing(second, "UNFOUNDED", fell=FELL)])
        work.standings.put([standing(first)])
        work.changes.delete(deletion(second.record_no))

        assert work.standings.fallen([first.record_no]) == {}
        assert work.standings.tally() == {}, "a deleted record is none that fell"


def test_what_withholds_a_record_now_keeps_it_from_being_read_and_what_comes_does_not(store: Store) -> None:
    """What comes is for the reader to decide by the day: it acts on its day whether or not anybody has looked."""
    stocked = stock(store, 3)
    with store.write() as work:
        first, second, third = rows(work)
        coming = (("SUSPENDED", TUESDAY),)
        work.standings.put([standing(first, "REPAIRED", coming=coming), standing(second, coming=coming)])
        names = [short(f"pseudonym {subject}") for subject in stocked.subjects]
        index = [(name, subject, 1) for name, subject in zip(names, stocked.subjects, strict=True)]
        work.pseudonyms.add(stocked.agreement_no, 1, index, 1)

        found = work.pseudonyms.records(stocked.agreement_no, 1, names, ["101"], MONDAY)
        assert {one.record_no: one.coming for ((_, one),) in found.values()} == {
            second.record_no: coming,
            third.record_no: (),
        }


def test_neither_a_newer_row_nor_a_correction_takes_away_what_withholds_a_record(store: Store) -> None:
    stock(store, 1)
    with store.write() as work:
        (before,) = rows(work)
        work.standings.put([standing(before, "OPTED_OUT", coming=(("SUSPENDED", TUESDAY),))])
        work.records.add([record("record 0", content="newer")], NOON)
        work.changes.correct(before.record_no, record("record 0", content="right"), NOON)

        (after,) = rows(work)
        assert (after.version, after.withheld, after.coming) == (
            4, frozenset({"OPTED_OUT"}), (("SUSPENDED", TUESDAY),),
        )  # fmt: skip


def test_a_tombstone_has_no_other_state_and_gets_none(store: Store) -> None:
    stock(store, 1)
    with store.write() as work:
        (before,) = rows(work)
        work.standings.put([standing(before, coming=(("SUSPENDED", TUESDAY),))])
        work.changes.delete(deletion(before.record_no))
        work.standings.put([standing(before, "UNFOUNDED")])

        (tombstone,) = rows(work)
        assert (tombstone.version, tombstone.withheld, tombstone.coming) == (3, frozenset({"DELETED"}), ())


def test_the_newest_look_is_the_one_that_was_begun_last(store: Store) -> None:
    with store.write() as work:
        assert work.rechecks.newest() is None
        work.rechecks.once_more()
        work.rechecks.begin(digest("law"), "rules/A@1 catalogue/B@1", NOON)
        first = work.rechecks.newest()
        assert first is not None
        assert first == RecheckRow(
            number=first.number, measure=digest("law"), packs="rules/A@1 catalogue/B@1", through=0, again=False,
            checked=0, fallen=0, narrowed=0, restored=0, begun_at=NOON, done_at=None,
        )  # fmt: skip
        work.rechecks.begin(digest("another law"), "", minutes(1))
        work.commit()

    with store.read() as work:
        newest = work.rechecks.newest()
        assert newest is not None
        assert (newest.measure, newest.number > first.number) == (digest("another law"), True)


def test_how_far_a_look_has_come_is_kept_and_it_may_have_to_begin_once_more(store: Store) -> None:
    with store.write() as work:
        work.rechecks.begin(digest("law"), "", NOON)
        begun = work.rechecks.newest()
        assert begun is not None
        come = structs.replace(
            begun, through=17, checked=9, fallen=3, narrowed=2, restored=1, done_at=minutes(5)
        )  # fmt: skip
        work.rechecks.put(come)
        assert work.rechecks.newest() == come
        work.rechecks.once_more()
        work.commit()

    with store.read() as work:
        assert work.rechecks.newest() == structs.replace(come, again=True, done_at=None)


def test_acts_about_a_record_are_kept_in_their_order_with_how_they_ended(store: Store) -> None:
    first, second = stock(store).records
    with store.write() as work:
        work.withholdings.add(withholding(first, ends_on=WEDNESDAY))
        work.withholdings.add(withholding(second))
        work.withholdings.add(withholding(first, "SUSPENDED", received_on=None, begun=True))
        one, other = work.withholdings.of_record(first)
        ended = structs.replace(
            one, ended_at=minutes(9), end_basis="REPAIR_CANCELLED", end_document="decision 9", end_orders="0a 0b"
        )
        work.withholdings.end(ended)
        work.commit()

    with store.read() as work:
        assert work.withholdings.of_record(first) == [ended, other]
        assert structs.replace(one, number=0) == withholding(first, ends_on=WEDNESDAY)
        assert other == withholding(first, "SUSPENDED", received_on=None, begun=True, number=other.number)


def test_an_act_is_due_on_its_first_day_and_then_on_the_day_on_which_it_is_over(store: Store) -> None:
    (first,) = stock(store, 1).records
    with store.write() as work:
        work.withholdings.add(withholding(first, ends_on=WEDNESDAY))
        assert work.withholdings.due(MONDAY, 10) == []
        (act,) = work.withholdings.due(TUESDAY, 10)
        work.withholdings.begun(act.number)

        assert work.withholdings.due(TUESDAY, 10) == []
        (over,) = work.withholdings.due(WEDNESDAY, 10)
        assert over == structs.replace(act, begun=True)
        work.withholdings.end(structs.replace(over, ended_at=NOON))
        assert work.withholdings.due(WEDNESDAY, 10) == []


def test_what_ends_by_nothing_but_an_act_and_what_was_lifted_before_its_day_is_never_due(store: Store) -> None:
    first, second = stock(store).records
    with store.write() as work:
        work.withholdings.add(withholding(first, "SUSPENDED", begun=True))
        work.withholdings.add(withholding(second))
        (coming,) = work.withholdings.of_record(second)
        work.withholdings.end(structs.replace(coming, ended_at=NOON))

        assert work.withholdings.due(date(2099, 1, 1), 10) == []


def test_of_several_due_acts_about_a_record_the_first_is_given_and_of_records_as_many_as_are_asked_for(
    store: Store,
) -> None:
    first, second, third = stock(store, 3).records
    with store.write() as work:
        work.withholdings.add(withholding(first, starts_on=WEDNESDAY))
        work.withholdings.add(withholding(first, "SUSPENDED"))
        work.withholdings.add(withholding(second))
        work.withholdings.add(withholding(third, starts_on=WEDNESDAY))

        due = work.withholdings.due(WEDNESDAY, 10)
        assert [(one.record_no, one.state) for one in due] == [
            (second, "REPAIRED"), (first, "REPAIRED"), (third, "REPAIRED"),
        ]  # fmt: skip
        assert [one.record_no for one in work.withholdings.due(WEDNESDAY, 1)] == [second]
