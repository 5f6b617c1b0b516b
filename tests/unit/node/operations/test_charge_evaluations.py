"""Evaluations are decided, charged and journalled before a single element is evaluated."""

from typing import Any

import pytest

from node.operations.asked import EvaluationGranted, RefusedAnswer
from node.operations.charge_evaluations import LIFETIME, charge_evaluations, epoch_window
from node.storage.errors import DiskFull
from registry.norms.rule_pack import Ground
from registry.parties import PartyId
from tests.fakes.exchange import QUOTAS, charges, evaluation, reasons, signed, terms
from tests.fakes.members import LAW
from tests.fakes.stores import FullStore
from tests.fakes.world import HK, World


def charged(world: World, epoch: int = 1) -> tuple[int, int]:
    """Elements charged to an epoch and to the agreement's whole life."""
    digest, windows = world.agreement().digest, [epoch_window(epoch), LIFETIME]
    used = world.agency.read(lambda work: work.usage.charged(work.agreements.number(digest), windows))
    return used[windows[0]], used[LIFETIME]


def test_a_granted_evaluation_is_charged_and_journalled_once(world: World) -> None:
    before = len(world.agency.journal())
    asked = evaluation(world, elements=3)

    (given,) = charges(world, asked)

    written = world.agency.journal()[before:]
    assert given == EvaluationGranted(agreement_id=world.agreement().terms.agreement, epoch=1, checkpoint=b"")
    assert charged(world) == (3, 3)
    assert [one.told for one in written] == [("evaluate", "EVALUATED")]
    law = {"article": LAW.rules.ground(Ground.EVALUATE), "pack": LAW.reference}
    assert written[0].detail == {"elements": 3, "outcome": "EVALUATED", "request": asked.digest.hex(), **law}


def test_the_same_request_is_granted_again_without_a_charge_or_an_entry(world: World) -> None:
    asked = evaluation(world, elements=QUOTAS.elements_per_epoch)
    first = charges(world, asked)
    before = len(world.agency.journal())

    assert charges(world, asked, asked) == first * 2
    assert charged(world) == (QUOTAS.elements_per_epoch,) * 2
    assert len(world.agency.journal()) == before


def test_the_same_request_twice_at_once_is_charged_once(world: World) -> None:
    asked = evaluation(world, elements=4)

    assert reasons(charges(world, asked, asked)) == ["EvaluationGranted"] * 2
    assert charged(world) == (4, 4)


def test_the_quota_of_the_epoch_ends_among_requests_decided_together(world: World) -> None:
    asked = [evaluation(world, elements=8) for _ in range(3)]

    assert reasons(charges(world, *asked)) == ["EvaluationGranted", "EvaluationGranted", "RISK_LIMIT"]
    assert charged(world) == (16, 16)


def test_a_new_epoch_is_charged_anew_until_the_quota_of_the_agreement_ends(world: World) -> None:
    charges(world, evaluation(world, elements=20))
    world.wait(days=100)

    given = charges(world, evaluation(world, elements=10, epoch=2), evaluation(world, elements=1, epoch=2))

    assert reasons(given) == ["EvaluationGranted", "RISK_LIMIT"]
    assert charged(world, epoch=2) == (10, QUOTAS.elements_lifetime)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"agreement": bytes(32)}, "AGREEMENT_MISSING"),
        ({"peer": HK}, "AGREEMENT_MISSING"),
        ({"peer": PartyId("stranger")}, "PEER_UNKNOWN"),
        ({"epoch": 2}, "AGREEMENT_SCOPE"),
        ({"elements": 0}, "MALFORMED"),
        ({"elements": 21}, "RISK_LIMIT"),
    ],
)
def test_what_may_not_be_evaluated_is_refused_journalled_and_not_charged(
    world: World, changed: dict[str, Any], reason: str
) -> None:
    before = len(world.agency.journal())

    (given,) = charges(world, evaluation(world, **changed))

    written = world.agency.journal()[before:]
    assert isinstance(given, RefusedAnswer)
    assert (given.refused.reason, given.leaf) == (reason, written[0].leaf)
    assert [one.told for one in written] == [("evaluate", reason)]
    assert charged(world) == (0, 0)


@pytest.mark.parametrize("wrong", [bytes(32), b"\xff" * 32, b"\x01" * 31], ids=["identity", "no element", "short"])
def test_what_is_no_element_of_the_group_is_refused_before_it_is_charged(world: World, wrong: bytes) -> None:
    honest = evaluation(world, elements=2)
    before = len(world.agency.journal())

    given = charges(world, evaluation(world, blinded=(*honest.blinded, wrong)))

    assert reasons(given) == ["MALFORMED"]
    assert [one.told for one in world.agency.journal()[before:]] == [("evaluate", "MALFORMED")]
    assert charged(world) == (0, 0)


def test_a_stranger_is_refused_even_what_was_granted_to_another(world: World) -> None:
    asked = evaluation(world)
    charges(world, asked)

    stolen = evaluation(world, digest=asked.digest, peer=HK)

    assert reasons(charges(world, stolen)) == ["AGREEMENT_MISSING"]


def test_nothing_is_evaluated_before_the_filing(admitted: World) -> None:
    signed(admitted, terms(admitted))

    assert reasons(charges(admitted, evaluation(admitted))) == ["AGREEMENT_NOT_FILED"]


def test_a_stale_registry_stops_evaluation_of_retries_too(world: World) -> None:
    asked = evaluation(world)
    charges(world, asked)
    world.forward(hours=2)

    assert reasons(charges(world, asked)) == ["REGISTRY_STALE"]


def test_a_grant_that_cannot_be_written_down_is_not_given(world: World) -> None:
    agency, asked = world.agency, evaluation(world)

    with pytest.raises(DiskFull), FullStore(agency.store).write() as work:
        charge_evaluations(work, [asked], agency.desk(work))

    assert charged(world) == (0, 0)
