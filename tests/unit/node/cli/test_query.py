"""What came of a query is read from the copies that may still be held, whenever it is read."""

import json
from datetime import datetime

import msgspec
import pytest

from node.cli import query
from node.domain.jobs import Job
from node.operations.ask import QueryResult, prepare
from tests.fakes.asking import accepted, answered, arrived, evaluated, payload, planned
from tests.fakes.exchange import SHOWN, asker
from tests.fakes.serving import node_of
from tests.fakes.world import World


def answered_query(world: World) -> Job:
    """A query whose answer is held."""
    number, plan = planned(world, SHOWN)
    evaluated(world, plan)
    (message,) = world.bank.write(lambda work: prepare(work, number, plan, asker(world, work), b"")).messages
    frame = accepted(world, message, arrived(message, answered(world, payload(world, number), message)))
    assert isinstance(frame, bytes)
    result = msgspec.json.encode(QueryResult(frames=(frame.hex(),)))
    with world.bank.store.write() as work:
        work.outbox.finish(number, result, world.clock(), failed=False)
        work.commit()
    job = world.bank.read(lambda work: work.outbox.find(number))
    assert job is not None
    return job


def test_a_copy_whose_time_is_over_is_not_shown_though_nobody_served_to_destroy_it(
    world: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(query, "utc_now", world.clock)
    job, node = answered_query(world), node_of(world.bank)

    def shown() -> list[dict[str, str]]:
        query.tell(node, job, json=True)
        told: list[dict[str, str]] = json.loads(capsys.readouterr().out)["renditions"]
        return told

    first, *_ = ends = sorted(datetime.fromisoformat(one["keep_until"]) for one in shown())
    world.forward(seconds=(first - world.clock()).total_seconds() - 1)
    assert len(shown()) == len(ends)
    world.forward(seconds=1)
    assert len(shown()) == sum(one > first for one in ends)
    world.forward(seconds=(ends[-1] - world.clock()).total_seconds())
    assert shown() == []

    query.tell(node, job, json=False)
    assert "it is not held any more" in capsys.readouterr().out
