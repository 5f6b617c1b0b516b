"""Merkle proofs against the vectors of transparency-dev."""

from base64 import b64decode
from typing import Any

import pytest

from crypto import merkle
from crypto.errors import BadProof
from tests.conformance.official import files, load, needs_vectors

INCLUSION, CONSISTENCY = files("merkle/inclusion"), files("merkle/consistency")


def accepted(verify: Any, *facts: Any) -> bool:
    try:
        verify(*facts)
    except BadProof:
        return False
    return True


def path(case: dict[str, Any]) -> list[bytes]:
    return [b64decode(one) for one in case["proof"] or []]


@needs_vectors
def test_all_vectors_are_there() -> None:
    assert (len(INCLUSION), len(CONSISTENCY)) == (98, 98)


@needs_vectors
@pytest.mark.parametrize("name", INCLUSION)
def test_inclusion(name: str) -> None:
    case = load(name)
    leaf, root = b64decode(case["leafHash"] or ""), b64decode(case["root"] or "")

    assert accepted(merkle.verify_inclusion, leaf, case["leafIdx"], case["treeSize"], path(case), root) is not bool(
        case["wantErr"]
    )


@needs_vectors
@pytest.mark.parametrize("name", CONSISTENCY)
def test_consistency(name: str) -> None:
    case = load(name)
    root1, root2 = b64decode(case["root1"] or ""), b64decode(case["root2"] or "")

    assert accepted(merkle.verify_consistency, case["size1"], case["size2"], path(case), root1, root2) is not bool(
        case["wantErr"]
    )
