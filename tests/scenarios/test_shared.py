"""Provider and bank served by two processes each, on PostgreSQL: one port, one database, and processes killed."""

import json
import subprocess
import sys
import tempfile
import urllib.request
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest

from deploy.demo.network import found_network, free_port, mirrored, until
from node.app.lock import is_served
from node.config import Folder
from node.domain.columns import standard_columns
from node.domain.dates import shanghai_day
from node.domain.records import Kind
from node.storage.duties import duty_key
from node.wire.methods import Method
from tests.contracts.postgresql import shared_server
from tests.scenarios.cast import FINANCING, PROVIDER, RECIPIENT, WHO, Actor, World, make_home, write_rows
from tests.scenarios.wire import RawClient

SUBJECTS = 120


@dataclass
class Shared(Actor):
    """A node on PostgreSQL, served by up to two processes; `process` is the older one."""

    url: str = ""
    second: "subprocess.Popen[str] | None" = field(default=None, repr=False)

    def run(self, *words: str, expect: Sequence[int] = (0,)) -> "subprocess.CompletedProcess[str]":
        where = ("--database", self.url) if words[0] == "init" else ()
        return super().run(*words, *where, expect=expect)

    def rows(self, question: str, *facts: object) -> list[Any]:
        with closing(psycopg.connect(self.url, autocommit=True)) as database:
            return database.execute(question.replace("?", "%s").encode(), facts).fetchall()

    def serve(self) -> None:
        for _ in range(2):
            self.join()

    def join(self) -> None:
        """Start one more process, and wait until it serves."""
        older, self.process = self.process, None
        super().serve()
        if older is not None:
            self.process, self.second = older, self.process

    def lose(self, duty: str) -> None:
        """Kill the process that has a duty; the other one is left alone with everything."""
        if self.second is not None and self.second.pid == self.who_has(duty):
            self.process, self.second = self.second, self.process
        self.kill()
        self.process, self.second = self.second, None

    def who_has(self, duty: str) -> int:
        """The process that has a duty, once one has it."""
        ((schema,),) = self.rows("SELECT 'public'::regnamespace::oid::bigint")
        high, low = divmod(duty_key(schema, duty) % 2**64, 2**32)
        question = (
            "SELECT application_name FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE datname = current_database()"
            " AND locktype = 'advisory' AND classid::bigint = ? AND objid::bigint = ? AND objsubid = 1"
        )
        until(f"{duty} is taken", lambda: self.rows(question, high, low), every=0.01)
        ((name,),) = self.rows(question, high, low)
        return int(name.removeprefix("creditport "))

    def stop(self) -> None:
        super().stop()
        self.process, self.second = self.second, None
        super().stop()

    def metrics(self) -> list[dict[str, float]]:
        """How many calls each of the processes has answered, by method."""
        return [told for port in range(self.metrics_port, self.metrics_port + 4) if (told := _calls(port)) is not None]


def _calls(port: int) -> dict[str, float] | None:
    with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        lines = answer.read().decode().splitlines()
        counted = [line.rpartition(" ") for line in lines if line.startswith("creditport_calls_total{")]
        return {name: float(value) for name, _, value in counted}
    return None


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[World]:
    """Two authorities on SQLite, provider and bank on PostgreSQL; admitted, records loaded, nothing agreed yet."""
    own = tmp_path_factory.getbasetemp()
    with (
        shared_server(own if worker_id == "master" else own.parent) as server,
        server.database("template0") as provider,
        server.database("template0") as recipient,
        tempfile.TemporaryDirectory(prefix="creditport-shared-") as name,
    ):
        urls = {PROVIDER: provider, RECIPIENT: recipient}
        actors = [_actor(Path(name) / party, party, urls.get(party)) for party in WHO if party != "hk-rival"]
        try:
            yield _begun(Path(name), actors)
        finally:
            for actor in actors:
                actor.stop()


def _actor(folder: Path, party: str, url: str | None) -> Actor:
    passphrase = f"passphrase of {party}"
    if url is None:
        return Actor(party, folder, free_port(), passphrase=passphrase)
    return Shared(party, folder, free_port(), passphrase=passphrase, url=url)


