"""Renditions made, and kept: what is asked for of records, each as coarse as was decided for it."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

import msgspec

from agreements.agreement import Agreement
from crypto.document_token import document_tokens
from crypto.keys import Suite
from crypto.renditions import NAME_SIZE, Shape, Told, Written
from node.domain.context import Context
from node.domain.crowd import cells_of
from node.domain.dates import shanghai_day
from node.domain.records import Content, Kind, decode_content
from node.domain.rendition import Rule, rules_of, valid_until
from node.domain.vocabulary import Vocabulary
from node.operations.coarsen import Steps, ladders_of
from node.operations.ports import UnitOfWork
from node.operations.record_rows import RecordRow
from node.operations.rendition_rows import AliasRow, RenditionRow
from node.operations.rows import LedgerRow
from registry.norms.catalogue import Precision
from registry.norms.law import Law


@dataclass(frozen=True, slots=True, kw_only=True)
class Disclosure:
    """Under what is disclosed: agreement and epoch, the law in force, and the instant."""

    agreement: Agreement
    agreement_no: int
    epoch: int
    law: Law
    vocabulary: Vocabulary
    context: Context
    at: datetime


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """One rendition to be shown, which record version it is of, and by which of its subject's identifiers.

    `fields` as in the ledger: None where it shows all that is granted.
    """

    record_no: int
    record_version: int
    identifier_no: int
    fields: str | None
    body: bytes
    commitment: bytes

    def __repr__(self) -> str:
        return "Shown(...)"

    def ledger(self, agreement_no: int, frame: bytes) -> LedgerRow:
        """The ledger row: who held this version in which frame."""
        return LedgerRow(
            agreement_no=agreement_no,
            record_no=self.record_no,
            record_version=self.record_version,
            frame=frame,
            identifier_no=self.identifier_no,
            fields=self.fields,
        )


class Name(msgspec.Struct, frozen=True, kw_only=True):
    """Under which pseudonym something is shown, and which of its subject's identifiers that stands for."""

    pseudonym: bytes
    identifier_no: int


class Asked(NamedTuple):
    """A record to be shown under a name, in some of the fields that are granted of its kind."""

    row: RecordRow
    name: Name
    fields: Mapping[str, Precision]

    @property
    def version(self) -> "_Version":
        """Which version of which record."""
        return self.row.record_no, self.row.version


_Version = tuple[int, int]
_Alike = tuple[str, frozenset[str] | None, int]
"""Kind, fields (None: all that is granted), and step of the ladder."""


class _Kept(NamedTuple):
    """By which pseudonym, and until when, a rendition shows that is kept."""

    pseudonym: bytes
    until: date | None


class _NamedHeader(msgspec.Struct, frozen=True):
    pseudonym: str
    valid_until: date | None


class _Named(msgspec.Struct, frozen=True):
    """As much of a kept rendition as says by which name and how long it shows; it was checked before it was kept."""

    header: _NamedHeader


_named = msgspec.json.Decoder(_Named)


def _read_kept(body: bytes) -> _Kept:
    header = _named.decode(body).header
    return _Kept(bytes.fromhex(header.pseudonym), header.valid_until)


