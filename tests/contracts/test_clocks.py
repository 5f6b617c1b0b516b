"""The ports Clocks and ClockBook: legal clocks are kept once, end once, and are found by their due day."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

from node.domain.clocks import About, LegalClock, Start, Subject
from node.operations.ports import ClockTally, Store, UnitOfWork
from registry.norms.clocks import Timeliness
from tests.contracts.examples import BANK, BUREAU, NOON, minutes

MONDAY = date(2026, 11, 23)
START = (date.min, 0)


def day(later: int) -> date:
    return MONDAY + timedelta(days=later)


def clock(
    name: str, due: int = 1, outer: int | None = 3, peer: str = BANK, code: str = "D10_CORR_NOTIFY",
    awaits: int | None = None,
) -> LegalClock:  # fmt: skip
    return LegalClock(
        code=code, article="42", rule_pack="SZ-DRAFT-82@1",
        subject=Subject(about=About.CHANGE, name=name, peer=peer, count=12),
        start=Start(event="correction.decided", on=MONDAY), due_on=day(due),
        outer_on=None if outer is None else day(outer), packs=("CN-MAINLAND-2026@1", "HK-2026@1"), provisional=True,
        awaits=awaits, opened_at=NOON,
    )  # fmt: skip


def names(clocks: Sequence[LegalClock]) -> list[str]:
    return [one.subject.name for one in clocks]


def kept(store: Store, *clocks: LegalClock) -> None:
    with store.write() as work:
        work.clocks.add(clocks)
        work.commit()


def end(work: UnitOfWork, name: str) -> LegalClock:
    (one,) = work.clocks.of(About.CHANGE, name)
    ended = one.met("notices.dispatched", minutes(5))
    work.clocks.put([ended])
    return ended


def test_a_clock_is_given_back_as_it_was_kept(store: Store) -> None:
    other = replace(
        clock("8@1", outer=None, awaits=9), packs=(), provisional=False, standing=Timeliness.LATE,
        met_by="record.deleted", met_at=minutes(1),
    )  # fmt: skip
    kept(store, clock("7@3"), other)

    with store.read() as work:
        first, second = work.clock_book.page(0, 10)
        assert first.number < second.number
        assert (first, second) == (replace(clock("7@3"), number=first.number), replace(other, number=second.number))
        assert names(work.clock_book.page(first.number, 10)) == ["8@1"]
        assert names(work.clock_book.page(0, 1)) == ["7@3"]


def test_the_same_event_again_begins_no_second_clock(store: Store) -> None:
    kept(store, clock("7@3", due=1))
    kept(store, clock("7@3", due=9), clock("7@3", due=9, peer=BUREAU), clock("7@3", due=9, code="OPT_NOTIFY"))

    with store.read() as work:
        found = work.clocks.of(About.CHANGE, "7@3")
        assert [(one.code, one.subject.peer, one.due_on) for one in found] == [
            ("D10_CORR_NOTIFY", BANK, day(1)),
            ("D10_CORR_NOTIFY", BUREAU, day(9)),
            ("OPT_NOTIFY", BANK, day(9)),
        ]
        assert work.clocks.of(About.NOTICES, "7@3") == []


def test_what_a_unit_does_not_commit_did_not_begin(store: Store) -> None:
    with store.write() as work:
        work.clocks.add([clock("7@3")])

    with store.read() as work:
        assert work.clock_book.page(0, 10) == []


def test_a_clock_that_ended_runs_no_more_and_stays_in_the_book(store: Store) -> None:
    kept(store, clock("7@3", awaits=1))
    with store.write() as work:
        ended = end(work, "7@3")
        work.commit()

    with store.read() as work:
        assert work.clocks.of(About.CHANGE, "7@3") == []
        assert work.clocks.awaiting(BANK, 9) == []
        assert work.clocks.overdue(day(90), 10) == []
        assert work.clock_book.running(START, 10) == []
        assert work.clock_book.page(0, 10) == [ended]
        assert (ended.met_by, ended.met_at, ended.standing) == ("notices.dispatched", minutes(5), Timeliness.IN_TIME)


def test_clocks_that_await_a_notice_are_found_by_it_and_by_any_later_one_to_the_same_peer(store: Store) -> None:
    kept(store, clock("1@1", awaits=5), clock("2@1", awaits=6), clock("3@1", awaits=1, peer=BUREAU), clock("4@1"))

    with store.read() as work:
        assert [names(work.clocks.awaiting(BANK, through)) for through in (4, 5, 6)] == [[], ["1@1"], ["1@1", "2@1"]]


def test_what_passes_a_bound_is_overdue_until_that_is_noted(store: Store) -> None:
    kept(store, clock("a", due=2, outer=4), clock("b", due=1, outer=None), clock("c", due=9))

    with store.read() as work:
        assert names(work.clocks.overdue(day(1), 10)) == []
        assert names(work.clocks.overdue(day(3), 10)) == ["b", "a"]
        assert names(work.clocks.overdue(day(3), 1)) == ["b"]
    with store.write() as work:
        work.clocks.put([replace(one, standing=Timeliness.LATE) for one in work.clocks.overdue(day(3), 10)])
        work.commit()
    with store.write() as work:
        assert names(work.clocks.overdue(day(4), 10)) == []
        (breach,) = work.clocks.overdue(day(5), 10)
        work.clocks.put([replace(breach, standing=Timeliness.BREACH)])
        assert (breach.subject.name, work.clocks.overdue(day(8), 10)) == ("a", [])


def test_dates_that_were_counted_again_are_kept(store: Store) -> None:
    kept(store, clock("a"))
    with store.write() as work:
        (one,) = work.clock_book.running(START, 10)
        again = replace(one, due_on=day(0), outer_on=None, packs=("CN-MAINLAND-2026@2",), provisional=False)
        work.clocks.put([again])
        work.commit()

    with store.read() as work:
        assert work.clock_book.running(START, 10) == [again]


def test_running_clocks_come_by_day_and_a_page_goes_on_behind_the_last(store: Store) -> None:
    kept(store, clock("late", due=9), clock("soon", due=1), clock("also soon", due=1))

    with store.read() as work:
        first = work.clock_book.running(START, 2)
        place = (first[-1].due_on, first[-1].number)
        assert (names(first), names(work.clock_book.running(place, 2))) == (["soon", "also soon"], ["late"])


def test_missed_ones_are_those_noted_and_those_whose_day_has_passed(store: Store) -> None:
    kept(
        store, clock("in time"), clock("noted", due=9), clock("passed", due=1), clock("met late"), clock("open", due=8),
    )  # fmt: skip
    with store.write() as work:
        end(work, "in time")
        work.clocks.put([replace(end(work, "met late"), standing=Timeliness.LATE)])
        (noted,) = work.clocks.of(About.CHANGE, "noted")
        work.clocks.put([replace(noted, standing=Timeliness.LATE)])
        work.commit()

    with store.read() as work:
        assert names(work.clock_book.page(0, 10, day(5))) == ["noted", "passed", "met late"]
        assert names(work.clock_book.page(0, 1, day(5))) == ["noted"]


def test_running_clocks_are_counted_by_when_they_end(store: Store) -> None:
    days = enumerate((0, 1, 2, 2, 3, 6, 7))
    kept(store, *(clock(f"{number}", due=due) for number, due in days), clock("met", due=0))
    with store.write() as work:
        end(work, "met")
        work.commit()

    with store.read() as work:
        assert work.clock_book.tally(day(2), day(6)) == ClockTally(running=7, missed=2, today=2, soon=2)
        assert work.clock_book.tally(day(90), day(96)).missed == 7


def test_an_empty_book_counts_nothing(store: Store) -> None:
    with store.read() as work:
        assert work.clock_book.tally(day(0), day(6)) == ClockTally(running=0, missed=0, today=0, soon=0)