def _begun(folder: Path, actors: list[Actor]) -> World:
    sz_authority, hk_authority, agency, bank = actors
    found_network((sz_authority, hk_authority), (agency, bank), WHO)
    for authority, institution in ((sz_authority, agency), (hk_authority, bank)):
        authority.run("party", "admit", str(institution.card), "--fingerprint", institution.fingerprint())
    mirrored(actors)
    home = make_home(shanghai_day(datetime.now(UTC)))
    enterprises = write_rows(folder / "enterprises.csv", standard_columns(Kind.REGISTRATION), home.enterprises)
    agency.run("records", "import", str(enterprises), "--kind", "101", "--source", "SZ-CREDIT")
    example = agency.run("agreement", "example", "--recipient", bank.party).stdout
    return World(folder, sz_authority, hk_authority, agency, bank, bank, home, example)


@dataclass(frozen=True)
class Survived:
    """The agreement, what the waiting command told at the end, how far it was at each kill; calls answered by whom."""

    agreement: str
    told: dict[str, Any]
    answered_at_kill: list[int]
    answered_by: list[float]


def shared(actor: Actor) -> Shared:
    assert isinstance(actor, Shared)
    return actor


@pytest.fixture(scope="module")
def survived(world: World) -> Survived:
    """One message for each subject; home loses the process that sequences, the bank the one that asks."""
    agency, bank = shared(world.agency), shared(world.bank)
    agreement = world.file(world.sign("shared", batch_size="1"))
    shares = shares_of(agency, world.bank)
    subjects = world.home.codes[:SUBJECTS]
    world.attest(agreement, subjects)
    asked = bank.begin(
        "query", "--agreement", agreement, "--subject-file", str(world.listed(subjects)),
        "--purpose", FINANCING, "--wait", "600", "--json",
    )  # fmt: skip
    reached = []
    with asked:
        for least, victim, duty in ((5, agency, "sequencer"), (25, bank, f"lane/{PROVIDER}/query")):
            until(f"{least} are answered", partial(have_been_answered, world, agreement, least), 240, every=0.01)
            victim.lose(duty)
            reached.append(answered(world, agreement))
        told, errors = asked.communicate(timeout=600)
    assert asked.returncode == 0
    assert all(line.startswith("creditport: job ") for line in errors.splitlines())
    return Survived(agreement, json.loads(told), reached, shares)


def shares_of(home: Shared, caller: Actor) -> list[float]:
    """Call on connection after connection until each process has answered; how many calls each has by then."""

    def counts() -> list[float]:
        with RawClient(caller, home) as client:
            client.attempt(Method.PROVE_JOURNAL, b"")
        return [sum(calls.values()) for calls in home.metrics()]

    until("both have answered somebody", lambda: len(found := counts()) == 2 and all(found))
    return counts()


SENT = "SELECT request, header FROM sent_frames JOIN agreements ON agreements.number = agreement_no"


def answered(world: World, agreement: str) -> int:
    """How many messages home has answered under an agreement."""
    return len(world.agency.rows(f"{SENT} WHERE digest = ?", bytes.fromhex(agreement)))


def have_been_answered(world: World, agreement: str, least: int) -> bool:
    return answered(world, agreement) >= least


def has_no_open_job(side: Actor) -> bool:
    return not side.rows("SELECT 1 FROM jobs WHERE state <> 'done'")


def test_both_processes_of_a_node_answer_on_its_port(survived: Survived) -> None:
    assert len(survived.answered_by) == 2
    assert all(survived.answered_by)


