"""records kinds, map: what kinds of record there are and which columns they have, and a mapping for another file."""

from pathlib import Path
from typing import Annotated, Any

import typer

from node.cli.headings import headings_of, require_table
from node.cli.imports import KindOption, form_of, known_encoding
from node.cli.inputs import a_file
from node.cli.outputs import require_other, to_be_written
from node.cli.screen import Exit, err, fail, out, table
from node.cli.session import JsonFlag, one_sentence
from node.domain.columns import needed_columns, standard_columns
from node.domain.map_draft import common_title, draft_mapping
from node.domain.mapping import read_mapping
from node.domain.records import Kind, shipped_entry
from registry.norms.catalogue import load_catalogue


@one_sentence
def kinds(
    kind: Annotated[
        Kind | None, typer.Argument(metavar="KIND", help="Show the columns of this kind.", show_default=False)
    ] = None,
    json: JsonFlag = False,
) -> None:
    """List the kinds of record, or the columns of one: what a provider's file says, and what of it may cross."""
    if kind is None:
        _list_kinds(as_json=json)
    else:
        _show_columns(kind, as_json=json)


@one_sentence
def map_file(
    file: Annotated[Path, typer.Argument(help="CSV or JSON Lines, as for import.", callback=a_file)],
    kind: KindOption,
    output: Annotated[
        Path | None, typer.Option(help="Write the mapping there instead of the screen.", callback=to_be_written)
    ] = None,
    encoding: Annotated[str | None, typer.Option(help="Of the file, if its beginning does not show it.")] = None,
) -> None:
    """Draft a mapping from the headings of a file: guesses to be looked through, and what is missing, as comments."""
    require_other(output, [file])
    require_table(file, form_of(file))
    if output is not None and output.exists():
        fail(f"there is already a file {output}, and somebody may have completed it: name another one", Exit.REFUSED)
    headings = headings_of(file, form_of(file), known_encoding(encoding))
    text = draft_mapping(kind, headings, file.stem)
    if "\n[columns." not in text:
        fail(f"no heading of {file.name} is like a column of kind {kind.value}: another kind, or no table?", Exit.USAGE)
    found = read_mapping(text).columns
    if output is None:
        out.print(text, end="", markup=False, soft_wrap=True)
    else:
        output.write_text(text, encoding="utf-8")
    err.print(f"{len(found)} of {len(standard_columns(kind))} columns found: look through the guesses", markup=False)


def _list_kinds(*, as_json: bool) -> None:
    catalogue = load_catalogue()
    rows: list[dict[str, Any]] = [
        {
            "kind": kind,
            "name_zh": entry.name_zh,
            "name_en": entry.name_en,
            "polarity": entry.polarity.value,
            "nature": entry.nature.value,
            "crosses": entry.crosses.value,
            "sources": [one.written(code) for code, one in catalogue.sources_of(entry).items()],
        }
        for kind, entry in sorted(catalogue.entries.items())
    ]
    headings = {
        "kind": "kind", "name_zh": "名称", "name_en": "name", "polarity": "polarity", "crosses": "crosses",
        "sources": "来源 sources",
    }  # fmt: skip
    table(rows, headings, as_json=as_json, empty="none")


def _show_columns(kind: Kind, *, as_json: bool) -> None:
    entry = shipped_entry(kind)
    own = {field.heading: field for field in entry.columns}
    crossing: dict[str, list[str]] = {}
    for item in entry.items:
        told = f"{item.name}: {' or '.join(item.precisions)}"
        crossing.setdefault(item.made_from, []).append(told)
    rows: list[dict[str, Any]] = []
    for column in standard_columns(kind):
        field = own.get(column)
        title_zh, title_en = (field.zh, field.en) if field else common_title(column)
        rows.append(
            {
                "column": column,
                "title_zh": title_zh,
                "title_en": title_en,
                "holds": "" if field is None else f"{field.type}{f' of {field.codes}' if field.codes else ''}",
                "needed": "yes" if column in needed_columns(kind) else "",
                "crosses_as": "; ".join(crossing.get(field.name, [])) if field else "",
            }
        )
    headings = {
        "column": "column", "title_zh": "标题", "title_en": "title", "holds": "holds", "needed": "needed",
        "crosses_as": "crosses as",
    }  # fmt: skip
    table(rows, headings, as_json=as_json, empty="none")
    if not as_json:
        out.print("needed besides: one code of the enterprise, and a name  另需: 一个主体代码和一个名称", markup=False)
    for code, one in load_catalogue().sources_of(entry).items() if not as_json else ():
        out.print(f"--source {one.written(code)}  {one.zh}  {one.en}", markup=False)
