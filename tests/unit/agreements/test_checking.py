from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from agreements.checking import Problem, check_terms
from agreements.refusal import Refusal
from agreements.terms import (
    Direction,
    ExportPath,
    FieldTerms,
    KindTerms,
    Manner,
    Quotas,
    Terms,
    epoch_at,
)
from registry.norms.catalogue import Catalogue, Nature, Precision, Publicity
from registry.parties import Jurisdiction, PartyCard, PartyClass
from tests.unit.agreements.world import (
    AGENCY,
    BANK,
    CATALOGUE,
    END,
    EPOCHS,
    MIDDLE,
    RULES,
    SNAPSHOT,
    START,
    TERMS,
    terms_with,
)


def card(party: Any, **changed: Any) -> PartyCard:
    listed = SNAPSHOT.party(party)
    assert listed is not None
    return replace(listed.card.card, **changed)


def problems(
    terms: Terms, catalogue: Catalogue = CATALOGUE, provider: Any = None, recipient: Any = None
) -> tuple[Problem, ...]:
    return check_terms(terms, card(AGENCY, **provider or {}), card(BANK, **recipient or {}), RULES, catalogue)


def fields(terms: Terms) -> list[str]:
    return [problem.field for problem in problems(terms)]


def kind(code: str, *names: tuple[str, Precision]) -> KindTerms:
    return KindTerms(kind=code, fields=tuple(FieldTerms(name=name, precision=precision) for name, precision in names))


def test_sound_terms_have_no_problem() -> None:
    assert problems(TERMS) == ()


@pytest.mark.parametrize(
    ("changed", "field", "reason"),
    [
        ({"recipient": AGENCY}, "recipient", Refusal.MALFORMED),
        ({"provider": BANK}, "provider", Refusal.MALFORMED),
        ({"direction": Direction.NORTHBOUND}, "direction", Refusal.OUT_OF_TERRITORY),
        ({"suite": 9}, "suite", Refusal.SCHEMA_VERSION),
        ({"rule_pack": "OTHER@1"}, "rule_pack", Refusal.SCHEMA_VERSION),
        ({"calendar": "HK"}, "calendar", Refusal.CALENDAR_UNAVAILABLE),
        ({"catalogue": "SZ-2026@9"}, "catalogue", Refusal.CATALOGUE_VERSION_UNKNOWN),
        ({"onward_transfer": True}, "onward_transfer", Refusal.ONWARD_TRANSFER_FORBIDDEN),
        ({"export_path": ExportPath.CN_SCC}, "export_path", Refusal.EXPORT_PATH_MISSING),
        ({"purposes": ("GOV_PROCUREMENT",)}, "purposes", Refusal.PURPOSE_NOT_ALLOWED_ABROAD),
        ({"natures": (Nature.OTHER,)}, "natures", Refusal.MALFORMED),
        ({"kinds": (kind("999", ("grade", Precision.BAND)),)}, "kinds", Refusal.NOT_IN_CATALOGUE),
        (
            {"kinds": (kind("101", ("name_zh", Precision.EXACT_CODE)),)},
            "kinds.101.name_zh",
            Refusal.AGREEMENT_SCOPE,
        ),
        (
            {"kinds": (kind("201", ("decision", Precision.BAND)),)},
            "kinds.201.decision",
            Refusal.AGREEMENT_SCOPE,
        ),
        ({"retention_days": 91}, "retention_days", Refusal.MALFORMED),
        ({"title": "Ask 13800138000"}, "title", Refusal.SECRET_OR_PRIVACY),
        ({"liability_contacts": ("someone@example.com",)}, "liability_contacts", Refusal.SECRET_OR_PRIVACY),
        ({"title": "Cross\u202eborder"}, "title", Refusal.MALFORMED),
        ({"effective_from": END}, "expires_at", Refusal.MALFORMED),
        ({"stated_signing_date": date(2026, 5, 2)}, "effective_from", Refusal.MALFORMED),
    ],
)
def test_each_unsound_term_is_named_with_its_reason(changed: dict[str, Any], field: str, reason: Refusal) -> None:
    found = problems(terms_with(**changed))

    assert (field, reason) in {(problem.field, problem.reason) for problem in found}


@pytest.mark.parametrize(
    "epochs",
    [
        EPOCHS[:1],
        EPOCHS[1:],
        (EPOCHS[0], replace(EPOCHS[1], starts=MIDDLE + timedelta(seconds=1))),
        (EPOCHS[0], replace(EPOCHS[1], number=3)),
        (EPOCHS[0], replace(EPOCHS[1], public_key=EPOCHS[0].public_key)),
        (EPOCHS[0], replace(EPOCHS[1], public_key="ff" * 32)),
        (replace(EPOCHS[0], starts=MIDDLE), EPOCHS[1]),
    ],
    ids=["ends early", "starts late", "gap", "number skipped", "key twice", "no point", "empty"],
)
def test_epochs_that_do_not_cover_the_validity_one_after_another_are_a_problem(epochs: Any) -> None:
    assert "epochs" in fields(terms_with(epochs=epochs))


