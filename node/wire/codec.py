"""The serving side's translation: requests from the wire into facts, answers from facts onto the wire.

Each `x_from_wire` takes raw bytes and raises Misshapen for anything but the one permitted spelling; each
`x_to_wire` gives deterministic bytes. The asking side's translation stands in `outgoing`.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

from creditport.v1 import (
    agreement_pb2,
    common_pb2,
    exchange_pb2,
    filing_pb2,
    inspection_pb2,
    propagation_pb2,
    registry_pb2,
)

from node.operations.asked import (
    Answered,
    AskedItem,
    EvaluateAsked,
    FrameArrived,
    FrameRefused,
    FrameStored,
    JournalProof,
    NoticesTaken,
    QueryAsked,
    RefusedAnswer,
    RegistryPage,
)
from node.wire.methods import (
    BOUNDS,
    DIGEST,
    ELEMENT,
    LARGEST_AUTHORISATION,
    LARGEST_BODY,
    LARGEST_CHECKPOINT,
    LARGEST_DOCUMENT,
    LARGEST_HEADER,
    LARGEST_ORDER,
    MOST_IN_A_MESSAGE,
    PSEUDONYM,
    REQUEST_ID,
    Method,
    request_digest,
)
from node.wire.refusals import refusal_to_wire
from node.wire.strict import (
    CODE,
    FIELD,
    KIND,
    all_exactly,
    ascending,
    at_most,
    counted,
    exactly,
    malformed,
    matching,
    read_message,
    some,
)
from registry.parties import PartyId

MOST_KINDS = 16
MOST_FIELDS = 64
MOST_STATEMENTS = 1000

QueryMessage = exchange_pb2.QueryRequest | exchange_pb2.BatchQueryRequest


class Delivery(NamedTuple):
    """One signed document and the sender's newest checkpoint (empty if it has none)."""

    document: bytes
    checkpoint: bytes


class NoticesDelivery(NamedTuple):
    """A signed batch of notices, the frame of new versions if one came along, and the sender's newest checkpoint."""

    batch: bytes
    replacement: FrameArrived | None
    checkpoint: bytes


def evaluate_from_wire(raw: bytes, peer: PartyId) -> EvaluateAsked:
    """Read one EvaluateRequest."""
    message = read_message(raw, exchange_pb2.EvaluateRequest, BOUNDS[Method.EVALUATE].request)
    exactly("request_id", message.request_id, REQUEST_ID)
    counted("blinded", message.blinded, 1, MOST_IN_A_MESSAGE)
    return EvaluateAsked(
        peer=peer,
        digest=request_digest(Method.EVALUATE, raw),
        agreement=exactly("agreement", message.agreement, DIGEST),
        epoch=message.epoch,
        blinded=all_exactly("blinded", message.blinded, ELEMENT),
        checkpoint=at_most("checkpoint", message.checkpoint, LARGEST_CHECKPOINT),
    )


def query_from_wire(raw: bytes, peer: PartyId) -> QueryAsked:
    """Read one QueryRequest: one item."""
    message = read_message(raw, exchange_pb2.QueryRequest, BOUNDS[Method.QUERY].request)
    if not message.HasField("item"):
        raise malformed("item", "one", "none")
    return _query_asked(message, (message.item,), peer, request_digest(Method.QUERY, raw))


def batch_query_from_wire(raw: bytes, peer: PartyId) -> tuple[bytes, QueryAsked]:
    """Read one message of a batch stream: its request id, which the response repeats, and what is asked."""
    message = read_message(raw, exchange_pb2.BatchQueryRequest, BOUNDS[Method.BATCH_QUERY].request)
    counted("items", message.items, 1, MOST_IN_A_MESSAGE)
    digest = request_digest(Method.BATCH_QUERY, raw)
    return message.request_id, _query_asked(message, message.items, peer, digest)


def push_frame_from_wire(raw: bytes) -> tuple[FrameArrived, bytes]:
    """Read one message of a stream of pushed frames: the frame, and the sender's newest checkpoint."""
    message = read_message(raw, exchange_pb2.PushFramesRequest, BOUNDS[Method.PUSH_FRAMES].request)
    if not message.HasField("frame"):
        raise malformed("frame", "one", "none")
    return frame_from_wire("frame", message.frame), at_most("checkpoint", message.checkpoint, LARGEST_CHECKPOINT)


def document_from_wire(raw: bytes) -> Delivery:
    """Read one DeliverAgreementDocumentRequest."""
    kind, largest = agreement_pb2.DeliverAgreementDocumentRequest, BOUNDS[Method.DELIVER_DOCUMENT].request
    message = read_message(raw, kind, largest)
    return _delivery("document", message.document, message.checkpoint)


