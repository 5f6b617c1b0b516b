"""A refusal survives the wire; whatever a peer makes up instead of one is no refusal."""

from typing import Any

import grpc
import pytest
from google.protobuf.any_pb2 import Any as Packed
from google.rpc import error_details_pb2, status_pb2

from agreements.refusal import Refusal, refuse
from node.operations.asked import RefusedAnswer
from node.wire.refusals import (
    DETAILS_KEY,
    refusal_from_error,
    refusal_from_wire,
    refusal_to_status,
    refusal_to_wire,
    status_code,
    status_to_trailer,
)

OF_SHAPE = {Refusal.MALFORMED, Refusal.OVERSIZED, Refusal.UNKNOWN_FIELD}


def answer_of(reason: Refusal, leaf: bytes = b"l" * 32) -> RefusedAnswer:
    return RefusedAnswer(refused=refuse(reason, "SZ-DRAFT-82", "field: expected more, got less"), leaf=leaf)


def error_with(*trailer: tuple[str, str | bytes]) -> grpc.aio.AioRpcError:
    return grpc.aio.AioRpcError(grpc.StatusCode.UNKNOWN, grpc.aio.Metadata(), grpc.aio.Metadata(*trailer), "details")


def error_info(**fields: Any) -> grpc.aio.AioRpcError:
    packed = Packed()
    packed.Pack(error_details_pb2.ErrorInfo(**{"reason": "MALFORMED", "domain": "creditport"} | fields))
    return error_with((DETAILS_KEY, status_pb2.Status(details=[packed]).SerializeToString()))


@pytest.mark.parametrize("reason", Refusal)
def test_every_refusal_comes_back_from_a_status_and_from_a_message(reason: Refusal) -> None:
    answer = answer_of(reason)
    from_status = refusal_from_error(error_with(*status_to_trailer(refusal_to_status(answer))))
    from_message = refusal_from_wire(refusal_to_wire(answer))

    assert from_status == from_message
    assert from_status is not None
    assert (from_status.refused.reason, from_status.leaf) == (reason, answer.leaf)
    assert (from_status.refused.article, from_status.refused.rule_pack) == (
        answer.refused.article,
        "SZ-DRAFT-82",
    )


@pytest.mark.parametrize("reason", Refusal)
def test_words_are_told_only_about_the_shape_of_the_peer_s_own_bytes(reason: Refusal) -> None:
    told = refusal_to_wire(answer_of(reason)).detail

    assert told == ("field: expected more, got less" if reason in OF_SHAPE else "")
    assert ("expected" in str(refusal_to_status(answer_of(reason)))) == (reason in OF_SHAPE)


@pytest.mark.parametrize(
    ("reason", "code"),
    [
        (Refusal.PEER_UNKNOWN, grpc.StatusCode.PERMISSION_DENIED),
        (Refusal.KEY_REVOKED, grpc.StatusCode.PERMISSION_DENIED),
        (Refusal.AUTHORISATION_MISSING, grpc.StatusCode.PERMISSION_DENIED),
        (Refusal.MALFORMED, grpc.StatusCode.INVALID_ARGUMENT),
        (Refusal.OVERSIZED, grpc.StatusCode.INVALID_ARGUMENT),
        (Refusal.RISK_LIMIT, grpc.StatusCode.RESOURCE_EXHAUSTED),
        (Refusal.REGISTRY_STALE, grpc.StatusCode.UNAVAILABLE),
        (Refusal.JOURNAL_UNAVAILABLE, grpc.StatusCode.UNAVAILABLE),
        (Refusal.NOT_READY, grpc.StatusCode.UNAVAILABLE),
        (Refusal.AGREEMENT_NOT_FILED, grpc.StatusCode.FAILED_PRECONDITION),
        (Refusal.BATCH_LIMIT, grpc.StatusCode.FAILED_PRECONDITION),
        (Refusal.AGREEMENT_SCOPE, grpc.StatusCode.FAILED_PRECONDITION),
    ],
)
def test_reasons_have_their_status_codes(reason: Refusal, code: grpc.StatusCode) -> None:
    assert status_code(reason) is code
    assert refusal_to_status(answer_of(reason)).code == code.value[0]


def test_no_leaf_travels_as_nothing() -> None:
    answer = answer_of(Refusal.KEY_REVOKED, leaf=b"")

    assert "journal_leaf" not in str(refusal_to_status(answer))
    assert refusal_from_wire(refusal_to_wire(answer)).leaf == b""


@pytest.mark.parametrize(
    "error",
    [
        error_with(),
        error_with((DETAILS_KEY, b"")),
        error_with((DETAILS_KEY, b"\xff\xff")),
        error_with((DETAILS_KEY, bytes(9000))),
        error_with((DETAILS_KEY, status_pb2.Status(code=3, message="words").SerializeToString())),
        error_with(
            (
                DETAILS_KEY,
                status_pb2.Status(
                    details=[Packed(type_url="x/google.rpc.ErrorInfo", value=b"\xff")]
                ).SerializeToString(),
            )
        ),
        error_info(domain="example.com"),
        error_info(reason="A_LATER_REASON"),
        error_info(metadata={"journal_leaf": "zz"}),
        error_info(metadata={"journal_leaf": "00"}),
        error_info(metadata={"article": "S" * 300}),
    ],
)
def test_what_is_no_refusal_of_ours_is_none(error: grpc.aio.AioRpcError) -> None:
    assert refusal_from_error(error) is None