class Renderer:
    """Makes renditions, and keeps those that show all that the agreement grants, so that they stay the same.

    A rendition of the whole grant is made once for each record version, agreement and epoch. One that was asked
    for in fewer fields, or under another of the subject's pseudonyms, is made for that answer alone: same alias
    and wire version, salts of its own. A wire version stands for one record version, in whatever epoch, and so does
    the step of the ladder after which it is shown: it is decided once, and then nothing of it is shown finer.
    """

    def __init__(self, work: UnitOfWork, records: Sequence[int], disclosure: Disclosure) -> None:
        self._work = work
        self._disclosure = disclosure
        self._granted = disclosure.agreement.terms.precisions
        self._records = records
        self._today = shanghai_day(disclosure.at)
        self._made = dict(work.renditions.of_records(disclosure.agreement_no, disclosure.epoch, records))
        self._kept = {key: _read_kept(one.body) for key, one in self._made.items()}
        self._known: Mapping[int, AliasRow] | None = None
        ladders = ladders_of(disclosure.agreement, disclosure.vocabulary)
        self._steps = Steps(work, ladders, disclosure.vocabulary.catalogue.deidentification.k)
        self._contents: dict[_Version, Content] = {}
        self._plans: dict[_Alike, _Plan] = {}

    def show(self, asked: Sequence[Asked]) -> list[Shown | None]:
        """The renditions that are asked for, in order; those that are made to stay are written down.

        None where what would be shown is over already: the end of a record's disclosure is told rounded down, and no
        copy is sent that its holder had to destroy at once. None also where how coarse it is shown cannot be decided
        until every record was looked at by the law in force.
        """
        self._make(asked)
        shown: list[Shown | None] = [None] * len(asked)
        own: list[tuple[int, Asked]] = []
        for place, one in enumerate(asked):
            made = self._made.get(one.version)
            if made is None:
                continue
            kept, whole = self._kept[one.version], self._is_whole(one)
            if not whole or kept.pseudonym != one.name.pseudonym:
                own.append((place, one))
            elif not self._is_over(kept.until):
                shown[place] = _shown(one, made.body, made.commitment, whole=True)
        if own:
            self._show_apart(own, shown)
        return shown

    def _show_apart(self, own: Sequence[tuple[int, Asked]], shown: list[Shown | None]) -> None:
        """Make for this answer alone what was made in other fields, or under another name, and put it in its places."""
        rows = [one.row for _, one in own]
        self._steps.recall(rows, self._identities())
        lasting = [(place, one) for place, one in own if not self._is_over(self._end_of(one.row))]
        texts = self._write([(one, self._alias_of(one.row)) for _, one in lasting])
        for (place, one), text in zip(lasting, texts, strict=True):
            shown[place] = _shown(one, text.body, text.commitment, whole=self._is_whole(one))

    def _is_whole(self, asked: Asked) -> bool:
        """Whether all is asked for that is granted of the kind."""
        granted = self._granted[asked.row.kind]
        return asked.fields is granted or asked.fields.keys() == granted.keys()

    def _is_over(self, until: date | None) -> bool:
        return until is not None and until <= self._today

    def _end_of(self, row: RecordRow) -> date | None:
        return valid_until(row.disclose_until, self._steps.told(row).ending)

    def _make(self, asked: Sequence[Asked]) -> None:
        """Make and keep the whole rendition of what has none, under the name by which it is asked for first."""
        missing: dict[_Version, Asked] = {}
        for one in asked:
            version = one.version
            if version not in self._made:
                missing.setdefault(version, one)
        if not missing:
            return
        self._steps.decide([one.row for one in missing.values()], self._identities(), self._finest)
        ends = {key: self._end_of(one.row) for key, one in missing.items() if self._steps.knows(one.row)}
        missing = {key: missing[key] for key, end in ends.items() if not self._is_over(end)}
        aliases = self._identified([one.row for one in missing.values()])
        whole = [(Asked(one.row, one.name, self._granted[one.row.kind]), alias)
                 for one, alias in zip(missing.values(), aliases, strict=True)]  # fmt: skip
        new = [self._row(*one, written) for one, written in zip(whole, self._write(whole), strict=True)]
        self._work.renditions.add(new)
        self._made.update(zip(missing, new, strict=True))
        self._kept.update({key: _Kept(one.name.pseudonym, ends[key]) for key, one in missing.items()})

    def _row(self, asked: Asked, alias: AliasRow, written: Written) -> RenditionRow:
        decided = self._steps.of(asked.row)
        return RenditionRow(
            agreement_no=self._disclosure.agreement_no,
            epoch=self._disclosure.epoch,
            record_no=asked.row.record_no,
            record_version=asked.row.version,
            alias=alias.alias,
            wire_version=alias.wire_version,
            body=written.body,
            commitment=written.commitment,
            ladder_no=decided.ladder_no,
            step=decided.step,
        )

    def _identities(self) -> Mapping[int, AliasRow]:
        if self._known is None:
            self._known = self._work.renditions.identities(self._disclosure.agreement_no, self._records)
        return self._known

    def _identified(self, rows: Sequence[RecordRow]) -> list[AliasRow]:
        """The records' names here, each in the wire version that stands for this record version."""
        known = self._identities()
        drawn = self._disclosure.context.random(NAME_SIZE * len(rows))
        return [
            _identity(known.get(row.record_no), row, drawn[at : at + NAME_SIZE])
            for row, at in zip(rows, range(0, len(drawn), NAME_SIZE), strict=True)
        ]

    def _alias_of(self, row: RecordRow) -> AliasRow:
        made = self._made[row.record_no, row.version]
        return AliasRow(alias=made.alias, wire_version=made.wire_version, record_version=row.version)

    def _content(self, row: RecordRow) -> Content:
        """What a record says, read once."""
        key = row.record_no, row.version
        content = self._contents.get(key)
        if content is None:
            content = self._contents[key] = decode_content(Kind(row.kind), row.content)
        return content

    def _finest(self, rows: Sequence[RecordRow]) -> list[str]:
        """What the cells of records of one kind hold, made together."""
        cells = cells_of(Kind(rows[0].kind), self._disclosure.vocabulary)
        made = cells.of_all([self._content(row) for row in rows], [row.disclose_until for row in rows])
        return [cell.finest for cell in made]

    def _write(self, wanted: Sequence[tuple[Asked, AliasRow]]) -> list[Written]:
        """Write renditions of one shape after another; the order is that of what is wanted."""
        places: dict[_Alike, list[int]] = defaultdict(list)
        for place, (one, _) in enumerate(wanted):
            fields = None if self._is_whole(one) else frozenset(one.fields)
            places[one.row.kind, fields, self._steps.of(one.row).step].append(place)
        written: dict[int, Written] = {}
        for alike, found in places.items():
            plan = self._plans.get(alike) or self._plans.setdefault(alike, self._plan(wanted[found[0]][0]))
            told = [plan.tell(*wanted[place], self._content(wanted[place][0].row)) for place in found]
            written.update(zip(found, plan.shape.write(told, self._disclosure.context.random), strict=True))
        return [written[place] for place in range(len(wanted))]

    def _plan(self, like: Asked) -> "_Plan":
        """How all are shown that are asked for in the same fields of a kind, and shown after the same step."""
        agreement, kind, step = self._disclosure.agreement, like.row.kind, self._steps.told(like.row)
        profile, epoch = agreement.terms.deid_profile, self._disclosure.epoch
        shape = Shape(agreement.digest, epoch, kind, profile, Suite.ONE, like.fields)
        granted = {name: self._granted[kind][name] for name in like.fields}
        tokens = document_tokens(self._disclosure.context.keys.pseudonym_seed, agreement.terms.agreement)
        rules = rules_of(Kind(kind), step.of(granted), self._disclosure.vocabulary, tokens)
        return _Plan(shape, [rules[name] for name in shape.names], step.ending)


class _Plan(NamedTuple):
    """How records are shown; `rules` in the order of the shape's names."""

    shape: Shape
    rules: Sequence[Rule]
    ending: Precision

    def tell(self, asked: Asked, alias: AliasRow, content: Content) -> Told:
        """What the rendition of one record says."""
        values = [rule(content) for rule in self.rules]
        until = valid_until(asked.row.disclose_until, self.ending)
        return Told(alias.alias, asked.name.pseudonym, until, alias.wire_version, values)


def _shown(asked: Asked, body: bytes, committed: bytes, *, whole: bool) -> Shown:
    return Shown(
        record_no=asked.row.record_no,
        record_version=asked.row.version,
        identifier_no=asked.name.identifier_no,
        fields=None if whole else " ".join(sorted(asked.fields)),
        body=body,
        commitment=committed,
    )


def _identity(known: AliasRow | None, row: RecordRow, new: bytes) -> AliasRow:
    if known is None:
        return AliasRow(alias=new, wire_version=1, record_version=row.version)
    if known.record_version == row.version:
        return known
    return AliasRow(alias=known.alias, wire_version=known.wire_version + 1, record_version=row.version)
