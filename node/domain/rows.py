"""Rows of a file that somebody else wrote: a stream of CSV or JSON Lines, good rows kept, bad ones named.

Real registers come with byte-order marks, in GB18030 or Big5, with lone carriage returns, line feeds inside quotes,
quotes that never close and shifted columns. None of it stops the reading, and memory does not grow with the file.
"""

import csv
from collections import deque
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, KeysView, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain, islice, repeat
from typing import Any, BinaryIO, Final, cast

import msgspec

from node.domain.file_text import LONGEST_LINE, blocks_of, has_stray_bytes, opened_text, stray_test
from node.domain.identifiers import Problem

_LOOKED_AT: Final = 100


class Format(StrEnum):
    """How the rows of a file are written."""

    CSV = "csv"
    JSON_LINES = "jsonl"


class Header:
    """The column names of a file, all different, and where each stands."""

    __slots__ = ("_just", "names", "places")

    def __init__(self, names: tuple[str, ...]) -> None:
        self.names = names
        self.places = {name: place for place, name in enumerate(names)}
        self._just: frozenset[str] | None = None

    def has_just(self, names: frozenset[str]) -> bool:
        """Whether these are the names, in any order; asked for each row of a file, so the answer is remembered."""
        if self._just is not names:
            if self.places.keys() != names:
                return False
            self._just = names
        return True


class Texts(Mapping[str, str]):
    """The texts of one row by column, without a dict of its own: a file's rows have their header in common."""

    __slots__ = ("header", "texts")

    def __init__(self, header: Header, texts: list[str]) -> None:
        self.header = header
        self.texts = texts

    def __getitem__(self, name: str) -> str:
        return self.texts[self.header.places[name]]

    def __iter__(self) -> Iterator[str]:
        return iter(self.header.names)

    def __len__(self) -> int:
        return len(self.texts)

    def get(self, name: str, default: Any = None) -> Any:
        """The text of a column, or `default`; in one step, for it is asked of every column of a row."""
        place = self.header.places.get(name)
        return default if place is None else self.texts[place]

    def keys(self) -> KeysView[str]:
        """The column names."""
        return self.header.places.keys()


class Row(msgspec.Struct, frozen=True, gc=False):
    """One row as text by column. `number` counts records as a spreadsheet does; a CSV header is row 1."""

    number: int
    values: Mapping[str, str]

    def __repr__(self) -> str:
        return f"Row(number={self.number})"


class Sheet(msgspec.Struct, frozen=True, gc=False):
    """Good rows that follow each other and have their header in common, as columns of equal length, one at least.

    `first` is the number of the first row. Looked at one by one they are `Row`s.
    """

    first: int
    header: Header
    columns: tuple[Sequence[str], ...]

    def __repr__(self) -> str:
        return f"Sheet({self.numbers})"

    def __len__(self) -> int:
        return len(self.columns[0])

    def __iter__(self) -> Iterator[Row]:
        records = map(list, zip(*self.columns, strict=True))
        return map(Row, self.numbers, map(Texts, repeat(self.header), records))

    @property
    def numbers(self) -> range:
        """The numbers of its rows."""
        return range(self.first, self.first + len(self))

    def column(self, name: str) -> Sequence[str]:
        """The texts of a column; empty ones where there is none."""
        place = self.header.places.get(name)
        return ("",) * len(self) if place is None else self.columns[place]

    def parted(self, most: int) -> tuple["Sheet", "Sheet | None"]:
        """The first rows, at most so many, and those behind them."""
        if len(self) <= most:
            return self, None
        head, rest = zip(*[(column[:most], column[most:]) for column in self.columns], strict=True)
        return Sheet(self.first, self.header, head), Sheet(self.first + most, self.header, rest)


Columns = Callable[[str], Sequence[str]]
"""The texts of many rows by column name; empty texts where a row has no such column."""


def columns_of(rows: Sheet | Sequence[Row]) -> Columns:
    """Many rows as columns: a sheet has them already."""
    if isinstance(rows, Sheet):
        return rows.column
    sheet = [row.values for row in rows]
    return lambda name: [values.get(name, "") for values in sheet]


@dataclass(frozen=True, slots=True)
class BadRow:
    """One row that could not be read, and why; it holds nothing of what stood there."""

    number: int
    problem: Problem


def read_rows(stream: BinaryIO, form: Format, *, encoding: str | None = None) -> Generator[Row | BadRow]:
    """Read the rows of `stream` one by one, as `read_sheets` has them."""
    with closing(read_sheets(stream, form, encoding=encoding)) as read:
        yield from one_by_one(read)


def one_by_one(rows: Iterable[Sheet | Row | BadRow]) -> Iterator[Row | BadRow]:
    """All rows by themselves, those of sheets too."""
    for one in rows:
        if isinstance(one, Sheet):
            yield from one
        else:
            yield one


def read_sheets(stream: BinaryIO, form: Format, *, encoding: str | None = None) -> Generator[Sheet | Row | BadRow]:
    """Read the rows of `stream` in order, those of a good block as one sheet; memory does not grow with the file.

    Whatever cannot be read is one `BadRow`, never an exception. The encoding is found from the first 64 KiB unless it
    is given. Bytes that do not belong to it spoil their own row only. The stream is left open.
    """
    with opened_text(stream, encoding) as text:
        lines = blocks_of(text)
        yield from _csv_rows(lines, stray_test(text)) if form is Format.CSV else _json_rows(chain.from_iterable(lines))


