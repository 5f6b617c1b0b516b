"""Intake: a provider's row becomes a home record, or an answer that says why not (S 3, 14, 16-19)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Final

from agreements.refusal import Refusal, Refused, refuse
from node.domain.identification import read_subject
from node.domain.identifiers import Problem, Remark
from node.domain.penalty import read_penalty
from node.domain.reading import Finding, Reading
from node.domain.records import (
    CatalogueItem,
    Content,
    HomeRecord,
    Kind,
    PenaltyContent,
    digest_content,
    encode_content,
    source_key,
)
from node.domain.registration import first_lapsed_day, read_registration
from node.domain.rows import Row
from node.domain.subjects import Subject
from node.domain.vocabulary import Vocabulary, load_vocabulary
from registry.norms.calendar import anniversary
from registry.norms.catalogue import Catalogue, CatalogueEntry
from registry.norms.rule_pack import RulePack
from registry.parties import PartyId

_READERS: Final[Mapping[Kind, Callable[[Reading, Subject, Vocabulary, date], Content | Finding]]] = {
    Kind.REGISTRATION: read_registration,
    Kind.PENALTY: read_penalty,
}
_NO_DAY: Final = Finding(
    Refusal.PROVENANCE_MISSING, Problem("generated_on", "a date of establishment or generation", "none")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """What all rows of one import share: the kind, who provides it, and the law it is measured by.

    `disclosure_years` is the shorter of the rule pack's and the catalogue entry's period (S 17, 31); `today`
    is the day in Shenzhen.
    """

    kind: Kind
    provider: PartyId
    source_system: str
    entry: CatalogueEntry
    catalogue: CatalogueItem
    disclosure_years: int
    vocabulary: Vocabulary
    today: date


def open_intake(  # an import is opened once, with everything that its rows have in common
    kind: Kind, catalogue: Catalogue, rules: RulePack, *, provider: PartyId, source_system: str, today: date
) -> Intake | Refused:
    """Prepare an import; refused outside the catalogue (S 16) or without a named source (S 8, 19)."""
    entry = catalogue.entry(kind.value)
    if entry is None:
        return refuse(
            Refusal.NOT_IN_CATALOGUE, rules.reference, f"kind: one of {catalogue.reference}, got {kind.value}"
        )
    if not source_system.strip():
        return refuse(Refusal.PROVENANCE_MISSING, rules.reference, "source_system: a name, got none")
    return Intake(
        kind=kind,
        provider=provider,
        source_system=source_system,
        entry=entry,
        catalogue=CatalogueItem(catalogue=catalogue.id, version=catalogue.version, item=entry.code),
        disclosure_years=min(rules.disclosure_years.value, entry.disclosure.years or rules.disclosure_years.value),
        vocabulary=load_vocabulary(),
        today=today,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Admitted:
    """A row that became a record of a subject. Whether it is new, storage can tell."""

    row: int
    subject: Subject
    record: HomeRecord

    @property
    def remarks(self) -> tuple[Remark, ...]:
        """What is odd about its identifiers, though it is admitted."""
        return tuple(remark for one in self.subject.identifiers for remark in one.remarks)


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
    reading = Reading(row.values)
    entity_type = reading.code("entity_type", intake.vocabulary.entity_types)
    generated_on = reading.day("generated_on", intake.today)
    subject = read_subject(reading, intake.vocabulary, entity_type)
    if isinstance(subject, Finding):
        return Rejected(row=row.number, reason=subject.reason, problem=subject.problem)
    content = _READERS[intake.kind](reading, subject, intake.vocabulary, intake.today)
    record = content if isinstance(content, Finding) else _record(subject, content, generated_on, intake)
    if isinstance(record, Finding):
        return Rejected(row=row.number, reason=record.reason, problem=record.problem)
    return Admitted(row=row.number, subject=subject, record=record)


def _record(subject: Subject, content: Content, generated_on: date | None, intake: Intake) -> HomeRecord | Finding:
    generated_at = _earliest_day(content, generated_on)
    if generated_at is None:
        return _NO_DAY
    return HomeRecord(
        kind=intake.kind,
        version=1,
        subject_kind=subject.kind,
        nature=intake.entry.nature,
        polarity=intake.entry.polarity,
        negative_category=intake.entry.negative_category,
        content=content,
        provider=intake.provider,
        source_system=intake.source_system,
        catalogue=intake.catalogue,
        generated_at=generated_at,
        reported_at=intake.today,
        disclose_until=first_withheld_day(content, generated_at, intake.disclosure_years),
        publicity=intake.entry.publicity,
        content_digest=digest_content(intake.kind, generated_at, encode_content(content)),
        source_key=source_key(
            intake.kind,
            subject.identifiers[0],
            content.decision_no if isinstance(content, PenaltyContent) else "",
        ),
    )


def _earliest_day(content: Content, generated_on: date | None) -> date | None:
    """The earliest of the dates present: S 31 does not define "generation", and the earliest is strictest."""
    own = content.decided_on if isinstance(content, PenaltyContent) else content.established_on
    return min((day for day in (own, generated_on) if day is not None), default=None)


def first_withheld_day(content: Content, generated_at: date, years: int) -> date | None:
    """The first day on which the record is not shown (S 31), None while there is none.

    Negative information: the anniversary of its generation. Basic information: the day after its last valid
    day.
    """
    if isinstance(content, PenaltyContent):
        return anniversary(generated_at, years)
    return first_lapsed_day(content)
