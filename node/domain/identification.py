"""Who a row is about: its identifiers and names, and whether that may be an enterprise at all."""

import re
from collections.abc import Sequence
from itertools import compress, count, repeat
from typing import Final

from agreements.refusal import Refusal, Refused, refuse
from node.domain.identifiers import (
    Identifier,
    Problem,
    Remark,
    Scheme,
    parse_identifier,
    plain_unified,
    unified_remarks,
)
from node.domain.reading import Finding, Reading
from node.domain.rows import Columns
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
_WAIVER: Final = "uscc_check_attested"
_LETTER: Final = re.compile("[A-Za-z]")
_LEGAL_PERSON: Final = SubjectKind.LEGAL_PERSON
_UNINCORPORATED: Final = SubjectKind.UNINCORPORATED


def read_subject(
    reading: Reading, vocabulary: Vocabulary, entity_type: str | None, names: tuple[str | None, str | None]
) -> Subject | Finding:
    """The subject of a row with these names, or what forbids it.

    Natural persons in business are refused wherever a code or the entity type shows them (S 14). A Hong Kong
    business registration, a Macau commercial registration or an LEI alone can belong to a sole proprietor, so
    with nothing else beside it the entity type must be stated.
    """
    identifiers = _identifiers(reading)
    if not identifiers:
        reading.note(Refusal.SUBJECT_ID_INVALID, "identifiers", "an identifier of a known scheme", "none")
    if entity_type in vocabulary.natural_person or _names_person(identifiers):
        reading.note(Refusal.NATURAL_PERSON_SUBJECT, "identifiers", "an enterprise", "a natural person in business")
    elif entity_type is None and all(one.scheme in _PROVES_NO_KIND for one in identifiers):
        reading.note(
            Refusal.NATURAL_PERSON_SUBJECT,
            "entity_type",
            "an entity type beside such an identifier alone",
            "none",
        )
    if reading.finding is not None:
        return reading.finding
    kind = _UNINCORPORATED if entity_type in vocabulary.unincorporated else _LEGAL_PERSON
    return Subject(kind, _stated(*names), identifiers)


def read_subjects(
    texts: Columns, vocabulary: Vocabulary, entity_types: Sequence[str | None], doubtful: set[int]
) -> tuple[list[tuple[Identifier, ...]], list[SubjectKind], list[tuple[Remark, ...]]]:
    """The identifiers and kinds of many subjects, whose texts are had by column, as `read_subject` has them; remarks.

    The places of rows that it may refuse, or that it has to look at twice, go to `doubtful`; what is given for these
    means nothing.
    """
    columns = []
    remarks: list[tuple[Remark, ...]] = [()] * len(entity_types)
    for heading, (first, *_) in IDENTIFIER_COLUMNS.items():
        column = texts(heading)
        if any(column):
            nothing: list[Identifier | None] = [None] * len(column)
            read = plain_unified(column) if first is Scheme.CN_USCC else nothing
            for place in compress(count(), column):
                if read[place] is None:
                    read[place] = _other(first, column[place], place, doubtful)
            if first is Scheme.CN_USCC:
                remarks = unified_remarks(read)
            columns.append(read)
    rows = zip(*columns, strict=True) if columns else [()] * len(entity_types)
    identifiers = [*map(tuple, map(filter, repeat(None), rows))]
    doubtful.update(compress(count(), texts(_WAIVER)))
    doubtful.update(compress(count(), map(vocabulary.natural_person.__contains__, entity_types)))
    if None in entity_types:
        doubtful.update(
            place
            for place, entity_type in enumerate(entity_types)
            if entity_type is None and _PROVES_NO_KIND.issuperset([one.scheme for one in identifiers[place]])
        )
    if not all(identifiers):
        doubtful.update(place for place, found in enumerate(identifiers) if not found)
    kinds = [_UNINCORPORATED if one in vocabulary.unincorporated else _LEGAL_PERSON for one in entity_types]
    return identifiers, kinds, remarks


def _other(scheme: Scheme, text: str, place: int, doubtful: set[int]) -> Identifier | None:
    """An enterprise's identifier; None for anything else, whose place is doubtful."""
    one = parse_identifier(scheme, text.strip())
    if isinstance(one, Identifier) and not one.natural_person_linked:
        return one
    doubtful.add(place)  # of another scheme, indeed wrong, or that of a person
    return None


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
    return {_COLUMN_OF[one.scheme]: one.value for one in identifiers} | {_WAIVER: "true" if waived else ""}


def _stated(zh: str | None, en: str | None) -> tuple[str, ...]:
    if zh and en:
        return zh, en
    one = zh or en
    return (one,) if one else ()


def _names_person(identifiers: tuple[Identifier, ...]) -> bool:
    for one in identifiers:  # noqa: SIM110 - a generator costs as much as the question
        if one.natural_person_linked:
            return True
    return False


def _identifiers(reading: Reading) -> tuple[Identifier, ...]:
    found, texts = [], reading.values.get
    for column in IDENTIFIER_COLUMNS:
        text = texts(column)
        if text and (text := text.strip()):
            one = _identifier(reading, column, text)
            if one is not None:
                found.append(one)
    return tuple(found)


def _identifier(reading: Reading, column: str, text: str) -> Identifier | None:
    waiver = reading.values.get(_WAIVER, "").strip() if column == "uscc" else ""
    waived = waiver != "" and reading.flag(_WAIVER, waiver) is True
    problems = list[Problem]()
    for scheme in IDENTIFIER_COLUMNS[column]:
        found = parse_identifier(scheme, text, waive_check=waived)
        if isinstance(found, Identifier):
            return found
        problems.append(found)
    # A dummy number of Hong Kong has letters, an ordinary one has none: each is told what it lacks itself.
    problem = problems[-1 if _LETTER.search(text) else 0]
    reading.note(Refusal.SUBJECT_ID_INVALID, column, problem.expected, problem.got)
    return None
