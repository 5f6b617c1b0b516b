"""Sealing to one recipient."""

import dataclasses
from typing import Any

import pytest

from crypto import sealing
from crypto.errors import BadKey, BadSeal
from crypto.keys import Algorithm, PublicKey, Purpose
from crypto.sealing import Binding
from tests.vectors.fixed import FixedRandom, hpke_seal, seal_key, signing_key

KEY = seal_key("unit")
BINDING = Binding(sender="a", recipient="b", agreement="0a" * 32, frame="0b" * 16, suite=1)
SEALED = sealing.seal(KEY.public, b"plaintext", BINDING.info())


def test_the_recipient_opens_what_was_sealed() -> None:
    assert sealing.unseal(KEY, SEALED, BINDING.info()) == b"plaintext"
    assert len(SEALED) == len(b"plaintext") + sealing.OVERHEAD


def test_what_an_independent_sender_sealed_opens() -> None:
    sealed = hpke_seal(FixedRandom("e")(32), KEY.public.raw, b"plaintext", BINDING.info())

    assert sealing.unseal(KEY, sealed, BINDING.info()) == b"plaintext"


def test_another_key_does_not_open_it() -> None:
    with pytest.raises(BadSeal):
        sealing.unseal(seal_key("another"), SEALED, BINDING.info())


@pytest.mark.parametrize(
    "change",
    [{"sender": "x"}, {"recipient": "x"}, {"agreement": "0c" * 32}, {"frame": "0c" * 16}, {"suite": 2}],
)
def test_it_does_not_open_under_another_binding(change: dict[str, Any]) -> None:
    with pytest.raises(BadSeal):
        sealing.unseal(KEY, SEALED, dataclasses.replace(BINDING, **change).info())


def test_names_do_not_run_into_each_other() -> None:
    assert (
        dataclasses.replace(BINDING, sender="ab", recipient="c").info()
        != dataclasses.replace(BINDING, sender="a", recipient="bc").info()
    )


@pytest.mark.parametrize("at", [0, 31, 32, -1])
def test_a_flipped_bit_does_not_open(at: int) -> None:
    damaged = bytearray(SEALED)
    damaged[at] ^= 1

    with pytest.raises(BadSeal):
        sealing.unseal(KEY, bytes(damaged), BINDING.info())


@pytest.mark.parametrize("size", [0, 16, 47])
def test_too_short_a_text_does_not_open(size: int) -> None:
    with pytest.raises(BadSeal):
        sealing.unseal(KEY, SEALED[:size], BINDING.info())


@pytest.mark.parametrize(
    "public",
    [
        signing_key(Purpose.FRAME, "unit").public,
        PublicKey(Purpose.SEAL, Algorithm.X25519, bytes(31)),
        PublicKey(Purpose.SEAL, Algorithm.X25519, bytes(32)),
    ],
    ids=["a signing key", "a short key", "a point of low order"],
)
def test_only_a_seal_key_is_sealed_to(public: PublicKey) -> None:
    with pytest.raises(BadKey):
        sealing.seal(public, b"plaintext", b"")
