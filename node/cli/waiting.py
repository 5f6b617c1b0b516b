"""Waiting for a job: the serving process sends, the command reads what was stored, and says meanwhile how it goes.

On a terminal a spinner says it, elsewhere plain lines on standard error: one for each try that failed.
"""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

import msgspec
import typer
from rich.text import Text

from agreements.refusal import Refusal, explain
from node.app.lock import is_served
from node.app.opening import Node
from node.cli.screen import Exit, err, fail, say_json
from node.domain.jobs import Job, JobKind, JobResult, JobState
from node.domain.troubles import in_words
from node.operations.ports import UnitOfWork
from registry.parties import PartyId

LOOK_EVERY = 0.05
QUIET = 0.7
"""Seconds in which nothing is said: most answers have come by then."""
SERVED_EVERY = 1.0
"""Seconds between two looks whether the node is still being served."""
MOST_LISTED = 1_000
"""Jobs that are listed at once."""


class Told(Protocol):
    """Where it is said how a wait goes."""

    def __call__(self, job: Job, text: str, *, news: bool) -> None:
        """Show how a job is; `news` if that is more than the seconds going by."""


def spinning() -> AbstractContextManager[Told]:
    """A spinner on a terminal; plain lines elsewhere."""
    return _spinner() if err.is_terminal else plain_lines()


@contextmanager
def _spinner() -> Iterator[Told]:
    with err.status("") as status:

        def told(job: Job, text: str, *, news: bool) -> None:
            del news
            status.update(live_line(job, text))

        yield told


def live_line(job: Job, text: str) -> Text:
    """What stands on a terminal while somebody waits."""
    return Text(f"{text}. Ctrl-C leaves job {job.number} queued")


@contextmanager
def plain_lines() -> Iterator[Told]:
    """Lines on standard error, for whoever reads through a pipe or later in a log."""

    def told(job: Job, text: str, *, news: bool) -> None:
        if news:
            err.print(f"creditport: job {job.number}: {text}", markup=False)

    yield told


def wait_for(
    node: Node, number: int, seconds: float, telling: Callable[[], AbstractContextManager[Told]] = spinning
) -> Job:
    """Wait until a job is done or was given up; NOT_NOW if it is neither in time, or if nobody serves to send it.

    The job stays queued when the wait ends, also by Ctrl-C: it is done when the peer can be reached, or given up on
    its own time.
    """
    watch = _Watch(node, number, seconds)
    try:
        job = watch.look()
        if job.state is JobState.WAITING and not is_served(node.folder):
            unsent = "the node is not being served, so nothing is sent yet; the job is queued"
            fail(f"{unsent}. {serve_first(job)}", Exit.NOT_NOW)
        with telling() as told:
            job = watch.until_closed(told)
    except KeyboardInterrupt:
        fail(interrupted(watch.look()), Exit.INTERRUPTED)
    if job.state is JobState.WAITING:
        fail(out_of_patience(job, seconds, served=watch.served), Exit.NOT_NOW)
    return job


@dataclass(slots=True)
class _Watch:
    """One wait for one job."""

    node: Node
    number: int
    seconds: float
    served: bool = True

    def look(self) -> Job:
        """The job as it is stored now."""
        with self.node.store.read() as work:
            job = work.outbox.find(self.number)
        if job is None:
            raise LookupError("the job is not in the outbox")
        return job

    def until_closed(self, told: Told) -> Job:
        """The job when it is closed, or as it is when patience ends."""
        begun = time.monotonic()
        look_at, said = begun + SERVED_EVERY, None
        while True:
            job, now = self.look(), time.monotonic()
            if job.state is not JobState.WAITING or now - begun >= self.seconds:
                return job
            if now >= look_at:
                self.served, look_at = is_served(self.node.folder), now + SERVED_EVERY
            if now - begun >= QUIET:
                standing = (job.attempts, self.served)
                told(job, how_it_goes(job, datetime.now(UTC), served=self.served), news=standing != said)
                said = standing
            time.sleep(LOOK_EVERY)


def waiting_jobs(work: UnitOfWork, at: datetime) -> list[Job]:
    """Jobs that wait, by number: all, or the `MOST_LISTED` that come next where all lanes take turns."""
    return sorted(work.outbox.due(at.replace(year=at.year + 100), MOST_LISTED), key=lambda job: job.number)


