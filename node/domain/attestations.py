"""What of a row rests on an institution's signed word, and whether somebody gave it (S 20, 26)."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from agreements.attestation import Declared, OpenedAttestation, Waived, WaiverReason, in_order
from agreements.consent import SubjectName
from agreements.refusal import Refusal
from node.domain.identifiers import Identifier, Problem
from node.domain.reading import Finding
from node.domain.subjects import Subject

_UNATTESTED = Finding(
    Refusal.ATTESTATION_MISSING, Problem("attestation", "a signed attestation of this very declaration", "none")
)
_UNWAIVED = Finding(
    Refusal.ATTESTATION_MISSING, Problem("uscc_check_attested", "a signed attestation of this very code", "none")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attested:
    """What verified attestations cover: declarations by subject and content digest, and codes.

    `documents` are the digests of the attestations themselves, for the journal of the import.
    """

    documents: tuple[str, ...] = ()
    declarations: frozenset[tuple[SubjectName, str]] = field(default=frozenset(), repr=False)
    identifiers: frozenset[SubjectName] = field(default=frozenset(), repr=False)

    def missing(self, subject: Subject, declared: bytes | None) -> Finding | None:
        """What a row lacks (ATTESTATION_MISSING); `declared` is its content digest where it is a self-declaration."""
        for one in subject.identifiers:
            if one.check_waived and _name(one) not in self.identifiers:
                return _UNWAIVED
        if declared is None:
            return None
        names = [(_name(one), declared.hex()) for one in subject.identifiers]
        return _UNATTESTED if self.declarations.isdisjoint(names) else None


def attested_in(opened: Iterable[OpenedAttestation]) -> Attested:
    """Everything that these attestations cover together."""
    documents = {one.digest.hex(): one.attestation for one in opened}
    found = documents.values()
    return Attested(
        documents=tuple(sorted(documents)),
        declarations=frozenset((one.subject, one.content) for each in found for one in each.declarations),
        identifiers=frozenset(one.subject for each in found for one in each.identifiers),
    )


@dataclass(slots=True)
class ToAttest:
    """What the rows of a file need somebody's word for, gathered row by row."""

    declarations: list[Declared] = field(default_factory=list, repr=False)
    identifiers: list[Waived] = field(default_factory=list, repr=False)

    def take(self, subject: Subject, declared: bytes | None, reason: WaiverReason) -> None:
        """Note what one admitted row needs; `declared` as for `Attested.missing`."""
        waived = [one for one in subject.identifiers if one.check_waived]
        self.identifiers += [Waived(reason=reason, subject=_name(one)) for one in waived]
        if declared is not None:
            self.declarations.append(Declared(content=declared.hex(), subject=_name(subject.identifiers[0])))

    def in_order(self) -> tuple[tuple[Declared, ...], tuple[Waived, ...]]:
        """All of it, ascending and each once."""
        return in_order(self.declarations), in_order(self.identifiers)


def _name(one: Identifier) -> SubjectName:
    return SubjectName(scheme=one.scheme.value, value=one.value)
