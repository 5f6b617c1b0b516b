"""Whoever waits for a peer is told what for, why the last try failed, and how to learn the end later."""

import json
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

import msgspec
import pytest
import typer

from node.app.lock import serving_lock
from node.app.opening import Node, opened
from node.cli import waiting
from node.cli.waiting import Told, how_it_goes, last_failure, out_of_patience, wait_for
from node.config import Folder
from node.domain.jobs import Job, JobKind, JobResult, JobState, NewJob
from node.domain.troubles import Trouble
from node.operations.ports import UnitOfWork
from node.operations.push_records import PushResult
from registry.parties import PartyId
from tests.unit.node.cli.conftest import Terminal

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
AGENCY = PartyId("sz-agency")
OFF = msgspec.json.encode(JobResult(outcome="UNREACHABLE", reason=Trouble.NOT_REACHED, by=AGENCY))
SECRET = "91440300MA5TERT15Q"
FRESH = Job(
    number=28, kind=JobKind.QUERY, peer=AGENCY, key="query:1", payload=SECRET.encode(), state=JobState.WAITING,
    attempts=0, next_at=NOON, give_up_at=NOON + timedelta(minutes=9), result=None,
)  # fmt: skip
PUSHED = PushResult(frames=1, renditions=7, taken=1, cancelled=0, refused=())
TRIED = replace(FRESH, attempts=3, next_at=NOON + timedelta(seconds=3.2), result=OFF)


def test_before_anything_failed_only_the_peer_is_named() -> None:
    assert how_it_goes(FRESH, NOON, served=True) == "waiting for sz-agency (try 1)"


def test_between_two_tries_the_reason_and_the_pause_are_told() -> None:
    said = how_it_goes(TRIED, NOON, served=True)

    assert said == "sz-agency cannot be reached at its listed endpoint; trying again in 4 s (try 4)"


def test_a_try_that_is_due_has_no_pause() -> None:
    said = how_it_goes(TRIED, NOON + timedelta(minutes=1), served=True)

    assert said == "sz-agency cannot be reached at its listed endpoint; trying again (try 4)"


def test_a_node_that_stopped_serving_says_so_whatever_the_peer_did() -> None:
    assert "`creditport serve`" in how_it_goes(TRIED, NOON, served=False)


def test_when_patience_ends_the_reason_the_number_and_the_command_are_told() -> None:
    assert out_of_patience(TRIED, 30, served=True) == (
        "no answer from sz-agency after 30 s, tried 3 times: "
        "sz-agency cannot be reached at its listed endpoint (无法连接 sz-agency 登记的地址); "
        "job 28 stays queued until 2026-06-01T12:09:00Z and goes on: `creditport jobs show 28` reads its result"
    )


def test_a_push_is_never_given_up_and_has_no_last_moment() -> None:
    push = replace(FRESH, kind=JobKind.PUSH, give_up_at=None)

    said = out_of_patience(push, 0.5, served=True)

    assert said.startswith("the push to sz-agency is not done after 0.5 s; job 28 stays queued and goes on")


@pytest.mark.parametrize("served", [True, False])
def test_nothing_that_a_job_carries_is_told(served: bool) -> None:
    said = how_it_goes(TRIED, NOON, served=served) + out_of_patience(TRIED, 1, served=served) + last_failure(TRIED)

    assert SECRET not in said


@pytest.fixture
def node(bank: Terminal) -> Iterator[Node]:
    """The bank's node with one query in its outbox, to a peer that was not reached twice."""
    with opened(Folder(bank.node)) as node:
        _write(node, _queue_a_query)
        yield node


def _write(node: Node, act: Callable[[UnitOfWork], object]) -> None:
    with node.store.write() as work:
        act(work)
        work.commit()


def _queue_a_query(work: UnitOfWork) -> None:
    later = NOON + timedelta(days=36_500)
    job = NewJob(kind=JobKind.QUERY, peer=AGENCY, key="query:1", payload=b"{}", give_up_at=later)
    number = work.outbox.add(job, NOON)
    for _ in range(2):
        work.outbox.retry(number, later, why=OFF)


@pytest.fixture
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "QUIET", 0.0)
    monkeypatch.setattr(waiting, "SERVED_EVERY", 0.0)


