"""What renditions are made by: a record's name under an agreement, how coarse it is shown there, and what was made."""

from node.operations.silent_row import SilentRow as _Row


class LadderRow(_Row, frozen=True, kw_only=True):
    """A ladder's own number, and up to which cell its crowds are made."""

    number: int
    through: int


class RenditionRow(_Row, frozen=True, kw_only=True):
    """The rendition of one record version under one agreement and epoch, as disclosed.

    `ladder_no` and `step` say how coarse the version is shown under the agreement; they are kept with its alias.
    """

    agreement_no: int
    epoch: int
    record_no: int
    record_version: int
    alias: bytes
    wire_version: int
    body: bytes
    commitment: bytes
    ladder_no: int | None = None
    step: int | None = None


class AliasRow(_Row, frozen=True, kw_only=True):
    """A record's name under an agreement, its newest wire version there, and the record version which that is.

    How coarse that version is shown there: by which ladder, after which step; None while it is not decided.
    """

    alias: bytes
    wire_version: int
    record_version: int
    ladder_no: int | None = None
    step: int | None = None