def read_headings(stream: BinaryIO, form: Format, *, encoding: str | None = None) -> Sequence[str] | None:
    """What heads the columns of a file, in its order, and None where it is no file of rows.

    It is the first line of a table; of lines of JSON the first good one of a hundred, and nothing where there is none.
    """
    if form is Format.CSV:
        with opened_text(stream, encoding) as text:
            return _headings(_Lines(blocks_of(text)))
    with closing(read_rows(stream, form, encoding=encoding)) as read:
        first = list(islice(read, _LOOKED_AT))
    return next((list(row.values) for row in first if isinstance(row, Row)), None if first else ())


class _Lines:
    """The physical lines of a text, remembering those of the record being read; `waiting` are the next ones."""

    def __init__(self, blocks: Iterator[list[str]]) -> None:
        self._blocks = blocks
        self.waiting = deque[str]()
        self.current: list[str] = []

    def fill(self) -> bool:
        """Have lines waiting; False at the end of the text."""
        while not self.waiting:
            block = next(self._blocks, None)
            if block is None:
                return False
            self.waiting.extend(block)
        return True

    def __iter__(self) -> Iterator[str]:
        while self.fill():
            line = self.waiting.popleft()
            self.current.append(line)
            yield line


def _csv_rows(blocks: Iterator[list[str]], is_stray: Callable[[str], bool]) -> Iterator[Sheet | Row | BadRow]:
    """Blocks in which every line is a good row are read at once; in any other, row by row."""
    lines = _Lines(blocks)
    columns = _headings(lines)
    if columns is None:
        yield BadRow(1, Problem("header", "one line of different column names", "no such line"))
        return
    number, shared = 1, Header(columns)
    while lines.fill():
        plain = _plain_records(lines.waiting, len(columns), is_stray)
        if plain is None:
            number = yield from _odd_rows(lines, number, shared, is_stray)
        else:
            lines.waiting.clear()
            yield Sheet(number + 1, shared, tuple(zip(*plain, strict=True)))
            number += len(plain)


def _headings(lines: _Lines) -> tuple[str, ...] | None:
    """The first line, if it is one of different column names."""
    header = _next_record(csv.reader(lines, strict=True))
    columns = tuple(name.strip() for name in header) if isinstance(header, list) else ()
    return columns if columns and len(set(columns)) == len(columns) else None


def _plain_records(lines: Collection[str], width: int, is_stray: Callable[[str], bool]) -> list[list[str]] | None:
    """The records of lines, if every line is one of that width and all are in one encoding."""
    try:
        records = list(csv.reader(lines, strict=True))
    except csv.Error:
        return None
    is_plain = len(records) == len(lines) and set(map(len, records)) == {width} and not is_stray("".join(lines))
    return records if is_plain else None


def _odd_rows(
    lines: _Lines, number: int, header: Header, is_stray: Callable[[str], bool]
) -> Generator[Row | BadRow, None, int]:
    """Row by row until no line is waiting; gives back the number of the last one."""
    records = csv.reader(lines, strict=True)
    while lines.waiting:
        lines.current.clear()
        record = _next_record(records)
        number += 1
        if record == []:
            continue
        is_damaged = is_stray("".join(lines.current))
        row = _csv_row(number, header, record, is_damaged=is_damaged)
        if isinstance(row, BadRow) and len(lines.current) > 1:
            # A quote that never closed has swallowed its neighbours: give every line its own chance.
            for offset, line in enumerate(tuple(lines.current)):
                alone = _next_record(csv.reader([line], strict=True))
                yield _csv_row(number + offset, header, alone, is_damaged=is_stray(line))
            number += len(lines.current) - 1
        else:
            yield row
    return number


def _next_record(records: Iterator[list[str]]) -> list[str] | Problem | None:
    try:
        return next(records, None)
    except csv.Error:
        return Problem("row", "quotes that open and close around a value", "quotes that do not")


def _csv_row(number: int, header: Header, record: list[str] | Problem | None, *, is_damaged: bool) -> Row | BadRow:
    if not isinstance(record, list):
        return BadRow(number, record or Problem("row", "a line with values", "an empty line"))
    width = len(header.names)
    if len(record) != width:
        return BadRow(number, Problem("row", f"{width} columns", f"{len(record)} columns"))
    if is_damaged:
        return BadRow(number, Problem("row", "one encoding throughout", "bytes of another encoding"))
    return Row(number, Texts(header, record))


def _json_rows(text: Iterable[str]) -> Iterator[Row | BadRow]:
    decoder = msgspec.json.Decoder(dict[str, object], float_hook=str)
    for number, line in enumerate(text, start=1):
        if not line.isspace():
            yield _json_row(number, line, decoder)


def _json_row(number: int, line: str, decoder: msgspec.json.Decoder[dict[str, object]]) -> Row | BadRow:
    if len(line) > LONGEST_LINE:
        return BadRow(number, Problem("row", f"a line of at most {LONGEST_LINE} characters", "a longer line"))
    if has_stray_bytes(line):
        return BadRow(number, Problem("row", "one encoding throughout", "bytes of another encoding"))
    try:
        values = {name: _plain(value) for name, value in decoder.decode(line).items()}
    except (msgspec.DecodeError, TypeError, RecursionError):
        return BadRow(number, Problem("row", "one JSON object of plain values and lists of text", "something else"))
    return Row(number, values)


def _plain(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case str():
            return value
        case int():
            return str(value)
        case list():
            return ";".join(cast("list[str]", value))  # anything but text raises TypeError
        case _:
            raise TypeError
