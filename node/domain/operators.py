"""Operators: persons with a signing key and roles; every act they order is signed with their own key."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

import msgspec

from crypto import envelope
from crypto.canonical import Hex32
from crypto.keys import SigningKey, Suite
from registry.parties import Instant, PartyId, PartyName

KIND = "operator-act"


class Role(StrEnum):
    """What an operator may order; least privilege: one role for one kind of work."""

    REGISTRAR = "registrar"
    CONTRACTS = "contracts"
    RECORDS = "records"
    APPROVALS = "approvals"
    CONSENTS = "consents"
    QUERIES = "queries"


class OperatorAct(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One order: who ordered what, about which document or input (by digest), and when."""

    act: str
    at: Instant
    node: PartyName
    operator: str
    subject: Hex32
    suite: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningOperator:
    """An operator who has opened his key."""

    name: str
    key: SigningKey = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedAct:
    """A signed order, with the digest that names it."""

    operator: str
    digest: bytes
    raw: bytes = field(repr=False)


def sign_act(operator: SigningOperator, act: str, subject: bytes, node: PartyId, at: datetime) -> SignedAct:
    """Sign an order; `subject` is the 32-byte digest of what is ordered about."""
    payload = OperatorAct(act=act, at=at, node=node, operator=operator.name, subject=subject.hex(), suite=Suite.ONE)
    raw = envelope.sign(KIND, payload, [operator.key])
    return SignedAct(operator=operator.name, digest=envelope.parse(raw, KIND).digest, raw=raw)
