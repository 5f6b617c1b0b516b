from datetime import date

import pytest
from msgspec.structs import replace

from registry.errors import BadPack
from registry.norms.overlay import (
    Overlay,
    Severity,
    SeverityBounds,
    all_severities,
    narrow,
    read_overlay,
)
from registry.norms.packs import shipped
from registry.norms.rule_pack import Retention, Ruled, load_rule_pack
from registry.parties import Jurisdiction, PartyClass

RULES = load_rule_pack()
GRADING = shipped("rules", "CN-NDRC-2026")


def load_overlay(name: str) -> Overlay:
    return read_overlay(shipped("rules", name), name)


def overlay(**values: object) -> Overlay:
    plain = Overlay(
        id="LOCAL",
        version=1,
        title="本地规则",
        title_en="Local rules",
        source="nowhere",
        effective_from=date(2026, 1, 1),
        narrows=RULES.id,
        binds=frozenset({Jurisdiction.HK}),
    )
    return replace(plain, **values)


def test_the_national_overlay_grades_adverse_records_by_months() -> None:
    bounds = load_overlay("CN-NDRC-2026").severities

    assert {name.value: (one.min_months, one.max_months) for name, one in bounds.items()} == {
        "MINOR": (0, 3),
        "GENERAL": (3, 12),
        "SERIOUS": (12, 36),
    }
    assert load_overlay("CN-NDRC-2026").effective_from == date(2026, 4, 1)


@pytest.mark.parametrize("name", ["CN-NDRC-2026", "HK", "MO"])
def test_every_shipped_overlay_narrows_the_default_rule_pack(name: str) -> None:
    narrowed = narrow(RULES, [load_overlay(name)])

    assert narrowed.reference == RULES.reference
    assert narrowed.retention.max_days <= RULES.retention.max_days


@pytest.mark.parametrize(("name", "place"), [("HK", Jurisdiction.HK), ("MO", Jurisdiction.MO)])
def test_a_local_pack_binds_its_own_place_and_names_its_calendar(name: str, place: Jurisdiction) -> None:
    local = load_overlay(name)

    assert local.binds == {place}
    assert local.calendar == name


def test_what_an_overlay_leaves_out_stays_as_it_is() -> None:
    assert narrow(RULES, [overlay()]) == RULES


def test_an_overlay_shortens_and_forbids_under_its_own_article() -> None:
    local = overlay(
        consent_max_months=Ruled(value=6, article="L 1"),
        purposes_abroad=Ruled(value=frozenset({"CROSS_BORDER_TRADE"}), article="L 2"),
        retention=Retention(default_days=30, max_days=60, article="L 3"),
    )

    narrowed = narrow(RULES, [local])

    assert narrowed.consent_max_months == Ruled(value=6, article="L 1")
    assert narrowed.purposes_abroad == Ruled(value=frozenset({"CROSS_BORDER_TRADE"}), article="L 2")
    assert narrowed.retention == Retention(default_days=30, max_days=60, article="L 3")


def test_a_shorter_disclosure_is_a_shorter_clock() -> None:
    narrowed = narrow(RULES, [overlay(disclosure_years=Ruled(value=3, article="L 4"))])
    bound, before = narrowed.clocks["DISCLOSURE"].strict, RULES.clocks["DISCLOSURE"].strict

    assert bound is not None
    assert before is not None
    assert (bound.length, before.length) == (3, 5)
    assert narrowed.clocks.keys() == RULES.clocks.keys()


def test_of_two_overlays_the_narrower_value_counts_in_either_order() -> None:
    first = overlay(id="A", record_recipients=Ruled(value=frozenset({PartyClass.FIN_INST}), article="A"))
    classes = frozenset({PartyClass.FIN_INST, PartyClass.INSURANCE})
    second = overlay(id="B", record_recipients=Ruled(value=classes, article="B"))

    assert narrow(RULES, [first, second]) == narrow(RULES, [second, first])
    assert narrow(RULES, [first, second]).record_recipients.value == {PartyClass.FIN_INST}


@pytest.mark.parametrize(
    ("wider", "place"),
    [
        ({"consent_max_months": Ruled(value=13, article="x")}, "consent_max_months.value"),
        ({"agreement_max_months": Ruled(value=37, article="x")}, "agreement_max_months.value"),
        ({"disclosure_years": Ruled(value=6, article="x")}, "disclosure_years.value"),
        ({"purposes_abroad": Ruled(value=frozenset({"TENDER"}), article="x")}, "purposes_abroad.value"),
        (
            {"record_recipients": Ruled(value=frozenset({PartyClass.TRAINING}), article="x")},
            "record_recipients.value",
        ),
        (
            {"batch_query_classes": Ruled(value=frozenset({PartyClass.INSURANCE}), article="x")},
            "batch_query_classes.value",
        ),
        ({"retention": Retention(default_days=1, max_days=91, article="x")}, "retention.max_days"),
        (
            {"severities": {Severity.SERIOUS: SeverityBounds(min_months=12, max_months=61, article="x")}},
            "severities.SERIOUS.max_months",
        ),
        ({"narrows": "ANOTHER"}, "narrows"),
    ],
)
def test_an_overlay_that_would_widen_is_refused_with_its_place(wider: dict[str, object], place: str) -> None:
    with pytest.raises(BadPack) as failure:
        narrow(RULES, [overlay(**wider)])

    assert (failure.value.pack, failure.value.place) == ("LOCAL@1", place)


@pytest.mark.parametrize(
    ("written", "instead", "place"),
    [
        ("[severities.MINOR]", "[severities.TRIFLING]", "key in $.severities"),
        ("max_months = 3\n", "max_months = 4\n", "severities.GENERAL"),
        ("max_months = 36", "max_months = 12", "severities.SERIOUS"),
        ('binds = ["CN-SZ"]', "binds = []", "$.binds"),
        ('binds = ["CN-SZ"]', 'binds = ["CN-SZ"]\nwider = true', "$"),
    ],
)
def test_an_unknown_key_or_bounds_that_overlap_are_refused_with_their_place(
    written: str, instead: str, place: str
) -> None:
    assert written in GRADING
    with pytest.raises(BadPack) as failure:
        read_overlay(GRADING.replace(written, instead), "changed")

    assert (failure.value.pack, failure.value.place) == ("changed", place)


def test_grading_needs_every_severity() -> None:
    lighter = GRADING[: GRADING.index("[severities.SERIOUS]")]

    with pytest.raises(BadPack, match="severities: all of MINOR, GENERAL, SERIOUS"):
        read_overlay(lighter)


def test_the_shortest_bounds_of_several_overlays_count() -> None:
    def graded(name: str, most: int) -> Overlay:
        return overlay(
            id=name, severities={Severity.MINOR: SeverityBounds(min_months=0, max_months=most, article=name)}
        )

    found = all_severities([graded("B", 2), graded("A", 3)])

    assert found[Severity.MINOR].article == "B"
    assert all_severities([overlay()]) == {}
