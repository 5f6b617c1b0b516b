"""From pseudonyms to sealed frames: find the records, leave out what is withheld, render, seal, sign."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from itertools import pairwise
from typing import NamedTuple

import msgspec

from agreements.agreement import Agreement
from agreements.permission import Granted
from crypto.document_token import document_tokens
from crypto.frame import FrameHeader, SealedBody, seal_body, shuffled, sign_and_name
from crypto.keys import PublicKey, Suite
from crypto.renditions import NAME_SIZE, Shape, Told, Written
from crypto.sealing import Binding
from node.domain.context import Context
from node.domain.dates import shanghai_day
from node.domain.journal import Detail
from node.domain.records import Kind, decode_content
from node.domain.rendition import Rule, rules_of, valid_until
from node.domain.serving import is_visible
from node.domain.vocabulary import Vocabulary
from node.operations.ports import UnitOfWork
from node.operations.rows import AliasRow, LedgerRow, RecordRow, RenditionRow
from node.operations.stored_records import outline_from_row
from registry.norms.catalogue import Precision
from registry.norms.law import Law
from registry.parties import PartyId


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


def show(work: UnitOfWork, wanted: Sequence[tuple[bytes, Granted]], disclosure: Disclosure) -> list[list[Shown]]:
    """For each wanted pseudonym the renditions of its visible records of the granted kinds, in order.

    Every pseudonym takes the same way: unknown, withheld and empty ones end with an empty list like the others, after
    the same reads, so that no clock tells them apart.
    """
    number, epoch = disclosure.agreement_no, disclosure.epoch
    subjects = work.pseudonyms.lookup(number, epoch, [pseudonym for pseudonym, _ in wanted])
    kinds = sorted({kind for _, granted in wanted for kind in granted.fields})
    found = sorted({subjects.get(pseudonym, NOBODY)[0] for pseudonym, _ in wanted})
    rows = work.records.of_subjects(found, kinds, shanghai_day(disclosure.at))
    visible = {row.record_no for found in rows.values() for row in found if may_be_seen(row, disclosure)}
    asked: list[Asked] = []
    ends = []
    for pseudonym, granted in wanted:
        subject, identifier_no = subjects.get(pseudonym, NOBODY)
        name = Name(pseudonym=pseudonym, identifier_no=identifier_no)
        asked += [
            Asked(row, name, granted.fields[row.kind])
            for row in rows.get(subject, ())
            if row.record_no in visible and row.kind in granted.fields
        ]
        ends.append(len(asked))
    shown = Renderer(work, sorted(visible), disclosure).show(asked)
    return [shown[start:end] for start, end in pairwise((0, *ends))]


NOBODY = (-1, -1)


def may_be_seen(row: RecordRow, disclosure: Disclosure) -> bool:
    """Whether a record may be shown at the instant of the disclosure."""
    return is_visible(outline_from_row(row), disclosure.at, disclosure.law)


def withdraw_withheld(work: UnitOfWork, frames: Sequence[bytes], disclosure: Disclosure) -> bool:
    """Take back frames that wait to be sent with a record that may not be shown any more; gives whether there was one.

    Such a frame is cancelled, and the caller shows the rest of it in a new one.
    """
    rows = work.changes.of_numbers(work.ledger.in_frames(frames))
    ended = [number for number, row in rows.items() if not may_be_seen(row, disclosure)]
    if ended:
        work.sent_frames.withdraw(ended, disclosure.at)
    return bool(ended)


class Asked(NamedTuple):
    """A record to be shown under a name, in some of the fields that are granted of its kind."""

    row: RecordRow
    name: Name
    fields: Mapping[str, Precision]


class _NamedHeader(msgspec.Struct, frozen=True):
    pseudonym: str


class _Named(msgspec.Struct, frozen=True):
    """As much of a kept rendition as says under which pseudonym it was made; it was checked before it was kept."""

    header: _NamedHeader


_named = msgspec.json.Decoder(_Named)


class Renderer:
    """Makes renditions, and keeps those that show all that the agreement grants, so that they stay the same.

    A rendition of the whole grant is made once for each record version, agreement and epoch. One that was asked
    for in fewer fields, or under another of the subject's pseudonyms, is made for that answer alone: same alias
    and wire version, salts of its own. A wire version stands for one record version, in whatever epoch.
    """

    def __init__(self, work: UnitOfWork, records: Sequence[int], disclosure: Disclosure) -> None:
        self._work = work
        self._disclosure = disclosure
        self._granted = disclosure.agreement.terms.precisions
        self._records = records
        self._made = dict(work.renditions.of_records(disclosure.agreement_no, disclosure.epoch, records))
        self._named = {key: bytes.fromhex(_named.decode(one.body).header.pseudonym) for key, one in self._made.items()}
        self._plans: dict[tuple[str, frozenset[str]], _Plan] = {}

    def show(self, asked: Sequence[Asked]) -> list[Shown]:
        """The renditions that are asked for, in order; those that are made to stay are written down."""
        self._make(asked)
        own = [one for one in asked if not self._is_made_for(one)]
        written = iter(self._write([(one, self._alias_of(one.row)) for one in own]))
        return [self._shown(one, None if self._is_made_for(one) else next(written)) for one in asked]

    def _is_made_for(self, asked: Asked) -> bool:
        """Whether what is kept of the record is what is asked for: in full, and under this name."""
        row = asked.row
        whole = asked.fields.keys() == self._granted[row.kind].keys()
        return whole and self._named[row.record_no, row.version] == asked.name.pseudonym

    def _shown(self, asked: Asked, own: Written | None) -> Shown:
        row, fields = asked.row, asked.fields
        made = self._made[row.record_no, row.version]
        body, committed = (made.body, made.commitment) if own is None else own
        whole = own is None or fields.keys() == self._granted[row.kind].keys()
        return Shown(
            record_no=row.record_no,
            record_version=row.version,
            identifier_no=asked.name.identifier_no,
            fields=None if whole else " ".join(sorted(fields)),
            body=body,
            commitment=committed,
        )

    def _make(self, asked: Sequence[Asked]) -> None:
        """Make and keep the whole rendition of what has none, under the name by which it is asked for first."""
        missing: dict[tuple[int, int], Asked] = {}
        for one in asked:
            if (one.row.record_no, one.row.version) not in self._made:
                missing.setdefault((one.row.record_no, one.row.version), one)
        if not missing:
            return
        aliases = self._identified([one.row for one in missing.values()])
        whole = [(Asked(one.row, one.name, self._granted[one.row.kind]), alias)
                 for one, alias in zip(missing.values(), aliases, strict=True)]  # fmt: skip
        new = [
            RenditionRow(
                agreement_no=self._disclosure.agreement_no,
                epoch=self._disclosure.epoch,
                record_no=one.row.record_no,
                record_version=one.row.version,
                alias=alias.alias,
                wire_version=alias.wire_version,
                body=written.body,
                commitment=written.commitment,
            )
            for (one, alias), written in zip(whole, self._write(whole), strict=True)
        ]
        self._work.renditions.add(new)
        self._made.update(zip(missing, new, strict=True))
        self._named.update({key: one.name.pseudonym for key, one in missing.items()})

    def _identified(self, rows: Sequence[RecordRow]) -> list[AliasRow]:
        """The records' names here, each in the wire version that stands for this record version."""
        known = self._work.renditions.identities(self._disclosure.agreement_no, self._records)
        drawn = self._disclosure.context.random(NAME_SIZE * len(rows))
        return [
            _identity(known.get(row.record_no), row, drawn[at : at + NAME_SIZE])
            for row, at in zip(rows, range(0, len(drawn), NAME_SIZE), strict=True)
        ]

    def _alias_of(self, row: RecordRow) -> AliasRow:
        made = self._made[row.record_no, row.version]
        return AliasRow(alias=made.alias, wire_version=made.wire_version, record_version=row.version)

    def _write(self, wanted: Sequence[tuple[Asked, AliasRow]]) -> list[Written]:
        """Write renditions of one shape after another; the order is that of what is wanted."""
        places: dict[tuple[str, frozenset[str]], list[int]] = defaultdict(list)
        for place, (one, _) in enumerate(wanted):
            places[one.row.kind, frozenset(one.fields)].append(place)
        written: dict[int, Written] = {}
        for alike, found in places.items():
            plan = self._plans.get(alike) or self._plans.setdefault(alike, self._plan(*alike))
            told = [plan.tell(*wanted[place]) for place in found]
            written.update(zip(found, plan.shape.write(told, self._disclosure.context.random), strict=True))
        return [written[place] for place in range(len(wanted))]

    def _plan(self, kind: str, fields: frozenset[str]) -> "_Plan":
        agreement, epoch = self._disclosure.agreement, self._disclosure.epoch
        shape = Shape(agreement.digest, epoch, kind, agreement.terms.deid_profile, Suite.ONE, fields)
        granted = {name: self._granted[kind][name] for name in fields}
        tokens = document_tokens(self._disclosure.context.keys.pseudonym_seed, agreement.terms.agreement)
        rules = rules_of(Kind(kind), granted, self._disclosure.vocabulary, tokens)
        return _Plan(Kind(kind), shape, [rules[name] for name in shape.names])


