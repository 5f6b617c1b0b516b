"""records: import, list, show, sample. Changing them is in `changes`."""

import csv
import hashlib
import sys
from collections import Counter
from collections.abc import Generator, Iterable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import IO, Annotated, Any

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from agreements.refusal import Refused
from node.app.opening import Node, utc_now
from node.cli.changes import correct, delete
from node.cli.inputs import text_of
from node.cli.screen import LARGEST, Exit, err, facts, fail, out, say_json, table
from node.cli.session import HERE, JsonFlag, NodeFolder, OperatorName, acting, one_sentence, ordering, reading
from node.domain.dates import shanghai_day
from node.domain.intake import Intake, Rejected, open_intake
from node.domain.mapping import Mapping, read_mapping, standard_mapping
from node.domain.operators import Role
from node.domain.records import Kind, Withheld
from node.domain.rows import BadRow, Format, Row, read_rows
from node.domain.sample import sample_enterprises, sample_penalties
from node.domain.serving import strongest, withheld
from node.operations.import_records import Import, import_rows
from node.operations.operators import NotAllowed, order
from node.operations.rows import RecordRow
from node.operations.stored_records import record_from_row

app = typer.Typer(no_args_is_help=True, help="Home records: import, list, show, correct, delete.")
app.command(epilog="Example: creditport records correct 17 --set status=REVOKED --basis OWN_ERROR --as alice")(correct)
app.command(
    epilog="Example: creditport records delete 17 --basis REVOKED --document 'Decision 2026-31' --as alice --second bob"
)(delete)


def add_to(program: typer.Typer) -> None:
    """Add this group of commands to the program."""
    program.add_typer(app, name="records")


MOST_REJECTS_SHOWN = 20
KindOption = Annotated[Kind, typer.Option("--kind", help="101 registration, 201 administrative penalty.")]


@app.command(
    "import",
    epilog="Example: creditport records import enterprises.csv --kind 101 --rejects rejects.csv --as alice",
)
@one_sentence
def import_file(
    file: Annotated[
        Path,
        typer.Argument(help="CSV or JSON Lines (.jsonl); any of UTF-8, GB18030, Big5.", exists=True, dir_okay=False),
    ],
    kind: KindOption,
    operator: OperatorName,
    mapping: Annotated[Path | None, typer.Option(help="A TOML file that maps the columns of another format.")] = None,
    rejects: Annotated[Path | None, typer.Option(help="Write every rejected row there, with its reason.")] = None,
    source: Annotated[str, typer.Option(help="The system the file comes from (S 8).")] = "",
    node: NodeFolder = HERE,
    json: JsonFlag = False,
) -> None:
    """Load records; every row is loaded, or named with what was wrong. Loading a file again changes nothing."""
    with ExitStack() as stack:
        opened = stack.enter_context(acting(node))
        mapped = standard_mapping(kind) if mapping is None else read_mapping(text_of(mapping))
        if mapped.kind is not kind:
            fail(f"the mapping is for kind {mapped.kind.value}, not {kind.value}", Exit.USAGE)
        intake = _intake(opened, kind, source or file.name)
        ordered = _order(opened, operator, file, intake)
        writer = _RejectsFile(stack, rejects)
        stream = stack.enter_context(file.open("rb"))
        # Closed before the file is, also when somebody interrupts.
        rows = stack.enter_context(closing(_rows(stream, file, mapped)))
        done = _load(opened, rows, ordered, writer, stream)
    shown = {
        "rows": done["rows"],
        "new": done["new"],
        "updated": done["updated"],
        "unchanged": done["unchanged"],
        "rejected": done["rejected"],
    }
    if json:
        say_json(shown | {"rejects": [_reject(one) for one in writer.first]})
    else:
        facts(shown, as_json=False)
        for one in writer.first:
            wrong = one.problem
            where = f"row {one.row}: {wrong.field}"
            out.print(f"{where}: expected {wrong.expected}, got {wrong.got} ({one.reason})", markup=False)
        if done["rejected"] > len(writer.first):
            out.print(
                f"... and {done['rejected'] - len(writer.first)} more; --rejects FILE names them all",
                markup=False,
            )
    if done["rejected"]:
        raise typer.Exit(int(Exit.REFUSED))


