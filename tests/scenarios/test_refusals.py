"""Every refusal of a query, reached by a command that a person can type; each leaves one entry where it is refused."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from deploy.demo.network import Surprise
from registry.norms.calendar import shanghai_day
from tests.scenarios.cast import FINANCING, PROVIDER, RIVAL, TRADE, Actor, World, query

ASKING = {"query", "batch", "evaluate", "refused"}


def refused(world: World, asker: Actor, *words: str) -> str:
    """Ask, be refused, and find exactly one new entry about it at the provider; the reason.

    Where an identifier is asked about for the first time, its evaluation is an act of its own, with an own entry.
    """
    start = world.agency.published()
    answer = asker.ask(*words, expect=(1,))
    acts = [one for one in world.agency.journal_since(start) if one["act"] in ASKING]
    entries = [one for one in acts if one["detail"]["outcome"] != "EVALUATED"]
    assert [(one["detail"]["outcome"], one["detail"]["article"], one["counterparty"]) for one in entries] == [
        (answer["reason"], answer["article"], asker.party)
    ]
    assert answer["by"] == world.agency.party
    assert answer["text_en"]
    assert answer["text_zh"]
    return str(answer["reason"])


@pytest.fixture(scope="module")
def others(world: World) -> dict[str, str]:
    """Further agreements with the bank, made side by side: unfiled, ended, soon over, and with small quotas."""
    quotas = {"elements_per_epoch": "2", "elements_lifetime": "5", "queries_per_day": "1"}
    made: dict[str, Callable[[], str]] = {
        "brief": lambda: brief(world),
        "unfiled": lambda: world.sign("unfiled"),
        "ended": lambda: ended(world, world.file(world.sign("ended"))),
        "tight": lambda: world.file(world.sign("tight", **quotas)),
    }
    with ThreadPoolExecutor(2) as pool:
        return dict(zip(made, pool.map(lambda make: make(), made.values()), strict=True))


def brief(world: World) -> str:
    """An agreement that was in force and soon runs out; on a slow machine the next one is given more time."""
    for seconds in (20, 60, 180):
        until = datetime.now(UTC) + timedelta(seconds=seconds)
        with suppress(Surprise):
            # Where it ran out before it was even proposed or signed, that is refused.
            agreement = world.sign(f"brief {seconds}", expires_at=f"{until:%Y-%m-%dT%H:%M:%SZ}")
            world.agency.run("agreement", "file", agreement, "--wait", "60", expect=(0, 1))
            if world.agency.state_of(agreement) == "ACTIVE":
                return agreement
    raise AssertionError("no agreement could be made within three minutes")


def ended(world: World, agreement: str) -> str:
    world.agency.run("agreement", "terminate", agreement, "--reason", "END_OF_COOPERATION", "--wait", "60")
    world.bank.reach(agreement, "TERMINATED")
    return agreement


def test_a_query_before_filing_is_refused(world: World, others: dict[str, str]) -> None:
    words = query(others["unfiled"], world.home.codes[0])

    assert refused(world, world.bank, *words) == "AGREEMENT_NOT_FILED"


def test_a_query_after_the_agreement_ran_out_is_refused(world: World, others: dict[str, str]) -> None:
    for side in (world.agency, world.bank):
        side.reach(others["brief"], "EXPIRED")

    assert refused(world, world.bank, *query(others["brief"], world.home.codes[0])) == "AGREEMENT_EXPIRED"


def test_a_query_after_the_agreement_was_ended_is_refused(world: World, others: dict[str, str]) -> None:
    words = query(others["ended"], world.home.codes[0])

    assert refused(world, world.bank, *words) == "AGREEMENT_EXPIRED"


@pytest.mark.parametrize("field", ["201.legal_basis_code", "201.decision_no"])
def test_a_query_outside_the_agreed_fields_is_refused(world: World, agreement: str, field: str) -> None:
    words = query(agreement, world.home.codes[0])

    assert refused(world, world.bank, *words, "--field", field) == "AGREEMENT_SCOPE"


def test_a_query_about_a_kind_outside_the_catalogue_is_refused(world: World, agreement: str) -> None:
    words = query(agreement, world.home.codes[0])

    assert refused(world, world.bank, *words, "--field", "901.grade") == "NOT_IN_CATALOGUE"


def test_another_admitted_party_is_told_of_no_agreement(world: World, agreement: str) -> None:
    words = query(agreement, world.home.codes[0])

    assert refused(world, world.rival, *words, "--provider", PROVIDER) == "AGREEMENT_MISSING"


def test_an_agreement_of_others_and_none_at_all_are_refused_alike(world: World, agreement: str) -> None:
    """The rival learns nothing from the digest of somebody else's agreement."""
    of_nobody = query("00" * 32, world.home.codes[0])
    start = world.agency.published()

    answers = [
        world.rival.ask(*words, "--provider", PROVIDER, expect=(1,))
        for words in (query(agreement, world.home.codes[0]), of_nobody)
    ]

    assert answers[0] == answers[1]
    entries = [one for one in world.agency.journal_since(start) if one["counterparty"] == RIVAL]
    assert [one["detail"]["outcome"] for one in entries] == ["AGREEMENT_MISSING"] * 2


