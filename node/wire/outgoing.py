"""The asking side's translation: calls from facts onto the wire, the peer's answers into facts.

Building is deterministic, so a call built again from the same stored facts is the same request to the peer,
charged once and answered alike. Answers are read as strictly as requests.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

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
    FrameArrived,
    FrameRefused,
    FrameStored,
    JournalProof,
    NoticesTaken,
    RefusedAnswer,
    RegistryPage,
)
from node.wire.codec import Delivery, frame_from_wire, frame_to_wire
from node.wire.methods import (
    BOUNDS,
    DIGEST,
    ELEMENT,
    LARGEST_CHECKPOINT,
    LARGEST_DOCUMENT,
    LARGEST_PART,
    PROOF,
    Method,
    request_digest,
)
from node.wire.refusals import refusal_from_wire
from node.wire.strict import all_exactly, ascending, at_most, counted, exactly, malformed, read_message, some

HIGHEST_TREE = 64
"""No tree of fewer than 2^64 leaves has a longer path."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluateCall:
    """What to ask of a provider: blinded elements (1..200 of 32 bytes) under an agreement (digest) and epoch.

    `request_id` is 16 random bytes, chosen once for all tries.
    """

    request_id: bytes
    agreement: bytes
    epoch: int
    blinded: tuple[bytes, ...]
    checkpoint: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryCall:
    """What to ask of a provider: one item in a unary query, 1..200 in a message of a batch."""

    request_id: bytes
    agreement: bytes
    epoch: int
    purpose: str
    asked: Mapping[str, frozenset[str]]
    items: tuple[AskedItem, ...]
    checkpoint: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """A call as it goes out: its bytes, their digest (32 bytes), its id, and how many it asks about."""

    raw: bytes = field(repr=False)
    digest: bytes
    request_id: bytes
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluated:
    """The provider's evaluation: an element (32 bytes) for each blinded one, and one proof (64 bytes)."""

    elements: tuple[bytes, ...]
    proof: bytes
    checkpoint: bytes


def evaluate_call_to_wire(call: EvaluateCall) -> Outgoing:
    """Write one EvaluateRequest."""
    message = exchange_pb2.EvaluateRequest(
        request_id=call.request_id,
        agreement=call.agreement,
        epoch=call.epoch,
        blinded=call.blinded,
        checkpoint=call.checkpoint,
    )
    raw = message.SerializeToString(deterministic=True)
    digest = request_digest(Method.EVALUATE, raw)
    return Outgoing(raw=raw, digest=digest, request_id=call.request_id, count=len(call.blinded))


def query_call_to_wire(call: QueryCall) -> Outgoing:
    """Write one QueryRequest. `call` has exactly one item (ValueError otherwise: a bug of the caller)."""
    (item,) = call.items
    message = exchange_pb2.QueryRequest(
        request_id=call.request_id,
        agreement=call.agreement,
        epoch=call.epoch,
        purpose=call.purpose,
        asked=_asked_to_wire(call.asked),
        item=_item_to_wire(item),
        checkpoint=call.checkpoint,
    )
    raw = message.SerializeToString(deterministic=True)
    return Outgoing(raw=raw, digest=request_digest(Method.QUERY, raw), request_id=call.request_id, count=1)


def batch_query_call_to_wire(call: QueryCall) -> Outgoing:
    """Write one message of a batch stream."""
    message = exchange_pb2.BatchQueryRequest(
        request_id=call.request_id,
        agreement=call.agreement,
        epoch=call.epoch,
        purpose=call.purpose,
        asked=_asked_to_wire(call.asked),
        items=[_item_to_wire(item) for item in call.items],
        checkpoint=call.checkpoint,
    )
    raw = message.SerializeToString(deterministic=True)
    digest = request_digest(Method.BATCH_QUERY, raw)
    return Outgoing(raw=raw, digest=digest, request_id=call.request_id, count=len(call.items))


def push_frame_to_wire(frame: FrameArrived, checkpoint: bytes) -> bytes:
    """Write one message of a stream of pushed frames."""
    message = exchange_pb2.PushFramesRequest(frame=frame_to_wire(frame), checkpoint=checkpoint)
    return message.SerializeToString(deterministic=True)


def document_to_wire(delivery: Delivery) -> bytes:
    """Write one DeliverAgreementDocumentRequest."""
    message = agreement_pb2.DeliverAgreementDocumentRequest(document=delivery.document, checkpoint=delivery.checkpoint)
    return message.SerializeToString(deterministic=True)


