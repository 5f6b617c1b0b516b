"""Home and bank killed in the middle of a batch query, several times: the job finishes, and nothing counts twice."""

import json
from collections import Counter
from dataclasses import dataclass
from typing import Any

import pytest

from deploy.demo.network import until
from tests.scenarios.cast import FINANCING, PROVIDER, Actor, World

SUBJECTS = 200


@dataclass(frozen=True)
class Survived:
    """The agreement, what the waiting command told at the end, and how far it was at each kill."""

    agreement: str
    told: dict[str, Any]
    answered_at_kill: list[int]


@pytest.fixture(scope="module")
def survived(world: World) -> Survived:
    """One message for each subject; home is killed, then the bank, then both."""
    agreement = world.file(world.sign("fragile", batch_size="1"))
    subjects = world.home.codes[:SUBJECTS]
    world.attest(agreement, subjects)
    asked = world.bank.begin(
        "query", "--agreement", agreement, "--subject-file", str(world.listed(subjects)),
        "--purpose", FINANCING, "--wait", "600", "--json",
    )  # fmt: skip
    with asked:
        reached = [
            kill(world, agreement, least, victims)
            for least, victims in ((5, [world.agency]), (40, [world.bank]), (80, [world.agency, world.bank]))
        ]
        told, errors = asked.communicate(timeout=600)
    assert asked.returncode == 0
    assert all(line.startswith("creditport: job ") for line in errors.splitlines())
    return Survived(agreement, json.loads(told), reached)


def kill(world: World, agreement: str, least: int, victims: list[Actor]) -> int:
    """Kill and start again once so many messages are answered; how many were."""
    until(f"{least} are answered", lambda: answered(world, agreement) >= least, 120, every=0.01)
    for victim in victims:
        victim.kill()
    reached = answered(world, agreement)
    for victim in victims:
        victim.serve()
    return reached


def answered(world: World, agreement: str) -> int:
    """How many messages home has answered under an agreement."""
    return len(world.agency.rows(f"{SENT} WHERE digest = ?", bytes.fromhex(agreement)))


SENT = "SELECT request, header FROM sent_frames JOIN agreements ON agreements.number = agreement_no"


def test_each_kill_came_in_the_middle(survived: Survived) -> None:
    assert all(0 < count < SUBJECTS for count in survived.answered_at_kill)


def test_every_subject_is_answered_once(world: World, survived: Survived) -> None:
    registered = Counter(one["subject"] for one in survived.told["renditions"] if one["kind"] == "101")

    assert registered == Counter(f"CN-USCC:{code}" for code in world.home.codes[:SUBJECTS])
    assert survived.told["refused"] == []
    assert len(set(survived.told["frames"])) == SUBJECTS


def test_nothing_is_answered_twice_differently(world: World, survived: Survived) -> None:
    """Home made one frame for each request, and it is these that the bank holds; a header names its body."""
    agreement = bytes.fromhex(survived.agreement)
    sent = world.agency.rows(f"{SENT} WHERE digest = ?", agreement)
    held = world.bank.rows("SELECT header FROM received_frames WHERE agreement = ?", agreement)

    assert len({request for request, _ in sent}) == len(sent) == SUBJECTS
    assert {header for _, header in sent} == {header for (header,) in held}
    assert len(held) == SUBJECTS


def test_quotas_are_charged_once(world: World, survived: Survived) -> None:
    question = "SELECT period, amount FROM charges JOIN agreements ON number = agreement_no WHERE digest = ?"
    charged = dict(world.agency.rows(question, bytes.fromhex(survived.agreement)))

    elements = {period: amount for period, amount in charged.items() if not period.startswith("day:")}
    days = [amount for period, amount in charged.items() if period.startswith("day:")]

    assert elements == {"epoch:1": SUBJECTS, "lifetime": SUBJECTS}
    assert sum(days) == SUBJECTS


def test_each_answer_left_its_entries_once(world: World, survived: Survived) -> None:
    """One for the message of a batch, and one for each subject in it (S 30)."""
    entries = [one for one in world.agency.journal_since(0) if one["agreement"] == survived.agreement]
    acts = Counter(one["act"] for one in entries)

    assert (acts["batch"], acts["query"], acts["evaluate"]) == (SUBJECTS, SUBJECTS, 1)
    assert len({one["detail"]["request"] for one in entries if one["act"] == "batch"}) == SUBJECTS


def test_the_journals_verify_and_hold_every_frame(world: World, survived: Survived) -> None:
    assert [side.ask("journal", "verify")["problems"] for side in (world.agency, world.bank)] == [[], []]

    proven = world.bank.ask("journal", "verify", "--peer", PROVIDER, "--wait", "120")

    assert proven["problems"] == []
    assert proven["leaves"] >= SUBJECTS
    assert survived.told["frames"]


def test_every_frame_is_receipted_once(world: World, survived: Survived) -> None:
    question = (
        "SELECT count(*) FROM frame_receipts JOIN sent_frames ON sent_frames.number = frame_no "
        "JOIN agreements ON agreements.number = agreement_no WHERE digest = ?"
    )

    until(
        "every receipt has come",
        lambda: world.agency.rows(question, bytes.fromhex(survived.agreement)) == [(SUBJECTS,)],
        120,
    )
