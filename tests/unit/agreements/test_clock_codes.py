"""The codes that clocks of the rule pack name are codes that this product has."""

from agreements.refusal import Refusal
from agreements.terms import ExportPath
from registry.norms.rule_pack import load_rule_pack

RULES = load_rule_pack()


def test_every_breach_of_a_clock_is_a_refusal_or_a_view() -> None:
    breaches = {code for clock in RULES.clocks.values() for code in clock.on_breach}

    assert breaches <= {*Refusal, *RULES.views}
    assert set(RULES.views) <= breaches


def test_a_clock_of_some_export_paths_names_known_ones() -> None:
    paths = {code: clock.export_paths for code, clock in RULES.clocks.items() if clock.export_paths}

    assert paths == {"GBA_SC_FILE": {ExportPath.GBA_SC_HK, ExportPath.GBA_SC_MO}}
