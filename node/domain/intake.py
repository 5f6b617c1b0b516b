"""Intake: a provider's row becomes a home record, or an answer that says why not (S 3, 6, 14, 16-26)."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from functools import partial
from typing import Final, NamedTuple, cast

import msgspec

from agreements.refusal import Refusal, Refused, refuse
from node.domain.attestations import Attested
from node.domain.conditions import Measure
from node.domain.crowd import Cell, Cells, cells_of
from node.domain.identification import read_subject
from node.domain.identifiers import Problem, Remark, Scheme
from node.domain.period import Period, Spans, period_of
from node.domain.plan import ColumnReader, Plan, ReadRow, column_reader, make_plan
from node.domain.reading import LONGEST_NAME, Finding, Reading
from node.domain.records import (
    CatalogueItem,
    HomeRecord,
    Kind,
    Stored,
    digest_content,
    encode_content,
    source_key,
)
from node.domain.rows import Row
from node.domain.screening import person_marked
from node.domain.severity import is_graded
from node.domain.subjects import Subject
from node.domain.vocabulary import Vocabulary, vocabulary_of
from registry.norms.catalogue import (
    Catalogue,
    CatalogueEntry,
    Condition,
    HomeField,
    Nature,
    Polarity,
    Publicity,
    ValueType,
    load_catalogue,
)
from registry.norms.code_lists import CodeListName
from registry.norms.entries import PROVISO
from registry.norms.law import Law
from registry.norms.rule_pack import RulePack
from registry.parties import PartyId

_NO_DAY: Final = Finding(
    Refusal.PROVENANCE_MISSING, Problem("generated_on", "a date of establishment or generation", "none")
)
_OTHER_SCHEME: Final = Finding(
    Refusal.SUBJECT_ID_INVALID,
    Problem("identifiers", "identifiers of schemes that the catalogue lists for this kind", "another scheme"),
)
_GENERATED: Final = HomeField(name="generated_on", type=ValueType.DAY, zh="信息产生日期", en="Day of generation")
_ENTITY_TYPE: Final = HomeField(
    name="entity_type", type=ValueType.CODE, codes=CodeListName.ENTITY_TYPES, zh="主体类型", en="Form of organisation"
)
_DATA_CLASS: Final = HomeField(
    name="data_class", type=ValueType.CODE, codes=CodeListName.DATA_CLASSES, zh="数据分类", en="Classification"
)
_CLASSIFIED: Final = {"IMPORTANT": Refusal.IMPORTANT_DATA, "SECRET": Refusal.SECRET_OR_PRIVACY}
_PROVISO_CODE: Final = "NX"
CATEGORY: Final = "category_code"
"""The field in which a row of the kind of other adverse records says which category it falls under."""
_FIRST: Final = 1


class CommonColumns(NamedTuple):
    """The columns that rows of every kind have beside identifiers and names."""

    entity_type: ColumnReader
    generated_on: ColumnReader
    data_class: ColumnReader
    refused_classes: Mapping[Stored, Refusal]


class Shared(NamedTuple):
    """What all records of an import have in common, in the order of a record's fields."""

    nature: Nature
    polarity: Polarity
    provider: PartyId
    source_system: str
    catalogue: CatalogueItem
    reported_at: date
    publicity: Publicity


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """What all rows of one import share: the kind, who provides it, and the law it is measured by, compiled.

    `attested` is what attestations cover, None where rows are not asked for any: a correction changes a record that was
    taken in, and whoever attests reads what there is to attest. `other_schemes` are those
    by which the catalogue does not identify subjects of the kind (S 17).
    """

    kind: Kind
    entry: CatalogueEntry
    vocabulary: Vocabulary
    other_schemes: frozenset[Scheme]
    attested: Attested | None = field(repr=False, compare=False)
    plan: Plan = field(repr=False, compare=False)
    period: Period = field(repr=False, compare=False)
    spans: Spans = field(repr=False, compare=False)
    cells: Cells = field(repr=False, compare=False)
    common: CommonColumns = field(repr=False, compare=False)
    shared: Shared = field(repr=False, compare=False)
    make_record: Callable[..., HomeRecord] = field(repr=False, compare=False)

    def category(self, stated: Stored) -> int | None:
        """The category of the closed list; a row of a kind that takes in what the proviso allows states it (S 18)."""
        return PROVISO if stated == _PROVISO_CODE else self.entry.negative_category

    def declared(self, record: HomeRecord) -> HomeRecord | None:
        """The record of a row that is its subject's own declaration; None of what others say."""
        return record if Condition.ATTESTED in self.entry.conditions else None


