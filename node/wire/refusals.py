"""Refusals on the wire: a gRPC status with google.rpc.ErrorInfo for unary calls, a message in streams."""

from typing import Final, cast

import grpc
from creditport.v1 import common_pb2, reason_pb2
from google.protobuf.any_pb2 import Any
from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2, status_pb2

from agreements.refusal import NUMBER, Refusal, Refused
from node.operations.asked import RefusedAnswer
from node.wire.methods import DIGEST
from node.wire.strict import at_most, exactly, malformed

DOMAIN: Final = "creditport"
DETAILS_KEY: Final = "grpc-status-details-bin"
_LONGEST_TEXT: Final = 256
_LARGEST_DETAILS: Final = 8192

_OF_NUMBER: Final = {number: reason for reason, number in NUMBER.items()}

_OF_SHAPE: Final = frozenset({Refusal.MALFORMED, Refusal.OVERSIZED, Refusal.UNKNOWN_FIELD})
"""Only what is wrong with the shape of the peer's own bytes is told in words: a word more about an agreement
or a record could say what the reason code alone keeps silent."""

_CODES: Final = {
    grpc.StatusCode.PERMISSION_DENIED: (
        Refusal.PEER_UNKNOWN,
        Refusal.PEER_SUSPENDED,
        Refusal.PEER_REVIEW_OVERDUE,
        Refusal.KEY_REVOKED,
        Refusal.IDENTITY_NOT_PROVEN,
        Refusal.AUTHORISATION_MISSING,
    ),
    grpc.StatusCode.INVALID_ARGUMENT: (
        Refusal.MALFORMED,
        Refusal.OVERSIZED,
        Refusal.UNKNOWN_FIELD,
        Refusal.UNKNOWN_EVENT_TYPE,
        Refusal.SCHEMA_VERSION,
        Refusal.SIGNATURE_INVALID,
        Refusal.SEAL_INVALID,
    ),
    grpc.StatusCode.RESOURCE_EXHAUSTED: (Refusal.RISK_LIMIT,),
    grpc.StatusCode.UNAVAILABLE: (
        Refusal.REGISTRY_STALE,
        Refusal.JOURNAL_UNAVAILABLE,
        Refusal.NOT_READY,
        Refusal.PEER_UNREACHABLE,
    ),
}
_CODE_OF: Final = {reason: code for code, reasons in _CODES.items() for reason in reasons}


def status_code(reason: Refusal) -> grpc.StatusCode:
    """The gRPC status code of a reason; FAILED_PRECONDITION unless said otherwise."""
    return _CODE_OF.get(reason, grpc.StatusCode.FAILED_PRECONDITION)


def refusal_to_status(answer: RefusedAnswer) -> status_pb2.Status:
    """A refusal as google.rpc.Status: reason in words of one code, everything else in its ErrorInfo."""
    refused = answer.refused
    metadata = {
        "article": refused.article,
        "rule_pack": refused.rule_pack,
        "journal_leaf": answer.leaf.hex(),
        "detail": _told(refused),
    }
    info = error_details_pb2.ErrorInfo(
        reason=refused.reason.value,
        domain=DOMAIN,
        metadata={name: text for name, text in metadata.items() if text},
    )
    packed = Any()
    packed.Pack(info)
    code = status_code(refused.reason).value[0]
    return status_pb2.Status(code=code, message=refused.reason.value, details=[packed])


def status_to_trailer(status: status_pb2.Status) -> tuple[tuple[str, bytes], ...]:
    """The trailing metadata under which gRPC carries a google.rpc.Status."""
    return ((DETAILS_KEY, status.SerializeToString(deterministic=True)),)


def refusal_from_error(error: grpc.aio.AioRpcError) -> RefusedAnswer | None:
    """The refusal that a failed call carries; None if it failed without one that we can read.

    Whatever the peer sends is bounded and checked; a reason of a later version is not one we can act upon.
    """
    raw = next((value for key, value in error.trailing_metadata() if key == DETAILS_KEY), b"")
    if not isinstance(raw, bytes) or not 0 < len(raw) <= _LARGEST_DETAILS:
        return None
    try:
        status = status_pb2.Status.FromString(raw)
        infos = [_error_info(packed) for packed in status.details if packed.Is(error_details_pb2.ErrorInfo.DESCRIPTOR)]
    except DecodeError:
        return None
    known = (_from_info(info) for info in infos if info.domain == DOMAIN and info.reason in Refusal.__members__)
    return next((answer for answer in known if answer is not None), None)


def refusal_to_wire(answer: RefusedAnswer) -> common_pb2.Refusal:
    """A refusal as a message of its own."""
    return common_pb2.Refusal(
        reason=cast("reason_pb2.Reason.ValueType", NUMBER[answer.refused.reason]),
        article=answer.refused.article,
        rule_pack=answer.refused.rule_pack,
        journal_leaf=answer.leaf,
        detail=_told(answer.refused),
    )


def refusal_from_wire(message: common_pb2.Refusal) -> RefusedAnswer:
    """Read a refusal; Misshapen if its reason is unknown here or its leaf is no leaf hash."""
    reason = _OF_NUMBER.get(message.reason)
    if reason is None:
        raise malformed("refusal.reason", "a reason of this version", "another number")
    for text in (message.article, message.rule_pack, message.detail):
        at_most("refusal", text.encode(), _LONGEST_TEXT)
    leaf = message.journal_leaf and exactly("refusal.journal_leaf", message.journal_leaf, DIGEST)
    refused = Refused(reason, message.article, message.rule_pack, message.detail)
    return RefusedAnswer(refused=refused, leaf=leaf)


def _told(refused: Refused) -> str:
    return refused.detail if refused.reason in _OF_SHAPE else ""


def _error_info(packed: Any) -> error_details_pb2.ErrorInfo:
    info = error_details_pb2.ErrorInfo()
    packed.Unpack(info)
    return info


def _from_info(info: error_details_pb2.ErrorInfo) -> RefusedAnswer | None:
    words = {name: info.metadata.get(name, "") for name in ("article", "rule_pack", "journal_leaf", "detail")}
    if any(len(text) > _LONGEST_TEXT for text in words.values()):
        return None
    try:
        leaf = bytes.fromhex(words["journal_leaf"])
    except ValueError:
        return None
    if leaf and len(leaf) != DIGEST:
        return None
    refused = Refused(Refusal(info.reason), words["article"], words["rule_pack"], words["detail"])
    return RefusedAnswer(refused=refused, leaf=leaf)
