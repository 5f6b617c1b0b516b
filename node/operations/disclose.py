"""From pseudonyms to sealed frames: find the records, leave out what is withheld, render, seal, sign."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256

import msgspec

from agreements.agreement import Agreement
from agreements.permission import Granted
from crypto import commitment, envelope
from crypto.commitment import RenditionHeader, make_rendition
from crypto.frame import KIND, FrameHeader, SealedBody, seal_body, shuffled, sign_header
from crypto.keys import PublicKey, Suite
from crypto.sealing import Binding
from node.domain.context import Context
from node.domain.journal import Detail
from node.domain.rendition import render, valid_until
from node.domain.serving import is_visible
from node.domain.vocabulary import Vocabulary
from node.operations.asked import QueryAsked
from node.operations.ports import UnitOfWork
from node.operations.rows import LedgerRow, RecordRow, RenditionRow
from node.operations.stored_records import outline_from_row, record_from_row
from registry.norms.catalogue import Catalogue


@dataclass(frozen=True, slots=True, kw_only=True)
class Disclosure:
    """Under what is disclosed: agreement and epoch, the catalogue, and the instant."""

    agreement: Agreement
    agreement_no: int
    epoch: int
    catalogue: Catalogue
    vocabulary: Vocabulary
    context: Context
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One rendition to be shown, and which record version it is of."""

    record_no: int
    record_version: int
    body: bytes = field(repr=False)
    commitment: bytes

    def ledger(self, agreement_no: int, frame: bytes) -> LedgerRow:
        """The ledger row: who held this version in which frame."""
        return LedgerRow(
            agreement_no=agreement_no,
            record_no=self.record_no,
            record_version=self.record_version,
            frame=frame,
        )


def show(work: UnitOfWork, wanted: Sequence[tuple[bytes, Granted]], disclosure: Disclosure) -> list[list[Shown]]:
    """For each wanted pseudonym the renditions of its visible records of the granted kinds, in order.

    Every pseudonym takes the same way: unknown, withheld and empty ones end with an empty list like the others.
    """
    number, epoch = disclosure.agreement_no, disclosure.epoch
    subjects = work.pseudonyms.lookup(number, epoch, [pseudonym for pseudonym, _ in wanted])
    kinds = sorted({kind for _, granted in wanted for kind in granted.fields})
    rows = work.records.of_subjects(sorted(set(subjects.values())), kinds)
    visible = {row.record_no for found in rows.values() for row in found if _is_visible(row, disclosure)}
    renderer = _Renderer(work, sorted(visible), disclosure)
    shown = []
    for pseudonym, granted in wanted:
        found = rows.get(subjects.get(pseudonym, -1), ())
        shown.append(
            [
                renderer.rendition(row, pseudonym, granted)
                for row in found
                if row.record_no in visible and row.kind in granted.fields
            ]
        )
    renderer.keep()
    return shown


def _is_visible(row: RecordRow, disclosure: Disclosure) -> bool:
    return is_visible(outline_from_row(row), disclosure.at, disclosure.catalogue)


class _NamedHeader(msgspec.Struct, frozen=True):
    pseudonym: str


class _Named(msgspec.Struct, frozen=True):
    """As much of a kept rendition as says under which pseudonym it was made; it was checked before it was kept."""

    header: _NamedHeader


_named = msgspec.json.Decoder(_Named)


