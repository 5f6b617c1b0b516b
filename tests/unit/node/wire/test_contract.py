"""The contract and the rules say the same: reasons, methods, and what names a request."""

import importlib
import re
import runpy
from hashlib import sha256
from pathlib import Path

import pytest
from creditport.v1 import reason_pb2
from google.protobuf import descriptor_pool

from agreements.refusal import NUMBER, Refusal
from node.wire.methods import BOUNDS, LARGEST_MESSAGE, SERVICES, Method, request_digest

CONTRACT = Path(__file__).parents[4] / "proto" / "creditport" / "v1"


def test_every_reason_has_the_same_name_and_number_on_the_wire() -> None:
    on_the_wire = {name.removeprefix("REASON_"): number for name, number in reason_pb2.Reason.items()}

    assert on_the_wire.pop("UNSPECIFIED") == 0
    assert on_the_wire == {reason.value: number for reason, number in NUMBER.items()}


def test_the_file_of_reasons_is_the_one_that_the_rules_write() -> None:
    written = runpy.run_path(str(CONTRACT.parents[1] / "write_reasons.py"))["reason_proto"]()

    assert (CONTRACT / "reason.proto").read_text(encoding="utf-8") == written


def test_the_contract_explains_every_reason() -> None:
    text = (CONTRACT / "reason.proto").read_text(encoding="utf-8")
    explained = re.findall(r"^  // S \d+.*: \S.*\n  REASON_(\w+) = \d+;$", text, re.MULTILINE)

    assert set(explained) == {reason.value for reason in Refusal}


def test_every_method_of_the_contract_is_known_here() -> None:
    pool = descriptor_pool.Default()
    for proto in CONTRACT.glob("*.proto"):
        importlib.import_module(f"creditport.v1.{proto.stem}_pb2")
    served = {f"/{service}/{method.name}" for service in SERVICES for method in pool.FindServiceByName(service).methods}

    assert served == {method.value for method in Method}


@pytest.mark.parametrize("method", Method)
def test_every_method_has_bounds_that_grpc_lets_through(method: Method) -> None:
    bounds = BOUNDS[method]

    assert 0 < bounds.request <= LARGEST_MESSAGE
    assert 0 < bounds.response <= LARGEST_MESSAGE
    assert bounds.deadline > 0


def test_a_request_is_named_by_its_method_and_its_very_bytes() -> None:
    path = b"/creditport.v1.ExchangeService/Query"
    expected = sha256(b"creditport/request/v1" + b"\x00\x00\x00\x24" + path + b"request").digest()

    assert request_digest(Method.QUERY, b"request") == expected
    assert request_digest(Method.EVALUATE, b"request") != expected
    assert request_digest(Method.QUERY, b"request.") != expected