def test_a_query_without_a_customers_consent_is_refused(world: World, agreement: str) -> None:
    words = query(agreement, world.home.codes[30])

    assert refused(world, world.bank, *words) == "AUTHORISATION_MISSING"


def test_a_purpose_that_is_not_agreed_is_refused(world: World, agreement: str) -> None:
    words = query(agreement, world.home.codes[0], purpose=TRADE)

    assert refused(world, world.bank, *words) == "PURPOSE_MISMATCH"


def test_a_purpose_that_is_not_allowed_abroad_is_refused(world: World, agreement: str) -> None:
    world.attest(agreement, world.home.codes[31:32], "MARKETING")

    words = query(agreement, world.home.codes[31], purpose="MARKETING")

    assert refused(world, world.bank, *words) == "PURPOSE_NOT_ALLOWED_ABROAD"


def test_a_purpose_that_is_no_code_is_refused(world: World, agreement: str) -> None:
    words = query(agreement, world.home.codes[0], purpose="just curious")

    assert refused(world, world.bank, *words) == "MALFORMED"


def test_more_identifiers_than_the_quota_are_refused_and_charge_nothing(world: World, others: dict[str, str]) -> None:
    tight = others["tight"]
    before = used(world, tight)

    reason = refused(world, world.bank, *query(tight, *world.home.codes[10:13]))

    assert reason == "RISK_LIMIT"
    assert used(world, tight) == before


def test_more_queries_than_the_quota_of_a_day_are_refused(world: World, others: dict[str, str]) -> None:
    tight, subject = others["tight"], world.home.codes[0]
    world.attest(tight, [subject], FINANCING)
    world.bank.run(*query(tight, subject))

    assert refused(world, world.bank, *query(tight, subject)) == "RISK_LIMIT"
    assert used(world, tight) == {"epoch:1": 1, "lifetime": 1}


def used(world: World, agreement: str) -> dict[str, Any]:
    elements: dict[str, Any] = world.agency.ask("agreement", "show", agreement)["elements_used"]
    return elements


def test_in_a_batch_each_subject_is_refused_by_itself(world: World, agreement: str) -> None:
    """One customer consented, the other did not: the first is answered, and each leaves one entry (S 30)."""
    consented, silent = world.home.codes[1], world.home.codes[32]
    start = world.agency.published()

    answer = world.bank.ask(*query(agreement, consented, silent))

    assert [(one["subject"], one["reason"]) for one in answer["refused"]] == [
        (f"CN-USCC:{silent}", "AUTHORISATION_MISSING")
    ]
    assert {one["subject"] for one in answer["renditions"]} == {f"CN-USCC:{consented}"}
    entries = [one["detail"]["outcome"] for one in world.agency.journal_since(start) if one["act"] == "query"]
    assert sorted(entries) == ["ANSWERED", "AUTHORISATION_MISSING"]


@pytest.mark.parametrize("tied", ["--bundled", "--conditioned"])
def test_a_consent_that_the_bank_says_was_tied_to_something_is_not_kept(
    world: World, agreement: str, tied: str
) -> None:
    told = world.bank.run(*consenting(world, agreement), tied, expect=(1,))

    assert "CONSENT_BUNDLED (S 25)" in told.stderr


@pytest.mark.parametrize(("word", "warned"), [("--warned", True), ("--unwarned", False)])
def test_a_consent_is_kept_with_whether_its_subject_was_warned(
    world: World, agreement: str, word: str, *, warned: bool
) -> None:
    told = world.bank.ask(*consenting(world, agreement), word)

    assert (told["standalone"], told["free"], told["warned"]) == (True, True, warned)


def test_a_consent_to_credit_information_without_a_warning_is_not_kept_and_said_in_both_languages(
    world: World, agreement: str
) -> None:
    told = world.bank.run(*consenting(world, agreement), "--kind", "502", "--unwarned", expect=(1,))

    assert "ADVERSE_WARNING_MISSING (S 23)" in told.stderr
    assert "The subject was not warned of the adverse consequences." in told.stderr
    assert "未向信用主体明确告知可能产生的不利后果。" in told.stderr


def test_a_consent_is_listed_with_its_agreement_and_how_it_came_about(world: World, agreement: str) -> None:
    world.bank.run(*consenting(world, agreement), "--unwarned")

    newest = world.bank.ask("consent", "list", "--limit", "1000")[-1]

    assert [one[: len(agreement)] for one in newest["agreements"]] == [agreement]
    assert (newest["standalone"], newest["free"], newest["warned"]) == (True, True, False)


def test_a_consent_lasts_to_the_end_of_the_day_that_is_named(world: World, agreement: str) -> None:
    last = shanghai_day(datetime.now(UTC)) + timedelta(days=30)

    told = world.bank.ask(*consenting(world, agreement), "--until", last.isoformat())

    assert told["valid_until"] == f"{last}T16:00:00Z"


def consenting(world: World, agreement: str) -> tuple[str, ...]:
    """The words by which the bank attests one more consent of a customer."""
    form = world.folder / "form.txt"
    form.write_text("a signed form\n", encoding="utf-8")
    about = ("--agreement", agreement, "--subject", world.home.codes[3], "--purpose", FINANCING, "--kind", "101")
    return ("consent", "attest", *about, "--evidence", str(form))