def open_intake(  # an import is opened once, with everything that its rows have in common
    kind: Kind,
    law: Law,
    *,
    provider: PartyId,
    source_system: str,
    today: date,
    registered: Collection[PartyId] | None = None,
    attested: Attested | None = None,
) -> Intake | Refused:
    """Prepare an import; refused outside the catalogue (S 16), from no source of it, or from nobody known (S 8, 19).

    `registered` are the parties whose reports are taken in beside those that the catalogue lists for the kind; None
    where nothing enters: what is corrected came from provider and source found good. `attested` as in `Intake`.
    """
    catalogue, rules = law.catalogue, law.rules
    entry = _entry(kind, catalogue, rules)
    if isinstance(entry, Refused):
        return entry
    if registered is not None:
        refused = _foreign(source_system, entry, law) or _unknown(provider, entry, registered, rules)
        if refused is not None:
            return refused
    words = vocabulary_of(law)
    months = {one.value: bounds.max_months for one, bounds in law.severities.items()} if is_graded(entry) else {}
    measure = Measure(today=today, rules=rules, vocabulary=words)
    plan = make_plan(kind, catalogue, measure, severity_required=bool(months))
    item = CatalogueItem(catalogue=catalogue.id, version=catalogue.version, item=entry.code)
    shared = Shared(entry.nature, entry.polarity, provider, source_system, item, today, entry.publicity)
    period = period_of(entry, plan.names, rules.disclosure_years.value, months)
    return Intake(
        kind=kind,
        entry=entry,
        vocabulary=words,
        other_schemes=frozenset(Scheme).difference(entry.identification),
        attested=attested,
        plan=plan,
        period=period,
        spans=Spans(period),
        cells=cells_of(kind, words),
        common=_common_columns(measure),
        shared=shared,
        # A record from a row is a first version.
        make_record=partial(HomeRecord, kind, *shared, _FIRST),
    )


def _common_columns(measure: Measure) -> CommonColumns:
    words, name = measure.vocabulary, CodeListName.DATA_CLASSES
    return CommonColumns(
        entity_type=column_reader(_ENTITY_TYPE, measure),
        generated_on=column_reader(_GENERATED, measure),
        data_class=column_reader(_DATA_CLASS, measure),
        refused_classes={code: reason for tag, reason in _CLASSIFIED.items() for code in words.tagged(name, tag)},
    )


def _foreign(source: str, entry: CatalogueEntry, law: Law) -> Refused | None:
    """Records come from a system that the catalogue has for their kind: the municipal one, or another (S 8, 17, 21)."""
    if law.catalogue.is_source(entry, source):
        return _overlong(source, law)
    known = ", ".join(one.written(code) for code, one in law.catalogue.sources_of(entry).items())
    reason = Refusal.PROVIDER_NOT_REGISTERED if source.strip() else Refusal.PROVENANCE_MISSING
    got = "another" if source.strip() else "none"
    return refuse(reason, law.rules.reference, f"source_system: expected one of {known}, got {got}")


def _overlong(source: str, law: Law) -> Refused | None:
    """What an import says of its source is stored, and shown to operators: a name, and no person's (S 6)."""
    if len(source) > LONGEST_NAME or not source.isprintable():
        detail = f"source_system: expected at most {LONGEST_NAME} printable characters, got others"
        return refuse(Refusal.MALFORMED, law.rules.reference, detail)
    if person_marked(source):
        detail = "source_system: expected no mark of a natural person, got one"
        return refuse(Refusal.SECRET_OR_PRIVACY, law.rules.reference, detail)
    return None


def _unknown(
    provider: PartyId, entry: CatalogueEntry, registered: Collection[PartyId], rules: RulePack
) -> Refused | None:
    """Records come from parties that somebody answers for: an authority lists them, or the catalogue does (S 8)."""
    if provider in registered or provider in entry.providers:
        return None
    detail = "provider: a registered party, or one that the catalogue lists for this kind, got another"
    return refuse(Refusal.PROVIDER_NOT_REGISTERED, rules.reference, detail)


def _entry(kind: Kind, catalogue: Catalogue, rules: RulePack) -> CatalogueEntry | Refused:
    """The entry of a kind, or why no row of it is taken in at all."""
    entry = catalogue.entry(kind.value)
    if entry is None:
        detail = f"kind: one of {catalogue.reference}, got {kind.value}"
        return refuse(Refusal.NOT_IN_CATALOGUE, rules.reference, detail)
    shipped = load_catalogue().entry(kind.value)
    if shipped is None or shipped.fields != entry.fields or shipped.format != entry.format:
        detail = f"catalogue: fields as this program stores them, and its format, got {catalogue.reference}"
        return refuse(Refusal.CATALOGUE_VERSION_UNKNOWN, rules.reference, detail)
    category = None if entry.negative_category is None else catalogue.negative.get(entry.negative_category)
    if category is not None and not category.admitted:
        return refuse(Refusal.NATURAL_PERSON_SUBJECT, rules.reference, f"kind: about enterprises, got {kind.value}")
    return entry