def agreement_to_wire(delivery: Delivery) -> bytes:
    """Write one FileAgreementRequest."""
    message = filing_pb2.FileAgreementRequest(agreement=delivery.document, checkpoint=delivery.checkpoint)
    return message.SerializeToString(deterministic=True)


def receipts_to_wire(delivery: Delivery) -> bytes:
    """Write one DeliverReceiptsRequest."""
    message = propagation_pb2.DeliverReceiptsRequest(batch=delivery.document, checkpoint=delivery.checkpoint)
    return message.SerializeToString(deterministic=True)


def notices_to_wire(batch: bytes, replacement: FrameArrived | None, checkpoint: bytes) -> bytes:
    """Write one DeliverNoticesRequest."""
    message = propagation_pb2.DeliverNoticesRequest(
        batch=batch,
        replacement=None if replacement is None else frame_to_wire(replacement),
        checkpoint=checkpoint,
    )
    return message.SerializeToString(deterministic=True)


def read_registry_to_wire(start: int, limit: int) -> bytes:
    """Write one ReadRegistryRequest."""
    return registry_pb2.ReadRegistryRequest(start=start, limit=limit).SerializeToString(deterministic=True)


def prove_journal_to_wire(leaf: bytes, old_size: int) -> bytes:
    """Write one ProveJournalRequest."""
    message = inspection_pb2.ProveJournalRequest(leaf_hash=leaf, old_size=old_size)
    return message.SerializeToString(deterministic=True)


def inspect_to_wire(order: bytes) -> bytes:
    """Write one InspectRequest."""
    return inspection_pb2.InspectRequest(order=order).SerializeToString(deterministic=True)


def evaluation_from_wire(raw: bytes, asked: int) -> Evaluated:
    """Read one EvaluateResponse to a call of `asked` elements."""
    message = read_message(raw, exchange_pb2.EvaluateResponse, BOUNDS[Method.EVALUATE].response)
    counted("evaluated", message.evaluated, asked, asked)
    return Evaluated(
        elements=all_exactly("evaluated", message.evaluated, ELEMENT),
        proof=exactly("proof", message.proof, PROOF),
        checkpoint=_checkpoint(message.checkpoint),
    )


def answer_from_wire(raw: bytes) -> Answered:
    """Read one QueryResponse; the frame's own proofs are for the caller to check."""
    message = read_message(raw, exchange_pb2.QueryResponse, BOUNDS[Method.QUERY].response)
    if not message.HasField("frame"):
        raise malformed("frame", "one", "none")
    return _answered(message.frame, (), message.checkpoint)


def batch_answer_from_wire(raw: bytes, outgoing: Outgoing) -> tuple[Answered | RefusedAnswer, bytes]:
    """Read the BatchQueryResponse to `outgoing`: the answer, and the peer's newest checkpoint."""
    message = read_message(raw, exchange_pb2.BatchQueryResponse, BOUNDS[Method.BATCH_QUERY].response)
    if message.request_id not in (outgoing.request_id, b""):
        raise malformed("request_id", "that of the request", "another")
    checkpoint = _checkpoint(message.checkpoint)
    match message.WhichOneof("outcome"):
        case "frame":
            return _answered(message.frame, _refused_items(message.refused_items, outgoing), checkpoint), checkpoint
        case "refusal":
            return refusal_from_wire(message.refusal), checkpoint
        case _:
            raise malformed("outcome", "a frame or a refusal", "neither")


def pushed_from_wire(raw: bytes, frame_id: bytes) -> tuple[FrameStored | FrameRefused, bytes]:
    """Read the PushFramesResponse to the frame `frame_id`: what became of it, and the peer's newest checkpoint.

    A refusal may leave the frame unnamed: the peer could not read its header, or not even the message.
    """
    message = read_message(raw, exchange_pb2.PushFramesResponse, BOUNDS[Method.PUSH_FRAMES].response)
    outcome, answered = message.WhichOneof("outcome"), message.frame_id
    if answered != frame_id and (answered or outcome != "refusal"):
        raise malformed("frame_id", "that of the frame", "another")
    checkpoint = _checkpoint(message.checkpoint)
    match outcome:
        case "journal_leaf":
            return FrameStored(frame=answered, leaf=exactly("journal_leaf", message.journal_leaf, DIGEST)), checkpoint
        case "refusal":
            return FrameRefused(frame=answered, answer=refusal_from_wire(message.refusal)), checkpoint
        case _:
            raise malformed("outcome", "a journal leaf or a refusal", "neither")


