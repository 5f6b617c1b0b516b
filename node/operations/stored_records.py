"""Home records as they are stored, and back: one pair of translations."""

from datetime import date
from functools import lru_cache

import msgspec

from node.domain.intake import Admitted, Shared
from node.domain.portion import Lot, Varying, ready_of
from node.domain.recheck import Judged
from node.domain.records import CatalogueItem, Coming, HomeRecord, Kind, Withheld, decode_content
from node.domain.subjects import SubjectKind
from node.operations.record_rows import NewRecordRow, NewRecords, RecordRow
from registry.norms.catalogue import Nature, Polarity, Publicity
from registry.norms.overlay import Severity
from registry.parties import PartyId


class RecordFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The envelope facts of a record without its day of generation: those of many records are the same."""

    subject_kind: SubjectKind
    nature: Nature
    polarity: Polarity
    negative_category: int | None
    provider: PartyId
    source_system: str
    catalogue: str
    catalogue_version: int
    catalogue_item: str
    reported_at: date
    publicity: Publicity
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


_MOST_REMEMBERED = 1_000
_decoder = msgspec.json.Decoder(RecordFacts)
_encode = msgspec.json.Encoder().encode


@lru_cache(_MOST_REMEMBERED)
def _facts_of(raw: bytes) -> RecordFacts:
    return _decoder.decode(raw)


class Envelopes(dict[Varying, bytes]):
    """The encoded envelope facts of an import's records: many records have theirs in common."""

    def __init__(self, shared: Shared | HomeRecord) -> None:
        super().__init__()
        self._shared = shared

    def __missing__(self, varying: Varying) -> bytes:
        facts = _encode(_facts(self._shared, varying))
        if len(self) < _MOST_REMEMBERED:
            self[varying] = facts
        return facts


def row_from_admitted(admitted: Admitted) -> NewRecordRow:
    """A row for the store from an admitted record and its subject."""
    (row,) = rows_from_lot(Lot.of([ready_of(admitted)]), admitted.record.kind, Envelopes(admitted.record))
    return row


def rows_from_lot(lot: Lot, kind: Kind, envelopes: Envelopes) -> NewRecords:
    """Rows for the store from rows of one import, in order."""
    facts = [*map(envelopes.__getitem__, lot.varying)]
    return NewRecords(
        identifiers=lot.names,
        source_keys=lot.source_keys,
        kinds=[kind.value] * len(facts),
        contents=lot.encoded,
        digests=lot.digests,
        facts=facts,
        generated_on=lot.generated_on,
        disclose_until=lot.disclose_until,
        cells=lot.cells,
    )


def record_from_row(row: RecordRow) -> HomeRecord:
    """A stored row as the fact that rules decide on; its source key and digest stay in the store."""
    facts, kind = _facts_of(row.facts), Kind(row.kind)
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
        generated_at=_generated(row),
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
        _facts_of(row.facts),
        publicity=judged.publicity,
        nature=judged.nature,
        polarity=judged.polarity,
        negative_category=judged.negative_category,
    )
    return _encode(facts)


def outline_from_row(row: RecordRow) -> Outline:
    """A stored row without its content: most records are shown as they were rendered before."""
    facts = _facts_of(row.facts)
    return Outline(
        kind=Kind(row.kind),
        subject_kind=facts.subject_kind,
        publicity=facts.publicity,
        disclose_until=row.disclose_until,
        nature=facts.nature,
        polarity=facts.polarity,
        generated_at=_generated(row),
        severity=facts.severity,
        states=frozenset(Withheld(state) for state in row.withheld),
        coming=_coming(row),
    )


def _generated(row: RecordRow) -> date:
    if row.generated_on is None:
        raise msgspec.DecodeError("expected the day of generation of a record, got none")
    return row.generated_on


def _coming(row: RecordRow) -> tuple[Coming, ...]:
    return tuple([Coming(Withheld(state), on) for state, on in row.coming])


def _facts(shared: Shared | HomeRecord, varying: Varying) -> RecordFacts:
    subject_kind, negative_category, severity = varying
    return RecordFacts(
        subject_kind=subject_kind,
        nature=shared.nature,
        polarity=shared.polarity,
        negative_category=negative_category,
        provider=shared.provider,
        source_system=shared.source_system,
        catalogue=shared.catalogue.catalogue,
        catalogue_version=shared.catalogue.version,
        catalogue_item=shared.catalogue.item,
        reported_at=shared.reported_at,
        publicity=shared.publicity,
        severity=severity,
    )
