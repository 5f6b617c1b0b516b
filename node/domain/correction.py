"""Corrections: a record is the same row with some columns changed, and passes intake once more (S 19, 39)."""

from collections.abc import Mapping
from datetime import date
from typing import Final

from agreements.refusal import Refusal
from node.domain.identification import IDENTIFIER_COLUMNS, identity_columns
from node.domain.identifiers import Problem
from node.domain.intake import Admitted, Intake, Rejected, admit
from node.domain.mapping import STANDARD_COLUMNS
from node.domain.money import Money
from node.domain.records import (
    HomeRecord,
    PenaltyContent,
    RegistrationContent,
    digest_content,
    encode_content,
)
from node.domain.rows import Row
from node.domain.subjects import SubjectKind

_ROW: Final = 1
# A penalty keeps what kind of subject it is about, but not the entity type that said so: any type of the kind will do.
_STANDS_FOR: Final[Mapping[SubjectKind, str]] = {
    SubjectKind.LEGAL_PERSON: "OTHER",
    SubjectKind.UNINCORPORATED: "PARTNERSHIP",
    SubjectKind.NATURAL_PERSON_LINKED: "INDIVIDUAL_BUSINESS",
}
_SUBJECT: Final = (
    Refusal.SUBJECT_ID_INVALID,
    "the record's own identifiers: a record under a wrong subject is deleted and loaded anew",
    "other identifiers",
)
_NUMBER: Final = (
    Refusal.MALFORMED,
    "the record's own number: a record under a wrong number is deleted and loaded anew",
    "another number",
)
_FIXED: Final = dict.fromkeys(IDENTIFIER_COLUMNS, _SUBJECT) | {"decision_no": _NUMBER}


def columns_of(record: HomeRecord) -> dict[str, str]:
    """The row of a standard file that intake reads back into this very record, every column of its kind in order.

    Content, day of generation, digest, source key, subject and end of disclosure come out the same; the
    spelling is ours. Two columns say no more than the record knows: `generated_on` is the day of generation,
    although the row may have left it out or named a later one, and a penalty's `entity_type` is a type of the
    same kind of subject. The row is content: for home only.
    """
    content = record.content
    own = (
        _registration(content)
        if isinstance(content, RegistrationContent)
        else _penalty(content) | {"entity_type": _STANDS_FOR[record.subject_kind]}
    )
    names = {"name_zh": content.name_zh or "", "name_en": content.name_en or ""}
    empty = dict.fromkeys(STANDARD_COLUMNS[record.kind], "")
    return (
        empty | identity_columns(content.identifiers) | names | own | {"generated_on": record.generated_at.isoformat()}
    )


def correct(record: HomeRecord, changes: Mapping[str, str], intake: Intake) -> Admitted | Rejected:
    """Decide whether `record` may be corrected by `changes`, columns with their new text; "" clears one.

    The corrected record has passed every rule of intake and is still the same record: its identifiers and a
    penalty's number stay. A change that says nothing new is refused, like a column that the kind does not
    have. The day of generation stays unless `generated_on` is among the changes ("" makes it the day of
    establishment or decision); only such a day that now lies before it moves it, since the earliest counts
    (S 31). Version and withheld states are the store's, and begin here as those of any row. `intake` is opened
    for the kind and the provider of the record.
    """
    before = columns_of(record)
    if not changes.keys() <= before.keys():
        return _rejected(Refusal.MALFORMED, "changes", f"one of {', '.join(before)}", "another column")
    answer = admit(Row(_ROW, {**before, **changes}), intake)
    if isinstance(answer, Rejected):
        return answer
    after = columns_of(answer.record)
    for column, refusal in _FIXED.items():
        if after.get(column) != before.get(column):
            reason, expected, got = refusal
            return _rejected(reason, column, expected, got)
    # The digest is taken again: a record out of the store comes without one.
    if answer.record.content_digest == digest_content(record.kind, record.generated_at, encode_content(record.content)):
        return _rejected(Refusal.MALFORMED, "changes", "a change", "the same record")
    return answer


def _rejected(reason: Refusal, field: str, expected: str, got: str) -> Rejected:
    return Rejected(row=_ROW, reason=reason, problem=Problem(field, expected, got))


def _registration(content: RegistrationContent) -> dict[str, str]:
    return {
        "entity_type": content.entity_type_code or "",
        "established_on": _day(content.established_on),
        "capital": _money(content.capital),
        "industry_section": content.industry_section or "",
        "region_code": content.region_code or "",
        "address": content.address or "",
        "status": content.status_code or "",
        "valid_until": _day(content.valid_until),
    }


def _penalty(content: PenaltyContent) -> dict[str, str]:
    return {
        "decision_no": content.decision_no,
        "facts": content.facts or "",
        "legal_basis": content.legal_basis_code or "",
        "penalty_types": ";".join(content.penalty_types),
        "amount": _money(content.amount),
        "decided_on": _day(content.decided_on),
        "authority_name": content.authority_name,
        "authority_class": content.authority_class,
        "authority_level": content.authority_level,
        "performed": _flag(content.performed),
        "procedure": "GENERAL",  # no other one is admitted (S 18(1))
        "minor_circumstances": _flag(content.minor_circumstances),
        "small_impact": _flag(content.small_impact),
        "liability_borne": _flag(content.liability_borne),
        "legal_form": content.legal_form_ref,
        "severity": content.severity.value if content.severity else "",
    }


def _day(day: date | None) -> str:
    return "" if day is None else day.isoformat()


def _money(money: Money | None) -> str:
    if money is None:
        return ""
    whole, hundredths = divmod(money.amount, 100)
    return f"{whole}.{hundredths:02d} {money.currency}"


def _flag(fact: bool | None) -> str:
    return "" if fact is None else str(fact).lower()
