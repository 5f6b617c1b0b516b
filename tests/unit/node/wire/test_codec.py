"""Facts go out and come back the same; everything of another shape is refused, with its field named."""

from dataclasses import replace
from typing import Any

import pytest
from creditport.v1 import (
    agreement_pb2,
    common_pb2,
    exchange_pb2,
    filing_pb2,
    inspection_pb2,
    propagation_pb2,
    registry_pb2,
)
from hypothesis import given
from hypothesis import strategies as st

from agreements.refusal import Refusal, refuse
from node.operations.asked import (
    Answered,
    AskedItem,
    FrameArrived,
    FrameRefused,
    FrameStored,
    JournalProof,
    NoticesTaken,
    RefusedAnswer,
    RegistryPage,
)
from node.wire import codec, outgoing
from node.wire.codec import Delivery
from node.wire.errors import Misshapen
from node.wire.methods import (
    BOUNDS,
    LARGEST_BODY,
    LARGEST_HEADER,
    LARGEST_MESSAGE,
    LARGEST_ORDER,
    LARGEST_PART,
    Method,
    request_digest,
)
from node.wire.outgoing import EvaluateCall, Outgoing, QueryCall
from registry.parties import PartyId

PEER = PartyId("hk-bank")
LEAF = b"l" * 32
NO = RefusedAnswer(refused=refuse(Refusal.CONSENT_EXPIRED, "SZ-DRAFT-82"), leaf=LEAF)
CALL = QueryCall(
    request_id=b"r" * 16,
    agreement=b"a" * 32,
    epoch=3,
    purpose="CROSS_BORDER_TRADE",
    asked={"101": frozenset({"established"})},
    items=(AskedItem(pseudonym=b"p" * 16, authorisation=b""),),
    checkpoint=b"",
)
EVALUATE = EvaluateCall(request_id=b"r" * 16, agreement=b"a" * 32, epoch=3, blinded=(b"e" * 32,), checkpoint=b"note")
OUT = Outgoing(raw=b"", digest=b"", request_id=b"r" * 16, count=2)

items = st.builds(AskedItem, pseudonym=st.binary(min_size=16, max_size=16), authorisation=st.binary(max_size=99))
selections = st.dictionaries(
    st.from_regex(r"[A-Z0-9]{1,16}", fullmatch=True),
    st.frozensets(st.from_regex(r"[a-z][a-z0-9_]{0,20}", fullmatch=True), min_size=1, max_size=8),
    min_size=1,
    max_size=6,
)
calls = st.builds(
    QueryCall,
    request_id=st.binary(min_size=16, max_size=16),
    agreement=st.binary(min_size=32, max_size=32),
    epoch=st.integers(0, 2**32 - 1),
    purpose=st.from_regex(r"[A-Z][A-Z0-9_]{0,63}", fullmatch=True),
    asked=selections,
    items=st.lists(items, min_size=1, max_size=5).map(tuple),
    checkpoint=st.binary(max_size=99),
)


@given(calls)
def test_a_batch_message_arrives_as_it_was_asked(call: QueryCall) -> None:
    out = outgoing.batch_query_call_to_wire(call)

    request_id, asked = codec.batch_query_from_wire(out.raw, PEER)

    assert request_id == out.request_id == call.request_id
    assert (asked.peer, asked.batch, asked.digest) == (PEER, True, out.digest)
    assert (asked.agreement, asked.epoch, asked.purpose) == (call.agreement, call.epoch, call.purpose)
    assert (asked.asked, asked.items, asked.checkpoint) == (call.asked, call.items, call.checkpoint)
    assert out.count == len(call.items)


@given(calls)
def test_a_unary_query_arrives_as_it_was_asked(call: QueryCall) -> None:
    single = replace(call, items=call.items[:1])
    out = outgoing.query_call_to_wire(single)

    asked = codec.query_from_wire(out.raw, PEER)

    assert (asked.items, asked.asked, asked.batch) == (single.items, single.asked, False)
    assert asked.digest == out.digest == request_digest(Method.QUERY, out.raw)


