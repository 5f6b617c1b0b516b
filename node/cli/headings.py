"""The headings of a file that somebody names: read for a draft, and looked at before a file of our own is loaded."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from node.cli.screen import Exit, err, fail
from node.domain.columns import kinds_with, standard_columns
from node.domain.records import Kind
from node.domain.rows import Format, read_headings

_NO_TABLES: Final = {
    b"PK\x03\x04": "an Excel workbook or another archive",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"\x1f\x8b": "compressed",
    b"%PDF": "a PDF document",
}
_OTHER_SEPARATORS: Final = {";": "semicolons", "\t": "tabulators", "|": "bars"}


def require_table(file: Path, form: Format) -> None:
    """End the command where a file cannot be read twice, or its first bytes say that it is no table of text.

    Lines may be none, where a system had nothing to say; a table has its headings.
    """
    if not file.is_file():
        fail(f"{file} is not an ordinary file, which is read more than once: store it first", Exit.USAGE)
    with file.open("rb") as stream:
        first = stream.read(4)
    if file.suffix.lower() == ".toml":
        fail(f"{file.name} is TOML, and no table  文件为 TOML，不是表格", Exit.USAGE)
    if not first and form is Format.CSV:
        fail(f"{file.name} is empty: a table begins with its headings  文件为空", Exit.USAGE)
    for begins, what in _NO_TABLES.items():
        if first.startswith(begins):
            fail(f"{file.name} is {what}: save the table as CSV  请另存为 CSV 文件", Exit.USAGE)


def headings_of(file: Path, form: Format, encoding: str | None) -> Sequence[str]:
    """What heads the columns of a file, in its order, or nothing where it has no rows; no such file ends it."""
    try:
        with file.open("rb") as stream:
            found = read_headings(stream, form, encoding=encoding)
    except UnicodeError:  # only what has to begin with a mark, and does not
        fail(f"{file.name} does not begin as a file in {encoding} does  文件不是 {encoding} 编码", Exit.USAGE)
    if found is None and form is Format.CSV:
        fail(f"{file.name} does not begin with one line of different headings  首行须为互不相同的列名", Exit.USAGE)
    if found is None:
        fail(
            f"{file.name} has no row that can be read: one JSON object in each line  每行须为一个 JSON 对象", Exit.USAGE
        )
    return found


def look_at_headings(file: Path, headings: Sequence[str], kind: Kind) -> None:
    """End the command where a file without a mapping has our columns of another kind; say which ones are not read."""
    found = [heading for heading in headings if heading.strip()]
    if len(found) == 1:
        _require_commas(file, found[0])
    strange = [heading for heading in found if heading not in standard_columns(kind)]
    if not strange or len(strange) == len(found):
        return  # none at all of the kind's own columns is for whoever knows the mapping to say
    others = kinds_with(found)
    if others:
        named = " or ".join(one.value for one in others)
        fail(f"{file.name} has the columns of kind {named}, not of {kind.value}", Exit.USAGE)
    said = f"{', '.join(strange)}: no columns of kind {kind.value}, not read; is there a --mapping? 未读取的列"
    err.print(f"creditport: note: {said}", markup=False)


def _require_commas(file: Path, heading: str) -> None:
    for separator, name in _OTHER_SEPARATORS.items():
        if separator in heading:
            fail(f"{file.name}: its columns are separated by {name}, not by commas  列须以逗号分隔", Exit.USAGE)
