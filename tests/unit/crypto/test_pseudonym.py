"""Pseudonyms, blind and known."""

import pytest
from voprf import ristretto

from crypto import pseudonym
from crypto.errors import BadKey, BadProof, Malformed
from tests.vectors.fixed import FixedRandom

SEED = FixedRandom("pseudonym unit")(32)
INPUTS = [pseudonym.subject_input("uscc", str(number)) for number in range(5)]
KEY = pseudonym.public_key(SEED, "agreement", 1)


def test_the_requester_arrives_at_homes_own_pseudonyms() -> None:
    blinding = pseudonym.blind(INPUTS)
    evaluation = pseudonym.evaluate_batch(SEED, "agreement", 1, blinding.blinded)

    found = blinding.finalize(evaluation.elements, evaluation.proof, KEY)

    assert found == pseudonym.own_pseudonyms(SEED, "agreement", 1, INPUTS)
    assert {len(one) for one in found} == {pseudonym.PSEUDONYM_SIZE}


def test_an_input_is_blinded_differently_each_time() -> None:
    assert pseudonym.blind(INPUTS[:1]).blinded != pseudonym.blind(INPUTS[:1]).blinded


def test_pseudonyms_of_another_agreement_epoch_or_home_have_nothing_in_common() -> None:
    sets = [
        set(pseudonym.own_pseudonyms(seed, agreement, epoch, INPUTS))
        for seed, agreement, epoch in [
            (SEED, "agreement", 1),
            (SEED, "agreement", 2),
            (SEED, "another", 1),
            (bytes(32), "agreement", 1),
        ]
    ]

    assert len(set.union(*sets)) == 4 * len(INPUTS)


def test_agreement_and_epoch_do_not_run_into_each_other() -> None:
    assert pseudonym.public_key(SEED, "a\x00\x00\x00\x01", 1) != pseudonym.public_key(SEED, "a", 1)


def test_another_homes_evaluation_is_refused() -> None:
    blinding = pseudonym.blind(INPUTS)
    elements, proof = pseudonym.evaluate_batch(SEED, "agreement", 2, blinding.blinded)

    with pytest.raises(BadProof):
        blinding.finalize(elements, proof, KEY)


@pytest.mark.parametrize("count", [1, 5])
def test_an_altered_evaluation_is_refused(count: int) -> None:
    blinding = pseudonym.blind(INPUTS[:count])
    elements, proof = pseudonym.evaluate_batch(SEED, "agreement", 1, blinding.blinded)
    other = pseudonym.evaluate_batch(SEED, "agreement", 1, pseudonym.blind(INPUTS[:1]).blinded).elements

    with pytest.raises(BadProof):
        blinding.finalize([*elements[:-1], *other], proof, KEY)


def test_swapped_elements_are_refused() -> None:
    blinding = pseudonym.blind(INPUTS)
    elements, proof = pseudonym.evaluate_batch(SEED, "agreement", 1, blinding.blinded)

    with pytest.raises(BadProof):
        blinding.finalize(elements[::-1], proof, KEY)


def test_a_panic_of_the_package_is_an_error_but_an_interrupt_stays_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def interrupted(*_: object) -> list[bytes]:
        raise KeyboardInterrupt

    class Interrupting:
        finalize_batch = staticmethod(interrupted)

    blinding = pseudonym.blind(INPUTS)
    elements, proof = pseudonym.evaluate_batch(SEED, "agreement", 1, blinding.blinded)
    monkeypatch.setattr(ristretto, "Client", Interrupting)

    with pytest.raises(KeyboardInterrupt):
        blinding.finalize(elements, proof, KEY)


def test_fewer_elements_than_blinded_are_refused() -> None:
    blinding = pseudonym.blind(INPUTS)
    elements, proof = pseudonym.evaluate_batch(SEED, "agreement", 1, blinding.blinded)

    with pytest.raises(Malformed):
        blinding.finalize(elements[:-1], proof, KEY)


@pytest.mark.parametrize("element", [b"", bytes(32), b"\xff" * 32, bytes(31), bytes(33)])
def test_what_is_not_a_group_element_is_refused(element: bytes) -> None:
    blinding = pseudonym.blind(INPUTS[:1])

    with pytest.raises(Malformed):
        pseudonym.evaluate_batch(SEED, "agreement", 1, [element])
    with pytest.raises(Malformed):
        blinding.finalize([element], bytes(64), KEY)


def test_an_element_with_something_behind_it_is_refused() -> None:
    with pytest.raises(Malformed):
        pseudonym.evaluate_batch(SEED, "agreement", 1, [pseudonym.blind(INPUTS[:1]).blinded[0] + b"\x00"])


@pytest.mark.parametrize("proof", [b"", bytes(63), b"\xff" * 64])
def test_what_is_not_a_proof_is_refused(proof: bytes) -> None:
    blinding = pseudonym.blind(INPUTS[:1])
    elements, _ = pseudonym.evaluate_batch(SEED, "agreement", 1, blinding.blinded)

    with pytest.raises(Malformed):
        blinding.finalize(elements, proof, KEY)


@pytest.mark.parametrize("key", [b"", bytes(32), b"\xff" * 32, KEY + b"\x00"])
def test_what_is_not_a_public_key_is_refused(key: bytes) -> None:
    blinding = pseudonym.blind(INPUTS[:1])
    elements, proof = pseudonym.evaluate_batch(SEED, "agreement", 1, blinding.blinded)

    with pytest.raises(BadKey):
        blinding.finalize(elements, proof, key)


@pytest.mark.parametrize("count", [0, pseudonym.MOST_ELEMENTS + 1])
def test_one_evaluation_has_one_to_200_elements(count: int) -> None:
    with pytest.raises(Malformed):
        pseudonym.blind([b"x"] * count)
    with pytest.raises(Malformed):
        pseudonym.evaluate_batch(SEED, "agreement", 1, [bytes(32)] * count)


def test_an_empty_input_is_refused() -> None:
    with pytest.raises(Malformed):
        pseudonym.blind([b""])
    with pytest.raises(Malformed):
        pseudonym.own_pseudonyms(SEED, "agreement", 1, [b""])


@pytest.mark.parametrize(("scheme", "value"), [("", "1"), ("uscc", ""), ("us\x00cc", "1")])
def test_an_identifier_needs_a_scheme_and_a_value(scheme: str, value: str) -> None:
    with pytest.raises(Malformed):
        pseudonym.subject_input(scheme, value)


def test_schemes_keep_equal_values_apart() -> None:
    assert pseudonym.subject_input("hk-brn", "1") != pseudonym.subject_input("hk-cr", "1")


def test_a_seed_is_32_bytes() -> None:
    with pytest.raises(BadKey):
        pseudonym.public_key(bytes(31), "agreement", 1)
