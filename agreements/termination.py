"""Ending an agreement: either party may declare it, alone and for a stated reason (S 34, 35)."""

from enum import StrEnum
from typing import Final

import msgspec

from agreements.signatures import sign_document
from crypto.canonical import Hex32
from crypto.keys import SigningKey
from registry.parties import Instant, PartyName

KIND: Final = "termination"


class Ending(StrEnum):
    """Why a party ends an agreement."""

    END_OF_COOPERATION = "END_OF_COOPERATION"
    BREACH = "BREACH"
    UNLAWFUL_CONDUCT = "UNLAWFUL_CONDUCT"
    KEY_COMPROMISED = "KEY_COMPROMISED"
    REPLACED = "REPLACED"


class Termination(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One party's declaration that the agreement of this digest ends; it needs nobody's consent.

    It works from the later of `effective_at` and `issued_at`.
    """

    agreement: Hex32
    party: PartyName
    reason: Ending
    effective_at: Instant
    issued_at: Instant
    suite: int


def terminate(termination: Termination, key: SigningKey) -> bytes:
    """The declaration signed by the party's document key."""
    return sign_document(KIND, termination, key)
