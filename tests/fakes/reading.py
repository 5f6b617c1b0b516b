"""What the bank reads out of what it was given."""

from crypto.commitment import Rendition
from crypto.frame import FrameHeader, open_frame
from crypto.keys import Purpose
from node.operations.asked import Answered, QueryAsked, RefusedAnswer
from tests.fakes.exchange import answer
from tests.fakes.world import World


def renditions(world: World, given: Answered | RefusedAnswer) -> tuple[FrameHeader, list[Rendition]]:
    """The verified header of a frame, and the renditions in it."""
    assert isinstance(given, Answered), given
    key = world.agency.card.key(Purpose.FRAME)
    opened = open_frame(given.header, given.body, key, world.bank.context.keys.seal)
    return opened.header, opened.renditions


def shown(world: World, asked: QueryAsked) -> dict[str, Rendition]:
    """The renditions in the answer to a query, by kind."""
    return {one.header.kind: one for one in renditions(world, answer(world, asked))[1]}
