"""Questions are read, answered and written together, and each gets its own answer."""

from creditport.v1 import exchange_pb2

from agreements.refusal import Refusal, refuse
from node.operations.asked import RefusedAnswer
from node.wire.errors import Misshapen
from node.wire.methods import Method
from node.wire.outgoing import batch_query_call_to_wire, query_call_to_wire
from node.wire.questions import Question, Questions, Reply
from tests.integration.wire_network import BANK, BANK_CHECKPOINT, ScriptedGateway, query_call

DELISTED = RefusedAnswer(refused=refuse(Refusal.PEER_SUSPENDED, "a pack"), leaf=b"")


def unary(number: int = 0) -> Question:
    return Question(query_call_to_wire(query_call(number)).raw, BANK, Method.QUERY)


def batch(delisted: RefusedAnswer | None = None) -> Question:
    return Question(batch_query_call_to_wire(query_call(items=2)).raw, BANK, Method.BATCH_QUERY, delisted)


def test_what_is_no_message_is_told_and_disturbs_nobody() -> None:
    gateway = ScriptedGateway()

    first, torn, last = Questions(gateway).answer([unary(1), Question(unary().raw[:-1], BANK, Method.QUERY), unary(2)])

    assert isinstance(torn, Misshapen)
    assert torn.refused.reason is Refusal.MALFORMED
    assert isinstance(first, Reply)
    assert isinstance(last, Reply)
    assert exchange_pb2.QueryResponse.FromString(first.response).HasField("frame")
    assert [len(together) for together in gateway.queries] == [2]
    assert gateway.seen == [(BANK, BANK_CHECKPOINT)] * 2


def test_who_is_not_listed_any_more_is_refused_by_name_and_not_answered() -> None:
    gateway = ScriptedGateway()

    (reply,) = Questions(gateway).answer([batch(DELISTED)])

    assert isinstance(reply, Reply)
    response = exchange_pb2.BatchQueryResponse.FromString(reply.response)
    assert (response.request_id, reply.refusals) == (query_call(items=2).request_id, (Refusal.PEER_SUSPENDED,))
    assert not response.HasField("frame")
    assert gateway.queries == []


def test_a_refused_query_is_a_refused_call_and_a_refused_batch_a_response() -> None:
    gateway = ScriptedGateway()
    gateway.answer = lambda _: DELISTED

    alone, together = Questions(gateway).answer([unary(), batch()])

    assert alone == Reply(refused=DELISTED)
    assert isinstance(together, Reply)
    assert (together.refused, together.refusals) == (None, (Refusal.PEER_SUSPENDED,))
