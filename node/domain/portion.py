"""Rows that are decided together, column by column: what columns have in common is not looked at again for each row.

For each row `admit_all` decides what `admit` does for it alone. Only rows in which nothing is wrong, and nothing has to
be looked at twice, come through the columns; every other one is left to `admit`, which alone refuses.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from itertools import compress, repeat
from typing import Any, Final, NamedTuple, TypeVar, cast

import msgspec
from msgspec.structs import astuple

from node.domain.crowd import Cell
from node.domain.identification import read_subjects
from node.domain.identifiers import Identifier, Remark, Scheme
from node.domain.intake import CATEGORY, Admitted, Intake, Rejected, admit
from node.domain.plan import plain_texts
from node.domain.reading import LONGEST_NAME
from node.domain.records import Kind, digest_contents, encode_contents, severity_of, source_keys
from node.domain.rows import Row, Sheet, columns_of
from node.domain.subjects import SubjectKind
from registry.norms.catalogue import Condition
from registry.norms.overlay import Severity

T = TypeVar("T")

Varying = tuple[SubjectKind, int | None, Severity | None]
"""What few records of an import have other than the rest: subject kind, category and severity."""


_SCHEMES: Final = {one: one.value for one in Scheme}


class Ready(msgspec.Struct, frozen=True, gc=False):
    """A row that became a record, as far as it is stored or told about; the representation hides all of it.

    `names` are the identifiers of its subject as (scheme, value). `source_key`, `digest` and `encoded` as in
    `Admitted`; whether it is new, storage can tell.
    """

    row: int
    names: tuple[tuple[str, str], ...]
    remarks: tuple[Remark, ...]
    in_chinese: bool
    varying: Varying
    generated_on: date
    disclose_until: date | None
    encoded: bytes
    digest: bytes
    source_key: bytes
    cell: Cell

    def __repr__(self) -> str:
        return f"Ready(row={self.row})"


def ready_of(one: Admitted) -> Ready:
    """What is kept of a row that was admitted alone."""
    record, identifiers = one.record, one.subject.identifiers
    return Ready(
        row=one.row,
        names=_names(identifiers),
        remarks=tuple([remark for _, remark in one.remarks]),
        in_chinese=record.content.name_zh is not None,
        varying=(record.subject_kind, record.negative_category, record.severity),
        generated_on=record.generated_at,
        disclose_until=record.disclose_until,
        encoded=one.encoded,
        digest=record.content_digest,
        source_key=record.source_key,
        cell=one.cell,
    )


class Lot(NamedTuple):
    """Rows that became records, in their order, as columns: each has of every row what `Ready` says."""

    rows: list[int]
    names: list[tuple[tuple[str, str], ...]]
    remarks: list[tuple[Remark, ...]]
    in_chinese: list[bool]
    varying: list[Varying]
    generated_on: list[date]
    disclose_until: list[date | None]
    encoded: list[bytes]
    digests: list[bytes]
    source_keys: list[bytes]
    cells: list[Cell]

    def __repr__(self) -> str:
        return f"Lot({len(self.rows)} rows)"

    @classmethod
    def of(cls, ready: Iterable[Ready]) -> "Lot":
        """The columns of these rows."""
        columns = [*zip(*map(astuple, ready), strict=True)] or [()] * len(cls._fields)
        return cls(*map(list, columns))

    def each(self) -> Iterator[Ready]:
        """Row by row."""
        return map(Ready, *self)

    def extend(self, others: "Lot") -> None:
        """Take in the rows of another lot, behind those here."""
        columns: tuple[list[Any], ...] = self
        for mine, theirs in zip(columns, cast("tuple[list[Any], ...]", others), strict=True):
            mine.extend(theirs)


class Decided(NamedTuple):
    """What became of many rows: those that became records, and the others, each in order."""

    lot: Lot
    rejected: list[Rejected]


def admit_all(rows: Sheet | Sequence[Row], intake: Intake) -> Decided:
    """Decide about many rows at once."""
    if intake.attested is not None and Condition.ATTESTED in intake.entry.conditions:
        return _sorted_out([_alone(row, intake) for row in rows])  # each rests on a word about itself
    doubtful = set[int]()
    columns = _read(rows, intake, doubtful)
    if not doubtful:
        return Decided(_made(columns, intake), [])
    is_good = [place not in doubtful for place in range(len(columns.numbers))]
    ready = _made(columns.only(is_good), intake).each()
    return _sorted_out([next(ready) if good else _alone(row, intake) for row, good in zip(rows, is_good, strict=True)])


def _sorted_out(answers: Iterable[Ready | Rejected]) -> Decided:
    ready, rejected = list[Ready](), list[Rejected]()
    for one in answers:
        if isinstance(one, Ready):
            ready.append(one)
        else:
            rejected.append(one)
    return Decided(Lot.of(ready), rejected)


def _alone(row: Row, intake: Intake) -> Ready | Rejected:
    answer = admit(row, intake)
    return answer if isinstance(answer, Rejected) else ready_of(answer)


class _Columns(NamedTuple):
    """What was read of rows: their numbers, subjects, names and decided days; then each field of the kind's entry."""

    numbers: Sequence[int]
    identifiers: list[tuple[Identifier, ...]]
    kinds: list[SubjectKind]
    remarks: list[tuple[Remark, ...]]
    zh: list[str | None]
    en: list[str | None]
    generated: list[date | None]
    until: list[date | None]
    fields: list[list[Any]]

    def only(self, wanted: list[bool]) -> "_Columns":
        """The columns of some of the rows."""

        def kept(column: Sequence[T]) -> list[T]:
            return [*compress(column, wanted)]

        return _Columns(
            numbers=kept(self.numbers),
            identifiers=kept(self.identifiers),
            kinds=kept(self.kinds),
            remarks=kept(self.remarks),
            zh=kept(self.zh),
            en=kept(self.en),
            generated=kept(self.generated),
            until=kept(self.until),
            fields=[kept(column) for column in self.fields],
        )


