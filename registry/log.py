"""An authority's log: RFC 6962 over its raw statements, with a signed head that tells the time.

The head is a checkpoint with origin `creditport/registry/<authority>`, signed by the authority's registry key
and cosigned by the same key with a timestamp (`cosignature/v1`). It is issued again on a cadence even when
nothing happened, so that its age shows whether a reader still hears the authority.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from crypto.checkpoint import (
    Checkpoint,
    NoteKey,
    NoteVerifier,
    SignatureType,
    cosign,
    open_checkpoint,
    sign_checkpoint,
)
from crypto.keys import Purpose
from crypto.merkle import Frontier, leaf_hash
from registry.errors import BadHead
from registry.parties import ListedCard, registry_origin


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """An authority's word that at `time` its log had `size` statements with root `root`."""

    size: int
    root: bytes
    time: datetime
    raw: bytes = field(repr=False)


def grow(frontier: Frontier, statements: Iterable[bytes]) -> Frontier:
    """The log with more raw statements, in order."""
    return frontier.extend(leaf_hash(raw) for raw in statements)


def issue_head(size: int, root: bytes, key: NoteKey, at: datetime) -> bytes:
    """The signed and timed head; `key` is the registry key under the name `registry_origin(authority)`.

    `at` is a UTC time of whole seconds. The caller has committed the statements below it, and never issues
    two roots for one size.
    """
    return cosign(sign_checkpoint(Checkpoint(key.name, size, root), key), key, at)


def read_head(raw: bytes, authority: ListedCard) -> Head:
    """Verify a head by the authority's registry key.

    Raises:
        CryptoError: not a checkpoint, or not signed by the authority.
        BadHead: of another log, extended beyond what this version understands, or without the timestamp.
    """
    origin = registry_origin(authority.card.party)
    key = authority.key(Purpose.REGISTRY).raw
    opened = open_checkpoint(raw, [NoteVerifier(origin, kind, key) for kind in SignatureType])
    checkpoint = opened.checkpoint
    if checkpoint.extensions:
        raise BadHead("extensions", "none", "some")
    time = opened.cosigners.get(origin)
    if time is None:
        raise BadHead("cosignature", "the authority's own, with a time", "none")
    return Head(size=checkpoint.size, root=checkpoint.root, time=time, raw=raw)
