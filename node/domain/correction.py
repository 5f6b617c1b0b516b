"""Corrections: a record is the same row with some columns changed, and passes intake once more (S 19, 39)."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Final

from agreements.declaration import DECLARED
from agreements.refusal import Refusal
from node.domain.columns import standard_columns
from node.domain.identification import IDENTIFIER_COLUMNS, identity_columns
from node.domain.identifiers import Problem
from node.domain.intake import Admitted, Intake, Rejected, admit
from node.domain.money import Money
from node.domain.reading import Finding
from node.domain.records import HomeRecord, Kind, Stored, digest_content, encode_content, shipped_entry
from node.domain.rows import Row
from node.domain.subjects import SubjectKind
from registry.norms.catalogue import Condition, HomeField

_ROW: Final = 1
# Most kinds keep what kind of subject they are about, but not the entity type that said so: any type of it will do.
_STANDS_FOR: Final[Mapping[SubjectKind, str]] = {
    SubjectKind.LEGAL_PERSON: "OTHER",
    SubjectKind.UNINCORPORATED: "PARTNERSHIP",
    SubjectKind.NATURAL_PERSON_LINKED: "INDIVIDUAL_BUSINESS",
}
# What is judged and not kept had the one value that is admitted (S 18(1)).
_ONLY_ADMITTED: Final[Mapping[str, str]] = {"procedure": "GENERAL"}
_SUBJECT: Final = Finding(
    Refusal.SUBJECT_ID_INVALID,
    Problem(
        "identifiers",
        "the record's own identifiers: a record under a wrong subject is deleted and loaded anew",
        "other identifiers",
    ),
)
_NUMBER: Final = Finding(
    Refusal.MALFORMED,
    Problem(
        "changes",
        "the record's own number: a record under a wrong number is deleted and loaded anew",
        "another number",
    ),
)
_SIGNED: Final = Finding(
    Refusal.ATTESTATION_MISSING,
    Problem("changes", "what its subject signed: another declaration is signed by it, and loaded", "something else"),
)


def columns_of(record: HomeRecord) -> dict[str, str]:
    """The row of a standard file that intake reads back into this very record, every column of its kind in order.

    Content, day of generation, digest, source key, subject and end of disclosure come out the same; the
    spelling is ours. Two columns say no more than the record knows: `generated_on` is the day of generation,
    although the row may have left it out or named a later one, and where the kind does not keep it, `entity_type` is a
    type of the same kind of subject. The row is content: for home only.
    """
    content = record.content
    names = {
        "name_zh": content.name_zh or "",
        "name_en": content.name_en or "",
        "entity_type": _STANDS_FOR[record.subject_kind],
    }
    own = {field.heading: _written(record, field) for field in shipped_entry(record.kind).columns}
    return (
        dict.fromkeys(standard_columns(record.kind), "")
        | identity_columns(content.identifiers)
        | names
        | own
        | {"generated_on": record.generated_at.isoformat()}
    )


def correct(record: HomeRecord, changes: Mapping[str, str], intake: Intake) -> Admitted | Rejected:
    """Decide whether `record` may be corrected by `changes`, columns with their new text; "" clears one.

    The corrected record has passed every rule of intake and is still the same record: its identifiers and its
    number stay, and so does whatever its subject signed itself (S 26). A change that says nothing new is refused, like
    a column that the kind does not have. The day of generation stays unless `generated_on` is among the changes (""
    makes it the earliest of the record's own days); only such a day that now lies before it moves it, since the
    earliest counts (S 31). Version and withheld states are the store's, and begin here as those of any row. `intake` is
    opened for the kind and the provider of the record.
    """
    before = columns_of(record)
    if not changes.keys() <= before.keys():
        return _rejected(Refusal.MALFORMED, "changes", f"one of {', '.join(before)}", "another column")
    answer = admit(Row(_ROW, {**before, **changes}), intake)
    if isinstance(answer, Rejected):
        return answer
    after = columns_of(answer.record)
    for column, finding in _fixed(record.kind).items():
        if after.get(column) != before.get(column):
            problem = finding.problem
            return _rejected(finding.reason, column, problem.expected, problem.got)
    # The digest is taken again: a record out of the store comes without one.
    if answer.record.content_digest == digest_content(record.kind, record.generated_at, encode_content(record.content)):
        return _rejected(Refusal.MALFORMED, "changes", "a change", "the same record")
    return answer


def _fixed(kind: Kind) -> dict[str, Finding]:
    """The columns that make a record this one, each with what to say of another text in it.

    They are its subject's, its key, and what is the subject's own signed word.
    """
    entry = shipped_entry(kind)
    key = [field.heading for field in entry.columns if field.name in entry.key]
    signed = (*DECLARED, "attestation") if Condition.ATTESTED in entry.conditions else ()
    return dict.fromkeys(IDENTIFIER_COLUMNS, _SUBJECT) | dict.fromkeys(signed, _SIGNED) | dict.fromkeys(key, _NUMBER)


def _rejected(reason: Refusal, field: str, expected: str, got: str) -> Rejected:
    return Rejected(row=_ROW, reason=reason, problem=Problem(field, expected, got))


def _written(record: HomeRecord, field: HomeField) -> str:
    if not field.stored:
        return _ONLY_ADMITTED.get(field.name, "")
    value = record.content[field.name]
    return "" if value is None else _WRITERS.get(type(value), str)(value)


def _money(value: Stored) -> str:
    if not isinstance(value, Money):
        return ""
    whole, hundredths = divmod(value.amount, 100)
    return f"{whole}.{hundredths:02d} {value.currency}"


_WRITERS: Final[Mapping[type, Callable[[Stored], str]]] = {
    Money: _money,
    bool: lambda value: str(value).lower(),
    tuple: lambda value: ";".join(value) if isinstance(value, tuple) else "",
    date: str,
}
