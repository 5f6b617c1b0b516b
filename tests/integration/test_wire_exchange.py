"""Every method of the contract, over real connections, as facts go in and facts come out."""

import hashlib
from dataclasses import replace

import pytest

from agreements.refusal import Refusal, refuse
from crypto.errors import Malformed
from node.operations.asked import Answered, AskedItem, JournalProof, QueryAsked, RefusedAnswer, RegistryPage
from node.wire.errors import BadAnswer, PeerRefused, PeerUnreachable
from node.wire.outgoing import batch_query_call_to_wire, evaluate_call_to_wire, query_call_to_wire
from registry.parties import PartyId
from tests.integration.wire_network import (
    AGREEMENT,
    BANK,
    BANK_CHECKPOINT,
    CHECKPOINT,
    HOME,
    LEAF,
    Network,
    evaluate_call,
    one_frame,
    play,
    query_call,
    refused,
)


def test_a_query_reaches_the_gateway_as_facts_and_the_frame_comes_back() -> None:
    async def story(net: Network) -> None:
        call = query_call_to_wire(query_call())

        answer = await net.client.query(HOME, call)

        [[asked]] = net.gateway.queries
        assert (asked.peer, asked.digest, asked.agreement, asked.batch) == (
            BANK,
            call.digest,
            AGREEMENT,
            False,
        )
        assert asked.asked == query_call().asked
        assert asked.items == query_call().items
        assert (answer.header, answer.body) == (b"header", b"body of 1")
        assert net.gateway.seen == [(BANK, BANK_CHECKPOINT)]
        assert net.asker.seen == [(HOME, CHECKPOINT)]

    play(story)


def test_elements_are_charged_before_they_are_evaluated() -> None:
    async def story(net: Network) -> None:
        call = evaluate_call_to_wire(evaluate_call(3))

        evaluated = await net.client.evaluate(HOME, call)

        [[asked]] = net.gateway.charged
        assert asked.digest == call.digest
        assert evaluated.elements == tuple(element[::-1] for element in asked.blinded)
        assert evaluated.proof == b"p" * 64

    play(story)


def test_an_element_outside_the_group_is_refused_as_malformed() -> None:
    async def story(net: Network) -> None:
        net.gateway.evaluation = Malformed("not a point")

        with pytest.raises(PeerRefused) as failure:
            await net.client.evaluate(HOME, evaluate_call_to_wire(evaluate_call()))

        assert failure.value.answer.refused.reason is Refusal.MALFORMED
        assert [refusal.reason for _, _, refusal in net.gateway.edge_refusals] == [Refusal.MALFORMED]

    play(story)


def test_documents_agreements_and_receipts_arrive_byte_for_byte() -> None:
    async def story(net: Network) -> None:
        assert await net.client.deliver_document(HOME, b"terms") == hashlib.sha256(b"terms").digest()
        assert await net.client.file_agreement(HOME, b"signed") == b"receipt for signed"
        await net.client.deliver_receipts(HOME, b"batch")

        assert net.gateway.documents == [(BANK, b"terms"), (BANK, b"signed"), (BANK, b"batch")]
        assert net.gateway.seen == [(BANK, BANK_CHECKPOINT)] * 3
        assert net.asker.seen == [(HOME, CHECKPOINT)] * 3

    play(story)


def test_the_registry_is_read_from_a_position_on() -> None:
    async def story(net: Network) -> None:
        assert await net.client.read_registry(HOME, 1) == RegistryPage(head=b"head", statements=(b"second",))
        assert (await net.client.read_registry(HOME, 0, limit=1)).statements == (b"first",)

    play(story)


def test_a_registry_page_that_is_too_large_is_cut_and_read_on() -> None:
    async def story(net: Network) -> None:
        statements = tuple(bytes([n]) * 1_000_000 for n in range(6))
        net.gateway.page = RegistryPage(head=b"head", statements=statements)

        first = await net.client.read_registry(HOME, 0)
        rest = await net.client.read_registry(HOME, len(first.statements))

        assert 0 < len(first.statements) < 6
        assert first.statements + rest.statements == statements

    play(story)


def test_a_journal_proof_comes_back_whole() -> None:
    async def story(net: Network) -> None:
        proof = await net.client.prove_journal(HOME, LEAF, 5)

        assert proof == JournalProof(checkpoint=CHECKPOINT, index=5, inclusion=(LEAF,), consistency=())

    play(story)


@pytest.mark.parametrize("method", ["deliver_document", "file_agreement", "deliver_receipts"])
def test_a_refusal_of_the_gateway_reaches_the_caller_with_article_and_leaf(method: str) -> None:
    async def story(net: Network) -> None:
        net.gateway.outcome = refused(Refusal.AGREEMENT_NOT_FILED)

        with pytest.raises(PeerRefused) as failure:
            await getattr(net.client, method)(HOME, b"document")

        assert failure.value.peer == HOME
        assert failure.value.answer == refused(Refusal.AGREEMENT_NOT_FILED)

    play(story)


