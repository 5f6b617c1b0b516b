"""records: list, show.

`imports`, `kinds` and `samples` take them in, `changes` and `withholding` change them, `find` and `attestations` are
about the documents behind them.
"""

from typing import Annotated, Any

import typer

from node.app.opening import utc_now
from node.cli.attestations import attest
from node.cli.changes import correct, delete
from node.cli.find import find
from node.cli.imports import import_file, mappings
from node.cli.kinds import kinds, map_file
from node.cli.record_shown import say_record
from node.cli.samples import sample
from node.cli.screen import LARGEST, Exit, fail, out, say_json, table
from node.cli.session import HERE, JsonFlag, NodeFolder, one_sentence, reading
from node.cli.standing import because
from node.cli.withholding import release, withhold
from node.domain.records import Kind, Withheld
from node.domain.serving import strongest, withheld
from node.operations.record_rows import RecordRow
from node.operations.stored_records import record_from_row
from registry.norms.law import Law

app = typer.Typer(no_args_is_help=True, help="Home records: import, list, show, correct, withhold, delete.")
app.command(
    "import",
    epilog="Example: creditport records import firms.csv --kind 101 --source REGISTRAR --rejects bad.csv --as alice",
)(import_file)
app.command(epilog="Example: creditport records mappings hongkong-companies > mine.toml")(mappings)
app.command(epilog="Example: creditport records kinds 208")(kinds)
app.command("map", epilog="Example: creditport records map fines.csv --kind 201 --output fines.toml")(map_file)
app.command(epilog="Example: creditport records correct 17 --set status=REVOKED --basis OWN_ERROR --as alice")(correct)
app.command(
    epilog="Example: creditport records delete 17 --basis REVOKED --document 'Decision 2026-31' --as alice --second bob"
)(delete)
app.command(epilog="Example: creditport records find --agreement 4f1c22ab --token 00112233445566778899aabbccddeeff")(
    find
)
app.command(epilog="Example: creditport records attest declared.csv --kind 503 --output attested.json --as alice")(
    attest
)
app.command(
    epilog="Example: creditport records withhold 17 --state SUSPENDED --basis SUIT_ACCEPTED --document 'Case 2026-8' "
    "--as alice"
)(withhold)
app.command(
    epilog="Example: creditport records release 17 --state SUSPENDED --basis FINAL_DOCUMENT --document 'Judgment 31' "
    "--as alice --second bob"
)(release)
app.command(epilog="Example: creditport records sample enterprises.csv --kind 101 --count 1000")(sample)


_NONE = "no records yet: creditport records import FILE --kind 101 --source REGISTRAR"


def add_to(program: typer.Typer) -> None:
    """Add this group of commands to the program."""
    program.add_typer(app, name="records")


@app.command("list", epilog="Example: creditport records list --kind 201 --after 0 --limit 50 --json")
@one_sentence
def list_records(
    kind: Annotated[Kind | None, typer.Option(metavar="KIND", help="Only this kind.")] = None,
    after: Annotated[int, typer.Option(help="Go on after this record number.", min=0, max=LARGEST)] = 0,
    limit: Annotated[int, typer.Option(min=1, max=1_000)] = 50,
    node: NodeFolder = HERE,
    json: JsonFlag = False,
) -> None:
    """List home records, a page at a time: kinds, dates and states, not what they say."""
    with reading(node) as opened, opened.store.read() as work:
        counted = dict(work.records.count())
        law = opened.facts(work).law
        rows = [_listed(law, row) for row in work.records.page(kind.value if kind else None, after, limit)]
    columns = {
        "record": "record",
        "kind": "kind",
        "version": "version",
        "generated_at": "generated",
        "disclose_until": "withheld from",
        "withheld": "withheld now",
    }
    table(
        rows,
        columns,
        as_json=json,
        empty=_NONE if not counted else "no records of that kind, or none after that number",
    )
    if not json and rows:
        total = sum(counted.values()) if kind is None else counted.get(kind.value, 0)
        out.print(f"{len(rows)} of {total}", markup=False)


@app.command(epilog="Example: creditport records show 17")
@one_sentence
def show(
    record: Annotated[
        int,
        typer.Argument(help="The record's number, from `creditport records list`.", min=0, max=LARGEST),
    ],
    node: NodeFolder = HERE,
    json: JsonFlag = False,
) -> None:
    """Show one home record with its content, why it is withheld if it is, and in which frames it was shown."""
    import msgspec  # noqa: PLC0415 - only this command writes content out

    with reading(node) as opened, opened.store.read() as work:
        row, law = work.records.find(record), opened.facts(work).law
        if row is None:
            fail(f"there is no record {record}", Exit.REFUSED)
        shown = _listed(law, row)
        deletion, whole = work.changes.deletion(record), None
        if deletion is None:
            whole = record_from_row(row)
            shown["withheld_because"] = because(work, record, whole, utc_now(), law)
            shown["content"] = msgspec.to_builtins(whole.content)
        else:
            shown |= {"deleted_at": deletion.at, "basis": deletion.basis, "document": deletion.document}
        shown["shown_in_frames"] = [one.frame.hex() for one in work.ledger.of_record(record)]
    if json:
        say_json(shown)
    else:
        say_record(shown, None if whole is None else whole.content)


def _listed(law: Law, row: RecordRow) -> dict[str, Any]:
    if row.deleted_at is not None:
        deleted = strongest({Withheld.DELETED})
        listed = {"record": row.record_no, "kind": row.kind, "version": row.version, "generated_at": None}
        return listed | {"disclose_until": None, "withheld": deleted, "source": None}
    record = record_from_row(row)
    reasons = withheld(record, utc_now(), law)
    return {
        "record": row.record_no,
        "kind": row.kind,
        "version": row.version,
        "generated_at": record.generated_at,
        "disclose_until": row.disclose_until,
        "withheld": strongest(reasons),
        "source": record.source_system,
    }