@given(calls, st.randoms())
def test_the_same_facts_are_always_the_same_request(call: QueryCall, chance: Any) -> None:
    kinds = list(call.asked)
    chance.shuffle(kinds)
    shuffled = replace(call, asked={kind: frozenset(sorted(call.asked[kind])) for kind in kinds})

    assert outgoing.batch_query_call_to_wire(shuffled) == outgoing.batch_query_call_to_wire(call)


@given(st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=200))
def test_blinded_elements_arrive_in_order(blinded: list[bytes]) -> None:
    out = outgoing.evaluate_call_to_wire(replace(EVALUATE, blinded=tuple(blinded)))

    asked = codec.evaluate_from_wire(out.raw, PEER)

    assert asked.blinded == tuple(blinded)
    assert (asked.digest, out.count) == (request_digest(Method.EVALUATE, out.raw), len(blinded))


def test_a_unary_query_is_built_from_one_item_only() -> None:
    with pytest.raises(ValueError, match="unpack"):
        outgoing.query_call_to_wire(replace(CALL, items=CALL.items * 2))


BAD_QUERIES = {
    "request_id": replace(CALL, request_id=b"r" * 15),
    "agreement": replace(CALL, agreement=b"a" * 31),
    "purpose": replace(CALL, purpose="trade"),
    "asked": replace(CALL, asked={}),
    "asked.kind": replace(CALL, asked={"kind 101": frozenset({"established"})}),
    "asked.fields": replace(CALL, asked={"101": frozenset()}),
    "item.pseudonym": replace(CALL, items=(AskedItem(pseudonym=b"p", authorisation=b""),)),
    "item.authorisation": replace(CALL, items=(AskedItem(pseudonym=b"p" * 16, authorisation=bytes(8193)),)),
    "checkpoint": replace(CALL, checkpoint=bytes(8193)),
}


@pytest.mark.parametrize(("field", "call"), BAD_QUERIES.items(), ids=BAD_QUERIES)
def test_a_query_of_another_shape_is_refused_by_field(field: str, call: QueryCall) -> None:
    for raw, read in (
        (outgoing.query_call_to_wire(call).raw, codec.query_from_wire),
        (outgoing.batch_query_call_to_wire(call).raw, codec.batch_query_from_wire),
    ):
        with pytest.raises(Misshapen, match=f"MALFORMED: {field}: expected"):
            read(raw, PEER)


def test_a_selection_that_is_not_ascending_is_refused() -> None:
    for kinds, fields in ((["201", "101"], ["a"]), (["101", "101"], ["a"]), (["101"], ["b", "a"])):
        selections = [exchange_pb2.KindSelection(kind=kind, fields=fields) for kind in kinds]
        message = exchange_pb2.QueryRequest.FromString(outgoing.query_call_to_wire(CALL).raw)
        del message.asked[:]
        message.asked.extend(selections)
        with pytest.raises(Misshapen, match="ascending"):
            codec.query_from_wire(message.SerializeToString(deterministic=True), PEER)


def test_a_query_without_an_item_and_a_batch_without_items_are_refused() -> None:
    message = exchange_pb2.QueryRequest.FromString(outgoing.query_call_to_wire(CALL).raw)
    message.ClearField("item")

    with pytest.raises(Misshapen, match="item: expected one"):
        codec.query_from_wire(message.SerializeToString(deterministic=True), PEER)
    for count in (0, 201):
        raw = outgoing.batch_query_call_to_wire(replace(CALL, items=CALL.items * count)).raw
        with pytest.raises(Misshapen, match="items: expected 1 to 200"):
            codec.batch_query_from_wire(raw, PEER)


@pytest.mark.parametrize(
    "call",
    [
        replace(EVALUATE, request_id=b""),
        replace(EVALUATE, agreement=b""),
        replace(EVALUATE, blinded=()),
        replace(EVALUATE, blinded=(b"e" * 32,) * 201),
        replace(EVALUATE, blinded=(b"e" * 31,)),
        replace(EVALUATE, checkpoint=bytes(8193)),
    ],
)
def test_an_evaluation_of_another_shape_is_refused(call: EvaluateCall) -> None:
    with pytest.raises(Misshapen, match="MALFORMED"):
        codec.evaluate_from_wire(outgoing.evaluate_call_to_wire(call).raw, PEER)


