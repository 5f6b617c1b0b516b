"""Pseudonyms against RFC 9497, and against an independent implementation of it."""

from typing import Any

import pytest
from voprf import ristretto

from crypto import pseudonym
from tests.conformance.official import load, needs_vectors
from tests.conformance.ristretto_oracle import BASE, ORDER, Oracle, decode
from tests.vectors.fixed import FixedRandom

GROUPS = {
    group["mode"]: group
    for group in load("voprf/rfc9497.json")
    if group["identifier"] == "ristretto255-SHA512" and group["mode"] in (0, 1)
}
VECTORS = [(mode, vector) for mode, group in GROUPS.items() for vector in group["vectors"]]
SEED = FixedRandom("conformance")(32)


def many(vector: dict[str, Any], name: str) -> list[bytes]:
    return [bytes.fromhex(one) for one in vector[name].split(",")]


def scalars(vector: dict[str, Any], name: str) -> list[int]:
    return [int.from_bytes(one, "little") for one in many(vector, name)]


def evaluator() -> ristretto.Evaluator:
    return ristretto.Evaluator.from_seed(bytes.fromhex(GROUPS[1]["seed"]), bytes.fromhex(GROUPS[1]["keyInfo"]))


@needs_vectors
def test_both_modes_of_the_suite_have_their_vectors() -> None:
    assert {mode: len(group["vectors"]) for mode, group in GROUPS.items()} == {0: 2, 1: 3}


@needs_vectors
def test_the_package_derives_the_official_key() -> None:
    assert evaluator().public_key.serialize().hex() == GROUPS[1]["pkSm"]


@needs_vectors
@pytest.mark.parametrize("vector", [vector for mode, vector in VECTORS if mode == 1])
def test_the_package_evaluates_as_the_vectors_do(vector: dict[str, Any]) -> None:
    blinded = [ristretto.BlindedInput.deserialize(one) for one in many(vector, "BlindedElement")]
    raw = evaluator().evaluate_batch(blinded).serialize()
    outputs = [evaluator().evaluate_known_input(one) for one in many(vector, "Input")]

    assert outputs == many(vector, "Output")
    assert raw[64:] == b"".join(many(vector, "EvaluationElement"))
    assert Oracle(1).proves(
        bytes.fromhex(GROUPS[1]["pkSm"]),
        many(vector, "BlindedElement"),
        many(vector, "EvaluationElement"),
        raw[:64],
    )


@needs_vectors
@pytest.mark.parametrize(("mode", "vector"), VECTORS)
def test_the_independent_implementation_agrees_with_the_vectors(mode: int, vector: dict[str, Any]) -> None:
    oracle, group = Oracle(mode), GROUPS[mode]
    secret = oracle.derive(bytes.fromhex(group["seed"]), bytes.fromhex(group["keyInfo"]))
    inputs, blinds = many(vector, "Input"), scalars(vector, "Blind")
    blinded = [oracle.to_group(one).times(blind).encode() for one, blind in zip(inputs, blinds, strict=True)]
    evaluated = [decode(one).times(secret).encode() for one in blinded]

    assert secret.to_bytes(32, "little").hex() == group["skSm"]
    assert blinded == many(vector, "BlindedElement")
    assert evaluated == many(vector, "EvaluationElement")
    assert [oracle.finalize(*one) for one in zip(inputs, blinds, evaluated, strict=True)] == many(vector, "Output")


@needs_vectors
@pytest.mark.parametrize("vector", [vector for mode, vector in VECTORS if mode == 1])
def test_the_official_proofs_verify_and_are_reproduced(vector: dict[str, Any]) -> None:
    oracle, key = Oracle(1), bytes.fromhex(GROUPS[1]["pkSm"])
    blinded, evaluated = many(vector, "BlindedElement"), many(vector, "EvaluationElement")
    proof, nonce = (bytes.fromhex(vector["Proof"][name]) for name in ("proof", "r"))
    secret = int.from_bytes(bytes.fromhex(GROUPS[1]["skSm"]), "little")

    assert oracle.proves(key, blinded, evaluated, proof)
    assert oracle.prove(secret, blinded, evaluated, int.from_bytes(nonce, "little")) == proof


def test_an_independent_requester_arrives_at_homes_pseudonyms() -> None:
    oracle = Oracle(1)
    inputs = [pseudonym.subject_input("uscc", str(number)) for number in range(3)]
    blinds = [int.from_bytes(FixedRandom(f"blind {n}")(32), "little") % ORDER for n in range(3)]
    blinded = [oracle.to_group(one).times(blind).encode() for one, blind in zip(inputs, blinds, strict=True)]

    elements, proof = pseudonym.evaluate_batch(SEED, "agreement", 1, blinded)

    outputs = [oracle.finalize(*one) for one in zip(inputs, blinds, elements, strict=True)]
    assert oracle.proves(pseudonym.public_key(SEED, "agreement", 1), blinded, elements, proof)
    assert [pseudonym.pseudonym_name(one) for one in outputs] == pseudonym.own_pseudonyms(SEED, "agreement", 1, inputs)


def test_an_independent_home_serves_our_requester() -> None:
    oracle, secret, nonce = Oracle(1), 12345678901234567890, 987654321
    inputs = [pseudonym.subject_input("lei", str(number)) for number in range(3)]
    blinding = pseudonym.blind(inputs)
    evaluated = [decode(one).times(secret).encode() for one in blinding.blinded]
    proof = oracle.prove(secret, blinding.blinded, evaluated, nonce)
    outputs = [oracle.finalize(one, 1, oracle.to_group(one).times(secret).encode()) for one in inputs]

    found = blinding.finalize(evaluated, proof, BASE.times(secret).encode())

    assert found == [pseudonym.pseudonym_name(one) for one in outputs]
