"""An answer, or the next frame of a push, races with the deletion of the record that it shows.

Processes share home's database and are let go at the same moment, many times over. Whoever is first, there is never a
holder without a notice: home shows the record and tells the holder of its deletion, or it does not show it.
"""

import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import msgspec
import psycopg
import pytest

from crypto.frame import open_frame
from crypto.keys import Purpose
from crypto.pseudonym import subject_input
from node.domain.jobs import JobKind, NewJob
from node.domain.notices import Effect
from node.operations.ask import (
    Asker,
    Plan,
    Question,
    Target,
    asked_items,
    keep_pseudonyms,
    plan_query,
    prepare,
    unknown_subjects,
)
from node.operations.asked import Answered, QueryAsked
from node.operations.change_records import Changed
from node.operations.ports import UnitOfWork
from node.operations.push_records import PushPlan, PushResult
from node.operations.rows import SentFrameRow
from node.storage.postgresql import Postgresql
from node.storage.store import SqlStore
from registry.parties import PartyId
from tests.contracts.conftest import postgresql_server  # noqa: F401 - the one server of the test run
from tests.contracts.postgresql import PostgresqlServer
from tests.fakes.exchange import ALL_FIELDS, PURPOSE
from tests.fakes.founding import founded
from tests.fakes.members import LAW, Member
from tests.fakes.network import Network
from tests.fakes.propagation import AGENCY, AUTHORITIES, BANKS, HOLDERS, HOME, agree, code, consent, enterprise, load
from tests.fakes.stores import WrappedStore, forgetting
from tests.simulation.racing import Act, Acts, Answer, Delete, Home, Outcome, PushNext, Ran, race
from tests.thorough import THOROUGH

pytestmark = pytest.mark.no_cover  # what this runs is covered by others, and measuring it doubles its time

ROUNDS = 1_000 if THOROUGH else 250
OFTEN = ROUNDS // 100
"""How many times each of two must be first while the other is under way; it is far more often on slow machines, too."""
BANK, OTHER_BANK = HOLDERS[:2]
EITHER_WAY = {(act, order) for act in ("Answer", "PushNext") for order in ("was first", "was second")}
SPARE = ROUNDS + 1
"""A record that nobody races for."""
ASKED = {"101": ALL_FIELDS["101"]}


class Given(NamedTuple):
    """That a holder was given a record: by which alias, in which frame."""

    holder: PartyId
    alias: bytes
    frame: bytes

    @property
    def name(self) -> tuple[PartyId, bytes]:
        """What a notice names."""
        return self.holder, self.alias


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """Home with a record for each round, numbered from 1, and one to spare; a question and a push for each of them."""

    home: Home
    questions: Mapping[PartyId, Sequence[QueryAsked]]
    jobs: Mapping[PartyId, Sequence[int]]

    def answer(self, record: int, holder: PartyId = BANK) -> Answer:
        return Answer(self.questions[holder][record - 1])

    def push(self, record: int, holder: PartyId = BANK) -> PushNext:
        return PushNext(self.jobs[holder][record - 1])

    def opened(self) -> closing[Member]:
        """Home in this process, too."""
        return closing(self.home.open(seed=1))


def prepared(folder: Path, url: str) -> Ground:
    """Home at an address, before anything of it was shown to anybody."""
    parts, urls = (*AUTHORITIES, AGENCY, *BANKS[:2]), {HOME: url}
    numbers = range(SPARE)
    with founded(parts, folder, urls=urls) as network:
        agreements = {holder: agree(network, HOME, holder) for holder in (BANK, OTHER_BANK)}
        load(network, HOME, map(enterprise, numbers))
        for holder, agreement in agreements.items():
            consent(network, holder, agreement, [code(number) for number in numbers])
        return Ground(
            home=Home(AGENCY, url, network.clock()),
            questions={holder: questions(network, holder, digest) for holder, digest in agreements.items()},
            jobs={holder: jobs(network, holder, digest) for holder, digest in agreements.items()},
        )


