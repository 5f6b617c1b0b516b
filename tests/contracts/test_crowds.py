"""The promises of Cells and Crowds: who is in which cell, and how many enterprises look alike along a ladder."""

from collections.abc import Mapping, Sequence
from datetime import date

from msgspec import structs

from node.domain.crowd import END, Cell
from node.operations.ports import Store, UnitOfWork
from node.operations.record_rows import NewRecordRow
from tests.contracts.examples import NOON, deletion, digest, record, rendition, stock

SHAPE, OTHER_SHAPE = digest("shape"), digest("another shape")
LADDER = digest("ladder")
TEN = 10


def cell(*parts: str, shape: bytes = SHAPE) -> Cell:
    return Cell(shape, END.join(parts))


def key(*parts: str) -> str:
    return "".join(part + END for part in parts)


def celled(name: str, *parts: str, subject: str = "", content: str = "content") -> NewRecordRow:
    row = record(name, ("HK-CR", subject or name), content=content)
    return structs.replace(row, cell=cell(*parts))


def add(work: UnitOfWork, *rows: NewRecordRow) -> list[int]:
    """Store records; gives the number of every one there is."""
    work.records.add(rows, NOON)
    return [row.record_no for row in work.records.page(None, 0, 100)]


def take_in(work: UnitOfWork, digest_: bytes = LADDER) -> int:
    """Make the crowds of a ladder whose keys are the cells' parts in order; gives its number."""
    found, through = work.crowds.untaken(SHAPE, 0, 1000)
    work.crowds.take_in(digest_, [(finest + END, number) for number, finest in found], through)
    return work.crowds.ladders([digest_])[digest_].number


def counted(work: UnitOfWork, ladder_no: int, prefixes: Sequence[str]) -> Mapping[str, int]:
    """How many subjects look alike, by asking for ever more of them."""
    found = dict.fromkeys(prefixes, 0)
    for least in range(1, TEN):
        found |= dict.fromkeys(work.crowds.crowded(ladder_no, prefixes, least), least)
    return found


def test_subjects_are_counted_by_what_their_keys_begin_with(store: Store) -> None:
    with store.write() as work:
        rows = [celled("a", "44", "x"), celled("b", "44", "x"), celled("c", "44", "y"), celled("d", "4", "x")]
        work.records.add(rows, NOON)
        number = take_in(work)

        asked = [key("44"), key("44", "x"), key("44", "y"), key("4"), key("4", "4"), key("45")]
        assert counted(work, number, asked) == dict(zip(asked, (3, 2, 1, 1, 0, 0), strict=True))
        assert work.crowds.crowded(number, [], 1) == frozenset()
        assert work.crowds.crowded(number + 1, asked, 1) == frozenset()


def test_a_subject_with_many_records_that_look_alike_is_one(store: Store) -> None:
    with store.write() as work:
        many = [celled(f"a{place}", "44", str(place % 3), subject="one") for place in range(60)]
        work.records.add([*many, celled("b", "44", "9")], NOON)
        number = take_in(work)

        assert counted(work, number, [key("44")]) == {key("44"): 2}


def test_what_is_shown_no_more_counts_and_what_is_deleted_does_not(store: Store) -> None:
    with store.write() as work:
        over = structs.replace(celled("c", "44"), disclose_until=date(2000, 1, 1))
        _, second, _ = add(work, celled("a", "44"), celled("b", "44"), over)
        number = take_in(work)
        before = counted(work, number, [key("44")])
        work.changes.delete(deletion(second))

        assert [*before.values(), *counted(work, number, [key("44")]).values()] == [3, 2]


def test_a_record_that_says_something_else_now_moves_to_another_cell(store: Store) -> None:
    with store.write() as work:
        _, second = add(work, celled("a", "44"), celled("b", "44"))
        add(work, celled("a", "31", content="other"))
        work.changes.correct(second, celled("b", "32", content="right"), NOON)
        number = take_in(work)

        asked = [key("44"), key("31"), key("32")]
        assert counted(work, number, asked) == dict(zip(asked, (0, 1, 1), strict=True))


def test_a_record_without_a_cell_counts_for_nobody_until_it_comes_again(store: Store) -> None:
    with store.write() as work:
        without = [structs.replace(celled(name, "44"), cell=None) for name in "ab"]
        work.records.add(without, NOON)
        before = counted(work, take_in(work), [key("44")])
        again = work.records.add([celled("a", "44"), celled("b", "44")], NOON)

        assert (before, again.outcomes) == ({key("44"): 0}, ("unchanged", "unchanged"))
        assert counted(work, take_in(work), [key("44")]) == {key("44"): 2}