@app.command("list", epilog="Example: creditport records list --kind 201 --after 0 --limit 50 --json")
@one_sentence
def list_records(
    kind: Annotated[Kind | None, typer.Option(help="Only this kind.")] = None,
    after: Annotated[int, typer.Option(help="Go on after this record number.", min=0, max=LARGEST)] = 0,
    limit: Annotated[int, typer.Option(min=1, max=1_000)] = 50,
    node: NodeFolder = HERE,
    json: JsonFlag = False,
) -> None:
    """List home records, a page at a time: kinds, dates and states, not what they say."""
    with reading(node) as opened, opened.store.read() as work:
        counted = dict(work.records.count())
        rows = [_listed(opened, row) for row in work.records.page(kind.value if kind else None, after, limit)]
    columns = {
        "record": "record",
        "kind": "kind",
        "version": "version",
        "generated_at": "generated",
        "disclose_until": "withheld from",
        "withheld": "withheld now",
    }
    table(rows, columns, as_json=json, empty="no records yet: creditport records import FILE --kind 101")
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
    """Show one home record with its content, why it is withheld if it is, and who was shown it."""
    import msgspec  # noqa: PLC0415 - only this command writes content out

    with reading(node) as opened, opened.store.read() as work:
        row = work.records.find(record)
        if row is None:
            fail(f"there is no record {record}", Exit.REFUSED)
        shown = _listed(opened, row)
        deletion = work.changes.deletion(record)
        if deletion is None:
            shown["content"] = msgspec.to_builtins(record_from_row(row).content)
        else:
            shown |= {"deleted_at": deletion.at, "basis": deletion.basis, "document": deletion.document}
        shown["shown_in_frames"] = [one.frame.hex() for one in work.ledger.of_record(record)]
    facts(shown, as_json=json)


@app.command(epilog="Example: creditport records sample enterprises.csv --kind 101 --count 1000")
@one_sentence
def sample(
    file: Annotated[Path, typer.Argument(help="CSV file to write.")],
    kind: KindOption,
    count: Annotated[int, typer.Option(min=1, max=10_000_000)] = 1_000,
    seed: Annotated[int, typer.Option(help="The same seed gives the same rows.")] = 1,
    of: Annotated[
        Path | None,
        typer.Option(
            help="For penalties: a sample file of the enterprises they are about.", exists=True, dir_okay=False
        ),
    ] = None,
) -> None:
    """Write invented but realistic records, to try the node out."""
    today = shanghai_day(utc_now())
    if kind is Kind.REGISTRATION:
        rows: Iterable[dict[str, str]] = sample_enterprises(seed, count, today)
    elif of is None:
        fail("penalties are about enterprises: name their sample file with --of", Exit.USAGE)
    else:
        enterprises = list(csv.DictReader(text_of(of).splitlines()))
        if not enterprises or "uscc" not in enterprises[0]:
            fail(f"{of} is no sample file of enterprises: `creditport records sample FILE --kind 101`", Exit.USAGE)
        rows = sample_penalties(seed, enterprises, count, today)
    columns = standard_mapping(kind).columns
    with file.open("w", encoding="utf-8", newline="") as target:
        writer = csv.DictWriter(target, [column.target for column in columns])
        writer.writeheader()
        writer.writerows(rows)


def _intake(node: Node, kind: Kind, source: str) -> Intake:
    law = node.settings.law
    intake = open_intake(
        kind,
        law.catalogue,
        law.rules,
        provider=node.party,
        source_system=source,
        today=shanghai_day(utc_now()),
    )
    if isinstance(intake, Refused):
        fail(f"{intake.reason}: {intake.detail}", Exit.REFUSED)
    return intake