def questions(network: Network, holder: PartyId, agreement: bytes) -> list[QueryAsked]:
    """A question about each record's enterprise, as it comes off the wire."""
    bank, home = network.members[holder], network.members[HOME]
    held = bank.known().agreements[agreement]
    question = Question(
        subjects=[code(number) for number in range(SPARE)], purpose=PURPOSE, asked=ASKED, batch=False,
        patience=timedelta(days=1), rule_pack=LAW.rules.reference,
    )  # fmt: skip
    target = Target.of(held, network.clock())
    job = bank.write(lambda work: plan_query(work, question, target, bank.operator, bank.context))
    assert isinstance(job, int), job
    waiting = bank.read(lambda work: work.outbox.find(job))
    assert waiting is not None
    plan = msgspec.json.decode(waiting.payload, type=Plan)
    unknown = bank.read(lambda work: unknown_subjects(work, plan))
    inputs = [subject_input(one.scheme, one.value) for one in unknown]
    names = home.pseudonyms(held.terms.agreement, plan.epoch, inputs)
    bank.write(lambda work: keep_pseudonyms(work, plan, unknown, names))
    made = bank.write(lambda work: prepare(work, job, plan, asker(work, bank, agreement), b""))
    return [
        QueryAsked(
            peer=holder, digest=bytes.fromhex(message.request) * 2, agreement=agreement, epoch=plan.epoch,
            purpose=PURPOSE, asked=ASKED, items=asked_items(message), batch=False, checkpoint=b"",
        )
        for message in made.messages
    ]  # fmt: skip


def asker(work: UnitOfWork, bank: Member, agreement: bytes) -> Asker:
    facts = bank.facts(work)
    return Asker(
        agreement=facts.agreements[agreement], facts=facts, settings=bank.settings,
        context=bank.context,
    )  # fmt: skip


def jobs(network: Network, holder: PartyId, agreement: bytes) -> list[int]:
    """A push of each record, whatever of it was shown before."""

    def order(work: UnitOfWork, record: int) -> int:
        plan = PushPlan(agreement=agreement.hex(), kinds=tuple(ASKED), records=(record,), again=True)
        key, payload = f"push:{holder}:{record}", msgspec.json.encode(plan)
        return work.outbox.add(NewJob(kind=JobKind.PUSH, peer=holder, key=key, payload=payload), network.clock())

    def act(work: UnitOfWork) -> list[int]:
        ordered = [order(work, record) for record in range(1, SPARE + 1)]
        work.commit()
        return ordered

    return network.members[HOME].write(act)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Ground:
    """Home on SQLite, to be copied."""
    folder = tmp_path_factory.mktemp("race")
    return prepared(folder, f"sqlite:///{folder / 'home.db'}")


@pytest.fixture
def on_sqlite(template: Ground, tmp_path: Path) -> Ground:
    """A copy of home on SQLite."""
    copy = shutil.copy(template.home.url.removeprefix("sqlite:///"), tmp_path)
    return replace(template, home=replace(template.home, url=f"sqlite:///{copy}"))


@pytest.fixture(scope="module")
def on_postgresql(
    tmp_path_factory: pytest.TempPathFactory,
    postgresql_server: PostgresqlServer,  # noqa: F811 - it is that one
) -> Iterator[Ground]:
    """Home on PostgreSQL."""
    with postgresql_server.database("template0") as url:
        yield prepared(tmp_path_factory.mktemp("race"), url)


def given(act: Act, outcome: Outcome) -> set[Given]:
    """What a holder was given by an act: it opens the frame itself."""
    match act, outcome:
        case Answer(asked=asked), Answered(header=header, body=body):
            holder = asked.peer
        case PushNext(), SentFrameRow(recipient=holder, header=header, body=body):
            pass
        case PushNext(), PushResult():
            return set()
        case _:
            raise AssertionError(outcome)
    (bank,) = [one for one in BANKS if one.party == holder]
    opened = open_frame(header, body, AGENCY.signing(Purpose.FRAME).public, bank.keys().seal)
    frame = bytes.fromhex(opened.header.frame)
    return {Given(holder, bytes.fromhex(one.header.alias), frame) for one in opened.renditions}


def wrong(work: UnitOfWork, record: int, copies: AbstractSet[Given]) -> list[str]:
    """What is not as it must be with a deleted record of which there are these copies; nothing where all is well."""
    notices = [(one.peer, one.alias) for one in work.notices.of_record(record) if one.effect == Effect.DELETE]
    ledger = {Given(row.holder, row.alias, row.frame) for row in work.ledger.of_record(record) if row.closed_at is None}
    told, held, listed = set(notices), {one.name for one in copies}, {one.name for one in ledger}
    troubles: Mapping[str, AbstractSet[tuple[PartyId, bytes]]] = {
        "has a copy and no notice": held - told,
        "is in the ledger and has no notice": listed - told,
        "has a copy that is not in the ledger": {one.name for one in copies - ledger},
        "is in the ledger for a copy that it never had": {one.name for one in ledger - copies},
        "has a notice and never had a copy": told - held,
        "has more than one notice": {one for one in told if notices.count(one) > 1},
    }
    return sorted(f"{holder} {what} of record {record}" for what, who in troubles.items() for holder, _ in who)


