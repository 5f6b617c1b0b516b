"""records sample: invented enterprises, and invented records of any kind about enterprises of any file."""

import csv
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from node.app.opening import utc_now
from node.cli.imports import KindOption, MappingOption, mapping_file, source_in
from node.cli.inputs import a_file
from node.cli.outputs import require_other, to_be_written
from node.cli.screen import Exit, fail
from node.cli.session import one_sentence
from node.domain.columns import standard_columns
from node.domain.dates import shanghai_day
from node.domain.joining import is_without_identifier
from node.domain.records import Kind
from node.domain.rows import Row
from node.domain.sample import sample_enterprises
from node.domain.sample_records import sample_records


@one_sentence
def sample(
    file: Annotated[Path, typer.Argument(help="CSV file to write.", callback=to_be_written)],
    kind: KindOption,
    count: Annotated[int, typer.Option(min=1, max=10_000_000)] = 1_000,
    seed: Annotated[int, typer.Option(help="The same seed gives the same rows.")] = 1,
    of: Annotated[
        Path | None,
        typer.Option(
            help="For every kind but 101: a file of the enterprises they are about, whose codes they state.",
            callback=a_file,
        ),
    ] = None,
    mapping: MappingOption = None,
) -> None:
    """Write invented but realistic records, to try the node out."""
    require_other(file, [of, mapping_file(mapping)])
    if file.exists():
        fail(f"there is already a file {file}: invented records do not take its place", Exit.REFUSED)
    today = shanghai_day(utc_now())
    if kind is Kind.REGISTRATION:
        rows: Iterable[dict[str, str]] = sample_enterprises(seed, count, today)
    elif kind is Kind.EXAM_MISCONDUCT:
        fail("kind 209 is about natural persons: no node takes it in (NATURAL_PERSON_SUBJECT)", Exit.USAGE)
    elif of is None:
        fail("records are about enterprises: name their file with --of, and --mapping if it is not ours", Exit.USAGE)
    else:
        rows = sample_records(kind, seed, _enterprises(of, mapping), count, today)
    with file.open("w", encoding="utf-8", newline="") as target:
        writer = csv.DictWriter(target, standard_columns(kind))
        writer.writeheader()
        writer.writerows(rows)


def _enterprises(of: Path, mapping: str | None) -> list[dict[str, str]]:
    """The rows of a file of enterprises that state a code, in our columns."""
    read = source_in(of, mapping, Kind.REGISTRATION, encoding=None)
    with of.open("rb") as stream, closing(read.rows(stream)) as rows:
        found = [dict(row.values) for row in rows if isinstance(row, Row) and not is_without_identifier(row)]
    if not found:
        fail(f"{of} names no enterprise: `creditport records sample FILE --kind 101` writes some", Exit.USAGE)
    return found
