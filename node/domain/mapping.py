"""Mappings: how the columns of somebody else's file become the columns of our standard file.

A mapping is a small TOML text. For each of our columns it says where the text comes from, and which one named
change is made to it. Columns it does not name are dropped before anything looks at them.

    id = "register-extract"
    kind = "101"
    source = "REGISTRAR"
    [columns.name_zh]
    from = ["company"]
    [columns.established_on]
    from = ["founded"]
    date = "DMY"
    [columns.entity_type]
    from = ["type"]
    table = "types"
    default = ""
    [columns.status]
    from = ["closed"]
    filled = "DEREGISTERED"
    [columns.region_code]
    constant = "440300"
    [tables.types]
    "有限责任公司" = "LIMITED"
"""

from collections.abc import Mapping as Table
from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec

from node.domain.columns import standard_columns
from node.domain.dates import DateOrder, parse_date
from node.domain.errors import MappingRefused
from node.domain.identifiers import Problem
from node.domain.records import Kind
from node.domain.rows import BadRow, Header, Row, Sheet, Texts
from registry.errors import NotToml
from registry.toml import read_toml


class _ColumnText(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"sources": "from"}):
    """One column of a mapping as its file writes it."""

    sources: tuple[str, ...] = ()
    join: str = ""
    date: DateOrder | None = None
    table: str | None = None
    filled: str | None = None
    separator: str | None = None
    default: str | None = None
    constant: str | None = None


