"""The enterprise that a record is about."""

from enum import StrEnum

import msgspec

from node.domain.identifiers import Identifier


class SubjectKind(StrEnum):
    """What a credit subject is (S 2); only the first two may cross the boundary (S 14)."""

    LEGAL_PERSON = "LEGAL_PERSON"
    UNINCORPORATED = "UNINCORPORATED"
    NATURAL_PERSON_LINKED = "NATURAL_PERSON_LINKED"


class Subject(msgspec.Struct, frozen=True, gc=False):
    """An enterprise as its home node knows it; it never leaves home. The representation hides it.

    `identifiers` holds every attested one, in the order of `Scheme`; each leads to this same subject.
    """

    kind: SubjectKind
    names: tuple[str, ...]
    identifiers: tuple[Identifier, ...]

    def __repr__(self) -> str:
        return f"Subject(kind={self.kind.value})"
