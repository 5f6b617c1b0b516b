"""Every reason of the groups scope, catalogue and collection that intake gives, each reached by a test of its name."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from io import BytesIO
from types import MappingProxyType

import msgspec
import pytest

from agreements.consent import SubjectName
from agreements.refusal import Refusal, Refused
from node.domain.attestations import Attested
from node.domain.columns import needed_columns
from node.domain.intake import Admitted, Intake, Rejected, admit, open_intake
from node.domain.portion import admit_all, ready_of
from node.domain.records import Kind
from node.domain.rows import BadRow, Format, Row, read_rows
from registry.errors import IncompleteEntry
from registry.norms.catalogue import Catalogue, read_catalogue
from registry.norms.law import shipped_law
from registry.norms.overlay import Severity, SeverityBounds, read_overlay
from registry.norms.packs import shipped
from registry.norms.rule_pack import Ruled, RulePack
from registry.parties import PartyId
from tests.unit.node.domain.given import TODAY
from tests.unit.node.domain.sampled import sampled

LAW = shipped_law()
CATALOGUE, RULES = LAW.catalogue, LAW.rules
GRADING = read_overlay(shipped("rules", "CN-NDRC-2026")).severities


PROVIDER = PartyId("sz-credit")


def opened(
    kind: Kind,
    catalogue: Catalogue = CATALOGUE,
    rules: RulePack = RULES,
    severities: Mapping[Severity, SeverityBounds] = MappingProxyType({}),
    attested: Attested | None = None,
    source: str = "SZ-CREDIT",
    registered: frozenset[PartyId] | None = None,
) -> Intake | Refused:
    law = replace(LAW, catalogue=catalogue, rules=rules, severities=severities)
    return open_intake(
        kind, law, provider=PROVIDER, source_system=source, today=TODAY, registered=registered, attested=attested
    )  # fmt: skip


def taken(kind: Kind, /, **changes: str) -> Admitted | Rejected:
    return taken_by(opened(kind), kind, **changes)


def taken_by(by: Intake | Refused, kind: Kind, /, **changes: str) -> Admitted | Rejected:
    """The answer to a row alone, which is also that to the row among others."""
    (sample,) = sampled(kind)
    assert isinstance(by, Intake), by
    row = Row(2, sample | changes)
    answer = admit(row, by)
    lot, rejected = admit_all([row, row], by)
    assert [*lot.each(), *rejected] == [ready_of(answer) if isinstance(answer, Admitted) else answer] * 2
    return answer


def reason(answer: Admitted | Rejected) -> tuple[Refusal, str]:
    assert isinstance(answer, Rejected), answer
    return answer.reason, answer.problem.field


def entry_without(kind: str) -> Catalogue:
    entries = {name: entry for name, entry in CATALOGUE.entries.items() if name != kind}
    return msgspec.structs.replace(CATALOGUE, entries=entries)


def entry_with(kind: str, **changes: object) -> Catalogue:
    changed = msgspec.structs.replace(CATALOGUE.entries[kind], **changes)
    return msgspec.structs.replace(CATALOGUE, entries=CATALOGUE.entries | {kind: changed})


# Scope.


@pytest.mark.parametrize(
    ("kind", "column"),
    [
        (Kind.PENALTY, "facts"),
        (Kind.LICENCE, "content"),
        (Kind.ENFORCEMENT_DEFAULT, "obligation"),
        (Kind.LITIGATION, "parties"),
        (Kind.SERIOUS_LIST, "removal_conditions"),
        (Kind.COMMITMENT, "wording"),
        (Kind.SELF_DECLARATION, "statement"),
        (Kind.REORGANISATION, "plan"),
    ],
)
@pytest.mark.parametrize("text", ["股东的病史", "the religion of its founder", "员工血型"])
def test_excluded_category(kind: Kind, column: str, text: str) -> None:
    assert reason(taken(kind, **{column: text})) == (Refusal.EXCLUDED_CATEGORY, column)


def test_excluded_category_deep_in_a_json_line() -> None:
    """A list is read as one text, and an object within the row is not read at all."""
    (row,) = sampled(Kind.PENALTY)
    lines = [row | {"facts": ["未按期公示", "负责人患病"]}, row | {"facts": {"who": {"illness": "患病"}}}]
    raw = b"\n".join(map(msgspec.json.encode, lines))
    found, unread = read_rows(BytesIO(raw), Format.JSON_LINES)
    by = opened(Kind.PENALTY)

    assert isinstance(by, Intake)
    assert isinstance(found, Row)
    assert reason(admit(found, by)) == (Refusal.EXCLUDED_CATEGORY, "facts")
    assert isinstance(unread, BadRow)


def test_natural_person_subject() -> None:
    assert reason(taken(Kind.ARREARS, entity_type="INDIVIDUAL_BUSINESS"))[0] is Refusal.NATURAL_PERSON_SUBJECT
    assert reason(taken(Kind.UNIT_CRIME, unit_crime="false")) == (Refusal.NATURAL_PERSON_SUBJECT, "unit_crime")


def test_natural_person_subject_for_a_kind_about_natural_persons_whatever_the_rows() -> None:
    refused = opened(Kind.EXAM_MISCONDUCT)

    assert isinstance(refused, Refused)
    assert refused.reason is Refusal.NATURAL_PERSON_SUBJECT


def test_secret_or_privacy() -> None:
    assert reason(taken(Kind.ARREARS, data_class="STATE_SECRET")) == (Refusal.SECRET_OR_PRIVACY, "data_class")
    assert reason(taken(Kind.LITIGATION, court_name="法官电话13800138000"))[0] is Refusal.SECRET_OR_PRIVACY


@pytest.mark.parametrize("data_class", ["IMPORTANT", "CORE"])
def test_important_data(data_class: str) -> None:
    assert reason(taken(Kind.TRADE_PERFORMANCE, data_class=data_class)) == (Refusal.IMPORTANT_DATA, "data_class")
    assert isinstance(taken(Kind.TRADE_PERFORMANCE, data_class="GENERAL"), Admitted)


# The catalogue.


def test_not_in_catalogue() -> None:
    refused = opened(Kind.BAN, entry_without("202"))

    assert isinstance(refused, Refused)
    assert refused.reason is Refusal.NOT_IN_CATALOGUE


def test_catalogue_entry_incomplete() -> None:
    """A pack with such an entry is not loaded at all, so no import is ever measured by it."""
    text = shipped("catalogue", "SZ-2026").replace('legal_form = "identifiers"\n', "")

    with pytest.raises(IncompleteEntry, match=r"entries\.101\.legal_form"):
        read_catalogue(text)


def test_catalogue_version_unknown() -> None:
    entry = CATALOGUE.entries["202"]
    other = msgspec.structs.replace(entry, fields=entry.fields[1:])
    refused = opened(Kind.BAN, msgspec.structs.replace(CATALOGUE, version=3, entries={"202": other}))

    assert isinstance(refused, Refused)
    assert refused.reason is Refusal.CATALOGUE_VERSION_UNKNOWN


def test_catalogue_version_unknown_where_an_entry_asks_for_a_format_that_this_program_does_not_write() -> None:
    refused = opened(Kind.BAN, entry_with("202", format="creditport/rendition/v2"))

    assert isinstance(refused, Refused)
    assert refused.reason is Refusal.CATALOGUE_VERSION_UNKNOWN


@pytest.mark.parametrize("category", ["N01", "N09"])
def test_negative_category_not_listed(category: str) -> None:
    found = reason(taken(Kind.OTHER_ADVERSE, category_code=category))

    assert found == (Refusal.NEGATIVE_CATEGORY_NOT_LISTED, "category_code")


@pytest.mark.parametrize(
    ("changes", "column"),
    [
        ({"category_code": "N11", "legal_basis": ""}, "legal_basis"),
        ({"category_code": "NX"}, "basic_catalogue"),
        ({"category_code": "NX", "basic_catalogue": "全国公共信用信息基础目录2026"}, "basic_item"),
    ],
)
def test_negative_category_not_listed_without_what_it_rests_on(changes: dict[str, str], column: str) -> None:
    assert reason(taken(Kind.OTHER_ADVERSE, **changes)) == (Refusal.NEGATIVE_CATEGORY_NOT_LISTED, column)


def test_summary_procedure_penalty() -> None:
    assert reason(taken(Kind.PENALTY, procedure="SUMMARY")) == (Refusal.SUMMARY_PROCEDURE_PENALTY, "procedure")


@pytest.mark.parametrize("small_impact", ["true", ""])
def test_minor_penalty_exempt(small_impact: str) -> None:
    changes = {"minor_circumstances": "true", "small_impact": small_impact, "liability_borne": "true"}

    assert reason(taken(Kind.PENALTY, **changes)) == (Refusal.MINOR_PENALTY_EXEMPT, "minor_circumstances")


def test_threshold_not_met() -> None:
    least = RULES.arrears_thresholds.value["TAX"]

    assert isinstance(taken(Kind.ARREARS, arrears_type="TAX", amount=f"{least}元"), Admitted)
    below = reason(taken(Kind.ARREARS, arrears_type="TAX", amount=f"{least - 1}元"))
    assert below == (Refusal.THRESHOLD_NOT_MET, "amount")


def test_threshold_not_met_while_the_rule_pack_sets_none() -> None:
    empty: Ruled[dict[str, int]] = Ruled(value={}, article="18(8)")
    by = opened(Kind.ARREARS, rules=msgspec.structs.replace(RULES, arrears_thresholds=empty))

    assert reason(taken_by(by, Kind.ARREARS, amount="9亿元")) == (Refusal.THRESHOLD_NOT_MET, "arrears_type")


def test_subject_id_invalid() -> None:
    assert reason(taken(Kind.COMMENDATION, uscc="91440300MA5TERT15P"))[0] is Refusal.SUBJECT_ID_INVALID


def test_subject_id_invalid_under_a_scheme_by_which_the_kind_is_not_identified() -> None:
    by = opened(Kind.COMMENDATION, entry_with("301", identification=("CN-USCC",)))
    also_of_hong_kong = {"hk_cr": "1234567"}

    assert isinstance(taken_by(by, Kind.COMMENDATION), Admitted)
    assert isinstance(taken(Kind.COMMENDATION, **also_of_hong_kong), Admitted)
    assert reason(taken_by(by, Kind.COMMENDATION, **also_of_hong_kong)) == (Refusal.SUBJECT_ID_INVALID, "identifiers")


# Collection.


@pytest.mark.parametrize(
    ("kind", "column"),
    [
        (Kind.LICENCE, "licence_no"),
        (Kind.BAN, "decision_no"),
        (Kind.COMMITMENT_BREACH, "commitment_no"),
        (Kind.LITIGATION, "case_no"),
        (Kind.COMMENDATION, "certificate_no"),
        (Kind.REORGANISATION, "ruling_no"),
        (Kind.DISHONESTY, "basis"),
        (Kind.ARREARS, "amount"),
    ],
)
def test_provenance_missing(kind: Kind, column: str) -> None:
    assert reason(taken(kind, **{column: " "})) == (Refusal.PROVENANCE_MISSING, column)


def test_provenance_missing_of_a_commitment_that_does_not_state_the_consequences() -> None:
    assert reason(taken(Kind.COMMITMENT, consequences_stated="false"))[0] is Refusal.PROVENANCE_MISSING


@pytest.mark.parametrize("severity", ["", "UNSPECIFIED"])
def test_provenance_missing_of_severity_where_an_overlay_asks_for_it(severity: str) -> None:
    by = opened(Kind.PENALTY, severities=GRADING)

    assert reason(taken_by(by, Kind.PENALTY, severity=severity)) == (Refusal.PROVENANCE_MISSING, "severity")
    assert isinstance(taken(Kind.PENALTY, severity=severity), Admitted)
    assert isinstance(taken_by(opened(Kind.LICENCE, severities=GRADING), Kind.LICENCE), Admitted)


@pytest.mark.parametrize(
    ("severity", "until"),
    [("MINOR", date(2026, 9, 1)), ("GENERAL", date(2027, 6, 1)), ("SERIOUS", date(2029, 6, 1))],
)
def test_an_overlay_bounds_the_period_by_severity(severity: str, until: date) -> None:
    answer = taken_by(
        opened(Kind.PENALTY, severities=GRADING), Kind.PENALTY, severity=severity, decided_on="2026-06-01"
    )

    assert isinstance(answer, Admitted)
    assert answer.record.disclose_until == until


@pytest.mark.parametrize("kind", [Kind.MARKET_GRADE, Kind.TRADE_PERFORMANCE, Kind.CREDIT_FACILITY])
def test_consent_missing(kind: Kind) -> None:
    assert reason(taken(kind, consent="")) == (Refusal.CONSENT_MISSING, "consent")
    assert reason(taken(kind, consented_on="")) == (Refusal.CONSENT_MISSING, "consent")


def test_consent_expired() -> None:
    changes = {"consented_on": "2026-01-05", "consent_until": "2026-11-22"}

    assert reason(taken(Kind.CREDIT_FACILITY, **changes)) == (Refusal.CONSENT_EXPIRED, "consent_until")
    assert isinstance(taken(Kind.CREDIT_FACILITY, **changes | {"consent_until": "2026-11-23"}), Admitted)


@pytest.mark.parametrize("until", ["", "2099-12-31", "2027-11-03"])
def test_consent_lifelong(until: str) -> None:
    answer = taken(Kind.TRADE_PERFORMANCE, consented_on="2026-11-02", consent_until=until)

    assert reason(answer) == (Refusal.CONSENT_LIFELONG, "consent_until")


@pytest.mark.parametrize("standalone", ["false", ""])
def test_consent_bundled(standalone: str) -> None:
    answer = taken(Kind.TRADE_PERFORMANCE, consent_standalone=standalone)

    assert reason(answer) == (Refusal.CONSENT_BUNDLED, "consent_standalone")


@pytest.mark.parametrize("kind", [Kind.TRADE_PERFORMANCE, Kind.CREDIT_FACILITY])
@pytest.mark.parametrize("warned", ["false", ""])
def test_adverse_warning_missing(kind: Kind, warned: str) -> None:
    assert reason(taken(kind, consent_warned=warned)) == (Refusal.ADVERSE_WARNING_MISSING, "consent_warned")
    assert isinstance(taken(kind, consent_warned="true"), Admitted)


@pytest.mark.parametrize("kind", [Kind.MARKET_GRADE, Kind.SELF_DECLARATION])
def test_what_the_rules_do_not_list_is_taken_in_without_a_warning(kind: Kind) -> None:
    listed = msgspec.structs.replace(RULES, adverse_warning_kinds=Ruled(value=frozenset({kind.value}), article="23"))

    assert isinstance(taken(kind, consent_warned=""), Admitted)
    assert reason(taken_by(opened(kind, rules=listed), kind, consent_warned="")) == (
        *(Refusal.ADVERSE_WARNING_MISSING, "consent_warned"),
    )
    assert ("consent_warned" in needed_columns(kind)) is False
    assert "consent_warned" in needed_columns(Kind.CREDIT_FACILITY)


def test_attestation_missing() -> None:
    assert reason(taken(Kind.SELF_DECLARATION, attestation="")) == (Refusal.ATTESTATION_MISSING, "attestation")


def test_attestation_missing_where_nobody_attested_what_the_row_says() -> None:
    """Rows that are signed, and then changed, are in test_declarations.py."""
    kind = Kind.SELF_DECLARATION

    assert isinstance(taken(kind), Admitted)
    assert reason(taken_by(opened(kind, attested=Attested()), kind)) == (Refusal.ATTESTATION_MISSING, "attestation")


def test_attestation_missing_where_nobody_attested_a_code_that_does_not_fit() -> None:
    early = {"uscc": "91350211M0000XUF46", "uscc_check_attested": "true"}
    names = [SubjectName(scheme="CN-USCC", value=code) for code in (early["uscc"], "91350211M0000XUF45")]
    kind = Kind.REGISTRATION
    covered, other, none = (Attested(identifiers=frozenset(some)) for some in (names[:1], names[1:], ()))

    assert isinstance(taken_by(opened(kind, attested=covered), kind, **early), Admitted)
    for attested in (other, none):
        answer = taken_by(opened(kind, attested=attested), kind, **early)
        assert reason(answer) == (Refusal.ATTESTATION_MISSING, "uscc_check_attested")


def test_a_row_that_needs_nobody_s_word_is_asked_for_none() -> None:
    assert isinstance(taken_by(opened(Kind.PENALTY, attested=Attested()), Kind.PENALTY), Admitted)


ONE = frozenset({PROVIDER})


def test_provider_not_registered_where_the_catalogue_does_not_list_the_source_for_the_kind() -> None:
    """S 8: from the municipal system, or a source of the entry; the answer names them and nothing that was typed."""
    answer = opened(Kind.LITIGATION, source="somebody's folder", registered=ONE)

    assert isinstance(answer, Refused)
    assert (answer.reason, answer.detail) == (
        Refusal.PROVIDER_NOT_REGISTERED, "source_system: expected one of SZ-CREDIT, COURT, got another",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "source", "known"),
    [
        (Kind.LITIGATION, "SZ-CREDIT", True),
        (Kind.LITIGATION, "COURT", True),
        (Kind.LITIGATION, "REGISTRAR", False),
        (Kind.LITIGATION, "OWN-BUSINESS", False),
        (Kind.LITIGATION, "PUBLICATION:court gazette", False),
        (Kind.CREDIT_FACILITY, "OWN-BUSINESS", True),
        (Kind.CREDIT_FACILITY, "PUBLICATION:annual report", True),
        (Kind.CREDIT_FACILITY, "PUBLICATION", False),
        (Kind.CREDIT_FACILITY, "SZ-CREDIT", False),
    ],
)
def test_public_and_other_information_each_enter_from_their_own_sources(
    kind: Kind, source: str, *, known: bool
) -> None:
    assert isinstance(opened(kind, source=source, registered=ONE), Intake) is known


@pytest.mark.parametrize(
    ("which", "reason"),
    [
        ("a" * 200, Refusal.MALFORMED),
        ("annual report\n2025", Refusal.MALFORMED),
        ("the page of a@b.cn", Refusal.SECRET_OR_PRIVACY),
        ("电话13800138000", Refusal.SECRET_OR_PRIVACY),
    ],
)
def test_a_publication_is_named_in_a_few_words_that_name_no_person(which: str, reason: Refusal) -> None:
    answer = opened(Kind.CREDIT_FACILITY, source=f"PUBLICATION:{which}", registered=ONE)

    assert isinstance(answer, Refused)
    assert answer.reason is reason
    assert which not in (answer.detail or "")


def test_a_catalogue_that_lists_another_source_takes_records_from_it() -> None:
    listing = entry_with("221", sources=("ARBITRATION",))

    assert isinstance(opened(Kind.LITIGATION, listing, source="ARBITRATION", registered=ONE), Intake)
    assert isinstance(opened(Kind.LITIGATION, listing, source="COURT", registered=ONE), Refused)


@pytest.mark.parametrize("source", ["", " "])
def test_provenance_missing_without_any_source(source: str) -> None:
    answer = opened(Kind.TRADE_PERFORMANCE, source=source, registered=ONE)

    assert isinstance(answer, Refused)
    assert (answer.reason, answer.detail) == (
        *(Refusal.PROVENANCE_MISSING, "source_system: expected one of OWN-BUSINESS, PUBLICATION:<which>, got none"),
    )


def test_what_is_here_is_corrected_and_looked_at_again_whatever_it_came_from() -> None:
    """The door is for what enters; a catalogue that drops a source recalls nothing that came from it."""
    assert isinstance(opened(Kind.LITIGATION, source="a source of before", registered=None), Intake)


def test_provider_not_registered() -> None:
    answer = opened(Kind.PENALTY, registered=frozenset({PartyId("hk-bank")}))

    assert isinstance(answer, Refused)
    assert (answer.reason, answer.detail.split(":")[0]) == (Refusal.PROVIDER_NOT_REGISTERED, "provider")
    assert isinstance(opened(Kind.PENALTY, registered=frozenset({PROVIDER})), Intake)


def test_a_provider_that_the_catalogue_lists_for_the_kind_needs_no_registration() -> None:
    entry = msgspec.structs.replace(CATALOGUE.entries["201"], providers=frozenset({PROVIDER}))
    listing = msgspec.structs.replace(CATALOGUE, entries={**CATALOGUE.entries, "201": entry})

    assert isinstance(opened(Kind.PENALTY, listing, registered=frozenset()), Intake)
    assert isinstance(opened(Kind.LICENCE, listing, registered=frozenset()), Refused)


# Reasons of other groups that intake gives, too.


def test_list_condition_ceased() -> None:
    assert reason(taken(Kind.SERIOUS_LIST, corrected="true")) == (Refusal.LIST_CONDITION_CEASED, "corrected")


def test_grade_unmapped() -> None:
    changes = {"scale_id": "CN-TAX", "symbol": "AAA"}

    assert reason(taken(Kind.PUBLIC_GRADE, **changes)) == (Refusal.GRADE_UNMAPPED, "symbol")


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        (Kind.TRADE_PERFORMANCE, {"days_late": "-3"}),
        (Kind.TRADE_PERFORMANCE, {"period": "2026-13"}),
        (Kind.TRADE_PERFORMANCE, {"period": "2026-12"}),
        (Kind.SELF_DECLARATION, {"attestation": "abc"}),
        (Kind.ARREARS, {"arrears_type": "RENT"}),
        (Kind.BAN, {"banned_from": "soon"}),
    ],
)
def test_malformed(kind: Kind, changes: dict[str, str]) -> None:
    assert reason(taken(kind, **changes)) == (Refusal.MALFORMED, next(iter(changes)))
