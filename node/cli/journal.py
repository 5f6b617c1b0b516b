"""journal: read the log, verify it, and hold a peer to its own."""

from typing import Annotated, Any

import msgspec
import typer

from crypto.canonical import read
from crypto.envelope import parse, read_payload
from crypto.frame import KIND, FrameHeader
from node.cli.screen import LARGEST, Exit, facts, fail, table
from node.cli.session import HERE, JsonFlag, NodeFolder, acting, one_sentence, reading
from node.cli.waiting import fail_if_given_up, fail_if_refused, wait_for
from node.domain.jobs import Job
from node.domain.journal import JournalEntry
from node.operations.keep_journal import verify_own_journal
from node.operations.prove import MOST_LEAVES, ProofResult, plan_proof
from node.operations.rows import JournalRow
from registry.parties import PartyId

app = typer.Typer(no_args_is_help=True, help="The node's tamper-evident journal.")


def add_to(program: typer.Typer) -> None:
    """Add this group of commands to the program."""
    program.add_typer(app, name="journal")


@app.command(epilog="Example: creditport journal show --start 100 --limit 20 --json")
@one_sentence
def show(
    start: Annotated[
        int | None,
        typer.Option(
            help="First entry, from 0; negative counts from the end.",
            min=-LARGEST,
            max=LARGEST,
            show_default="so that the last ones are shown",
        ),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 20,
    node: NodeFolder = HERE,
    json: JsonFlag = False,
) -> None:
    """Show entries with their opened details. Details are codes, ids and digests, never content."""
    with reading(node) as opened, opened.store.read() as work:
        head = work.journal.head()
        size = head.size if head else 0
        wanted = -limit if start is None else start
        first = max(0, size + wanted) if wanted < 0 else wanted
        rows = [_row(one) for one in work.journal.read(first, limit)]
    columns = {"index": "no.", "at": "at", "act": "act", "counterparty": "with", "detail": "detail"}
    table(rows, columns, as_json=json, empty="the journal has no published entries there yet")


@app.command(epilog="Example: creditport journal verify; creditport journal verify --peer sz-credit")
@one_sentence
def verify(
    peer: Annotated[str, typer.Option(help="Check this peer's journal against the frames it sent us.")] = "",
    wait: Annotated[float, typer.Option(help="Seconds to wait for the peer.", min=0, max=3_600)] = 30,
    node: NodeFolder = HERE,
    json: JsonFlag = False,
) -> None:
    """Read the whole journal again and check it; or have a peer prove that its journal holds its frames."""
    if peer:
        _verify_peer(PartyId(peer), wait, node, json=json)
        return
    with reading(node) as opened, opened.store.read() as work:
        verdict = verify_own_journal(work, opened.settings.own.card.journal_vkey)
    shown = {"size": verdict.size, "unsequenced": verdict.unsequenced, "problems": list(verdict.problems)}
    facts(shown, as_json=json)
    if verdict.problems:
        raise typer.Exit(int(Exit.REFUSED))


def _verify_peer(peer: PartyId, wait: float, folder: Any, *, json: bool) -> None:
    with acting(folder) as opened:
        with opened.store.write() as work:
            raws = work.received_frames.headers(peer, MOST_LEAVES)
            headers = [read_payload(parse(raw, KIND), FrameHeader) for raw in raws]
            number = plan_proof(work, peer, headers, opened.context)
        tell(wait_for(opened, number, wait), json=json)


def tell(job: Job, *, json: bool) -> None:
    """Show what a peer proved of its journal."""
    fail_if_given_up(job)
    fail_if_refused(job, as_json=json)
    result = msgspec.json.decode(job.result or b"{}", type=ProofResult)
    if result.failure:
        fail(result.failure, Exit.NOT_NOW)
    facts(
        {"peer": job.peer, "leaves": result.leaves, "size": result.size, "problems": list(result.problems)},
        as_json=json,
    )
    if result.problems:
        raise typer.Exit(int(Exit.REFUSED))


def _row(one: JournalRow) -> dict[str, Any]:
    entry = read(one.entry, JournalEntry)
    return {
        "index": one.index,
        "at": entry.at,
        "act": entry.act.value,
        "agreement": entry.agreement,
        "counterparty": entry.counterparty,
        "entry": entry.entry,
        "leaf": one.leaf.hex(),
        "detail": msgspec.json.decode(one.detail, type=dict[str, Any]),
    }
