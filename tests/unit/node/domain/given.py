"""Rows and records that the tests of intake, rendition and serving start from."""

from datetime import date

from crypto.document_token import document_tokens
from node.domain.intake import Admitted, Intake, Rejected, admit, open_intake
from node.domain.records import Kind
from node.domain.rows import Row
from registry.norms.law import shipped_law
from registry.parties import PartyId

TODAY = date(2026, 11, 23)
TOKENS = document_tokens(b"seed of a home in these tests ok", "0a" * 16)
"""Home's document tokens under some agreement."""
USCC = "91440300MA5TERT15Q"
REGISTRATION = {
    "uscc": USCC,
    "name_zh": "深圳市示例科技有限公司",
    "name_en": "Sample Technology Co., Ltd.",
    "entity_type": "LIMITED",
    "established_on": "1998-06-18",
    "capital": "50（万元）",
    "industry_section": "C",
    "region_code": "440300",
    "address": "深圳市南山区示例路7号",
    "status": "ACTIVE",
}
PENALTY = {
    "uscc": USCC,
    "name_zh": "深圳市示例科技有限公司",
    "decision_no": "深市监罚〔2024〕77号",
    "facts": "未按规定期限办理变更登记",
    "legal_basis": "REGISTRATION",
    "penalty_types": "FINE;WARNING",
    "amount": "23,456元",
    "decided_on": "2024-03-05",
    "authority_name": "深圳市市场监督管理局",
    "authority_class": "MARKET_REG",
    "authority_level": "CITY",
    "performed": "true",
    "procedure": "GENERAL",
    "minor_circumstances": "false",
    "small_impact": "true",
    "liability_borne": "true",
}


def intake(kind: Kind) -> Intake:
    opened = open_intake(
        kind,
        shipped_law(),
        provider=PartyId("sz-credit"),
        source_system="SZ-CREDIT",
        today=TODAY,
    )
    assert isinstance(opened, Intake)
    return opened


def register(**changes: str) -> Admitted | Rejected:
    return admit(Row(2, REGISTRATION | changes), intake(Kind.REGISTRATION))


def penalise(**changes: str) -> Admitted | Rejected:
    return admit(Row(2, PENALTY | changes), intake(Kind.PENALTY))


def registered(**changes: str) -> Admitted:
    answer = register(**changes)
    assert isinstance(answer, Admitted), answer
    return answer


def penalised(**changes: str) -> Admitted:
    answer = penalise(**changes)
    assert isinstance(answer, Admitted), answer
    return answer