class _Plan(NamedTuple):
    """How records of a kind are shown in certain fields; `rules` in the order of the shape's names."""

    kind: Kind
    shape: Shape
    rules: Sequence[Rule]

    def tell(self, asked: Asked, alias: AliasRow) -> Told:
        """What the rendition of one record says."""
        content = decode_content(self.kind, asked.row.content)
        values = [rule(content) for rule in self.rules]
        until = valid_until(asked.row.disclose_until)
        return Told(alias.alias, asked.name.pseudonym, until, alias.wire_version, values)


def _identity(known: AliasRow | None, row: RecordRow, new: bytes) -> AliasRow:
    if known is None:
        return AliasRow(alias=new, wire_version=1, record_version=row.version)
    if known.record_version == row.version:
        return known
    return AliasRow(alias=known.alias, wire_version=known.wire_version + 1, record_version=row.version)


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """For what a frame is made: the answer to a request, for a purpose, or the next push under an agreement."""

    recipient: PartyId
    epoch: int
    purpose: str | None = None
    request: bytes | None = None
    sequence: int | None = None

    @property
    def facts(self) -> Detail:
        """What a journal entry tells of it."""
        if self.request is None:
            return {"sequence": self.sequence}
        return {"purpose": self.purpose, "request": self.request.hex()}


