"""What every act needs from the world: who we are, the time, chance, and our keys."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from crypto.keys import SealKey, SigningKey
from registry.parties import PartyId


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeKeys:
    """The keys a running node signs and opens with, one for each purpose."""

    document: SigningKey = field(repr=False)
    frame: SigningKey = field(repr=False)
    journal: SigningKey = field(repr=False)
    registry: SigningKey | None = field(repr=False)
    seal: SealKey = field(repr=False)
    pseudonym_seed: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """Clock, randomness and signers in one frozen value, so that operations stay pure of the world.

    `now` gives aware UTC times; `random(n)` gives n unpredictable bytes.
    """

    node: PartyId
    now: Callable[[], datetime]
    random: Callable[[int], bytes]
    keys: NodeKeys = field(repr=False)