class Admitted(msgspec.Struct, frozen=True, gc=False):
    """A row that became a record of a subject, with encoded content and cell. Whether it is new, storage can tell."""

    row: int
    subject: Subject
    record: HomeRecord
    encoded: bytes
    cell: Cell

    def __repr__(self) -> str:
        return f"Admitted(row={self.row}, record={self.record!r})"

    @property
    def remarks(self) -> list[tuple[int, Remark]]:
        """What is odd about its identifiers, though it is admitted; each with the number of its row."""
        return [(self.row, remark) for one in self.subject.identifiers for remark in one.remarks]


class Case(StrEnum):
    """What kind of thing keeps a row from being loaded, so that people know what to do about it."""

    REJECTED = "rejected"
    UNJOINED = "unjoined"
    CONFLICT = "conflict"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """A row that may not become a record: which row, which field, what was expected, what was got.

    A row is `UNJOINED` when it leads to no subject, and a `CONFLICT` when it contradicts what is known: something is
    wrong with one of two, and nobody can tell from the row alone with which. `against` is then the record it
    contradicts, where there is one; `source_key` is set when both state the same record.
    """

    row: int
    reason: Refusal
    problem: Problem
    case: Case = Case.REJECTED
    against: int | None = None
    source_key: bytes | None = field(default=None, repr=False)


def admit(row: Row, intake: Intake) -> Admitted | Rejected:
    """Decide whether `row` may become a home record, and make its first version.

    The first thing that is wrong is the answer. The same row always gives the same source key and content
    digest, so that importing a file twice changes nothing.
    """
    answer = _decided(row, intake)
    if isinstance(answer, Finding):
        return Rejected(row=row.number, reason=answer.reason, problem=answer.problem)
    return answer


def _decided(row: Row, intake: Intake) -> Admitted | Finding:
    reading = Reading(row.values)
    common = intake.common
    entity_type = cast("str | None", _read(common.entity_type, reading))
    generated_on = cast("date | None", _read(common.generated_on, reading))
    data_class = _read(common.data_class, reading)
    if data_class in common.refused_classes:
        reading.note(common.refused_classes[str(data_class)], "data_class", "a class that may be shared", "another")
    names = reading.name("name_zh"), reading.name("name_en")
    subject = read_subject(reading, intake.vocabulary, entity_type, names)
    if isinstance(subject, Finding):
        return subject
    read = intake.plan.read(reading, subject, names)
    if isinstance(read, Finding):
        return read
    return _made(row, subject, read, generated_on, intake)


def _made(row: Row, subject: Subject, read: ReadRow, generated_on: date | None, intake: Intake) -> Admitted | Finding:
    """The record of a row that was read, or what forbids it after all; `portion` asks the same of many rows."""
    if intake.other_schemes and not intake.other_schemes.isdisjoint([one.scheme for one in subject.identifiers]):
        return _OTHER_SCHEME
    generated_at = intake.period.generation(read.values, generated_on)
    if generated_at is None:
        return _NO_DAY
    admitted = _admitted(row, subject, read, generated_at, intake)
    if intake.attested is None:
        return admitted
    return intake.attested.missing(subject, intake.declared(admitted.record)) or admitted


def _admitted(row: Row, subject: Subject, read: ReadRow, generated_at: date, intake: Intake) -> Admitted:
    encoded, kind = encode_content(read.content), intake.kind
    record = intake.make_record(
        subject.kind,
        intake.category(read.content[CATEGORY] if intake.kind is Kind.OTHER_ADVERSE else None),
        read.content,
        generated_at,
        intake.period.first_withheld_day(read.values, generated_at),
        digest_content(kind, generated_at, encoded),
        source_key(kind, subject.identifiers[0], read.document_no),
    )
    return Admitted(row.number, subject, record, encoded, intake.cells.of(read.content, record.disclose_until))


def _read(column: ColumnReader, reading: Reading) -> Stored:
    text = reading.values.get(column.heading)
    if not text:
        return None
    if column.known is not None and text in column.known:
        return column.known[text]
    return column.read(reading, text)
