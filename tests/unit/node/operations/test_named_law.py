"""Every decision records pack and article: granted, refused, loaded and changed, in one pair of fields (S 82)."""

from dataclasses import replace

import pytest

from agreements.refusal import Refusal, explain
from node.domain.grounds import granted
from node.domain.identifiers import Identifier
from node.domain.records import Kind
from registry.norms.law import compose
from registry.norms.rule_pack import Ground
from registry.norms.shelf import adopted_by_default, shipped_shelf
from registry.parties import Jurisdiction
from tests.fakes.exchange import (
    ABSENT,
    REGISTRATIONS,
    SHOWN,
    WITHHELD,
    answer,
    answers,
    charges,
    evaluation,
    load,
    question,
    reasons,
)
from tests.fakes.members import LAW
from tests.fakes.world import World
from tests.unit.node.operations.test_change_records import corrected, deleted, number_of
from tests.unit.node.operations.test_norms import GRADING, adopts
from tests.unit.node.operations.test_withhold_records import withhold
from tests.unit.registry.norms.test_law import DAY, DEFAULT, NOON

PACK = "SZ-DRAFT-82@1"


def named(world: World, last: int = 1) -> list[tuple[str, object, object]]:
    """Which law the newest entries at the agency name."""
    return [(one.told[0], one.detail.get("pack"), one.detail.get("article")) for one in world.agency.journal()[-last:]]


@pytest.mark.parametrize("subject", [SHOWN, ABSENT, WITHHELD], ids=["shown", "absent", "withheld"])
def test_whatever_becomes_of_a_query_its_entry_names_pack_and_article(world: World, subject: Identifier) -> None:
    answer(world, question(world, subject))

    assert named(world) == [("query", PACK, "S 28, 34, 35")]


def test_what_is_shown_and_what_is_silently_withheld_commit_to_the_same_fields(world: World) -> None:
    shapes = set()
    for subject in (SHOWN, ABSENT, WITHHELD):
        answer(world, question(world, subject))
        shapes.add(frozenset(world.agency.journal()[-1].detail))

    assert len(shapes) == 1


def test_a_refusal_names_the_article_of_its_reason(world: World) -> None:
    given = reasons(answers(world, replace(question(world, SHOWN), purpose="OTHER")))

    assert given == [Refusal.PURPOSE_MISMATCH]
    assert named(world) == [("query", PACK, explain(Refusal.PURPOSE_MISMATCH).article)]


def test_an_evaluation_an_import_and_a_change_name_theirs(world: World) -> None:
    charges(world, evaluation(world))
    assert named(world) == [("evaluate", PACK, "S 15, 34")]

    load(world, Kind.REGISTRATION, *REGISTRATIONS)
    assert named(world) == [("records", PACK, "S 16, 17, 19")]

    corrected(world, number_of(world, 0), status="REVOKED")
    assert named(world) == [("record.changed", PACK, "S 39")]
    deleted(world, number_of(world, 0), basis="COURT_NOTICE")
    assert named(world) == [("record.changed", PACK, "S 72")]
    withhold(world)
    assert named(world) == [("record.changed", PACK, "S 61")]


def test_an_overlay_in_force_is_named_beside_the_rules(world: World) -> None:
    adopts(world, GRADING)
    answer(world, question(world, SHOWN))

    assert named(world) == [("query", f"{PACK} CN-NDRC-2026@1", "S 28, 34, 35")]


def test_every_ground_has_its_article_and_a_law_is_called_by_its_rules_and_what_narrows_them() -> None:
    both = compose([*DEFAULT, GRADING], Jurisdiction.CN_SZ, (NOON + DAY).date())
    hong_kong = adopted_by_default(Jurisdiction.HK, shipped_shelf())

    assert {ground: granted(LAW, ground)["pack"] for ground in Ground} == dict.fromkeys(Ground, PACK)
    assert all(str(granted(LAW, ground)["article"]).startswith("S ") for ground in Ground)
    assert (both.reference, both.rules.reference) == (f"{PACK} CN-NDRC-2026@1", PACK)
    assert compose(hong_kong, Jurisdiction.HK, NOON.date()).reference == f"{PACK} HK@1"
