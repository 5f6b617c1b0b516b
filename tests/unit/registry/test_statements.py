from datetime import UTC, date, datetime

import pytest
from msgspec.structs import replace

from crypto import envelope
from crypto.canonical import canonical, to_base64
from crypto.errors import BadSignature, Malformed
from crypto.keys import Purpose
from registry.errors import BadStatement
from registry.norms.shelf import shipped_shelf
from registry.parties import Jurisdiction, PartyId
from registry.statements import (
    STATEMENT_KIND,
    Adoption,
    Desk,
    RevocationReason,
    Statement,
    StatementKind,
    Term,
    admit,
    adopt,
    read_statement,
    revoke,
)
from tests.unit.registry.cast import AGENCY, BANK, DAY, HONG_KONG, NOON, SHENZHEN, Actor, Authority

OFFICE = Authority(SHENZHEN)
(RULES,) = shipped_shelf().referred("rules/SZ-DRAFT-82")
(GRADING,) = shipped_shelf().referred("rules/CN-NDRC-2026")
TERM = Term(start=date(2026, 4, 1))
ADMISSION = Statement(
    authority=SHENZHEN.party,
    number=0,
    kind=StatementKind.ADMITTED,
    party=AGENCY.party,
    card=to_base64(AGENCY.card().raw),
    reason=None,
    effective_at=NOON,
    issued_at=NOON,
    suite=1,
)


def signed(statement: Statement) -> bytes:
    return envelope.sign(STATEMENT_KIND, statement, [SHENZHEN.signing(Purpose.DOCUMENT)])


def test_an_admission_carries_the_card() -> None:
    read = read_statement(admit(OFFICE.desk(), AGENCY.card(), NOON + DAY), OFFICE.card)

    assert read.statement == replace(ADMISSION, effective_at=NOON + DAY)
    assert read.card == AGENCY.card()


def test_a_revocation_carries_a_reason_and_no_card() -> None:
    read = read_statement(revoke(OFFICE.desk(), AGENCY.party, RevocationReason.LEFT, NOON), OFFICE.card)

    assert isinstance(read.statement, Statement)
    assert (read.statement.kind, read.statement.reason, read.card) == (
        StatementKind.REVOKED,
        RevocationReason.LEFT,
        None,
    )


def test_an_authority_admits_nobody_from_another_jurisdiction() -> None:
    with pytest.raises(BadStatement, match=r"card\.jurisdiction: expected CN-SZ, got HK"):
        admit(OFFICE.desk(), BANK.card(), NOON)


def test_an_authority_admits_no_other_authority() -> None:
    rival = Actor(party=PartyId("sz-second-dept"), jurisdiction=SHENZHEN.jurisdiction, party_class=SHENZHEN.party_class)

    with pytest.raises(BadStatement, match=r"card\.party_class"):
        admit(OFFICE.desk(), rival.card(), NOON)


def test_an_authority_says_nothing_about_itself() -> None:
    with pytest.raises(BadStatement, match="party"):
        revoke(OFFICE.desk(), SHENZHEN.party, RevocationReason.LEFT, NOON)


def test_a_card_of_another_party_is_refused() -> None:
    with pytest.raises(BadStatement, match=r"card\.party:"):
        read_statement(signed(replace(ADMISSION, party=PartyId("sz-other"))), OFFICE.card)


def test_a_statement_in_another_authoritys_name_is_refused() -> None:
    with pytest.raises(BadStatement, match="authority"):
        read_statement(signed(replace(ADMISSION, authority=HONG_KONG.party)), OFFICE.card)


@pytest.mark.parametrize(
    "changes",
    [
        {"card": None},
        {"reason": RevocationReason.LEFT},
        {"kind": StatementKind.REVOKED},
        {"kind": StatementKind.REVOKED, "card": None},
        {"kind": StatementKind.REVOKED, "reason": RevocationReason.LEFT},
    ],
)
def test_each_kind_carries_exactly_what_it_needs(changes: dict[str, object]) -> None:
    with pytest.raises(BadStatement, match="reason, card"):
        read_statement(signed(replace(ADMISSION, **changes)), OFFICE.card)


def test_a_statement_by_another_key_is_refused() -> None:
    raw = envelope.sign(STATEMENT_KIND, ADMISSION, [SHENZHEN.signing(Purpose.FRAME)])

    with pytest.raises(BadSignature):
        read_statement(raw, OFFICE.card)


def test_an_authority_does_not_issue_under_a_foreign_key() -> None:
    desk = Desk(authority=OFFICE.card, key=HONG_KONG.signing(Purpose.DOCUMENT), number=0, at=NOON)

    with pytest.raises(BadSignature):
        admit(desk, AGENCY.card(), NOON)


@pytest.mark.parametrize("written", [b'"kind":"SUSPENDED"', b'"kind":"admitted"'])
def test_a_kind_this_version_does_not_know_is_refused(written: bytes) -> None:
    payload = canonical(ADMISSION).replace(b'"kind":"ADMITTED"', written)

    with pytest.raises(Malformed):
        read_statement(envelope.sign(STATEMENT_KIND, payload, [SHENZHEN.signing(Purpose.DOCUMENT)]), OFFICE.card)


def test_a_damaged_card_inside_is_refused() -> None:
    with pytest.raises(Malformed):
        read_statement(signed(replace(ADMISSION, card=to_base64(b"{}"))), OFFICE.card)


def test_an_adoption_names_packs_by_digest_in_order_and_starts_at_midnight_in_shenzhen() -> None:
    raw = adopt(OFFICE.desk(), [RULES, GRADING], Term(start=date(2026, 4, 1), end=date(2027, 4, 1)))
    adoption = read_statement(raw, OFFICE.card).statement

    assert isinstance(adoption, Adoption)
    assert [(one.id, one.digest) for one in adoption.packs] == [
        ("CN-NDRC-2026", GRADING.digest.hex()),
        ("SZ-DRAFT-82", RULES.digest.hex()),
    ]
    assert adoption.effective_at == datetime(2026, 3, 31, 16, tzinfo=UTC)
    assert adoption.ends_at == datetime(2027, 3, 31, 16, tzinfo=UTC)


def test_an_authority_adopts_for_its_own_jurisdiction_only() -> None:
    """Whoever pins two authorities has each one's packs for its own parties, whatever the other signs."""
    adopted = read_statement(adopt(OFFICE.desk(), [RULES], TERM), OFFICE.card).statement
    foreign = envelope.sign(
        STATEMENT_KIND, replace(adopted, jurisdiction=Jurisdiction.HK), [SHENZHEN.signing(Purpose.DOCUMENT)]
    )

    with pytest.raises(BadStatement, match="jurisdiction: expected CN-SZ, got HK"):
        read_statement(foreign, OFFICE.card)


def test_a_pack_that_binds_parties_elsewhere_is_not_adopted() -> None:
    (local,) = shipped_shelf().referred("rules/HK")

    with pytest.raises(BadStatement, match="bind parties in CN-SZ, got rules/HK@1"):
        adopt(OFFICE.desk(), [local], TERM)


def test_a_pack_is_not_adopted_before_the_day_it_says() -> None:
    with pytest.raises(BadStatement, match="effective_from: expected 2026-04-01 or later"):
        adopt(OFFICE.desk(), [GRADING], Term(start=date(2026, 3, 31)))


def test_a_statement_adopts_something_and_nothing_twice() -> None:
    with pytest.raises(BadStatement, match="each once"):
        adopt(OFFICE.desk(), [RULES, RULES], TERM)
    with pytest.raises(Malformed):
        adopt(OFFICE.desk(), [], TERM)