def agreement_from_wire(raw: bytes) -> Delivery:
    """Read one FileAgreementRequest."""
    message = read_message(raw, filing_pb2.FileAgreementRequest, BOUNDS[Method.FILE_AGREEMENT].request)
    return _delivery("agreement", message.agreement, message.checkpoint)


def receipts_from_wire(raw: bytes) -> Delivery:
    """Read one DeliverReceiptsRequest."""
    message = read_message(raw, propagation_pb2.DeliverReceiptsRequest, BOUNDS[Method.DELIVER_RECEIPTS].request)
    return _delivery("batch", message.batch, message.checkpoint)


def notices_from_wire(raw: bytes) -> NoticesDelivery:
    """Read one DeliverNoticesRequest."""
    message = read_message(raw, propagation_pb2.DeliverNoticesRequest, BOUNDS[Method.DELIVER_NOTICES].request)
    comes_along = message.HasField("replacement")
    return NoticesDelivery(
        batch=some("batch", message.batch, LARGEST_DOCUMENT),
        replacement=frame_from_wire("replacement", message.replacement) if comes_along else None,
        checkpoint=at_most("checkpoint", message.checkpoint, LARGEST_CHECKPOINT),
    )


def read_registry_from_wire(raw: bytes) -> tuple[int, int]:
    """Read one ReadRegistryRequest: (first position, most statements or 0 for as many as go in)."""
    message = read_message(raw, registry_pb2.ReadRegistryRequest, BOUNDS[Method.READ_REGISTRY].request)
    if message.limit > MOST_STATEMENTS:
        raise malformed("limit", f"at most {MOST_STATEMENTS}", "more")
    return message.start, message.limit


def prove_journal_from_wire(raw: bytes) -> tuple[bytes, int]:
    """Read one ProveJournalRequest: (leaf hash or empty, earlier size or 0); one of the two must be asked."""
    message = read_message(raw, inspection_pb2.ProveJournalRequest, BOUNDS[Method.PROVE_JOURNAL].request)
    leaf = message.leaf_hash and exactly("leaf_hash", message.leaf_hash, DIGEST)
    if not leaf and not message.old_size:
        raise malformed("leaf_hash", "a leaf hash or an earlier size", "neither")
    return leaf, message.old_size


def inspect_from_wire(raw: bytes) -> bytes:
    """Read one InspectRequest: the order, whose signature is for the gateway to check."""
    message = read_message(raw, inspection_pb2.InspectRequest, BOUNDS[Method.INSPECT].request)
    return some("order", message.order, LARGEST_ORDER)


def frame_from_wire(field: str, message: common_pb2.Frame) -> FrameArrived:
    """Read the frame in `field` of a message; its own proofs are for the receiver to check."""
    return FrameArrived(
        header=some(f"{field}.header", message.header, LARGEST_HEADER),
        body=some(f"{field}.body", message.body, LARGEST_BODY),
    )


def frame_to_wire(frame: Answered | FrameArrived) -> common_pb2.Frame:
    """Write a frame, as a part of a message."""
    return common_pb2.Frame(header=frame.header, body=frame.body)


def evaluation_to_wire(elements: Iterable[bytes], proof: bytes, checkpoint: bytes) -> bytes:
    """Write one EvaluateResponse."""
    message = exchange_pb2.EvaluateResponse(evaluated=elements, proof=proof, checkpoint=checkpoint)
    return message.SerializeToString(deterministic=True)


def answer_to_wire(answer: Answered) -> bytes:
    """Write one QueryResponse."""
    message = exchange_pb2.QueryResponse(frame=frame_to_wire(answer), checkpoint=answer.checkpoint)
    return message.SerializeToString(deterministic=True)


def batch_answer_to_wire(request_id: bytes, answer: Answered | RefusedAnswer, checkpoint: bytes) -> bytes:
    """Write one BatchQueryResponse; `checkpoint` goes along when the whole message is refused."""
    if isinstance(answer, RefusedAnswer):
        message = exchange_pb2.BatchQueryResponse(
            request_id=request_id, refusal=refusal_to_wire(answer), checkpoint=checkpoint
        )
        return message.SerializeToString(deterministic=True)
    message = exchange_pb2.BatchQueryResponse(
        request_id=request_id,
        frame=frame_to_wire(answer),
        refused_items=[
            exchange_pb2.ItemRefusal(index=index, refusal=refusal_to_wire(refused))
            for index, refused in sorted(answer.refused_items, key=lambda pair: pair[0])
        ],
        checkpoint=answer.checkpoint,
    )
    return message.SerializeToString(deterministic=True)


