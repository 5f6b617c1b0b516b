"""Jobs: everything a node has to send, written down before it is sent."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from random import Random

import msgspec

from registry.parties import PartyId


class JobKind(StrEnum):
    """What the courier is to do; one word for each kind of outgoing message."""

    DELIVER_DOCUMENT = "deliver-document"
    FILE_AGREEMENT = "file-agreement"
    QUERY = "query"
    RECEIPTS = "receipts"
    PROVE = "prove"
    PUSH = "push"
    NOTICES = "notices"
    COPY_RECEIPTS = "copy-receipts"


class JobState(StrEnum):
    """A job waits (also between two tries), is done, or has failed for good."""

    WAITING = "waiting"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewJob:
    """A job to be added. `key` makes adding it twice harmless."""

    kind: JobKind
    peer: PartyId
    key: str
    payload: bytes = field(repr=False)
    give_up_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A job as stored. `result` is JSON: of a closed job from whoever closed it, else how the last try failed."""

    number: int
    kind: JobKind
    peer: PartyId
    key: str
    payload: bytes = field(repr=False)
    state: JobState
    attempts: int
    next_at: datetime
    give_up_at: datetime | None
    result: bytes | None = field(repr=False)


class JobResult(msgspec.Struct, frozen=True, kw_only=True):
    """What a finished job says when it says no more than how it ended."""

    outcome: str
    reason: str = ""
    article: str = ""
    by: str = ""
    document: str = ""


FIRST_RETRY = timedelta(seconds=0.5)
LONGEST_RETRY = timedelta(minutes=10)


def next_try(attempts: int, now: datetime, chance: Random) -> datetime:
    """When to try again after `attempts` failed tries: exponential, capped, with full jitter."""
    longest = min(LONGEST_RETRY, FIRST_RETRY * (1 << min(attempts, 20)))
    return now + longest * chance.uniform(0.5, 1.0)