@dataclass(frozen=True, slots=True, kw_only=True)
class UnsignedFrame:
    """A sealed body with everything its header will say but the journal leaf."""

    id: bytes
    occasion: Occasion
    agreement: Agreement
    authorisation: bytes | None
    sealed: SealedBody

    def detail(self, outcome: str) -> Detail:
        """What the journal entry of this frame commits to."""
        answered = {} if self.occasion.request is None else {"authorisation": _hex(self.authorisation)}
        return {
            "body": self.sealed.digest.hex(),
            "count": self.sealed.count,
            "frame": self.id.hex(),
            "outcome": outcome,
            "root": self.sealed.root.hex(),
            **answered,
            **self.occasion.facts,
        }

    def sign(self, leaf: bytes, context: Context, at: datetime) -> tuple[bytes, bytes]:
        """The signed header, and the digest that names it."""
        occasion = self.occasion
        header = FrameHeader(
            agreement=self.agreement.digest.hex(),
            authorisation=_hex(self.authorisation),
            body=self.sealed.digest.hex(),
            count=self.sealed.count,
            epoch=occasion.epoch,
            filings=self.agreement.filing_set.hex(),
            frame=self.id.hex(),
            journal_leaf=leaf.hex(),
            mode="ANSWER" if occasion.request is not None else "PUSH",
            purpose=occasion.purpose,
            push_sequence=occasion.sequence,
            recipient=occasion.recipient,
            request=_hex(occasion.request),
            root=self.sealed.root.hex(),
            sender=context.node,
            suite=Suite.ONE,
            time=at,
        )
        return sign_and_name(header, context.keys.frame)


def disclose(
    shown: Sequence[Shown], authorisations: Sequence[bytes], occasion: Occasion, agreement: Agreement,
    context: Context, recipient_key: PublicKey,
) -> UnsignedFrame:  # fmt: skip
    """Seal the renditions for the recipient, in an order that says nothing about ours.

    Raises:
        Malformed: they are more than one frame holds.
    """
    frame = context.random(16)
    binding = Binding(
        sender=context.node,
        recipient=occasion.recipient,
        agreement=agreement.digest.hex(),
        frame=frame.hex(),
        suite=1,
    )
    mixed = shuffled([(one.body, one.commitment) for one in shown], context.random)
    return UnsignedFrame(
        id=frame,
        occasion=occasion,
        agreement=agreement,
        authorisation=authorisations_digest(authorisations),
        sealed=seal_body(mixed, binding, recipient_key),
    )


def _hex(digest: bytes | None) -> str | None:
    return None if digest is None else digest.hex()


def authorisations_digest(digests: Sequence[bytes]) -> bytes | None:
    """What a frame header says of the authorisations it answers: the digest of one, or H(label || all in order)."""
    if len(digests) <= 1:
        return digests[0] if digests else None
    return sha256(b"creditport/authorisations/v1" + b"".join(digests)).digest()
