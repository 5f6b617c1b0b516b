"""What of a row rests on an institution's signed word, and whether somebody gave it (S 20, 26)."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from agreements.attestation import Declared, OpenedAttestation, Waived, WaiverReason, in_order
from agreements.consent import SubjectName
from agreements.refusal import Refusal
from node.domain.declarations import Signed, name_of, signed_of
from node.domain.identifiers import Problem
from node.domain.reading import Finding
from node.domain.records import HomeRecord
from node.domain.subjects import Subject

_UNATTESTED = Finding(
    Refusal.ATTESTATION_MISSING, Problem("attestation", "a signed attestation of this very declaration", "none")
)
_ANOTHER_KEY = Finding(
    Refusal.ATTESTATION_MISSING,
    Problem("attestation", "signed by the key that is known as its subject's", "another key"),
)
_UNWAIVED = Finding(
    Refusal.ATTESTATION_MISSING, Problem("uscc_check_attested", "a signed attestation of this very code", "none")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attested:
    """What verified attestations cover: the keys of declarations by subject and content digest, and codes.

    `documents` are the digests of the attestations themselves, for the journal of the import; `signed` are the
    declarations that came with it.
    """

    documents: tuple[str, ...] = ()
    declarations: Mapping[tuple[SubjectName, str], frozenset[str]] = field(default_factory=dict, repr=False)
    identifiers: frozenset[SubjectName] = field(default=frozenset(), repr=False)
    signed: Signed = field(default_factory=dict, repr=False)

    def missing(self, subject: Subject, declared: HomeRecord | None) -> Finding | None:
        """What a row lacks; `declared` is its record where it is a self-declaration.

        Its subject's signature comes first (SIGNATURE_INVALID), then the institution's word for the key, and for this
        very content (ATTESTATION_MISSING).
        """
        for one in subject.identifiers:
            if one.check_waived and name_of(one) not in self.identifiers:
                return _UNWAIVED
        if declared is None:
            return None
        found = signed_of(declared, subject.identifiers, self.signed)
        if isinstance(found, Finding):
            return found
        known = self.declarations.get((found.subject, declared.content_digest.hex()))
        if known is None:
            return _UNATTESTED
        return None if found.key in known else _ANOTHER_KEY


def attested_in(opened: Iterable[OpenedAttestation], signed: Signed) -> Attested:
    """Everything that these attestations cover together, with the declarations that were shown."""
    documents = {one.digest.hex(): one.attestation for one in opened}
    keys: dict[tuple[SubjectName, str], frozenset[str]] = defaultdict(frozenset)
    for each in documents.values():
        for one in each.declarations:
            keys[one.subject, one.content] |= {one.key}
    return Attested(
        documents=tuple(sorted(documents)),
        declarations=dict(keys),
        identifiers=frozenset(one.subject for each in documents.values() for one in each.identifiers),
        signed=signed,
    )


@dataclass(slots=True, kw_only=True)
class ToAttest:
    """What the rows of a file need somebody's word for, gathered row by row.

    `signed` are the declarations that came with the file, `keys` those that subjects showed to the institution itself.
    """

    signed: Signed = field(default_factory=dict, repr=False)
    keys: Mapping[SubjectName, frozenset[str]] = field(default_factory=dict, repr=False)
    declarations: list[Declared] = field(default_factory=list, repr=False)
    identifiers: list[Waived] = field(default_factory=list, repr=False)

    def take(self, subject: Subject, declared: HomeRecord | None, reason: WaiverReason) -> Finding | None:
        """Note what one admitted row needs, or say why nobody may attest it; `declared` as for `Attested.missing`."""
        if declared is not None:
            found = signed_of(declared, subject.identifiers, self.signed)
            if isinstance(found, Finding):
                return found
            if found.key not in self.keys.get(found.subject, ()):
                return _ANOTHER_KEY
            content = declared.content_digest.hex()
            self.declarations.append(Declared(content=content, key=found.key, subject=found.subject))
        waived = [one for one in subject.identifiers if one.check_waived]
        self.identifiers += [Waived(reason=reason, subject=name_of(one)) for one in waived]
        return None

    def in_order(self) -> tuple[tuple[Declared, ...], tuple[Waived, ...]]:
        """All of it, ascending and each once."""
        return in_order(self.declarations), in_order(self.identifiers)