def _read(rows: Sheet | Sequence[Row], intake: Intake, doubtful: set[int]) -> _Columns:
    """Read all columns. What stands in the places of doubtful rows means nothing."""
    texts, common, plan = columns_of(rows), intake.common, intake.plan
    entity_types = common.entity_type.read_all(texts("entity_type"), doubtful)
    stated_days = common.generated_on.read_all(texts("generated_on"), doubtful)
    classes = common.data_class.read_all(texts("data_class"), doubtful)
    doubtful.update(place for place, one in enumerate(classes) if one in common.refused_classes)
    zh, en = (plain_texts(texts(heading), LONGEST_NAME, doubtful) for heading in ("name_zh", "name_en"))
    if plan.named:
        doubtful.update(place for place, names in enumerate(zip(zh, en, strict=True)) if names == (None, None))
    identifiers, kinds, remarks = read_subjects(texts, intake.vocabulary, entity_types, doubtful)
    if intake.other_schemes:
        schemes = [{one.scheme for one in found} for found in identifiers]
        doubtful.update(place for place, each in enumerate(schemes) if not each.isdisjoint(intake.other_schemes))
    fields = plan.read_all(texts, identifiers, doubtful)
    generated, until = intake.spans.of_all(stated_days, fields)
    if None in generated:
        doubtful.update(place for place, day in enumerate(generated) if day is None)
    if plan.rules:
        for place, values in enumerate(zip(*fields, strict=True)):
            if place not in doubtful and plan.forbidden(values) is not None:
                doubtful.add(place)
    numbers = rows.numbers if isinstance(rows, Sheet) else [row.number for row in rows]
    return _Columns(numbers, identifiers, kinds, remarks, zh, en, generated, until, fields)


def _made(columns: _Columns, intake: Intake) -> Lot:
    """The records of rows in which nothing is wrong."""
    if not columns.numbers:
        return Lot.of(())
    kind, plan, fields = intake.kind, intake.plan, columns.fields
    contents = [*map(plan.make, columns.identifiers, columns.zh, columns.en, *plan.stored(fields))]
    encoded = encode_contents(contents)
    generated = cast("list[date]", columns.generated)  # rows without are doubtful
    firsts = [first for first, *_ in columns.identifiers]
    severity = intake.period.severity
    varying = zip(  # some of these have no end
        columns.kinds,
        _categories(columns, intake),
        repeat(None) if severity is None else map(severity_of, fields[severity]),
        strict=False,
    )
    return Lot(
        rows=[*columns.numbers],
        names=[*map(_names, columns.identifiers)],
        remarks=columns.remarks,
        in_chinese=[name is not None for name in columns.zh],
        varying=[*varying],
        generated_on=generated,
        disclose_until=columns.until,
        encoded=encoded,
        digests=digest_contents(kind, generated, encoded),
        source_keys=source_keys(kind, firsts, plan.document_nos(fields)),
        cells=intake.cells.of_all(contents, columns.until),
    )


def _categories(columns: _Columns, intake: Intake) -> Iterable[int | None]:
    if intake.kind is not Kind.OTHER_ADVERSE:
        return repeat(intake.category(None))
    return map(intake.category, columns.fields[intake.plan.names.index(CATEGORY)])


def _names(identifiers: tuple[Identifier, ...]) -> tuple[tuple[str, str], ...]:
    if len(identifiers) == 1:
        (only,) = identifiers
        return ((_SCHEMES[only.scheme], only.value),)
    return tuple([(_SCHEMES[one.scheme], one.value) for one in identifiers])