class _MappingText(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    id: str
    kind: Kind
    columns: dict[str, _ColumnText]
    source: str = ""
    tables: dict[str, dict[str, str]] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """How one of our columns is made: from which texts, joined how, and changed how.

    `words` replaces the whole text (or each part, when there is a `separator`); a text it does not know
    becomes `default`, or is a problem of the row when there is none. `filled` stands for any text at all. An empty
    text stays empty or becomes `default`.
    """

    target: str
    sources: tuple[str, ...] = ()
    join: str = ""
    date: DateOrder | None = None
    words: Table[str, str] | None = None
    filled: str | None = None
    separator: str | None = None
    default: str | None = None
    constant: str | None = None
    optional: bool = False
    plain: str | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        """Note the one source whose text is taken as it is: most columns are so, and bulk work notices."""
        changes = (self.date, self.words, self.filled, self.default, self.constant)
        if len(self.sources) == 1 and all(change is None for change in changes):
            object.__setattr__(self, "plain", self.sources[0])


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapping:
    """A whole mapping for one kind of record; a row with just the columns in `own` is taken as it is.

    `source` is the system that such files come from, as the catalogue calls it (S 8); empty where nobody knows it.
    """

    id: str
    kind: Kind
    source: str = ""
    columns: tuple[Column, ...]
    own: frozenset[str] = frozenset()
    header: Header = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Note the header that all mapped rows have in common."""
        object.__setattr__(self, "header", Header(tuple(column.target for column in self.columns)))

    def apply(self, row: Row) -> Row | BadRow:
        """The row in our standard columns, or the first thing that keeps it from being one."""
        if self.own and _has_just(row.values, self.own):
            return row
        values: dict[str, str] = {}
        for column in self.columns:
            if column.plain is not None and column.plain in row.values:
                values[column.target] = row.values[column.plain].strip()
                continue
            made = _make(column, row.values)
            if isinstance(made, Problem):
                return BadRow(row.number, made)
            values[column.target] = made
        return Row(row.number, values)

    def apply_all(self, sheet: Sheet) -> Sheet | list[Row | BadRow]:
        """The rows of a sheet, each as `apply` has it: as a sheet again, unless something is wrong with one of them."""
        if self.own and sheet.header.has_just(self.own):
            return sheet
        columns = [made for column in self.columns if (made := _make_all(column, sheet)) is not None]
        if not columns or len(columns) < len(self.columns):
            return [self.apply(row) for row in sheet]
        return Sheet(sheet.first, self.header, tuple(columns))


def _has_just(values: Table[str, str], names: frozenset[str]) -> bool:
    return values.header.has_just(names) if isinstance(values, Texts) else values.keys() == names


def standard_mapping(kind: Kind) -> Mapping:
    """The mapping of a file that has our own header; a column that it leaves out is empty."""
    names = standard_columns(kind)
    columns = tuple(Column(target=name, sources=(name,), optional=True) for name in names)
    return Mapping(id=f"standard-{kind.value}", kind=kind, columns=columns, own=frozenset(names))


def read_mapping(text: str) -> Mapping:
    """Read a mapping file. Raises MappingRefused naming the place: unknown column, option, table or kind."""
    try:
        read = msgspec.convert(read_toml(text), _MappingText)
    except (NotToml, msgspec.ValidationError) as error:
        raise MappingRefused(f"mapping: expected the documented TOML, got: {error}") from None
    strangers = read.columns.keys() - set(standard_columns(read.kind))
    if strangers:
        raise MappingRefused(f"columns: expected columns of kind {read.kind.value}, got {sorted(strangers)}")
    columns = tuple(_column(target, column, read.tables) for target, column in read.columns.items())
    return Mapping(id=read.id, kind=read.kind, source=read.source, columns=columns)


def _column(target: str, text: _ColumnText, tables: Table[str, Table[str, str]]) -> Column:
    place = f"columns.{target}"
    if (text.constant is None) == (not text.sources):
        raise MappingRefused(f"{place}: expected either `from` or `constant`, got both or neither")
    if text.table is not None and text.table not in tables:
        raise MappingRefused(f"{place}.table: expected the name of a table of this file, got another name")
    changes = [name for name in ("date", "table", "filled") if getattr(text, name) is not None]
    if len(changes) > 1:
        raise MappingRefused(f"{place}: expected one change, got {' and '.join(f'`{name}`' for name in changes)}")
    return Column(
        target=target,
        sources=text.sources,
        join=text.join,
        date=text.date,
        words=None if text.table is None else tables[text.table],
        filled=text.filled,
        separator=text.separator,
        default=text.default,
        constant=text.constant,
    )


def _make(column: Column, values: Table[str, str]) -> str | Problem:
    if column.constant is not None:
        return column.constant
    if not column.optional and not all(source in values for source in column.sources):
        return Problem(column.target, f"the column {' + '.join(column.sources)}", "no such column")
    text = column.join.join([values.get(source, "").strip() for source in column.sources])
    if not text:
        return column.default or ""
    if column.filled is not None:
        return column.filled
    if column.date is not None:
        return _iso_day(column, text)
    return text if column.words is None else _translated(column, text, column.words)


def _make_all(column: Column, sheet: Sheet) -> Sequence[str] | None:
    """A column of many rows, each text made once of those that it comes from; None if one of them cannot be made."""
    sources = [source for source in column.sources if source in sheet.header.places]
    if sources == [column.plain]:
        return [text.strip() for text in sheet.column(sources[0])]
    texts = [*zip(*[sheet.column(source) for source in sources], strict=True)] or [()] * len(sheet)
    made = {one: _make(column, dict(zip(sources, one, strict=True))) for one in set(texts)}
    words = {one: text for one, text in made.items() if isinstance(text, str)}
    return [words[one] for one in texts] if len(words) == len(made) else None


def _iso_day(column: Column, text: str) -> str | Problem:
    day = parse_date(text, column.date or DateOrder.YMD)
    if day is None:
        return Problem(column.target, f"a date written {column.date}", f"{len(text)} characters of another shape")
    return day.isoformat()


def _translated(column: Column, text: str, words: Table[str, str]) -> str | Problem:
    parts = [text] if column.separator is None else text.split(column.separator)
    made = [words.get(part.strip(), column.default) for part in parts]
    known = [part for part in made if part is not None]
    if len(known) < len(made):
        return Problem(column.target, "a text that the mapping's table names", f"another of {len(text)} characters")
    return ";".join(known)