def pushed_to_wire(outcome: FrameStored | FrameRefused, checkpoint: bytes) -> bytes:
    """Write one PushFramesResponse."""
    if isinstance(outcome, FrameRefused):
        refusal = refusal_to_wire(outcome.answer)
        message = exchange_pb2.PushFramesResponse(frame_id=outcome.frame, refusal=refusal, checkpoint=checkpoint)
    else:
        message = exchange_pb2.PushFramesResponse(
            frame_id=outcome.frame, journal_leaf=outcome.leaf, checkpoint=checkpoint
        )
    return message.SerializeToString(deterministic=True)


def document_digest_to_wire(digest: bytes, checkpoint: bytes) -> bytes:
    """Write one DeliverAgreementDocumentResponse."""
    message = agreement_pb2.DeliverAgreementDocumentResponse(digest=digest, checkpoint=checkpoint)
    return message.SerializeToString(deterministic=True)


def filing_to_wire(receipt: bytes, checkpoint: bytes) -> bytes:
    """Write one FileAgreementResponse."""
    message = filing_pb2.FileAgreementResponse(receipt=receipt, checkpoint=checkpoint)
    return message.SerializeToString(deterministic=True)


def receipts_taken_to_wire(checkpoint: bytes) -> bytes:
    """Write one DeliverReceiptsResponse."""
    return propagation_pb2.DeliverReceiptsResponse(checkpoint=checkpoint).SerializeToString(deterministic=True)


def notices_taken_to_wire(taken: NoticesTaken, checkpoint: bytes) -> bytes:
    """Write one DeliverNoticesResponse."""
    message = propagation_pb2.DeliverNoticesResponse(
        expected=taken.expected,
        replacement_refusal=None if taken.refused is None else refusal_to_wire(taken.refused),
        checkpoint=checkpoint,
    )
    return message.SerializeToString(deterministic=True)


def registry_page_to_wire(page: RegistryPage) -> bytes:
    """Write one ReadRegistryResponse, leaving out statements at the end that would not fit one message.

    The reader asks on from where the page ended until it reaches the head's size, so nothing is lost.
    """
    message = registry_pb2.ReadRegistryResponse(head=page.head)
    room = BOUNDS[Method.READ_REGISTRY].response - message.ByteSize()
    for statement in page.statements:
        room -= len(statement) + 6  # one byte of field tag, at most five of length
        if room < 0:
            break
        message.statements.append(statement)
    return message.SerializeToString(deterministic=True)


def journal_proof_to_wire(proof: JournalProof) -> bytes:
    """Write one ProveJournalResponse."""
    message = inspection_pb2.ProveJournalResponse(
        checkpoint=proof.checkpoint,
        index=proof.index,
        inclusion=proof.inclusion,
        consistency=proof.consistency,
    )
    return message.SerializeToString(deterministic=True)


def part_to_wire(part: bytes) -> bytes:
    """Write one InspectResponse."""
    return inspection_pb2.InspectResponse(part=part).SerializeToString(deterministic=True)


def _query_asked(
    message: QueryMessage, items: Sequence[exchange_pb2.QueryItem], peer: PartyId, digest: bytes
) -> QueryAsked:
    exactly("request_id", message.request_id, REQUEST_ID)
    return QueryAsked(
        peer=peer,
        digest=digest,
        agreement=exactly("agreement", message.agreement, DIGEST),
        epoch=message.epoch,
        purpose=matching("purpose", message.purpose, CODE),
        asked=_asked_from_wire(message.asked),
        items=tuple(_item_from_wire(item) for item in items),
        batch=isinstance(message, exchange_pb2.BatchQueryRequest),
        checkpoint=at_most("checkpoint", message.checkpoint, LARGEST_CHECKPOINT),
    )


def _asked_from_wire(selections: Sequence[exchange_pb2.KindSelection]) -> dict[str, frozenset[str]]:
    counted("asked", selections, 1, MOST_KINDS)
    asked = {}
    for selection in selections:
        kind = selection.kind
        asked[kind] = _checked_selection(kind, tuple(selection.fields))
    ascending("asked", [selection.kind for selection in selections])
    return asked


@lru_cache(maxsize=256)
def _checked_selection(kind: str, fields: tuple[str, ...]) -> frozenset[str]:
    """Check the shape of one selection; peers ask for the same few over and over."""
    matching("asked.kind", kind, KIND)
    counted("asked.fields", fields, 1, MOST_FIELDS)
    ascending("asked.fields", fields)
    return frozenset(matching("asked.fields", name, FIELD) for name in fields)


def _item_from_wire(item: exchange_pb2.QueryItem) -> AskedItem:
    return AskedItem(
        pseudonym=exactly("item.pseudonym", item.pseudonym, PSEUDONYM),
        authorisation=at_most("item.authorisation", item.authorisation, LARGEST_AUTHORISATION),
    )


def _delivery(field: str, document: bytes, checkpoint: bytes) -> Delivery:
    return Delivery(some(field, document, LARGEST_DOCUMENT), at_most("checkpoint", checkpoint, LARGEST_CHECKPOINT))