@pytest.mark.parametrize(
    ("write", "read"),
    [
        (outgoing.document_to_wire, codec.document_from_wire),
        (outgoing.agreement_to_wire, codec.agreement_from_wire),
        (outgoing.receipts_to_wire, codec.receipts_from_wire),
    ],
)
def test_a_document_arrives_byte_for_byte_or_is_refused(write: Any, read: Any) -> None:
    assert read(write(Delivery(b"document", b"note"))) == Delivery(b"document", b"note")
    for bad in (Delivery(b"", b""), Delivery(bytes((1 << 20) + 1), b""), Delivery(b"d", bytes(8193))):
        with pytest.raises(Misshapen, match="MALFORMED"):
            read(write(bad))


NAME = b"f" * 16
frames = st.builds(FrameArrived, header=st.binary(min_size=1, max_size=99), body=st.binary(min_size=1, max_size=999))


@given(frames, st.binary(max_size=99))
def test_a_pushed_frame_arrives_byte_for_byte(frame: FrameArrived, checkpoint: bytes) -> None:
    raw = outgoing.push_frame_to_wire(frame, checkpoint)

    assert codec.push_frame_from_wire(raw) == (frame, checkpoint)


@given(st.binary(min_size=1, max_size=99), st.none() | frames, st.binary(max_size=99))
def test_notices_arrive_byte_for_byte_with_new_versions_or_without(
    signed: bytes, replacement: FrameArrived | None, checkpoint: bytes
) -> None:
    raw = outgoing.notices_to_wire(signed, replacement, checkpoint)

    assert codec.notices_from_wire(raw) == (signed, replacement, checkpoint)


def test_the_largest_frame_fits_its_message_and_hides_its_body() -> None:
    frame = FrameArrived(header=bytes(LARGEST_HEADER), body=bytes(LARGEST_BODY))
    raw = outgoing.push_frame_to_wire(frame, bytes(8192))

    assert len(raw) <= BOUNDS[Method.PUSH_FRAMES].request
    assert codec.push_frame_from_wire(raw) == (frame, bytes(8192))
    assert "body" not in repr(frame)


BAD_FRAMES = {
    "header": (FrameArrived(header=b"", body=b"b"), FrameArrived(header=bytes(LARGEST_HEADER + 1), body=b"b")),
    "body": (FrameArrived(header=b"h", body=b""), FrameArrived(header=b"h", body=bytes(LARGEST_BODY + 1))),
}


@pytest.mark.parametrize(("part", "bad"), BAD_FRAMES.items(), ids=BAD_FRAMES)
def test_a_frame_of_another_shape_is_refused_by_its_part(part: str, bad: tuple[FrameArrived, FrameArrived]) -> None:
    for frame in bad:
        with pytest.raises(Misshapen, match=rf"MALFORMED: frame\.{part}: expected"):
            codec.push_frame_from_wire(outgoing.push_frame_to_wire(frame, b""))
        with pytest.raises(Misshapen, match=rf"MALFORMED: replacement\.{part}: expected"):
            codec.notices_from_wire(outgoing.notices_to_wire(b"batch", frame, b""))


def test_a_message_without_its_frame_or_its_batch_or_with_too_much_beside_them_is_refused() -> None:
    frame = FrameArrived(header=b"h", body=b"b")
    for raw, read, field in (
        (exchange_pb2.PushFramesRequest(checkpoint=b"c").SerializeToString(), codec.push_frame_from_wire, "frame"),
        (outgoing.push_frame_to_wire(frame, bytes(8193)), codec.push_frame_from_wire, "checkpoint"),
        (outgoing.notices_to_wire(b"", frame, b""), codec.notices_from_wire, "batch"),
        (outgoing.notices_to_wire(bytes((1 << 20) + 1), None, b""), codec.notices_from_wire, "batch"),
        (outgoing.notices_to_wire(b"batch", None, bytes(8193)), codec.notices_from_wire, "checkpoint"),
    ):
        with pytest.raises(Misshapen, match=f"MALFORMED: {field}: expected"):
            read(raw)