def test_records_are_put_into_other_cells_and_into_none(store: Store) -> None:
    with store.write() as work:
        first, second, _, fourth = add(work, *(celled(name, "44") for name in "abcd"))
        work.changes.delete(deletion(fourth))
        work.cells.put({first: cell("31"), second: None, fourth: cell("31")})
        work.cells.put({})
        number = take_in(work)

        assert counted(work, number, [key("44"), key("31")]) == {key("44"): 1, key("31"): 1}


def test_of_which_shape_all_records_of_a_kind_are_is_known_until_it_is_said_that_some_may_not_be(store: Store) -> None:
    with store.write() as work:
        work.cells.put_shapes({})
        nothing = work.cells.shapes()
        work.cells.put_shapes({"101": SHAPE, "201": SHAPE, "202": None})
        work.cells.put_shapes({"101": OTHER_SHAPE, "201": None})
        work.commit()

    with store.read() as work:
        assert (nothing, work.cells.shapes()) == ({}, {"101": OTHER_SHAPE})


def test_cells_are_numbered_once_and_taken_in_by_portions_whatever_their_shape(store: Store) -> None:
    with store.write() as work:
        before = work.crowds.newest()
        *_, third = add(work, celled("a", "44"), celled("b", "44"), celled("c", "31"))
        work.cells.put({third: cell("31", shape=OTHER_SHAPE)})
        add(work, celled("d", "32"))

        newest = work.crowds.newest()
        first, middle = work.crowds.untaken(SHAPE, 0, 3)
        second, last = work.crowds.untaken(SHAPE, middle, 3)
        assert [sorted(finest for _, finest in found) for found in (first, second)] == [["31", "44"], ["32"]]
        assert before == 0 < middle < last == newest
        assert work.crowds.untaken(SHAPE, last, 3) == ([], last)


def test_a_ladder_knows_up_to_which_cell_its_crowds_are_made_and_never_goes_back(store: Store) -> None:
    with store.write() as work:
        work.crowds.take_in(LADDER, [("x", 1)], 7)
        work.crowds.take_in(LADDER, [("x", 1)], 3)
        work.crowds.take_in(OTHER_SHAPE, [], 0)

        found = work.crowds.ladders([LADDER, OTHER_SHAPE, digest("unknown")])
        assert {name: one.through for name, one in found.items()} == {LADDER: 7, OTHER_SHAPE: 0}
        assert len({one.number for one in found.values()}) == 2


def test_keys_are_compared_byte_by_byte(store: Store) -> None:
    """As a person would sort them, `a-b` stands between `a` and `ac`, and would be missed."""
    with store.write() as work:
        names = ["A", "a", "a-b", "ac", "B1", "b-1", "Z", "_"]
        work.records.add([celled(f"r{place}", name, "x") for place, name in enumerate(names)], NOON)
        number = take_in(work)

        assert counted(work, number, [key(name) for name in names]) == {key(name): 1 for name in names}


def test_how_coarse_a_version_is_shown_stands_with_its_alias_in_whatever_epoch(store: Store) -> None:
    stocked = stock(store)
    (first, second), number = stocked.records, stocked.agreement_no
    with store.write() as work:
        decided = structs.replace(rendition(first, number), ladder_no=1, step=3)
        work.renditions.add([decided, rendition(second, number)])
        work.renditions.add([structs.replace(rendition(first, number, epoch=2), ladder_no=1, step=0)])

        known = work.renditions.identities(number, [first, second])
        assert [(known[one].ladder_no, known[one].step) for one in (first, second)] == [(1, 3), (None, None)]


def test_by_another_ladder_it_is_decided_anew_and_for_another_version_too(store: Store) -> None:
    stocked = stock(store)
    (first, second), number = stocked.records, stocked.agreement_no
    with store.write() as work:
        work.renditions.add([structs.replace(rendition(one, number), ladder_no=1, step=3) for one in (first, second)])
        work.renditions.add([structs.replace(rendition(first, number, epoch=2), ladder_no=2, step=1)])
        work.renditions.supersede([(second, number, 2, 2)])

        known = work.renditions.identities(number, [first, second])
        assert [(known[one].ladder_no, known[one].step) for one in (first, second)] == [(2, 1), (None, None)]
