"""The methods of the contract: names on the wire, how large messages are, how long calls may take."""

from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from types import MappingProxyType
from typing import Final

KIB: Final = 1 << 10
MIB: Final = 1 << 20

DIGEST: Final = 32
REQUEST_ID: Final = 16
PSEUDONYM: Final = 16
ELEMENT: Final = 32
PROOF: Final = 64
MOST_IN_A_MESSAGE: Final = 200
"""Blinded elements, or query items, in one message."""
LARGEST_CHECKPOINT: Final = 8 * KIB
LARGEST_AUTHORISATION: Final = 8 * KIB
LARGEST_HEADER: Final = 16 * KIB
LARGEST_BODY: Final = 4 * MIB + KIB
"""The largest padding bucket, and room for the seal."""
LARGEST_DOCUMENT: Final = MIB
LARGEST_ORDER: Final = 64 * KIB
LARGEST_PART: Final = MIB
"""A bundle of evidence of any length goes out in parts of at most this many bytes."""
LARGEST_MESSAGE: Final = 4 * MIB + 256 * KIB
"""What gRPC lets in at all. Between a method's own limit and this, a message is refused with OVERSIZED; above
it, gRPC ends the call before the application sees it, which is only counted."""

_REQUEST_DOMAIN: Final = b"creditport/request/v1"


class Method(StrEnum):
    """Every method of the contract, by its path on the wire."""

    EVALUATE = "/creditport.v1.ExchangeService/Evaluate"
    QUERY = "/creditport.v1.ExchangeService/Query"
    BATCH_QUERY = "/creditport.v1.ExchangeService/BatchQuery"
    DELIVER_DOCUMENT = "/creditport.v1.AgreementService/DeliverAgreementDocument"
    FILE_AGREEMENT = "/creditport.v1.FilingService/FileAgreement"
    READ_REGISTRY = "/creditport.v1.RegistryService/ReadRegistry"
    DELIVER_RECEIPTS = "/creditport.v1.PropagationService/DeliverReceipts"
    PUSH_FRAMES = "/creditport.v1.ExchangeService/PushFrames"
    DELIVER_NOTICES = "/creditport.v1.PropagationService/DeliverNotices"
    PROVE_JOURNAL = "/creditport.v1.InspectionService/ProveJournal"
    INSPECT = "/creditport.v1.InspectionService/Inspect"

    @property
    def service(self) -> str:
        """The full name of the service, such as `creditport.v1.ExchangeService`."""
        return self.value.split("/")[1]

    @property
    def short_name(self) -> str:
        """The name within the service, such as `Evaluate`."""
        return self.value.split("/")[2]


SERVICES: Final = tuple(dict.fromkeys(method.service for method in Method))
"""The full names of all services."""

OUTLIVING: Final = frozenset({Method.DELIVER_NOTICES, Method.DELIVER_RECEIPTS})
"""Methods that a party still calls after its admission ended: duties towards what was exchanged outlive the exchange.
They bring notices, deletions and receipts, and show nothing."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """The largest request and response of a method in bytes, and the deadline its callers set in seconds."""

    request: int
    response: int
    deadline: float


BOUNDS: Final = MappingProxyType(
    {
        Method.EVALUATE: Bounds(32 * KIB, 32 * KIB, 30.0),
        Method.QUERY: Bounds(64 * KIB, LARGEST_MESSAGE, 30.0),
        Method.BATCH_QUERY: Bounds(2 * MIB, LARGEST_MESSAGE, 300.0),
        Method.DELIVER_DOCUMENT: Bounds(LARGEST_DOCUMENT + 16 * KIB, 16 * KIB, 30.0),
        Method.FILE_AGREEMENT: Bounds(LARGEST_DOCUMENT + 16 * KIB, 256 * KIB, 30.0),
        Method.READ_REGISTRY: Bounds(64, LARGEST_MESSAGE, 60.0),
        Method.DELIVER_RECEIPTS: Bounds(LARGEST_DOCUMENT + 16 * KIB, 16 * KIB, 30.0),
        Method.PUSH_FRAMES: Bounds(LARGEST_MESSAGE, 16 * KIB, 300.0),
        Method.DELIVER_NOTICES: Bounds(LARGEST_MESSAGE, 16 * KIB, 60.0),
        Method.PROVE_JOURNAL: Bounds(128, 64 * KIB, 10.0),
        Method.INSPECT: Bounds(LARGEST_ORDER + KIB, LARGEST_PART + KIB, 3600.0),
    }
)


def request_digest(method: Method, raw: bytes) -> bytes:
    """Name one request by its very bytes: H("creditport/request/v1" || u32 len || method || request).

    The same bytes sent again are the same request: charged once, answered alike.
    """
    path = method.encode()
    return sha256(_REQUEST_DOMAIN + len(path).to_bytes(4, "big") + path + raw).digest()
