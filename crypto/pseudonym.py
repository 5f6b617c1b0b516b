"""Pseudonyms: a verifiable oblivious function of an identifier (VOPRF, RFC 9497, ristretto255-SHA512).

The requester blinds an identifier that it holds, home evaluates without seeing it, and the requester unblinds
the same pseudonym that home computes itself. Keys derive from home's seed, one per agreement and epoch, so
that pseudonyms of two agreements cannot be joined. Home can always invert its own pseudonyms: this is
pseudonymisation, not anonymisation.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final, NamedTuple

from voprf import ristretto

from crypto.errors import BadKey, BadProof, Malformed

MOST_ELEMENTS: Final = 200
"""Elements in one evaluation: about 14 ms of work under Python's global lock."""

ELEMENT_SIZE: Final = 32
PROOF_SIZE: Final = 64
PSEUDONYM_SIZE: Final = 16
SEED_SIZE: Final = 32


class Evaluation(NamedTuple):
    """Evaluated elements, in the order asked, and one proof that a single key evaluated them all."""

    elements: list[bytes]
    proof: bytes


def evaluator(seed: bytes, agreement_id: str, epoch: int) -> ristretto.Evaluator:
    """Home's key of one epoch: DeriveKeyPair(seed, label || u32 len || agreement id || u32 epoch)."""
    if len(seed) != SEED_SIZE:
        raise BadKey(f"a pseudonym seed is {SEED_SIZE} bytes")
    name = agreement_id.encode()
    info = b"creditport/pseudonym/v1" + len(name).to_bytes(4, "big") + name + epoch.to_bytes(4, "big")
    return ristretto.Evaluator.from_seed(seed, info)


def public_key(seed: bytes, agreement_id: str, epoch: int) -> bytes:
    """The 32-byte public key that the agreement pins for `epoch`."""
    return evaluator(seed, agreement_id, epoch).public_key.serialize()


def subject_input(scheme: str, canonical_value: str) -> bytes:
    """What is blinded for one identifier: "sub/v1" || scheme || 0x00 || value, both already canonical."""
    if not scheme or not canonical_value or "\x00" in scheme:
        raise Malformed("an identifier needs a scheme without NUL and a value")
    return b"sub/v1" + scheme.encode() + b"\x00" + canonical_value.encode()


def pseudonym_name(output: bytes) -> bytes:
    """The 16-byte pseudonym of a VOPRF output."""
    return sha256(b"creditport/pseudonym-name/v1" + output).digest()[:PSEUDONYM_SIZE]


@dataclass(frozen=True, slots=True)
class Blinding:
    """Blinded inputs and the secrets to unblind their evaluation; lives in memory only, one request long."""

    blinded: list[bytes]
    _clients: list[ristretto.Client] = field(repr=False)

    def finalize(self, evaluated: Sequence[bytes], proof: bytes, public_key: bytes) -> list[bytes]:
        """The pseudonyms of the inputs, in order, after checking that `public_key` evaluated all of them.

        Raises:
            Malformed: not as many elements as were blinded, or one is not a group element.
            BadKey: `public_key` is not one.
            BadProof: another key evaluated, or the elements were altered.
        """
        if len(evaluated) != len(self._clients):
            raise Malformed("not as many evaluated elements as were blinded")
        key = _public_key(public_key)
        outputs = _unblind(self._clients, _batch(evaluated, proof), key)
        return [pseudonym_name(output) for output in outputs]


def blind(inputs: Sequence[bytes]) -> Blinding:
    """Blind 1 to 200 inputs; the blinds come from the operating system, inside the package."""
    _check_count(inputs)
    if not all(inputs):
        raise Malformed("an empty input")
    pairs = [ristretto.Client.blind(one) for one in inputs]
    return Blinding([blinded.serialize() for _, blinded in pairs], [client for client, _ in pairs])


def evaluate_batch(seed: bytes, agreement_id: str, epoch: int, blinded: Sequence[bytes]) -> Evaluation:
    """Evaluate 1 to 200 blinded elements without learning what they are.

    The caller has charged the agreement's quota before it asks (each element is one guess of an identifier).

    Raises:
        Malformed: no element or too many, or one is not an element of the group.
    """
    _check_count(blinded)
    inputs = [_element(one) for one in blinded]
    raw = evaluator(seed, agreement_id, epoch).evaluate_batch(inputs).serialize()
    elements = [raw[at : at + ELEMENT_SIZE] for at in range(PROOF_SIZE, len(raw), ELEMENT_SIZE)]
    return Evaluation(elements, raw[:PROOF_SIZE])


def are_elements(blinded: Sequence[bytes]) -> bool:
    """Whether `evaluate_batch` would take each of these; cheap enough to ask before anything is charged."""
    try:
        for one in blinded:
            _element(one)
    except Malformed:
        return False
    return True


def own_pseudonyms(seed: bytes, agreement_id: str, epoch: int, inputs: Sequence[bytes]) -> list[bytes]:
    """The pseudonyms of home's own subjects, equal to what a requester arrives at."""
    if not all(inputs):
        raise Malformed("an empty input")
    evaluate = evaluator(seed, agreement_id, epoch).evaluate_known_input
    return [pseudonym_name(evaluate(one)) for one in inputs]


def _check_count(items: Sequence[bytes]) -> None:
    if not 1 <= len(items) <= MOST_ELEMENTS:
        raise Malformed(f"1 to {MOST_ELEMENTS} elements at a time")


def _element(raw: bytes) -> ristretto.BlindedInput:
    try:
        # The package reads a prefix of what it is given; the length is ours to check.
        if len(raw) == ELEMENT_SIZE:
            return ristretto.BlindedInput.deserialize(raw)
    except ValueError:
        pass
    raise Malformed("not a blinded group element")


def _public_key(raw: bytes) -> ristretto.PublicKey:
    try:
        if len(raw) == ELEMENT_SIZE:
            return ristretto.PublicKey.deserialize(raw)
    except ValueError:
        pass
    raise BadKey("not a pseudonym public key")


def _batch(evaluated: Sequence[bytes], proof: bytes) -> ristretto.VerifiableBatchOutput:
    try:
        if len(proof) == PROOF_SIZE and all(len(one) == ELEMENT_SIZE for one in evaluated):
            return ristretto.VerifiableBatchOutput.deserialize(proof + b"".join(evaluated))
    except ValueError:
        pass
    raise Malformed("not evaluated group elements with a proof")


def _unblind(
    clients: list[ristretto.Client], batch: ristretto.VerifiableBatchOutput, key: ristretto.PublicKey
) -> list[bytes]:
    try:
        return ristretto.Client.finalize_batch(clients, batch, key)
    except ValueError:
        pass
    except BaseException as failure:
        # voprf 0.2.0 panics on a false proof of a batch, and a Rust panic is outside Exception: without this
        # a lying peer would end the process. Anything else that is not an Exception passes.
        if type(failure).__name__ != "PanicException":
            raise
    raise BadProof("the evaluation proof does not verify")
