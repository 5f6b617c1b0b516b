"""Who a row is about: its identifiers and names, and whether that may be an enterprise at all."""

from collections.abc import Sequence
from typing import Final

from agreements.refusal import Refusal, Refused, refuse
from node.domain.identifiers import Identifier, Problem, Scheme, parse_identifier
from node.domain.reading import Finding, Reading
from node.domain.subjects import Subject, SubjectKind
from node.domain.vocabulary import Vocabulary

IDENTIFIER_COLUMNS: Final = {
    "uscc": (Scheme.CN_USCC,),
    "hk_brn": (Scheme.HK_BRN, Scheme.HK_BRN_DUMMY),
    "hk_cr": (Scheme.HK_CR,),
    "mo_tin": (Scheme.MO_TIN,),
    "mo_cr": (Scheme.MO_CR,),
    "lei": (Scheme.LEI,),
}
"""The standard columns that hold identifiers, and the schemes each may hold."""

_COLUMN_OF: Final = {scheme: column for column, schemes in IDENTIFIER_COLUMNS.items() for scheme in schemes}
_PROVES_NO_KIND: Final = frozenset({Scheme.HK_BRN, Scheme.HK_BRN_DUMMY, Scheme.MO_CR, Scheme.LEI})


def read_subject(reading: Reading, vocabulary: Vocabulary, entity_type: str | None) -> Subject | Finding:
    """The subject of a row, or what forbids it.

    Natural persons in business are refused wherever a code or the entity type shows them (S 14). A Hong Kong
    business registration, a Macau commercial registration or an LEI alone can belong to a sole proprietor, so
    with nothing else beside it the entity type must be stated.
    """
    written = [(column, text) for column in IDENTIFIER_COLUMNS if (text := reading.raw(column))]
    identifiers = tuple(found for column, text in written if (found := _identifier(reading, column, text)))
    names = tuple(name for column in ("name_zh", "name_en") if (name := reading.text(column)))
    if not identifiers:
        reading.note(Refusal.SUBJECT_ID_INVALID, "identifiers", "an identifier of a known scheme", "none")
    if entity_type in vocabulary.natural_person or any(one.natural_person_linked for one in identifiers):
        reading.note(Refusal.NATURAL_PERSON_SUBJECT, "identifiers", "an enterprise", "a natural person in business")
    elif entity_type is None and all(one.scheme in _PROVES_NO_KIND for one in identifiers):
        reading.note(
            Refusal.NATURAL_PERSON_SUBJECT,
            "entity_type",
            "an entity type beside such an identifier alone",
            "none",
        )
    kind = SubjectKind.UNINCORPORATED if entity_type in vocabulary.unincorporated else SubjectKind.LEGAL_PERSON
    return reading.finding or Subject(kind=kind, names=names, identifiers=identifiers)


def refuse_persons(subjects: Sequence[Identifier], rule_pack: str) -> Refused | None:
    """Refuse (NATURAL_PERSON_SUBJECT) to ask about a code that stands for one natural person in business (S 14).

    For whoever holds the codes: home sees a pseudonym at most, and cannot tell. A Hong Kong business registration, a
    Macau commercial registration or an LEI shows nothing of this; there home's intake decides, which knows the
    entity type.
    """
    for place, one in enumerate(subjects, 1):
        if one.natural_person_linked:
            detail = f"subject {place}: an enterprise, got a natural person in business"
            return refuse(Refusal.NATURAL_PERSON_SUBJECT, rule_pack, detail)
    return None


def identity_columns(identifiers: tuple[Identifier, ...]) -> dict[str, str]:
    """The standard columns that state these identifiers, and whether a check was waived."""
    waived = any(one.check_waived for one in identifiers)
    return {_COLUMN_OF[one.scheme]: one.value for one in identifiers} | {
        "uscc_check_attested": "true" if waived else ""
    }


def _identifier(reading: Reading, column: str, text: str) -> Identifier | None:
    waived = column == "uscc" and reading.flag("uscc_check_attested") is True
    for scheme in IDENTIFIER_COLUMNS[column]:
        found = parse_identifier(scheme, text, waive_check=waived)
        if isinstance(found, Identifier):
            return found
        problem: Problem = found
    reading.note(Refusal.SUBJECT_ID_INVALID, column, problem.expected, problem.got)
    return None
