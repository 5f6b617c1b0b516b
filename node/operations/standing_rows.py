"""Which records are withheld, and why: what operations hand to a store and get back from it."""

from datetime import date, datetime

from node.operations.silent_row import SilentRow as _Row


class StandingRow(_Row, frozen=True, kw_only=True):
    """What becomes of a record without a new content: states, end of disclosure, envelope facts, version.

    `fell` is the reason code and the field for which the law in force does not admit it, None while it does. `moved_at`
    is when it became another version, None where it stays the same one.
    """

    record_no: int
    version: int
    withheld: frozenset[str]
    coming: tuple[tuple[str, date], ...]
    disclose_until: date | None
    facts: bytes
    fell: tuple[str, str] | None
    moved_at: datetime | None


class RecheckRow(_Row, frozen=True, kw_only=True):
    """How far the home records are looked at by one law, which `measure` names.

    Records up to `through` were; with `again` all are looked at once more when it has come to the end, since some were
    taken in by another law meanwhile.
    """

    number: int
    measure: bytes
    packs: str
    through: int
    again: bool
    checked: int
    fallen: int
    narrowed: int
    restored: int
    begun_at: datetime
    done_at: datetime | None


class WithholdingRow(_Row, frozen=True, kw_only=True):
    """An act that withholds a record, from one day in Shenzhen to the one before another (None: until it is lifted).

    `order` is the digest of the order. It has `begun` once the record was withheld by it; `ended_at` is when it was
    lifted or its time was over, on which basis, document and orders (separated by blanks).
    """

    number: int
    record_no: int
    state: str
    basis: str
    document: str
    received_on: date | None
    starts_on: date
    ends_on: date | None
    order: bytes
    at: datetime
    begun: bool
    ended_at: datetime | None = None
    end_basis: str = ""
    end_document: str = ""
    end_orders: str = ""
