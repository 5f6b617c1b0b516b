"""How the rows of an import are read: an entry of the catalogue, compiled once into one reader for each column."""

from collections.abc import Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, Final, NamedTuple, cast

import msgspec

from agreements.refusal import Refusal
from node.domain.conditions import RULES, Measure, Rule, severity_stated, subject_consent, subject_warned
from node.domain.identifiers import Identifier, Problem, Scheme
from node.domain.reading import LONGEST_NAME, LONGEST_TEXT, Finding, Reading
from node.domain.records import Content, Kind, Stored, content_type
from node.domain.rows import Columns
from node.domain.screening import person_marked
from node.domain.subjects import Subject
from registry.norms.catalogue import Catalogue, CatalogueEntry, Crossing, Derivation, HomeField, Polarity, ValueType
from registry.norms.code_lists import CodeListName

Parse = Callable[[Reading, str], Stored]
"""Reads the text of a column, which is not empty; notes what is wrong with it."""

Identifiers = tuple[Identifier, ...]
"""All attested identifiers of a subject, in the order of the schemes."""

Derive = Callable[[Sequence[Identifiers]], Sequence[Stored]]
"""What identifiers tell of each of many subjects."""

_MOST_REMEMBERED: Final = 20_000
"""So many different texts of a column are parsed once; days, codes and regions rarely have more."""
_UNIQUE: Final = frozenset(
    {ValueType.TEXT, ValueType.FREE_TEXT, ValueType.DOCUMENT_NUMBER, ValueType.REFERENCE, ValueType.DIGEST}
)
"""What hardly repeats from row to row, and is not remembered."""
_LIMITS: Final = {
    ValueType.TEXT: LONGEST_TEXT,
    ValueType.DOCUMENT_NUMBER: LONGEST_NAME,
    ValueType.REFERENCE: LONGEST_NAME,
}
"""What is only looked at for its length and for marks of natural persons, with the most characters it may have."""
_NAMELESS: Final = Finding(Refusal.PROVENANCE_MISSING, Problem("name_zh", "a name in Chinese or English", "none"))
_LEI: Final = Scheme.LEI
_DERIVED: Final[Mapping[Derivation, Derive]] = {
    # Identifiers stand in the order of the schemes, whose last it is; of a row without any nothing is asked.
    Derivation.HAS_LEI: lambda subjects: [bool(one) and one[-1].scheme is _LEI for one in subjects],
}
_BETWEEN: Final = "\x1f"


class ColumnReader(NamedTuple):
    """One column: its heading, how its text is read, what was read before, and what an empty one means."""

    heading: str
    parse: Parse
    known: MutableMapping[str, Stored] | None
    required: bool
    empty: Stored
    limit: int | None = None

    def __repr__(self) -> str:
        return f"ColumnReader({self.heading})"  # what was read before is content

    def read(self, reading: Reading, text: str) -> Stored:
        """Read a text that was not met before, or that is not remembered."""
        stripped = text.strip()
        value = self.parse(reading, stripped) if stripped else self.empty
        if self.required and value in {None, ()}:
            reading.lacks(self.heading)
        elif self.known is not None and reading.finding is None and len(self.known) < _MOST_REMEMBERED:
            self.known[text] = value
        return value

    def read_all(self, texts: Sequence[str], doubtful: set[int]) -> list[Any]:
        """Read the texts of many rows; the places of those that are refused, or lacking, go to `doubtful`."""
        if self.limit is not None:
            plain = plain_texts(texts, self.limit, doubtful)
            if self.required:
                doubtful.update(place for place, value in enumerate(plain) if value is None)
            return plain
        known = {} if self.known is None else self.known
        try:
            return [*map(known.__getitem__, texts)]
        except KeyError:
            return [
                known[text] if text in known else self._read_alone(text, place, doubtful)
                for place, text in enumerate(texts)
            ]

    def _read_alone(self, text: str, place: int, doubtful: set[int]) -> Stored:
        reading = Reading({})
        value = self.read(reading, text)
        if reading.finding is not None:
            doubtful.add(place)
        return value


def plain_texts(texts: Sequence[str], limit: int, doubtful: set[int]) -> list[Any]:
    """Names, addresses and the like of many rows, None for empty ones.

    The places of those that are longer than `limit` or that bear the mark of a natural person go to `doubtful`. A mark
    never goes over the end of a line, so that texts without one are told by a single look at all of them.
    """
    values = [text.strip() for text in texts]
    if max(map(len, values), default=0) > limit or person_marked("\n".join(values)):
        doubtful.update(place for place, one in enumerate(values) if len(one) > limit or person_marked(one))
    return [value or None for value in values]


