"""jobs: what waits to be sent, and why; and the result of what a command did not wait for."""

from typing import Annotated, Any

import typer

from node.app.opening import Node, utc_now
from node.cli import agreements, journal, push, query
from node.cli.screen import LARGEST, Exit, err, facts, fail, table
from node.cli.session import HERE, JsonFlag, NodeFolder, one_sentence, reading
from node.cli.waiting import fail_if_given_up, fail_if_refused, job_result, last_failure, wait_for, waiting_jobs
from node.domain.jobs import Job, JobKind, JobState

app = typer.Typer(no_args_is_help=True, help="What waits to be sent, and what came of it.")


def add_to(program: typer.Typer) -> None:
    """Add this group of commands to the program."""
    program.add_typer(app, name="jobs")


@app.command("list", epilog="Example: creditport jobs list --json")
@one_sentence
def list_jobs(node: NodeFolder = HERE, json: JsonFlag = False) -> None:
    """List what waits to be sent: to whom, how often it was tried in vain, and why the last try failed."""
    with reading(node) as opened, opened.store.read() as work:
        rows, waiting = [_row(job) for job in waiting_jobs(work, utc_now())], work.outbox.waiting()
    columns = {"job": "job", "kind": "kind", "peer": "for", "tries": "tries", "last": "last", "next_at": "next try"}
    table(rows, columns, as_json=json, empty="nothing waits to be sent")
    more = waiting - len(rows)
    if more > 0:
        # On standard error, so that --json says it too, and stays a list.
        told = f"{more:,} more wait, {waiting:,} in all (另有 {more:,} 项，共 {waiting:,} 项)"
        err.print(f"creditport: {told}", markup=False)


@app.command(epilog="Example: creditport jobs show 28 --wait 60")
@one_sentence
def show(
    job: Annotated[int, typer.Argument(help="Its number; the command that queued it said it.", min=1, max=LARGEST)],
    wait: Annotated[float, typer.Option(help="Seconds to wait for its end.", min=0, max=86_400)] = 0,
    node: NodeFolder = HERE,
    json: JsonFlag = False,
) -> None:
    """Show the result of a job as the command that queued it would have; or how it is, as long as it waits."""
    with reading(node) as opened:
        with opened.store.read() as work:
            found = work.outbox.find(job)
        if found is None:
            fail(f"there is no job {job}", Exit.REFUSED)
        if found.state is JobState.WAITING and not wait:
            facts(_row(found), as_json=json)
            raise typer.Exit(int(Exit.NOT_NOW))
        _tell(opened, wait_for(opened, job, wait), json=json)


def _tell(node: Node, job: Job, *, json: bool) -> None:
    match job.kind:
        case JobKind.QUERY:
            query.tell(node, job, json=json)
        case JobKind.PUSH:
            push.tell(job, json=json)
        case JobKind.PROVE:
            journal.tell(job, json=json)
        case JobKind.DELIVER_DOCUMENT | JobKind.FILE_AGREEMENT:
            agreements.tell(node, job, json=json)
        case JobKind.RECEIPTS | JobKind.NOTICES | JobKind.COPY_RECEIPTS:
            fail_if_given_up(job)
            fail_if_refused(job, as_json=json)
            ended = job_result(job)
            facts({"job": job.number, "kind": job.kind, "outcome": ended.outcome, "by": ended.by}, as_json=json)


def _row(job: Job) -> dict[str, Any]:
    ended = job_result(job)
    return {
        "job": job.number,
        "kind": job.kind.value,
        "peer": job.peer,
        "state": job.state.value,
        "tries": job.attempts,
        "reason": ended.reason or None,
        "last": last_failure(job) if ended.reason else None,
        "next_at": job.next_at.replace(microsecond=0),
        "give_up_at": job.give_up_at,
    }
