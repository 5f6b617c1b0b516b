"""Home records as they are stored, and back: one pair of translations."""

from collections.abc import MutableMapping
from datetime import date

import msgspec

from node.domain.identifiers import Scheme
from node.domain.intake import Admitted
from node.domain.recheck import Judged
from node.domain.records import CatalogueItem, Coming, HomeRecord, Kind, Withheld, decode_content
from node.domain.subjects import SubjectKind
from node.operations.rows import NewRecordRow, RecordRow, SubjectRow
from registry.norms.catalogue import Nature, Polarity, Publicity
from registry.norms.overlay import Severity
from registry.parties import PartyId


class RecordFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The envelope facts of a record, stored beside its content."""

    subject_kind: SubjectKind
    nature: Nature
    polarity: Polarity
    negative_category: int | None
    provider: PartyId
    source_system: str
    catalogue: str
    catalogue_version: int
    catalogue_item: str
    generated_at: date
    reported_at: date
    publicity: Publicity
    severity: Severity | None = None


class _ShieldFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Those of the stored facts that decide whether a record is shown."""

    subject_kind: SubjectKind
    publicity: Publicity
    nature: Nature
    polarity: Polarity
    generated_at: date
    severity: Severity | None = None


class Outline(msgspec.Struct, frozen=True, kw_only=True):
    """A stored record as far as it takes to say whether it is shown; its content stays unread."""

    kind: Kind
    subject_kind: SubjectKind
    publicity: Publicity
    disclose_until: date | None
    nature: Nature
    polarity: Polarity
    generated_at: date
    severity: Severity | None
    states: frozenset[Withheld]
    coming: tuple[Coming, ...]


Varying = tuple[SubjectKind, int | None, date, Severity | None]
"""Those facts that are not the same for all records of an import."""

_MOST_REMEMBERED = 20_000
_decoder = msgspec.json.Decoder(RecordFacts)
_shield_decoder = msgspec.json.Decoder(_ShieldFacts)
_encode = msgspec.json.Encoder().encode
_SCHEMES = {one: one.value for one in Scheme}


def row_from_admitted(admitted: Admitted, known: MutableMapping[Varying, bytes] | None = None) -> NewRecordRow:
    """A row for the store from an admitted record and its subject.

    `known` keeps facts that were encoded before, for records of one import.
    """
    record, subject = admitted.record, admitted.subject
    varying = (record.subject_kind, record.negative_category, record.generated_at, record.severity)
    facts = None if known is None else known.get(varying)
    if facts is None:
        facts = _encode(_facts(record))
        if known is not None and len(known) < _MOST_REMEMBERED:
            known[varying] = facts
    identifiers = tuple([(_SCHEMES[one.scheme], one.value) for one in subject.identifiers])
    return NewRecordRow(
        subject=SubjectRow(kind=subject.kind.value, identifiers=identifiers),
        source_key=record.source_key,
        kind=record.kind.value,
        content=admitted.encoded,
        content_digest=record.content_digest,
        facts=facts,
        disclose_until=record.disclose_until,
        cell=admitted.cell,
    )


def record_from_row(row: RecordRow) -> HomeRecord:
    """A stored row as the fact that rules decide on; its source key and digest stay in the store."""
    facts, kind = _decoder.decode(row.facts), Kind(row.kind)
    item = CatalogueItem(catalogue=facts.catalogue, version=facts.catalogue_version, item=facts.catalogue_item)
    return HomeRecord(
        kind=kind,
        version=row.version,
        subject_kind=facts.subject_kind,
        nature=facts.nature,
        polarity=facts.polarity,
        negative_category=facts.negative_category,
        content=decode_content(kind, row.content),
        provider=facts.provider,
        source_system=facts.source_system,
        catalogue=item,
        generated_at=facts.generated_at,
        reported_at=facts.reported_at,
        disclose_until=row.disclose_until,
        publicity=facts.publicity,
        content_digest=b"",
        source_key=b"",
        states=frozenset(Withheld(state) for state in row.withheld),
        coming=_coming(row),
    )


def facts_judged(row: RecordRow, judged: Judged) -> bytes:
    """The envelope facts of a stored row as the law in force has them; by which catalogue it was admitted stays."""
    facts = msgspec.structs.replace(
        _decoder.decode(row.facts),
        publicity=judged.publicity,
        nature=judged.nature,
        polarity=judged.polarity,
        negative_category=judged.negative_category,
    )
    return _encode(facts)


def outline_from_row(row: RecordRow) -> Outline:
    """A stored row without its content: most records are shown as they were rendered before."""
    facts = _shield_decoder.decode(row.facts)
    return Outline(
        kind=Kind(row.kind),
        subject_kind=facts.subject_kind,
        publicity=facts.publicity,
        disclose_until=row.disclose_until,
        nature=facts.nature,
        polarity=facts.polarity,
        generated_at=facts.generated_at,
        severity=facts.severity,
        states=frozenset(Withheld(state) for state in row.withheld),
        coming=_coming(row),
    )


def _coming(row: RecordRow) -> tuple[Coming, ...]:
    return tuple([Coming(Withheld(state), on) for state, on in row.coming])


def _facts(record: HomeRecord) -> RecordFacts:
    return RecordFacts(
        subject_kind=record.subject_kind,
        nature=record.nature,
        polarity=record.polarity,
        negative_category=record.negative_category,
        provider=record.provider,
        source_system=record.source_system,
        catalogue=record.catalogue.catalogue,
        catalogue_version=record.catalogue.version,
        catalogue_item=record.catalogue.item,
        generated_at=record.generated_at,
        reported_at=record.reported_at,
        publicity=record.publicity,
        severity=record.severity,
    )