class ReadRow(msgspec.Struct, frozen=True, gc=False):
    """A row that was read: its content, every field by its place, and its document number for the source key."""

    content: Content
    values: Sequence[Stored]
    document_no: str

    def __repr__(self) -> str:
        return "ReadRow(...)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The compiled entry of a kind; reads rows one by one. `names` says which field stands where in a row's values."""

    names: tuple[str, ...]
    named: bool
    columns: tuple[ColumnReader, ...]
    derived: tuple[Derive, ...]
    stand_ins: tuple[tuple[int, int], ...]
    nested: tuple[tuple[int, int], ...]
    rules: tuple[Rule, ...]
    measure: Measure
    make: Callable[..., Content]
    stored: Callable[[Sequence[Any]], tuple[Any, ...]]
    key: tuple[int, ...]

    def read(self, reading: Reading, subject: Subject, names: tuple[str | None, str | None]) -> ReadRow | Finding:
        """The content of one row, or what forbids it. What a provider leaves out is null."""
        if self.named and not subject.names:
            return _NAMELESS
        values = self._values(reading, subject)
        if reading.finding is not None:
            return reading.finding
        finding = self.forbidden(values)
        if finding is not None:
            return finding
        content = self.make(subject.identifiers, *names, *self.stored(values))
        return ReadRow(content, values, _BETWEEN.join([str(values[place]) for place in self.key]))

    def forbidden(self, values: Sequence[Stored]) -> Finding | None:
        """What the values of a row forbid together, though each was good by itself."""
        if self.rules:
            facts = dict(zip(self.names, values, strict=True))
            for rule in self.rules:
                finding = rule(facts, self.measure)
                if finding is not None:
                    return finding
        return None

    def document_nos(self, columns: Sequence[Sequence[Stored]]) -> list[str]:
        """The document number of each of many rows; none at all for a kind without."""
        return [_BETWEEN.join(parts) for parts in zip(*[map(str, columns[place]) for place in self.key], strict=True)]

    def read_all(self, texts: Columns, identifiers: Sequence[Identifiers], doubtful: set[int]) -> list[list[Any]]:
        """The columns of many rows, whose texts are had by heading, as `read` has their values one by one.

        The places of rows with anything wrong in them go to `doubtful`; what is given for these means nothing.
        """
        columns = [column.read_all(texts(column.heading), doubtful) for column in self.columns]
        columns += [[*derive(identifiers)] for derive in self.derived]
        for place, other in self.stand_ins:
            columns[place] = [
                stand_in if value is None else value
                for value, stand_in in zip(columns[place], columns[other], strict=True)
            ]
        for place, whole in self.nested:
            stated = columns[whole]
            for row, part in enumerate(columns[place]):
                if part is not None and stated[row] is None:
                    stated[row] = part[:1]
                elif part is not None and stated[row] != part[:1]:
                    doubtful.add(row)
        return columns

    def _values(self, reading: Reading, subject: Subject) -> list[Stored]:
        """Every field by its place. This is where an import spends its time: no call for an empty or known text."""
        values: list[Stored] = []
        texts, keep = reading.values.get, values.append
        for column in self.columns:
            heading, _, known, required, empty, _ = column
            text = texts(heading)
            if not text:
                keep(empty)
                if required:
                    reading.lacks(heading)
            elif known is not None and text in known:
                keep(known[text])
            else:
                keep(column.read(reading, text))
        for derive in self.derived:
            keep(*derive([subject.identifiers]))
        for place, other in self.stand_ins:
            if values[place] is None:
                values[place] = values[other]
        for place, whole in self.nested:
            if values[place] is not None:
                values[whole] = self._whole(reading, place, str(values[place])[:1], values[whole])
        return values

    def _whole(self, reading: Reading, place: int, letter: str, stated: Stored) -> Stored:
        """The code that another is within: its first letter, with which a stated one has to agree."""
        if stated is not None and stated != letter:
            heading = self.columns[place].heading
            reading.note(Refusal.MALFORMED, heading, "a code within the row's own wider one", "one within another")
        return letter