def how_it_goes(job: Job, at: datetime, *, served: bool) -> str:
    """What is waited for at this moment: the peer, which try, why the last one failed, and when the next one is."""
    if not served:
        return "the node is not being served any more, so nothing is sent until `creditport serve` runs"
    if not job.attempts:
        return f"waiting for {job.peer} (try 1)"
    pause = math.ceil((job.next_at - at).total_seconds())
    again = f"trying again in {pause} s" if pause > 0 else "trying again"
    return f"{_last_words(job)[0]}; {again} (try {job.attempts + 1})"


def last_failure(job: Job) -> str:
    """Why the last try of a job failed, in both languages."""
    english, chinese = _last_words(job)
    return f"{english} ({chinese})"


def _last_words(job: Job) -> tuple[str, str]:
    ended = job_result(job)
    return in_words(ended.reason, PartyId(ended.by) if ended.by else job.peer)


def job_result(job: Job) -> JobResult:
    """How a job, or its last try, ended, if that says no more than how it ended."""
    ended = msgspec.json.decode(job.result or b"{}", type=dict[str, Any])
    return msgspec.convert(ended, JobResult) if "outcome" in ended else JobResult(outcome="")


def out_of_patience(job: Job, seconds: float, *, served: bool) -> str:
    """What to say when a wait ends before its job: how far it is, that it stays queued, and how to learn the end."""
    what = f"the push to {job.peer} is not done" if job.kind is JobKind.PUSH else f"no answer from {job.peer}"
    tried = f", {_tried(job.attempts)}: {last_failure(job)}" if job.attempts else ""
    later = f"and goes on: {read_later(job)}" if served else f"until the node serves again. {serve_first(job)}"
    return f"{what} after {seconds:g} s{tried}; {stays_queued(job)} {later}"


def _tried(times: int) -> str:
    return "tried once" if times == 1 else f"tried {times} times"


def interrupted(job: Job) -> str:
    """What to say to whoever does not wait any longer: how the job is at this moment."""
    if job.state is not JobState.WAITING:
        return f"interrupted; job {job.number} has ended meanwhile: {read_later(job)}"
    return f"interrupted; {stays_queued(job)} and goes on while the node serves: {read_later(job)}"


def stays_queued(job: Job) -> str:
    """That a job stays in the outbox, and until when if it is given up on its own."""
    until = f" until {job.give_up_at:%Y-%m-%dT%H:%M:%SZ}" if job.give_up_at else ""
    return f"job {job.number} stays queued{until}"


def read_later(job: Job) -> str:
    """The command that reads a job's result."""
    return f"`creditport jobs show {job.number}` reads its result"


def serve_first(job: Job) -> str:
    """The commands that get a job on when nobody serves."""
    return f"Run `creditport serve`; {read_later(job)}"


def queued(node: Node, number: int) -> dict[str, Any]:
    """Under which number a job was queued, and whether somebody is there to send it, for whoever does not wait."""
    return {"job": number, "serving": is_served(node.folder), "then": f"creditport jobs show {number}"}


def fail_if_given_up(job: Job) -> None:
    """End with one sentence if a closed job came to nothing: the peer could not be asked, or this node broke."""
    outcome = job_result(job).outcome
    if outcome in {"UNREACHABLE", "FAILED"}:
        code = Exit.LOCAL if outcome == "FAILED" else Exit.NOT_NOW
        fail(f"job {job.number} was given up, {_tried(job.attempts + 1)}: {last_failure(job)}", code)


def fail_if_refused(job: Job, *, as_json: bool) -> None:
    """End with the reason, its article and what it means if a closed job was refused for good."""
    result = job_result(job)
    if result.outcome != "REFUSED":
        return
    told = explain(Refusal(result.reason))
    if not as_json:
        fail(f"{result.by} refused: {result.reason} ({result.article}). {told.en} {told.zh}", Exit.REFUSED)
    reason = {"reason": result.reason, "article": result.article, "by": result.by}
    say_json(reason | {"text_en": told.en, "text_zh": told.zh})
    raise typer.Exit(int(Exit.REFUSED))
