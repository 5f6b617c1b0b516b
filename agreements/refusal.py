"""Why something was not shown or not accepted: the one flat enum of reasons, each with its article.

A refusal is an answer. It carries a stable code, the article it rests on and the rule pack that was
applied, and never any content. The wire mirrors this enum by number (`REASON_<CODE>`).
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib import resources
from itertools import chain
from types import MappingProxyType
from typing import Final


class Refusal(StrEnum):
    """Every reason for which a node refuses, withholds or rejects. Codes are permanent."""

    # What may be credit information at all.
    EXCLUDED_CATEGORY = "EXCLUDED_CATEGORY"
    NATURAL_PERSON_SUBJECT = "NATURAL_PERSON_SUBJECT"
    SECRET_OR_PRIVACY = "SECRET_OR_PRIVACY"  # noqa: S105 - a reason code
    IMPORTANT_DATA = "IMPORTANT_DATA"
    OUT_OF_TERRITORY = "OUT_OF_TERRITORY"
    # The catalogue.
    NOT_IN_CATALOGUE = "NOT_IN_CATALOGUE"
    CATALOGUE_ENTRY_INCOMPLETE = "CATALOGUE_ENTRY_INCOMPLETE"
    CATALOGUE_VERSION_UNKNOWN = "CATALOGUE_VERSION_UNKNOWN"
    NEGATIVE_CATEGORY_NOT_LISTED = "NEGATIVE_CATEGORY_NOT_LISTED"
    SUMMARY_PROCEDURE_PENALTY = "SUMMARY_PROCEDURE_PENALTY"
    MINOR_PENALTY_EXEMPT = "MINOR_PENALTY_EXEMPT"
    THRESHOLD_NOT_MET = "THRESHOLD_NOT_MET"
    SUBJECT_ID_INVALID = "SUBJECT_ID_INVALID"
    # Collection and consent.
    PROVENANCE_MISSING = "PROVENANCE_MISSING"
    PROVIDER_NOT_REGISTERED = "PROVIDER_NOT_REGISTERED"
    CONSENT_MISSING = "CONSENT_MISSING"
    CONSENT_EXPIRED = "CONSENT_EXPIRED"
    CONSENT_WITHDRAWN = "CONSENT_WITHDRAWN"
    CONSENT_LIFELONG = "CONSENT_LIFELONG"
    CONSENT_BUNDLED = "CONSENT_BUNDLED"
    CONSENT_SCOPE_EXCEEDED = "CONSENT_SCOPE_EXCEEDED"
    PURPOSE_MISMATCH = "PURPOSE_MISMATCH"
    ATTESTATION_MISSING = "ATTESTATION_MISSING"
    ADVERSE_WARNING_MISSING = "ADVERSE_WARNING_MISSING"
    NOT_DEIDENTIFIED = "NOT_DEIDENTIFIED"
    # The agreement.
    PARTY_NOT_ELIGIBLE = "PARTY_NOT_ELIGIBLE"
    AGREEMENT_MISSING = "AGREEMENT_MISSING"
    AGREEMENT_NOT_FILED = "AGREEMENT_NOT_FILED"
    AGREEMENT_FILING_OVERDUE = "AGREEMENT_FILING_OVERDUE"
    AGREEMENT_EXPIRED = "AGREEMENT_EXPIRED"
    AGREEMENT_SUSPENDED = "AGREEMENT_SUSPENDED"
    AGREEMENT_SCOPE = "AGREEMENT_SCOPE"
    PUBLIC_INFO_SCOPE = "PUBLIC_INFO_SCOPE"
    ONWARD_TRANSFER_FORBIDDEN = "ONWARD_TRANSFER_FORBIDDEN"
    RECIPROCITY_MISSING = "RECIPROCITY_MISSING"
    # The query.
    IDENTITY_NOT_PROVEN = "IDENTITY_NOT_PROVEN"
    AUTHORISATION_MISSING = "AUTHORISATION_MISSING"
    BATCH_NOT_PERMITTED = "BATCH_NOT_PERMITTED"
    BATCH_LIMIT = "BATCH_LIMIT"
    GOVERNMENT_ONLY = "GOVERNMENT_ONLY"
    PURPOSE_NOT_ALLOWED_ABROAD = "PURPOSE_NOT_ALLOWED_ABROAD"
    ADVERSE_USE_FORBIDDEN = "ADVERSE_USE_FORBIDDEN"
    # Withheld: silent to peers, explained to the subject and the regulator.
    DISCLOSURE_PERIOD_EXPIRED = "DISCLOSURE_PERIOD_EXPIRED"
    BASIC_INFO_LAPSED = "BASIC_INFO_LAPSED"
    RECORD_SUSPENDED = "RECORD_SUSPENDED"
    RECORD_REPAIRED = "RECORD_REPAIRED"
    RECORD_DELETED = "RECORD_DELETED"
    SUBJECT_OPT_OUT = "SUBJECT_OPT_OUT"
    REVOCATION_PENDING = "REVOCATION_PENDING"
    LIST_CONDITION_CEASED = "LIST_CONDITION_CEASED"
    REORGANISATION_PAST_INFO = "REORGANISATION_PAST_INFO"
    # Disputes.
    DISPUTE_NO_STANDING = "DISPUTE_NO_STANDING"
    DISPUTE_LATE_NEEDS_APPROVAL = "DISPUTE_LATE_NEEDS_APPROVAL"
    DISPUTE_UNKNOWN_RECORD = "DISPUTE_UNKNOWN_RECORD"
    EXTENSION_UNAPPROVED = "EXTENSION_UNAPPROVED"
    EXTENSION_OVER_CAP = "EXTENSION_OVER_CAP"
    UNVERIFIABLE_DELETE = "UNVERIFIABLE_DELETE"
    # Repair and reorganisation.
    REPAIR_MIN_PERIOD_NOT_ELAPSED = "REPAIR_MIN_PERIOD_NOT_ELAPSED"
    REPAIR_SEVERE_EXCLUDED = "REPAIR_SEVERE_EXCLUDED"
    REPAIR_COMMITMENT_MISSING = "REPAIR_COMMITMENT_MISSING"
    REPAIR_DUTY_NOT_PERFORMED = "REPAIR_DUTY_NOT_PERFORMED"
    REORG_RULING_MISSING = "REORG_RULING_MISSING"
    COURT_NOTICE_MISSING = "COURT_NOTICE_MISSING"
    # Deletion.
    DELETION_WITHOUT_BASIS = "DELETION_WITHOUT_BASIS"
    # Peers and risk.
    PEER_UNKNOWN = "PEER_UNKNOWN"
    PEER_SUSPENDED = "PEER_SUSPENDED"
    PEER_REVIEW_OVERDUE = "PEER_REVIEW_OVERDUE"
    RULES_NOT_FILED = "RULES_NOT_FILED"
    MLPS_EVIDENCE_MISSING = "MLPS_EVIDENCE_MISSING"
    USAGE_REPORT_OVERDUE = "USAGE_REPORT_OVERDUE"
    NOTICE_BACKLOG = "NOTICE_BACKLOG"
    RISK_LIMIT = "RISK_LIMIT"
    EXPORT_PATH_MISSING = "EXPORT_PATH_MISSING"
    INSPECTION_HOLD = "INSPECTION_HOLD"
    # The wire, and the state of a node.
    SIGNATURE_INVALID = "SIGNATURE_INVALID"
    KEY_REVOKED = "KEY_REVOKED"
    REPLAYED = "REPLAYED"
    STALE_VERSION = "STALE_VERSION"
    UNKNOWN_EVENT_TYPE = "UNKNOWN_EVENT_TYPE"
    SCHEMA_VERSION = "SCHEMA_VERSION"
    CALENDAR_UNAVAILABLE = "CALENDAR_UNAVAILABLE"
    MALFORMED = "MALFORMED"
    OVERSIZED = "OVERSIZED"
    UNKNOWN_FIELD = "UNKNOWN_FIELD"
    SEAL_INVALID = "SEAL_INVALID"
    OUT_OF_ORDER = "OUT_OF_ORDER"
    REGISTRY_STALE = "REGISTRY_STALE"
    JOURNAL_UNAVAILABLE = "JOURNAL_UNAVAILABLE"
    PEER_UNREACHABLE = "PEER_UNREACHABLE"
    NOT_READY = "NOT_READY"
    # Recognition.
    GRADE_UNMAPPED = "GRADE_UNMAPPED"
    RECOGNITION_NOT_IN_FORCE = "RECOGNITION_NOT_IN_FORCE"
    SCALE_UNKNOWN = "SCALE_UNKNOWN"


_FIRST_OF_GROUP: Final = (
    (100, Refusal.EXCLUDED_CATEGORY),
    (200, Refusal.NOT_IN_CATALOGUE),
    (300, Refusal.PROVENANCE_MISSING),
    (400, Refusal.PARTY_NOT_ELIGIBLE),
    (500, Refusal.IDENTITY_NOT_PROVEN),
    (600, Refusal.DISCLOSURE_PERIOD_EXPIRED),
    (700, Refusal.DISPUTE_NO_STANDING),
    (800, Refusal.REPAIR_MIN_PERIOD_NOT_ELAPSED),
    (900, Refusal.DELETION_WITHOUT_BASIS),
    (1000, Refusal.PEER_UNKNOWN),
    (1100, Refusal.SIGNATURE_INVALID),
    (1200, Refusal.GRADE_UNMAPPED),
)


def _number() -> dict[Refusal, int]:
    codes = tuple(Refusal)
    starts = [codes.index(first) for _, first in _FIRST_OF_GROUP]
    ends = [*starts[1:], len(codes)]
    groups = zip(_FIRST_OF_GROUP, starts, ends, strict=True)
    return dict(
        chain.from_iterable(
            ((code, base + place) for place, code in enumerate(codes[start:end], start=1))
            for (base, _), start, end in groups
        )
    )


NUMBER: Final[Mapping[Refusal, int]] = MappingProxyType(_number())
"""The permanent number of each code: 1xx scope, 2xx catalogue, 3xx collection, 4xx agreement, 5xx query,
6xx withheld, 7xx dispute, 8xx repair, 9xx deletion, 10xx peer and risk, 11xx wire, 12xx recognition. A new
code goes to the end of its group, so that no number ever moves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """One reason in words: the article it rests on and one plain sentence in each language."""

    article: str
    en: str
    zh: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The answer "no": why, resting on which article of which rule pack.

    `detail` names a field, what was expected and what was got, in codes only; it never holds content.
    """

    reason: Refusal
    article: str
    rule_pack: str
    detail: str = ""


Fault = tuple[Refusal, str]
"""A reason with its detail, before it is said under which rule pack it refuses."""


@cache
def _explanations() -> Mapping[Refusal, Explanation]:
    text = resources.files("agreements").joinpath("data", "refusals.toml").read_text(encoding="utf-8")
    return {Refusal(code): Explanation(**entry) for code, entry in tomllib.loads(text).items()}


def explain(code: Refusal) -> Explanation:
    """Say what `code` means and which article it rests on ("S 34" = draft regulation, article 34)."""
    return _explanations()[code]


def refuse(reason: Refusal, rule_pack: str, detail: str = "") -> Refused:
    """Refuse for `reason`, on the article that the reason rests on, under `rule_pack` (its id)."""
    return Refused(reason, explain(reason).article, rule_pack, detail)
