"""Push, correct, delete, with real processes: the bank follows, proves it, and nothing of what was deleted is left."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from crypto import commitment
from crypto.frame import root_over
from deploy.demo.network import until
from node.domain.columns import standard_columns
from node.domain.dates import shanghai_day
from node.domain.records import Kind
from node.domain.sample import sample_enterprises
from tests.scenarios.cast import FINANCING, Actor, World, write_rows

PUSH = '["PULL", "PUSH"]'


@dataclass(frozen=True)
class Pushed:
    """An agreement under which the agency pushed its registrations, and what the command told."""

    agreement: str
    told: dict[str, Any]
    copies: int


@pytest.fixture(scope="module")
def pushed(world: World) -> Pushed:
    agreement = world.file(world.sign("pushed", manner=PUSH))
    told = world.agency.ask("push", "--agreement", agreement, "--kind", "101", "--wait", "120")
    return Pushed(agreement, told, len(held(world.bank, agreement)))


def held(holder: Actor, agreement: str, alias: str | None = None) -> list[tuple[int, bytes]]:
    """Version and bytes of the copies that a node has under an agreement, of one alias or of all."""
    question = "SELECT wire_version, rendition FROM copies WHERE agreement = ?"
    facts: list[object] = [bytes.fromhex(agreement)]
    if alias is not None:
        question, facts = f"{question} AND alias = ?", [*facts, bytes.fromhex(alias)]
    return [(version, bytes(raw)) for version, raw in holder.rows(question, *facts)]


def holding(world: World, record: int, agreement: str) -> dict[str, Any]:
    (row,) = [one for one in world.agency.ask("holders", str(record)) if one["agreement"] == agreement]
    return dict(row)


def record_held(world: World, agreement: str, place: int) -> int:
    """The number of a record that the bank holds under an agreement, from the end: no other scenario is about those."""
    rows = world.agency.rows(
        "SELECT record_no FROM disclosures JOIN agreements ON agreements.number = agreement_no "
        "WHERE digest = ? ORDER BY record_no DESC",
        bytes.fromhex(agreement),
    )
    return int(rows[place][0])


def followed(world: World) -> bool:
    return not world.agency.ask("notices", "list", "--open", "--limit", "1000")


def today() -> date:
    return shanghai_day(datetime.now(UTC))


def files_of(*nodes: Actor) -> Iterator[Path]:
    for node in nodes:
        yield from (path for path in node.folder.glob("node.sqlite*") if path.is_file())


def test_everything_that_is_covered_arrives_and_is_receipted(world: World, pushed: Pushed) -> None:
    assert pushed.told["refused"] == {}
    assert pushed.told["taken"] == pushed.told["frames"] == 1
    assert pushed.copies == pushed.told["renditions"] > 200
    until(
        "the frame is receipted",
        lambda: world.agency.rows(
            "SELECT 1 FROM frame_receipts JOIN sent_frames ON number = frame_no WHERE push_job = ?", pushed.told["push"]
        ),
    )


def test_header_and_commitments_prove_every_copy_without_the_body(world: World, pushed: Pushed) -> None:
    (committed,) = world.bank.rows(
        "SELECT min(commitments), count(*) FROM copies JOIN received_frames ON received_frames.number = frame_no "
        "WHERE received_frames.agreement = ? GROUP BY frame_no HAVING count(*) > 200",
        bytes.fromhex(pushed.agreement),
    )
    commitments = [committed[0][at : at + 32] for at in range(0, len(committed[0]), 32)]
    entry, *_ = [
        one
        for one in world.agency.journal_since(0)
        if one["agreement"] == pushed.agreement and one["detail"].get("outcome") == "PUSHED"
    ]

    assert root_over(commitments).hex() == entry["detail"]["root"]
    copies = world.bank.rows(
        "SELECT rendition FROM copies WHERE agreement = ? AND wire_version = 1", bytes.fromhex(pushed.agreement)
    )
    assert {commitment.commitment(commitment.decode(raw)) for (raw,) in copies} <= set(commitments)
    assert len(commitments) == pushed.copies


def test_pushing_again_sends_nothing_twice(world: World, pushed: Pushed) -> None:
    again = world.agency.ask("push", "--agreement", pushed.agreement, "--kind", "101", "--wait", "120")

    assert (again["frames"], again["renditions"]) == (0, 0)


def test_a_correction_replaces_the_copy_and_leaves_nothing_of_the_old_one(world: World, pushed: Pushed) -> None:
    record = record_held(world, pushed.agreement, 10)
    alias = holding(world, record, pushed.agreement)["alias"]
    ((version, old),) = held(world.bank, pushed.agreement, alias)
    status = commitment.decode(old).values()["status_code"]
    new = "REVOKED" if status != "REVOKED" else "ACTIVE"

    world.agency.run("records", "correct", str(record), "--set", f"status={new}", "--basis", "OWN_ERROR")
    until("the bank has followed", lambda: followed(world))

    ((newer, copy),) = held(world.bank, pushed.agreement, alias)
    assert (version, newer) == (1, 2)
    assert commitment.decode(copy).values()["status_code"] == new
    salts = [one.salt.encode() for one in commitment.decode(old).fields]
    until("it is erased at home, too", lambda: not world.agency.rows("SELECT 1 FROM erasures"))
    left = [path for path in files_of(world.bank, world.agency) for salt in salts if salt in path.read_bytes()]
    assert left == []


def test_a_deletion_leaves_nothing_in_any_file_of_either_side(world: World, pushed: Pushed) -> None:
    record = record_held(world, pushed.agreement, 20)
    alias = holding(world, record, pushed.agreement)["alias"]
    ((_, old),) = held(world.bank, pushed.agreement, alias)
    salts = [one.salt.encode() for one in commitment.decode(old).fields]
    content = world.agency.ask("records", "show", str(record))["content"]
    secret = str(content["address"]).encode()
    before = [path.read_bytes() for path in files_of(world.bank)]

    world.agency.run("records", "delete", str(record), "--basis", "REVOKED", "--document", "decision 31")
    until("the bank has followed", lambda: followed(world))
    until("it is erased at home, too", lambda: not world.agency.rows("SELECT 1 FROM erasures"))

    assert held(world.bank, pushed.agreement, alias) == []
    assert any(salt in file for salt in salts for file in before), "the search finds what is there"
    traces = [secret, *salts]
    left = [path for path in files_of(world.bank, world.agency) for trace in traces if trace in path.read_bytes()]
    assert left == []
    ended = holding(world, record, pushed.agreement)
    assert (ended["state"], ended["closed_at"] is None) == ("ended", False)


def test_a_suspended_record_is_gone_at_the_bank_and_comes_back_in_a_higher_version(
    world: World, pushed: Pushed
) -> None:
    """S 61: one person suspends, two lift it."""
    record = record_held(world, pushed.agreement, 25)
    alias = holding(world, record, pushed.agreement)["alias"]
    ((version, _),) = held(world.bank, pushed.agreement, alias)
    state = ("--state", "SUSPENDED", "--document", "case 8", "--basis")
    world.agency.run("records", "withhold", str(record), *state, "SUIT_ACCEPTED")
    until("the bank has followed", lambda: followed(world))
    gone = held(world.bank, pushed.agreement, alias)

    world.agency.run("records", "release", str(record), *state, "FINAL_DOCUMENT")
    push = ("push", "--agreement", pushed.agreement, "--record", str(record), "--wait", "120")
    world.agency.run(*push)

    ((newer, _),) = held(world.bank, pushed.agreement, alias)
    assert (version, gone, newer) == (1, [], 3)


def test_a_node_that_serves_has_no_record_left_to_look_at(world: World, pushed: Pushed) -> None:
    """It looks by itself; what was imported by the law in force since needs no look."""
    assert pushed.told["frames"]
    until("every record was looked at", lambda: world.agency.ask("status")["recheck"]["state"] == "DONE")

    looked = world.agency.ask("norms", "check")["records"]
    assert (looked["fallen"], looked["narrowed"], looked["fallen_now"]) == (0, 0, {})


def test_every_stage_is_receipted_with_the_banks_signature(world: World, pushed: Pushed) -> None:
    record = record_held(world, pushed.agreement, 40)
    world.agency.run("records", "delete", str(record), "--basis", "UNVERIFIABLE")
    until("the bank has followed", lambda: followed(world))
    (notice,) = [one for one in world.agency.ask("notices", "list", "--limit", "1000") if one["record"] == record]
    shown = world.agency.ask("notices", "show", str(notice["notice"]))

    assert pushed.agreement == shown["agreement"]
    assert [one["stage"] for one in shown["receipts"]] == ["RECEIVED", "APPLIED", "DELETED"]
    raws = dict(world.agency.rows("SELECT raw_digest, raw FROM receipts"))
    assert all(bytes.fromhex(one["batch"]) in raws for one in shown["receipts"])


def test_a_deleted_row_does_not_come_back_with_the_file(world: World, pushed: Pushed) -> None:
    assert pushed.told["frames"]
    rows = [row for row in world.home.enterprises if row["uscc"]]
    file = write_rows(world.folder / "again.csv", standard_columns(Kind.REGISTRATION), rows)

    again = world.agency.ask("records", "import", str(file), "--kind", "101", "--source", "SZ-CREDIT", expect=(0, 1))

    reasons = {one["reason"] for one in again["rejects"]}
    assert again["new"] == 0
    assert reasons <= {"RECORD_DELETED", "STALE_VERSION"}


def test_a_bank_that_was_killed_follows_when_it_is_back(world: World, pushed: Pushed) -> None:
    records = [record_held(world, pushed.agreement, place) for place in (30, 31)]
    world.bank.kill()
    for record in records:
        world.agency.run("records", "delete", str(record), "--basis", "UNVERIFIABLE")
    owed = world.agency.ask("notices", "list", "--open")
    push = (
        "push",
        "--agreement",
        pushed.agreement,
        "--again",
        "--record",
        str(record_held(world, pushed.agreement, 45)),
    )
    waited = world.agency.run(*push, "--wait", "3", expect=(3,))
    world.bank.serve()
    world.agency.run("notices", "retry", "--peer", world.bank.party, expect=(0, 1))

    until("the bank has followed", lambda: followed(world), 120)

    assert f"{world.bank.party} cannot be reached" in waited.stderr
    assert {one["stage"] for one in owed} <= {"WAITING", "SENT"}
    taken = world.bank.ask("notices", "list", "--received", "--limit", "1000")
    places = [one["place"] for one in taken if one["home"] == world.agency.party]
    assert places == list(range(1, len(places) + 1))


def test_northbound_a_hong_kong_home_pushes_to_shenzhen_under_an_agreement_of_its_own(
    world: World, pushed: Pushed
) -> None:
    """The bank is home of Hong Kong companies, the Shenzhen agency holds; the party in Shenzhen files (S 34)."""
    companies = [row for row in sample_enterprises(11, 400, today()) if row["hk_cr"] and not row["uscc"]][:40]
    file = write_rows(world.folder / "companies.csv", standard_columns(Kind.REGISTRATION), companies)
    loaded = world.bank.ask("records", "import", str(file), "--kind", "101", "--source", "SZ-CREDIT", expect=(0, 1))
    agreement = world.northbound("northbound", manner=PUSH)
    told = world.bank.ask("push", "--agreement", agreement, "--wait", "120")
    record = int(world.bank.rows("SELECT min(record_no) FROM disclosures")[0][0])
    world.bank.run("records", "delete", str(record), "--basis", "COURT_NOTICE")
    until("the agency has followed", lambda: not world.bank.ask("notices", "list", "--open"))

    copies = held(world.agency, agreement)
    assert loaded["new"] == told["renditions"] > 5
    assert len(copies) == told["renditions"] - 1
    aliases = {alias for (alias,) in world.agency.rows("SELECT alias FROM copies")}
    assert aliases.isdisjoint(alias for (alias,) in world.agency.rows("SELECT alias FROM aliases"))
    assert agreement != pushed.agreement


def test_an_order_for_the_other_side_is_told_whose_it_is(world: World, pushed: Pushed) -> None:
    """Before anything is sent; the whole agreement is named, since both sides hold it."""
    wrong = [
        world.bank.run("push", "--agreement", pushed.agreement, expect=(1,)),
        world.agency.run(
            "query", "--agreement", pushed.agreement, "--subject", world.home.codes[0], "--purpose", FINANCING,
            expect=(1,),
        ),
        world.agency.run(
            "consent", "attest", "--agreement", pushed.agreement, "--subject", world.home.codes[0],
            "--kind", "101", "--purpose", FINANCING, "--evidence", str(world.agency.card), expect=(1,),
        ),
    ]  # fmt: skip

    for done, (what, whose) in zip(
        wrong,
        (("pushing", world.agency), ("querying", world.bank), ("attesting consents", world.bank)),
        strict=True,
    ):
        assert f"{what} is for {whose.party}: {world.agency.party} provides under this agreement" in done.stderr


def test_both_journals_verify_in_the_end(world: World, pushed: Pushed) -> None:
    assert pushed.told["frames"]
    assert [side.ask("journal", "verify")["problems"] for side in (world.agency, world.bank)] == [[], []]
    assert world.bank.ask("journal", "verify", "--peer", world.agency.party, "--wait", "120")["problems"] == []
