"""What is shown of a record is true of enough enterprises at home: decided when it is made, and then kept to."""

from collections.abc import Mapping
from datetime import date

import pytest

from crypto.commitment import Value
from node.domain.crowd import Cell, Ladder, ladder_of
from node.domain.records import Kind
from node.domain.vocabulary import load_vocabulary
from node.operations.asked import RefusedAnswer
from node.operations.build_index import crowds_needed
from node.operations.coarsen import FEW, PORTION, Steps, are_ready, extend_crowds
from node.operations.import_records import BATCH
from node.operations.ports import Store
from tests.contracts.examples import NOON, record
from tests.fakes.exchange import EVERYTHING, OTHERS, PENALTIES, SHOWN, answers, crowd_of, index, load, question
from tests.fakes.memory import MemoryStore
from tests.fakes.reading import shown
from tests.fakes.world import World
from tests.unit.node.domain.given import PENALTY, REGISTRATION

WORDS = load_vocabulary()
RARE = {"decision", "authority_level", "authority_class", "amount_band"}
DECISION_ONLY = {"201": frozenset({"decision", "performed"})}


def penalty(world: World, epoch: int = 1) -> tuple[Mapping[str, Value], date | None]:
    """What is shown of the penalty, and until when it holds."""
    rendition = shown(world, question(world, SHOWN, epoch=epoch))["201"]
    return rendition.values(), rendition.header.valid_until


def rare(values: Mapping[str, Value]) -> set[Value]:
    return {value for name, value in values.items() if name in RARE}


def test_what_too_few_share_is_given_up_and_the_message_stays(world: World) -> None:
    values, until = penalty(world)

    assert rare(values) == {None}
    assert (values["penalty_types"], values["legal_basis_code"], values["performed"]) == (
        ("FINE", "WARNING"), "REGISTRATION", True,
    )  # fmt: skip
    assert until == date(2029, 1, 1)


def test_what_enough_share_is_shown_as_it_was_agreed(world: World) -> None:
    load(world, Kind.PENALTY, *crowd_of(PENALTY))

    values, until = penalty(world)

    assert [values[name] for name in sorted(RARE)] == ["A1", "MARKET_REG", "CITY", "2024-03"]
    assert until == date(2029, 3, 1)


def test_one_enterprise_less_is_too_few(world: World) -> None:
    load(world, Kind.PENALTY, *crowd_of(PENALTY, 3))

    values, _ = penalty(world)

    assert rare(values) == {None}


def test_many_records_of_one_enterprise_are_no_crowd(world: World) -> None:
    load(world, Kind.PENALTY, *(PENALTY | {"decision_no": f"深市监罚〔2024〕{number}号"} for number in range(100, 110)))

    assert rare(penalty(world)[0]) == {None}


def test_only_as_much_is_generalised_as_it_takes(world: World) -> None:
    elsewhere = REGISTRATION | {"uscc": "", "hk_cr": OTHERS[0].value, "established_on": "1997-02-03"}
    load(world, Kind.REGISTRATION, elsewhere)

    values = shown(world, question(world, OTHERS[0]))["101"].values()

    assert (values["region"], values["established"], values["capital_band"]) == ("4403", "1995-1999", "C2")


def test_what_was_shown_coarse_stays_coarse_in_every_epoch_and_in_every_part(world: World) -> None:
    before = penalty(world)
    load(world, Kind.PENALTY, *crowd_of(PENALTY))
    world.wait(days=100)
    index(world)

    part = shown(world, question(world, SHOWN, asked=DECISION_ONLY, epoch=2))["201"]
    assert part.values() == {"decision": None, "performed": True}
    assert part.header.valid_until == before[1]
    assert penalty(world, epoch=2) == before


def test_what_was_shown_fine_may_still_be_shown_when_there_are_fewer(world: World) -> None:
    load(world, Kind.PENALTY, *crowd_of(PENALTY))
    before = penalty(world)
    load(world, Kind.PENALTY, *(one | {"amount": "9,000,000元"} for one in crowd_of(PENALTY)))
    world.wait(days=100)
    index(world)

    assert penalty(world, epoch=2) == before


def test_another_version_is_judged_anew(world: World) -> None:
    assert rare(penalty(world)[0]) == {None}
    load(world, Kind.PENALTY, *crowd_of(PENALTY), PENALTY | {"performed": "false"})
    world.tell(world.agency, world.bank)

    values, _ = penalty(world)

    assert (values["decision"], values["performed"]) == ("2024-03", False)


def test_what_would_be_over_by_its_rounded_end_is_not_shown_and_looks_absent(world: World) -> None:
    ending = PENALTIES[0] | {"decided_on": "2021-09-15"}
    load(world, Kind.PENALTY, ending)
    world.tell(world.agency, world.bank)

    assert shown(world, question(world, SHOWN)).keys() == {"101"}


def _stored(store: Store, ladder: Ladder, count: int) -> None:
    """One record, and cells enough."""
    with store.write() as work:
        work.records.add([record("a", kind="201")], NOON)
        (row,) = work.records.page(None, 0, 1)
        for number in range(count):
            finest = "\x1f".join([str(number), *"abcdef"])
            work.cells.put({row.record_no: Cell(ladder.shape, finest)})
        work.commit()


@pytest.fixture(scope="module")
def ladder() -> Ladder:
    return ladder_of("201", EVERYTHING["201"], WORDS)


def test_a_disclosure_takes_in_as_many_cells_as_a_batch_of_an_import_makes() -> None:
    assert FEW >= BATCH


def test_crowds_are_ready_while_few_cells_are_missing_in_them(ladder: Ladder) -> None:
    store = MemoryStore()
    _stored(store, ladder, FEW)
    with store.read() as work:
        few = are_ready(work, [ladder])
    _stored(store, ladder, FEW + 1)

    with store.read() as work:
        assert (few, are_ready(work, [ladder])) == (True, False)


def test_crowds_are_made_in_portions_until_none_is_missing(ladder: Ladder) -> None:
    store = MemoryStore()
    _stored(store, ladder, PORTION + 3)

    portions = [extend_crowds(store, ladder) for _ in range(3)]

    assert portions == [PORTION, 3, 0]
    with store.read() as work:
        assert are_ready(work, [ladder])


def test_nothing_is_disclosed_until_the_crowds_are_made(world: World) -> None:
    store = world.agency.store
    (one, *others) = crowds_needed(world.agency.known(), world.agency.party, world.clock())
    with store.write() as work:
        # As after an import of so many records that no two are alike.
        page = work.records.page(None, 0, 1)
        for number in range(FEW + 1):
            work.cells.put({page[0].record_no: Cell(one.shape, f"{number}" + "\x1f" * len(one.places))})
        work.commit()
    (refused,) = answers(world, question(world, SHOWN))
    for ladder in (one, *others):
        while extend_crowds(store, ladder):
            pass

    assert isinstance(refused, RefusedAnswer)
    assert refused.refused.reason.value == "NOT_READY"
    assert shown(world, question(world, SHOWN)).keys() == {"101", "201"}


def test_of_what_was_never_judged_a_part_is_shown_after_the_last_step(ladder: Ladder) -> None:
    store = MemoryStore()
    _stored(store, ladder, 1)
    with store.write() as work:
        (row,) = work.records.page(None, 0, 1)
        steps = Steps(work, {"201": ladder}, 5)
        steps.recall([row], {})

        assert steps.of(row).step == ladder.last