class Heard:
    """Remembers what it was told, and does something when it is told for the first time."""

    def __init__(self, then: Callable[[], object]) -> None:
        self.then, self.said = then, list[str]()

    def __call__(self, job: Job, text: str, *, news: bool) -> None:
        assert job.number == 1
        if news:
            self.said.append(text)
        if len(self.said) == 1:
            self.then()

    def telling(self) -> AbstractContextManager[Told]:
        return nullcontext(self)


@contextmanager
def ends(code: int) -> Iterator[None]:
    with pytest.raises(typer.Exit) as ended:
        yield
    assert ended.value.exit_code == code


@pytest.fixture
def _hears_ctrl_c() -> Iterator[None]:
    """As in a terminal; what a shell starts in the background ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("_at_once", "_hears_ctrl_c")
def test_ctrl_c_leaves_the_job_queued_and_says_how_to_learn_the_end(
    node: Node, capsys: pytest.CaptureFixture[str]
) -> None:
    heard = Heard(lambda: signal.raise_signal(signal.SIGINT))

    with serving_lock(node.folder), ends(130):
        wait_for(node, 1, 60, heard.telling)

    told = capsys.readouterr().err
    assert told.startswith("creditport: interrupted; job 1 stays queued until ")
    assert "`creditport jobs show 1`" in told
    with node.store.read() as work:
        assert [one.number for one in waiting.waiting_jobs(work, NOON)] == [1]


@pytest.mark.usefixtures("_at_once", "_hears_ctrl_c")
def test_ctrl_c_calls_no_job_queued_that_has_ended_meanwhile(node: Node, capsys: pytest.CaptureFixture[str]) -> None:
    def end_and_interrupt() -> None:
        _write(node, lambda work: work.outbox.finish(1, b"{}", NOON, failed=False))
        signal.raise_signal(signal.SIGINT)

    with serving_lock(node.folder), ends(130):
        wait_for(node, 1, 60, Heard(end_and_interrupt).telling)

    told = capsys.readouterr().err
    assert told == "creditport: interrupted; job 1 has ended meanwhile: `creditport jobs show 1` reads its result\n"


@pytest.mark.usefixtures("_at_once")
def test_a_job_that_ends_meanwhile_is_given_back(node: Node) -> None:
    heard = Heard(lambda: _write(node, lambda work: work.outbox.finish(1, b"{}", NOON, failed=False)))

    with serving_lock(node.folder):
        job = wait_for(node, 1, 60, heard.telling)

    assert (job.state, job.result) == (JobState.DONE, b"{}")
    assert len(heard.said) == 1


@pytest.mark.usefixtures("_at_once")
def test_who_waits_learns_that_the_node_stopped_serving(node: Node, capsys: pytest.CaptureFixture[str]) -> None:
    served = serving_lock(node.folder)
    served.__enter__()
    heard = Heard(lambda: served.__exit__(None, None, None))

    with ends(3):
        wait_for(node, 1, 0.3, heard.telling)

    assert "not being served any more" in heard.said[-1]
    assert "Run `creditport serve`" in capsys.readouterr().err


@pytest.mark.usefixtures("_at_once")
def test_elsewhere_than_on_a_terminal_each_failed_try_is_one_line_on_standard_error(bank: Terminal, node: Node) -> None:
    with serving_lock(node.folder):
        done = bank.run("jobs", "show", "1", "--wait", "0.2", "--json", code=3)

    going, ended = done.stderr.splitlines()
    assert done.stdout == ""
    assert going.startswith("creditport: job 1: sz-agency cannot be reached at its listed endpoint; trying again in ")
    assert ended.startswith("creditport: no answer from sz-agency after 0.2 s, tried 2 times: ")


def test_jobs_that_wait_are_listed_with_the_code_of_their_last_failure(bank: Terminal, node: Node) -> None:
    assert node.party == "hk-bank"

    (listed,) = bank.ask("jobs", "list")
    shown = bank.ask("jobs", "show", "1", code=3)

    assert listed == shown
    assert {name: listed[name] for name in ("job", "kind", "peer", "state", "tries", "reason")} == {
        "job": 1, "kind": "query", "peer": AGENCY, "state": "waiting", "tries": 2, "reason": "NOT_REACHED",
    }  # fmt: skip
    assert "无法连接" in bank.run("jobs", "list").stdout


def test_jobs_beyond_those_that_are_listed_are_counted(
    bank: Terminal, node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "MOST_LISTED", 2)
    for place in range(3):
        job = NewJob(kind=JobKind.NOTICES, peer=AGENCY, key=f"more {place}", payload=b"{}")
        _write(node, partial(lambda job, work: work.outbox.add(job, NOON), job))

    listed = bank.run("jobs", "list", "--json")

    assert len(json.loads(listed.stdout)) == 2
    assert listed.stderr == "creditport: 2 more wait, 4 in all (另有 2 项，共 4 项)\n"
    assert bank.ask("status")["jobs_waiting"] == 4


def test_who_does_not_wait_learns_the_number_and_whether_anybody_will_send_it(bank: Terminal) -> None:
    words = ("query", "--agreement", "ab" * 32, "--provider", "hk-authority", "--subject", SECRET)

    asked = bank.ask(*words, "--purpose", "CROSS_BORDER_FINANCING", "--wait", "0")

    assert asked == {"job": 1, "serving": False, "then": "creditport jobs show 1"}


@pytest.mark.parametrize(("outcome", "trouble", "code"), [("UNREACHABLE", "NO_ANSWER", 3), ("FAILED", "BROKEN", 4)])
@pytest.mark.parametrize("kind", JobKind)
def test_a_job_of_any_kind_that_was_given_up_says_why(
    bank: Terminal, node: Node, kind: JobKind, outcome: str, trouble: str, code: int
) -> None:
    result = msgspec.json.encode(JobResult(outcome=outcome, reason=trouble, by=AGENCY))

    def end(work: UnitOfWork) -> None:
        number = work.outbox.add(NewJob(kind=kind, peer=AGENCY, key="two", payload=b"{}"), NOON)
        work.outbox.finish(number, result, NOON, failed=True)

    _write(node, end)

    done = bank.run("jobs", "show", "2", code=code)

    assert done.stdout == ""
    assert done.stderr.startswith("creditport: job 2 was given up, tried once: ")


@pytest.mark.parametrize("kind", [kind for kind in JobKind if kind is not JobKind.QUERY])
def test_a_job_of_any_kind_that_was_refused_says_why(bank: Terminal, node: Node, kind: JobKind) -> None:
    """A query is refused one by one, and says it in its own way."""
    result = msgspec.json.encode(JobResult(outcome="REFUSED", reason="PEER_SUSPENDED", article="S 8", by=AGENCY))

    def end(work: UnitOfWork) -> None:
        number = work.outbox.add(NewJob(kind=kind, peer=AGENCY, key="two", payload=b"{}"), NOON)
        work.outbox.finish(number, result, NOON, failed=True)

    _write(node, end)

    told = bank.ask("jobs", "show", "2", code=1)
    assert (told["reason"], told["article"], told["by"]) == ("PEER_SUSPENDED", "S 8", AGENCY)
    said = bank.run("jobs", "show", "2", code=1).stderr
    assert said.startswith("creditport: sz-agency refused: PEER_SUSPENDED (S 8). ")
    assert told["text_zh"] in said


@pytest.mark.parametrize(
    ("kind", "result", "told"),
    [
        (
            JobKind.PUSH,
            PUSHED,
            {"push": 2, "renditions": 7},
        ),
        (JobKind.NOTICES, JobResult(outcome="DELIVERED", by=AGENCY), {"outcome": "DELIVERED", "by": AGENCY}),
    ],
)
def test_the_result_of_a_job_is_read_later_as_its_command_would_have_told_it(
    bank: Terminal, node: Node, kind: JobKind, result: msgspec.Struct, told: dict[str, object]
) -> None:
    def end(work: UnitOfWork) -> None:
        number = work.outbox.add(NewJob(kind=kind, peer=AGENCY, key="two", payload=b"{}"), NOON)
        work.outbox.finish(number, msgspec.json.encode(result), NOON, failed=False)

    _write(node, end)

    shown = json.loads(bank.run("jobs", "show", "2", "--json").stdout)

    assert told.items() <= shown.items()