def make_plan(kind: Kind, catalogue: Catalogue, measure: Measure, *, severity_required: bool) -> Plan:
    """Compile the entry of a kind."""
    entry = catalogue.entries[kind.value]
    columns = tuple(entry.columns)
    derived = tuple(field for field in entry.fields if field.derived is not None)
    names = tuple(field.name for field in (*columns, *derived))
    place = {name: number for number, name in enumerate(names)}
    make = content_type(kind)
    own = make.__struct_fields__[len(Content.__struct_fields__) :]
    return Plan(
        names=names,
        named=entry.named,
        columns=tuple(column_reader(field, measure) for field in columns),
        derived=tuple(_DERIVED[field.derived] for field in derived if field.derived is not None),
        stand_ins=tuple((place[field.name], place[field.otherwise]) for field in columns if field.otherwise),
        nested=tuple((place[field.name], place[field.within]) for field in columns if field.within),
        rules=_rules(
            catalogue,
            entry,
            warned=kind.value in measure.rules.adverse_warning_kinds.value,
            severity_required=severity_required,
        ),
        measure=measure,
        make=make,
        # Every kind stores more than one field, so the getter always gives a tuple.
        stored=cast("Callable[[Sequence[Any]], tuple[Any, ...]]", itemgetter(*[place[name] for name in own])),
        key=tuple(place[name] for name in entry.key),
    )


def _rules(catalogue: Catalogue, entry: CatalogueEntry, *, warned: bool, severity_required: bool) -> tuple[Rule, ...]:
    """What rows have to pass: consent, a warning where the rules ask for it, severity, the entry's own conditions."""
    return (
        *((subject_consent,) if entry.crosses is Crossing.CONSENT else ()),
        *((subject_warned,) if entry.crosses is Crossing.CONSENT and warned else ()),
        *((severity_stated,) if severity_required and entry.polarity is Polarity.ADVERSE else ()),
        *(RULES[condition] for condition in catalogue.conditions(entry)),
    )


def column_reader(field: HomeField, measure: Measure) -> ColumnReader:
    """The reader of a field's column."""
    empty: Stored = () if field.type is ValueType.CODES else None
    return ColumnReader(
        heading=field.heading,
        parse=_parser(field, measure),
        known=None if field.type in _UNIQUE else {} if field.required else {"": empty},
        required=field.required,
        empty=empty,
        limit=_LIMITS.get(field.type),
    )


def _parser(field: HomeField, measure: Measure) -> Parse:
    if field.type is ValueType.DAY:
        return _end_parser(field) if field.ahead else _day_parser(field, measure)
    return _PARSERS[field.type](field, measure)


def _day_parser(field: HomeField, measure: Measure) -> Parse:
    heading, today = field.heading, measure.today
    return lambda reading, text: reading.day(heading, text, today)


def _end_parser(field: HomeField) -> Parse:
    heading = field.heading
    return lambda reading, text: reading.end(heading, text)


def _month_parser(field: HomeField, measure: Measure) -> Parse:
    heading, today = field.heading, measure.today
    return lambda reading, text: reading.month(heading, text, today)


def _code_parser(field: HomeField, measure: Measure) -> Parse:
    heading, allowed = field.heading, _words(field, measure)
    if field.codes is CodeListName.INDUSTRY_DIVISIONS:
        divisions = {code[1:]: code for code in allowed}
        return lambda reading, text: reading.division(heading, text, divisions)
    return lambda reading, text: reading.code(heading, text, allowed)


def _codes_parser(field: HomeField, measure: Measure) -> Parse:
    heading, allowed = field.heading, _words(field, measure)
    return lambda reading, text: reading.codes(heading, text, allowed)


def _region_parser(field: HomeField, measure: Measure) -> Parse:
    heading, regions = field.heading, measure.vocabulary.codes(CodeListName.REGIONS)
    return lambda reading, text: reading.region(heading, text, regions)


def _words(field: HomeField, measure: Measure) -> frozenset[str]:
    return frozenset() if field.codes is None else measure.vocabulary.codes(field.codes)


def _plain(method: Callable[[Reading, str, str], Stored]) -> Callable[[HomeField, Measure], Parse]:
    """A parser that needs nothing but the heading and the text."""

    def compiled(field: HomeField, _: Measure) -> Parse:
        heading = field.heading
        return lambda reading, text: method(reading, heading, text)

    return compiled


_PARSERS: Final[Mapping[ValueType, Callable[[HomeField, Measure], Parse]]] = {
    ValueType.TEXT: _plain(Reading.text),
    ValueType.FREE_TEXT: _plain(Reading.free_text),
    ValueType.DOCUMENT_NUMBER: _plain(Reading.number),
    ValueType.REFERENCE: _plain(Reading.number),
    ValueType.DIGEST: _plain(Reading.digest),
    ValueType.CODE: _code_parser,
    ValueType.CODES: _codes_parser,
    ValueType.MONTH: _month_parser,
    ValueType.MONEY: _plain(Reading.money),
    ValueType.INTEGER: _plain(Reading.integer),
    ValueType.FLAG: _plain(Reading.flag),
    ValueType.REGION: _region_parser,
}
