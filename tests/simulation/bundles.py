"""Bundles to be broken: small ones with one of each kind of line, and a large one."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import pytest
from nacl.bindings import crypto_core_ed25519_is_valid_point, crypto_sign_open

from crypto import envelope
from crypto.frame import KIND, FrameHeader
from node.operations.ports import UnitOfWork
from node.operations.prove import plan_proof
from registry.parties import ListedCard, PartyId
from tests.fakes.evidence import cards, fetched
from tests.fakes.founding import founded
from tests.fakes.network import Network
from tests.fakes.propagation import (
    EVERYBODY,
    HK,
    HOLDERS,
    HOME,
    SZ,
    address,
    agree,
    ask,
    code,
    consent,
    corrected,
    deleted,
    enterprise,
    load,
    push,
)
from tests.simulation.two_ways import BANK, PARTS

MANY = 66


@dataclass(frozen=True, slots=True)
class Shown:
    """A bundle, and the cards by which it is checked."""

    bundle: bytes = field(repr=False)
    anchors: Sequence[ListedCard] = field(repr=False)


def small(folder: Path) -> dict[str, Shown]:
    """Two authorities, a home, a holder and one record, pushed and deleted, as home and as holder show it.

    Home is seen whole by its own authority, the holder in part by the other one. Together they have every kind of line.
    """
    with founded(PARTS, folder, seed=1) as network:
        agreement = agree(network, HOME, BANK)
        load(network, HOME, [enterprise(0)])
        push(network, HOME, agreement)
        network.settle()
        deleted(network, HOME, 1)
        network.settle()
        proven(network, BANK, HOME)
        anchors = cards(network, SZ, HK)
        return {
            "home": Shown(fetched(network, SZ, HOME), anchors),
            "holder": Shown(fetched(network, SZ, BANK), anchors),
        }


def large(folder: Path) -> Shown:
    """Home's bundle of more than a megabyte: a hundred and more of frames, receipts and notices."""
    with founded(EVERYBODY, folder, seed=1) as network:
        agreements = {holder: agree(network, HOME, holder) for holder in HOLDERS}
        load(network, HOME, [enterprise(number) for number in range(MANY)])
        for holder, agreement in agreements.items():
            consent(network, holder, agreement, [code(number) for number in range(MANY)])
            push(network, HOME, agreement)
        network.settle()
        for number in range(MANY):
            ask(network, HOLDERS[number % 3], agreements[HOLDERS[number % 3]], [code(number)])
        network.settle()
        for number in range(1, MANY, 2):
            corrected(network, HOME, number, {"status": "REVOKED", "address": address(number, 1)})
            deleted(network, HOME, number + 1)
            network.run()
        network.settle()
        return Shown(fetched(network, SZ, HOME), cards(network, SZ, HK))


def proven(network: Network, holder: PartyId, home: PartyId) -> None:
    """Let a holder ask for the proof that home's journal has every frame it took in; it keeps the head."""
    member = network.members[holder]

    def act(work: UnitOfWork) -> int:
        raws = work.received_frames.headers(home, 10_000)
        headers = [envelope.read_payload(envelope.parse(raw, KIND), FrameHeader) for raw in raws]
        return plan_proof(work, home, headers, member.context)

    member.write(act)
    network.settle()


def verified_once(patch: pytest.MonkeyPatch) -> None:
    """Let each signature be verified once: what a change did not touch verifies as it did before."""
    patch.setattr("crypto.keys.crypto_sign_open", lru_cache(maxsize=None)(crypto_sign_open))
    fit = lru_cache(maxsize=None)(crypto_core_ed25519_is_valid_point)
    patch.setattr("crypto.keys.crypto_core_ed25519_is_valid_point", fit)