def test_another_node_cannot_slip_onto_the_port(world: World) -> None:
    """With port sharing the system would let it."""
    bank = shared(world.bank)
    listening = (bank.folder / "node.toml").read_text(encoding="utf-8")
    stranger = world.folder / "stranger"
    stranger.mkdir()
    for name in ("card.json", "keystore.json"):
        (stranger / name).write_bytes((bank.folder / name).read_bytes())
    (stranger / "node.toml").write_text(listening, encoding="utf-8")

    done = subprocess.run(
        [Path(sys.executable).with_name("creditport"), "serve"],
        env=bank.environment() | {"CREDITPORT_NODE": str(stranger)}, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert (done.returncode, "cannot listen" in done.stderr) == (3, True)


def test_each_kill_came_in_the_middle(survived: Survived) -> None:
    assert all(0 < count < SUBJECTS for count in survived.answered_at_kill)


def test_every_subject_is_answered_once(world: World, survived: Survived) -> None:
    registered = Counter(one["subject"] for one in survived.told["renditions"] if one["kind"] == "101")

    assert registered == Counter(f"CN-USCC:{code}" for code in world.home.codes[:SUBJECTS])
    assert survived.told["refused"] == []
    assert len(set(survived.told["frames"])) == SUBJECTS


def test_nothing_is_answered_or_charged_twice(world: World, survived: Survived) -> None:
    agreement = bytes.fromhex(survived.agreement)
    sent = world.agency.rows(f"{SENT} WHERE digest = ?", agreement)
    held = world.bank.rows("SELECT header FROM received_frames WHERE agreement = ?", agreement)
    charged = world.agency.rows(
        "SELECT period, amount FROM charges JOIN agreements ON number = agreement_no WHERE digest = ?", agreement
    )

    assert len({request for request, _ in sent}) == len(sent) == len(held) == SUBJECTS
    assert {header for _, header in sent} == {header for (header,) in held}
    assert {amount for _, amount in charged} == {SUBJECTS}


def test_no_job_is_done_twice(world: World, survived: Survived) -> None:
    """Each answer left its entries once, each frame its receipt, and each job is closed."""
    entries = [one for one in world.agency.journal_since(0) if one["agreement"] == survived.agreement]
    acts = Counter(one["act"] for one in entries)
    assert (acts["batch"], acts["query"], acts["evaluate"]) == (SUBJECTS, SUBJECTS, 1)

    until("every receipt has come", lambda: world.agency.rows("SELECT count(*) FROM frame_receipts") == [(SUBJECTS,)])
    for side in (world.agency, world.bank):
        until("every job is done", partial(has_no_open_job, side))


def test_the_journals_verify_and_hold_every_frame(world: World, survived: Survived) -> None:
    assert [side.ask("journal", "verify")["problems"] for side in (world.agency, world.bank)] == [[], []]

    proven = world.bank.ask("journal", "verify", "--peer", PROVIDER, "--wait", "120")

    assert proven["problems"] == []
    assert proven["leaves"] >= SUBJECTS
    assert survived.told["frames"]


def test_the_process_that_is_left_holds_the_node_until_it_stops(world: World, survived: Survived) -> None:
    agency = shared(world.agency)
    assert agency.second is None
    assert agency.ask("status")["serving"] is True
    agency.run("migrate", expect=(4,))

    agency.stop()

    assert not is_served(Folder(agency.folder))
    agency.run("migrate")
    agency.join()
    assert answered(world, survived.agreement) == SUBJECTS


def test_a_deletion_reaches_its_end_though_a_process_of_each_node_is_killed(world: World, survived: Survived) -> None:
    """In the middle of it each loses the process that sequences; the other one takes over."""
    agency, bank = shared(world.agency), shared(world.bank)
    for node in (agency, bank):
        node.join()
    records = held_under(agency, survived.agreement)[:12]
    for record in records[:8]:
        agency.run("records", "delete", record, "--basis", "REVOKED")
    for node in (agency, bank):
        node.lose("sequencer")
    for record in records[8:]:
        agency.run("records", "delete", record, "--basis", "REVOKED")

    until("the bank has followed", lambda: not agency.ask("notices", "list", "--open", "--limit", "1000"), 120)

    told = agency.ask("notices", "list", "--limit", "1000")
    assert {(str(one["record"]), one["stage"]) for one in told} == {(record, "DELETED") for record in records}
    assert len(told) == len(records)
    assert bank.rows("SELECT count(*) FROM copies") == [(SUBJECTS - len(records),)]
    until("nothing is left to erase", lambda: not any(node.rows("SELECT 1 FROM erasures") for node in (agency, bank)))
    assert [side.ask("journal", "verify")["problems"] for side in (agency, bank)] == [[], []]


def held_under(home: Shared, agreement: str) -> list[str]:
    """The numbers of the records that somebody holds under an agreement."""
    question = (
        "SELECT record_no FROM disclosures JOIN agreements ON agreements.number = agreement_no "
        "WHERE digest = ? AND closed_at IS NULL ORDER BY record_no"
    )
    return [str(record) for (record,) in home.rows(question, bytes.fromhex(agreement))]
