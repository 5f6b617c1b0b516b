"""What was verified before the transaction counts only under the very facts that the transaction finds."""

from collections.abc import Sequence
from dataclasses import replace

from agreements.authorisation_pool import Opening, Presented, open_all
from node.operations.answer_queries import answer_queries
from node.operations.asked import Answered, QueryAsked, RefusedAnswer
from node.operations.open_ahead import NOTHING, OpenedAhead, open_ahead
from tests.fakes.exchange import SHOWN, question, reasons
from tests.fakes.world import HK, World

PACK = "a pack"


class Opener:
    """Opens, and remembers for how many messages."""

    def __init__(self) -> None:
        self.messages: list[int] = []

    def __call__(self, presented: Sequence[Presented], rule_pack: str) -> list[list[Opening]]:
        self.messages.append(len(presented))
        return open_all(presented, rule_pack)


def given(world: World, asked: Sequence[QueryAsked], ahead: OpenedAhead) -> list[Answered | RefusedAnswer]:
    return world.agency.write(lambda work: answer_queries(work, asked, world.agency.desk(work), ahead))


def test_what_was_opened_ahead_is_not_opened_again(world: World) -> None:
    asked, facts, opener = question(world, SHOWN), world.agency.known(), Opener()

    ahead = open_ahead([asked], facts, opener)
    with world.agency.store.read() as work:
        openings = ahead.of(asked, replace(world.agency.desk(work), facts=facts))

    assert opener.messages == [1]
    assert openings is ahead.messages[asked.request]


def test_under_other_facts_everything_is_opened_again(world: World) -> None:
    asked = question(world, SHOWN)
    facts = world.agency.known()
    forged = OpenedAhead(facts=replace(facts), messages={asked.request: [None]})

    assert reasons(given(world, [asked], forged)) == ["Answered"]


def test_without_facts_nothing_is_opened_ahead_and_the_answer_is_the_same(world: World) -> None:
    asked = question(world, SHOWN)

    assert open_ahead([asked], None) is NOTHING
    assert reasons(given(world, [asked], NOTHING)) == ["Answered"]


def test_nothing_is_verified_for_who_names_an_agreement_of_others(world: World) -> None:
    asked, opener = question(world, SHOWN), Opener()
    others = [replace(asked, peer=HK), replace(asked, agreement=bytes(32))]

    ahead = open_ahead(others, world.agency.known(), opener)

    assert (opener.messages, ahead.messages) == ([0], {})
