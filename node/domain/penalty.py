"""Administrative penalties (kind 201): category 1 of the closed list of negative information (S 18(1))."""

from datetime import date
from typing import Final

from agreements.refusal import Refusal
from node.domain.reading import Finding, Reading
from node.domain.records import PenaltyContent
from node.domain.subjects import Subject
from node.domain.vocabulary import Vocabulary
from registry.norms.overlay import Severity

PENALTY_COLUMNS: Final = (
    "uscc",
    "uscc_check_attested",
    "hk_brn",
    "hk_cr",
    "mo_tin",
    "mo_cr",
    "lei",
    "name_zh",
    "name_en",
    "entity_type",
    "decision_no",
    "facts",
    "legal_basis",
    "penalty_types",
    "amount",
    "decided_on",
    "authority_name",
    "authority_class",
    "authority_level",
    "performed",
    "procedure",
    "minor_circumstances",
    "small_impact",
    "liability_borne",
    "legal_form",
    "generated_on",
    "severity",
)
"""The header of a standard file of penalties; columns may be missing or stand in any order."""

_PROCEDURES: Final = frozenset({"GENERAL", "SUMMARY"})
_SEVERITIES: Final = frozenset(severity.value for severity in Severity)


def read_penalty(reading: Reading, subject: Subject, vocabulary: Vocabulary, today: date) -> PenaltyContent | Finding:
    """The content of one row, or what forbids it."""
    minor, small, borne = _read_exception(reading)
    decision_no = reading.need("decision_no", reading.text("decision_no"), "")
    content = PenaltyContent(
        identifiers=subject.identifiers,
        name_zh=reading.raw("name_zh") or None,
        name_en=reading.raw("name_en") or None,
        decision_no=decision_no,
        facts=reading.free_text("facts"),
        legal_basis_code=reading.code("legal_basis", vocabulary.legal_bases),
        penalty_types=reading.need("penalty_types", reading.codes("penalty_types", vocabulary.penalty_types), ()),
        amount=reading.money("amount"),
        decided_on=reading.need("decided_on", reading.day("decided_on", today), today),
        authority_name=reading.need("authority_name", reading.text("authority_name"), ""),
        authority_class=_needed_code(reading, "authority_class", vocabulary.authority_classes),
        authority_level=_needed_code(reading, "authority_level", vocabulary.authority_levels),
        performed=reading.flag("performed"),
        minor_circumstances=minor,
        small_impact=small,
        liability_borne=borne,
        legal_form_ref=reading.text("legal_form") or decision_no,
        severity=_read_severity(reading),
    )
    return reading.finding or content


def _read_severity(reading: Reading) -> Severity | None:
    code = reading.code("severity", _SEVERITIES)
    return None if code is None else Severity(code)


def _needed_code(reading: Reading, field: str, allowed: frozenset[str]) -> str:
    return reading.need(field, reading.code(field, allowed), "")


def _read_exception(reading: Reading) -> tuple[bool, bool, bool]:
    """Check the procedure and the three facts that together exempt a penalty (S 18(1)).

    Only a penalty of the general procedure is listed. It is exempt when the circumstances were minor, the
    impact on society small and the liability borne; a fact that the provider does not state counts as
    exempting.
    """
    procedure = reading.code("procedure", _PROCEDURES)
    if procedure == "SUMMARY":
        reading.note(Refusal.SUMMARY_PROCEDURE_PENALTY, "procedure", "GENERAL", "SUMMARY")
    elif procedure is None:
        reading.note(Refusal.PROVENANCE_MISSING, "procedure", "GENERAL", "none")
    stated = tuple(reading.flag(field) for field in ("minor_circumstances", "small_impact", "liability_borne"))
    if None in stated:
        reading.note(
            Refusal.MINOR_PENALTY_EXEMPT,
            "minor_circumstances",
            "all three exception facts",
            "a fact not stated",
        )
    elif all(stated):
        reading.note(
            Refusal.MINOR_PENALTY_EXEMPT,
            "minor_circumstances",
            "one exception fact that is false",
            "all three true",
        )
    minor, small, borne = (fact is True for fact in stated)
    return minor, small, borne
