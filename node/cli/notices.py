"""notices: what holders were told of changes, how far they followed, and what this node was told itself."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

import typer

from node.app.opening import utc_now
from node.cli.screen import LARGEST, Exit, facts, fail, out, table
from node.cli.session import HERE, JsonFlag, NodeFolder, OperatorName, acting, one_sentence, ordering, reading
from node.domain.receipts import CopyStage
from node.operations.operators import NotAllowed
from node.operations.ports import UnitOfWork
from node.operations.retry_notices import retry_notices
from node.operations.rows import NoticeRow, ReceivedNoticeRow
from registry.parties import PartyId

app = typer.Typer(no_args_is_help=True, help="Changes on their way to everybody who holds a copy.")

After = Annotated[int, typer.Option(help="Go on after this notice.", min=0, max=LARGEST)]
Limit = Annotated[int, typer.Option(min=1, max=1_000)]


def add_to(program: typer.Typer) -> None:
    """Add this group of commands to the program."""
    program.add_typer(app, name="notices")


@app.command("list", epilog="Example: creditport notices list --open --json")
@one_sentence
def list_notices(
    only_open: Annotated[bool, typer.Option("--open", help="Only those that a holder still has to follow.")] = False,
    received: Annotated[bool, typer.Option("--received", help="Those that this node was told as a holder.")] = False,
    after: After = 0,
    limit: Limit = 50,
    node: NodeFolder = HERE,
    json: JsonFlag = False,
) -> None:
    """List notices, a page at a time: one for each change and holder."""
    with reading(node) as opened, opened.store.read() as work:
        if received:
            taken = [_taken(number, one) for number, one in work.notices_taken.page(after, limit)]
            rows = [one for one in taken if not only_open or not CopyStage(one["stage"]).is_last]
        else:
            now = utc_now()
            found = work.notices.page(after, limit, only_open=only_open)
            rows = [_sent(one, stage, now) for one, stage in zip(found, stages_of(work, found), strict=True)]
    sent = {
        "record": "record",
        "peer": "holder",
        "effect": "effect",
        "basis": "basis",
        "stage": "stage",
        "due_at": "due",
    }
    columns = {"notice": "no."} | (
        {"home": "home", "alias": "copy", "effect": "effect", "version": "version", "stage": "stage", "due_at": "due"}
        if received
        else sent | {"overdue": "overdue"}
    )
    table(rows, columns, as_json=json, empty="no notices")


@app.command(epilog="Example: creditport notices show 3")
@one_sentence
def show(
    notice: Annotated[int, typer.Argument(help="Its number, from `creditport notices list`.", min=1, max=LARGEST)],
    node: NodeFolder = HERE,
    json: JsonFlag = False,
) -> None:
    """Show one notice: what it said, and every signed receipt of its holder."""
    with reading(node) as opened, opened.store.read() as work:
        found = work.notices.find(notice)
        if found is None:
            fail(f"there is no notice {notice}", Exit.REFUSED)
        row, stages = found
        (stage,) = stages_of(work, [row])
        batch = work.notice_streams.open_batch(row.peer)
    shown = _sent(row, stage, utc_now()) | {
        "id": row.notice.hex(),
        "agreement": row.agreement.hex(),
        "alias": row.alias.hex(),
        "version": row.version,
        "document": row.document,
        "place": row.sequence,
        "trouble": batch[0].trouble if batch and row.sequence and batch[0].first <= row.sequence else None,
        "receipts": [
            {"stage": one.stage, "at": one.at, "batch": one.receipt.hex()}
            for one in sorted(stages, key=lambda one: CopyStage(one.stage).rank)
        ],
    }
    if json:
        facts(shown, as_json=True)
        return
    receipts = shown.pop("receipts")
    facts(shown, as_json=False)
    for one in receipts:
        out.print(
            f"receipt   {one['stage']:<9} {one['at']:%Y-%m-%dT%H:%M:%SZ} in batch {one['batch'][:12]}…", markup=False
        )


@app.command(epilog="Example: creditport notices retry --peer hk-bank --as alice")
@one_sentence
def retry(
    peer: Annotated[str, typer.Option(help="The holder to be told now, without waiting for the next try.")],
    operator: OperatorName,
    node: NodeFolder = HERE,
    json: JsonFlag = False,
) -> None:
    """Tell a holder now what it has not taken yet, or the last again: one that lost its data says so then."""
    with acting(node) as opened:
        who = ordering(opened, operator)
        with opened.store.write() as work:
            waiting = retry_notices(work, PartyId(peer), who, opened.context)
    if isinstance(waiting, NotAllowed):
        fail(waiting.why, Exit.REFUSED)
    if not waiting:
        fail(f"{peer} was never sent a notice", Exit.REFUSED)
    facts({"holder": peer, "queued": waiting}, as_json=json)


def stages_of(work: UnitOfWork, rows: Sequence[NoticeRow]) -> list[str]:
    """How far each notice has come: SENT once its holder took the batch that it is in, and not when it was written."""
    batches = {peer: work.notice_streams.open_batch(peer) for peer in {one.peer for one in rows}}
    first_untaken = {peer: found[0].first for peer, found in batches.items() if found is not None}

    def is_taken(row: NoticeRow) -> bool:
        return row.sequence is not None and row.sequence < first_untaken.get(row.peer, row.sequence + 1)

    return ["SENT" if row.stage == "WAITING" and is_taken(row) else row.stage for row in rows]


def _sent(row: NoticeRow, stage: str, now: datetime) -> dict[str, Any]:
    applied = stage in {one.value for one in CopyStage if one.rank >= CopyStage.APPLIED.rank}
    return {
        "notice": row.number,
        "record": row.record_no,
        "peer": row.peer,
        "effect": row.effect,
        "basis": row.basis,
        "stage": stage,
        "occurred_at": row.occurred_at,
        "due_at": row.due_at,
        "overdue": not applied and now >= row.due_at,
    }


def _taken(number: int, row: ReceivedNoticeRow) -> dict[str, Any]:
    return {
        "notice": number,
        "home": row.home,
        "place": row.sequence,
        "agreement": row.agreement.hex(),
        "alias": row.alias.hex(),
        "effect": row.effect,
        "version": row.version,
        "stage": row.stage,
        "received_at": row.received_at,
        "due_at": row.due_at,
    }
