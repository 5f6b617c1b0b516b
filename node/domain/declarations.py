"""Signed self-declarations that were shown, and whether a row says what its subject signed (S 20, 26)."""

from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Final

from agreements.consent import SubjectName
from agreements.declaration import DECLARED, SelfDeclaration, open_declaration
from agreements.refusal import Refusal, Refused
from node.domain.identifiers import Identifier, Problem
from node.domain.reading import Finding
from node.domain.records import HomeRecord

Signed = Mapping[str, SelfDeclaration | Finding]
"""Declarations by the SHA-256 of their documents in hex, or what is wrong with the document of that name."""

_NONE: Final = Finding(
    Refusal.ATTESTATION_MISSING,
    Problem("attestation", "the declaration that its subject signed", "none of this digest"),
)


def read_declarations(documents: Iterable[bytes], rule_pack: str) -> Signed:
    """Read signed declarations. One that is altered spoils its own row and no other."""
    found: dict[str, SelfDeclaration | Finding] = {}
    for raw in documents:
        opened = open_declaration(raw, rule_pack)
        if isinstance(opened, Refused):
            problem = Problem("attestation", "a declaration whole and signed by the key in it", "another document")
            found[sha256(raw).hexdigest()] = Finding(opened.reason, problem)
        else:
            found[opened.digest] = opened.declaration
    return found


def signed_of(record: HomeRecord, identifiers: Iterable[Identifier], signed: Signed) -> SelfDeclaration | Finding:
    """The declaration that a row names, signed by the row's own subject and saying what the row says.

    Otherwise which field of the row is nothing that its subject signed, or what is wrong with the document.
    """
    found = signed.get(str(record.content["attestation"]), _NONE)
    if isinstance(found, Finding):
        return found
    if found.subject not in [name_of(one) for one in identifiers]:
        return _unlike("subject")
    for name in DECLARED:
        if record.content[name] != getattr(found, name):
            return _unlike(name)
    return found


def name_of(one: Identifier) -> SubjectName:
    """An identifier as signed documents name it."""
    return SubjectName(scheme=one.scheme.value, value=one.value)


def _unlike(field: str) -> Finding:
    return Finding(Refusal.ATTESTATION_MISSING, Problem(field, "what its subject signed", "something else"))
