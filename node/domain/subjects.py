"""The enterprise that a record is about."""

from dataclasses import dataclass, field
from enum import StrEnum

from node.domain.identifiers import Identifier


class SubjectKind(StrEnum):
    """What a credit subject is (S 2); only the first two may cross the boundary (S 14)."""

    LEGAL_PERSON = "LEGAL_PERSON"
    UNINCORPORATED = "UNINCORPORATED"
    NATURAL_PERSON_LINKED = "NATURAL_PERSON_LINKED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """An enterprise as its home node knows it; it never leaves home. The representation hides it.

    `identifiers` holds every attested one, in the order of `Scheme`; each leads to this same subject.
    """

    kind: SubjectKind
    names: tuple[str, ...] = field(repr=False)
    identifiers: tuple[Identifier, ...] = field(repr=False)
