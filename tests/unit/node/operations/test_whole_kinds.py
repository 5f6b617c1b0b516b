"""Nothing is decided for good while some records may not be counted: until all were looked at by the law in force."""

from collections.abc import Mapping

from agreements.refusal import Refusal, Refused
from crypto.commitment import Value
from node.domain.operators import Role
from node.domain.records import Kind
from node.domain.rows import Row
from node.operations.import_records import Import, import_rows
from node.operations.push_records import PushResult, Wanted
from node.operations.recheck_records import next_portion, take_portion
from node.operations.whole_kinds import not_whole
from registry.norms.shelf import Pack
from tests.fakes.exchange import SHOWN, crowd_of, index, intake, load, ordered, question
from tests.fakes.reading import shown
from tests.fakes.world import World
from tests.unit.node.domain.given import PENALTY
from tests.unit.node.domain.sampled import sampled
from tests.unit.node.operations.test_push_records import frame, made, opened, order_push, plan_of, pushing, taken
from tests.unit.node.operations.test_recheck_records import CATALOGUE, adopts, changed, other_penalties, rechecked

__all__ = ["pushing"]

_RARE = 'rare = ["decision", "authority_level", "authority_class", "amount_band"]'
OTHER_ORDER = other_penalties(_RARE, 'rare = ["amount_band", "authority_class", "decision", "authority_level"]')
SAME_ORDER = other_penalties("years = 5", "years = 4")
AGREED = {"A1", "MARKET_REG", "CITY", "2024-03"}


def penalty(world: World) -> Mapping[str, Value] | None:
    """What is shown of the penalty, if it is."""
    found = shown(world, question(world, SHOWN)).get("201")
    return None if found is None else found.values()


def lacking(world: World) -> frozenset[str]:
    agency = world.agency
    return agency.read(lambda work: not_whole(work, ["101", "201", "202"], agency.desk(work).vocabulary))


def changes(world: World, pack: Pack) -> None:
    """Another law is in force, and nobody has looked at the records by it."""
    adopts(world, pack)
    index(world)


def test_what_was_never_shown_looks_absent_until_all_records_were_looked_at(world: World) -> None:
    load(world, Kind.PENALTY, *crowd_of(PENALTY))
    changes(world, OTHER_ORDER)
    before = penalty(world)
    rechecked(world.agency)
    index(world)
    after = penalty(world)

    assert before is None
    assert after is not None
    assert set(after.values()) >= AGREED, "and it is shown no coarser than it has to be"


def test_it_looks_absent_in_a_look_that_has_begun_and_that_was_cut_short(world: World) -> None:
    load(world, Kind.PENALTY, *crowd_of(PENALTY))
    changes(world, OTHER_ORDER)
    looks = [penalty(world)]
    for _ in range(3):
        rechecked_once(world)
        looks.append(penalty(world))

    assert {one is None for one in looks} == {True}
    assert lacking(world) == {"201"}
    rechecked(world.agency)
    assert lacking(world) == frozenset()


def rechecked_once(world: World) -> None:
    """What a look does in one transaction, a few records at a time."""
    agency = world.agency
    portion = agency.read(lambda work: next_portion(work, agency.facts(work), agency.clock(), 2))
    assert portion is not None
    assert agency.write(lambda work: take_portion(work, portion, agency.facts(work), agency.context))


def test_what_was_shown_before_goes_on_being_shown(world: World) -> None:
    before = shown(world, question(world, SHOWN))["201"]

    changes(world, OTHER_ORDER)

    assert shown(world, question(world, SHOWN))["201"] == before


def test_other_kinds_are_shown_meanwhile(world: World) -> None:
    changes(world, OTHER_ORDER)

    assert shown(world, question(world, SHOWN)).keys() == {"101"}


def test_a_law_that_counts_records_as_before_keeps_nothing_back(world: World) -> None:
    changes(world, SAME_ORDER)

    assert lacking(world) == frozenset()
    assert penalty(world) is not None


def test_a_law_that_comes_back_before_all_were_looked_at_by_another_keeps_back_as_well(world: World) -> None:
    load(world, Kind.PENALTY, *crowd_of(PENALTY))
    changes(world, OTHER_ORDER)
    rechecked_once(world)
    rechecked_once(world)

    changes(world, changed(CATALOGUE, 2))

    assert penalty(world) is None
    rechecked(world.agency)
    assert penalty(world) is not None


def test_records_that_come_by_a_law_of_before_have_all_looked_at_once_more_first(world: World) -> None:
    """Another process opened its file under the law of before."""
    agency = world.agency
    late = Import(intake=intake(agency, Kind.PENALTY), order=ordered(agency, Role.RECORDS), law=agency.known().law)
    changes(world, OTHER_ORDER)
    rechecked(agency)
    whole = lacking(world)

    list(import_rows([Row(2, crowd_of(PENALTY)[0])], late, agency.store, agency.context))

    assert not whole
    assert lacking(world) == {"201"}
    rechecked(agency)
    assert lacking(world) == frozenset()


def test_the_first_records_of_a_kind_are_counted_without_a_look(world: World) -> None:
    changes(world, OTHER_ORDER)
    rechecked(world.agency)

    assert load(world, Kind.BAN, *sampled(Kind.BAN))["new"] == 1
    assert lacking(world) == frozenset()


def test_a_push_sends_what_it_may_and_the_rest_when_all_were_looked_at(pushing: World) -> None:
    changes(pushing, OTHER_ORDER)
    job = order_push(pushing)
    first = frame(pushing, job)
    taken(pushing, first)
    waits = [made(pushing, job) for _ in range(2)]
    rechecked(pushing.agency)
    rest = frame(pushing, job)
    taken(pushing, rest)

    assert {one.header.kind for one in opened(pushing, first)} == {"101"}
    assert [one.reason for one in waits if isinstance(one, Refused)] == [Refusal.NOT_READY] * 2
    assert [one.header.kind for one in opened(pushing, rest)] == ["201"]
    assert made(pushing, job) == PushResult(frames=2, renditions=6, taken=2, cancelled=0, refused=())


def test_a_push_that_waits_does_not_go_through_its_records_each_time(pushing: World) -> None:
    changes(pushing, OTHER_ORDER)
    job = order_push(pushing, Wanted(kinds=frozenset({"201"})))
    made(pushing, job)
    before = plan_of(pushing, job)

    made(pushing, job)

    assert plan_of(pushing, job) == before