def test_evaluations_registry_reads_and_proofs_can_be_refused_too() -> None:
    async def story(net: Network) -> None:
        net.gateway.outcome = net.gateway.page = refused(Refusal.REGISTRY_STALE)
        reasons = []
        for attempt in (
            net.client.evaluate(HOME, evaluate_call_to_wire(evaluate_call())),
            net.client.read_registry(HOME, 0),
            net.client.prove_journal(HOME, LEAF, 0),
        ):
            with pytest.raises(PeerRefused) as failure:
                await attempt
            reasons.append(failure.value.answer.refused.reason)

        assert reasons == [Refusal.REGISTRY_STALE] * 3

    play(story)


def test_a_query_whose_only_item_is_refused_is_refused() -> None:
    async def story(net: Network) -> None:
        item = refused(Refusal.AUTHORISATION_MISSING)
        net.gateway.answer = lambda _: Answered(
            header=b"h", body=b"b", refused_items=((0, item),), checkpoint=CHECKPOINT
        )

        with pytest.raises(PeerRefused) as failure:
            await net.client.query(HOME, query_call_to_wire(query_call()))

        assert failure.value.answer == item

    play(story)


def test_a_batch_stream_answers_in_order_and_outlives_a_refused_message() -> None:
    def answer(asked: QueryAsked) -> Answered | RefusedAnswer:
        if len(asked.items) == 3:
            return refused(Refusal.BATCH_LIMIT)
        if len(asked.items) == 2:
            item = refused(Refusal.CONSENT_EXPIRED)
            return Answered(header=b"h", body=b"b", refused_items=((1, item),), checkpoint=CHECKPOINT)
        return one_frame(asked)

    async def story(net: Network) -> None:
        net.gateway.answer = answer
        calls = [batch_query_call_to_wire(query_call(n, items=n)) for n in (1, 2, 3, 4)]

        answers = [one async for one in net.client.batch_query(HOME, calls)]

        first, second, third, fourth = answers
        assert isinstance(first, Answered)
        assert first.body == b"body of 1"
        assert isinstance(second, Answered)
        assert second.refused_items == ((1, refused(Refusal.CONSENT_EXPIRED)),)
        assert third == refused(Refusal.BATCH_LIMIT)
        assert isinstance(fourth, Answered)
        assert fourth.body == b"body of 4"
        assert all(asked.batch for batch in net.gateway.queries for asked in batch)

    play(story)


def test_a_batch_of_many_messages_is_answered_message_by_message() -> None:
    async def story(net: Network) -> None:
        calls = [batch_query_call_to_wire(query_call(n, items=1 + n % 200)) for n in range(300)]

        answers = [one async for one in net.client.batch_query(HOME, calls)]

        assert [one.body for one in answers if isinstance(one, Answered)] == [
            b"body of %d" % (1 + n % 200) for n in range(300)
        ]

    play(story)


def test_a_batch_that_is_refused_as_a_whole_says_why() -> None:
    async def story(net: Network) -> None:
        net.gateway.list_certificate(net.bank.certificate, refuse(Refusal.KEY_REVOKED, ""))
        calls = [batch_query_call_to_wire(query_call(n)) for n in range(9)]

        with pytest.raises(PeerRefused) as failure:
            await anext(net.client.batch_query(HOME, calls))

        assert failure.value.answer.refused.reason is Refusal.KEY_REVOKED

    play(story)


def test_large_messages_and_large_answers_do_not_wait_for_each_other_for_ever() -> None:
    async def story(net: Network) -> None:
        net.gateway.answer = lambda _: Answered(
            header=b"h", body=bytes(4_000_000), refused_items=(), checkpoint=CHECKPOINT
        )
        heavy = AskedItem(pseudonym=b"p" * 16, authorisation=bytes(8_000))
        calls = [batch_query_call_to_wire(replace(query_call(n), items=(heavy,) * 200)) for n in range(10)]

        answers = [one async for one in net.client.batch_query(HOME, calls)]

        assert [len(one.body) for one in answers if isinstance(one, Answered)] == [4_000_000] * 10

    play(story)


def test_a_misshapen_message_of_a_batch_is_refused_in_its_response_and_the_stream_goes_on() -> None:
    async def story(net: Network) -> None:
        good = batch_query_call_to_wire(query_call(1, items=1))
        torn = batch_query_call_to_wire(query_call(2, items=2))
        cut = replace(torn, raw=torn.raw[:-3])

        answers = [one async for one in net.client.batch_query(HOME, [good, cut, good])]

        assert [isinstance(one, RefusedAnswer) for one in answers] == [False, True, False]
        assert isinstance(answers[1], RefusedAnswer)
        assert answers[1].refused.reason is Refusal.MALFORMED
        assert answers[1].leaf == LEAF

    play(story)


def test_a_party_that_is_not_listed_is_not_called_at_all() -> None:
    async def story(net: Network) -> None:
        with pytest.raises(PeerUnreachable, match="lists no admitted party nobody"):
            await net.client.read_registry(PartyId("nobody"), 0)

    play(story)


def test_an_answer_that_is_not_one_is_told_from_no_answer() -> None:
    async def story(net: Network) -> None:
        net.gateway.page = RegistryPage(head=b"", statements=())

        with pytest.raises(BadAnswer, match="head"):
            await net.client.read_registry(HOME, 0)

    play(story)
