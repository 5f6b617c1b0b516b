"""Whether a node still hears its authorities (rule 10: a stale registry discloses nothing).

An authority's time is what it cosigned under its own head. What a peer says about the time is never asked.
"""

from datetime import datetime, timedelta
from typing import Final

TOLERANCE: Final = timedelta(seconds=60)
"""By how much two honest clocks may differ."""


def clock(local: datetime, newest_authority_time: datetime | None) -> datetime:
    """The later of the local clock and the newest accepted authority time.

    A node whose clock stands still, or was set back, thus cannot keep old heads fresh.
    """
    return local if newest_authority_time is None else max(local, newest_authority_time)


def is_ahead(head_time: datetime, local: datetime, tolerance: timedelta = TOLERANCE) -> bool:
    """Whether a head comes from too far in the future of the local clock to be accepted.

    Otherwise one authority with a wrong clock would make every other authority look stale.
    """
    return head_time - local > tolerance


def is_fresh(head_time: datetime, now: datetime, max_age: timedelta, tolerance: timedelta = TOLERANCE) -> bool:
    """Whether a head of that time, read at `now` = `clock(...)`, may still carry a disclosure.

    Its age may be `max_age` plus the tolerance, since `now` may come from another authority's faster clock.
    """
    return -tolerance <= now - head_time <= max_age + tolerance