@pytest.mark.parametrize(
    ("raw", "read"),
    [
        (outgoing.push_frame_to_wire(FrameArrived(header=b"h", body=b"b"), b"c"), codec.push_frame_from_wire),
        (outgoing.notices_to_wire(b"n", FrameArrived(header=b"h", body=b"b"), b"c"), codec.notices_from_wire),
        (
            codec.pushed_to_wire(FrameStored(frame=NAME, leaf=LEAF), b"c"),
            lambda raw: outgoing.pushed_from_wire(raw, NAME),
        ),
        (codec.notices_taken_to_wire(NoticesTaken(expected=1, refused=NO), b"c"), outgoing.notices_taken_from_wire),
        (outgoing.inspect_to_wire(b"order"), codec.inspect_from_wire),
        (codec.part_to_wire(b"part"), outgoing.part_from_wire),
    ],
    ids=["push", "notices", "pushed", "taken", "inspect", "part"],
)
def test_a_message_has_one_permitted_spelling(raw: bytes, read: Any) -> None:
    read(raw)
    with pytest.raises(Misshapen, match="UNKNOWN_FIELD"):
        read(raw + b"\xf8\x07\x01")
    for other in (raw + raw[-3:], raw[:-1], raw + b"\x00"):
        with pytest.raises(Misshapen, match="MALFORMED"):
            read(other)


def test_messages_above_the_bounds_of_their_methods_are_oversized() -> None:
    for read, method, response in (
        (codec.push_frame_from_wire, Method.PUSH_FRAMES, False),
        (codec.notices_from_wire, Method.DELIVER_NOTICES, False),
        (lambda raw: outgoing.pushed_from_wire(raw, NAME), Method.PUSH_FRAMES, True),
        (outgoing.notices_taken_from_wire, Method.DELIVER_NOTICES, True),
        (codec.inspect_from_wire, Method.INSPECT, False),
        (outgoing.part_from_wire, Method.INSPECT, True),
    ):
        largest = BOUNDS[method].response if response else BOUNDS[method].request
        with pytest.raises(Misshapen, match="OVERSIZED"):
            read(bytes(largest + 1))


@pytest.mark.parametrize(
    "outcome",
    [
        FrameStored(frame=NAME, leaf=LEAF),
        FrameRefused(frame=NAME, answer=NO),
        FrameRefused(frame=b"", answer=NO),
        FrameRefused(frame=NAME, answer=replace(NO, leaf=b"")),
    ],
)
def test_what_became_of_a_pushed_frame_comes_back_as_it_was_given(outcome: FrameStored | FrameRefused) -> None:
    assert outgoing.pushed_from_wire(codec.pushed_to_wire(outcome, b"c"), NAME) == (outcome, b"c")


@pytest.mark.parametrize("expected", [0, 1, 2**63, 2**64 - 1])
@pytest.mark.parametrize("refused", [None, NO])
def test_what_a_holder_expects_next_comes_back_as_it_was_given(expected: int, refused: RefusedAnswer | None) -> None:
    taken = NoticesTaken(expected=expected, refused=refused)

    assert outgoing.notices_taken_from_wire(codec.notices_taken_to_wire(taken, b"c")) == (taken, b"c")


def test_registry_reads_and_journal_proofs_are_asked_for_by_numbers() -> None:
    assert codec.read_registry_from_wire(outgoing.read_registry_to_wire(7, 1000)) == (7, 1000)
    assert codec.prove_journal_from_wire(outgoing.prove_journal_to_wire(LEAF, 0)) == (LEAF, 0)
    assert codec.prove_journal_from_wire(outgoing.prove_journal_to_wire(b"", 9)) == (b"", 9)
    for raw, read in (
        (outgoing.read_registry_to_wire(0, 1001), codec.read_registry_from_wire),
        (outgoing.prove_journal_to_wire(b"", 0), codec.prove_journal_from_wire),
        (outgoing.prove_journal_to_wire(b"short", 1), codec.prove_journal_from_wire),
    ):
        with pytest.raises(Misshapen, match="MALFORMED"):
            read(raw)


