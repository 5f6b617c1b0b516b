"""Registration records (kind 101): the basic information of an enterprise (S 31(1))."""

import re
from datetime import date, timedelta
from typing import Final

from agreements.refusal import Refusal
from node.domain.identifiers import Scheme
from node.domain.reading import Finding, Reading
from node.domain.records import RegistrationContent
from node.domain.subjects import Subject
from node.domain.vocabulary import Vocabulary

REGISTRATION_COLUMNS: Final = (
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
    "established_on",
    "capital",
    "industry_section",
    "region_code",
    "address",
    "status",
    "valid_until",
    "generated_on",
)
"""The header of a standard file of registrations; columns may be missing or stand in any order."""

OPEN_ENDED: Final = date(2099, 12, 31)
"""Registers write this day for "without end"."""

_DISTRICT: Final = re.compile(r"[0-9]{6}")
_PROVINCE: Final = re.compile(r"[0-9]{2}(?:00)?(?:00)?")


def read_registration(
    reading: Reading, subject: Subject, vocabulary: Vocabulary, today: date
) -> RegistrationContent | Finding:
    """The content of one row, or what forbids it. What a register leaves out is null."""
    if not subject.names:
        reading.note(Refusal.PROVENANCE_MISSING, "name_zh", "a name in Chinese or English", "none")
    valid_until = reading.day("valid_until", date.max)
    content = RegistrationContent(
        identifiers=subject.identifiers,
        name_zh=reading.raw("name_zh") or None,
        name_en=reading.raw("name_en") or None,
        entity_type_code=reading.raw("entity_type") or None,
        established_on=reading.day("established_on", today),
        capital=reading.money("capital"),
        industry_section=reading.code("industry_section", vocabulary.industry_sections),
        region_code=_region(reading, vocabulary),
        address=reading.text("address"),
        status_code=reading.code("status", vocabulary.statuses),
        valid_until=None if valid_until is None or valid_until >= OPEN_ENDED else valid_until,
        has_lei=any(one.scheme is Scheme.LEI for one in subject.identifiers),
    )
    return reading.finding or content


def _region(reading: Reading, vocabulary: Vocabulary) -> str | None:
    """The region as home keeps it: six digits stay, but a code that names only a province is cut to two."""
    code = reading.raw("region_code").upper()
    listed = code in vocabulary.regions or (_DISTRICT.fullmatch(code) and code[:4] in vocabulary.regions)
    if not code or listed:
        return code or None
    if _PROVINCE.fullmatch(code) and code[:2] in vocabulary.regions:
        return code[:2]
    reading.note(Refusal.MALFORMED, "region_code", "HK, MO, or a listed region of GB/T 2260", "another code")
    return None


def first_lapsed_day(content: RegistrationContent) -> date | None:
    """The day after the last valid one: basic information is shown within its validity only (S 31(1))."""
    return None if content.valid_until is None else content.valid_until + timedelta(days=1)