def document_digest_from_wire(raw: bytes) -> tuple[bytes, bytes]:
    """Read one DeliverAgreementDocumentResponse: (document digest, checkpoint)."""
    kind, largest = agreement_pb2.DeliverAgreementDocumentResponse, BOUNDS[Method.DELIVER_DOCUMENT].response
    message = read_message(raw, kind, largest)
    return exactly("digest", message.digest, DIGEST), _checkpoint(message.checkpoint)


def filing_from_wire(raw: bytes) -> tuple[bytes, bytes]:
    """Read one FileAgreementResponse: (signed filing receipt, checkpoint)."""
    message = read_message(raw, filing_pb2.FileAgreementResponse, BOUNDS[Method.FILE_AGREEMENT].response)
    return some("receipt", message.receipt, LARGEST_DOCUMENT), _checkpoint(message.checkpoint)


def receipts_taken_from_wire(raw: bytes) -> bytes:
    """Read one DeliverReceiptsResponse: the checkpoint."""
    kind, largest = propagation_pb2.DeliverReceiptsResponse, BOUNDS[Method.DELIVER_RECEIPTS].response
    return _checkpoint(read_message(raw, kind, largest).checkpoint)


def notices_taken_from_wire(raw: bytes) -> tuple[NoticesTaken, bytes]:
    """Read one DeliverNoticesResponse: what the holder expects next, and its newest checkpoint."""
    kind, largest = propagation_pb2.DeliverNoticesResponse, BOUNDS[Method.DELIVER_NOTICES].response
    message = read_message(raw, kind, largest)
    refused = refusal_from_wire(message.replacement_refusal) if message.HasField("replacement_refusal") else None
    return NoticesTaken(expected=message.expected, refused=refused), _checkpoint(message.checkpoint)


def registry_page_from_wire(raw: bytes) -> RegistryPage:
    """Read one ReadRegistryResponse; what the statements are worth is for the mirror to decide."""
    message = read_message(raw, registry_pb2.ReadRegistryResponse, BOUNDS[Method.READ_REGISTRY].response)
    for statement in message.statements:
        some("statements", statement, LARGEST_DOCUMENT)
    head = some("head", message.head, LARGEST_CHECKPOINT)
    return RegistryPage(head=head, statements=tuple(message.statements))


def journal_proof_from_wire(raw: bytes) -> JournalProof:
    """Read one ProveJournalResponse; the paths are for the caller to verify."""
    kind, largest = inspection_pb2.ProveJournalResponse, BOUNDS[Method.PROVE_JOURNAL].response
    message = read_message(raw, kind, largest)
    counted("inclusion", message.inclusion, 0, HIGHEST_TREE)
    counted("consistency", message.consistency, 0, HIGHEST_TREE + 1)
    return JournalProof(
        checkpoint=some("checkpoint", message.checkpoint, LARGEST_CHECKPOINT),
        index=message.index,
        inclusion=all_exactly("inclusion", message.inclusion, DIGEST),
        consistency=all_exactly("consistency", message.consistency, DIGEST),
    )


def part_from_wire(raw: bytes) -> bytes:
    """Read one InspectResponse: the next bytes of the bundle, which proves itself once it is whole."""
    message = read_message(raw, inspection_pb2.InspectResponse, BOUNDS[Method.INSPECT].response)
    return some("part", message.part, LARGEST_PART)


def _asked_to_wire(asked: Mapping[str, frozenset[str]]) -> list[exchange_pb2.KindSelection]:
    return [exchange_pb2.KindSelection(kind=kind, fields=sorted(asked[kind])) for kind in sorted(asked)]


def _item_to_wire(item: AskedItem) -> exchange_pb2.QueryItem:
    return exchange_pb2.QueryItem(pseudonym=item.pseudonym, authorisation=item.authorisation)


def _answered(
    frame: common_pb2.Frame, refused_items: tuple[tuple[int, RefusedAnswer], ...], checkpoint: bytes
) -> Answered:
    arrived = frame_from_wire("frame", frame)
    return Answered(
        header=arrived.header,
        body=arrived.body,
        refused_items=refused_items,
        checkpoint=_checkpoint(checkpoint),
    )


def _refused_items(
    refusals: Sequence[exchange_pb2.ItemRefusal], outgoing: Outgoing
) -> tuple[tuple[int, RefusedAnswer], ...]:
    positions = [item.index for item in refusals]
    ascending("refused_items", positions)
    if positions and positions[-1] >= outgoing.count:
        raise malformed("refused_items.index", "a position asked about", "a higher one")
    return tuple((item.index, refusal_from_wire(item.refusal)) for item in refusals)


def _checkpoint(note: bytes) -> bytes:
    return at_most("checkpoint", note, LARGEST_CHECKPOINT)
