"""push: send records that an agreement covers, before anybody asks."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Group
from rich.live import Live
from rich.progress import BarColumn, Progress, TextColumn

from agreements.agreement import Agreement
from node.cli.inputs import a_file, text_of
from node.cli.references import AgreementOption, find_agreement, only_provider
from node.cli.screen import LARGEST, Exit, err, facts, fail, out
from node.cli.session import HERE, JsonFlag, NodeFolder, OperatorName, acting, one_sentence, ordering
from node.cli.waiting import Told, fail_if_given_up, fail_if_refused, live_line, plain_lines, queued, wait_for
from node.domain.dates import SHANGHAI
from node.domain.jobs import Job
from node.domain.records import Kind
from node.operations.operators import NotAllowed
from node.operations.ports import UnitOfWork
from node.operations.push_records import MOST_LISTED, PushPlan, PushResult, Wanted, plan_push


def add_to(app: typer.Typer) -> None:
    """Add this command to the program."""
    app.command(epilog="Example: creditport push --agreement 3fa9c1 --kind 201 --since 2026-11-01 --as alice")(push)


@one_sentence
def push(
    agreement: AgreementOption,
    operator: OperatorName,
    kind: Annotated[
        list[Kind] | None, typer.Option(help="Only this kind. May be repeated.", show_default="all that are agreed")
    ] = None,
    since: Annotated[
        datetime | None,
        typer.Option(
            help="Only what was stored or changed since then, in Shenzhen.", formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]
        ),
    ] = None,
    record: Annotated[
        list[int] | None, typer.Option(help="Only this record. May be repeated.", min=1, max=LARGEST)
    ] = None,
    record_file: Annotated[
        Path | None, typer.Option(help="Only the records in this file, one number a line.", callback=a_file)
    ] = None,
    again: Annotated[
        bool, typer.Option("--again", help="Also what the recipient holds in this version already.")
    ] = False,
    wait: Annotated[float, typer.Option(help="Seconds to wait for the end; 0 only queues.", min=0, max=86_400)] = 600,
    node: NodeFolder = HERE,
    json: JsonFlag = False,
) -> None:
    """Push records under an agreement: sealed frames of up to 500, each receipted. What is held already is left out."""
    listed = _listed(record or [], record_file)
    with acting(node) as opened:
        who = ordering(opened, operator)
        with opened.store.write() as work:
            known = opened.facts(work)
            found = find_agreement(agreement, known)
            only_provider(found, opened.party, "pushing")
            wanted = Wanted(
                kinds=_kinds(found, kind or []),
                since=None if since is None else since.replace(tzinfo=SHANGHAI),
                records=listed,
                again=again,
            )
            total = _total(work, found, wanted)
            number = plan_push(work, wanted, found, who, known.law, opened.context)
        if isinstance(number, NotAllowed):
            fail(number.why, Exit.REFUSED)
        if wait:
            tell(wait_for(opened, number, wait, partial(_bar, total)), json=json)
        else:
            facts(queued(opened, number), as_json=json)


def _kinds(agreement: Agreement, kinds: list[Kind]) -> frozenset[str]:
    wanted = frozenset(one.value for one in kinds)
    if not wanted <= agreement.terms.precisions.keys():
        fail(f"the agreement covers {', '.join(sorted(agreement.terms.precisions))}", Exit.USAGE)
    return wanted


def _total(work: UnitOfWork, agreement: Agreement, wanted: Wanted) -> int:
    """At most so many records are looked at."""
    if wanted.records is not None:
        return len(wanted.records)
    kinds = wanted.kinds or agreement.terms.precisions
    return sum(count for kind, count in work.records.count().items() if kind in kinds)


def _listed(records: list[int], file: Path | None) -> tuple[int, ...] | None:
    """The record numbers that were typed or stand in a file; None if neither was said."""
    numbers = list(records)
    written = text_of(file).split() if file is not None else []
    if file is not None and not written:
        fail(f"{file} names no record: one number in each line  每行须为一个记录编号", Exit.USAGE)
    for place, line in enumerate(written, 1):
        # Its length first, for no number is made of thousands of digits.
        if not (line.isascii() and line.isdigit() and len(line) <= len(str(LARGEST)) and 0 < int(line) <= LARGEST):
            fail(f"record {place} of {file} is not a number", Exit.USAGE)
        numbers.append(int(line))
    if len(numbers) > MOST_LISTED:
        fail(f"at most {MOST_LISTED:,} records in one push", Exit.USAGE)
    return tuple(sorted(set(numbers))) if numbers else None


def _bar(total: int) -> AbstractContextManager[Told]:
    """How far the push is, as a bar on a terminal."""
    return _terminal_bar(total) if err.is_terminal else plain_lines()


@contextmanager
def _terminal_bar(total: int) -> Iterator[Told]:
    columns = (TextColumn("pushing"), BarColumn(), TextColumn("{task.completed:,} of {task.total:,} records looked at"))
    bar = Progress(*columns, console=err)
    task = bar.add_task("push", total=total)
    with Live(console=err, transient=True) as live:

        def told(job: Job, text: str, *, news: bool) -> None:
            del news
            bar.update(task, completed=min(total, msgspec.json.decode(job.payload, type=PushPlan).looked_at))
            live.update(Group(bar, live_line(job, text)))

        yield told


def tell(job: Job, *, json: bool) -> None:
    """Show what came of a push."""
    fail_if_given_up(job)
    fail_if_refused(job, as_json=json)
    result = msgspec.json.decode(job.result or b"", type=PushResult)
    shown = {
        "push": job.number,
        "recipient": job.peer,
        "renditions": result.renditions,
        "frames": result.frames,
        "taken": result.taken,
        "cancelled": result.cancelled,
        "refused": len(result.refused),
    }
    facts(shown | ({"refused": dict(result.refused)} if json else {}), as_json=json)
    if result.refused:
        for frame, reason in () if json else result.refused:
            out.print(f"frame {frame}: {job.peer} refused {reason}", markup=False)
        raise typer.Exit(int(Exit.REFUSED))