@dataclass(frozen=True, slots=True)
class Round:
    """How a record's deletion ended, and what the other acts gave holders."""

    record: int
    deletion: Ran
    others: Sequence[tuple[Ran, AbstractSet[Given]]]

    def wrong(self, work: UnitOfWork) -> list[str]:
        """What is wrong now that it is over."""
        copies = {one for _, given in self.others for one in given}
        return [*wrong(work, self.record, copies), *self._wrongly_ended(len({one.name for one in copies}))]

    def _wrongly_ended(self, holders: int) -> Iterator[str]:
        if self.deletion.outcome != Changed(version=2, notices=holders):
            yield f"the deletion of record {self.record} ended with {self.deletion.outcome}"
        for ran, copies in self.others:
            if copies and self.deletion.is_before(ran):
                yield f"record {self.record} was shown after it was deleted"
            if not copies and ran.is_before(self.deletion):
                yield f"record {self.record} was withheld before it was deleted"

    def orders(self) -> Iterator[tuple[str, str]]:
        """Which acts were first and which were second, of those that ran at the same time as the deletion."""
        for ran, copies in self.others:
            if not ran.is_before(self.deletion) and not self.deletion.is_before(ran):
                yield type(ran.act).__name__, "was first" if copies else "was second"


def raced(ground: Ground, parts: Callable[[int], Sequence[Acts]]) -> list[Round]:
    """Race for every record but the spare one: each is deleted while other processes do their parts."""
    ended = race(ground.home, [[[Delete(record)], *parts(record)] for record in range(1, ROUNDS + 1)])
    return [
        Round(record, deletion, [(ran, given(ran.act, ran.outcome)) for part in others for ran in part])
        for record, ((deletion,), *others) in enumerate(ended, 1)
    ]


def wrong_after(ground: Ground, rounds: Iterable[Round]) -> list[str]:
    with ground.opened() as home:
        return home.read(lambda work: [one for ended in rounds for one in ended.wrong(work)])


def often(rounds: Iterable[Round]) -> set[tuple[str, str]]:
    """Which kind of act was often first, and which was often second."""
    seen = Counter(order for ended in rounds for order in ended.orders())
    return {order for order, times in seen.items() if times >= OFTEN}


def test_two_processes_on_sqlite_leave_no_holder_without_a_notice(on_sqlite: Ground) -> None:
    chance, ground = Random(1), on_sqlite

    rounds = raced(ground, lambda record: [chance.sample([ground.answer(record), ground.push(record)], 2)])

    assert wrong_after(ground, rounds) == []
    assert often(rounds) == EITHER_WAY


def test_four_processes_on_postgresql_leave_no_holder_without_a_notice(on_postgresql: Ground) -> None:
    ground = on_postgresql

    rounds = raced(
        ground, lambda record: [[ground.answer(record)], [ground.push(record)], [ground.answer(record, OTHER_BANK)]]
    )

    assert wrong_after(ground, rounds) == []
    assert often(rounds) == EITHER_WAY


def test_an_answer_that_is_not_in_the_ledger_is_noticed(on_sqlite: Ground) -> None:
    with on_sqlite.opened() as home:
        honest, home.store = home.store, WrappedStore(home.store, forgetting("ledger.disclose"))
        act = on_sqlite.answer(SPARE)
        copies = given(act, home.write(lambda work: act.do(work, home)))
        home.store = honest
        home.write(lambda work: Delete(SPARE).do(work, home))

        assert home.read(lambda work: wrong(work, SPARE, copies)) == [
            f"{BANK} has a copy and no notice of record {SPARE}",
            f"{BANK} has a copy that is not in the ledger of record {SPARE}",
        ]


class TakingNoTurns(Postgresql):
    """PostgreSQL without the promise that who writes has seen everything that was committed before."""

    def begin(self, connection: Any, *, write: bool) -> None:
        del write
        psycopg.Cursor(connection).execute("BEGIN ISOLATION LEVEL READ COMMITTED")


def test_without_turns_a_holder_would_be_left_without_a_notice(on_postgresql: Ground) -> None:
    act, deletion = on_postgresql.answer(SPARE), Delete(SPARE)
    with on_postgresql.opened() as home, closing(SqlStore(TakingNoTurns(on_postgresql.home.url))) as careless:

        def deleting_before(path: str, call: Callable[..., Any]) -> Callable[..., Any]:
            def delete_and_call() -> Any:
                home.write(lambda work: deletion.do(work, home))
                return call()

            return delete_and_call if path == "commit" else call

        with WrappedStore(careless, deleting_before).write() as work:
            copies = given(act, act.do(work, home))

        assert home.read(lambda work: wrong(work, SPARE, copies)) == [
            f"{BANK} has a copy and no notice of record {SPARE}",
            f"{BANK} is in the ledger and has no notice of record {SPARE}",
        ]