def _order(node: Node, operator: str, file: Path, intake: Intake) -> Import:
    """Have the operator sign for the very bytes of the file."""
    who = ordering(node, operator)
    with file.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").digest()
    with node.store.write() as work:
        ordered = order(work, who, Role.RECORDS, digest, node.context)
        if isinstance(ordered, NotAllowed):
            fail(ordered.why, Exit.REFUSED)
        work.commit()
    return Import(intake=intake, order=ordered, law=node.settings.law)


def _rows(stream: IO[bytes], file: Path, mapping: Mapping) -> Generator[Row | BadRow]:
    form = Format.JSON_LINES if file.suffix.lower() in {".jsonl", ".ndjson"} else Format.CSV
    wanted = {source for column in mapping.columns for source in column.sources}
    for row in read_rows(stream, form):  # type: ignore[arg-type]  # an opened binary file is a BinaryIO
        if isinstance(row, Row) and wanted.isdisjoint(row.values):
            fail(f"{file.name} has none of the columns of kind {mapping.kind.value}: is it another kind?", Exit.USAGE)
        yield mapping.apply(row) if isinstance(row, Row) else row


def _load(
    node: Node,
    rows: Iterator[Row | BadRow],
    ordered: Import,
    writer: "_RejectsFile",
    stream: IO[bytes],
) -> Counter[str]:
    done: Counter[str] = Counter()
    with _progress() as bar:
        task = bar.add_task(Path(stream.name).name, total=Path(stream.name).stat().st_size, rows=0)
        for progress in import_rows(rows, ordered, node.store, node.context):
            done = Counter(progress.outcomes)
            done["rows"] = progress.rows
            writer.write(progress.rejects)
            bar.update(task, completed=stream.tell(), rows=progress.rows)
    return done


def _progress() -> Progress:
    """How far into the file, since nobody knows its rows before they are read."""
    said = TextColumn("loading {task.description}", markup=False)
    columns = (said, BarColumn(), TextColumn("{task.fields[rows]:,} rows"), TimeRemainingColumn())
    return Progress(*columns, console=err, transient=True, disable=not sys.stderr.isatty())


class _RejectsFile:
    """Rejected rows, to a CSV file if there is one; the first of them are kept for the screen."""

    def __init__(self, stack: ExitStack, path: Path | None) -> None:
        self.first: list[Rejected] = []
        self._writer: Any = None
        if path is not None:
            file = stack.enter_context(path.open("w", encoding="utf-8", newline=""))
            self._writer = csv.DictWriter(file, ["row", "reason", "field", "expected", "got"])
            self._writer.writeheader()

    def write(self, rejects: Iterable[Rejected]) -> None:
        for one in rejects:
            if len(self.first) < MOST_REJECTS_SHOWN:
                self.first.append(one)
            if self._writer is not None:
                self._writer.writerow(_reject(one))


def _reject(one: Rejected) -> dict[str, Any]:
    problem = one.problem
    return {
        "row": one.row,
        "reason": one.reason.value,
        "field": problem.field,
        "expected": problem.expected,
        "got": problem.got,
    }


def _listed(node: Node, row: RecordRow) -> dict[str, Any]:
    if row.deleted_at is not None:
        deleted = strongest({Withheld.DELETED})
        listed = {"record": row.record_no, "kind": row.kind, "version": row.version, "generated_at": None}
        return listed | {"disclose_until": None, "withheld": deleted, "source": None}
    record = record_from_row(row)
    reasons = withheld(record, utc_now(), node.settings.law.catalogue)
    return {
        "record": row.record_no,
        "kind": row.kind,
        "version": row.version,
        "generated_at": record.generated_at,
        "disclose_until": row.disclose_until,
        "withheld": strongest(reasons),
        "source": record.source_system,
    }