class _Renderer:
    """Makes renditions, and keeps those that show all that the agreement grants, so that they stay the same.

    A rendition of the whole grant is made once for each record version, agreement and epoch. One that was asked
    for in fewer fields, or under another of the subject's pseudonyms, is made for that answer alone: same alias
    and wire version, salts of its own.
    """

    def __init__(self, work: UnitOfWork, records: Sequence[int], disclosure: Disclosure) -> None:
        self._work = work
        self._disclosure = disclosure
        self._granted = disclosure.agreement.terms.precisions
        number = disclosure.agreement_no
        self._made = dict(work.renditions.of_records(number, disclosure.epoch, records))
        self._identities = dict(work.renditions.identities(number, records))
        self._new: list[RenditionRow] = []

    def rendition(self, row: RecordRow, pseudonym: bytes, granted: Granted) -> Shown:
        """The rendition of one record for one asker."""
        made = self._made.get((row.record_no, row.version))
        if made is None:
            made = self._make(row, pseudonym)
        named = _named.decode(made.body).header.pseudonym
        if named == pseudonym.hex() and granted.fields[row.kind].keys() == self._granted[row.kind].keys():
            return _shown(row, made.body, made.commitment)
        header = msgspec.structs.replace(commitment.decode(made.body).header, pseudonym=pseudonym.hex())
        content = record_from_row(row).content
        values = render(content, granted.fields[row.kind], self._disclosure.vocabulary)
        own = make_rendition(header, values, self._disclosure.context.random)
        return _shown(row, commitment.encode(own), commitment.commitment(own))

    def keep(self) -> None:
        """Write down the renditions that were made to stay."""
        self._work.renditions.add(self._new)

    def _make(self, row: RecordRow, pseudonym: bytes) -> RenditionRow:
        record, disclosure = record_from_row(row), self._disclosure
        random, agreement = disclosure.context.random, disclosure.agreement
        alias, last = self._identities.get(row.record_no) or (random(16), 0)
        version = last + 1
        header = RenditionHeader(
            agreement=agreement.digest.hex(),
            alias=alias.hex(),
            epoch=disclosure.epoch,
            kind=row.kind,
            profile=agreement.terms.deid_profile,
            pseudonym=pseudonym.hex(),
            suite=Suite.ONE,
            valid_until=valid_until(record),
            version=version,
        )
        values = render(record.content, self._granted[row.kind], disclosure.vocabulary)
        rendition = make_rendition(header, values, random)
        made = RenditionRow(
            agreement_no=disclosure.agreement_no,
            epoch=disclosure.epoch,
            record_no=row.record_no,
            record_version=row.version,
            alias=alias,
            wire_version=version,
            body=commitment.encode(rendition),
            commitment=commitment.commitment(rendition),
        )
        self._identities[row.record_no] = (alias, version)
        self._made[row.record_no, row.version] = made
        self._new.append(made)
        return made


def _shown(row: RecordRow, body: bytes, committed: bytes) -> Shown:
    return Shown(record_no=row.record_no, record_version=row.version, body=body, commitment=committed)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnsignedFrame:
    """A sealed body with everything its header will say but the journal leaf."""

    id: bytes
    asked: QueryAsked
    agreement: Agreement
    authorisation: bytes | None
    sealed: SealedBody

    @property
    def detail(self) -> Detail:
        """What the journal entry of this frame commits to."""
        return {
            "authorisation": self.authorisation.hex() if self.authorisation else None,
            "body": self.sealed.digest.hex(),
            "count": self.sealed.count,
            "frame": self.id.hex(),
            "outcome": "ANSWERED",
            "purpose": self.asked.purpose,
            "request": self.asked.digest.hex(),
            "root": self.sealed.root.hex(),
        }

    def sign(self, leaf: bytes, context: Context, at: datetime) -> tuple[bytes, bytes]:
        """The signed header, and the digest that names it."""
        header = FrameHeader(
            agreement=self.agreement.digest.hex(),
            authorisation=self.authorisation.hex() if self.authorisation else None,
            body=self.sealed.digest.hex(),
            count=self.sealed.count,
            epoch=self.asked.epoch,
            filings=self.agreement.filing_set.hex(),
            frame=self.id.hex(),
            journal_leaf=leaf.hex(),
            mode="ANSWER",
            purpose=self.asked.purpose,
            push_sequence=None,
            recipient=self.asked.peer,
            request=self.asked.digest.hex(),
            root=self.sealed.root.hex(),
            sender=context.node,
            suite=Suite.ONE,
            time=at,
        )
        raw = sign_header(header, context.keys.frame)
        return raw, envelope.parse(raw, KIND).digest


def disclose(
    shown: Sequence[Shown], authorisations: Sequence[bytes], asked: QueryAsked, agreement: Agreement,
    context: Context, recipient_key: PublicKey,
) -> UnsignedFrame:  # fmt: skip
    """Seal the renditions for the asker, in an order that says nothing about ours."""
    frame = context.random(16)
    binding = Binding(
        sender=context.node,
        recipient=asked.peer,
        agreement=agreement.digest.hex(),
        frame=frame.hex(),
        suite=1,
    )
    mixed = shuffled([(one.body, one.commitment) for one in shown], context.random)
    return UnsignedFrame(
        id=frame,
        asked=asked,
        agreement=agreement,
        authorisation=authorisations_digest(authorisations),
        sealed=seal_body(mixed, binding, recipient_key),
    )


def authorisations_digest(digests: Sequence[bytes]) -> bytes | None:
    """What a frame header says of the authorisations it answers: the digest of one, or H(label || all in order)."""
    if len(digests) <= 1:
        return digests[0] if digests else None
    return sha256(b"creditport/authorisations/v1" + b"".join(digests)).digest()
