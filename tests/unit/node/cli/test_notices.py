"""On the command line: how far a notice has come."""

from node.cli.notices import stages_of
from node.operations.change_records import Changed
from node.operations.ports import UnitOfWork
from node.operations.send_notices import next_delivery
from tests.fakes.exchange import SHOWN, answer, question
from tests.fakes.world import BANK, World
from tests.unit.node.operations.test_withhold_records import withhold


def stages(world: World) -> list[str]:
    return world.agency.read(lambda work: stages_of(work, work.notices.page(0, 10, only_open=False)))


def test_a_notice_is_sent_when_its_holder_took_it_and_not_when_it_was_written(world: World) -> None:
    answer(world, question(world, SHOWN))
    assert isinstance(withhold(world), Changed)
    before = stages(world)
    world.agency.write(lambda work: next_delivery(work, BANK, world.agency.desk(work)))
    written = stages(world)

    def take(work: UnitOfWork) -> None:
        work.notice_answers.note(BANK, 2, world.clock(), None)
        work.commit()

    world.agency.write(take)

    assert (before, written, stages(world)) == (["WAITING"], ["WAITING"], ["SENT"])