def test_an_order_and_a_part_of_a_bundle_come_back_as_they_were_given_in_their_bounds() -> None:
    for write, read, largest in (
        (outgoing.inspect_to_wire, codec.inspect_from_wire, LARGEST_ORDER),
        (codec.part_to_wire, outgoing.part_from_wire, LARGEST_PART),
    ):
        assert read(write(b"b")) == b"b"
        assert read(write(bytes(largest))) == bytes(largest)
        for other in (b"", bytes(largest + 1)):
            with pytest.raises(Misshapen, match=r"MALFORMED: (order|part): expected"):
                read(write(other))


def test_answers_come_back_as_they_were_given() -> None:
    answer = Answered(header=b"h", body=b"b", refused_items=(), checkpoint=b"c")
    refused_one = replace(answer, refused_items=((1, NO),))
    proof = JournalProof(checkpoint=b"c", index=4, inclusion=(LEAF, LEAF), consistency=(LEAF,))
    page = RegistryPage(head=b"h", statements=(b"s", b"t"))

    assert outgoing.answer_from_wire(codec.answer_to_wire(answer)) == answer
    for given_answer, noted in ((answer, b"c"), (refused_one, b"c"), (NO, b"newest")):
        raw = codec.batch_answer_to_wire(b"r" * 16, given_answer, b"newest")
        assert outgoing.batch_answer_from_wire(raw, OUT) == (given_answer, noted)
    evaluated = outgoing.evaluation_from_wire(codec.evaluation_to_wire([LEAF, LEAF], b"p" * 64, b"c"), 2)
    assert (evaluated.elements, evaluated.proof, evaluated.checkpoint) == ((LEAF, LEAF), b"p" * 64, b"c")
    assert outgoing.document_digest_from_wire(codec.document_digest_to_wire(LEAF, b"c")) == (LEAF, b"c")
    assert outgoing.filing_from_wire(codec.filing_to_wire(b"receipt", b"c")) == (b"receipt", b"c")
    assert outgoing.receipts_taken_from_wire(codec.receipts_taken_to_wire(b"c")) == b"c"
    assert outgoing.registry_page_from_wire(codec.registry_page_to_wire(page)) == page
    assert outgoing.journal_proof_from_wire(codec.journal_proof_to_wire(proof)) == proof


def test_a_page_holds_whole_statements_up_to_the_largest_message() -> None:
    statements = tuple(bytes([n]) * 900_000 for n in range(7))
    raw = codec.registry_page_to_wire(RegistryPage(head=b"h", statements=statements))

    assert len(raw) <= LARGEST_MESSAGE
    assert outgoing.registry_page_from_wire(raw).statements == statements[:4]


def refusal(**fields: Any) -> common_pb2.Refusal:
    return common_pb2.Refusal(**{"reason": 401} | fields)


FRAME = common_pb2.Frame(header=b"h", body=b"b")
WRONG_LEAF = refusal(journal_leaf=b"short")
LATER_REASON = refusal(reason=9999)
LONG_WORDS = refusal(article="S" * 300)


def batch(**fields: Any) -> Any:
    return exchange_pb2.BatchQueryResponse(request_id=b"r" * 16, **fields)


def pushed(**fields: Any) -> Any:
    return exchange_pb2.PushFramesResponse(**{"frame_id": NAME} | fields)


def read_pushed(raw: bytes) -> Any:
    return outgoing.pushed_from_wire(raw, NAME)


def notices_taken(**fields: Any) -> Any:
    return propagation_pb2.DeliverNoticesResponse(**fields)


def refused_at(*positions: int) -> list[exchange_pb2.ItemRefusal]:
    return [exchange_pb2.ItemRefusal(index=position, refusal=refusal()) for position in positions]


