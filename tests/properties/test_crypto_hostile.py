"""Whatever bytes a stranger sends, this room answers with its own errors, and with nothing else."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto import checkpoint, commitment, envelope, frame, keys, keystore, pseudonym, sealing
from crypto.errors import CryptoError
from crypto.keys import Purpose
from crypto.merkle import Frontier
from tests.unit.crypto.test_checkpoint import COSIGNED, LOG_VKEY, WITNESS_VKEY
from tests.unit.crypto.test_commitment import RAW as RENDITION
from tests.unit.crypto.test_commitment import RENDITION as READ
from tests.unit.crypto.test_envelope import RAW as DOCUMENT
from tests.unit.crypto.test_frame import PADDED
from tests.unit.crypto.test_keystore import RAW as KEYSTORE
from tests.vectors.fixed import seal_key, signing_key

SEED = bytes(range(32))
SEAL_KEY, FRAME_KEY = seal_key("hostile"), signing_key(Purpose.FRAME, "hostile")
BLINDING = pseudonym.blind([b"one", b"two"])
EVALUATION = pseudonym.evaluate_batch(SEED, "agreement", 1, BLINDING.blinded)
PUBLIC = pseudonym.public_key(SEED, "agreement", 1)


def unblind(raw: bytes) -> list[bytes]:
    return BLINDING.finalize([raw[64:96], raw[96:]], raw[:64], PUBLIC)


READERS: Final[dict[str, tuple[Callable[[bytes], Any], bytes]]] = {
    "document": (lambda raw: envelope.parse(raw, "greeting"), DOCUMENT),
    "second signature": (lambda raw: envelope.add_signature(raw, FRAME_KEY), DOCUMENT),
    "rendition": (commitment.decode, RENDITION),
    "presentation": (
        lambda raw: commitment.verify_disclosure(commitment.decode_presentation(raw)),
        commitment.encode_presentation(commitment.disclose(READ, ["count"])),
    ),
    "frame header": (lambda raw: frame.open_header(raw, FRAME_KEY.public), DOCUMENT),
    "frame body": (frame.unpad, PADDED),
    "sealed body": (lambda raw: sealing.unseal(SEAL_KEY, raw, b""), sealing.seal(SEAL_KEY.public, b"x", b"")),
    "checkpoint": (lambda raw: checkpoint.open_checkpoint(raw, [LOG_VKEY, WITNESS_VKEY]), COSIGNED),
    "verifier key": (lambda raw: checkpoint.parse_vkey(raw.decode("latin-1")), LOG_VKEY.encode()),
    "frontier": (Frontier.parse, Frontier(3, (bytes(32), bytes(32))).serialise()),
    "keystore": (lambda raw: keystore.unlock(raw, "open sesame"), KEYSTORE),
    "blinded element": (lambda raw: pseudonym.evaluate_batch(SEED, "a", 1, [raw]), BLINDING.blinded[0]),
    "evaluation": (unblind, EVALUATION.proof + b"".join(EVALUATION.elements)),
    "public keys": (
        lambda raw: [keys.register_key(one, kind, raw) for one, kind in keys.ALGORITHM_OF.items()],
        FRAME_KEY.public.raw,
    ),
}


@pytest.mark.parametrize("name", READERS)
@settings(deadline=None)
@given(data=st.data())
def test_damaged_bytes_are_refused_or_read_and_never_break_the_reader(name: str, data: st.DataObject) -> None:
    reader, good = READERS[name]
    at = data.draw(st.integers(0, len(good)))
    length = data.draw(st.integers(0, 4))
    damaged = good[:at] + data.draw(st.binary(max_size=4)) + good[at + length :]
    with suppress(CryptoError):
        reader(damaged)


# One in sixteen strings of 32 bytes is a group element, and rightly read as one.
@pytest.mark.parametrize("name", [name for name in READERS if name != "blinded element"])
@settings(deadline=None)
@given(raw=st.binary(max_size=300))
def test_arbitrary_bytes_are_refused(name: str, raw: bytes) -> None:
    reader, good = READERS[name]
    if raw == good:
        return

    with pytest.raises(CryptoError):
        reader(raw)
