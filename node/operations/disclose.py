"""From pseudonyms to sealed frames: find the records, leave out what is withheld, render, seal, sign."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

import msgspec

from agreements.agreement import Agreement
from agreements.permission import Granted
from crypto import commitment
from crypto.commitment import RenditionHeader, make_rendition
from crypto.frame import FrameHeader, SealedBody, seal_body, shuffled, sign_and_name
from crypto.keys import PublicKey, Suite
from crypto.sealing import Binding
from node.domain.context import Context
from node.domain.dates import shanghai_day
from node.domain.journal import Detail
from node.domain.rendition import render, valid_until
from node.domain.serving import is_visible
from node.domain.vocabulary import Vocabulary
from node.operations.ports import UnitOfWork
from node.operations.rows import AliasRow, LedgerRow, RecordRow, RenditionRow
from node.operations.stored_records import outline_from_row, record_from_row
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
    renderer = Renderer(work, sorted(visible), disclosure)
    shown = []
    for pseudonym, granted in wanted:
        subject, identifier_no = subjects.get(pseudonym, NOBODY)
        name = Name(pseudonym=pseudonym, identifier_no=identifier_no)
        shown.append(
            [
                renderer.rendition(row, name, granted.fields[row.kind])
                for row in rows.get(subject, ())
                if row.record_no in visible and row.kind in granted.fields
            ]
        )
    renderer.keep()
    return shown


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
        self._identities: dict[int, AliasRow] | None = None
        self._new: list[RenditionRow] = []

    def rendition(self, row: RecordRow, name: Name, fields: Mapping[str, Precision]) -> Shown:
        """The rendition of one record for one asker, in some of the fields that are granted of its kind."""
        made = self._made.get((row.record_no, row.version))
        if made is None:
            made = self._make(row, name.pseudonym)
        whole = fields.keys() == self._granted[row.kind].keys()
        named = _named.decode(made.body).header.pseudonym
        body, committed = made.body, made.commitment
        if named != name.pseudonym.hex() or not whole:
            header = msgspec.structs.replace(commitment.decode(made.body).header, pseudonym=name.pseudonym.hex())
            values = render(record_from_row(row).content, fields, self._disclosure.vocabulary)
            own = make_rendition(header, values, self._disclosure.context.random)
            body, committed = commitment.encode(own), commitment.commitment(own)
        return Shown(
            record_no=row.record_no,
            record_version=row.version,
            identifier_no=name.identifier_no,
            fields=None if whole else " ".join(sorted(fields)),
            body=body,
            commitment=committed,
        )

    def keep(self) -> None:
        """Write down the renditions that were made to stay."""
        self._work.renditions.add(self._new)

    def _make(self, row: RecordRow, pseudonym: bytes) -> RenditionRow:
        record, disclosure = record_from_row(row), self._disclosure
        random, agreement = disclosure.context.random, disclosure.agreement
        alias = self._identify(row)
        header = RenditionHeader(
            agreement=agreement.digest.hex(),
            alias=alias.alias.hex(),
            epoch=disclosure.epoch,
            kind=row.kind,
            profile=agreement.terms.deid_profile,
            pseudonym=pseudonym.hex(),
            suite=Suite.ONE,
            valid_until=valid_until(record),
            version=alias.wire_version,
        )
        values = render(record.content, self._granted[row.kind], disclosure.vocabulary)
        rendition = make_rendition(header, values, random)
        made = RenditionRow(
            agreement_no=disclosure.agreement_no,
            epoch=disclosure.epoch,
            record_no=row.record_no,
            record_version=row.version,
            alias=alias.alias,
            wire_version=alias.wire_version,
            body=commitment.encode(rendition),
            commitment=commitment.commitment(rendition),
        )
        self._made[row.record_no, row.version] = made
        self._new.append(made)
        return made

    def _identify(self, row: RecordRow) -> AliasRow:
        """The record's name here, in the wire version that stands for this record version."""
        if self._identities is None:
            number = self._disclosure.agreement_no
            self._identities = dict(self._work.renditions.identities(number, self._records))
        known = self._identities.get(row.record_no)
        if known is None:
            known = AliasRow(alias=self._disclosure.context.random(16), wire_version=1, record_version=row.version)
        elif known.record_version != row.version:
            known = AliasRow(alias=known.alias, wire_version=known.wire_version + 1, record_version=row.version)
        self._identities[row.record_no] = known
        return known


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