@pytest.mark.parametrize(
    ("message", "read"),
    [
        (exchange_pb2.QueryResponse(), outgoing.answer_from_wire),
        (exchange_pb2.QueryResponse(frame=common_pb2.Frame(header=b"h")), outgoing.answer_from_wire),
        (exchange_pb2.QueryResponse(frame=common_pb2.Frame(body=b"b")), outgoing.answer_from_wire),
        (exchange_pb2.QueryResponse(frame=FRAME, checkpoint=bytes(8193)), outgoing.answer_from_wire),
        (exchange_pb2.EvaluateResponse(evaluated=[LEAF], proof=b"p" * 64), lambda raw: evaluated(raw, 2)),
        (exchange_pb2.EvaluateResponse(evaluated=[b"x"], proof=b"p" * 64), lambda raw: evaluated(raw, 1)),
        (exchange_pb2.EvaluateResponse(evaluated=[LEAF], proof=b"p"), lambda raw: evaluated(raw, 1)),
        (agreement_pb2.DeliverAgreementDocumentResponse(digest=b"x"), outgoing.document_digest_from_wire),
        (filing_pb2.FileAgreementResponse(), outgoing.filing_from_wire),
        (propagation_pb2.DeliverReceiptsResponse(checkpoint=bytes(8193)), outgoing.receipts_taken_from_wire),
        (registry_pb2.ReadRegistryResponse(), outgoing.registry_page_from_wire),
        (registry_pb2.ReadRegistryResponse(head=b"h", statements=[b""]), outgoing.registry_page_from_wire),
        (inspection_pb2.ProveJournalResponse(), outgoing.journal_proof_from_wire),
        (
            inspection_pb2.ProveJournalResponse(checkpoint=b"c", inclusion=[LEAF] * 65),
            outgoing.journal_proof_from_wire,
        ),
        (
            inspection_pb2.ProveJournalResponse(checkpoint=b"c", consistency=[b"x"]),
            outgoing.journal_proof_from_wire,
        ),
        (batch(), lambda raw: outgoing.batch_answer_from_wire(raw, OUT)),
        (batch(refusal=LATER_REASON), lambda raw: outgoing.batch_answer_from_wire(raw, OUT)),
        (batch(refusal=WRONG_LEAF), lambda raw: outgoing.batch_answer_from_wire(raw, OUT)),
        (batch(refusal=LONG_WORDS), lambda raw: outgoing.batch_answer_from_wire(raw, OUT)),
        (batch(frame=FRAME), lambda raw: outgoing.batch_answer_from_wire(raw, replace(OUT, request_id=b"x"))),
        (pushed(), read_pushed),
        (pushed(frame_id=b""), read_pushed),
        (pushed(journal_leaf=b"short"), read_pushed),
        (pushed(journal_leaf=b""), read_pushed),
        (pushed(frame_id=b"", journal_leaf=LEAF), read_pushed),
        (pushed(frame_id=b"g" * 16, journal_leaf=LEAF), read_pushed),
        (pushed(frame_id=b"g" * 16, refusal=refusal()), read_pushed),
        (pushed(refusal=LATER_REASON), read_pushed),
        (pushed(refusal=WRONG_LEAF), read_pushed),
        (pushed(journal_leaf=LEAF, checkpoint=bytes(8193)), read_pushed),
        (notices_taken(replacement_refusal=LATER_REASON), outgoing.notices_taken_from_wire),
        (notices_taken(replacement_refusal=common_pb2.Refusal()), outgoing.notices_taken_from_wire),
        (notices_taken(expected=1, checkpoint=bytes(8193)), outgoing.notices_taken_from_wire),
        (
            batch(frame=FRAME, refused_items=refused_at(2)),
            lambda raw: outgoing.batch_answer_from_wire(raw, OUT),
        ),
        (
            batch(frame=FRAME, refused_items=refused_at(1, 0)),
            lambda raw: outgoing.batch_answer_from_wire(raw, OUT),
        ),
    ],
)
def test_an_answer_of_another_shape_is_refused(message: Any, read: Any) -> None:
    with pytest.raises(Misshapen, match="MALFORMED"):
        read(message.SerializeToString(deterministic=True))


def evaluated(raw: bytes, asked: int) -> outgoing.Evaluated:
    return outgoing.evaluation_from_wire(raw, asked)


def test_what_goes_out_hides_its_content() -> None:
    out = outgoing.query_call_to_wire(CALL)

    assert "CROSS_BORDER_TRADE" not in repr(out)
    assert "raw" not in repr(out)
