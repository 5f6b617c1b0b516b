"""Waiting for a job: the serving process sends, the command reads what was stored."""

import time
from contextlib import nullcontext

from node.app.lock import is_served
from node.app.opening import Node
from node.cli.screen import Exit, err, fail
from node.domain.jobs import Job, JobState

LOOK_EVERY = 0.05


def wait_for(node: Node, number: int, seconds: float) -> Job:
    """Wait until a job is done or has failed; NOT_NOW if it is neither in time.

    The job stays queued when the wait ends: it is done when the peer can be reached, or given up on its own time.
    """
    if not is_served(node.folder):
        fail(
            "the node is not being served, so nothing is sent yet; the job is queued. Run `creditport serve`",
            Exit.NOT_NOW,
        )
    end = time.monotonic() + seconds
    with err.status("waiting for the answer ...") if err.is_terminal else nullcontext():
        while True:
            with node.store.read() as work:
                job = work.outbox.find(number)
            if job is not None and job.state is not JobState.WAITING:
                return job
            if time.monotonic() > end:
                fail(
                    f"no answer within {seconds:.0f} s{failed_tries(job)}; job {number} stays queued and goes on",
                    Exit.NOT_NOW,
                )
            time.sleep(LOOK_EVERY)


def failed_tries(job: Job | None) -> str:
    """How often it was tried in vain since it last got on, to go into a sentence; nothing if it never was."""
    if job is None or not job.attempts:
        return ""
    return f" (tried {job.attempts} times: {job.peer} was not reached, or is not ready)"
