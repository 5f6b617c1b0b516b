"""`creditport serve` of which one thing can be varied while it runs: `python -m bench.varied`.

Nothing is varied until SIGUSR1 comes; then what the file `variation` in the node's folder names is done, and the file
taken away. So both sides of a comparison are the same processes, with the same databases, in turns.
"""

import os
import signal
import sys
from collections.abc import Sequence
from enum import Enum
from pathlib import Path
from time import sleep

from bench.network import Institution
from crypto import frame
from crypto.errors import BadSignature
from crypto.keys import Purpose, generate, verify
from node.cli.main import loaded
from node.operations import push_records

PORTION, PAD, UNPAD = push_records.PORTION, frame.pad, frame.unpad
SIGNATURE = 64
KEY = generate(Purpose.FRAME, bytes)
"""A throw-away key that both sides know."""


class Variation(Enum):
    """What is done."""

    NOTHING = "nothing"
    """What the product does."""
    FRAMES_OF_ONE = "frames of one"
    """Home puts one record in each frame of a push."""
    SIGNED_EACH = "signed each"
    """Home signs each record and sends the signature behind it; the recipient verifies each. The frame's own
    signature and tree stay: they take 60 us for a frame and 2 us for a record."""


def vary(members: Sequence[Institution], variation: Variation) -> None:
    """Have serving nodes do as it is named from now on."""
    for member in members:
        assert member.process is not None
        file = member.folder / "variation"
        file.write_text(variation.value, encoding="utf-8")
        member.process.send_signal(signal.SIGUSR1)
        while file.exists():
            sleep(0.01)


def _apply(*_: object) -> None:
    file = Path(os.environ["CREDITPORT_NODE"]) / "variation"
    variation = Variation(file.read_text(encoding="utf-8"))
    signed = variation is Variation.SIGNED_EACH
    _replace(push_records, "PORTION", 1 if variation is Variation.FRAMES_OF_ONE else PORTION)
    _replace(frame, "pad", _pad_signed if signed else PAD)
    _replace(frame, "unpad", _unpad_verified if signed else UNPAD)
    file.unlink()


def _replace(module: object, name: str, value: object) -> None:
    setattr(module, name, value)


def _pad_signed(encoded: Sequence[bytes]) -> bytes:
    return PAD([raw + KEY.sign(raw) for raw in encoded])


def _unpad_verified(plaintext: bytes) -> list[bytes]:
    return [_verified(raw[:-SIGNATURE], raw[-SIGNATURE:]) for raw in UNPAD(plaintext)]


def _verified(raw: bytes, signature: bytes) -> bytes:
    try:
        verify(KEY.public, raw, signature)
    except BadSignature as failure:
        raise SystemExit("a record's own signature does not verify") from failure
    return raw


if __name__ == "__main__":
    signal.signal(signal.SIGUSR1, _apply)
    sys.argv = ["creditport", "serve"]
    loaded()()