def test_terms_in_the_last_year_of_the_calendar_are_checked_like_others() -> None:
    begins, ends = (datetime(9999, 12, 31, hour, tzinfo=UTC) for hour in (18, 20))
    epochs = (replace(EPOCHS[0], starts=begins, ends=ends),)

    assert fields(terms_with(effective_from=begins, expires_at=ends, epochs=epochs)) == []


def test_a_term_longer_than_the_rule_pack_allows_is_a_problem() -> None:
    late = datetime(2029, 5, 1, 0, 0, 1, tzinfo=UTC)
    epochs = (EPOCHS[0], replace(EPOCHS[1], ends=late))

    assert fields(terms_with(expires_at=late, epochs=epochs)) == ["expires_at"]


def test_an_epoch_quota_above_the_lifetime_quota_is_a_problem() -> None:
    quotas = Quotas(elements_per_epoch=2, elements_lifetime=1, queries_per_day=1, batch_size=1)

    assert fields(terms_with(quotas=quotas)) == ["quotas.elements_per_epoch"]


@pytest.mark.parametrize(
    "changed",
    [
        {"kinds": tuple(reversed(TERMS.kinds))},
        {"purposes": ("CROSS_BORDER_TRADE", "CROSS_BORDER_FINANCING")},
        {"manner": (Manner.PULL, Manner.PULL)},
        {"kinds": (kind("101", ("status_code", Precision.EXACT_CODE), ("capital_band", Precision.BAND)),)},
    ],
)
def test_lists_are_sorted_and_hold_nothing_twice(changed: dict[str, Any]) -> None:
    assert [problem.got for problem in problems(terms_with(**changed))] == ["another order"]


def test_a_class_that_may_not_share_or_receive_is_a_problem() -> None:
    organ = problems(TERMS, provider={"party_class": PartyClass.STATE_ORGAN})
    collector = problems(TERMS, recipient={"party_class": PartyClass.RECEIVABLES})

    assert [problem.reason for problem in organ] == [Refusal.PARTY_NOT_ELIGIBLE]
    assert [problem.reason for problem in collector] == [
        Refusal.PARTY_NOT_ELIGIBLE,
        Refusal.PUBLIC_INFO_SCOPE,
        Refusal.PUBLIC_INFO_SCOPE,
    ]


def test_information_for_government_only_is_never_shared_by_agreement() -> None:
    entries = {code: replace(entry, publicity=Publicity.GOVERNMENT_ONLY) for code, entry in CATALOGUE.entries.items()}

    found = problems(TERMS, replace(CATALOGUE, entries=entries))

    assert {problem.reason for problem in found} == {Refusal.GOVERNMENT_ONLY}


@pytest.mark.parametrize(
    ("provider", "recipient", "direction"),
    [
        (Jurisdiction.CN_SZ, Jurisdiction.MO, Direction.SOUTHBOUND),
        (Jurisdiction.HK, Jurisdiction.CN_SZ, Direction.NORTHBOUND),
        (Jurisdiction.HK, Jurisdiction.HK, Direction.LOCAL),
    ],
)
def test_the_direction_follows_from_where_the_parties_are(
    provider: Jurisdiction, recipient: Jurisdiction, direction: Direction
) -> None:
    terms = terms_with(direction=direction)

    assert problems(terms, provider={"jurisdiction": provider}, recipient={"jurisdiction": recipient}) == ()


def test_no_direction_fits_between_hong_kong_and_macau() -> None:
    found = problems(TERMS, provider={"jurisdiction": Jurisdiction.HK}, recipient={"jurisdiction": Jurisdiction.MO})

    assert [problem.detail for problem in found] == ["direction: expected none, got SOUTHBOUND"]


def test_local_terms_need_no_export_path_and_no_purpose_abroad() -> None:
    terms = terms_with(direction=Direction.LOCAL, export_path=ExportPath.CERTIFICATION, purposes=("GOV_PROCUREMENT",))

    assert problems(terms, recipient={"jurisdiction": Jurisdiction.CN_SZ}) == ()


def test_an_instant_falls_in_the_epoch_that_starts_then_and_in_none_at_the_end() -> None:
    assert epoch_at(TERMS, START) is EPOCHS[0]
    assert epoch_at(TERMS, MIDDLE) is EPOCHS[1]
    assert epoch_at(TERMS, END) is None
